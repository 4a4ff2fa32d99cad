//! The sink and the delaying proxies before it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use job::Result;

use crate::settings::Settings;

pub struct Servers {
    pub http: String,
    pub https: String,
    /// The same at 50 ms.
    pub slow_http: String,
    pub slow_https: String,
    /// The certificate to trust.
    pub ca: PathBuf,
    processes: Vec<Child>,
}

/// What the sink was asked for.
#[derive(Debug, Clone, Copy)]
pub struct Sums {
    /// Objects that were put, and their bytes.
    pub put: (u64, u64),
    /// Bytes of objects that were sent.
    pub sent: u64,
    /// Keys that were listed.
    pub listed: u64,
    /// Requests of all kinds, those that list keys, and those that ask for an object by HEAD.
    pub requests: u64,
    pub lists: u64,
    pub heads: u64,
}

impl Servers {
    pub fn start(binaries: &Path, run: &Path, settings: &Settings) -> Result<Self> {
        let ca = run.join("ca.pem");
        let mut processes = Vec::new();
        let mut sink = Command::new(binaries.join("sink"));
        sink.args([
            format!("size={}", settings.size),
            format!("keys={}", settings.keys),
            format!("small={}", settings.count),
            format!("synced={}", settings.files),
            format!("ca={}", ca.display()),
        ]);
        let lines = start(&mut sink, 2, &mut processes)?;
        let (http, https) = (lines[0].clone(), lines[1].clone());
        let mut slow = |url: &str| -> Result<String> {
            let port = url.rsplit(':').next().unwrap_or_default();
            let mut proxy = Command::new(binaries.join("delay-proxy"));
            proxy.arg(format!("to=127.0.0.1:{port}")).arg("delay-ms=25");
            let lines = start(&mut proxy, 1, &mut processes)?;
            Ok(url.replace(port, lines[0].rsplit(':').next().unwrap_or_default()))
        };
        let (slow_http, slow_https) = (slow(&http)?, slow(&https)?);
        Ok(Self { http, https, slow_http, slow_https, ca, processes })
    }

    pub fn ids(&self) -> impl Iterator<Item = u32> {
        self.processes.iter().map(Child::id)
    }

    /// Has the sink forget everything, and says what it was asked for until now.
    pub fn reset(&self) -> Result<Sums> {
        let address = self.http.trim_start_matches("http://");
        let mut socket = TcpStream::connect(address)?;
        socket.write_all(b"POST /reset HTTP/1.1\r\nHost: sink\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")?;
        let mut text = String::new();
        socket.read_to_string(&mut text)?;
        let (_, body) = text.split_once("\r\n\r\n").ok_or("the sink's answer has no body")?;
        let numbers: Vec<u64> = body.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
        match numbers.as_slice() {
            &[objects, bytes, sent, listed, requests, lists, heads] => {
                Ok(Sums { put: (objects, bytes), sent, listed, requests, lists, heads })
            }
            _ => Err("the sink's answer is not seven numbers".into()),
        }
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        for process in &mut self.processes {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// Starts a server and reads the lines in which it says where it is.
fn start(command: &mut Command, lines: usize, processes: &mut Vec<Child>) -> Result<Vec<String>> {
    let name = command.get_program().to_string_lossy().into_owned();
    let spawned = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut child = spawned.map_err(|error| format!("{name} cannot be started: {error}"))?;
    let out = child.stdout.take();
    processes.push(child);
    let said: Vec<String> =
        BufReader::new(out.ok_or("the server has no output")?).lines().take(lines).collect::<Result<_, _>>()?;
    if said.len() == lines { Ok(said) } else { Err(format!("{name} ended at once").into()) }
}
