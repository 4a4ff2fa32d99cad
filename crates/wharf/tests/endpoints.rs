//! What a builder's settings make of a bucket and a key, and of what cannot be addressed.

#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use std::sync::{Arc, Mutex};

use support::{Conn, Fake, Server, answer, client_of, line};
use wharf::{AddressingStyle, Client, ClientBuilder, ErrorKind};

fn builder(region: &str) -> ClientBuilder {
    Client::builder().environment(|_| None).region(region).credentials("AKIDEXAMPLE", "secret")
}

/// Where a GET of `a` goes.
async fn uri(builder: ClientBuilder, bucket: &str) -> String {
    let seen: Arc<Mutex<String>> = Arc::default();
    let uri = seen.clone();
    let transport = Fake::new(move |_, request: http::Request<wharf::transport::Body>| {
        *uri.lock().unwrap() = request.uri().to_string();
        std::future::ready(Ok(answer(200, "")))
    });
    builder.transport(transport).build().unwrap().get_object(bucket, "a").await.unwrap();
    let uri = seen.lock().unwrap();
    uri.clone()
}

#[tokio::test]
async fn settings_of_the_builder() {
    let ireland = || builder("eu-west-1");
    for (builder, expected) in [
        (ireland(), "https://bucket.s3.eu-west-1.amazonaws.com/a"),
        (ireland().use_fips(true), "https://bucket.s3-fips.eu-west-1.amazonaws.com/a"),
        (ireland().use_dualstack(true), "https://bucket.s3.dualstack.eu-west-1.amazonaws.com/a"),
        (ireland().use_fips(true).use_dualstack(true), "https://bucket.s3-fips.dualstack.eu-west-1.amazonaws.com/a"),
        (ireland().accelerate(true), "https://bucket.s3-accelerate.amazonaws.com/a"),
        (ireland().addressing_style(AddressingStyle::Path), "https://s3.eu-west-1.amazonaws.com/bucket/a"),
        (builder("cn-north-1"), "https://bucket.s3.cn-north-1.amazonaws.com.cn/a"),
        (builder("us-iso-east-1"), "https://bucket.s3.us-iso-east-1.c2s.ic.gov/a"),
        (ireland().endpoint("http://localhost:9000/s3"), "http://localhost:9000/s3/bucket/a"),
        (
            ireland().endpoint("http://localhost:9000/s3").addressing_style(AddressingStyle::PreferVirtualHost),
            "http://bucket.localhost:9000/s3/a",
        ),
    ] {
        assert_eq!(uri(builder, "bucket").await, expected);
    }
    let arn = "arn:aws:s3:us-west-2:123456789012:accesspoint/name";
    let there = "https://name-123456789012.s3-accesspoint.us-west-2.amazonaws.com/a";
    assert_eq!(uri(ireland(), arn).await, there);
    assert_eq!(uri(ireland(), "arn:aws:s3:::bucket").await, "https://bucket.s3.eu-west-1.amazonaws.com/a");
}

/// The same by a variable, and by the profile.
#[tokio::test]
async fn settings_of_the_environment_and_the_profile() {
    let file = std::env::temp_dir().join(format!("wharf-endpoints-{}", std::process::id()));
    let arn = "arn:aws:s3:us-west-2:123456789012:accesspoint/name";
    let own = "an error";
    for (variable, property, bucket, expected) in [
        ("AWS_REGION=eu-south-2", "region = eu-south-2", "bucket", "https://bucket.s3.eu-south-2.amazonaws.com/a"),
        ("AWS_DEFAULT_REGION=eu-south-2", "", "bucket", "https://bucket.s3.eu-south-2.amazonaws.com/a"),
        (
            "AWS_ENDPOINT_URL=http://localhost:1",
            "endpoint_url = http://localhost:1",
            "bucket",
            "http://localhost:1/bucket/a",
        ),
        (
            "AWS_ENDPOINT_URL_S3=http://localhost:1",
            "services = x\n[services x]\ns3 =\n  endpoint_url = http://localhost:1",
            "bucket",
            "http://localhost:1/bucket/a",
        ),
        (
            "AWS_USE_FIPS_ENDPOINT=true",
            "use_fips_endpoint = true",
            "bucket",
            "https://bucket.s3-fips.us-east-1.amazonaws.com/a",
        ),
        (
            "AWS_USE_DUALSTACK_ENDPOINT=True",
            "use_dualstack_endpoint = true",
            "bucket",
            "https://bucket.s3.dualstack.us-east-1.amazonaws.com/a",
        ),
        (
            "",
            "s3 =\n  use_dualstack_endpoint = true",
            "bucket",
            "https://bucket.s3.dualstack.us-east-1.amazonaws.com/a",
        ),
        ("", "s3 =\n  use_accelerate_endpoint = true", "bucket", "https://bucket.s3-accelerate.amazonaws.com/a"),
        ("", "s3 =\n  addressing_style = path", "bucket", "https://s3.us-east-1.amazonaws.com/bucket/a"),
        (
            "AWS_S3_US_EAST_1_REGIONAL_ENDPOINT=legacy",
            "s3 =\n  us_east_1_regional_endpoint = legacy",
            "bucket",
            "https://bucket.s3.amazonaws.com/a",
        ),
        ("", "s3_us_east_1_regional_endpoint = legacy", "bucket", "https://bucket.s3.amazonaws.com/a"),
        ("AWS_S3_USE_ARN_REGION=false", "s3_use_arn_region = false", arn, own),
        ("", "s3 =\n  use_arn_region = false", arn, own),
    ] {
        std::fs::write(&file, format!("[default]\n{property}\n")).unwrap();
        for (variable, reads_file) in [(variable, false), ("", true)] {
            if variable.is_empty() && (!reads_file || property.is_empty()) {
                continue;
            }
            let (name, value) = variable.split_once('=').unwrap_or_default();
            let path = file.display().to_string();
            let lookup = move |asked: &str| match asked {
                "AWS_CONFIG_FILE" if reads_file => Some(path.clone()),
                _ if asked == name => Some(value.to_owned()),
                _ => None,
            };
            let builder = Client::builder().environment(lookup).credentials("AKIDEXAMPLE", "secret");
            let says_region = expected.contains("eu-south-2");
            let builder = if says_region { builder } else { builder.region("us-east-1") };
            match expected == own {
                true => {
                    assert!(builder.build().unwrap().get_object(bucket, "a").await.is_err(), "{variable}{property}")
                }
                false => assert_eq!(uri(builder, bucket).await, expected),
            }
        }
    }
    std::fs::remove_file(&file).unwrap();
}

#[tokio::test]
async fn settings_that_exclude_each_other() {
    let own = || builder("eu-west-1").endpoint("http://localhost:9000");
    for (builder, expected) in [
        (own().use_fips(true), "a custom endpoint (localhost) has no FIPS host: leave one of the two out"),
        (own().use_dualstack(true), "a custom endpoint (localhost) has no dual-stack host: leave one of the two out"),
        (own().accelerate(true), "a custom endpoint (localhost) has no accelerated host: leave one of the two out"),
        (
            builder("eu-west-1").accelerate(true).use_fips(true),
            "S3 Accelerate has no FIPS endpoints: leave one of the two out",
        ),
        (builder("cn-north-1").accelerate(true), "S3 Accelerate is not available in cn-north-1"),
        (builder("cn-north-1").use_fips(true), "S3 has no FIPS endpoints in cn-north-1"),
    ] {
        let error = builder.build().unwrap_err();
        assert_eq!((line(&error).as_str(), error.kind()), (expected, ErrorKind::InvalidInput));
    }
}

#[tokio::test]
async fn buckets_that_cannot_be_addressed() {
    let server = Server::always("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let s3 = client_of(server.url()).addressing_style(AddressingStyle::VirtualHost).build().unwrap();
    let problem = |bucket: &str| {
        let call = s3.get_object(bucket, "a");
        async move { call.await.map(|_| ()).unwrap_err() }
    };
    for (bucket, expected) in [
        (
            "my-bucket",
            "GetObject my-bucket/a: no bucket can stand in front of 127.0.0.1, which is no name; use \
             AddressingStyle::Path",
        ),
        (
            "s3://my-bucket",
            "GetObject: invalid bucket name \"s3://my-bucket\": it is a URI; give the bucket alone, or parse it with \
             S3Uri",
        ),
        (
            "arn:aws:s3:::my-bucket/key",
            "GetObject: invalid bucket name \"arn:aws:s3:::my-bucket/key\": it names an object; a bucket and a key are \
             two arguments",
        ),
    ] {
        let error = problem(bucket).await;
        assert_eq!((line(&error).as_str(), error.kind()), (expected, ErrorKind::InvalidInput));
    }
    let global = "arn:aws:s3::123456789012:accesspoint:mfzwi23gnjvgw.mrap";
    let error = problem(global).await;
    assert_eq!(
        line(&error),
        format!(
            "GetObject: invalid bucket name {global:?}: a multi-region access point is signed with SigV4A, which is not \
             supported; use one region's bucket or access point"
        )
    );
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert_eq!(server.connections(), 0);
}

/// Not every resolver knows that names under localhost are this machine.
#[tokio::test]
async fn names_under_localhost_are_this_machine() {
    let server = Server::start(|mut conn: Conn| async move {
        while conn.request().await.is_some() {
            conn.answer(200, "Hello!").await;
        }
    })
    .await;
    let url = format!("http://s3.localhost:{}", server.port());
    let s3 = client_of(url).addressing_style(AddressingStyle::VirtualHost).build().unwrap();
    assert_eq!(s3.get_object("my.bucket", "a").text().await.unwrap(), "Hello!");
    let requests = server.requests();
    assert_eq!(requests[0].header("host").unwrap(), format!("my.bucket.s3.localhost:{}", server.port()));
    assert_eq!(requests[0].target, "/a");
}

/// The embedded store reads the bucket from the host, over TCP too.
#[tokio::test]
async fn the_store_by_virtual_hosts() {
    let store = wharf_embedded::Store::builder().credentials("AKIDEXAMPLE", "secret").build();
    let server = store.serve("127.0.0.1:0").await.unwrap();
    let port = server.endpoint().rsplit_once(':').unwrap().1.to_owned();
    let builder = Client::builder().environment(|_| None).credentials("AKIDEXAMPLE", "secret");
    let builder = builder.endpoint(format!("http://s3.localhost:{port}"));
    let s3 = builder.addressing_style(AddressingStyle::VirtualHost).build().unwrap();
    s3.create_bucket("my.bucket").await.unwrap();
    s3.put_object("my.bucket", "a/b", "Hello!").await.unwrap();
    assert_eq!(s3.get_object("my.bucket", "a/b").text().await.unwrap(), "Hello!");
    let paths: Vec<_> = store.requests().iter().map(|request| request.path.clone()).collect();
    assert_eq!(paths, ["/", "/a/b", "/a/b"]);
}
