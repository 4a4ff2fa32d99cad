//! A few lines of HTTP/1.1 over plain TCP: a client that knows nothing of S3, for presigned requests.

use bytes::Bytes;
use futures_util::TryStreamExt;
use http::header::{CONTENT_LENGTH, HOST};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use wharf::Presigned;
use wharf::transport::{Body, Transport};

use crate::expect::{Failure, some};

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    /// A header's text, empty where there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// Sends the request over a connection of its own.
pub(crate) async fn send(presigned: &Presigned, body: Bytes) -> Result<Answer, Failure> {
    let uri: Uri = presigned.url.parse().map_err(|error| Failure::new(format!("presigned URL: {error}")))?;
    if uri.scheme_str() != Some("http") {
        return Err(Failure::new("these few lines of HTTP know no TLS"));
    }
    let authority = some("the URL's host", uri.authority())?;
    let target = some("the URL's path", uri.path_and_query())?;
    let mut head = format!("{} {target} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n", presigned.method);
    for (name, value) in presigned.headers.iter().filter(|(name, _)| *name != HOST && *name != CONTENT_LENGTH) {
        head.push_str(&format!("{name}: {}\r\n", value.to_str().unwrap_or_default()));
    }
    if has_body(&presigned.method) {
        head.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    head.push_str("\r\n");
    let mut stream = TcpStream::connect((authority.host(), authority.port_u16().unwrap_or(80))).await?;
    stream.write_all(head.as_bytes()).await?;
    let sent = stream.write_all(&body).await;
    let mut answer = Vec::new();
    let read = stream.read_to_end(&mut answer).await;
    if let Some(answer) = parse(&answer) {
        // A server that refuses early and closes has answered, whatever became of the rest of the body.
        return Ok(answer);
    }
    sent.and(read)?;
    Err(Failure::new(format!("no HTTP: {:?}", String::from_utf8_lossy(&answer))))
}

/// The same where the server is part of this process.
pub(crate) async fn send_in_process(
    transport: &dyn Transport,
    presigned: &Presigned,
    body: Bytes,
) -> Result<Answer, Failure> {
    let mut request = http::Request::new(Body::from(body.clone()));
    *request.method_mut() = presigned.method.clone();
    *request.uri_mut() = presigned.url.parse().map_err(|error| Failure::new(format!("presigned URL: {error}")))?;
    *request.headers_mut() = presigned.headers.clone();
    if has_body(&presigned.method) {
        request.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    }
    let answer = transport.send(request).await.map_err(|error| Failure::new(error.to_string()))?;
    let (head, body) = answer.into_parts();
    let chunks: Vec<Bytes> = body.try_collect().await.map_err(|error| Failure::new(error.to_string()))?;
    Ok(Answer { status: head.status, headers: head.headers, body: chunks.concat().into() })
}

fn has_body(method: &Method) -> bool {
    matches!(*method, Method::PUT | Method::POST)
}

fn parse(answer: &[u8]) -> Option<Answer> {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let mut lines = std::str::from_utf8(&answer[..end]).ok()?.split("\r\n");
    let status: StatusCode = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let mut headers = HeaderMap::new();
    for line in lines {
        let (name, value) = line.split_once(':')?;
        headers.append(name.parse::<HeaderName>().ok()?, value.trim().parse().ok()?);
    }
    let body = &answer[end + 4..];
    let is_chunked = headers.get("transfer-encoding").is_some_and(|value| value == "chunked");
    let body = if is_chunked { unchunked(body)? } else { body.to_vec() };
    Some(Answer { status, headers, body: body.into() })
}

fn unchunked(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = rest.windows(2).position(|two| two == b"\r\n")?;
        let length = usize::from_str_radix(std::str::from_utf8(&rest[..end]).ok()?, 16).ok()?;
        if length == 0 {
            return Some(body);
        }
        body.extend_from_slice(rest.get(end + 2..end + 2 + length)?);
        rest = rest.get(end + 2 + length + 2..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_framings() {
        let plain = parse(b"HTTP/1.1 200 OK\r\nETag: \"x\"\r\nContent-Length: 3\r\n\r\nabc").unwrap();
        assert_eq!((plain.status.as_u16(), plain.header("etag"), &plain.body[..]), (200, "\"x\"", &b"abc"[..]));
        let chunked =
            b"HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n";
        let chunked = parse(chunked).unwrap();
        assert_eq!((chunked.status.as_u16(), &chunked.body[..]), (403, &b"abc0123456789"[..]));
        assert!(parse(b"HTTP/1.1 200 OK\r\n").is_none());
    }
}
