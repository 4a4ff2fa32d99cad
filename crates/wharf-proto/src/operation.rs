//! The contract: an operation is a value, a sender sends values.
//!
//! Every S3 operation is a struct in [`op`](crate::op), generic over who sends it. It turns itself into a [`Request`]
//! and an answer into its output; it never touches a socket. Whoever implements [`Sender`] adds endpoint, signature,
//! transport and retries, the same for all operations.

use std::borrow::Cow;
use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures_core::Stream;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};

use crate::checksum::{Checksum, ChecksumAlgorithm};
use crate::op::{PostForm, PresignedPost};
use crate::provider::Conditions;
use crate::{Body, Error, name};

/// One S3 operation: fields in, [`Request`] out; answer in, [`Output`](Operation::Output) out.
pub trait Operation: Send + 'static {
    /// S3's name of the operation, such as `GetObject`.
    const NAME: &'static str;

    /// What a successful answer stands for.
    type Output: Send + 'static;

    /// The bucket and the key that it is about, for its errors.
    fn place(&self) -> (Option<&str>, Option<&str>) {
        (None, None)
    }

    /// The request, without endpoint, credentials or signature. Takes the body out of `self`: it is called once, and a
    /// retry sends the same [`Request`] again where its body can be replayed.
    ///
    /// # Errors
    /// Whatever cannot be sent: an empty key, a value that no header can hold, content that could not be serialised.
    fn request(&mut self) -> Result<Request, Error>;

    /// Reads a successful answer (2xx). For an operation whose body is streamed ([`Sender::open`]) the body is empty
    /// here.
    ///
    /// # Errors
    /// An answer that is not S3's.
    fn response(&self, response: http::Response<Bytes>) -> Result<Self::Output, Error>;
}

/// The error of an operation that has no request, with the bucket and key that it is about: where one of these is what is
/// wrong, the error says so itself.
pub fn unsent<O: Operation>(operation: &O, error: Error) -> Error {
    let (bucket, key) = operation.place();
    let bucket = bucket.filter(|bucket| name::check_bucket(bucket).is_ok());
    let key = key.filter(|key| bucket.is_some() && name::check_key(key).is_ok());
    error.at(O::NAME, bucket, key)
}

/// A listing: an operation whose answer can name a next page.
pub trait Paged: Operation + Clone {
    /// What a page holds.
    type Item: Send + Unpin + 'static;

    /// The operation that lists what comes after `page`; `None` after the last one.
    ///
    /// # Errors
    /// An answer that claims to be truncated and does not say where to go on.
    fn after(&self, page: &Self::Output) -> Result<Option<Self>, Error>;

    /// The items of a page, in its order.
    fn into_items(page: Self::Output) -> Vec<Self::Item>;
}

/// A future that gives an operation's result.
pub type SendFuture<T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send>>;

/// Sends operations: `wharf::Client` does, and so may a test.
pub trait Sender: Clone + Send + Sync + 'static {
    /// An object's bytes as they arrive.
    type Body: Stream<Item = Result<Bytes, Error>> + Send + Unpin + 'static;

    /// Sends `operation` and reads its whole answer.
    fn send<O: Operation>(&self, operation: O) -> SendFuture<O::Output>;

    /// Sends `operation`, reads the head of its answer, and hands its body over.
    fn open<O: Operation>(&self, operation: O) -> SendFuture<(O::Output, Self::Body)>;

    /// Signs `operation` into a URL that anybody may use until it expires. Nothing is sent.
    fn presign<O: Operation>(&self, operation: O, expires_in: Duration) -> SendFuture<Presigned>;

    /// Signs `form`, which anybody may then send with a file until it expires. Nothing is sent.
    fn presign_post(&self, form: PostForm, expires_in: Duration) -> SendFuture<PresignedPost> {
        let _ = (form, expires_in);
        Box::pin(std::future::ready(Err(Error::invalid_input("this sender signs no forms"))))
    }
}

/// A request that anybody may send until it expires.
///
/// What is signed is exactly what the holder must send: this method, this URL and these headers, no more.
/// [`Debug`](std::fmt::Debug) leaves the URL's query out, for its signature is a secret.
#[derive(Clone)]
pub struct Presigned {
    /// The HTTP method.
    pub method: Method,
    /// The URL, signature included. Whoever has it can use it. Of a key with a segment `.` or `..` most programs change the path
    /// before they send it (curl does not with `--path-as-is`): then the signature is wrong.
    pub url: String,
    /// The headers that must be sent as they stand; often none.
    pub headers: HeaderMap,
    /// When it stops working: the asked-for time, or when the credentials expire, whichever comes first.
    pub expires_at: SystemTime,
}

impl std::fmt::Debug for Presigned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let url = self.url.split('?').next().unwrap_or_default();
        let names: Vec<_> = self.headers.keys().collect();
        f.debug_struct("Presigned")
            .field("method", &self.method)
            .field("url", &format_args!("{url}?..."))
            .field("headers", &names)
            .field("expires_at", &self.expires_at)
            .finish()
    }
}

/// An operation's request: everything but endpoint, credentials and signature.
#[derive(Debug)]
pub struct Request {
    /// The HTTP method.
    pub method: Method,
    /// The bucket; `None` for the operations of the whole service.
    pub bucket: Option<String>,
    /// The key, byte for byte.
    pub key: Option<String>,
    /// Query parameters, not encoded; a sub-resource such as `?tagging` has no value.
    pub query: Vec<(Cow<'static, str>, Option<String>)>,
    /// Headers, without those that signing and sending add.
    pub headers: HeaderMap,
    /// The body.
    pub body: Body,
    /// Which checksum goes with the body.
    pub checksum: ChecksumPolicy,
    /// What a success is answered with.
    pub success: Success,
    /// Whether S3 says that a 409 ConditionalRequestConflict is to be tried again as it stands.
    pub retry_conflict: bool,
    /// The conditions in the body, as DeleteObjects' may have. Those in headers are seen there.
    pub body_conditions: Conditions,
}

/// What a success is answered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Success {
    /// What an object holds: handed over as it came, whatever it reads like.
    Verbatim,
    /// Headers alone, or anything that is neither S3's `<Error>` nor a web page.
    #[default]
    Other,
    /// An XML document. The server may take long before its first byte, as when it walks through millions of keys.
    Document,
    /// One that S3 begins before it knows how it ends, as when it copies or assembles gigabytes: what ends before the document
    /// does is no answer.
    DocumentBegunEarly,
}

/// Which checksum goes with a request's body.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum ChecksumPolicy {
    /// The operation takes none.
    #[default]
    None,
    /// The client's default for data.
    Default,
    /// S3 insists on one: the client's default, or CRC64NVME where that is none; or `Content-MD5`, see
    /// [`ContentMd5`](crate::provider::ContentMd5).
    Required,
    /// None, by the caller's choice.
    Off,
    /// This algorithm.
    Algorithm(ChecksumAlgorithm),
    /// This algorithm, computed of a file's bytes as they go out, so that they are read once: it follows them where the
    /// provider takes that, and is compared with the answer's everywhere. Of bytes in memory it is a header, as ever.
    WhileSending(ChecksumAlgorithm),
    /// This value, computed by the caller.
    Value(Checksum),
    /// No body: the client's default algorithm is announced for the parts to come.
    Announce,
}

/// Beside an answer, in its [extensions](http::Extensions): the checksum of the bytes that were sent, where the request
/// had it computed by [`ChecksumPolicy::WhileSending`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SentChecksum(pub Checksum);

impl Request {
    /// A request to the service itself.
    pub fn service(method: Method) -> Self {
        Self {
            method,
            bucket: None,
            key: None,
            query: Vec::new(),
            headers: HeaderMap::new(),
            body: Body::empty(),
            checksum: ChecksumPolicy::None,
            success: Success::Other,
            retry_conflict: false,
            body_conditions: Conditions::NONE,
        }
    }

    /// A request to a bucket.
    ///
    /// # Errors
    /// A name that no bucket can have.
    pub fn bucket(method: Method, bucket: &str) -> Result<Self, Error> {
        name::check_bucket(bucket)?;
        Ok(Self { bucket: Some(bucket.to_owned()), ..Self::service(method) })
    }

    /// A request to an object.
    ///
    /// # Errors
    /// A name that no bucket can have; a key that is empty or longer than 1,024 bytes.
    pub fn object(method: Method, bucket: &str, key: &str) -> Result<Self, Error> {
        let request = Self::bucket(method, bucket)?;
        name::check_key(key).map_err(|error| error.in_place(Some(bucket), None))?;
        Ok(Self { key: Some(key.to_owned()), ..request })
    }

    /// Adds a query parameter.
    pub fn query(&mut self, name: &'static str, value: impl Into<String>) {
        self.query.push((Cow::Borrowed(name), Some(value.into())));
    }

    /// Adds a query parameter where there is a value.
    pub fn query_opt(&mut self, name: &'static str, value: Option<impl Into<String>>) {
        if let Some(value) = value {
            self.query(name, value);
        }
    }

    /// Adds a sub-resource, such as `?tagging`.
    pub fn subresource(&mut self, name: &'static str) {
        self.query.push((Cow::Borrowed(name), None));
    }

    /// Sets a header.
    ///
    /// # Errors
    /// A value that no header can hold: control characters, or characters outside ASCII.
    pub fn header(&mut self, name: &'static str, value: &str) -> Result<(), Error> {
        let value = header_value(name, value).map_err(|error| self.place(error))?;
        self.headers.insert(HeaderName::from_static(name), value);
        Ok(())
    }

    /// Sets the content type that follows from the body, if one does.
    pub(crate) fn implied_content_type(&mut self) -> Result<(), Error> {
        if let Some(implied) = self.body.content_type_header() {
            self.headers.insert(header::CONTENT_TYPE, implied.map_err(|error| self.place(error))?);
        }
        Ok(())
    }

    /// Says which bucket and key an error of this request is about.
    pub(crate) fn place(&self, error: Error) -> Error {
        error.in_place(self.bucket.as_deref(), self.key.as_deref())
    }

    /// The two settings that nearly every operation has: who pays, and whose bucket it must be.
    pub(crate) fn payer_and_owner(&mut self, payer: bool, owner: Option<&str>) -> Result<(), Error> {
        self.header_opt("x-amz-request-payer", payer.then_some("requester"))?;
        self.header_opt("x-amz-expected-bucket-owner", owner)
    }

    /// Sets a header where there is a value.
    ///
    /// # Errors
    /// As [`Request::header`].
    pub fn header_opt(&mut self, name: &'static str, value: Option<impl AsRef<str>>) -> Result<(), Error> {
        match value {
            Some(value) => self.header(name, value.as_ref()),
            None => Ok(()),
        }
    }
}

/// A header's value, or the one line that says why it cannot be one.
pub(crate) fn header_value(name: &str, value: &str) -> Result<HeaderValue, Error> {
    if !value.is_ascii() {
        return Err(Error::invalid_input(format!("{name}: a header's value must be ASCII")));
    }
    HeaderValue::from_str(value)
        .map_err(|_| Error::invalid_input(format!("{name}: a header's value must not contain control characters")))
}
