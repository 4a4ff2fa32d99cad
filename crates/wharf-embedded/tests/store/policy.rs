//! Bucket policies: what they open, what they shut, and for whom. How statements are read and weighed is tested where
//! that is done; here they meet requests.

use serde_json::{Value, json};
use wharf_embedded::Store;

use crate::support::*;

/// The bucket's policy is `statements` from now on.
async fn police(store: &Store, statements: Value) {
    let policy = json!({"Version": "2012-10-17", "Statement": statements});
    put("/bucket?policy").body(policy.to_string()).send(store).await.expect(204);
}

fn statement(effect: &str, action: Value, resource: &str, condition: Value) -> Value {
    json!({"Effect": effect, "Principal": "*", "Action": action, "Resource": format!("arn:aws:s3:::{resource}"),
        "Condition": condition})
}

fn allow(action: &str, resource: &str) -> Value {
    statement("Allow", json!(action), resource, json!({}))
}

async fn store_with_objects() -> Store {
    let store = store_with_bucket().await;
    for key in ["public/a", "shut/a"] {
        put(&format!("/bucket/{key}")).header("x-amz-tagging", "team=blue").body("x").send(&store).await.expect(200);
    }
    store
}

#[tokio::test]
async fn reading_is_opened_by_prefix() {
    let store = store_with_objects().await;
    police(&store, allow("s3:GetObject", "bucket/public/*")).await;
    get("/bucket/public/a").send_bare(&store).await.expect(200);
    head("/bucket/public/a").send_bare(&store).await.expect(200);
    get("/bucket/shut/a").send_bare(&store).await.refused(403, "AccessDenied");
    get("/bucket/public/none").send_bare(&store).await.refused(403, "AccessDenied");
    get("/bucket/public/a?versionId=null").send_bare(&store).await.refused(403, "AccessDenied");
    get("/bucket/public/a?tagging").send_bare(&store).await.refused(403, "AccessDenied");
    get("/bucket").send_bare(&store).await.refused(403, "AccessDenied");
    put("/bucket/public/a").send_bare(&store).await.refused(403, "AccessDenied");
    police(&store, json!([allow("s3:GetObject*", "bucket/public/*"), allow("s3:ListBucket", "bucket")])).await;
    get("/bucket/public/none").send_bare(&store).await.refused(404, "NoSuchKey");
    get("/bucket/public/a?versionId=null").send_bare(&store).await.expect(200);
    get("/bucket/public/a?tagging").send_bare(&store).await.expect(200);
    get("/bucket?list-type=2").send_bare(&store).await.expect(200);
    delete("/bucket?policy").send(&store).await.expect(204);
    get("/bucket/public/a").send_bare(&store).await.refused(403, "AccessDenied");
}

#[tokio::test]
async fn every_operation_has_its_action() {
    let store = store_with_objects().await;
    put("/bucket?tagging").body("<Tagging><TagSet/></Tagging>").send(&store).await.expect(204);
    let tags = "<Tagging><TagSet/></Tagging>";
    for (action, resource, ask, status) in [
        ("s3:PutObject", "bucket/*", put("/bucket/new"), 200),
        ("s3:DeleteObject", "bucket/*", delete("/bucket/new"), 204),
        ("s3:DeleteObjectVersion", "bucket/*", delete("/bucket/new?versionId=null"), 204),
        ("s3:GetObjectAcl", "bucket/*", get("/bucket/public/a?acl"), 200),
        ("s3:PutObjectAcl", "bucket/*", put("/bucket/public/a?acl").header("x-amz-acl", "private"), 200),
        ("s3:PutObjectTagging", "bucket/*", put("/bucket/public/a?tagging").body(tags), 200),
        ("s3:DeleteObjectTagging", "bucket/*", delete("/bucket/public/a?tagging"), 204),
        ("s3:ListBucketVersions", "bucket", get("/bucket?versions"), 200),
        ("s3:ListBucketMultipartUploads", "bucket", get("/bucket?uploads"), 200),
        ("s3:ListBucket", "bucket", head("/bucket"), 200),
        ("s3:GetBucketLocation", "bucket", get("/bucket?location"), 200),
        ("s3:GetBucketVersioning", "bucket", get("/bucket?versioning"), 200),
        ("s3:GetBucketAcl", "bucket", get("/bucket?acl"), 200),
        ("s3:GetBucketCORS", "bucket", get("/bucket?cors"), 404),
        ("s3:GetLifecycleConfiguration", "bucket", get("/bucket?lifecycle"), 404),
        ("s3:GetEncryptionConfiguration", "bucket", get("/bucket?encryption"), 200),
        ("s3:GetBucketPolicyStatus", "bucket", get("/bucket?policyStatus"), 200),
        ("s3:PutBucketTagging", "bucket", delete("/bucket?tagging"), 204),
    ] {
        police(&store, allow(action, resource)).await;
        let opened = ask.send_bare(&store).await;
        assert_eq!(opened.status, status, "{action}: {}", opened.text());
        let others = json!([{"Effect": "Allow", "Principal": "*", "NotAction": action,
            "Resource": ["arn:aws:s3:::bucket", "arn:aws:s3:::bucket/*"]}]);
        police(&store, others).await;
        assert_eq!(ask.send_bare(&store).await.status, 403, "all but {action}");
    }
}

/// A header that is there twice is judged by the value that counts.
#[tokio::test]
async fn a_second_value_hides_nothing() {
    let store = store_with_bucket().await;
    let private = json!({"StringEquals": {"s3:x-amz-acl": "private"}});
    police(&store, statement("Allow", json!(["s3:PutObject", "s3:PutObjectAcl"]), "bucket/*", private)).await;
    let mut asks = Vec::new();
    for values in [["public-read", "private"], ["private", "public-read"]] {
        let ask = put("/bucket/k").body("x").header("x-amz-acl", values[0]).header("x-amz-acl", values[1]);
        asks.push(ask.send_bare(&store).await.status.as_u16());
    }
    assert_eq!(asks, [403, 200]);
    assert!(!get("/bucket/k?acl").send_bare(&store).await.text().contains("AllUsers"));
}

#[tokio::test]
async fn denial_is_for_the_owner_too() {
    let store = store_with_objects().await;
    police(&store, statement("Deny", json!("s3:*"), "bucket*", json!({}))).await;
    get("/bucket/public/a").send(&store).await.refused(403, "AccessDenied");
    get("/bucket").send(&store).await.refused(403, "AccessDenied");
    put("/bucket/new").send(&store).await.refused(403, "AccessDenied");
    delete("/bucket").send(&store).await.refused(403, "AccessDenied");
    get("/bucket?policy").send(&store).await.expect(200);
    delete("/bucket?policy").send(&store).await.expect(204);
    get("/bucket/public/a").send(&store).await.expect(200);
    police(&store, statement("Deny", json!("s3:GetObject"), "bucket/shut/*", json!({}))).await;
    get("/bucket/shut/none").send(&store).await.refused(403, "AccessDenied");
    let copy = put("/bucket/c").header("x-amz-copy-source", "bucket/shut/a");
    copy.send(&store).await.refused(403, "AccessDenied");
}

#[tokio::test]
async fn conditions_meet_requests() {
    let store = store_with_objects().await;
    let only = |action: &str, resource: &str, condition: Value| statement("Allow", json!(action), resource, condition);
    for (statement, ask, allowed) in [
        (
            only("s3:ListBucket", "bucket", json!({"StringEquals": {"s3:prefix": "public/"}})),
            get("/bucket?prefix=public%2F"),
            true,
        ),
        (
            only("s3:ListBucket", "bucket", json!({"StringEquals": {"s3:prefix": "public/"}})),
            get("/bucket?prefix=shut%2F"),
            false,
        ),
        (only("s3:ListBucket", "bucket", json!({"StringEquals": {"s3:prefix": "public/"}})), get("/bucket"), false),
        (
            only("s3:ListBucket", "bucket", json!({"NumericLessThan": {"s3:max-keys": "10"}})),
            get("/bucket?max-keys=9"),
            true,
        ),
        (
            only("s3:GetObject", "bucket/*", json!({"StringLike": {"aws:Referer": "https://a.example/*"}})),
            get("/bucket/public/a").header("referer", "https://a.example/x"),
            true,
        ),
        (
            only("s3:GetObject", "bucket/*", json!({"StringLike": {"aws:Referer": "https://a.example/*"}})),
            get("/bucket/public/a"),
            false,
        ),
        (
            only("s3:GetObject", "bucket/*", json!({"StringEquals": {"s3:ExistingObjectTag/team": "blue"}})),
            get("/bucket/public/a"),
            true,
        ),
        (
            only("s3:GetObject", "bucket/*", json!({"StringEquals": {"s3:ExistingObjectTag/team": "red"}})),
            get("/bucket/public/a"),
            false,
        ),
        (
            only("s3:GetObject", "bucket/*", json!({"DateLessThan": {"aws:CurrentTime": "2013-05-25T00:00:00Z"}})),
            get("/bucket/public/a"),
            true,
        ),
        (
            only("s3:GetObject", "bucket/*", json!({"DateGreaterThan": {"aws:CurrentTime": "2013-05-25T00:00:00Z"}})),
            get("/bucket/public/a"),
            false,
        ),
        (
            only("s3:GetObject", "bucket/*", json!({"Bool": {"aws:SecureTransport": "true"}})),
            get("/bucket/public/a"),
            false,
        ),
        (
            only("s3:GetObject", "bucket/*", json!({"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}})),
            get("/bucket/public/a"),
            false,
        ),
        (
            only("s3:GetObjectVersion", "bucket/*", json!({"StringEquals": {"s3:VersionId": "null"}})),
            get("/bucket/public/a?versionId=null"),
            true,
        ),
        (
            only("s3:PutObject", "bucket/*", json!({"StringEquals": {"s3:x-amz-server-side-encryption": "AES256"}})),
            put("/bucket/n").header("x-amz-server-side-encryption", "AES256"),
            true,
        ),
        (
            only("s3:PutObject", "bucket/*", json!({"StringEquals": {"s3:x-amz-server-side-encryption": "AES256"}})),
            put("/bucket/n"),
            false,
        ),
    ] {
        police(&store, statement.clone()).await;
        let status = ask.send_bare(&store).await.status;
        assert_eq!(status, if allowed { 200 } else { 403 }, "{statement}");
    }
    let acl = json!([
        allow("s3:PutObject", "bucket/*"),
        only("s3:PutObjectAcl", "bucket/*", json!({"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}}))
    ]);
    police(&store, acl).await;
    for (acl, status) in [("bucket-owner-full-control", 200), ("public-read", 403)] {
        put("/bucket/n").header("x-amz-acl", acl).by_neighbour().send(&store).await.expect(status);
    }
    let tagged = json!([
        allow("s3:PutObject", "bucket/*"),
        only("s3:PutObjectTagging", "bucket/*", json!({"StringEquals": {"s3:RequestObjectTag/team": "blue"}}))
    ]);
    police(&store, tagged).await;
    for (tags, status) in [("team=blue", 200), ("team=red", 403)] {
        put("/bucket/n2").header("x-amz-tagging", tags).send_bare(&store).await.expect(status);
    }
}

#[tokio::test]
async fn accounts_are_told_apart() {
    let store = store_with_objects().await;
    let id = get("/").by_neighbour().send(&store).await.element("ID").unwrap();
    let to = |principal: Value| json!({"Effect": "Allow", "Principal": principal, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::bucket/*"});
    police(&store, to(json!({"CanonicalUser": id}))).await;
    get("/bucket/shut/a").by_neighbour().send(&store).await.expect(200);
    get("/bucket/shut/a").send_bare(&store).await.refused(403, "AccessDenied");
    police(&store, to(json!({"AWS": store.account_id()}))).await;
    get("/bucket/shut/a").by_neighbour().send(&store).await.refused(403, "AccessDenied");
    // A policy cannot give away what is another's.
    put("/bucket?acl").header("x-amz-acl", "public-read-write").send(&store).await.expect(200);
    put("/bucket/theirs").by_neighbour().send(&store).await.expect(200);
    police(&store, allow("s3:GetObject", "bucket/*")).await;
    get("/bucket/shut/a").send_bare(&store).await.expect(200);
    get("/bucket/theirs").send_bare(&store).await.refused(403, "AccessDenied");
    // Nor its own document to anybody else.
    police(&store, allow("s3:*", "bucket*")).await;
    put("/bucket?policy").body("{}").by_neighbour().send(&store).await.refused(405, "MethodNotAllowed");
    get("/bucket?policy").send_bare(&store).await.refused(405, "MethodNotAllowed");
}

#[tokio::test]
async fn public_policies_are_told_and_blocked() {
    let store = store_with_objects().await;
    let status = async || get("/bucket?policyStatus").send(&store).await.expect(200).element("IsPublic").unwrap();
    police(&store, allow("s3:GetObject", "bucket/*")).await;
    assert_eq!(status().await, "true");
    let block = |what: &str| {
        put("/bucket?publicAccessBlock")
            .body(format!("<PublicAccessBlockConfiguration><{what}>true</{what}></PublicAccessBlockConfiguration>"))
    };
    block("RestrictPublicBuckets").send(&store).await.expect(200);
    get("/bucket/public/a").send_bare(&store).await.refused(403, "AccessDenied");
    get("/bucket/public/a").by_neighbour().send(&store).await.refused(403, "AccessDenied");
    get("/bucket/public/a").send(&store).await.expect(200);
    block("BlockPublicPolicy").send(&store).await.expect(200);
    get("/bucket/public/a").send_bare(&store).await.expect(200);
    let policy = json!({"Version": "2012-10-17", "Statement": allow("s3:GetObject", "bucket/*")}).to_string();
    put("/bucket?policy").body(policy).send(&store).await.refused(403, "AccessDenied");
    let mine = json!([{"Effect": "Allow", "Principal": {"AWS": store.account_id()}, "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::bucket/*"}]);
    police(&store, mine).await;
    assert_eq!(status().await, "false");
}

#[tokio::test]
async fn a_bad_policy_is_refused_and_changes_nothing() {
    let store = store_with_objects().await;
    police(&store, allow("s3:GetObject", "bucket/*")).await;
    for bad in [
        statement("Allow", json!("s3:GetObject"), "other/*", json!({})),
        statement("Allow", json!("s3:GetObject"), "bucket/*", json!({"StringEqual": {"s3:prefix": "a"}})),
        statement("Allow", json!("s3:GetObject"), "bucket/*", json!({"StringEquals": {"s3:colour": "a"}})),
    ] {
        let policy = json!({"Version": "2012-10-17", "Statement": bad}).to_string();
        put("/bucket?policy").body(policy).send(&store).await.refused(400, "MalformedPolicy");
    }
    let variable = statement("Allow", json!("s3:GetObject"), "bucket/${aws:userid}/*", json!({}));
    let policy = json!({"Version": "2012-10-17", "Statement": variable}).to_string();
    put("/bucket?policy").body(policy).send(&store).await.refused(501, "NotImplemented");
    get("/bucket/public/a").send_bare(&store).await.expect(200);
}
