use wharf_embedded::Store;
use wharf_transport::{Body, Transport};

use crate::support::*;

#[tokio::test]
async fn a_client_learns_all_it_needs() {
    let store = Store::builder().region("eu-west-1").domain("objects.test").domain("other.test").build();
    let defaults = store.defaults().unwrap();
    assert_eq!((defaults.endpoint.as_str(), defaults.region.as_str()), ("http://objects.test", "eu-west-1"));
    assert_eq!(
        (defaults.access_key_id.as_str(), defaults.secret_access_key.as_str()),
        (store.access_key_id(), store.secret_access_key())
    );
    assert_eq!(Store::in_memory().defaults().unwrap().endpoint, "http://s3.localhost");
    assert_ne!(Store::in_memory().secret_access_key(), Store::in_memory().secret_access_key());
    assert!(!format!("{store:?} {defaults:?}").contains(store.secret_access_key()));
}

#[tokio::test]
async fn clones_are_one_store() {
    let store = store_with_bucket().await;
    let (request, _) = put("/bucket/k").body("x").signed();
    let answer = Answer::of(store.clone().send(request).await.unwrap()).await.expect(200);
    assert!(answer.get("etag").is_some());
    assert_eq!(get("/bucket/k").send(&store).await.expect(200).text(), "x");
    assert_eq!(store.requests().len(), 3);
}

#[tokio::test]
async fn the_host_may_be_in_the_uri_alone() {
    let store = store_with_bucket().await;
    let (request, _) = get("/").set(|it| it.headers[0].1 = "bucket.s3.localhost".to_owned()).signed();
    let (mut head, _) = request.into_parts();
    head.headers.remove("host");
    head.uri = "http://bucket.s3.localhost/".parse().unwrap();
    let answer = Answer::of(store.handle(http::Request::from_parts(head, Body::empty())).await).await.expect(200);
    assert_eq!(answer.element("Name").as_deref(), Some("bucket"));
}

#[tokio::test]
async fn regions_have_their_rules() {
    let store = Store::builder().credentials(KEY, SECRET).region("eu-west-1").clock(|| at(NOW)).build();
    let here = |it: &mut Ask| it.region = "eu-west-1".to_owned();
    let create = |name: &str, constraint: &str| {
        let body = format!(
            "<CreateBucketConfiguration><LocationConstraint>{constraint}</LocationConstraint></CreateBucketConfiguration>"
        );
        put(name).set(here).body(if constraint.is_empty() { String::new() } else { body })
    };
    create("/bucket", "").send(&store).await.refused(400, "IllegalLocationConstraintException");
    create("/bucket", "us-east-1").send(&store).await.refused(400, "InvalidLocationConstraint");
    create("/bucket", "eu-west-1").send(&store).await.expect(200);
    create("/old-name", "EU").send(&store).await.expect(200);
    let told = get("/bucket?location").set(here).send(&store).await.expect(200);
    assert!(told.text().ends_with(">eu-west-1</LocationConstraint>"), "{}", told.text());
}
