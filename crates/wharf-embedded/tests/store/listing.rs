use crate::support::*;

async fn filled(keys: &[&str]) -> wharf_embedded::Store {
    let store = store_with_bucket().await;
    for key in keys {
        put(&format!("/bucket/{}", encode(key))).send(&store).await.expect(200);
    }
    store
}

#[tokio::test]
async fn pages_in_byte_order() {
    // By UTF-16 units, the last two would change places.
    let keys = ["a", "a/1", "a0", "é", "\u{FFFD}", "\u{10000}"];
    let store = filled(&keys).await;
    let mut seen = Vec::new();
    let mut target = "/bucket?list-type=2&max-keys=4".to_owned();
    loop {
        let page = get(&target).send(&store).await.expect(200);
        seen.extend(page.elements("Key"));
        assert_eq!(page.element("StartAfter"), None, "a token stands for it");
        let token = page.element("NextContinuationToken");
        assert_eq!(page.element("IsTruncated").unwrap(), token.is_some().to_string());
        assert_eq!(page.element("KeyCount").unwrap(), page.elements("Key").len().to_string());
        let Some(token) = token else { break };
        target = format!("/bucket?continuation-token={}&list-type=2&max-keys=4&start-after=0", encode(&token));
    }
    assert_eq!(seen, keys);
    get("/bucket?continuation-token=made-up&list-type=2").send(&store).await.refused(400, "InvalidArgument");
}

#[tokio::test]
async fn delimiters_and_markers() {
    let store = filled(&["a/1", "a/2", "b", "c/d/e", "c/f"]).await;
    let list = |query: &str| get(&format!("/bucket?{query}"));
    let page = list("delimiter=%2F&list-type=2").send(&store).await;
    assert_eq!(
        (page.elements("Key"), page.elements("Prefix")),
        (vec!["b".into()], vec!["".into(), "a/".into(), "c/".into()])
    );
    assert_eq!(page.element("KeyCount").as_deref(), Some("3"));
    let page = list("delimiter=%2F&list-type=2&prefix=c%2F").send(&store).await;
    assert_eq!((page.elements("Key"), page.elements("Prefix")), (vec!["c/f".into()], vec!["c/".into(), "c/d/".into()]));
    let first = list("delimiter=%2F&max-keys=1").send(&store).await;
    assert_eq!(first.element("NextMarker").as_deref(), Some("a/"));
    let second = list("delimiter=%2F&marker=a%2F&max-keys=1").send(&store).await;
    assert_eq!(second.elements("Key"), ["b"]);
    assert_eq!(list("max-keys=1").send(&store).await.element("NextMarker"), None);
    let page = list("list-type=2&start-after=b").send(&store).await;
    assert_eq!(page.elements("Key"), ["c/d/e", "c/f"]);
    assert_eq!(page.element("StartAfter").as_deref(), Some("b"));
}

/// As AWS was recorded to list (LocalStack's test_list_objects_marker_common_prefixes and its kin). Of `start-after`
/// there is no record: it is taken for a key, and what is behind it makes its prefix.
#[tokio::test]
async fn a_marker_amid_a_prefix_has_that_prefix_behind_it() {
    let keys = ["d/a/1", "d/a/2", "d/file"];
    let store = filled(&keys).await;
    for key in keys {
        post(&format!("/bucket/{key}?uploads")).send(&store).await.expect(200);
    }
    let marked = |name: &str, rest: &str| {
        let mut query = vec!["delimiter=%2F".to_owned(), format!("{name}=d%2Fa%2F1"), "prefix=d%2F".to_owned()];
        query.extend((!rest.is_empty()).then(|| rest.to_owned()));
        query.sort();
        get(&format!("/bucket?{}", query.join("&")))
    };
    for (name, rest) in [("marker", ""), ("key-marker", "versions"), ("key-marker", "uploads")] {
        let page = marked(name, rest).send(&store).await.expect(200);
        assert_eq!(
            (page.elements("Key"), page.elements("Prefix")),
            (vec!["d/file".into()], vec!["d/".into()]),
            "{rest}"
        );
    }
    let page = marked("start-after", "list-type=2").send(&store).await.expect(200);
    assert_eq!(
        (page.elements("Key"), page.elements("Prefix")),
        (vec!["d/file".into()], vec!["d/".into(), "d/a/".into()])
    );
}

#[tokio::test]
async fn counts_owners_and_encodings() {
    let store = filled(&["a b+c/d", "k"]).await;
    let none = get("/bucket?list-type=2&max-keys=0").send(&store).await.expect(200);
    assert_eq!((none.element("IsTruncated").as_deref(), none.element("Key")), (Some("false"), None));
    let most = get("/bucket?list-type=2&max-keys=5000").send(&store).await.expect(200);
    assert_eq!(most.element("MaxKeys").as_deref(), Some("1000"));
    assert_eq!(most.element("Owner"), None);
    for bad in ["x", "-1"] {
        get(&format!("/bucket?list-type=2&max-keys={bad}")).send(&store).await.refused(400, "InvalidArgument");
    }
    assert!(get("/bucket?fetch-owner=true&list-type=2").send(&store).await.element("Owner").is_some());
    assert!(get("/bucket").send(&store).await.element("Owner").is_some());
    let encoded = get("/bucket?delimiter=%2F&encoding-type=url&list-type=2").send(&store).await;
    assert_eq!(encoded.elements("Prefix"), ["", "a+b%2Bc/"]);
    assert_eq!(encoded.element("EncodingType").as_deref(), Some("url"));
    get("/bucket?encoding-type=base64").send(&store).await.refused(400, "InvalidArgument");
    let contents = get("/bucket?list-type=2").send(&store).await;
    assert_eq!(contents.elements("ChecksumAlgorithm"), ["CRC64NVME", "CRC64NVME"]);
    assert_eq!(contents.elements("LastModified")[0], "2013-05-24T00:00:00.000Z");
    assert_eq!(contents.elements("StorageClass"), ["STANDARD", "STANDARD"]);
}

#[tokio::test]
async fn buckets() {
    let store = store();
    for name in ["bucket-a", "bucket-b", "other"] {
        put(&format!("/{name}")).send(&store).await.expect(200);
    }
    let all = get("/").send(&store).await;
    assert_eq!(all.elements("Name"), ["bucket-a", "bucket-b", "other"]);
    let first = get("/?max-buckets=1&prefix=bucket").send(&store).await;
    assert_eq!(first.elements("Name"), ["bucket-a"]);
    let token = first.element("ContinuationToken").unwrap();
    let second =
        get(&format!("/?continuation-token={}&max-buckets=1&prefix=bucket", encode(&token))).send(&store).await;
    assert_eq!((second.elements("Name"), second.element("ContinuationToken")), (vec!["bucket-b".into()], None));

    put("/Bad_Name").send(&store).await.refused(400, "InvalidBucketName");
    let elsewhere =
        "<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>";
    put("/elsewhere").body(elsewhere).send(&store).await.refused(400, "IllegalLocationConstraintException");
    let directory = "<CreateBucketConfiguration><Location><Name>use1-az4</Name><Type>AvailabilityZone</Type></Location>\
                     <Bucket><Type>Directory</Type></Bucket></CreateBucketConfiguration>";
    put("/elsewhere").body(directory).send(&store).await.refused(501, "NotImplemented");
    let tagged = |key: &str| {
        format!(
            "<CreateBucketConfiguration><Tags><Tag><Key>{key}</Key><Value>1</Value></Tag></Tags></CreateBucketConfiguration>"
        )
    };
    put("/tagged").body(tagged("aws:a")).send(&store).await.refused(400, "InvalidTag");
    get("/tagged").send(&store).await.refused(404, "NoSuchBucket");
    put("/tagged").body(tagged("team")).send(&store).await.expect(200);
    assert_eq!(get("/tagged?tagging").send(&store).await.expect(200).elements("Key"), ["team"]);
    delete("/tagged").send(&store).await.expect(204);
    assert_eq!(get("/other?location").send(&store).await.expect(200).element("LocationConstraint"), None);
    assert_eq!(head("/other").send(&store).await.expect(200).get("x-amz-bucket-region"), Some("us-east-1"));
    let missing = head("/missing").send(&store).await.expect(404);
    assert!(missing.body.is_empty());
    put("/other/k").send(&store).await.expect(200);
    delete("/other").send(&store).await.refused(409, "BucketNotEmpty");
    delete("/bucket-a").send(&store).await.expect(204);
    get("/bucket-a").send(&store).await.refused(404, "NoSuchBucket");
}
