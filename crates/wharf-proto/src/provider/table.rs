//! The table: one row for each provider.

use super::Condition::*;
use super::ContentMd5::{Always, Never, WhenAsked};
use super::{Conditions, Habits, Parts, Provider, Source};
use crate::checksum::ChecksumAlgorithm::{Crc32c, Crc64Nvme};
use crate::endpoint::AddressingStyle;

const MIB: u64 = 1 << 20;

/// AWS's limits, which most have taken over.
const PARTS: Parts = Parts { min_size: 5 * MIB, max_size: 5 << 30, max_count: 10_000, equal: false, copies: true };

/// The conditions of a read, which all but the smallest servers keep.
const READS: Conditions = Conditions::of(&[ReadIfMatch, ReadIfNoneMatch, ReadDates]);

/// The conditions of directory buckets, which only S3 has. What others make of them was not found out; to ignore them
/// costs an object.
const DIRECTORY: Conditions = Conditions::of(&[DeleteIfSizeOrDate, Append]);

const NONE: Conditions = Conditions::NONE;

/// A safe default, for a server that nothing is known of: the bucket in the path, no framing that it could store as
/// part of the object, the digest that it asks for, no trust in order or ETags.
pub(super) const OTHER: Habits = Habits {
    source: Source::Documentation("what all S3 servers have in common"),
    addressing: AddressingStyle::Path,
    list_v2: true,
    list_encoding: true,
    sorted: false,
    checksum: Some(Crc64Nvme),
    announces_checksum: true,
    // Garage and MinIO do; where it is not needed, a file is read once more for it.
    parts_need_checksum: true,
    checksum_mode: true,
    // The one way to sign a stream over plain http. Over https nothing is framed.
    chunks: true,
    trailers: false,
    content_md5: WhenAsked,
    parts: PARTS,
    etag_is_md5: false,
    multipart_etag: false,
    keeps: NONE,
    ignores: DIRECTORY,
};

/// What S3 itself does.
const AWS: Habits = Habits {
    source: Source::Documentation("Amazon S3 API Reference"),
    addressing: AddressingStyle::Auto,
    sorted: true,
    parts_need_checksum: false,
    trailers: true,
    content_md5: Never,
    etag_is_md5: true,
    multipart_etag: true,
    keeps: Conditions::ALL,
    ignores: NONE,
    ..OTHER
};

pub(super) const TABLE: &[(Provider, Habits)] = &[
    (Provider::Aws, AWS),
    (
        Provider::R2,
        Habits {
            source: Source::Documentation("R2: S3 API compatibility, conditional operations, limits, multipart upload"),
            // Streaming signatures are not implemented.
            chunks: false,
            trailers: false,
            addressing: AddressingStyle::Path,
            content_md5: Always,
            parts: Parts { equal: true, ..PARTS },
            // Those of uploads before June 21, 2023 are random, which proves nothing.
            multipart_etag: true,
            keeps: Conditions::of(&[
                PutIfAbsent,
                PutIfMatch,
                CompleteIfAbsent,
                CompleteIfMatch,
                CopySource,
                ReadIfMatch,
                ReadIfNoneMatch,
                ReadDates,
            ]),
            // Not among the operations that take conditions; the destination of a copy has headers of R2's own
            // (cf-copy-destination-if-*).
            ignores: Conditions::of(&[CopyIfAbsent, CopyIfMatch, DeleteIfMatch, DeleteObjectsIfMatch]).with(DIRECTORY),
            ..AWS
        },
    ),
    (
        Provider::Gcs,
        Habits {
            source: Source::Documentation("Cloud Storage: XML API, request preconditions, hashes and ETags"),
            sorted: true,
            checksum: None,
            announces_checksum: false,
            checksum_mode: false,
            chunks: false,
            parts: Parts { copies: false, ..PARTS },
            etag_is_md5: true,
            keeps: READS,
            // ETags are conditions of reads only; writes have generations for that (x-goog-if-generation-match). The
            // source of a copy is read.
            ignores: Conditions::ALL.without(READS).without(Conditions::of(&[CopySource])),
            content_md5: Always,
            ..OTHER
        },
    ),
    (
        Provider::B2,
        Habits {
            source: Source::Documentation("B2: S3-compatible API, unsupported features; reports of refused headers"),
            // x-amz-checksum-*, x-amz-sdk-checksum-algorithm and x-amz-checksum-mode are refused: 400.
            checksum: None,
            announces_checksum: false,
            checksum_mode: false,
            chunks: false,
            sorted: true,
            // Conditions of writes are refused (501 NotImplemented), which does no harm.
            keeps: READS,
            content_md5: Always,
            ..OTHER
        },
    ),
    (
        Provider::Wasabi,
        Habits {
            source: Source::Documentation("Wasabi: S3 API Reference"),
            sorted: true,
            etag_is_md5: true,
            multipart_etag: true,
            keeps: READS,
            content_md5: Always,
            ..OTHER
        },
    ),
    (
        Provider::Spaces,
        Habits {
            source: Source::Documentation("Spaces: S3 compatibility, ETags of listings; rclone's table of providers"),
            list_encoding: false,
            sorted: true,
            etag_is_md5: true,
            multipart_etag: true,
            keeps: READS,
            content_md5: Always,
            ..OTHER
        },
    ),
    (
        Provider::Oci,
        Habits {
            source: Source::Documentation("Object Storage: Amazon S3 Compatibility API; its error messages"),
            // It knows MD5, SHA-256 and CRC-32C; DeleteObjects must have one of them.
            checksum: Some(Crc32c),
            announces_checksum: false,
            // "AWS chunked encoding not supported": 501.
            chunks: false,
            sorted: true,
            keeps: READS,
            content_md5: Always,
            ..OTHER
        },
    ),
    (
        Provider::Scaleway,
        Habits {
            source: Source::Documentation("Object Storage: limits, conditional writes; rclone's table of providers"),
            list_encoding: false,
            sorted: true,
            parts: Parts { max_count: 1_000, ..PARTS },
            keeps: Conditions::of(&[PutIfAbsent, PutIfMatch, ReadIfMatch, ReadIfNoneMatch, ReadDates]),
            content_md5: Always,
            ..OTHER
        },
    ),
    (
        Provider::Storj,
        Habits {
            source: Source::Documentation("Storj: S3 compatibility, multipart part size"),
            // Its listings come in the order of encrypted paths.
            sorted: false,
            parts: Parts { min_size: 64 * MIB, copies: false, ..PARTS },
            keeps: Conditions::of(&[
                PutIfAbsent,
                CompleteIfAbsent,
                CopyIfAbsent,
                ReadIfMatch,
                ReadIfNoneMatch,
                ReadDates,
            ]),
            content_md5: Always,
            ..OTHER
        },
    ),
    (
        Provider::Ceph,
        Habits {
            source: Source::Verified("Ceph 16.2.15"),
            addressing: AddressingStyle::Path,
            // Refused: 400 XAmzContentSHA256Mismatch.
            trailers: false,
            // PutObject if match is refused also where it holds: an ETag in quotes never matches.
            keeps: Conditions::of(&[PutIfAbsent, ReadIfMatch, ReadIfNoneMatch, ReadDates]),
            ignores: Conditions::of(&[
                CompleteIfAbsent,
                CompleteIfMatch,
                CopyIfAbsent,
                CopyIfMatch,
                CopySource,
                DeleteIfMatch,
                DeleteObjectsIfMatch,
            ])
            .with(DIRECTORY),
            content_md5: WhenAsked,
            ..AWS
        },
    ),
    (
        Provider::Minio,
        Habits {
            source: Source::Documentation("MinIO: its repository, pull requests 19160 and 19713"),
            parts_need_checksum: true,
            addressing: AddressingStyle::Path,
            trailers: false,
            keeps: Conditions::of(&[
                PutIfAbsent,
                PutIfMatch,
                CompleteIfAbsent,
                CompleteIfMatch,
                CopySource,
                ReadIfMatch,
                ReadIfNoneMatch,
                ReadDates,
            ]),
            ignores: DIRECTORY,
            content_md5: WhenAsked,
            ..AWS
        },
    ),
    (
        Provider::SeaweedFs,
        Habits {
            source: Source::Verified("SeaweedFS 4.48"),
            addressing: AddressingStyle::Path,
            // Folder by folder: `a/b` before `a!`.
            sorted: false,
            // Taken by this version, stored as part of the object by earlier ones.
            trailers: false,
            keeps: Conditions::ALL.without(DIRECTORY),
            ignores: DIRECTORY,
            ..AWS
        },
    ),
    (
        Provider::Garage,
        Habits {
            source: Source::Verified("Garage 2.5.0"),
            addressing: AddressingStyle::Path,
            // Where it is not announced, the checksums of parts are not kept, and an upload that names them cannot be
            // completed (400 InvalidDigest).
            announces_checksum: true,
            parts_need_checksum: true,
            keeps: Conditions::of(&[CopySource, ReadIfMatch, ReadIfNoneMatch, ReadDates]),
            ignores: Conditions::ALL.without(Conditions::of(&[CopySource, ReadIfMatch, ReadIfNoneMatch, ReadDates])),
            ..AWS
        },
    ),
    (
        Provider::Rclone,
        Habits {
            source: Source::Verified("rclone 1.75.2"),
            addressing: AddressingStyle::Path,
            sorted: false,
            // Signed ones are stored as part of the object.
            trailers: false,
            parts: Parts { copies: false, ..PARTS },
            multipart_etag: false,
            keeps: Conditions::of(&[ReadIfNoneMatch]),
            ignores: Conditions::ALL.without(Conditions::of(&[ReadIfNoneMatch])),
            content_md5: WhenAsked,
            ..AWS
        },
    ),
    (
        Provider::Moto,
        Habits {
            source: Source::Verified("moto 5.2.5"),
            addressing: AddressingStyle::Path,
            keeps: Conditions::of(&[
                PutIfAbsent,
                PutIfMatch,
                CompleteIfAbsent,
                DeleteIfMatch,
                ReadIfMatch,
                ReadIfNoneMatch,
                ReadDates,
            ]),
            ignores: Conditions::of(&[CompleteIfMatch, CopyIfAbsent, CopyIfMatch, CopySource, DeleteObjectsIfMatch])
                .with(DIRECTORY),
            ..AWS
        },
    ),
    (
        Provider::Embedded,
        Habits {
            source: Source::Verified("wharf-embedded"),
            addressing: AddressingStyle::Path,
            // It refuses those: 501 NotImplemented.
            keeps: Conditions::ALL.without(DIRECTORY),
            ..AWS
        },
    ),
    (Provider::Other, OTHER),
];
