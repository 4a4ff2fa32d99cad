//! What is known of a provider.

use super::Conditions;
use crate::checksum::ChecksumAlgorithm;
use crate::endpoint::AddressingStyle;

/// A provider's habits. They decide what is sent by default; what a caller or a client's settings say comes first, but
/// for what the provider does not have: `checksum_mode` and the encoding of listings are left out then.
///
/// Some fields ([`parts`](Habits::parts), [`sorted`](Habits::sorted) and the two on ETags) are not needed to send one
/// request. They are for whoever moves an object in parts, or compares listings and bytes ([`evidence`](crate::evidence)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Habits {
    /// How this is known.
    pub source: Source,
    /// Where the bucket's name stands in URLs.
    pub addressing: AddressingStyle,
    /// Whether there is ListObjectsV2. Where not, version 1 is asked, and its answer read as a page of version 2.
    pub list_v2: bool,
    /// Whether listings can be asked to encode keys (`encoding-type=url`). Where not, keys with control characters may
    /// make them unreadable.
    pub list_encoding: bool,
    /// Whether listings come in the order of the keys' UTF-8 bytes.
    pub sorted: bool,
    /// The checksum that goes with data.
    pub checksum: Option<ChecksumAlgorithm>,
    /// Whether CreateMultipartUpload may name the checksum of the parts to come.
    pub announces_checksum: bool,
    /// Whether a part whose checksum was announced is refused where it comes without.
    pub parts_need_checksum: bool,
    /// Whether reads may ask for the stored checksum (`x-amz-checksum-mode`). Where not, they do not.
    pub checksum_mode: bool,
    /// Whether a body may be framed (`aws-chunked`), which a stream must be to be signed, as it is over plain http.
    pub chunks: bool,
    /// Whether a checksum may follow a framed body as a trailer. Where not, the checksum of a stream is compared with
    /// what the server answers.
    pub trailers: bool,
    /// Whether requests that must have a digest, such as DeleteObjects, have `Content-MD5` in place of a checksum.
    pub content_md5: ContentMd5,
    /// What the parts of a multipart upload may be.
    pub parts: Parts,
    /// Whether the ETag of an object that was put at once, and not encrypted by a key of KMS or of one's own, is its MD5.
    /// Where not, such an ETag is never believed.
    pub etag_is_md5: bool,
    /// Whether the ETag of a multipart object is the MD5 of its parts' MD5s, a dash, and their number. One that is not
    /// what was computed proves nothing: the parts may have been others.
    pub multipart_etag: bool,
    /// The conditions that it is known to keep.
    pub keeps: Conditions,
    /// The conditions that it is known to ignore: it carries the request out as if they were not there. One of these is
    /// refused before it is sent. So are those of directory buckets, which only S3 is known to have. What is in neither
    /// set is not known, and sent.
    pub ignores: Conditions,
}

/// When a request that must have a digest has `Content-MD5`. Nothing else has it unless the call says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ContentMd5 {
    /// Never: it has a checksum, and where the server refuses that, an error. For machines that may not compute MD5.
    Never,
    /// Once the server has asked for it. Until then there is a checksum in its place; the first request that is refused with
    /// 400 for want of `Content-MD5`, or because of the checksum's header, is made again with it, and where that helps all of
    /// this client's that follow have it at once. So they have where the client is to send no checksums.
    WhenAsked,
    /// Always: by its documentation, which could not be tried, it takes that, and maybe nothing else.
    Always,
}

/// How a provider's habits are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// By running this version of it: the project's checks passed or failed as the row says.
    Verified(&'static str),
    /// From documentation and reports only: which.
    Documentation(&'static str),
}

/// What the parts of a multipart upload may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Parts {
    /// The fewest bytes of a part that is not the last.
    pub min_size: u64,
    /// The most bytes of a part.
    pub max_size: u64,
    /// How many parts an upload may have.
    pub max_count: u32,
    /// Whether all parts but the last must have the same size.
    pub equal: bool,
    /// Whether a part can be copied from another object (UploadPartCopy).
    pub copies: bool,
}
