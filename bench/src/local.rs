//! The storage behind the functions: the local runner with a data folder of its own.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::Result;
use crate::process::Process;

/// The runner's own port and those of its engines.
const PORTS: u16 = 10;
const TIME_OUT: Duration = Duration::from_secs(60);

pub struct Local {
    /// What a function needs to find this storage.
    pub environment: Vec<(String, String)>,
    _process: Process,
}

/// Starts the runner in `folder` and waits until it serves.
pub fn start(binary: &Path, folder: &Path) -> Result<Local> {
    let data = folder.join("data");
    fs::create_dir_all(&data)?;
    let port = free_ports()?;
    let mut command = Command::new(binary);
    let mut process = Process::spawn("local", command.env("DATA_DIR", &data).env("PORT", port.to_string()), folder)?;
    let waiting = Instant::now();
    while !serves(port) {
        process.check()?;
        if waiting.elapsed() > TIME_OUT {
            return Err(process.complaint(&format!("did not serve /openapi.json within {TIME_OUT:?}")));
        }
        sleep(Duration::from_millis(50));
    }
    // As `sam local invoke --env-vars` reads it: {"Parameters": {…}}.
    let mut environment: BTreeMap<String, BTreeMap<String, String>> =
        serde_json::from_slice(&fs::read(data.join("functions.json"))?)?;
    let environment = environment.remove("Parameters").ok_or("functions.json has no Parameters")?;
    Ok(Local { environment: environment.into_iter().collect(), _process: process })
}

fn serves(port: u16) -> bool {
    let get = || -> std::io::Result<bool> {
        let mut connection = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        connection.set_read_timeout(Some(Duration::from_secs(5)))?;
        connection.write_all(b"GET /openapi.json HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
        let mut status = [0; 12];
        connection.read_exact(&mut status)?;
        Ok(&status == b"HTTP/1.1 200")
    };
    get().unwrap_or(false)
}

/// The first of `PORTS` ports in a row that are free now.
fn free_ports() -> Result<u16> {
    for _ in 0..100 {
        let first = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = first.local_addr()?.port();
        let free =
            |offset| port.checked_add(offset).is_some_and(|p| TcpListener::bind((Ipv4Addr::LOCALHOST, p)).is_ok());
        if (1..PORTS).all(free) {
            return Ok(port);
        }
    }
    Err(format!("no {PORTS} free ports in a row on loopback").into())
}
