//! What S3 would answer.

use std::fmt::Write;
use std::ops::Range;

use memchr::memmem;
use wire::header;

use crate::conversation::Carried;
use crate::request::Request;
use crate::state::{State, Sums};

pub struct Answer {
    pub head: String,
    pub body: String,
    /// In place of a body: this much of an object.
    pub range: Option<Range<u64>>,
}

/// What S3 says in front of every answer.
const COMMON: &str = "x-amz-id-2: eftixk72aD6Ap51TnqcoF8eFidJG9Z/2mkiDFu8yU9AS1ed4OpIszj7UDNEHGran\r\n\
    x-amz-request-id: 318BC8BC148832E5\r\nDate: Wed, 25 Nov 2026 22:32:00 GMT\r\nServer: AmazonS3\r\n";

const ETAG: &str = "\"9bb58f26192e4ba00f01e2e7b136bbd8-128\"";

/// The parts of which objects were made, for who asks by number.
const PART: u64 = 8 * job::MIB;

/// The algorithms whose checksum is given back when a client sent it.
const ALGORITHMS: [(&str, &str); 5] = [
    ("x-amz-checksum-crc64nvme", "CRC64NVME"),
    ("x-amz-checksum-crc32c", "CRC32C"),
    ("x-amz-checksum-crc32", "CRC32"),
    ("x-amz-checksum-sha1", "SHA1"),
    ("x-amz-checksum-sha256", "SHA256"),
];

pub fn to(request: &Request<'_>, body: &Carried, state: &State) -> Answer {
    if request.bucket == "reset" {
        let Sums { objects, bytes, sent, listed, requests, lists, heads } = state.reset();
        return document(200, "", format!("{objects} {bytes} {sent} {listed} {requests} {lists} {heads}\n"));
    }
    state.count_request(request.method == "HEAD");
    let upload = request.parameter("uploadId");
    match (request.method, upload) {
        ("GET", _) if request.bucket.is_empty() => document(200, "", buckets()),
        ("GET", None) if request.key.is_empty() => of_bucket(request, state),
        ("GET", Some(upload)) => list_parts(&upload, state),
        ("GET", None) => read(request, state, false),
        ("HEAD", _) if request.key.is_empty() => document(200, "x-amz-bucket-region: us-east-1\r\n", String::new()),
        ("HEAD", _) => read(request, state, true),
        ("PUT", _) if request.key.is_empty() => document(200, "Location: /bench\r\n", String::new()),
        ("PUT", upload) => put(request, upload.as_deref(), body, state),
        ("POST", None) if request.parameter("uploads").is_some() => create(request, state),
        ("POST", Some(upload)) => complete(request, &upload, state),
        ("POST", None) if request.parameter("delete").is_some() => delete(body, state),
        ("DELETE", Some(upload)) => {
            state.end_upload(&upload);
            empty(204)
        }
        ("DELETE", None) => {
            state.delete(&request.key);
            empty(204)
        }
        _ => error(405, "MethodNotAllowed", "the sink does not know this"),
    }
}

fn of_bucket(request: &Request<'_>, state: &State) -> Answer {
    if request.parameter("location").is_some() {
        let empty = "<LocationConstraint xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"/>";
        return document(200, "", empty.to_owned());
    }
    if request.parameter("versioning").is_some() {
        return document(200, "", "<VersioningConfiguration/>".to_owned());
    }
    if request.parameter("list-type").as_deref() != Some("2") {
        return error(501, "NotImplemented", "the sink lists by ListObjectsV2 alone");
    }
    let (page, count) = state.listing.page(request);
    state.count_listed(count);
    document(200, "", page)
}

fn read(request: &Request<'_>, state: &State, is_head: bool) -> Answer {
    let Some(length) = state.length(&request.key) else {
        return match is_head {
            true => empty(404),
            false => error(404, "NoSuchKey", "The specified key does not exist."),
        };
    };
    let part = request.parameter("partNumber").and_then(|number| number.parse::<u64>().ok());
    let range = match part {
        Some(number) => Some((number.saturating_sub(1) * PART).min(length)..(number * PART).min(length)),
        None => request.range(length),
    };
    if range.as_ref().is_some_and(|range| range.start >= range.end && length > 0) {
        return error(416, "InvalidRange", "The requested range is not satisfiable");
    }
    let mut headers = format!(
        "Last-Modified: Sun, 22 Nov 2026 01:02:03 GMT\r\nETag: {ETAG}\r\nAccept-Ranges: bytes\r\n\
         x-amz-server-side-encryption: AES256\r\nContent-Type: application/octet-stream\r\n"
    );
    if part.is_some() && length > PART {
        let _ = write!(headers, "x-amz-mp-parts-count: {}\r\n", length.div_ceil(PART));
    }
    // S3 has no checksum for a range.
    let wants_checksum =
        request.header("x-amz-checksum-mode").is_some_and(|value| value.eq_ignore_ascii_case("enabled"));
    if wants_checksum && range.is_none() {
        let checksum = state.content.checksum(length);
        let _ = write!(headers, "x-amz-checksum-crc64nvme: {checksum}\r\nx-amz-checksum-type: FULL_OBJECT\r\n");
    }
    let (status, range) = match range {
        Some(range) => {
            let _ =
                write!(headers, "Content-Range: bytes {}-{}/{length}\r\n", range.start, range.end.saturating_sub(1));
            (206, range)
        }
        None => (200, 0..length),
    };
    let head = head(status, &headers, range.end - range.start);
    if !is_head {
        state.count_sent(range.end - range.start);
    }
    Answer { head, body: String::new(), range: (!is_head).then_some(range) }
}

fn put(request: &Request<'_>, upload: Option<&str>, body: &Carried, state: &State) -> Answer {
    let decoded = request.header("x-amz-decoded-content-length").and_then(|value| value.parse().ok());
    let length = decoded.unwrap_or(body.length);
    if body.length < length {
        return error(400, "IncompleteBody", "fewer bytes came than were announced");
    }
    let known = state.content.checksum(length);
    let mut headers = format!("ETag: {ETAG}\r\nx-amz-server-side-encryption: AES256\r\n");
    let sent = ALGORITHMS.iter().find_map(|(name, _)| {
        let sent = request.header(name).map(str::to_owned).or_else(|| trailer(&body.tail, name))?;
        Some((*name, sent))
    });
    // Where the client sends none, S3 computes this one.
    let (name, value) = sent.unwrap_or((ALGORITHMS[0].0, known.clone()));
    if name == ALGORITHMS[0].0 && value != known {
        return error(400, "BadDigest", "The CRC64NVME you specified did not match the calculated checksum.");
    }
    let _ = write!(headers, "{name}: {value}\r\n");
    match upload {
        Some(upload) => {
            let number = request.parameter("partNumber").and_then(|number| number.parse().ok()).unwrap_or(0);
            if !state.add_part(upload, number, length) {
                return error(404, "NoSuchUpload", "The specified upload does not exist.");
            }
        }
        None => {
            headers.push_str("x-amz-checksum-type: FULL_OBJECT\r\n");
            state.put(&request.key, length);
        }
    }
    Answer { head: head(200, &headers, 0), body: String::new(), range: None }
}

/// A trailer of an `aws-chunked` body.
fn trailer(tail: &[u8], name: &str) -> Option<String> {
    let at = memmem::rfind(tail, b"\r\n0")?;
    header(&tail[at + 2..], name).map(str::to_owned)
}

fn create(request: &Request<'_>, state: &State) -> Answer {
    let id = state.create_upload();
    let mut headers = String::new();
    for name in ["x-amz-checksum-algorithm", "x-amz-checksum-type"] {
        if let Some(value) = request.header(name) {
            let _ = write!(headers, "{name}: {value}\r\n");
        }
    }
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<InitiateMultipartUploadResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
         <Bucket>{}</Bucket><Key>{}</Key><UploadId>{id}</UploadId></InitiateMultipartUploadResult>",
        request.bucket, request.key
    );
    document(200, &headers, body)
}

fn complete(request: &Request<'_>, upload: &str, state: &State) -> Answer {
    let Some(parts) = state.end_upload(upload) else {
        return error(404, "NoSuchUpload", "The specified upload does not exist.");
    };
    let length = parts.values().sum();
    let known = state.content.checksum(length);
    // Parts of whole blocks alone make an object whose checksum is known.
    let is_known = parts.values().rev().skip(1).all(|length| length % job::BLOCK as u64 == 0);
    if is_known && request.header("x-amz-checksum-crc64nvme").is_some_and(|sent| sent != known) {
        return error(400, "BadDigest", "The CRC64NVME you specified did not match the calculated checksum.");
    }
    state.put(&request.key, length);
    let checksum = request.header("x-amz-checksum-crc64nvme").unwrap_or(&known);
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<CompleteMultipartUploadResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
         <Location>/{0}/{1}</Location><Bucket>{0}</Bucket><Key>{1}</Key><ETag>{2}</ETag>\
         <ChecksumCRC64NVME>{checksum}</ChecksumCRC64NVME><ChecksumType>FULL_OBJECT</ChecksumType></CompleteMultipartUploadResult>",
        request.bucket,
        request.key,
        ETAG.replace('"', "&quot;"),
    );
    document(200, "", body)
}

fn list_parts(upload: &str, state: &State) -> Answer {
    let Some(parts) = state.parts(upload) else {
        return error(404, "NoSuchUpload", "The specified upload does not exist.");
    };
    let mut items = String::new();
    for (number, length) in parts {
        let _ = write!(
            items,
            "<Part><PartNumber>{number}</PartNumber><LastModified>2026-11-25T17:50:30.000Z</LastModified>\
             <ETag>{}</ETag><Size>{length}</Size><ChecksumCRC64NVME>{}</ChecksumCRC64NVME></Part>",
            ETAG.replace('"', "&quot;"),
            state.content.checksum(length),
        );
    }
    document(
        200,
        "",
        format!(
            "<ListPartsResult><UploadId>{upload}</UploadId><IsTruncated>false</IsTruncated>{items}</ListPartsResult>"
        ),
    )
}

fn delete(body: &Carried, state: &State) -> Answer {
    let text = String::from_utf8_lossy(&body.tail);
    let is_quiet = text.contains("<Quiet>true</Quiet>");
    let mut items = String::new();
    for key in text.split("<Key>").skip(1).filter_map(|rest| rest.split("</Key>").next()) {
        state.delete(key);
        if !is_quiet {
            let _ = write!(items, "<Deleted><Key>{key}</Key></Deleted>");
        }
    }
    document(200, "", format!("<DeleteResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{items}</DeleteResult>"))
}

fn buckets() -> String {
    format!(
        "<ListAllMyBucketsResult><Owner><ID>1</ID></Owner><Buckets><Bucket><Name>{}</Name>\
         <CreationDate>2026-11-01T00:00:00.000Z</CreationDate></Bucket></Buckets></ListAllMyBucketsResult>",
        job::BUCKET
    )
}

fn error(status: u16, code: &str, message: &str) -> Answer {
    let body = format!(
        "<Error><Code>{code}</Code><Message>{message}</Message><RequestId>318BC8BC148832E5</RequestId></Error>"
    );
    document(status, "", body)
}

fn document(status: u16, headers: &str, body: String) -> Answer {
    let headers = format!("{headers}{}", if body.is_empty() { "" } else { "Content-Type: application/xml\r\n" });
    Answer { head: head(status, &headers, body.len() as u64), body, range: None }
}

fn empty(status: u16) -> Answer {
    Answer { head: head(status, "", 0), body: String::new(), range: None }
}

fn head(status: u16, headers: &str, length: u64) -> String {
    let reason = match status {
        200 => "OK",
        204 => "No Content",
        206 => "Partial Content",
        _ => "Error",
    };
    // A 204 has no body and must not say how long it is.
    match status {
        204 => format!("HTTP/1.1 204 {reason}\r\n{COMMON}{headers}\r\n"),
        _ => format!("HTTP/1.1 {status} {reason}\r\n{COMMON}{headers}Content-Length: {length}\r\n\r\n"),
    }
}
