//! What the store was asked, for assertions.

mod requests;
mod sent;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::{HeaderMap, Method, StatusCode, Uri};
use percent_encoding::percent_decode_str;
use wharf_transport::Body;

use crate::target::Target;

pub use requests::Requests;
use sent::Sent;

/// How many requests a store remembers; beyond it the oldest are forgotten. So they are before it where requests are
/// so large that their targets and headers would take more than 32 MiB together.
pub const LOG_CAPACITY: usize = 10_000;

const MOST_BYTES: usize = 32 * 1024 * 1024;

/// Headers whose values are secrets, or would be one when replayed.
const SECRET: [&str; 4] = [
    "authorization",
    "x-amz-security-token",
    "x-amz-server-side-encryption-customer-key",
    "x-amz-copy-source-server-side-encryption-customer-key",
];

/// One HTTP request that reached a [`Store`](crate::Store).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct LoggedRequest {
    /// The S3 operation, such as `PutObject`; empty where the request named none that the store knows.
    pub operation: &'static str,
    /// The HTTP method.
    pub method: Method,
    /// The path as it was sent, still percent-encoded, without the query.
    pub path: String,
    /// The query as it was sent, without what signs the request.
    pub query: String,
    /// The bucket, or "".
    pub bucket: String,
    /// The key, or "".
    pub key: String,
    /// The status answered; `None` while no answer was given, which stays so when the caller gives up.
    pub status: Option<StatusCode>,
    /// The body's bytes that the store read, framing included.
    pub bytes_in: u64,
    /// The bytes of the answer's body. Those of one that is sent as a stream are told once it was sent or given up.
    pub bytes_out: u64,
    /// What [`Fault`](crate::Fault)s did to it, by the names of their methods, such as `drop_answer`.
    pub faults: Vec<&'static str>,
    /// The request's headers, without those that hold secrets.
    pub headers: HeaderMap,
}

impl LoggedRequest {
    pub(crate) fn new(method: Method, uri: &Uri, headers: &HeaderMap) -> Self {
        let mut headers = headers.clone();
        for name in SECRET {
            headers.remove(name);
        }
        let pieces = uri.query().unwrap_or_default().split('&');
        // A name may be encoded and mean the same.
        let signs = |piece: &&str| {
            let decoded = percent_decode_str(piece).decode_utf8_lossy();
            decoded.to_ascii_lowercase().starts_with("x-amz-")
        };
        let query: Vec<&str> = pieces.filter(|piece| !signs(piece)).collect();
        Self {
            operation: "",
            method,
            path: uri.path().to_owned(),
            query: query.join("&"),
            bucket: String::new(),
            key: String::new(),
            status: None,
            bytes_in: 0,
            bytes_out: 0,
            faults: Vec::new(),
            headers,
        }
    }

    /// What was sent of it that is remembered, in bytes.
    fn size(&self) -> usize {
        let headers = self.headers.iter().map(|(name, value)| name.as_str().len() + value.len());
        self.path.len() + self.query.len() + headers.sum::<usize>()
    }

    pub(crate) fn aim(&mut self, operation: &'static str, target: &Target) {
        self.operation = operation;
        self.bucket.clone_from(&target.bucket);
        self.key.clone_from(&target.key);
    }
}

/// The last [`LOG_CAPACITY`] requests. Each has a number, by which its answer is added later.
#[derive(Default, Clone)]
pub(crate) struct Log(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    first: u64,
    entries: VecDeque<LoggedRequest>,
    /// The size of all of them.
    size: usize,
}

impl Log {
    pub(crate) fn push(&self, request: LoggedRequest) -> u64 {
        let mut inner = self.lock();
        inner.size += request.size();
        inner.entries.push_back(request);
        while inner.entries.len() > LOG_CAPACITY || inner.size > MOST_BYTES {
            let Some(oldest) = inner.entries.pop_front() else { break };
            inner.size = inner.size.saturating_sub(oldest.size());
            inner.first += 1;
        }
        inner.first + inner.entries.len() as u64 - 1
    }

    /// Changes the entry of that number, unless it was forgotten meanwhile.
    pub(crate) fn update(&self, number: u64, change: impl FnOnce(&mut LoggedRequest)) {
        let mut inner = self.lock();
        let at = number.checked_sub(inner.first).and_then(|at| usize::try_from(at).ok());
        if let Some(entry) = at.and_then(|at| inner.entries.get_mut(at)) {
            change(entry);
        }
    }

    /// Notes an answer. Gives its body back, counted where its bytes are not all there yet.
    pub(crate) fn answered(&self, number: u64, status: StatusCode, bytes_in: u64, body: Body) -> Body {
        let (there, body) = match body.into_full() {
            Ok(bytes) => (bytes.len() as u64, Body::from(bytes)),
            Err(body) => {
                let length = body.length();
                (0, Body::stream(length, Sent { body, count: 0, log: self.clone(), number }))
            }
        };
        self.update(number, |entry| {
            entry.status = Some(status);
            entry.bytes_in = bytes_in;
            entry.bytes_out = there;
        });
        body
    }

    pub(crate) fn all(&self) -> Requests {
        Requests(self.lock().entries.iter().cloned().collect())
    }

    pub(crate) fn clear(&self) {
        let mut inner = self.lock();
        inner.first += inner.entries.len() as u64;
        inner.entries.clear();
        inner.size = 0;
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forgets_the_oldest_and_the_cleared() {
        let log = Log::default();
        let entry = |path: &'static str| LoggedRequest::new(Method::GET, &Uri::from_static(path), &HeaderMap::new());
        let first = log.push(entry("/first"));
        for _ in 0..LOG_CAPACITY {
            log.push(entry("/more"));
        }
        log.update(first, |entry| entry.path.push_str("/changed"));
        let all = log.all();
        assert_eq!(all.len(), LOG_CAPACITY);
        assert!(all.iter().all(|entry| entry.path == "/more"));
        log.clear();
        let again = log.push(entry("/again"));
        log.update(again, |entry| entry.status = Some(StatusCode::OK));
        assert_eq!(log.all()[0].status, Some(StatusCode::OK));
    }

    #[test]
    fn large_requests_are_forgotten_sooner() {
        let log = Log::default();
        let headers = HeaderMap::from_iter([(http::header::USER_AGENT, "x".repeat(MOST_BYTES / 4).parse().unwrap())]);
        let entry = |path: &'static str| LoggedRequest::new(Method::GET, &Uri::from_static(path), &headers);
        for path in ["/a", "/b", "/c", "/d"] {
            log.push(entry(path));
        }
        let paths: Vec<String> = log.all().iter().map(|entry| entry.path.clone()).collect();
        assert_eq!(paths, ["/b", "/c", "/d"]);
        log.clear();
        let first = log.push(entry("/e"));
        log.update(first, |entry| entry.status = Some(StatusCode::OK));
        assert_eq!((log.all().len(), log.all()[0].status), (1, Some(StatusCode::OK)));
    }

    #[test]
    fn what_signs_is_not_in_it() {
        let uri = Uri::from_static("/k?X-Amz-Signature=s&x%2Damz-security-token=t&versionId=v");
        assert_eq!(LoggedRequest::new(Method::GET, &uri, &HeaderMap::new()).query, "versionId=v");
    }
}
