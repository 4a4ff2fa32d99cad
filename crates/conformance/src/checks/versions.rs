//! Buckets that keep versions.

use wharf::{ErrorKind, VersioningStatus};

use super::Check;
use crate::context::Context;
use crate::expect::{Failure, Outcome, equal, holds, refused, some};

pub(super) const CHECKS: &[Check] = &[
    Check::new("versioning-status", "Versioning is off, enabled or suspended", |cx| Box::pin(status(cx))),
    Check::new("version-ids", "Each put makes a version, and each can be read", |cx| Box::pin(ids(cx))),
    Check::new("version-missing", "A version that does not exist is NoSuchVersion", |cx| Box::pin(missing(cx))),
    Check::new("version-delete-marker", "A delete hides the versions behind a marker", |cx| Box::pin(marker(cx))),
    Check::new("version-marker-read", "A delete marker cannot be read by its version", |cx| Box::pin(marker_read(cx))),
    Check::new("version-marker-removed", "Without its marker the object is back", |cx| Box::pin(marker_removed(cx))),
    Check::new("version-delete", "A version is deleted for good", |cx| Box::pin(delete(cx))),
    Check::new("version-delete-many", "DeleteObjects takes versions, and makes markers", |cx| {
        Box::pin(delete_many(cx))
    }),
    Check::new("version-suspended", "Suspended, a put replaces the version null", |cx| Box::pin(suspended(cx))),
    Check::new("version-list", "ListObjectVersions lists versions and markers, newest first", |cx| Box::pin(list(cx))),
    Check::new("version-list-pages", "It has pages that begin within a key's versions", |cx| {
        Box::pin(list_pages(cx, ["a", "b", "c"]))
    }),
    Check::new("version-list-encoded", "Its markers are encoded, and decoded once", |cx| {
        Box::pin(list_pages(cx, ["a +", "b%2B", "c d+"]))
    }),
    Check::new("version-list-prefix", "It has prefixes and delimiters", |cx| Box::pin(list_prefix(cx))),
    Check::new("version-copy", "CopyObject copies a version", |cx| Box::pin(copy(cx))),
    Check::new("version-copy-source", "CopyObject tells which version it copied, and which it made", |cx| {
        Box::pin(copy_source(cx))
    }),
    Check::new("version-tags", "Each version has tags of its own", |cx| Box::pin(tags(cx))),
    Check::new("version-multipart", "A multipart upload makes a version", |cx| Box::pin(multipart(cx))),
];

async fn enable(cx: &Context) -> Outcome {
    Ok(cx.s3.put_bucket_versioning(&cx.bucket, VersioningStatus::Enabled).await?)
}

/// Puts the bodies under one key, one after the other, and gives their versions.
async fn put(cx: &Context, key: &str, bodies: &[&str]) -> Result<Vec<String>, Failure> {
    let mut ids = Vec::new();
    for body in bodies {
        ids.push(some("the version id of a put", cx.put(key, *body).await?.version_id)?);
    }
    Ok(ids)
}

async fn version(cx: &Context, key: &str, id: &str) -> Result<String, Failure> {
    Ok(cx.s3.get_object(&cx.bucket, key).version_id(id).text().await?)
}

async fn status(cx: Context) -> Outcome {
    let found = async || cx.s3.get_bucket_versioning(&cx.bucket).await.map(|answer| answer.status);
    equal("of a new bucket", found().await?, None)?;
    enable(&cx).await?;
    equal("enabled", found().await?, Some(VersioningStatus::Enabled))?;
    cx.s3.put_bucket_versioning(&cx.bucket, VersioningStatus::Suspended).await?;
    equal("suspended", found().await?, Some(VersioningStatus::Suspended))
}

async fn ids(cx: Context) -> Outcome {
    enable(&cx).await?;
    let ids = put(&cx, "key", &["first", "second"]).await?;
    holds("the ids differ", ids[0] != ids[1])?;
    let object = cx.s3.get_object(&cx.bucket, "key").await?;
    equal("the current version", object.version_id.as_deref(), Some(ids[1].as_str()))?;
    equal("its body", object.text().await?, "second")?;
    equal("the first version", version(&cx, "key", &ids[0]).await?, "first")?;
    let head = cx.s3.head_object(&cx.bucket, "key").version_id(&ids[0]).await?;
    equal("its length", head.content_length, 5)
}

async fn missing(cx: Context) -> Outcome {
    enable(&cx).await?;
    let ids = put(&cx, "key", &["first", "second"]).await?;
    cx.s3.delete_object(&cx.bucket, "key").version_id(&ids[0]).await?;
    let got = cx.s3.get_object(&cx.bucket, "key").version_id(&ids[0]).await;
    refused("GetObject", got, &[ErrorKind::NoSuchVersion])?;
    let head = cx.s3.head_object(&cx.bucket, "key").version_id(&ids[0]).await;
    refused("HeadObject", head, &[ErrorKind::NotFound]).map(drop)
}

async fn marker(cx: Context) -> Outcome {
    enable(&cx).await?;
    let ids = put(&cx, "key", &["first"]).await?;
    let deleted = cx.s3.delete_object(&cx.bucket, "key").await?;
    holds("the answer tells of a marker", deleted.delete_marker && deleted.version_id.is_some())?;
    refused("GetObject", cx.s3.get_object(&cx.bucket, "key").await, &[ErrorKind::NoSuchKey])?;
    holds("it does not exist", !cx.s3.object_exists(&cx.bucket, "key").await?)?;
    equal("keys", cx.keys().await?, [""; 0])?;
    equal("the version behind it", version(&cx, "key", &ids[0]).await?, "first")
}

async fn marker_read(cx: Context) -> Outcome {
    enable(&cx).await?;
    put(&cx, "key", &["first"]).await?;
    let deleted = cx.s3.delete_object(&cx.bucket, "key").await?;
    let id = some("the marker's id", deleted.version_id)?;
    match cx.s3.get_object(&cx.bucket, "key").version_id(id).await {
        Ok(_) => Err(Failure::new("GetObject of the marker: succeeded")),
        Err(error) => equal("status", error.status().map(|status| status.as_u16()), Some(405)),
    }
}

async fn marker_removed(cx: Context) -> Outcome {
    enable(&cx).await?;
    put(&cx, "key", &["first"]).await?;
    let marker = some("the marker's id", cx.s3.delete_object(&cx.bucket, "key").await?.version_id)?;
    let removed = cx.s3.delete_object(&cx.bucket, "key").version_id(&marker).await?;
    equal("what was removed", (removed.delete_marker, removed.version_id), (true, Some(marker)))?;
    equal("the object", cx.bytes("key").await?, "first")
}

async fn delete(cx: Context) -> Outcome {
    enable(&cx).await?;
    let ids = put(&cx, "key", &["first", "second", "third"]).await?;
    cx.s3.delete_object(&cx.bucket, "key").version_id(&ids[2]).await?;
    equal("the current version", cx.bytes("key").await?, "second")?;
    let left = cx.s3.list_object_versions(&cx.bucket).items().collect().await?;
    let left: Vec<_> = left.into_iter().map(|version| version.version_id).collect();
    equal("what is left", left, [ids[1].clone(), ids[0].clone()])
}

async fn delete_many(cx: Context) -> Outcome {
    enable(&cx).await?;
    let ids = put(&cx, "key", &["first", "second"]).await?;
    put(&cx, "other", &["x"]).await?;
    let done = cx.s3.delete_objects(&cx.bucket, [("key", ids[1].as_str())]).await?;
    equal("errors", done.errors.len(), 0)?;
    equal("the version", done.deleted.first().map(|one| one.version_id.clone()), Some(Some(ids[1].clone())))?;
    let done = cx.s3.delete_objects(&cx.bucket, ["other"]).await?;
    let other = some("the outcome of other", done.deleted.first())?;
    holds("a marker was made", other.delete_marker && other.delete_marker_version_id.is_some())?;
    equal("the object that is left", cx.bytes("key").await?, "first")
}

async fn suspended(cx: Context) -> Outcome {
    cx.put("key", "before").await?;
    enable(&cx).await?;
    let ids = put(&cx, "key", &["enabled"]).await?;
    equal("the object of before is the version null", version(&cx, "key", "null").await?, "before")?;
    cx.s3.put_bucket_versioning(&cx.bucket, VersioningStatus::Suspended).await?;
    cx.put("key", "suspended").await?;
    equal("the version null", version(&cx, "key", "null").await?, "suspended")?;
    equal("the version with an id", version(&cx, "key", &ids[0]).await?, "enabled")?;
    let all = cx.s3.list_object_versions(&cx.bucket).items().collect().await?;
    equal("all", all.iter().map(|one| one.version_id.as_str()).collect::<Vec<_>>(), ["null", ids[0].as_str()])
}

async fn list(cx: Context) -> Outcome {
    enable(&cx).await?;
    let ids = put(&cx, "b", &["1", "22"]).await?;
    put(&cx, "a", &["x"]).await?;
    let marker = some("the marker's id", cx.s3.delete_object(&cx.bucket, "b").await?.version_id)?;
    let all = cx.s3.list_object_versions(&cx.bucket).await?.versions;
    let keys: Vec<_> =
        all.iter().map(|one| (one.key.as_str(), one.is_latest, one.is_delete_marker, one.size)).collect();
    equal(
        "versions",
        keys,
        [("a", true, false, 1), ("b", true, true, 0), ("b", false, false, 2), ("b", false, false, 1)],
    )?;
    let found: Vec<_> = all.iter().skip(1).map(|one| one.version_id.as_str()).collect();
    equal("ids", found, [marker.as_str(), ids[1].as_str(), ids[0].as_str()])?;
    holds("each has a date", all.iter().all(|one| one.last_modified.is_some()))
}

async fn list_pages(cx: Context, keys: [&str; 3]) -> Outcome {
    enable(&cx).await?;
    let mut wanted = Vec::new();
    for key in keys {
        let ids = put(&cx, key, &["1", "2", "3"]).await?;
        wanted.extend(ids.into_iter().rev().map(|id| (key.to_owned(), id)));
    }
    let page = cx.s3.list_object_versions(&cx.bucket).max_keys(4).await?;
    equal("versions on a page of four", (page.versions.len(), page.is_truncated), (4, true))?;
    let all = cx.s3.list_object_versions(&cx.bucket).max_keys(4).items().collect().await?;
    equal("all", all.into_iter().map(|one| (one.key, one.version_id)).collect::<Vec<_>>(), wanted)
}

async fn list_prefix(cx: Context) -> Outcome {
    enable(&cx).await?;
    for key in ["a/1", "a/2", "b"] {
        put(&cx, key, &["x"]).await?;
    }
    let page = cx.s3.list_object_versions(&cx.bucket).delimiter("/").await?;
    equal("prefixes", page.common_prefixes, ["a/"])?;
    equal("keys", page.versions.iter().map(|one| one.key.as_str()).collect::<Vec<_>>(), ["b"])?;
    let page = cx.s3.list_object_versions(&cx.bucket).prefix("a/2").await?;
    equal("by prefix", page.versions.iter().map(|one| one.key.as_str()).collect::<Vec<_>>(), ["a/2"])
}

async fn copy(cx: Context) -> Outcome {
    enable(&cx).await?;
    let ids = put(&cx, "key", &["first", "second"]).await?;
    cx.s3.copy_object(&cx.bucket, "key", &cx.bucket, "copy").source_version_id(&ids[0]).await?;
    equal("the copy", cx.bytes("copy").await?, "first")
}

async fn copy_source(cx: Context) -> Outcome {
    enable(&cx).await?;
    let ids = put(&cx, "key", &["first"]).await?;
    let copied = cx.s3.copy_object(&cx.bucket, "key", &cx.bucket, "copy").await?;
    equal("the source's version", copied.copy_source_version_id.as_deref(), Some(ids[0].as_str()))?;
    holds("the copy has a version", copied.version_id.is_some())
}

async fn tags(cx: Context) -> Outcome {
    enable(&cx).await?;
    let ids = put(&cx, "key", &["first", "second"]).await?;
    cx.s3.put_object_tagging(&cx.bucket, "key", [("on", "first")]).version_id(&ids[0]).await?;
    let of = async |id: &str| cx.s3.get_object_tagging(&cx.bucket, "key").version_id(id).await.map(|found| found.tags);
    equal("of the first", of(&ids[0]).await?, [("on", "first").into()])?;
    equal("of the second", of(&ids[1]).await?, [])
}

async fn multipart(cx: Context) -> Outcome {
    enable(&cx).await?;
    put(&cx, "key", &["first"]).await?;
    let (id, parts) = super::multipart::upload_parts(&cx, "key", &["in parts".into()]).await?;
    let done = cx.s3.complete_multipart_upload(&cx.bucket, "key", id).parts(parts).await?;
    let id = some("the version id", done.version_id)?;
    equal("its body", version(&cx, "key", &id).await?, "in parts")
}
