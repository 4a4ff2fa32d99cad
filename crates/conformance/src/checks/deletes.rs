//! DeleteObject and DeleteObjects.

use wharf::ErrorKind;

use super::Check;
use crate::context::Context;
use crate::expect::{Outcome, equal, refused};

pub(super) const CHECKS: &[Check] = &[
    Check::new("delete", "A deleted object is gone", |cx| Box::pin(delete(cx))),
    Check::new("delete-missing", "Deleting a missing key succeeds", |cx| Box::pin(missing(cx))),
    Check::new("delete-no-bucket", "Deleting in a missing bucket is NoSuchBucket", |cx| Box::pin(no_bucket(cx))),
    Check::new("delete-many", "DeleteObjects deletes 1,001 keys, and has a result for each", |cx| Box::pin(many(cx))),
    Check::new("delete-many-quiet", "Quiet, it tells of failures alone", |cx| Box::pin(quiet(cx))),
    Check::new("delete-many-odd-keys", "It deletes keys with characters that XML escapes, or cannot hold", |cx| {
        Box::pin(odd_keys(cx))
    }),
    Check::new("delete-many-no-bucket", "In a missing bucket it is NoSuchBucket", |cx| Box::pin(many_no_bucket(cx))),
    Check::new("delete-many-if-match", "It only removes the object of a given ETag", |cx| Box::pin(many_if_match(cx))),
    Check::new("delete-keeps-neighbours", "Keys below a deleted key stay", |cx| Box::pin(neighbours(cx))),
];

async fn delete(cx: Context) -> Outcome {
    cx.put("key", "x").await?;
    cx.s3.delete_object(&cx.bucket, "key").await?;
    refused("GetObject", cx.s3.get_object(&cx.bucket, "key").await, &[ErrorKind::NoSuchKey])?;
    refused("HeadObject", cx.s3.head_object(&cx.bucket, "key").await, &[ErrorKind::NotFound]).map(drop)
}

async fn missing(cx: Context) -> Outcome {
    cx.s3.delete_object(&cx.bucket, "missing").await?;
    Ok(())
}

async fn no_bucket(cx: Context) -> Outcome {
    let deleted = cx.s3.delete_object(cx.free_name(), "key").await;
    refused("DeleteObject", deleted, &[ErrorKind::NoSuchBucket]).map(drop)
}

async fn many(cx: Context) -> Outcome {
    for n in 0..5 {
        cx.put(&format!("k{:04}", n * 250), "x").await?;
    }
    cx.put("other", "x").await?;
    // A missing key is deleted as well as one that is there.
    let keys: Vec<_> = (0..1_001).map(|n| format!("k{n:04}")).collect();
    let done = cx.s3.delete_objects(&cx.bucket, &keys).await?;
    equal("errors", done.errors.first().map(ToString::to_string), None)?;
    equal("deleted", done.deleted.iter().map(|one| &one.key).collect::<Vec<_>>(), keys.iter().collect::<Vec<_>>())?;
    equal("keys afterwards", cx.keys().await?, ["other"])
}

async fn quiet(cx: Context) -> Outcome {
    cx.put("a", "x").await?;
    let done = cx.s3.delete_objects(&cx.bucket, ["a", "missing"]).quiet().await?;
    equal("outcomes", (done.deleted.len(), done.errors.len()), (0, 0))?;
    equal("keys afterwards", cx.keys().await?, [""; 0])
}

async fn odd_keys(cx: Context) -> Outcome {
    let keys = ["a & b <c> \"d\" 'e'", "]]>", "\u{fffd}\u{1f980}", "odd\u{1}one", "odd\u{b}two"];
    for key in keys {
        cx.put(key, "x").await?;
    }
    let done = cx.s3.delete_objects(&cx.bucket, keys).await?;
    equal("errors", done.errors.first().map(ToString::to_string), None)?;
    equal("deleted", done.deleted.iter().map(|one| one.key.as_str()).collect::<Vec<_>>(), keys)?;
    equal("keys afterwards", cx.keys().await?, [""; 0])
}

async fn many_no_bucket(cx: Context) -> Outcome {
    let done = cx.s3.delete_objects(cx.free_name(), ["a", "b"]).await;
    refused("DeleteObjects", done, &[ErrorKind::NoSuchBucket]).map(drop)
}

async fn many_if_match(cx: Context) -> Outcome {
    let put = cx.put("a", "x").await?;
    cx.put("b", "x").await?;
    let mut right: wharf::ObjectIdentifier = "a".into();
    right.etag = Some(put.etag);
    let mut wrong: wharf::ObjectIdentifier = "b".into();
    wrong.etag = Some("\"0123456789abcdef0123456789abcdef\"".into());
    let done = cx.s3.delete_objects(&cx.bucket, [right, wrong]).await?;
    equal("deleted", done.deleted.iter().map(|one| one.key.as_str()).collect::<Vec<_>>(), ["a"])?;
    let errors: Vec<_> = done.errors.iter().map(|one| (one.key.as_str(), one.code.as_str())).collect();
    equal("errors", errors, [("b", "PreconditionFailed")])?;
    equal("keys afterwards", cx.keys().await?, ["b"])
}

async fn neighbours(cx: Context) -> Outcome {
    for key in ["a", "a/b", "a/b/c"] {
        cx.put(key, key).await?;
    }
    cx.s3.delete_object(&cx.bucket, "a/b").await?;
    equal("keys afterwards", cx.keys().await?, ["a", "a/b/c"])?;
    equal("below it", cx.bytes("a/b/c").await?, "a/b/c")
}
