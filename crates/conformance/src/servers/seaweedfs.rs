//! SeaweedFS, as a cluster of three volume servers.

use super::{Difference, Server, differs};

pub(super) const SERVER: Server = Server { provider: "seaweedfs", version: "SeaweedFS 4.48", differences: DIFFERENCES };

const DIFFERENCES: &[Difference] = &[
    differs(&["bucket-owner"], "HeadBucket: succeeded", "The expected owner is not compared."),
    differs(&["object-website-redirect"], "where to: got None", "The redirect is not kept."),
    differs(
        &["key-dot", "key-dot-dot", "key-parent", "key-here", "key-control-characters"],
        "InvalidRequest",
        "Keys that would not do as a path, or hold a NUL, are refused: 400 InvalidRequest.",
    ),
    differs(&["key-1024-bytes"], "InvalidInput: PutObject", "A part of a key between slashes may have 255 bytes."),
    differs(&["key-double-slash"], "got [\"two/slashes\"]", "The empty part is left out: the object is `two/slashes`."),
    differs(&["key-first-slash"], "got [\"first\"]", "The first slash is left out."),
    differs(
        &["key-last-slash"],
        "HeadObject: length: got 0",
        "It makes a folder; the body is lost although the answer is 200.",
    ),
    differs(
        &["key-object-and-folder"],
        "ExistingObjectIsFile",
        "A key that ends with a slash cannot stand beside the same key without: 409 ExistingObjectIsFile.",
    ),
    differs(&["key-punctuation"], "@[/]^_", "A backslash becomes a slash."),
    differs(&["range-head"], "length: got 10, not 3", "The range is ignored."),
    differs(&["put-if-match-missing"], "got PreconditionFailed", "It is 412 PreconditionFailed."),
    differs(&["list-order"], "\"a/b\", \"a!\"", "Keys come folder by folder: `a/b` before `a!`."),
    differs(
        &["list-prefix-encoded"],
        "after a +%/1: got [\"a +%/2\", \"a +%&x\"]",
        "Keys come folder by folder, so that the marker falls elsewhere.",
    ),
    differs(&["list-after-delete"], "prefixes: got [\"dir/\"]", "The empty folder stays as a prefix."),
    differs(&["multipart-list-uploads-order"], "keys: got", "They come in the order of their upload ids."),
    differs(&["multipart-list-uploads-prefixes"], "prefixes: got []", "The delimiter is ignored."),
    differs(&["multipart-object-size"], "another size: succeeded", "The size is not compared."),
    differs(&["checksum-type"], "got None", "The type is not named."),
    differs(&["checksum-attributes", "checksum-default"], "checksum: got None", "There is none."),
    differs(&["checksum-copy"], "in the answer: got None", "The source's is kept, no other is made."),
    differs(&["checksum-listed", "checksum-parts-listed"], "algorithm: got None", "It is not named."),
    differs(&["version-copy-source"], "the source's version: got None", "The answer does not tell."),
    differs(&["version-marker-read"], "status: got Some(404)", "It is 404."),
    differs(&["version-suspended"], "all: got", "The version `null` is listed as the oldest."),
    differs(&["sse-kms"], "InternalError", "There is no key service: 500."),
    differs(&["sse-c-part-copy"], "NotImplemented", "501 NotImplemented."),
    differs(&["error-no-such-bucket"], "PutObject: succeeded", "PutObject to a missing bucket makes the bucket."),
    differs(&["error-body-tampered"], "PutObject: succeeded", "The body's hash is not compared."),
    differs(&["request-unknown"], "it succeeded: 200", "It makes a bucket."),
    differs(&["form-redirect-query"], "keeps a=b", "It is left out."),
    differs(&["form-tags"], "unknown condition key", "A policy may not speak of tags: 403."),
];
