//! What each personality does, and that the store remains itself in all else.

use wharf_embedded::{Personality, Store};

use crate::support::*;

async fn like(personality: Personality) -> Store {
    let store = Store::builder().credentials(KEY, SECRET).clock(|| at(NOW)).personality(personality).build();
    put("/bucket").send(&store).await.expect(200);
    put("/bucket/k").body("x").send(&store).await.expect(200);
    store
}

fn wrong_checksum() -> Ask {
    put("/bucket/k").body("x").header("x-amz-checksum-crc32", "AAAAAA==")
}

fn absent() -> Ask {
    put("/bucket/k").body("x").header("if-none-match", "*")
}

fn delete_other() -> Ask {
    delete("/bucket/k").header("if-match", "\"other\"")
}

fn copy() -> Ask {
    put("/bucket/k").header("x-amz-copy-source", "bucket/k").header("x-amz-metadata-directive", "REPLACE")
}

fn framed(payload: &str) -> Ask {
    put("/bucket/k").header("x-amz-decoded-content-length", "0").set(|it| it.payload = Some(payload.to_owned()))
}

fn trailer(payload: &str) -> Ask {
    framed(payload).header("x-amz-trailer", "x-amz-checksum-crc32")
}

#[tokio::test]
async fn ceph() {
    let store = like(Personality::Ceph).await;
    wrong_checksum().send(&store).await.expect(200);
    absent().send(&store).await.refused(412, "PreconditionFailed");
    copy().header("if-none-match", "*").send(&store).await.expect(200);
    copy().header("x-amz-copy-source-if-match", "\"other\"").send(&store).await.expect(200);
    trailer("STREAMING-UNSIGNED-PAYLOAD-TRAILER").send(&store).await.refused(400, "XAmzContentSHA256Mismatch");
    get("/bucket/k?tagging").send(&store).await.expect(200);
    delete_other().send(&store).await.expect(204);
}

#[tokio::test]
async fn garage() {
    let store = like(Personality::Garage).await;
    wrong_checksum().send(&store).await.refused(400, "BadDigest");
    absent().send(&store).await.expect(200);
    copy().header("if-none-match", "*").send(&store).await.expect(200);
    copy().header("x-amz-copy-source-if-match", "\"other\"").send(&store).await.refused(412, "PreconditionFailed");
    trailer("STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER").send(&store).await.refused(400, "InvalidRequest");
    for target in ["/bucket/k?tagging", "/bucket?tagging", "/bucket?versions"] {
        get(target).send(&store).await.refused(501, "NotImplemented");
    }
    put("/bucket?versioning").send(&store).await.refused(501, "NotImplemented");
    get("/bucket/k").header("if-match", "\"other\"").send(&store).await.refused(412, "PreconditionFailed");
    delete_other().send(&store).await.expect(204);
}

#[tokio::test]
async fn rclone() {
    let store = like(Personality::Rclone).await;
    wrong_checksum().send(&store).await.expect(200);
    absent().send(&store).await.expect(200);
    copy().header("x-amz-copy-source-if-match", "\"other\"").send(&store).await.expect(200);
    put("/bucket?versioning").send(&store).await.refused(501, "NotImplemented");
    delete_other().send(&store).await.expect(204);
}

#[tokio::test]
async fn plain() {
    let store = like(Personality::Plain).await;
    wrong_checksum().send(&store).await.expect(200);
    absent().send(&store).await.expect(200);
    get("/bucket/k").header("if-match", "\"other\"").send(&store).await.expect(200);
    copy().header("x-amz-copy-source-if-match", "\"other\"").send(&store).await.expect(200);
    framed("STREAMING-AWS4-HMAC-SHA256-PAYLOAD").send(&store).await.refused(501, "NotImplemented");
    let by_host = get("/bucket/k").set(|it| it.headers[0].1 = "other.s3.localhost".to_owned());
    assert_eq!(by_host.send(&store).await.expect(200).text(), "x");
}

#[tokio::test]
async fn it_stays_when_faults_go_and_gives_way_to_them() {
    let store = like(Personality::Garage).await;
    store.inject(wharf_embedded::Fault::respond(503, "SlowDown").times(1)).unwrap();
    get("/bucket?versions").send(&store).await.refused(503, "SlowDown");
    store.clear_faults();
    get("/bucket?versions").send(&store).await.refused(501, "NotImplemented");
}
