//! moto, which keeps everything in memory.

use super::{Difference, Server, differs};

pub(super) const SERVER: Server = Server { provider: "moto", version: "moto 5.2.5", differences: DIFFERENCES };

const DIFFERENCES: &[Difference] = &[
    differs(&["multipart-list-uploads-order"], "keys: got", "They come in the order in which they were begun."),
    differs(
        &["error-wrong-secret", "error-unknown-key-id", "error-skewed", "error-body-tampered"],
        "succeeded",
        "Signatures and hashes are not looked at.",
    ),
    differs(
        &["presign-expired", "presign-other-key", "presign-other-method"],
        "status: got 200",
        "Signatures are not looked at.",
    ),
    differs(&["presign-put-headers"], "status without the headers: got 200", "Signatures are not looked at."),
    differs(&["bucket-bad-name"], "CreateBucket: succeeded", "Such names are taken."),
    differs(&["bucket-list-pages"], "ours among all pages: got", "There is no token for the next page."),
    differs(&["bucket-owner"], "HeadBucket: succeeded", "The expected owner is not compared."),
    differs(&["object-metadata-names"], "got [(\"a-b\", \"1\")]", "A name with `_` is lost."),
    differs(&["key-control-characters", "key-first-lf", "key-last-lf"], "404 Not Found", "A line feed is 404."),
    differs(&["get-if-match-any"], "PreconditionFailed:", "`*` never matches: 412."),
    differs(&["conditions-together"], "If-Match holds: PreconditionFailed", "Dates outweigh ETags."),
    differs(
        &["part-number"],
        "the server ignored the part's number",
        "The part's number is ignored: the whole object.",
    ),
    differs(&["response-overrides-head"], "cache control: got None", "They are ignored."),
    differs(
        &["complete-if-match", "copy-if-absent", "copy-if-match"],
        "succeeded",
        "**The condition is ignored: the object is overwritten.**",
    ),
    differs(&["delete-many-if-match"], "deleted: got [\"a\", \"b\"]", "**The condition is ignored.**"),
    differs(
        &["copy-source-dates", "copy-source-if-match", "multipart-copy-conditions"],
        "succeeded",
        "Conditions on the source are ignored.",
    ),
    differs(&["delete-many-quiet"], "outcomes: got (2, 0)", "Quiet is ignored."),
    differs(&["multipart-abort", "multipart-part-of-none"], "500 Internal Server Error", "It is 500."),
    differs(&["multipart-attributes"], "ObjectParts: missing", "Parts are left out."),
    differs(&["multipart-list-uploads"], "on a page of two", "All uploads come at once."),
    differs(&["multipart-list-uploads-prefixes"], "prefixes: got []", "The delimiter is ignored."),
    differs(&["multipart-object-size"], "another size: succeeded", "The size is not compared."),
    differs(
        &["checksum-wrong", "checksum-part-wrong", "checksum-complete-wrong"],
        "succeeded",
        "Checksums are not compared.",
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
        "in the answer: got None",
        "The object has none; its parts have.",
    ),
    differs(&["checksum-default"], "got None", "There is none."),
    differs(&["checksum-parts-listed", "checksum-type"], "got None", "It is not named."),
    differs(&["content-md5"], "a wrong one: succeeded", "It is not compared."),
    differs(&["error-malformed-xml"], "500 Internal Server Error", "It is 500."),
    differs(&["version-list"], "versions: got", "Delete markers come last."),
    differs(&["version-marker-read"], "status: got Some(404)", "It is 404."),
    differs(
        &["version-marker-removed"],
        "what was removed: got (false",
        "The answer does not tell that it was a marker.",
    ),
    differs(&["version-suspended"], "NoSuchVersion", "An object from before has no version `null`."),
    differs(
        &["sse-c", "sse-c-attributes", "sse-c-copy", "sse-c-part-copy", "sse-c-range", "sse-c-without-key"],
        "encryption: missing",
        "Customer keys are ignored: anybody can read.",
    ),
    differs(&["request-unknown"], "it succeeded: 200", "It makes a bucket."),
    differs(
        &["form-extra-field", "form-forged", "form-other-key", "form-other-value", "form-size", "form-starts-with"],
        "status: got 204",
        "The policy is not looked at.",
    ),
    differs(&["form-redirect"], "has etag", "The tag is left out."),
    differs(&["form-status"], "the answer names the bucket", "The document is empty."),
    differs(&["form-tags"], "tags: got []", "They are lost."),
];
