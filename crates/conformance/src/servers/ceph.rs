//! Ceph's RADOS Gateway.

use super::{Difference, Server, differs};

pub(super) const SERVER: Server = Server { provider: "ceph", version: "Ceph 16.2.15", differences: DIFFERENCES };

const DIFFERENCES: &[Difference] = &[
    differs(&["bucket-list-pages"], "on a page of one", "All buckets come at once."),
    differs(&["bucket-location"], "got \"default\"", "It names the zone group."),
    differs(&["bucket-owner"], "HeadBucket: succeeded", "The expected owner is not compared."),
    differs(&["object-metadata-names"], "SignatureDoesNotMatch", "A name with `_` breaks the signature: 403."),
    differs(&["object-storage-class"], "InvalidArgument", "Classes must be set up by the operator: 400."),
    differs(
        &["object-attributes", "checksum-attributes", "sse-c-attributes"],
        "it ends early",
        "Unknown: it answers as GetObject.",
    ),
    differs(&["multipart-attributes"], "not UTF-8", "Unknown: it answers as GetObject."),
    differs(&["key-control-characters"], "HTTP 400", "A NUL is refused: 400."),
    differs(&["body-trailer", "body-trailer-unsigned"], "XAmzContentSHA256Mismatch", "Trailers are refused: 400."),
    differs(&["get-if-match-any"], "PreconditionFailed:", "`*` never matches: 412."),
    differs(&["put-if-match"], "with its ETag: PreconditionFailed", "An ETag in quotes never matches: 412."),
    differs(
        &["part-number", "part-number-missing"],
        "the server ignored the part's number",
        "The part's number is ignored: the whole object.",
    ),
    differs(&["put-if-match-missing"], "got PreconditionFailed", "It is 412 PreconditionFailed."),
    differs(
        &["copy-if-absent", "copy-if-match", "complete-if-absent", "complete-if-match", "delete-if-match"],
        "succeeded",
        "**The condition is ignored: the object is overwritten or deleted.**",
    ),
    differs(&["delete-many-if-match"], "deleted: got [\"a\", \"b\"]", "**The condition is ignored.**"),
    differs(
        &["copy-source-if-match", "copy-source-if-none-match", "copy-source-dates", "multipart-copy-conditions"],
        "succeeded",
        "Conditions on the source are ignored.",
    ),
    differs(&["copy-replace-tags"], "tags: got [Tag { key: \"colour\"", "The source's tags are kept."),
    differs(&["tags-multipart"], "it ends early", "Tags of an upload are lost."),
    differs(
        &["multipart-etag"],
        "it ends with the number of parts",
        "CompleteMultipartUpload's answer has an empty ETag.",
    ),
    differs(&["multipart-abort"], "ListParts: wanted NoSuchUpload, got NoSuchKey", "It is NoSuchKey."),
    differs(
        &["multipart-complete-again"],
        "not ETag()",
        "The first answer has an empty ETag, the second the right one.",
    ),
    differs(&["multipart-list-uploads-prefixes"], "prefixes: got []", "The delimiter is ignored."),
    differs(&["multipart-object-size"], "another size: succeeded", "The size is not compared."),
    differs(
        &["checksum-crc32", "checksum-crc32c", "checksum-crc64nvme", "checksum-sha1", "checksum-sha256"],
        "in the answer: got None",
        "Checksums are neither compared nor kept.",
    ),
    differs(
        &["checksum-wrong", "checksum-part-wrong", "checksum-complete-wrong"],
        "succeeded",
        "Checksums are neither compared nor kept.",
    ),
    differs(
        &[
            "checksum-parts-crc32",
            "checksum-parts-crc32c",
            "checksum-parts-sha1",
            "checksum-parts-sha256",
            "checksum-parts-full-crc32",
            "checksum-parts-full-crc32c",
            "checksum-parts-full-crc64nvme",
        ],
        "of a part: got None",
        "Checksums are neither compared nor kept.",
    ),
    differs(
        &["checksum-copy", "checksum-default", "checksum-listed", "checksum-parts-listed", "checksum-type"],
        "got None",
        "Checksums are neither compared nor kept.",
    ),
    differs(&["version-copy-source"], "the source's version: got None", "The answer does not tell."),
    differs(&["version-marker-read"], "status: got Some(404)", "It is 404."),
    differs(&["version-missing"], "got NoSuchKey", "It is NoSuchKey."),
    differs(&["version-list-encoded"], "all: got", "Markers come without encoding, and so a key may come twice."),
    differs(&["sse-s3"], "encryption: missing", "The header is ignored."),
    differs(&["sse-kms"], "requires HTTP header x-amz-server-side-encryption-aws-kms-key-id", "A key must be named."),
    differs(&["sse-c-copy"], "NotImplemented", "501 NotImplemented."),
    differs(&["sse-c-part-copy"], "InvalidArgument", "400 InvalidArgument."),
    differs(&["form-redirect-query"], "done?a=b?bucket", "The query gets a second `?`."),
    differs(&["form-forged"], "code: got \"AccessDenied\"", "It is AccessDenied."),
];
