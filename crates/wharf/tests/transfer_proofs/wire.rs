//! Connections that are reset, closed, stalled or spoilt at every interesting byte of every kind of request.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use tokio::time::timeout;
use wharf::{Body, Error};
use wharf_embedded::{Fault, Operation};

use crate::common::{BUCKET, MIB, Place, is_clear};
use crate::support::upload::{bytes, pieces};
use crate::support::{Attack, Harm, Point};

/// Two parts, no larger than they must be.
const OBJECT: usize = 5 * MIB + 99_999;

/// What is done while a request of it is harmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Work {
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
}

/// Every kind of request, and what makes it.
const KINDS: [(Work, &str, u64); 24] = [
    (Work::Put, "PutObject", 1),
    (Work::PutStream, "PutObject", 1),
    (Work::Upload, "CreateMultipartUpload", 1),
    (Work::Upload, "UploadPart", 1),
    (Work::Upload, "UploadPart", 2),
    (Work::Upload, "CompleteMultipartUpload", 1),
    (Work::UploadStream, "CreateMultipartUpload", 1),
    (Work::UploadStream, "UploadPart", 2),
    (Work::UploadStream, "CompleteMultipartUpload", 1),
    (Work::UploadRefused, "AbortMultipartUpload", 1),
    (Work::Get, "GetObject", 1),
    (Work::Download, "GetObject", 1),
    (Work::DownloadParts, "GetObject", 1),
    (Work::DownloadParts, "GetRange", 1),
    (Work::DownloadParts, "GetRange", 2),
    (Work::DownloadRange, "GetRange", 1),
    (Work::Head, "HeadObject", 1),
    (Work::List, "ListObjectsV2", 2),
    (Work::Delete, "DeleteObject", 1),
    (Work::DeleteMany, "DeleteObjects", 1),
    (Work::Copy, "CopyObject", 1),
    (Work::CopyParts, "CreateMultipartUpload", 1),
    (Work::CopyParts, "UploadPartCopy", 2),
    (Work::CopyParts, "CompleteMultipartUpload", 1),
];

impl Work {
    /// Whether the harm can cost no more than another attempt.
    fn survives(self, attack: &Attack) -> bool {
        match self {
            _ if attack.harm == Harm::Flip => false,
            // Their bytes are not there a second time.
            Self::PutStream => false,
            // It cannot be told from another's without a write id: the error says so.
            Self::Upload | Self::UploadStream | Self::CopyParts if attack.operation == "CompleteMultipartUpload" => {
                attack.point.is_of_request()
            }
            // Who reads the body itself is told where it broke.
            Self::Get => !matches!(attack.point, Point::FirstAnswerByte | Point::AnswerMiddle | Point::LastAnswerByte),
            _ => true,
        }
    }

    async fn set_up(self, place: &Place) {
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
            Self::Put | Self::PutStream | Self::Upload | Self::UploadStream => Ok(()),
        }
        .unwrap();
    }

    /// Does it, and looks at what is there then.
    async fn run(self, place: &Place, attack: &Attack) -> Result<(), Error> {
        let s3 = &place.s3;
        let target = place.folder.path().join("target");
        let part = 5 * MIB as u64;
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
        }
    }
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

/// One piece of work, of which one request is harmed, and how it came out.
async fn prove(work: Work, attack: Attack) {
    let hastens = matches!(attack.harm, Harm::Stall | Harm::Flip);
    let place = Place::new(|builder| {
        let builder = builder.max_attempts(4);
        let frames = matches!(work, Work::PutStream | Work::UploadStream);
        let builder = if frames { builder.checksum_trailers(true) } else { builder };
        let limit = Duration::from_secs(3);
        if hastens { builder.progress_timeout(limit).long_operation_timeout(limit) } else { builder }
    })
    .await;
    work.set_up(&place).await;
    place.hostile.plan([attack]);
    let result = timeout(Duration::from_secs(120), work.run(&place, &attack)).await.unwrap();
    match result {
        Ok(()) => {}
        Err(error) => {
            is_clear(&error, &place.store);
            assert!(!work.survives(&attack), "{error:?}");
        }
    }
}

/// All of them, some at a time; says which one went wrong.
async fn prove_all(proofs: Vec<(Work, Attack)>) {
    let count = proofs.len();
    let failed: Vec<String> = stream::iter(proofs)
        .map(|(work, attack)| async move {
            let proof = tokio::spawn(prove(work, attack)).await;
            proof.err().map(|error| {
                let panic = error.into_panic();
                let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
                format!("{work:?}: {attack:?}: {}", text.unwrap_or("?"))
            })
        })
        .buffer_unordered(4)
        .filter_map(std::future::ready)
        .collect()
        .await;
    assert!(failed.is_empty(), "{} of {count} failed:\n{}", failed.len(), failed.join("\n"));
}

fn every(harm: Harm) -> Vec<(Work, Attack)> {
    let attacks = |(work, operation, nth)| Point::ALL.map(|point| (work, Attack { operation, nth, point, harm }));
    KINDS.into_iter().flat_map(attacks).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "slow: run by ci/full"]
async fn resets_at_every_interesting_byte() {
    prove_all(every(Harm::Reset)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "slow: run by ci/full"]
async fn closed_connections_at_every_interesting_byte() {
    prove_all(every(Harm::Close)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "slow: run by ci/full"]
async fn stalls_in_the_middle_of_everything() {
    let is_middle =
        |point| matches!(point, Point::RequestHead | Point::BodyMiddle | Point::AnswerBegin | Point::AnswerMiddle);
    prove_all(every(Harm::Stall).into_iter().filter(|(_, attack)| is_middle(attack.point)).collect()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "slow: run by ci/full"]
async fn flipped_bits_at_every_interesting_byte() {
    prove_all(every(Harm::Flip)).await;
}

/// A handful of them, for every day.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reset_of_each_kind_of_request() {
    let points = |(index, (work, operation, nth)): (usize, _)| {
        let point = Point::ALL[index * 7 % Point::ALL.len()];
        (work, Attack { operation, nth, point, harm: Harm::Reset })
    };
    prove_all(KINDS.into_iter().enumerate().map(points).collect()).await;
}

/// The same request is harmed again and again, until patience ends.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "slow: run by ci/full"]
async fn what_never_gets_through_is_one_clear_error() {
    for (work, operation, _) in KINDS {
        for point in Point::ALL {
            let attack = Attack { operation, nth: 0, point, harm: Harm::Reset };
            let place = Place::new(|builder| builder.max_attempts(2)).await;
            work.set_up(&place).await;
            place.hostile.plan([attack]);
            let result = timeout(Duration::from_secs(60), work.run(&place, &attack)).await.unwrap();
            if let Err(error) = result {
                is_clear(&error, &place.store);
            }
        }
    }
}
