//! The head of a request as bytes, and the head of an answer from bytes.

use std::mem::MaybeUninit;

use bytes::{Buf, Bytes, BytesMut};
use http::header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version, request};
use httparse::{EMPTY_HEADER, Header, Response, Status};
use memchr::memchr;

use super::framing::Framing;

/// An answer whose head is larger is refused. An object can have hundreds of metadata entries.
const MAX_SIZE: usize = 400 * 1024;

/// So many headers are read without memory of their own.
const USUAL_HEADERS: usize = 64;

/// More headers than this are refused.
const MAX_HEADERS: usize = 4096;

/// The first thing that any answer says.
const NAME: &[u8] = b"HTTP/";

/// Writes the head of a request whose body has `length` bytes. The URI is written as it stands, byte for byte.
pub(crate) fn write(request: &request::Parts, form: Form, length: u64, to: &mut Vec<u8>) {
    to.extend_from_slice(request.method.as_str().as_bytes());
    to.push(b' ');
    match form {
        Form::Origin => {
            let target = request.uri.path_and_query().map_or("/", |target| target.as_str());
            if !target.starts_with('/') {
                to.push(b'/');
            }
            to.extend_from_slice(target.as_bytes());
        }
        Form::Absolute => to.extend_from_slice(request.uri.to_string().as_bytes()),
    }
    to.extend_from_slice(b" HTTP/1.1\r\n");
    for (name, value) in &request.headers {
        write_header(name, value, to);
    }
    let is_said = request.headers.contains_key(CONTENT_LENGTH);
    if !is_said && (length > 0 || matches!(request.method, Method::PUT | Method::POST)) {
        write_header(&CONTENT_LENGTH, &HeaderValue::from(length), to);
    }
    to.extend_from_slice(b"\r\n");
}

/// Refuses headers that say something else of a connection and a body of `length` bytes than what is done with them.
pub(crate) fn check(headers: &HeaderMap, length: u64) -> Result<(), &'static str> {
    if headers.contains_key(TRANSFER_ENCODING) || headers.contains_key(CONNECTION) {
        return Err("Transfer-Encoding and Connection are not for a caller to say");
    }
    match content_length(headers) {
        Ok(None) => Ok(()),
        Ok(Some(said)) if said == length => Ok(()),
        _ => Err("the request's Content-Length is not the length of its body"),
    }
}

/// How a request names what it asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// By path and query.
    Origin,
    /// By the whole URI, for a proxy.
    Absolute,
}

fn write_header(name: &HeaderName, value: &HeaderValue, to: &mut Vec<u8>) {
    to.extend_from_slice(name.as_str().as_bytes());
    to.extend_from_slice(b": ");
    to.extend_from_slice(value.as_bytes());
    to.extend_from_slice(b"\r\n");
}

/// The head of an answer.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) status: StatusCode,
    pub(crate) version: Version,
    pub(crate) headers: HeaderMap,
    /// What its body is like.
    pub(crate) framing: Framing,
    /// Whether another request may follow on the same connection.
    pub(crate) keeps_open: bool,
}

/// Finds the head of an answer in what has come so far.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    /// So much of it has been looked at: no end of a head is there.
    searched: usize,
}

impl Reader {
    /// Takes the head of the answer to a `method` from the front of `came`, where it is there to its end. Answers
    /// before the answer (1xx) are left out. Its headers go into `headers`, which is empty.
    pub(crate) fn take(
        &mut self,
        came: &mut BytesMut,
        method: &Method,
        headers: &mut HeaderMap,
    ) -> Result<Option<Head>, &'static str> {
        loop {
            // Some servers end a body with one line feed too many.
            while self.searched == 0 && matches!(came.first(), Some(b'\r' | b'\n')) {
                came.advance(1);
            }
            let begin = came.len().min(NAME.len());
            if came[..begin] != NAME[..begin] {
                return Err(if came[0] == TLS_ALERT { IS_TLS } else { NOT_HTTP });
            }
            let Some(end) = self.find_end(came) else {
                return if came.len() > MAX_SIZE { Err(TOO_LARGE) } else { Ok(None) };
            };
            self.searched = 0;
            let head = parse(came.split_to(end).freeze(), method, std::mem::take(headers))?;
            if head.status.is_informational() && head.status != StatusCode::SWITCHING_PROTOCOLS {
                *headers = head.headers;
                headers.clear();
                continue;
            }
            return Ok(Some(head));
        }
    }

    /// Where the empty line after the headers ends.
    fn find_end(&mut self, came: &[u8]) -> Option<usize> {
        let mut from = self.searched;
        while let Some(at) = memchr(b'\n', &came[from..]) {
            let next = from + at + 1;
            match came[next..] {
                [b'\n', ..] => return Some(next + 1),
                [b'\r', b'\n', ..] => return Some(next + 2),
                // The rest of it may come yet.
                [] | [b'\r'] => {
                    self.searched = next - 1;
                    return None;
                }
                _ => from = next,
            }
        }
        self.searched = came.len();
        None
    }
}

/// How TLS refuses what is not TLS.
const TLS_ALERT: u8 = 21;

const IS_TLS: &str = "what answers there speaks TLS; is the endpoint https://?";
const NOT_HTTP: &str = "what answers there does not speak HTTP/1.1";
const MALFORMED: &str = "the head of its answer is not HTTP/1.1";
const TOO_LARGE: &str = "the head of its answer is too large";

fn parse(bytes: Bytes, method: &Method, headers: HeaderMap) -> Result<Head, &'static str> {
    let mut found = Response::new(&mut []);
    let mut usual = [const { MaybeUninit::<Header<'_>>::uninit() }; USUAL_HEADERS];
    match httparse::ParserConfig::default().parse_response_with_uninit_headers(&mut found, &bytes, &mut usual) {
        Err(httparse::Error::TooManyHeaders) => {
            let mut many = vec![EMPTY_HEADER; MAX_HEADERS];
            let mut found = Response::new(&mut many);
            match found.parse(&bytes) {
                Err(httparse::Error::TooManyHeaders) => Err(TOO_LARGE),
                parsed => understood(parsed, &found, &bytes, method, headers),
            }
        }
        parsed => understood(parsed, &found, &bytes, method, headers),
    }
}

fn understood(
    parsed: httparse::Result<usize>,
    found: &Response<'_, '_>,
    bytes: &Bytes,
    method: &Method,
    mut headers: HeaderMap,
) -> Result<Head, &'static str> {
    let (Ok(Status::Complete(length)), Some(version), Some(code)) = (parsed, found.version, found.code) else {
        return Err(MALFORMED);
    };
    // Else there are two opinions of where it ends.
    if length != bytes.len() {
        return Err(MALFORMED);
    }
    for header in found.headers.iter() {
        let name = header_name(header.name).ok_or(MALFORMED)?;
        let value = HeaderValue::from_maybe_shared(bytes.slice_ref(header.value)).map_err(|_| MALFORMED)?;
        headers.try_append(name, value).map_err(|_| TOO_LARGE)?;
    }
    let status = StatusCode::from_u16(code).map_err(|_| MALFORMED)?;
    let version = if version == 0 { Version::HTTP_10 } else { Version::HTTP_11 };
    let (framing, is_certain) = framing(method, status, version, &headers)?;
    let keeps_open = is_certain && status != StatusCode::SWITCHING_PROTOCOLS && keeps_open(version, &headers);
    Ok(Head { status, version, headers, framing, keeps_open })
}

/// What nearly every answer of S3 has beside HTTP's own: no memory is asked for their names.
static USUAL_NAMES: [HeaderName; 7] = [
    HeaderName::from_static("x-amz-request-id"),
    HeaderName::from_static("x-amz-id-2"),
    HeaderName::from_static("x-amz-checksum-crc64nvme"),
    HeaderName::from_static("x-amz-checksum-type"),
    HeaderName::from_static("x-amz-server-side-encryption"),
    HeaderName::from_static("x-amz-version-id"),
    HeaderName::from_static("x-amz-bucket-region"),
];

fn header_name(text: &str) -> Option<HeaderName> {
    let usual = USUAL_NAMES.iter().find(|name| name.as_str().eq_ignore_ascii_case(text));
    usual.cloned().or_else(|| HeaderName::from_bytes(text.as_bytes()).ok())
}

/// What the body is like (RFC 9112, 6.3), and whether both sides are certain to agree on where it ends.
fn framing(
    method: &Method,
    status: StatusCode,
    version: Version,
    headers: &HeaderMap,
) -> Result<(Framing, bool), &'static str> {
    let has_none = status.is_informational()
        || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
        || *method == Method::HEAD;
    if has_none {
        return Ok((Framing::NONE, true));
    }
    let length = content_length(headers)?;
    let mut codings = words(headers, &TRANSFER_ENCODING);
    if let Some(coding) = codings.next() {
        // None was asked for but this, which every client knows.
        if !coding.eq_ignore_ascii_case(b"chunked") || codings.next().is_some() {
            return Err("its answer comes in a coding that nobody asked for");
        }
        return Ok((Framing::chunked(), version == Version::HTTP_11 && length.is_none()));
    }
    Ok(match length {
        Some(length) => (Framing::Length { left: length, whole: length }, true),
        None => (Framing::UntilClosed, false),
    })
}

/// The one length that all Content-Length headers name.
fn content_length(headers: &HeaderMap) -> Result<Option<u64>, &'static str> {
    let mut found = None;
    for value in headers.get_all(CONTENT_LENGTH) {
        for text in value.as_bytes().split(|byte| *byte == b',') {
            let length = decimal(text.trim_ascii()).ok_or("its answer has a Content-Length that is no number")?;
            if found.is_some_and(|other| other != length) {
                return Err("its answer has two lengths");
            }
            found = Some(length);
        }
    }
    Ok(found)
}

/// Digits alone: what `str::parse` takes beside them (a sign) is no length.
fn decimal(text: &[u8]) -> Option<u64> {
    let digits = std::str::from_utf8(text).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?;
    digits.parse().ok()
}

/// The elements of the lists that headers of that name hold.
fn words<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a [u8]> {
    let lists = headers.get_all(name).into_iter();
    let words = lists.flat_map(|list| list.as_bytes().split(|byte| *byte == b','));
    words.map(<[u8]>::trim_ascii).filter(|word| !word.is_empty())
}

fn keeps_open(version: Version, headers: &HeaderMap) -> bool {
    let says = |word: &[u8]| words(headers, &CONNECTION).any(|found| found.eq_ignore_ascii_case(word));
    !says(b"close") && (version == Version::HTTP_11 || says(b"keep-alive"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(request: http::Request<()>, form: Form, length: u64) -> String {
        let mut bytes = Vec::new();
        write(&request.into_parts().0, form, length, &mut bytes);
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn requests() {
        let get = || http::Request::get("http://h:1/a/../b%2F?x=%20").header("host", "h:1").body(()).unwrap();
        assert_eq!(written(get(), Form::Origin, 0), "GET /a/../b%2F?x=%20 HTTP/1.1\r\nhost: h:1\r\n\r\n");
        assert_eq!(written(get(), Form::Absolute, 0), "GET http://h:1/a/../b%2F?x=%20 HTTP/1.1\r\nhost: h:1\r\n\r\n");
        let root = http::Request::head("http://h").body(()).unwrap();
        assert_eq!(written(root, Form::Origin, 0), "HEAD / HTTP/1.1\r\n\r\n");
        let query = http::Request::get("http://h?x=1").body(()).unwrap();
        assert_eq!(written(query, Form::Origin, 0), "GET /?x=1 HTTP/1.1\r\n\r\n");
        let put = |length| written(http::Request::put("http://h/a").body(()).unwrap(), Form::Origin, length);
        assert_eq!(put(0), "PUT /a HTTP/1.1\r\ncontent-length: 0\r\n\r\n");
        assert_eq!(put(7), "PUT /a HTTP/1.1\r\ncontent-length: 7\r\n\r\n");
        let said = http::Request::put("http://h/a").header("content-length", "7").body(()).unwrap();
        assert_eq!(written(said, Form::Origin, 7), "PUT /a HTTP/1.1\r\ncontent-length: 7\r\n\r\n");
    }

    #[test]
    fn headers_that_are_not_true() {
        let checked = |name: &'static str, value: &'static str, length| {
            check(&[(HeaderName::from_static(name), HeaderValue::from_static(value))].into_iter().collect(), length)
        };
        assert!(checked("content-length", "3", 3).is_ok() && checked("x", "3", 3).is_ok());
        assert!(checked("content-length", "3", 0).is_err() && checked("content-length", "x", 0).is_err());
        assert!(checked("transfer-encoding", "chunked", 3).is_err() && checked("connection", "close", 0).is_err());
    }

    /// All of `text` at once, and byte by byte: the same head or the same complaint, and the same rest.
    fn read(method: Method, text: &str) -> Result<(Head, String), &'static str> {
        let at_once = {
            let mut came = BytesMut::from(text);
            let head = Reader::default().take(&mut came, &method, &mut HeaderMap::new());
            head.map(|head| (head.expect("an end"), String::from_utf8(came.to_vec()).unwrap()))
        };
        let (mut reader, mut came, mut headers) = (Reader::default(), BytesMut::new(), HeaderMap::new());
        let mut rest = text.bytes();
        let slowly = loop {
            let Some(byte) = rest.next() else { panic!("it has no end: {text:?}") };
            came.extend_from_slice(&[byte]);
            match reader.take(&mut came, &method, &mut headers) {
                Ok(None) => {}
                Ok(Some(head)) => {
                    break Ok((head, String::from_utf8(came.iter().copied().chain(rest).collect()).unwrap()));
                }
                Err(error) => break Err(error),
            }
        };
        assert_eq!(format!("{slowly:?}"), format!("{at_once:?}"), "{text:?}");
        slowly
    }

    fn framing_of(method: Method, head: &str) -> Result<(Framing, bool), &'static str> {
        let (head, rest) = read(method, &format!("HTTP/1.1 {head}\r\n\r\nrest"))?;
        assert_eq!(rest, "rest");
        Ok((head.framing, head.keeps_open))
    }

    #[test]
    fn where_a_body_ends() {
        let length = |whole| Framing::Length { left: whole, whole };
        let get = |head: &str| framing_of(Method::GET, head);
        assert_eq!(get("200 OK\r\ncontent-length: 7"), Ok((length(7), true)));
        assert_eq!(get("200 \r\nContent-Length: 7, 7\r\ncontent-length:7 "), Ok((length(7), true)));
        assert_eq!(get("200 OK"), Ok((Framing::UntilClosed, false)));
        assert_eq!(get("200 OK\r\ntransfer-encoding: Chunked"), Ok((Framing::chunked(), true)));
        assert_eq!(
            get("200 OK\r\ntransfer-encoding:\r\ntransfer-encoding: , chunked,"),
            Ok((Framing::chunked(), true))
        );
        for coding in ["gzip", "gzip, chunked", "chunked, gzip"] {
            let problem = "its answer comes in a coding that nobody asked for";
            assert_eq!(get(&format!("200 OK\r\ntransfer-encoding: {coding}")), Err(problem));
        }
        // A proxy between may have gone by the other: nothing may follow.
        assert_eq!(get("200 OK\r\ntransfer-encoding: chunked\r\ncontent-length: 7"), Ok((Framing::chunked(), false)));
        for none in ["204 No Content\r\ncontent-length: 7", "304 Not Modified\r\ncontent-length: 7"] {
            assert_eq!(get(none), Ok((Framing::NONE, true)));
        }
        assert_eq!(get("101 Switching Protocols"), Ok((Framing::NONE, false)));
        assert_eq!(framing_of(Method::HEAD, "200 OK\r\ncontent-length: 7"), Ok((Framing::NONE, true)));
        for wrong in ["+7", "-1", "7x", "", "99999999999999999999", "7,"] {
            let problem = "its answer has a Content-Length that is no number";
            assert_eq!(get(&format!("200 OK\r\ncontent-length: {wrong}")), Err(problem), "{wrong}");
        }
        assert_eq!(get("200 OK\r\ncontent-length: 7\r\ncontent-length: 8"), Err("its answer has two lengths"));
    }

    #[test]
    fn whether_another_request_may_follow() {
        let keeps_open = |version: &str, connection: &str| {
            let text = format!("HTTP/{version} 200 OK\r\ncontent-length: 0\r\nconnection: {connection}\r\n\r\n");
            read(Method::GET, &text).unwrap().0.keeps_open
        };
        assert!(keeps_open("1.1", "keep-alive") && keeps_open("1.1", "x") && keeps_open("1.0", "x, Keep-Alive"));
        assert!(!keeps_open("1.1", "x,Close") && !keeps_open("1.0", "x"));
        let old = "HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ntransfer-encoding: chunked\r\n\r\n";
        let (head, _) = read(Method::GET, old).unwrap();
        assert_eq!((head.framing, head.keeps_open), (Framing::chunked(), false));
    }

    #[test]
    fn heads() {
        let text = "\r\n\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nx-a: 0\r\n\r\n\
                    HTTP/1.1 404 Not Found\r\nx-a: 1\r\nX-A:\t2 \r\nx-b: \u{e4}\r\n\r\nHTTP";
        let (head, rest) = read(Method::GET, text).unwrap();
        assert_eq!((head.status.as_u16(), rest.as_str()), (404, "HTTP"));
        let values: Vec<_> = head.headers.get_all("x-a").iter().collect();
        assert_eq!(values, ["1", "2"]);
        assert_eq!(head.headers["x-b"].as_bytes(), "\u{e4}".as_bytes());
        let (head, rest) = read(Method::GET, "HTTP/1.0 200 OK\nx-a: 1\n\n\nx").unwrap();
        assert_eq!((head.version, head.headers.len(), rest.as_str()), (Version::HTTP_10, 1, "\nx"));
        for other in ["SSH-2.0-OpenSSH_9.9\r\n", "HTTX", "<html>"] {
            assert_eq!(read(Method::GET, other).unwrap_err(), NOT_HTTP, "{other:?}");
        }
        assert_eq!(read(Method::GET, "\x15\x03\x01").unwrap_err(), IS_TLS);
        for wrong in ["HTTP/2.0 200 OK\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nx y: 1\r\n\r\n"] {
            assert_eq!(read(Method::GET, wrong).unwrap_err(), MALFORMED, "{wrong:?}");
        }
    }

    #[test]
    fn headers_without_end() {
        let take = |text: &str| Reader::default().take(&mut BytesMut::from(text), &Method::GET, &mut HeaderMap::new());
        let many = |count| (0..count).map(|n| format!("x-{n}: 1\r\n")).collect::<String>();
        let head = take(&format!("HTTP/1.1 200 OK\r\n{}\r\n", many(MAX_HEADERS))).unwrap().unwrap();
        assert_eq!(head.headers.len(), MAX_HEADERS);
        assert_eq!(take(&format!("HTTP/1.1 200 OK\r\n{}\r\n", many(MAX_HEADERS + 1))).unwrap_err(), TOO_LARGE);
        let huge = format!("HTTP/1.1 200 OK\r\nx: {}", "x".repeat(MAX_SIZE));
        assert_eq!(take(&huge).unwrap_err(), TOO_LARGE);
        assert!(take(&huge[..MAX_SIZE]).unwrap().is_none());
    }
}
