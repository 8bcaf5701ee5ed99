//! A stand-in for the Lambda Runtime API, for one function process at a time: the process asks for an event, gets one,
//! posts its answer, asks again. A thread per connection reads requests and notes when each was complete; nothing
//! stands between that clock and the socket.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::Result;
use crate::process::Process;

const NEXT: &str = "GET /2018-06-01/runtime/invocation/next";
const TIME_OUT: Duration = Duration::from_secs(30);

pub struct RuntimeApi {
    pub address: SocketAddr,
    calls: Receiver<Call>,
    invocations: usize,
}

/// A request of the function, complete since `at`, that waits for its reply.
struct Call {
    at: Instant,
    /// Method and path.
    line: String,
    body: Vec<u8>,
    connection: TcpStream,
}

/// The function at rest: it has asked for an event and waits.
pub struct Ready(Call);

pub struct Answered {
    pub answer: Vec<u8>,
    /// From the event's first byte to the answer's last.
    pub latency: Duration,
    pub ready: Ready,
}

impl RuntimeApi {
    pub fn start() -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let (sender, calls) = channel();
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let sender = sender.clone();
                // A connection that breaks belongs to a process that has ended, which `Process` reports better.
                thread::spawn(move || serve(connection, &sender));
            }
        });
        Ok(Self { address, calls, invocations: 0 })
    }

    /// Waits until the process first asks for an event; tells when that was.
    pub fn started(&self, process: &mut Process) -> Result<(Instant, Ready)> {
        let call = self.receive(process, NEXT)?;
        Ok((call.at, Ready(call)))
    }

    /// Hands out an event, takes the answer, and waits until the process is at rest again.
    pub fn invoke(&mut self, process: &mut Process, ready: Ready, event: &str) -> Result<Answered> {
        self.invocations += 1;
        let id = format!("{:08x}-0000-4000-8000-000000000000", self.invocations);
        let deadline = SystemTime::now().duration_since(UNIX_EPOCH)? + TIME_OUT;
        let head = format!(
            "lambda-runtime-aws-request-id: {id}\r\n\
             lambda-runtime-deadline-ms: {}\r\n\
             lambda-runtime-invoked-function-arn: arn:aws:lambda:us-east-1:123456789012:function:{}\r\n\
             lambda-runtime-trace-id: Root=1-00000000-000000000000000000000000;Parent=0000000000000000;Sampled=0\r\n",
            deadline.as_millis(),
            process.name,
        );
        let handed_out = Instant::now();
        ready.0.reply("200 OK", &head, event)?;
        let answer = self.receive(process, &format!("POST /2018-06-01/runtime/invocation/{id}/response"))?;
        answer.reply("202 Accepted", "", r#"{"status":"OK"}"#)?;
        let ready = Ready(self.receive(process, NEXT)?);
        Ok(Answered { latency: answer.at - handed_out, answer: answer.body, ready })
    }

    /// The next call, which must be the expected one: `…/error` is none.
    fn receive(&self, process: &mut Process, expected: &str) -> Result<Call> {
        let waiting = Instant::now();
        loop {
            match self.calls.recv_timeout(Duration::from_millis(50)) {
                Ok(call) if call.line == expected => return Ok(call),
                Ok(Call { line, body, .. }) => {
                    let body = String::from_utf8_lossy(&body);
                    return Err(process.complaint(&format!("instead of {expected} called {line}\n{body}")));
                }
                Err(RecvTimeoutError::Timeout) => process.check()?,
                Err(RecvTimeoutError::Disconnected) => return Err("the runtime API stand-in ended".into()),
            }
            if waiting.elapsed() > TIME_OUT {
                return Err(process.complaint(&format!("did not call {expected} within {TIME_OUT:?}")));
            }
        }
    }
}

impl Call {
    fn reply(&self, status: &str, head: &str, body: &str) -> io::Result<()> {
        let length = body.len();
        // One write: a second packet would wait for the first one's acknowledgement.
        let reply = format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n{head}\r\n{body}"
        );
        (&self.connection).write_all(reply.as_bytes())
    }
}

fn serve(connection: TcpStream, calls: &Sender<Call>) -> io::Result<()> {
    connection.set_nodelay(true)?;
    let mut reader = BufReader::new(connection.try_clone()?);
    while let Some((line, body)) = read_request(&mut reader)? {
        let call = Call { at: Instant::now(), line, body, connection: connection.try_clone()? };
        if calls.send(call).is_err() {
            break;
        }
    }
    Ok(())
}

/// Method and path, and the body; `None` at the connection's end. Chunked bodies (streamed answers) are not read.
fn read_request(reader: &mut impl BufRead) -> io::Result<Option<(String, Vec<u8>)>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let request = line.trim_end().trim_end_matches(" HTTP/1.1").to_owned();
    let mut length = 0;
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().map_err(io::Error::other)?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(Some((request, body)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_follow_each_other_on_a_connection() {
        let mut sent = "POST /a HTTP/1.1\r\nhost: x\r\nContent-Length: 2\r\n\r\n{}GET /b HTTP/1.1\r\n\r\n".as_bytes();
        assert_eq!(read_request(&mut sent).unwrap(), Some(("POST /a".into(), b"{}".to_vec())));
        assert_eq!(read_request(&mut sent).unwrap(), Some(("GET /b".into(), vec![])));
        assert_eq!(read_request(&mut sent).unwrap(), None);
    }
}
