//! Where the requests to one bucket go, and what they are signed for.

use std::borrow::Cow;

use http::{HeaderValue, Uri};

use super::express;
use crate::Error;
use crate::operation::Request;
use crate::sigv4::{Scope, uri_encode};

/// What the rules made of an endpoint and a bucket: the one thing that URIs are made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Scheme, host and path down to the bucket, without a slash at the end.
    pub(super) base: String,
    pub(super) host: Option<HeaderValue>,
    /// Whether the bare target needs a slash: it is a host, or the service.
    pub(super) slash: bool,
    pub(super) region: String,
    pub(super) service: &'static str,
    pub(super) sessions: bool,
}

impl Target {
    /// Scheme, host and path down to the bucket, percent-encoded and without a slash at the end.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The `Host` header that its requests are sent with; `None` where the base has no host.
    pub fn host(&self) -> Option<&HeaderValue> {
        self.host.as_ref()
    }

    /// What a signature must be good for.
    pub fn scope(&self) -> Scope<'_> {
        Scope { service: self.service, ..Scope::s3(&self.region) }
    }

    /// Whether `request` is signed with the keys of a session (CreateSession), as most are on a directory bucket.
    pub fn wants_session(&self, request: &Request) -> bool {
        self.sessions && express::uses_session(request)
    }

    /// The URI of the bucket (or the service) or of an object, with its query.
    ///
    /// The key is percent-encoded byte by byte and otherwise left alone: `a/../b` and `a//b` stay.
    ///
    /// # Errors
    /// A URI over 65,534 bytes.
    pub fn uri(&self, key: Option<&str>, query: &[(Cow<'static, str>, Option<String>)]) -> Result<Uri, Error> {
        let mut text = String::with_capacity(self.base.len() + key.map_or(0, str::len) + 64);
        text.push_str(&self.base);
        if let Some(key) = key {
            text.push('/');
            uri_encode::path(key, &mut text);
        } else if self.slash {
            text.push('/');
        }
        let mut separator = '?';
        for (name, value) in query {
            text.push(separator);
            uri_encode::query(name, &mut text);
            if let Some(value) = value {
                text.push('=');
                uri_encode::query(value, &mut text);
            }
            separator = '&';
        }
        Uri::try_from(text).map_err(|error| Error::invalid_input(format!("the request makes no valid URI: {error}")))
    }
}
