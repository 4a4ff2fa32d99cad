//! A request to any S3 API.

use std::borrow::Cow;
use std::fmt;
use std::future::IntoFuture;

use bytes::Bytes;
use http::header::{CONNECTION, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, Method};

use crate::Error;
use crate::body::{Body, IntoBody};
use crate::checksum::ChecksumAlgorithm;
use crate::operation::{ChecksumPolicy, Operation, Request, SendFuture, Sender, Success, header_value};

/// A signed request to any S3 API, for those that have no method of their own yet.
///
/// Awaited, it gives the answer as it came: status, headers and the whole body, of at most 64 MiB. It is signed, sent and retried like
/// every other call, and an answer that is no success is an [`Error`] like everywhere.
///
/// ```
/// use http::Method;
/// use wharf_proto::op::SignedRequest;
/// use wharf_proto::operation::Operation;
///
/// let mut call = SignedRequest::new((), Method::PUT)
///     .bucket("my-bucket")
///     .subresource("accelerate")
///     .body("<AccelerateConfiguration><Status>Enabled</Status></AccelerateConfiguration>");
/// assert_eq!(call.request()?.method, Method::PUT);
/// # Ok::<(), wharf_proto::Error>(())
/// ```
///
/// An answer must begin within the client's progress timeout (30 s by default): what an API may take longer to answer is a method of
/// its own here, such as CopyObject.
///
/// # Errors
/// Whatever the API answers; [`InvalidInput`](crate::ErrorKind::InvalidInput) for a key without a bucket, and for a
/// name or value that no header can hold.
#[must_use = "a call does nothing until it is awaited"]
#[derive(Debug)]
pub struct SignedRequest<S = ()> {
    sender: S,
    method: Method,
    bucket: Option<String>,
    key: Option<String>,
    query: Vec<(Cow<'static, str>, Option<String>)>,
    headers: Given,
    body: Body,
    checksum: ChecksumPolicy,
}

/// Headers as they were given. `Debug` shows their names alone, for values can be secrets.
#[derive(Default)]
struct Given(Vec<(String, String)>);

impl fmt::Debug for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

/// The headers whose values are secrets.
const SECRETS: [&str; 6] = [
    "authorization",
    "x-amz-security-token",
    "x-amz-s3session-token",
    "x-amz-mfa",
    "x-amz-server-side-encryption-customer-key",
    "x-amz-copy-source-server-side-encryption-customer-key",
];

impl<S> SignedRequest<S> {
    /// A request to the service itself, sent by `sender`.
    pub fn new(sender: S, method: Method) -> Self {
        Self {
            sender,
            method,
            bucket: None,
            key: None,
            query: Vec::new(),
            headers: Given::default(),
            body: Body::empty(),
            checksum: ChecksumPolicy::None,
        }
    }

    /// The bucket it is about.
    pub fn bucket(mut self, bucket: impl Into<String>) -> Self {
        self.bucket = Some(bucket.into());
        self
    }

    /// The key it is about, byte for byte.
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// Adds a query parameter, not encoded.
    pub fn query(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<String>) -> Self {
        self.query.push((name.into(), Some(value.into())));
        self
    }

    /// Adds a query parameter without a value, as S3 names sub-resources: `lifecycle`, `policy`.
    pub fn subresource(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.query.push((name.into(), None));
        self
    }

    /// Adds a header. Those that signing and sending need are added anyway; `Connection` and `Transfer-Encoding` are the
    /// transport's alone.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.0.push((name.into(), value.into()));
        self
    }

    /// The body. Of a [`Record`](crate::content::Record) the format and the root element follow from the key, which has to be named
    /// before. Its content type is sent unless a header names another; the client's default checksum goes with it,
    /// as most of S3's APIs insist on one.
    pub fn body(mut self, body: impl IntoBody) -> Self {
        self.body = body.into_body(self.key.as_deref().unwrap_or_default());
        if self.checksum == ChecksumPolicy::None {
            self.checksum = ChecksumPolicy::Required;
        }
        self
    }

    /// Has the body checked by this algorithm.
    pub fn checksum(mut self, algorithm: ChecksumAlgorithm) -> Self {
        self.checksum = ChecksumPolicy::Algorithm(algorithm);
        self
    }

    /// Sends no checksum.
    pub fn no_checksum(mut self) -> Self {
        self.checksum = ChecksumPolicy::Off;
        self
    }
}

/// Whether a header is the digest of the body.
fn is_digest(header: &HeaderName) -> bool {
    const OTHERS: [&str; 3] = ["x-amz-checksum-algorithm", "x-amz-checksum-mode", "x-amz-checksum-type"];
    let name = header.as_str();
    name == "content-md5" || (name.starts_with("x-amz-checksum-") && !OTHERS.contains(&name))
}

impl<S: Send + 'static> Operation for SignedRequest<S> {
    const NAME: &'static str = "SignedRequest";
    type Output = http::Response<Bytes>;

    fn place(&self) -> (Option<&str>, Option<&str>) {
        (self.bucket.as_deref(), self.key.as_deref())
    }

    fn request(&mut self) -> Result<Request, Error> {
        let mut request = match (&self.bucket, &self.key) {
            (None, None) => Request::service(self.method.clone()),
            (None, Some(_)) => return Err(Error::invalid_input("a key needs a bucket; name one")),
            (Some(bucket), None) => Request::bucket(self.method.clone(), bucket)?,
            (Some(bucket), Some(key)) => Request::object(self.method.clone(), bucket, key)?,
        };
        // What an object holds is its own affair, even where it reads like an error.
        let reads_object = self.query.iter().all(|(name, _)| is_of_get_object(name));
        if self.method == Method::GET && self.key.is_some() && reads_object {
            request.success = Success::Verbatim;
        }
        request.query = std::mem::take(&mut self.query);
        request.body = std::mem::take(&mut self.body);
        request.checksum = self.checksum.clone();
        request.implied_content_type()?;
        // Set apart first: a header given twice is sent twice, and one that is implied not at all.
        let mut given = HeaderMap::with_capacity(self.headers.0.len());
        for (name, value) in &self.headers.0 {
            let header = HeaderName::try_from(name.as_str())
                .map_err(|_| Error::invalid_input(format!("{name:?} cannot be the name of a header")))?;
            if [CONNECTION, TRANSFER_ENCODING].contains(&header) {
                return Err(Error::invalid_input(format!(
                    "the header {header} is the transport's alone; leave it out"
                )));
            }
            let mut value = header_value(name, value)?;
            value.set_sensitive(SECRETS.contains(&header.as_str()));
            given.append(header, value);
        }
        if request.checksum == ChecksumPolicy::Required && given.keys().any(is_digest) {
            request.checksum = ChecksumPolicy::Off;
        }
        request.headers.extend(given);
        Ok(request)
    }

    fn response(&self, response: http::Response<Bytes>) -> Result<http::Response<Bytes>, Error> {
        Ok(response)
    }
}

/// Whether a query parameter leaves a GET of a key the object's own bytes.
fn is_of_get_object(name: &str) -> bool {
    matches!(name, "versionId" | "partNumber") || name.starts_with("response-")
}

impl<S: Sender> IntoFuture for SignedRequest<S> {
    type Output = Result<http::Response<Bytes>, Error>;
    type IntoFuture = SendFuture<http::Response<Bytes>>;

    fn into_future(self) -> Self::IntoFuture {
        self.sender.clone().send(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::Source;
    use crate::op::testing::{answer, query};

    #[test]
    fn every_parameter_reaches_the_request() {
        let mut call = SignedRequest::new((), Method::POST)
            .bucket("bucket")
            .key("a//b")
            .subresource("restore")
            .query("versionId".to_owned(), "v 1")
            .header("X-Amz-Thing", "1")
            .header("x-amz-thing", "2")
            .header("Content-Type", "application/xml")
            .body("<R/>");
        let request = call.request().unwrap();
        assert_eq!((&request.method, request.bucket.as_deref()), (&Method::POST, Some("bucket")));
        assert_eq!((request.key.as_deref(), query(&request).as_str()), (Some("a//b"), "restore versionId=v 1"));
        assert_eq!(request.headers.get_all("x-amz-thing").iter().collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!(request.headers.get_all("content-type").iter().collect::<Vec<_>>(), ["application/xml"]);
        assert_eq!(request.checksum, ChecksumPolicy::Required);
        assert!(matches!(request.body.into_source(), Ok(Source::Bytes(bytes)) if bytes == "<R/>"));
    }

    #[test]
    fn what_is_said_of_the_connection_is_the_transports() {
        for name in ["Connection", "transfer-encoding"] {
            let problem = SignedRequest::new((), Method::GET).header(name, "close").request().unwrap_err().to_string();
            assert!(problem.contains("is the transport's alone; leave it out"), "{problem}");
        }
    }

    #[test]
    fn the_checksum_is_the_callers_choice() {
        let put = || SignedRequest::new((), Method::PUT).bucket("bucket");
        assert_eq!(put().request().unwrap().checksum, ChecksumPolicy::None);
        assert_eq!(put().no_checksum().body("x").request().unwrap().checksum, ChecksumPolicy::Off);
        let crc32 = put().body("x").checksum(ChecksumAlgorithm::Crc32).request().unwrap();
        assert_eq!(crc32.checksum, ChecksumPolicy::Algorithm(ChecksumAlgorithm::Crc32));
        assert_eq!(crc32.headers["content-type"], "text/plain; charset=utf-8");
    }

    #[test]
    fn no_debug_shows_the_value_of_a_header() {
        let mut call = SignedRequest::new((), Method::GET).bucket("bucket").key("k").header("x-mine", "s3cr3t");
        let secrets = [
            "authorization",
            "X-Amz-Security-Token",
            "x-amz-s3session-token",
            "x-amz-mfa",
            "x-amz-server-side-encryption-customer-key",
            "x-amz-copy-source-server-side-encryption-customer-key",
        ];
        for name in secrets {
            call = call.header(name, "s3cr3t");
        }
        let shown = format!("{call:?}");
        assert!(shown.contains("x-mine") && !shown.contains("s3cr3t"), "{shown}");
        let mut call = SignedRequest::new((), Method::GET).bucket("bucket").header("x-mine", "shown");
        for name in secrets {
            call = call.header(name, "s3cr3t");
        }
        let shown = format!("{:?}", call.request().unwrap());
        assert!(shown.contains("x-mine") && shown.contains("shown") && !shown.contains("s3cr3t"), "{shown}");
    }

    #[test]
    fn what_cannot_be_sent_is_named() {
        let get = || SignedRequest::new((), Method::GET);
        for (mut call, line) in [
            (get().key("k"), "a key needs a bucket; name one"),
            (get().bucket("bucket").key(""), "the key is empty"),
            (get().header("a b", "1"), "\"a b\" cannot be the name of a header"),
            (get().header("x-a", "1\n2"), "x-a: a header's value must not contain control characters"),
        ] {
            assert_eq!(call.request().unwrap_err().to_string(), line);
        }
    }

    #[test]
    fn the_answer_is_given_as_it_came() {
        let response = SignedRequest::new((), Method::GET).response(answer("anything")).unwrap();
        assert_eq!((response.status(), response.body().as_ref()), (http::StatusCode::OK, b"anything".as_slice()));
    }
}
