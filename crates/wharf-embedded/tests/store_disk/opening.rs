//! Opening a data directory: again, at the wrong time, and where there is something else.

use std::path::Path;

use wharf_embedded::{OpenError, Store};

use crate::support::*;

fn open(path: &Path) -> Result<Store, OpenError> {
    Store::builder().credentials(KEY, SECRET).clock(|| at(NOW)).open(path)
}

fn refusal(path: &Path) -> String {
    open(path).unwrap_err().to_string()
}

#[tokio::test]
async fn everything_is_there_again() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("made/on/the/way");
    let big = vec![b'x'; 300_000];
    let store = open(&path).unwrap();
    put("/bucket").header("x-amz-bucket-object-lock-enabled", "true").send(&store).await.expect(200);
    put("/bucket?tagging")
        .body("<Tagging><TagSet><Tag><Key>a</Key><Value>1</Value></Tag></TagSet></Tagging>")
        .send(&store)
        .await
        .expect(204);
    let first = put("/bucket/k")
        .header("x-amz-meta-name", "v\u{e9}")
        .header("content-type", "t/t")
        .header("x-amz-tagging", "b=2")
        .header("x-amz-acl", "public-read")
        .header("x-amz-object-lock-mode", "GOVERNANCE")
        .header("x-amz-object-lock-retain-until-date", "2013-06-24T00:00:00Z")
        .header("x-amz-checksum-sha256", &base64(&sha2(&big)))
        .body(big.clone());
    let first = first.send(&store).await.expect(200).get("x-amz-version-id").unwrap().to_owned();
    let second = put("/bucket/k").body("small").send(&store).await.get("x-amz-version-id").unwrap().to_owned();
    let marker = delete("/bucket/k").send(&store).await.expect(204).get("x-amz-version-id").unwrap().to_owned();
    let id = post("/bucket/m?uploads").send(&store).await.element("UploadId").unwrap();
    let part = put(&format!("/bucket/m?partNumber=2&uploadId={id}")).body("part").send(&store).await.expect(200);
    drop(store);

    let store = open(&path).unwrap();
    assert_eq!(get("/bucket?tagging").send(&store).await.element("Key").as_deref(), Some("a"));
    let versions = get("/bucket?versions").send(&store).await.expect(200);
    assert_eq!(versions.elements("VersionId"), [marker.as_str(), second.as_str(), first.as_str()]);
    get("/bucket/k").send(&store).await.refused(404, "NoSuchKey");
    assert_eq!(get(&format!("/bucket/k?versionId={second}")).send(&store).await.expect(200).body, b"small");
    let found = get(&format!("/bucket/k?versionId={first}")).header("x-amz-checksum-mode", "ENABLED");
    let found = found.send(&store).await.expect(200);
    assert_eq!(found.body, big);
    for (name, value) in [
        ("content-type", "t/t"),
        ("x-amz-tagging-count", "1"),
        ("x-amz-object-lock-mode", "GOVERNANCE"),
        ("x-amz-object-lock-retain-until-date", "2013-06-24T00:00:00.000Z"),
        ("x-amz-checksum-sha256", &base64(&sha2(&big))),
        ("last-modified", "Fri, 24 May 2013 00:00:00 GMT"),
    ] {
        assert_eq!(found.get(name), Some(value), "{name}");
    }
    assert_eq!(found.headers["x-amz-meta-name"].as_bytes(), "v\u{e9}".as_bytes());
    let acl = get(&format!("/bucket/k?acl&versionId={first}")).send(&store).await.expect(200);
    assert_eq!(acl.elements("Permission"), ["FULL_CONTROL", "READ"]);
    delete(&format!("/bucket/k?versionId={first}")).send(&store).await.refused(403, "AccessDenied");

    let listed = get("/bucket?uploads").send(&store).await;
    assert_eq!(listed.elements("UploadId"), [id.as_str()]);
    let etag = part.get("etag").unwrap();
    let whole = format!(
        "<CompleteMultipartUpload><Part><PartNumber>2</PartNumber><ETag>{etag}</ETag></Part></CompleteMultipartUpload>"
    );
    let whole = post(&format!("/bucket/m?uploadId={id}")).body(whole).send(&store).await.expect(200);
    // Names go on where they ended.
    assert!(whole.get("x-amz-version-id").unwrap() > marker.as_str());
    assert_eq!(get("/bucket/m").send(&store).await.expect(200).body, b"part");
}

fn sha2(bytes: &[u8]) -> Vec<u8> {
    use sha2::{Digest, Sha256};
    Sha256::digest(bytes).to_vec()
}

#[tokio::test]
async fn a_directory_in_use_is_refused_by_name() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).unwrap();
    let (path, process) = (directory.path().display(), std::process::id());
    let expected =
        format!("the data directory {path} is in use by process {process}; stop it, or name another directory");
    assert_eq!(refusal(directory.path()), expected);
    // A clone is the same store.
    let clone = store.clone();
    drop(store);
    assert_eq!(refusal(directory.path()), expected);
    drop(clone);
    open(directory.path()).unwrap();
}

#[test]
fn a_later_format_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    drop(open(path).unwrap());
    assert_eq!(std::fs::read_to_string(path.join("format")).unwrap(), "wharf data, format 1\n");
    std::fs::write(path.join("format"), "wharf data, format 2\n").unwrap();
    let expected = format!(
        "the data directory {} has format 2, and this version knows none above 1; use a later version",
        path.display()
    );
    assert_eq!(refusal(path), expected);
}

#[test]
fn what_is_no_data_directory_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    std::fs::write(path.join("letter.txt"), "dear").unwrap();
    let expected = format!(
        "{} is neither empty nor a data directory of wharf's; name one that is empty, or does not exist",
        path.display()
    );
    assert_eq!(refusal(path), expected);
    assert!(!path.join("lock").exists(), "nothing is written into it");
    std::fs::remove_file(path.join("letter.txt")).unwrap();
    std::fs::write(path.join("lock"), "of my diary").unwrap();
    assert_eq!(refusal(path), expected);
    assert_eq!(std::fs::read_to_string(path.join("lock")).unwrap(), "of my diary");
    std::fs::write(path.join("letter.txt"), "dear").unwrap();
    std::fs::write(path.join("format"), "A5").unwrap();
    assert_eq!(refusal(path), expected);
    let file = path.join("letter.txt");
    let refused = refusal(&file);
    assert!(refused.starts_with(&format!("cannot use the data directory {}: ", file.display())), "{refused}");
    std::fs::remove_file(path.join("format")).unwrap();
    std::fs::remove_file(file).unwrap();
    open(path).unwrap();
}

#[test]
fn a_damaged_database_says_so() {
    let directory = tempfile::tempdir().unwrap();
    drop(open(directory.path()).unwrap());
    std::fs::write(directory.path().join("metadata.redb"), [7; 5000]).unwrap();
    let refused = refusal(directory.path());
    let expected = format!("the database in the data directory {} cannot be read: ", directory.path().display());
    assert!(refused.starts_with(&expected) && refused.lines().count() == 1, "{refused}");
}

#[tokio::test]
async fn a_database_that_is_missing_is_not_made_anew() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).unwrap();
    put("/bucket").send(&store).await.expect(200);
    drop(store);
    let (database, kept) = (directory.path().join("metadata.redb"), directory.path().join("files/kept"));
    std::fs::rename(&database, &kept).unwrap();
    let expected = format!(
        "the database in the data directory {} cannot be read: metadata.redb is missing; restore it together with files",
        directory.path().display()
    );
    assert_eq!(refusal(directory.path()), expected);
    assert!(!database.exists());
    std::fs::rename(&kept, &database).unwrap();
    head("/bucket").send(&open(directory.path()).unwrap()).await.expect(200);
}

#[cfg(unix)]
#[tokio::test]
async fn all_is_the_users_alone() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("data");
    let store = open(&path).unwrap();
    put("/bucket").send(&store).await.expect(200);
    put("/bucket/k").body(vec![1; 100_000]).send(&store).await.expect(200);
    let mut left = vec![path];
    while let Some(path) = left.pop() {
        let mode = std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, if path.is_dir() { 0o700 } else { 0o600 }, "{}", path.display());
        if path.is_dir() {
            left.extend(std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        }
    }
}
