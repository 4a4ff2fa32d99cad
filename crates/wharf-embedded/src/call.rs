//! One admitted request on its way through an operation, and the answers operations give.

use std::fmt::Display;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{HeaderMap, Response, StatusCode};
use wharf_transport::Body;

use crate::access::Rules;
use crate::account::Account;
use crate::backend::{Backend, Found};
use crate::checksum::Checksum;
use crate::error::{Code, Error, Result, invalid_argument};
use crate::faults::Habits;
use crate::front::Incoming;
use crate::query::Query;
use crate::store::Shared;
use crate::target::Target;
use crate::xml;

/// An answer.
pub(crate) type Reply = Response<Body>;

/// An admitted request.
pub(crate) struct Call {
    pub(crate) shared: Arc<Shared>,
    pub(crate) account: Account,
    pub(crate) target: Target,
    pub(crate) query: Query,
    pub(crate) headers: HeaderMap,
    /// The body, for the operations that store it.
    pub(crate) body: Incoming,
    /// The body, for all others.
    pub(crate) document: Bytes,
    pub(crate) now: SystemTime,
    /// What a fault has it leave undone.
    pub(crate) habits: Habits,
    /// Who is at the other end of the connection, if there is one.
    pub(crate) peer: Option<Peer>,
    /// The rules of the bucket, for the operations that are about one.
    pub(crate) rules: Option<Rules>,
    /// The object that the caller was admitted to, for the operations that read or change one.
    pub(crate) found: Option<Found>,
}

/// The other end of a connection. A server puts it into its requests' extensions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer {
    pub(crate) ip: IpAddr,
    /// Whether the connection is encrypted.
    pub(crate) secure: bool,
}

impl Call {
    pub(crate) fn backend(&self) -> &dyn Backend {
        &*self.shared.backend
    }

    pub(crate) fn bucket(&self) -> &str {
        &self.target.bucket
    }

    pub(crate) fn key(&self) -> &str {
        &self.target.key
    }

    /// The URL of the object, at the host and in the style that the request used.
    pub(crate) fn location(&self) -> String {
        let secure = self.peer.is_some_and(|peer| peer.secure);
        self.target.url(secure, self.header("host").unwrap_or_default())
    }

    /// The checksum to keep with an object.
    pub(crate) fn keeps(&self, checksum: Checksum) -> Option<Checksum> {
        (!self.habits.forget_checksums).then_some(checksum)
    }

    /// A header that is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// A header that says true.
    pub(crate) fn flag(&self, name: &str) -> bool {
        self.header(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// The version asked for.
    pub(crate) fn version(&self) -> Result<Option<&str>> {
        match self.query.get("versionId") {
            Some("") => Err(invalid_argument("Version id cannot be the empty string", "versionId", "")),
            other => Ok(other),
        }
    }

    /// The part number asked for.
    pub(crate) fn part_number(&self) -> Result<Option<u16>> {
        let Some(text) = self.query.get("partNumber") else { return Ok(None) };
        match text.parse() {
            Ok(number @ 1..=10_000) => Ok(Some(number)),
            _ => Err(invalid_argument(
                "Part number must be an integer between 1 and 10000, inclusive",
                "partNumber",
                text,
            )),
        }
    }

    /// The bucket's rules, and the bucket itself in them.
    pub(crate) fn rules(&self) -> Result<&Rules> {
        self.rules.as_ref().ok_or_else(|| Code::NoSuchBucket.into())
    }

    /// The object that the caller was admitted to.
    pub(crate) fn found(&self) -> Result<&Found> {
        self.found.as_ref().ok_or_else(|| Error::from(Code::NoSuchKey).detail("Key", self.key()))
    }
}

/// An answer without a body.
pub(crate) fn empty(status: StatusCode) -> Reply {
    let mut reply = Response::new(Body::empty());
    *reply.status_mut() = status;
    reply
}

/// An answer that is a document.
pub(crate) fn document(writer: xml::Writer) -> Reply {
    let mut reply = Response::new(Body::from(Bytes::from(writer.finish())));
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    reply
}

/// Sets a header. What no header can hold is left out.
pub(crate) fn set(headers: &mut HeaderMap, name: &'static str, value: impl Display) {
    if let Ok(value) = HeaderValue::try_from(value.to_string()) {
        headers.insert(HeaderName::from_static(name), value);
    }
}

pub(crate) fn set_etag(headers: &mut HeaderMap, etag: &str) {
    set(headers, "etag", format_args!("\"{etag}\""));
}

/// An error as the document S3 makes of it.
pub(crate) fn refusal(error: &Error, resource: &str, request_id: &str, host_id: &str) -> Reply {
    let mut reply = empty(error.status());
    for (name, value) in error.headers() {
        set(reply.headers_mut(), name, value);
    }
    if error.status() == StatusCode::NOT_MODIFIED {
        return reply;
    }
    let mut xml = xml::Writer::bare("Error");
    xml.text("Code", error.code().name());
    xml.text("Message", error.message());
    for (name, value) in error.details() {
        xml.text(name, value);
    }
    xml.text("Resource", resource);
    xml.text("RequestId", request_id);
    xml.text("HostId", host_id);
    *reply.body_mut() = Body::from(Bytes::from(xml.finish()));
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    reply
}
