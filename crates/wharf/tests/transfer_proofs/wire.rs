//! Connections that are reset, closed, stalled or spoilt at every interesting byte of every kind of request.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use tokio::time::timeout;

use crate::common::{Place, is_clear};
use crate::support::{Attack, Harm, Point};
use crate::work::Work;

/// Every kind of request, and what makes it.
const KINDS: [(Work, &str, u64); 45] = [
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
    (Work::ResumedUpload, "ListParts", 1),
    (Work::ResumedUpload, "UploadPart", 1),
    (Work::ResumedUpload, "CompleteMultipartUpload", 1),
    (Work::ResumedDownload, "HeadObject", 1),
    (Work::ResumedDownload, "GetRange", 1),
    (Work::Attributes, "GetObjectAttributes", 1),
    (Work::BucketHead, "HeadBucket", 1),
    (Work::BucketMade, "CreateBucket", 1),
    (Work::BucketGone, "DeleteBucket", 1),
    (Work::Buckets, "ListBuckets", 1),
    (Work::Location, "GetBucketLocation", 1),
    (Work::PartByHand, "UploadPart", 1),
    (Work::PartCopiedByHand, "UploadPartCopy", 1),
    (Work::Parts, "ListParts", 1),
    (Work::Tags, "GetObjectTagging", 1),
    (Work::Tagging, "PutObjectTagging", 1),
    (Work::Untagging, "DeleteObjectTagging", 1),
    (Work::Uploads, "ListMultipartUploads", 1),
    (Work::Versioning, "GetBucketVersioning", 1),
    (Work::VersioningSet, "PutBucketVersioning", 1),
    (Work::Versions, "ListObjectVersions", 1),
];

impl Work {
    /// Whether the harm can cost no more than another attempt.
    fn survives(self, attack: &Attack) -> bool {
        match self {
            _ if attack.harm == Harm::Flip => false,
            // Their bytes are not there a second time.
            Self::PutStream => false,
            // It cannot be told from another's without a write id: the error says so.
            Self::Upload | Self::UploadStream | Self::CopyParts | Self::ResumedUpload
                if attack.operation == "CompleteMultipartUpload" =>
            {
                attack.point.is_of_request()
            }
            // Who reads the body itself is told where it broke.
            Self::Get => !matches!(attack.point, Point::FirstAnswerByte | Point::AnswerMiddle | Point::LastAnswerByte),
            _ => true,
        }
    }
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
        // Every message has those, so that a success without harm would show that nothing was tried.
        Ok(()) => assert!(place.hostile.harmed() > 0 || !attack.point.is_in_each_message(), "nothing was harmed"),
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
