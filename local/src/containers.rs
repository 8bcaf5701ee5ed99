//! A way from Docker's containers to the engines, which listen on this machine's loopback alone.
//!
//! `sam local invoke` runs functions on Docker's bridge, whatever `--docker-network host` promises (SAM 1.170).
use std::{net::Ipv4Addr, process::Command};

use serde_json::Value;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

use crate::Plaza;

/// The way, open until this is dropped.
pub struct Way {
    /// What `sam local invoke --env-vars` reads.
    pub environment: Value,
    /// What `sam local invoke --add-host` wants: inside, `localhost` is this machine as well. (By that name, since a
    /// function accepts the development key only beside a table on its own machine.)
    pub add_host: String,
    _forwarders: JoinSet<()>,
}

/// Opens the way to a running Plaza. Fails where Docker does not say what its network is.
pub async fn open(plaza: &Plaza) -> Result<Way, String> {
    let gateway = gateway()?;
    let (mut forwarders, mut host) = (JoinSet::new(), gateway.to_string());
    for endpoint in [&plaza.engines.dynamodb, &plaza.engines.s3, &plaza.engines.sns, &plaza.engines.sqs] {
        let port = endpoint.rsplit(':').next().and_then(|port| port.parse::<u16>().ok());
        let port = port.ok_or_else(|| format!("{endpoint} has no port"))?;
        match TcpListener::bind((gateway, port)).await {
            Ok(listener) => drop(forwarders.spawn(forward(listener, port))),
            // Docker Desktop: a machine of its own, from where this leads to our loopback.
            Err(_) => host = "host-gateway".into(),
        }
    }
    let mut environment = plaza.sam_environment();
    for (name, value) in environment["Parameters"].as_object_mut().into_iter().flatten() {
        if let (true, Value::String(url)) = (name.starts_with("AWS_ENDPOINT_URL"), value) {
            *url = url.replace("127.0.0.1", "localhost");
        }
    }
    Ok(Way { environment, add_host: format!("localhost:{host}"), _forwarders: forwarders })
}

/// This machine as containers on the usual bridge see it: what Docker was told, or the first address, as it chooses.
fn gateway() -> Result<Ipv4Addr, String> {
    const FORMAT: &str = "{{range .IPAM.Config}}{{.Gateway}} {{.Subnet}}\n{{end}}";
    let output = Command::new("docker").args(["network", "inspect", "bridge", "--format", FORMAT]).output();
    let output = output.map_err(|error| format!("docker: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let address = text.lines().find_map(|line| {
        let (gateway, subnet) = line.split_once(' ')?;
        let first = || Some(Ipv4Addr::from_bits(subnet.split('/').next()?.parse::<Ipv4Addr>().ok()?.to_bits() + 1));
        gateway.parse().ok().or_else(first)
    });
    address.ok_or_else(|| format!("docker network inspect bridge: {}", String::from_utf8_lossy(&output.stderr).trim()))
}

async fn forward(listener: TcpListener, port: u16) {
    let mut connections = JoinSet::new();
    while let Ok((mut from, _)) = listener.accept().await {
        connections.spawn(async move {
            if let Ok(mut to) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await {
                // It ends when either side has had enough.
                let _ = copy_bidirectional(&mut from, &mut to).await;
            }
        });
    }
}
