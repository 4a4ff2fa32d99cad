use wharf_embedded::Store;

use crate::support::*;

async fn set_versioning(store: &Store, status: &str) {
    let body = format!("<VersioningConfiguration><Status>{status}</Status></VersioningConfiguration>");
    put("/bucket?versioning").body(body).send(store).await.expect(200);
}

async fn write(store: &Store, body: &str) -> Option<String> {
    put("/bucket/k").body(body).send(store).await.expect(200).get("x-amz-version-id").map(str::to_owned)
}

/// An id is compared as it stands, however it was made.
#[tokio::test]
async fn an_id_has_one_spelling() {
    let store = store_with_bucket().await;
    write(&store, "null").await;
    set_versioning(&store, "Enabled").await;
    let mut id = write(&store, "x").await.unwrap();
    // Ids have a letter in their digits before long.
    while !id[1..16].contains(|digit: char| digit.is_ascii_lowercase()) {
        id = write(&store, "x").await.unwrap();
    }
    let salt = &id[16..];
    let upper = format!("v{}{salt}", id[1..16].to_uppercase());
    let signed = format!("v%2B{}{salt}", &id[2..16]);
    get(&format!("/bucket/k?versionId={id}")).send(&store).await.expect(200);
    for other in [upper, signed] {
        get(&format!("/bucket/k?versionId={other}")).send(&store).await.refused(404, "NoSuchVersion");
    }
    for number in 0..64 {
        let made_up = format!("/bucket/k?versionId=v{number:015x}{salt}");
        let answer = get(&made_up).send(&store).await;
        assert!(answer.status == 404 || answer.text() == "x", "{made_up} is the version called null");
    }
}

#[tokio::test]
async fn the_life_of_a_key() {
    let store = store_with_bucket().await;
    assert_eq!(get("/bucket?versioning").send(&store).await.element("Status"), None);
    assert_eq!(write(&store, "plain").await, None);
    set_versioning(&store, "Enabled").await;
    let one = write(&store, "one").await.unwrap();
    let two = write(&store, "two").await.unwrap();
    for (id, body) in [("null", "plain"), (&one, "one"), (&two, "two")] {
        let answer = get(&format!("/bucket/k?versionId={id}")).send(&store).await.expect(200);
        assert_eq!((answer.text().as_str(), answer.get("x-amz-version-id")), (body, Some(id)));
    }
    get("/bucket/k?versionId=made-up").send(&store).await.refused(404, "NoSuchVersion");

    let deleted = delete("/bucket/k").send(&store).await.expect(204);
    let marker = deleted.get("x-amz-version-id").unwrap().to_owned();
    assert_eq!(deleted.get("x-amz-delete-marker"), Some("true"));
    let gone = get("/bucket/k").send(&store).await.refused(404, "NoSuchKey");
    assert_eq!(gone.get("x-amz-delete-marker"), Some("true"));
    get(&format!("/bucket/k?versionId={marker}")).send(&store).await.refused(405, "MethodNotAllowed");
    assert_eq!(get("/bucket").send(&store).await.elements("Key"), Vec::<String>::new());
    // A first writer wins over a delete marker.
    put("/bucket/k").header("if-none-match", "*").body("three").send(&store).await.expect(200);

    let listed = get("/bucket?versions").send(&store).await;
    let ids = listed.elements("VersionId");
    assert_eq!(ids[1..], [marker.clone(), two.clone(), one.clone(), "null".to_owned()]);
    assert_eq!(listed.elements("IsLatest"), ["true", "false", "false", "false", "false"]);
    let mut paged = Vec::new();
    let mut target = "/bucket?max-keys=2&versions".to_owned();
    loop {
        let page = get(&target).send(&store).await.expect(200);
        paged.extend(page.elements("VersionId"));
        let Some(key) = page.element("NextKeyMarker") else { break };
        let id = page.element("NextVersionIdMarker").unwrap();
        target = format!("/bucket?key-marker={key}&max-keys=2&version-id-marker={id}&versions");
    }
    assert_eq!(paged, ids);

    // As AWS was found to answer, whether or not the tag holds (localstack/localstack#13894).
    let both = delete(&format!("/bucket/k?versionId={two}")).header("if-match", "*");
    let refused = both.send(&store).await.refused(501, "NotImplemented");
    assert_eq!(refused.element("Header").as_deref(), Some("If-Match"));
    let removed = delete(&format!("/bucket/k?versionId={marker}")).send(&store).await.expect(204);
    assert_eq!(removed.get("x-amz-delete-marker"), Some("true"));
    delete(&format!("/bucket/k?versionId={}", ids[0])).send(&store).await.expect(204);
    assert_eq!(get("/bucket/k").send(&store).await.text(), "two");

    set_versioning(&store, "Suspended").await;
    assert_eq!(write(&store, "again").await.as_deref(), Some("null"));
    assert_eq!(get("/bucket?versions").send(&store).await.elements("VersionId").len(), 3);
    delete("/bucket/k").send(&store).await.expect(204);
    let left = get("/bucket?versions").send(&store).await.elements("VersionId");
    assert_eq!(left, ["null".to_owned(), two, one]);
}

/// Each page is deleted before the next one is asked for, and something is written in between.
#[tokio::test]
async fn pages_go_on_behind_versions_that_are_gone() {
    let store = store_with_bucket().await;
    let page = async |key: &str, id: &str| {
        let target = format!("/bucket?key-marker={key}&max-keys=1&version-id-marker={id}&versions");
        let page = get(&target).send(&store).await.expect(200);
        (page.element("VersionId"), page.element("IsLatest"))
    };
    let remove = async |id: &str| delete(&format!("/bucket/k?versionId={id}")).send(&store).await.expect(204);
    let found = |id: &str, latest: &str| (Some(id.to_owned()), Some(latest.to_owned()));
    set_versioning(&store, "Enabled").await;
    let one = write(&store, "one").await.unwrap();
    let two = write(&store, "two").await.unwrap();
    let three = write(&store, "three").await.unwrap();
    set_versioning(&store, "Suspended").await;
    write(&store, "null").await;

    remove(&three).await;
    assert_eq!(page("k", &three).await, found(&two, "false"));
    remove("null").await;
    // Where the one called "null" was, nobody knows any more.
    assert_eq!(page("k", "null").await, found(&two, "true"));
    remove(&two).await;
    assert_eq!(page("k", &two).await, found(&one, "true"));
    // The older one, written later, is called "null" again.
    write(&store, "null").await;
    assert_eq!(page("k", &two).await, found(&one, "false"));
    assert_eq!(page("k", "null").await, found(&one, "false"));
    remove(&one).await;
    assert_eq!(page("k", &one).await, (None, None));
}

#[tokio::test]
async fn many_at_once() {
    let store = store_with_bucket().await;
    for key in ["a", "b", "c"] {
        put(&format!("/bucket/{key}")).send(&store).await.expect(200);
    }
    let objects: String =
        ["a", "b", "missing"].iter().map(|key| format!("<Object><Key>{key}</Key></Object>")).collect();
    let ask = |quiet: bool| {
        let body = format!("<Delete>{objects}<Quiet>{quiet}</Quiet></Delete>");
        use md5::{Digest, Md5};
        let md5 = base64(&Md5::digest(body.as_bytes()));
        post("/bucket?delete").header("content-md5", &md5).body(body)
    };
    assert_eq!(ask(false).send(&store).await.expect(200).elements("Key"), ["a", "b", "missing"]);
    assert_eq!(ask(true).send(&store).await.expect(200).elements("Key"), Vec::<String>::new());
    assert_eq!(get("/bucket").send(&store).await.elements("Key"), ["c"]);
}

#[tokio::test]
async fn locked_versions_stay() {
    let store = store();
    put("/bucket").header("x-amz-bucket-object-lock-enabled", "true").send(&store).await.expect(200);
    let locked = put("/bucket/k")
        .header("x-amz-object-lock-mode", "GOVERNANCE")
        .header("x-amz-object-lock-retain-until-date", "2013-05-25T00:00:00Z")
        .header("x-amz-object-lock-legal-hold", "ON");
    locked.send(&store).await.refused(400, "InvalidRequest");
    let locked = locked.header("x-amz-checksum-crc32", "AAAAAA==");
    let id = locked.send(&store).await.expect(200).get("x-amz-version-id").unwrap().to_owned();
    let there = head("/bucket/k").send(&store).await;
    assert_eq!(there.get("x-amz-object-lock-mode"), Some("GOVERNANCE"));
    assert_eq!(there.get("x-amz-object-lock-retain-until-date"), Some("2013-05-25T00:00:00.000Z"));
    assert_eq!(there.get("x-amz-object-lock-legal-hold"), Some("ON"));
    let remove = || delete(&format!("/bucket/k?versionId={id}"));
    let bypass = || remove().header("x-amz-bypass-governance-retention", "true");
    bypass().send(&store).await.refused(403, "AccessDenied");
    put("/bucket/k?legal-hold").body("<LegalHold><Status>OFF</Status></LegalHold>").send(&store).await.expect(200);
    assert_eq!(get("/bucket/k?legal-hold").send(&store).await.element("Status").as_deref(), Some("OFF"));
    remove().send(&store).await.refused(403, "AccessDenied");
    let retention = |mode: &str, until: &str| {
        let body = format!("<Retention><Mode>{mode}</Mode><RetainUntilDate>{until}</RetainUntilDate></Retention>");
        put("/bucket/k?retention").body(body)
    };
    retention("GOVERNANCE", "2013-05-23T12:00:00Z").send(&store).await.refused(400, "InvalidArgument");
    retention("GOVERNANCE", "2013-05-24T12:00:00Z").send(&store).await.refused(403, "AccessDenied");
    retention("GOVERNANCE", "2013-05-26T00:00:00Z").send(&store).await.expect(200);
    let told = get("/bucket/k?retention").send(&store).await;
    assert_eq!(told.element("RetainUntilDate").as_deref(), Some("2013-05-26T00:00:00.000Z"));
    // An empty one takes it away, as S3's documentation has it of governance.
    let none = put("/bucket/k?retention").body("<Retention></Retention>");
    none.send(&store).await.refused(403, "AccessDenied");
    let half = put("/bucket/k?retention").body("<Retention><Mode>GOVERNANCE</Mode></Retention>");
    half.header("x-amz-bypass-governance-retention", "true").send(&store).await.refused(400, "MalformedXML");
    none.header("x-amz-bypass-governance-retention", "true").send(&store).await.expect(200);
    get("/bucket/k?retention").send(&store).await.refused(404, "NoSuchObjectLockConfiguration");
    delete("/bucket/k").send(&store).await.expect(204);
    remove().send(&store).await.expect(204);

    let plain = store_with_bucket().await;
    let refused = put("/bucket/k").header("x-amz-object-lock-legal-hold", "ON").send(&plain).await;
    refused.refused(400, "InvalidRequest");
}

#[tokio::test]
async fn tags() {
    let store = store_with_bucket().await;
    put("/bucket/k").header("x-amz-tagging", "a=1").send(&store).await.expect(200);
    let tags = |body: &str| put("/bucket/k?tagging").body(format!("<Tagging><TagSet>{body}</TagSet></Tagging>"));
    let tag = |key: &str| format!("<Tag><Key>{key}</Key><Value>v</Value></Tag>");
    assert_eq!(get("/bucket/k?tagging").send(&store).await.elements("Key"), ["a"]);
    tags(&(tag("x") + &tag("y"))).send(&store).await.expect(200);
    assert_eq!(get("/bucket/k?tagging").send(&store).await.elements("Key"), ["x", "y"]);
    tags(&(tag("x") + &tag("x"))).send(&store).await.refused(400, "InvalidTag");
    tags("<Tag><Key>x</Key></Tag>").send(&store).await.refused(400, "MalformedXML");
    delete("/bucket/k?tagging").send(&store).await.expect(204);
    assert_eq!(get("/bucket/k?tagging").send(&store).await.elements("Key"), Vec::<String>::new());
    get("/bucket?tagging").send(&store).await.refused(404, "NoSuchTagSet");
    let body = format!("<Tagging><TagSet>{}</TagSet></Tagging>", tag("team"));
    put("/bucket?tagging").body(body).send(&store).await.expect(204);
    assert_eq!(get("/bucket?tagging").send(&store).await.expect(200).elements("Key"), ["team"]);
    delete("/bucket?tagging").send(&store).await.expect(204);
    get("/bucket?tagging").send(&store).await.refused(404, "NoSuchTagSet");
    get("/bucket/none?tagging").send(&store).await.refused(404, "NoSuchKey");
}
