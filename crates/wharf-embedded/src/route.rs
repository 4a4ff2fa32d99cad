//! Which operation a request asks for.

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method};

use crate::document::{Act, Document};
use crate::error::{Code, Error, Result};
use crate::query::Query;
use crate::target::Target;

/// The operations the store carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    AbortMultipartUpload,
    /// Gets, puts or deletes one of the documents that configure a bucket.
    BucketDocument(Act, Document),
    CompleteMultipartUpload,
    CopyObject,
    CreateBucket,
    CreateMultipartUpload,
    DeleteBucket,
    DeleteBucketTagging,
    DeleteObject,
    DeleteObjectTagging,
    DeleteObjects,
    GetBucketAcl,
    GetBucketLocation,
    GetBucketPolicyStatus,
    GetBucketTagging,
    GetBucketVersioning,
    GetObject,
    GetObjectAcl,
    GetObjectAttributes,
    GetObjectLegalHold,
    GetObjectRetention,
    GetObjectTagging,
    HeadBucket,
    HeadObject,
    ListBuckets,
    ListMultipartUploads,
    ListObjectVersions,
    ListObjects,
    ListObjectsV2,
    ListParts,
    /// The question that browsers ask before a request across origins.
    OptionsObject,
    PostObject,
    PutBucketAcl,
    PutBucketTagging,
    PutBucketVersioning,
    PutObject,
    PutObjectAcl,
    PutObjectLegalHold,
    PutObjectRetention,
    PutObjectTagging,
    UploadPart,
    UploadPartCopy,
}

/// Query parameters that choose an operation.
const SUBRESOURCES: [&str; 42] = [
    "abac",
    "accelerate",
    "acl",
    "analytics",
    "annotation",
    "append",
    "attributes",
    "cors",
    "delete",
    "encryption",
    "events",
    "intelligent-tiering",
    "inventory",
    "legal-hold",
    "lifecycle",
    "location",
    "logging",
    "metadataConfiguration",
    "metadataInventoryTable",
    "metadataJournalTable",
    "metadataTable",
    "metrics",
    "notification",
    "object-lock",
    "ownershipControls",
    "policy",
    "policyStatus",
    "publicAccessBlock",
    "renameObject",
    "replication",
    "requestPayment",
    "restore",
    "retention",
    "select",
    "session",
    "tagging",
    "torrent",
    "uploadId",
    "uploads",
    "versioning",
    "versions",
    "website",
];

/// Query parameters that belong to some operation without choosing it.
const PARAMETERS: [&str; 26] = [
    "list-type",
    "prefix",
    "delimiter",
    "marker",
    "max-keys",
    "encoding-type",
    "continuation-token",
    "start-after",
    "fetch-owner",
    "key-marker",
    "version-id-marker",
    "upload-id-marker",
    "max-uploads",
    "max-parts",
    "part-number-marker",
    "max-buckets",
    "bucket-region",
    "versionId",
    "partNumber",
    "response-content-type",
    "response-content-language",
    "response-expires",
    "response-cache-control",
    "response-content-disposition",
    "response-content-encoding",
    "select-type",
];

impl Operation {
    /// Chooses by method, target, sub-resource and, for copies, a header.
    pub(crate) fn of(method: &Method, target: &Target, query: &Query, headers: &HeaderMap) -> Result<Self> {
        let mut chosen: Vec<&str> = Vec::new();
        for (name, filled) in query.names() {
            if SUBRESOURCES.contains(&name) {
                chosen.push(name);
            } else if !filled && !PARAMETERS.contains(&name) && !name.to_ascii_lowercase().starts_with("x-") {
                // A bare name that is no parameter can only be a sub-resource of tomorrow.
                return Err(unknown());
            }
        }
        chosen.sort_unstable();
        chosen.dedup();
        let [sub, extra] = [chosen.first().copied().unwrap_or_default(), chosen.get(1).copied().unwrap_or_default()];
        if !extra.is_empty() {
            return Err(unknown());
        }
        let found = match (target.bucket.is_empty(), target.key.is_empty()) {
            (false, _) if method == Method::OPTIONS => Some(Operation::OptionsObject),
            (true, _) => Self::of_service(method, sub),
            (false, true) if sub.is_empty() && is_form(method, headers) => Some(Operation::PostObject),
            (false, true) => Self::of_bucket(method, sub, query),
            (false, false) => Self::of_object(method, sub, query, headers),
        };
        found.ok_or_else(unknown)
    }

    fn of_service(method: &Method, sub: &str) -> Option<Self> {
        (method == Method::GET && sub.is_empty()).then_some(Operation::ListBuckets)
    }

    fn of_bucket(method: &Method, sub: &str, query: &Query) -> Option<Self> {
        if let Some(document) = Document::of(sub) {
            let act = match method.as_str() {
                "GET" => Act::Get,
                "PUT" => Act::Put,
                "DELETE" => Act::Delete,
                _ => return None,
            };
            return document.named(act).map(|_| Operation::BucketDocument(act, document));
        }
        Some(match (method.as_str(), sub) {
            ("PUT", "") => Operation::CreateBucket,
            ("PUT", "acl") => Operation::PutBucketAcl,
            ("PUT", "tagging") => Operation::PutBucketTagging,
            ("PUT", "versioning") => Operation::PutBucketVersioning,
            ("HEAD", "") => Operation::HeadBucket,
            ("DELETE", "") => Operation::DeleteBucket,
            ("DELETE", "tagging") => Operation::DeleteBucketTagging,
            ("POST", "delete") => Operation::DeleteObjects,
            ("GET", "acl") => Operation::GetBucketAcl,
            ("GET", "location") => Operation::GetBucketLocation,
            ("GET", "policyStatus") => Operation::GetBucketPolicyStatus,
            ("GET", "tagging") => Operation::GetBucketTagging,
            ("GET", "versioning") => Operation::GetBucketVersioning,
            ("GET", "versions") => Operation::ListObjectVersions,
            ("GET", "uploads") => Operation::ListMultipartUploads,
            ("GET", "") => match query.get("list-type") {
                Some("2") => Operation::ListObjectsV2,
                None | Some("1") => Operation::ListObjects,
                Some(_) => return None,
            },
            _ => return None,
        })
    }

    fn of_object(method: &Method, sub: &str, query: &Query, headers: &HeaderMap) -> Option<Self> {
        let copy = headers.contains_key("x-amz-copy-source");
        Some(match (method.as_str(), sub) {
            ("PUT", "") if copy => Operation::CopyObject,
            ("PUT", "") if !query.has("partNumber") => Operation::PutObject,
            ("PUT", "uploadId") if copy => Operation::UploadPartCopy,
            ("PUT", "uploadId") => Operation::UploadPart,
            ("PUT", "acl") => Operation::PutObjectAcl,
            ("PUT", "tagging") => Operation::PutObjectTagging,
            ("PUT", "legal-hold") => Operation::PutObjectLegalHold,
            ("PUT", "retention") => Operation::PutObjectRetention,
            ("GET", "") => Operation::GetObject,
            ("GET", "acl") => Operation::GetObjectAcl,
            ("GET", "attributes") => Operation::GetObjectAttributes,
            ("GET", "tagging") => Operation::GetObjectTagging,
            ("GET", "legal-hold") => Operation::GetObjectLegalHold,
            ("GET", "retention") => Operation::GetObjectRetention,
            ("GET", "uploadId") => Operation::ListParts,
            ("HEAD", "") => Operation::HeadObject,
            ("DELETE", "") => Operation::DeleteObject,
            ("DELETE", "tagging") => Operation::DeleteObjectTagging,
            ("DELETE", "uploadId") => Operation::AbortMultipartUpload,
            ("POST", "uploads") => Operation::CreateMultipartUpload,
            ("POST", "uploadId") => Operation::CompleteMultipartUpload,
            _ => return None,
        })
    }

    /// The name S3 gives it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Operation::AbortMultipartUpload => "AbortMultipartUpload",
            Operation::BucketDocument(act, document) => document.named(act).map_or("", |named| named.operation),
            Operation::CompleteMultipartUpload => "CompleteMultipartUpload",
            Operation::CopyObject => "CopyObject",
            Operation::CreateBucket => "CreateBucket",
            Operation::CreateMultipartUpload => "CreateMultipartUpload",
            Operation::DeleteBucket => "DeleteBucket",
            Operation::DeleteBucketTagging => "DeleteBucketTagging",
            Operation::DeleteObject => "DeleteObject",
            Operation::DeleteObjectTagging => "DeleteObjectTagging",
            Operation::DeleteObjects => "DeleteObjects",
            Operation::GetBucketAcl => "GetBucketAcl",
            Operation::GetBucketLocation => "GetBucketLocation",
            Operation::GetBucketPolicyStatus => "GetBucketPolicyStatus",
            Operation::GetBucketTagging => "GetBucketTagging",
            Operation::GetBucketVersioning => "GetBucketVersioning",
            Operation::GetObjectAcl => "GetObjectAcl",
            Operation::GetObject => "GetObject",
            Operation::GetObjectAttributes => "GetObjectAttributes",
            Operation::GetObjectLegalHold => "GetObjectLegalHold",
            Operation::GetObjectRetention => "GetObjectRetention",
            Operation::GetObjectTagging => "GetObjectTagging",
            Operation::HeadBucket => "HeadBucket",
            Operation::HeadObject => "HeadObject",
            Operation::ListBuckets => "ListBuckets",
            Operation::ListMultipartUploads => "ListMultipartUploads",
            Operation::ListObjectVersions => "ListObjectVersions",
            Operation::ListObjects => "ListObjects",
            Operation::ListObjectsV2 => "ListObjectsV2",
            Operation::ListParts => "ListParts",
            Operation::OptionsObject => "OptionsObject",
            Operation::PostObject => "PostObject",
            Operation::PutBucketAcl => "PutBucketAcl",
            Operation::PutBucketTagging => "PutBucketTagging",
            Operation::PutBucketVersioning => "PutBucketVersioning",
            Operation::PutObject => "PutObject",
            Operation::PutObjectAcl => "PutObjectAcl",
            Operation::PutObjectLegalHold => "PutObjectLegalHold",
            Operation::PutObjectRetention => "PutObjectRetention",
            Operation::PutObjectTagging => "PutObjectTagging",
            Operation::UploadPart => "UploadPart",
            Operation::UploadPartCopy => "UploadPartCopy",
        }
    }

    /// Whether its body becomes a blob; all other bodies are documents, or empty.
    pub(crate) fn takes_bytes(self) -> bool {
        matches!(self, Operation::PostObject | Operation::PutObject | Operation::UploadPart)
    }
}

/// Whether a request is a form, which carries its key and its signature in its fields.
pub(crate) fn is_form(method: &Method, headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    method == Method::POST && kind.to_ascii_lowercase().starts_with(b"multipart/form-data")
}

fn unknown() -> Error {
    Code::NotImplemented.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(method: &str, path: &str, copy: bool) -> Option<&'static str> {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let mut headers = HeaderMap::new();
        if copy {
            headers.insert("x-amz-copy-source", "b/k".parse().unwrap());
        }
        let target = Target::parse(path, "x", &[]).unwrap();
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        Operation::of(&method, &target, &Query::parse(Some(query)).unwrap(), &headers).ok().map(Operation::name)
    }

    #[test]
    fn known_and_unknown() {
        for (method, path, name) in [
            ("GET", "/", Some("ListBuckets")),
            ("GET", "/?x-id=ListBuckets&max-buckets=3", Some("ListBuckets")),
            ("GET", "/b?list-type=2&prefix=", Some("ListObjectsV2")),
            ("GET", "/b/?delimiter=/", Some("ListObjects")),
            ("GET", "/b?list-type=3", None),
            ("GET", "/b?cors", Some("GetBucketCors")),
            ("GET", "/b?metrics", None),
            ("PUT", "/b?replication", None),
            ("DELETE", "/b?notification", None),
            ("POST", "/b?cors", None),
            ("GET", "/b/k?cors", None),
            ("OPTIONS", "/b/k", Some("OptionsObject")),
            ("OPTIONS", "/", None),
            ("GET", "/b?brand-new", None),
            ("GET", "/b?cache=1", Some("ListObjects")),
            ("GET", "/b?uploads&versions", None),
            ("PUT", "/b/k?partNumber=1&uploadId=u", Some("UploadPart")),
            ("PUT", "/b/k?partNumber=1", None),
            ("POST", "/b/k", None),
            ("POST", "/b", None),
            ("POST", "/b?delete", Some("DeleteObjects")),
            ("PATCH", "/b/k", None),
            ("GET", "/b/k?torrent", None),
            ("DELETE", "/b?policy", Some("DeleteBucketPolicy")),
            ("GET", "/b/k?versionId=1&partNumber=2", Some("GetObject")),
        ] {
            assert_eq!(of(method, path, false), name, "{method} {path}");
            let public = name.is_none_or(|name| name.parse::<crate::operations::Operation>().is_ok());
            assert!(public, "{name:?} is missing in operations.rs");
        }
        assert_eq!(of("PUT", "/b/k", true), Some("CopyObject"));
        assert_eq!(of("PUT", "/b/k?uploadId=u&partNumber=1", true), Some("UploadPartCopy"));
    }
}
