//! What PutObject, CopyObject and CreateMultipartUpload have in common: everything about a new object but its bytes.

mod shown;

use std::time::SystemTime;

use crate::metadata::{self, Metadata};
use crate::operation::Request;
use crate::storage::{CannedAcl, Grantee, ObjectLockMode, StorageClass, Tag, tagging_header};
use crate::{CustomerKey, Encryption, Error, time};

/// How long an object version stays locked once its event hold is taken off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EventHoldDuration {
    /// Days, 1 to 36,500.
    Days(u32),
    /// Years, 1 to 100.
    Years(u32),
}

/// Everything that can be said about an object that is about to be written.
#[derive(Debug, Clone, Default)]
pub(crate) struct NewObject {
    pub(crate) acl: Option<CannedAcl>,
    pub(crate) grant_full_control: Vec<Grantee>,
    pub(crate) grant_read: Vec<Grantee>,
    pub(crate) grant_read_acp: Vec<Grantee>,
    pub(crate) grant_write_acp: Vec<Grantee>,
    pub(crate) cache_control: Option<String>,
    pub(crate) content_disposition: Option<String>,
    pub(crate) content_encoding: Option<String>,
    pub(crate) content_language: Option<String>,
    pub(crate) content_type: Option<String>,
    pub(crate) expires: Option<SystemTime>,
    /// The same as another object has it: it need not be a date.
    pub(crate) stored_expires: Option<String>,
    pub(crate) metadata: Metadata,
    pub(crate) storage_class: Option<StorageClass>,
    pub(crate) tags: Vec<Tag>,
    pub(crate) encryption: Option<Encryption>,
    pub(crate) object_lock: Option<(ObjectLockMode, SystemTime)>,
    pub(crate) legal_hold: Option<bool>,
    pub(crate) event_hold: Option<bool>,
    pub(crate) event_hold_duration: Option<EventHoldDuration>,
    pub(crate) website_redirect_location: Option<String>,
}

impl NewObject {
    /// Adds a metadata entry. Names differ in more than case, so that of two only the later is kept.
    pub(crate) fn add_metadata(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.metadata.insert(name.into().to_ascii_lowercase(), value.into());
    }

    /// The key that it is encrypted with (SSE-C).
    pub(crate) fn customer_key(&self) -> Option<CustomerKey> {
        match &self.encryption {
            Some(Encryption::Customer(key)) => Some(key.clone()),
            _ => None,
        }
    }

    /// Whether any of what `x-amz-metadata-directive` is about has been set: metadata and the headers stored with it.
    pub(crate) fn has_metadata(&self) -> bool {
        let headers = [
            &self.cache_control,
            &self.content_disposition,
            &self.content_encoding,
            &self.content_language,
            &self.content_type,
        ];
        headers.iter().any(|header| header.is_some()) || self.expires.is_some() || !self.metadata.is_empty()
    }

    /// Puts all that has been set into the request's headers.
    pub(crate) fn apply(&self, request: &mut Request) -> Result<(), Error> {
        request.header_opt("x-amz-acl", self.acl.map(CannedAcl::as_str))?;
        request.header_opt("x-amz-grant-full-control", grantees(&self.grant_full_control))?;
        request.header_opt("x-amz-grant-read", grantees(&self.grant_read))?;
        request.header_opt("x-amz-grant-read-acp", grantees(&self.grant_read_acp))?;
        request.header_opt("x-amz-grant-write-acp", grantees(&self.grant_write_acp))?;
        request.header_opt("cache-control", self.cache_control.as_deref())?;
        request.header_opt("content-disposition", self.content_disposition.as_deref())?;
        request.header_opt("content-encoding", self.content_encoding.as_deref())?;
        request.header_opt("content-language", self.content_language.as_deref())?;
        request.header_opt("content-type", self.content_type.as_deref())?;
        let expires = self.expires.map(time::format_http_date).transpose()?;
        request.header_opt("expires", expires.as_ref().or(self.stored_expires.as_ref()))?;
        metadata::apply(&self.metadata, request).map_err(|error| request.place(error))?;
        request.header_opt("x-amz-storage-class", self.storage_class.as_ref().map(StorageClass::as_str))?;
        request.header_opt("x-amz-tagging", (!self.tags.is_empty()).then(|| tagging_header(&self.tags)))?;
        if let Some(encryption) = &self.encryption {
            encryption.apply(request)?;
        }
        if let Some((mode, until)) = self.object_lock {
            request.header("x-amz-object-lock-mode", mode.as_str())?;
            request.header("x-amz-object-lock-retain-until-date", &time::format_iso8601(until)?)?;
        }
        request.header_opt("x-amz-object-lock-legal-hold", self.legal_hold.map(on_or_off))?;
        request.header_opt("x-amz-object-lock-event-hold", self.event_hold.map(on_or_off))?;
        match self.event_hold_duration {
            None => {}
            Some(EventHoldDuration::Days(days)) => {
                request.header("x-amz-object-lock-event-hold-duration-days", &days.to_string())?;
            }
            Some(EventHoldDuration::Years(years)) => {
                request.header("x-amz-object-lock-event-hold-duration-years", &years.to_string())?;
            }
        }
        request.header_opt("x-amz-website-redirect-location", self.website_redirect_location.as_deref())
    }
}

fn grantees(grantees: &[Grantee]) -> Option<String> {
    let texts = || grantees.iter().map(Grantee::to_string).collect::<Vec<_>>();
    (!grantees.is_empty()).then(|| texts().join(", "))
}

fn on_or_off(on: bool) -> &'static str {
    if on { "ON" } else { "OFF" }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::time::Duration;

    use http::{HeaderMap, Method};

    use super::*;

    pub(crate) fn time() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_792_567_680)
    }

    /// The headers of `EVERYTHING` as an operation with every setter called must have them.
    pub(crate) const EVERYTHING: [(&str, &str); 22] = [
        ("x-amz-acl", "public-read"),
        ("x-amz-grant-full-control", "id=\"1\""),
        ("x-amz-grant-read", "id=\"1\", uri=\"u\""),
        ("x-amz-grant-read-acp", "id=\"2\""),
        ("x-amz-grant-write-acp", "emailAddress=\"a@b.c\""),
        ("cache-control", "no-store"),
        ("content-disposition", "attachment"),
        ("content-encoding", "gzip"),
        ("content-language", "de"),
        ("content-type", "text/csv"),
        ("expires", "Wed, 21 Oct 2026 07:28:00 GMT"),
        ("x-amz-meta-team", "blue"),
        ("x-amz-storage-class", "GLACIER_IR"),
        ("x-amz-tagging", "k%201=a%2Fb&k2="),
        ("x-amz-server-side-encryption", "aws:kms"),
        ("x-amz-server-side-encryption-aws-kms-key-id", "key"),
        ("x-amz-object-lock-mode", "GOVERNANCE"),
        ("x-amz-object-lock-retain-until-date", "2026-10-21T07:28:00Z"),
        ("x-amz-object-lock-legal-hold", "ON"),
        ("x-amz-object-lock-event-hold", "OFF"),
        ("x-amz-object-lock-event-hold-duration-days", "30"),
        ("x-amz-website-redirect-location", "/other"),
    ];

    pub(crate) fn assert_everything(headers: &HeaderMap) {
        for (name, value) in EVERYTHING {
            assert_eq!(headers[name], value, "{name}");
        }
    }

    #[test]
    fn nothing_set_is_nothing_sent() {
        let mut request = Request::service(Method::PUT);
        NewObject::default().apply(&mut request).unwrap();
        assert!(request.headers.is_empty());
    }

    #[test]
    fn a_hold_may_last_years() {
        let mut request = Request::service(Method::PUT);
        let object = NewObject { event_hold_duration: Some(EventHoldDuration::Years(7)), ..NewObject::default() };
        object.apply(&mut request).unwrap();
        assert_eq!(request.headers["x-amz-object-lock-event-hold-duration-years"], "7");
    }

    #[test]
    fn each_stored_header_counts_as_metadata() {
        let some = Some("x".to_owned());
        let none = NewObject { acl: Some(CannedAcl::Private), tags: vec![("a", "b").into()], ..NewObject::default() };
        assert!(!none.has_metadata());
        for object in [
            NewObject { cache_control: some.clone(), ..NewObject::default() },
            NewObject { content_type: some.clone(), ..NewObject::default() },
            NewObject { expires: Some(time()), ..NewObject::default() },
            NewObject { metadata: Metadata::from([("a".to_owned(), String::new())]), ..NewObject::default() },
        ] {
            assert!(object.has_metadata(), "{object:?}");
        }
    }
}
