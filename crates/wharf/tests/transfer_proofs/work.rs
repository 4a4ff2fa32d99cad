//! What is done while a request of it is harmed, and what must be true then.

use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt};
use wharf::op::{ObjectAttribute, VersioningStatus};
use wharf::transfer::Upload;
use wharf::{Body, Client, Error, ErrorKind, Tag};
use wharf_embedded::{Fault, Operation};

use crate::common::{BUCKET, MIB, Place};
use crate::support::upload::{bytes, pieces};
use crate::support::{Attack, Harm};

/// Two parts, no larger than they must be.
const OBJECT: usize = 5 * MIB + 99_999;
const PART: u64 = 5 * MIB as u64;

/// A bucket that is made, or deleted.
const OTHER: &str = "other-bucket";

/// What is done while a request of it is harmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    Put,
    PutStream,
    Upload,
    UploadStream,
    /// An upload that the server refuses in its middle.
    UploadRefused,
    Get,
    Download,
    /// In ranges.
    DownloadParts,
    DownloadRange,
    Head,
    List,
    Delete,
    DeleteMany,
    Copy,
    CopyParts,
    /// Of one that an earlier run has begun.
    ResumedUpload,
    ResumedDownload,
    Attributes,
    BucketHead,
    BucketMade,
    BucketGone,
    Buckets,
    Location,
    PartByHand,
    PartCopiedByHand,
    Parts,
    Tags,
    Tagging,
    Untagging,
    Uploads,
    Versioning,
    VersioningSet,
    Versions,
}

impl Work {
    pub(crate) async fn set_up(self, place: &Place) {
        let put = |key: &'static str, data: Vec<u8>| place.direct.put_object(BUCKET, key, data);
        match self {
            Self::Get | Self::Download | Self::DownloadRange | Self::Head => put("a", bytes(100_000)).await.map(drop),
            Self::CopyParts => put("a", bytes(OBJECT)).await.map(drop),
            Self::DownloadParts => put("a", bytes(MIB)).await.map(drop),
            Self::List | Self::DeleteMany => {
                for n in 0..5 {
                    place.direct.put_object(BUCKET, format!("k{n}"), "x").await.unwrap();
                }
                Ok(())
            }
            Self::Delete | Self::Copy => put("a", b"Hello!".to_vec()).await.map(drop),
            Self::UploadRefused => {
                let refusal = Fault::respond(403, "AccessDenied").on(Operation::UploadPart).nth(2);
                place.store.inject(refusal).map(drop).map_err(|error| Error::invalid_input(error.to_string()))
            }
            Self::ResumedUpload => {
                place.folder.file("source", &bytes(OBJECT));
                let refusal = Fault::respond(403, "AccessDenied").on(Operation::UploadPart).nth(2);
                let refusal = place.store.inject(refusal).unwrap();
                resumable_upload(place, Duration::from_secs(60)).await.unwrap_err();
                refusal.remove();
                assert_eq!(place.uploads().await, 1);
                Ok(())
            }
            Self::ResumedDownload => {
                put("a", bytes(RESUMED)).await.unwrap();
                let breaks = Fault::close_response_after(RESUMED as u64 / 2).on(Operation::GetObject).nth(1);
                let refusal = Fault::respond(403, "AccessDenied").on(Operation::GetObject).nth(2);
                let faults = [breaks, refusal].map(|fault| place.store.inject(fault).unwrap());
                resumable_download(place, Duration::from_secs(60)).await.unwrap_err();
                for fault in faults {
                    fault.remove();
                }
                assert_eq!(place.folder.names(), ["target.wharf-journal", "target.wharf-part"]);
                Ok(())
            }
            Self::Attributes | Self::Tags | Self::Tagging | Self::Untagging => {
                let tagged = place.direct.put_object(BUCKET, "a", "Hello!").tag("color", "blue");
                tagged.await.map(drop)
            }
            Self::Parts | Self::Uploads => {
                let upload = place.direct.create_multipart_upload(BUCKET, "a").await.unwrap();
                place.direct.upload_part(BUCKET, "a", upload.upload_id, 1, "Hello!").await.map(drop)
            }
            Self::PartByHand | Self::PartCopiedByHand => {
                put("a", bytes(100_000)).await.unwrap();
                place.direct.create_multipart_upload(BUCKET, "b").await.map(drop)
            }
            Self::BucketGone => place.direct.create_bucket(OTHER).await.map(drop),
            Self::Put | Self::PutStream | Self::Upload | Self::UploadStream => Ok(()),
            Self::BucketHead | Self::BucketMade | Self::Buckets | Self::Location => Ok(()),
            Self::Versioning | Self::VersioningSet | Self::Versions => Ok(()),
        }
        .unwrap();
    }

    /// Does it, and looks at what is there then.
    pub(crate) async fn run(self, place: &Place, attack: &Attack) -> Result<(), Error> {
        let s3 = &place.s3;
        let target = place.folder.path().join("target");
        let part = PART;
        let patience = if attack.nth == 0 { Duration::from_millis(200) } else { Duration::from_secs(60) };
        match self {
            Self::Put => {
                let result = s3.put_object(BUCKET, "b", bytes(100_000)).await;
                settled(place, &bytes(100_000), result.is_ok()).await;
                result.map(drop)
            }
            Self::PutStream => {
                let body = Body::sized_stream(pieces(bytes(200_000), 9_999), 200_000);
                let result = s3.put_object(BUCKET, "b", body).await;
                settled(place, &bytes(200_000), result.is_ok()).await;
                result.map(drop)
            }
            Self::Upload | Self::UploadRefused => {
                let data = bytes(OBJECT);
                let file = place.folder.file("source", &data);
                let upload =
                    s3.upload(BUCKET, "b", file.as_path()).part_size(part).multipart_threshold(part).patience(patience);
                let result = upload.await;
                settled(place, &data, result.is_ok()).await;
                left_over(place, attack, &result.as_ref().map(drop)).await;
                if self == Self::UploadRefused {
                    let error = result.unwrap_err();
                    assert_eq!(error.kind(), wharf::ErrorKind::AccessDenied, "{error}");
                    return Ok(());
                }
                result.map(drop)
            }
            Self::UploadStream => {
                let data = bytes(OBJECT);
                let body = Body::stream(pieces(data.clone(), 99_999));
                let upload = s3.upload(BUCKET, "b", body).part_size(part).multipart_threshold(part).patience(patience);
                let result = upload.await;
                settled(place, &data, result.is_ok()).await;
                left_over(place, attack, &result.as_ref().map(drop)).await;
                result.map(drop)
            }
            Self::Get => {
                let read = s3.get_object(BUCKET, "a").checksum_mode(true).bytes().await;
                read.map(|read| assert!(read == bytes(100_000), "other bytes"))
            }
            Self::Download | Self::DownloadParts => {
                let data = bytes(if self == Self::Download { 100_000 } else { MIB });
                let result = s3
                    .download(BUCKET, "a", target.as_path())
                    .part_size(200_000)
                    .concurrency(3)
                    .patience(patience)
                    .await;
                delivered(place, &data, result.is_ok());
                result.map(drop)
            }
            Self::DownloadRange => {
                let result = s3.download(BUCKET, "a", target.as_path()).range(1000..90_000).patience(patience).await;
                if attack.harm == Harm::Flip {
                    // S3 has no checksum of a range.
                    return result.map(drop);
                }
                delivered(place, &bytes(100_000)[1000..90_000], result.is_ok());
                result.map(drop)
            }
            Self::Head => s3.head_object(BUCKET, "a").await.map(|head| {
                assert!(head.content_length == 100_000 || attack.harm == Harm::Flip);
            }),
            Self::List => {
                let names: Vec<_> =
                    s3.list_objects(BUCKET).max_keys(2).items().map(|item| item.map(|it| it.key)).collect().await;
                let names: Vec<String> = names.into_iter().collect::<Result<_, _>>()?;
                assert!(names == ["k0", "k1", "k2", "k3", "k4"] || attack.harm == Harm::Flip, "{names:?}");
                Ok(())
            }
            Self::Delete => {
                s3.delete_object(BUCKET, "a").await?;
                assert!(place.stored("a").await.is_none());
                Ok(())
            }
            Self::DeleteMany => {
                let deleted = s3.delete(BUCKET, (0..5).map(|n| format!("k{n}"))).patience(patience).await?;
                assert_eq!((deleted.deleted, deleted.failed), (5, 0));
                for n in 0..5 {
                    assert!(place.stored(&format!("k{n}")).await.is_none());
                }
                Ok(())
            }
            Self::Copy => {
                let result = s3.copy(BUCKET, "a", BUCKET, "b").patience(patience).await;
                settled(place, b"Hello!", result.is_ok()).await;
                result.map(drop)
            }
            Self::CopyParts => {
                let copy = s3.copy(BUCKET, "a", BUCKET, "b").part_size(part).multipart_threshold(part);
                let result = copy.patience(patience).await;
                settled(place, &bytes(OBJECT), result.is_ok()).await;
                left_over(place, attack, &result.as_ref().map(drop)).await;
                result.map(drop)
            }
            Self::ResumedUpload => {
                let result = resumable_upload(place, patience).await.map(drop);
                settled(place, &bytes(OBJECT), result.is_ok()).await;
                if result.is_err() {
                    // What was kept is what the next run goes on with.
                    place.hostile.plan([]);
                    resumable_upload(place, Duration::from_secs(60)).await?;
                    settled(place, &bytes(OBJECT), true).await;
                }
                left_over(place, attack, &result.as_ref().map(drop)).await;
                assert_eq!(place.folder.names(), ["journals", "source"]);
                assert_eq!(std::fs::read_dir(place.folder.path().join("journals")).unwrap().count(), 0);
                result
            }
            Self::ResumedDownload => {
                let result = resumable_download(place, patience).await;
                if result.is_err() {
                    assert!(!target.exists());
                    place.hostile.plan([]);
                    resumable_download(place, Duration::from_secs(60)).await?;
                }
                delivered(place, &bytes(RESUMED), true);
                result
            }
            Self::Tagging => {
                let result = s3.put_object_tagging(BUCKET, "a", [("color", "red")]).await;
                let tags = place.direct.get_object_tagging(BUCKET, "a").await?.tags;
                assert!(tags == [Tag::from(("color", "red"))] || result.is_err(), "{tags:?}");
                result.map(drop)
            }
            Self::Untagging => {
                let result = s3.delete_object_tagging(BUCKET, "a").await;
                let tags = place.direct.get_object_tagging(BUCKET, "a").await?.tags;
                assert!(tags.is_empty() || result.is_err(), "{tags:?}");
                result.map(drop)
            }
            Self::VersioningSet => {
                let result = s3.put_bucket_versioning(BUCKET, VersioningStatus::Enabled).await;
                let status = place.direct.get_bucket_versioning(BUCKET).await?.status;
                assert!(status == Some(VersioningStatus::Enabled) || result.is_err(), "{status:?}");
                result.map(drop)
            }
            Self::BucketHead => s3.head_bucket(BUCKET).await.map(drop),
            Self::BucketMade => {
                let result = s3.create_bucket(OTHER).await;
                let is_there = place.direct.head_bucket(OTHER).await.is_ok();
                // Whose answer was lost finds that it is there, and its own.
                let is_ours = |error: &Error| error.kind() == ErrorKind::BucketAlreadyOwnedByYou;
                match result {
                    Err(error) if !is_ours(&error) => Err(error),
                    _ => {
                        assert!(is_there, "there is no bucket");
                        Ok(())
                    }
                }
            }
            Self::BucketGone => {
                let result = s3.delete_bucket(OTHER).await;
                let is_there = place.direct.head_bucket(OTHER).await.is_ok();
                // The same for one that is gone.
                match result {
                    Err(error) if error.kind() != ErrorKind::NoSuchBucket => Err(error),
                    _ => {
                        assert!(!is_there, "the bucket is there");
                        Ok(())
                    }
                }
            }
            Self::PartByHand | Self::PartCopiedByHand => {
                let uploads = place.direct.list_multipart_uploads(BUCKET).await?.uploads;
                let upload_id = &*uploads[0].upload_id;
                let result = match self {
                    Self::PartByHand => s3.upload_part(BUCKET, "b", upload_id, 1, bytes(100_000)).await.map(drop),
                    _ => s3.upload_part_copy(BUCKET, "a", BUCKET, "b", upload_id, 1).await.map(drop),
                };
                let parts = place.direct.list_parts(BUCKET, "b", upload_id).await?.parts;
                let sizes: Vec<u64> = parts.iter().map(|part| part.size).collect();
                assert!(sizes == [100_000] || (sizes.is_empty() && result.is_err()), "{sizes:?}");
                result.map(drop)
            }
            Self::Attributes
            | Self::Buckets
            | Self::Location
            | Self::Parts
            | Self::Tags
            | Self::Uploads
            | Self::Versioning
            | Self::Versions => {
                let (read, expected) = (self.read(s3).await?, self.read(&place.direct).await?);
                assert!(read == expected || attack.harm == Harm::Flip, "{read} in place of {expected}");
                Ok(())
            }
        }
    }

    /// What such a call reads, for it to be compared.
    async fn read(self, s3: &Client) -> Result<String, Error> {
        Ok(match self {
            Self::Attributes => {
                let call = s3
                    .get_object_attributes(BUCKET, "a")
                    .attributes([ObjectAttribute::ETag, ObjectAttribute::ObjectSize]);
                let read = call.await?;
                format!("{:?} {:?}", read.etag, read.size)
            }
            Self::Buckets => {
                let buckets: Vec<_> = s3.list_buckets().items().try_collect().await?;
                format!("{:?}", buckets.into_iter().map(|bucket| bucket.name).collect::<Vec<_>>())
            }
            Self::Location => s3.get_bucket_location(BUCKET).await?,
            Self::Parts => {
                let uploads = s3.list_multipart_uploads(BUCKET).await?.uploads;
                let parts: Vec<_> = s3.list_parts(BUCKET, "a", &uploads[0].upload_id).items().try_collect().await?;
                format!("{:?}", parts.into_iter().map(|part| (part.part_number, part.etag)).collect::<Vec<_>>())
            }
            Self::Tags => format!("{:?}", s3.get_object_tagging(BUCKET, "a").await?.tags),
            Self::Uploads => {
                let uploads: Vec<_> = s3.list_multipart_uploads(BUCKET).items().try_collect().await?;
                format!("{:?}", uploads.into_iter().map(|upload| upload.upload_id).collect::<Vec<_>>())
            }
            Self::Versioning => format!("{:?}", s3.get_bucket_versioning(BUCKET).await?.status),
            Self::Versions => format!("{:?}", s3.list_object_versions(BUCKET).await?.versions.len()),
            _ => unreachable!("{self:?} is no reading call"),
        })
    }
}

/// So much is recorded on the way.
const RESUMED: usize = 6 * MIB;

fn resumable_upload(place: &Place, patience: Duration) -> Upload {
    let (source, journals) = (place.folder.path().join("source"), place.folder.path().join("journals"));
    let upload = place.s3.upload(BUCKET, "b", source).part_size(PART).multipart_threshold(PART).concurrency(1);
    upload.resumable(true).journal_dir(journals).patience(patience)
}

async fn resumable_download(place: &Place, patience: Duration) -> Result<(), Error> {
    let target = place.folder.path().join("target");
    let download = place.s3.download(BUCKET, "a", target).resumable(true).concurrency(1).patience(patience);
    download.await.map(drop)
}

/// The object is whole, or there is none, which a success rules out.
async fn settled(place: &Place, data: &[u8], is_ok: bool) {
    match place.stored("b").await {
        Some(stored) => assert!(stored == data, "{} bytes that are others", stored.len()),
        None => assert!(!is_ok, "nothing is stored"),
    }
}

/// The file is whole, or there is none, nor anything unfinished.
fn delivered(place: &Place, data: &[u8], is_ok: bool) {
    let names = place.folder.names();
    if is_ok {
        assert_eq!(names, ["target"]);
        assert!(std::fs::read(place.folder.path().join("target")).unwrap() == data, "other bytes");
    } else {
        assert_eq!(names, [""; 0]);
    }
}

/// No upload is left over, but where the server created one and could not say so.
async fn left_over(place: &Place, attack: &Attack, result: &Result<(), &Error>) {
    let left = place.uploads().await;
    let lost_create = attack.operation == "CreateMultipartUpload";
    let told = result.is_err_and(|error| {
        format!("{error:?}").contains("left over") || format!("{error:?}").contains("could not be aborted")
    });
    assert!(left == 0 || lost_create || told, "{left} uploads are left over");
    // One for each answer that was lost.
    assert!(left <= 1 || attack.nth == 0, "{left} uploads are left over");
}
