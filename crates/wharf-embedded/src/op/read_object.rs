//! GetObject and HeadObject: the same answer, with and without its body.

use std::ops::Range;

use http::header::{HeaderName, HeaderValue};
use http::{HeaderMap, StatusCode};
use wharf_transport::Body;

use crate::backend::{Found, Object, Version};
use crate::call::{Call, Reply, empty, set, set_etag};
use crate::condition::check_read;
use crate::error::{Code, Error, Result, invalid_argument};
use crate::kept;
use crate::range;
use crate::time::http_date;

/// The query parameters that replace headers of the answer.
const OVERRIDES: [(&str, &str); 6] = [
    ("response-content-type", "content-type"),
    ("response-content-language", "content-language"),
    ("response-expires", "expires"),
    ("response-cache-control", "cache-control"),
    ("response-content-disposition", "content-disposition"),
    ("response-content-encoding", "content-encoding"),
];

pub(super) async fn run(call: Call, with_body: bool) -> Result<Reply> {
    let found = call.found()?;
    let object = readable(&call, found)?;
    let customer = kept::customer_key(&call.headers, "x-amz-server-side-encryption-customer")?;
    kept::check_customer_key(customer.as_deref(), object.customer_key.as_deref())?;
    let mut headers = describe(found, object);
    if let Err(error) = check_read(&call.headers, "", object, found.version.modified, call.now) {
        // "Not modified" still says what it is that did not change.
        return if error.code() == Code::NotModified { Ok(not_modified(headers)) } else { Err(error) };
    }
    if with_body && matches!(object.storage_class(), "GLACIER" | "DEEP_ARCHIVE") {
        return Err(Error::from(Code::InvalidObjectState).detail("StorageClass", object.storage_class()));
    }
    let cut = Cut::of(&call, object)?;
    if call.header("x-amz-checksum-mode").is_some_and(|mode| mode.eq_ignore_ascii_case("enabled")) {
        checksum(object, &cut, &mut headers);
    }
    for (parameter, name) in OVERRIDES {
        if let Some(value) = call.query.get(parameter) {
            if call.account.is_anonymous() {
                let message = "Request specific response headers cannot be used for anonymous GET requests.";
                return Err(Error::new(Code::InvalidRequest, message));
            }
            let value = HeaderValue::from_str(value)
                .map_err(|_| invalid_argument("Header value cannot be represented", parameter, value))?;
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    let mut reply = empty(if cut.partial { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK });
    if cut.partial {
        let Range { start, end } = cut.range;
        set(&mut headers, "content-range", format_args!("bytes {start}-{}/{}", end.saturating_sub(1), object.size()));
    }
    if cut.part.is_some() && !object.parts.is_empty() {
        set(&mut headers, "x-amz-mp-parts-count", object.parts.len());
    }
    set(&mut headers, "content-length", cut.range.end - cut.range.start);
    *reply.headers_mut() = headers;
    if with_body {
        *reply.body_mut() = if cut.range.is_empty() { Body::empty() } else { object.blob.read(cut.range) };
    }
    Ok(reply)
}

/// The object of a version, unless it is a delete marker.
pub(super) fn readable<'a>(call: &Call, found: &'a Found) -> Result<&'a Object> {
    if let Some(object) = &found.version.object {
        return Ok(object);
    }
    let by_id = call.query.has("versionId");
    let error = if by_id {
        Error::from(Code::MethodNotAllowed)
            .detail("Method", "GET")
            .detail("ResourceType", "DeleteMarker")
            .header("allow", "DELETE")
            .header("last-modified", http_date(found.version.modified))
    } else {
        Error::from(Code::NoSuchKey).detail("Key", call.key())
    };
    Err(error.header("x-amz-delete-marker", "true").header("x-amz-version-id", &found.version.id))
}

fn describe(found: &Found, object: &Object) -> HeaderMap {
    let Version { id, modified, .. } = &*found.version;
    let mut headers = object.headers.clone();
    headers.remove(kept::KMS_CONTEXT);
    if !headers.contains_key("content-type") {
        headers.insert("content-type", HeaderValue::from_static("binary/octet-stream"));
    }
    set(&mut headers, "last-modified", http_date(*modified));
    set_etag(&mut headers, &object.etag);
    set(&mut headers, "accept-ranges", "bytes");
    if found.versioned {
        set(&mut headers, "x-amz-version-id", id);
    }
    if !object.tags.is_empty() {
        set(&mut headers, "x-amz-tagging-count", object.tags.len());
    }
    kept::lock_headers(object, &mut headers);
    headers
}

fn not_modified(mut headers: HeaderMap) -> Reply {
    for name in ["content-type", "content-encoding"] {
        headers.remove(name);
    }
    let mut reply = empty(StatusCode::NOT_MODIFIED);
    *reply.headers_mut() = headers;
    reply
}

/// Which bytes are asked for.
struct Cut {
    range: Range<u64>,
    partial: bool,
    /// The index of the part asked for.
    part: Option<usize>,
}

impl Cut {
    fn of(call: &Call, object: &Object) -> Result<Self> {
        let size = object.size();
        let whole = Self { range: 0..size, partial: false, part: None };
        let Some(number) = call.part_number()? else {
            let range = match call.header("range") {
                Some(text) => range::of_header(text, size)?,
                None => None,
            };
            return Ok(match range {
                Some(range) => Self { range, partial: true, part: None },
                None => whole,
            });
        };
        if call.headers.contains_key("range") {
            return Err(Error::new(
                Code::InvalidRequest,
                "Cannot specify both Range header and partNumber query parameter",
            ));
        }
        if object.parts.is_empty() && number == 1 {
            return Ok(Self { partial: size > 0, part: Some(0), ..whole });
        }
        // Parts are counted by their place, which is their number unless numbers were left out.
        let at = usize::from(number) - 1;
        let Some(part) = object.parts.get(at) else {
            return Err(Error::from(Code::InvalidPartNumber)
                .detail("PartNumberRequested", number.to_string())
                .detail("ActualPartCount", object.parts.len().max(1).to_string()));
        };
        let start = object.parts[..at].iter().map(|part| part.blob.len()).sum();
        let range = start..start + part.blob.len();
        Ok(Self { partial: !range.is_empty(), range, part: Some(at) })
    }
}

/// Adds the checksum of what is sent: of the whole, or of one part. There is none for other ranges.
fn checksum(object: &Object, cut: &Cut, headers: &mut HeaderMap) {
    let part = cut.part.and_then(|at| object.parts.get(at));
    let checksum = match (part, cut.partial && cut.part.is_none()) {
        (Some(part), _) => part.checksum.as_ref(),
        (None, true) => None,
        (None, false) => object.checksum.as_ref(),
    };
    if let Some(checksum) = checksum {
        set(headers, checksum.kind.algorithm.header(), &checksum.value);
        let kind = object.checksum.as_ref().map_or(checksum.kind, |whole| whole.kind);
        set(headers, "x-amz-checksum-type", kind.type_name());
    }
}
