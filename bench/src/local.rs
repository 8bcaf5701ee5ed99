//! The storage behind the functions: the local runner with a data folder of its own.

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
    let environment = fs::read_to_string(data.join("function.env")).unwrap_or_default();
    if environment.is_empty() {
        eprintln!("bench: the local runner left no function.env; the functions run with the defaults");
    }
    Ok(Local { environment: variables(&environment), _process: process })
}

/// `KEY=VALUE` lines.
fn variables(text: &str) -> Vec<(String, String)> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_once('=')).map(|(key, value)| (key.trim().into(), value.trim().into())).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_their_equals_signs() {
        let read = variables("# storage\nTABLE=plaza\n\nKEY=YWI=\n");
        assert_eq!(read, [("TABLE".into(), "plaza".into()), ("KEY".into(), "YWI=".into())]);
    }
}
