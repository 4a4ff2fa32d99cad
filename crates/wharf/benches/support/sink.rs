//! A server in another process, so that what is counted is the client alone. It takes every PUT and answers a GET of
//! `/bucket/N` with N bytes, in the words of S3.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;

use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::Result;
use super::wire::{Wire, header};

/// The argument that makes this program the server.
pub const ARGUMENT: &str = "sink";

/// The server's process, which ends with this.
pub struct Sink {
    child: Child,
    pub url: String,
    /// The certificate to trust, in PEM form; empty for plain http.
    pub certificate: String,
}

impl Sink {
    /// Starts the server: `http` or `https`.
    pub fn start(scheme: &str) -> Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args([ARGUMENT, scheme])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut told = BufReader::new(child.stdout.take().ok_or("the server has no output")?);
        let mut url = String::new();
        told.read_line(&mut url)?;
        let mut certificate = String::new();
        // An empty line ends it.
        while told.read_line(&mut certificate)? > 1 {}
        Ok(Self { child, url: url.trim().to_owned(), certificate: certificate.trim().to_owned() })
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Serves until the process that started this one is gone.
pub fn serve(scheme: &str) -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let mut out = io::stdout();
    writeln!(out, "{scheme}://localhost:{}", listener.local_addr()?.port())?;
    let tls = match scheme {
        "https" => {
            let made = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
            writeln!(out, "{}", made.cert.pem().trim().replace("\r\n", "\n"))?;
            let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
            let config = ServerConfig::builder().with_no_client_auth();
            Some(Arc::new(config.with_single_cert(vec![made.cert.der().clone()], key)?))
        }
        _ => None,
    };
    writeln!(out)?;
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let tls = tls.clone();
            thread::spawn(move || {
                // A client that leaves ends its connection with an error, which is nothing to tell.
                let _ = converse(stream, tls);
            });
        }
    });
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

fn converse(stream: TcpStream, tls: Option<Arc<ServerConfig>>) -> Result<()> {
    stream.set_nodelay(true)?;
    match tls {
        None => answer_all(Wire::new(stream)),
        Some(tls) => answer_all(Wire::new(StreamOwned::new(ServerConnection::new(tls)?, stream))),
    }
}

fn answer_all<S: Read + Write>(mut wire: Wire<S>) -> Result<()> {
    let zeros = vec![0; 256 * 1024];
    while wire.message(|stream, head| answer(stream, head, &zeros))? {}
    Ok(())
}

/// What S3 says in front of every answer.
const COMMON: &str = "HTTP/1.1 200 OK\r\n\
    x-amz-id-2: eftixk72aD6Ap51TnqcoF8eFidJG9Z/2mkiDFu8yU9AS1ed4OpIszj7UDNEHGran\r\n\
    x-amz-request-id: 318BC8BC148832E5\r\n\
    Date: Mon, 3 Oct 2026 22:32:00 GMT\r\n\
    ETag: \"9bb58f26192e4ba00f01e2e7b136bbd8\"\r\n\
    x-amz-server-side-encryption: AES256\r\n\
    Server: AmazonS3\r\n";

fn answer(stream: &mut impl Write, head: &str, zeros: &[u8]) -> io::Result<()> {
    let mut words = head.split(' ');
    if words.next() != Some("GET") {
        // S3 tells the checksum that it has found.
        let checksum = match header(head, "x-amz-checksum-crc64nvme") {
            Some(value) => format!("x-amz-checksum-crc64nvme: {value}\r\nx-amz-checksum-type: FULL_OBJECT\r\n"),
            None => String::new(),
        };
        stream.write_all(format!("{COMMON}{checksum}Content-Length: 0\r\n\r\n").as_bytes())?;
        return stream.flush();
    }
    let length = words.next().and_then(|path| path.rsplit('/').next()).and_then(|key| key.parse().ok()).unwrap_or(0);
    let mut answer = format!(
        "{COMMON}Last-Modified: Sun, 2 Oct 2026 01:02:03 GMT\r\nAccept-Ranges: bytes\r\n\
         Content-Type: application/octet-stream\r\nContent-Length: {length}\r\n\r\n"
    )
    .into_bytes();
    let mut left: usize = length;
    // A small object leaves together with its head, as it would from a real server.
    if left <= 16 * 1024 {
        answer.extend_from_slice(&zeros[..left]);
        left = 0;
    }
    stream.write_all(&answer)?;
    while left > 0 {
        let piece = left.min(zeros.len());
        stream.write_all(&zeros[..piece])?;
        left -= piece;
    }
    stream.flush()
}
