//! A proxy between client and server that knows where requests begin and end, and does one of them harm.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// A proxy on a loopback port. Ends when dropped.
pub struct Hostile {
    address: SocketAddr,
    attacks: Arc<Mutex<Attacks>>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Attacks {
    planned: Vec<Attack>,
    /// How many requests of each operation came since the last plan.
    seen: HashMap<&'static str, u64>,
    done: u64,
}

/// What befalls which request.
#[derive(Debug, Clone, Copy)]
pub struct Attack {
    pub operation: &'static str,
    /// Which one, from 1; 0 means each.
    pub nth: u64,
    pub point: Point,
    pub harm: Harm,
}

/// Where: just before that byte goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Point {
    RequestBegin,
    RequestHead,
    FirstBodyByte,
    BodyMiddle,
    /// Where the trailers of a framed body are.
    Trailers,
    LastBodyByte,
    /// The request has gone on, and its answer has come: the client does not hear of it.
    AnswerBegin,
    AnswerHead,
    FirstAnswerByte,
    AnswerMiddle,
    LastAnswerByte,
}

impl Point {
    pub const ALL: [Self; 11] = [
        Self::RequestBegin,
        Self::RequestHead,
        Self::FirstBodyByte,
        Self::BodyMiddle,
        Self::Trailers,
        Self::LastBodyByte,
        Self::AnswerBegin,
        Self::AnswerHead,
        Self::FirstAnswerByte,
        Self::AnswerMiddle,
        Self::LastAnswerByte,
    ];

    pub fn is_of_request(self) -> bool {
        (self as u8) < Self::AnswerBegin as u8
    }

    pub fn is_in_each_message(self) -> bool {
        matches!(self, Self::RequestBegin | Self::RequestHead | Self::AnswerBegin | Self::AnswerHead)
    }

    /// The offset in a message of that head and body; `None` where it has no such byte.
    fn offset(self, head: usize, body: usize) -> Option<usize> {
        match self {
            Self::RequestBegin | Self::AnswerBegin => Some(0),
            Self::RequestHead | Self::AnswerHead => Some(head / 2),
            _ if body == 0 => None,
            Self::FirstBodyByte | Self::FirstAnswerByte => Some(head),
            Self::BodyMiddle | Self::AnswerMiddle => Some(head + body / 2),
            Self::Trailers => body.checked_sub(40).map(|offset| head + offset),
            Self::LastBodyByte | Self::LastAnswerByte => Some(head + body - 1),
        }
    }
}

/// What.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Harm {
    /// Both connections are reset.
    Reset,
    /// Both are closed as if all had been said.
    Close,
    /// Nothing goes on any more.
    Stall,
    /// The byte has its lowest bit flipped.
    Flip,
}

impl Hostile {
    /// A proxy to the server at that URL.
    pub async fn before(endpoint: &str) -> Self {
        let server: SocketAddr = endpoint.trim_start_matches("http://").parse().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let attacks: Arc<Mutex<Attacks>> = Arc::default();
        let shared = attacks.clone();
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (client, _) = listener.accept().await.unwrap();
                connections.spawn(relay(client, server, shared.clone()));
            }
        });
        Self { address, attacks, task }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What happens from now on, in place of what was planned before.
    pub fn plan(&self, attacks: impl IntoIterator<Item = Attack>) {
        *self.attacks.lock().unwrap() = Attacks { planned: attacks.into_iter().collect(), ..Attacks::default() };
    }

    /// How many requests were harmed since.
    pub fn harmed(&self) -> u64 {
        self.attacks.lock().unwrap().done
    }
}

impl Drop for Hostile {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// One connection, exchange after exchange. An error is its end.
async fn relay(mut client: TcpStream, server: SocketAddr, attacks: Arc<Mutex<Attacks>>) {
    let Ok(mut server) = TcpStream::connect(server).await else { return };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let (mut from_client, mut from_server) = (Vec::new(), Vec::new());
    while let Ok(true) = exchange(&mut client, &mut server, &mut from_client, &mut from_server, &attacks).await {}
}

/// Gives back whether another may follow.
async fn exchange(
    client: &mut TcpStream,
    server: &mut TcpStream,
    from_client: &mut Vec<u8>,
    from_server: &mut Vec<u8>,
    attacks: &Mutex<Attacks>,
) -> io::Result<bool> {
    let head = read_head(client, from_client).await?;
    let length = length_of(&head).unwrap_or(0);
    let operation = operation_of(&head);
    let attack = {
        let mut attacks = attacks.lock().unwrap();
        let seen = attacks.seen.entry(operation).or_default();
        *seen += 1;
        let seen = *seen;
        attacks
            .planned
            .iter()
            .copied()
            .find(|attack| attack.operation == operation && (attack.nth == 0 || attack.nth == seen))
    };
    let at = |is_request: bool, head: usize, body: usize| {
        attack
            .filter(|attack| attack.point.is_of_request() == is_request)
            .and_then(|attack| Some((attack.point.offset(head, body)?, attack.harm)))
    };
    let up = Pass { head: &head, body: Length::Known(length), harm: at(true, head.len(), length), attacks };
    // A server that refuses a body closes behind its answer, which is still to be passed on.
    if !up.on(client, from_client, server, true).await? {
        return end(attack, client, server).await;
    }
    let answer = loop {
        let answer = read_head(server, from_server).await?;
        if !answer.starts_with(b"HTTP/1.1 1") {
            break answer;
        }
        client.write_all(&answer).await?;
    };
    let has_body =
        !head.starts_with(b"HEAD ") && !answer.starts_with(b"HTTP/1.1 204") && !answer.starts_with(b"HTTP/1.1 304");
    let body = match length_of(&answer) {
        _ if !has_body => Length::Known(0),
        Some(length) => Length::Known(length),
        None => Length::Chunked,
    };
    let known = if let Length::Known(length) = body { length } else { usize::MAX };
    let down = Pass { head: &answer, body, harm: at(false, answer.len(), known), attacks };
    if !down.on(server, from_server, client, false).await? {
        return end(attack, client, server).await;
    }
    Ok(true)
}

/// Ends two connections as the harm has it.
async fn end(attack: Option<Attack>, client: &mut TcpStream, server: &mut TcpStream) -> io::Result<bool> {
    match attack.map(|attack| attack.harm) {
        Some(Harm::Reset) => {
            client.set_zero_linger()?;
            server.set_zero_linger()?;
        }
        // Until the client has had enough.
        Some(Harm::Stall) => while client.read(&mut [0; 4096]).await? > 0 {},
        _ => {}
    }
    Ok(false)
}

#[derive(Clone, Copy)]
enum Length {
    Known(usize),
    Chunked,
}

/// One message on its way.
struct Pass<'a> {
    head: &'a [u8],
    body: Length,
    harm: Option<(usize, Harm)>,
    attacks: &'a Mutex<Attacks>,
}

impl Pass<'_> {
    /// Gives back whether it went on to its end. A request whose receiver does not listen counts as passed on.
    async fn on(
        &self,
        from: &mut TcpStream,
        buffered: &mut Vec<u8>,
        to: &mut TcpStream,
        is_request: bool,
    ) -> io::Result<bool> {
        let mut passed = 0;
        let mut piece = self.head.to_vec();
        let mut tail = Vec::new();
        let mut is_heard = true;
        loop {
            let end = passed + piece.len();
            if let Some((offset, harm)) = self.harm.filter(|(offset, _)| (passed..end).contains(offset)) {
                self.attacks.lock().unwrap().done += 1;
                match harm {
                    Harm::Flip => piece[offset - passed] ^= 1,
                    _ => {
                        to.write_all(&piece[..offset - passed]).await?;
                        return Ok(false);
                    }
                }
            }
            if is_heard && let Err(error) = to.write_all(&piece).await {
                if !is_request {
                    return Err(error);
                }
                is_heard = false;
            }
            if passed >= self.head.len() {
                tail.extend_from_slice(&piece);
                tail.drain(..tail.len().saturating_sub(5));
            }
            passed = end;
            let left = match self.body {
                Length::Known(length) => self.head.len() + length - passed,
                Length::Chunked if tail == b"0\r\n\r\n" => 0,
                Length::Chunked => usize::MAX,
            };
            if left == 0 {
                return Ok(true);
            }
            if buffered.is_empty() && from.read_buf(buffered).await? == 0 {
                return Ok(false);
            }
            piece = buffered.drain(..buffered.len().min(left)).collect();
        }
    }
}

/// Up to the empty line; what comes behind it stays in the buffer.
async fn read_head(from: &mut TcpStream, buffered: &mut Vec<u8>) -> io::Result<Vec<u8>> {
    loop {
        if let Some(end) = buffered.windows(4).position(|window| window == b"\r\n\r\n") {
            return Ok(buffered.drain(..end + 4).collect());
        }
        if from.read_buf(buffered).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

fn length_of(head: &[u8]) -> Option<usize> {
    header(head, "content-length")?.parse().ok()
}

fn header<'a>(head: &'a [u8], name: &str) -> Option<&'a str> {
    let text = std::str::from_utf8(head).unwrap();
    let mut lines = text.lines().filter_map(|line| line.split_once(':'));
    lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

/// S3's name for the request.
fn operation_of(head: &[u8]) -> &'static str {
    let text = std::str::from_utf8(head).unwrap();
    let mut words = text.split(' ');
    let (method, target) = (words.next().unwrap(), words.next().unwrap());
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let has = |name: &str| query.split('&').any(|pair| pair.split('=').next() == Some(name));
    let has_key = path.trim_start_matches('/').split_once('/').is_some_and(|(_, key)| !key.is_empty());
    let copies = header(head, "x-amz-copy-source").is_some();
    match (method, has_key) {
        ("PUT", true) if has("partNumber") && copies => "UploadPartCopy",
        ("PUT", true) if has("partNumber") => "UploadPart",
        ("PUT", true) if copies => "CopyObject",
        ("PUT", true) if has("tagging") => "PutObjectTagging",
        ("PUT", true) => "PutObject",
        ("PUT", false) if has("versioning") => "PutBucketVersioning",
        ("PUT", false) => "CreateBucket",
        ("GET", true) if has("tagging") => "GetObjectTagging",
        ("GET", true) if has("attributes") => "GetObjectAttributes",
        ("GET", false) if path == "/" => "ListBuckets",
        ("GET", false) if has("location") => "GetBucketLocation",
        ("GET", false) if has("uploads") => "ListMultipartUploads",
        ("GET", false) if has("versioning") => "GetBucketVersioning",
        ("GET", false) if has("versions") => "ListObjectVersions",
        ("POST", true) if has("uploads") => "CreateMultipartUpload",
        ("POST", true) if has("uploadId") => "CompleteMultipartUpload",
        ("POST", false) if has("delete") => "DeleteObjects",
        ("DELETE", true) if has("uploadId") => "AbortMultipartUpload",
        ("DELETE", true) if has("tagging") => "DeleteObjectTagging",
        ("DELETE", true) => "DeleteObject",
        ("DELETE", false) => "DeleteBucket",
        ("HEAD", true) => "HeadObject",
        ("HEAD", false) => "HeadBucket",
        ("GET", true) if has("uploadId") => "ListParts",
        ("GET", true) if header(head, "range").is_some() => "GetRange",
        ("GET", true) => "GetObject",
        ("GET", false) if has("list-type") => "ListObjectsV2",
        _ => "other",
    }
}
