//! Requests that correct themselves: by another region, by the server's clock; and where an answer never leads.

#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{Request, Response};
use support::{Conn, Fake, FakeClock, Head, Server, client_of, line, tls};
use wharf::provider::ContentMd5;
use wharf::transport::Body as Bytestream;
use wharf::{Body, Client, ClientBuilder, CustomerKey, Encryption, ErrorKind};

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nHello!";

/// The region that a request was signed for.
fn region(head: &Head) -> String {
    scope(head.header("authorization").unwrap())
}

fn scope(authorization: &str) -> String {
    authorization.split('/').nth(2).unwrap().to_owned()
}

fn answer(status: u16, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status} X\r\n{headers}content-length: {}\r\n\r\n{body}", body.len())
}

fn error(code: &str, more: &str) -> String {
    format!("<Error><Code>{code}</Code><Message>No.</Message>{more}</Error>")
}

/// A server of this one region, which tells others so by `refusal`. To a HEAD it gives no body.
async fn server_of(only: &'static str, refusal: (u16, String, String)) -> Server {
    Server::start(move |mut conn: Conn| {
        let (status, headers, body) = refusal.clone();
        async move {
            while let Some((head, _)) = conn.request().await {
                let body = if head.method == "HEAD" { "" } else { &body };
                match region(&head) == only {
                    true if head.method == "HEAD" => conn.write("HTTP/1.1 200 OK\r\n\r\n").await,
                    true => conn.write(OK).await,
                    false => conn.write(answer(status, &headers, body)).await,
                };
            }
        }
    })
    .await
}

#[tokio::test]
async fn a_server_of_ones_own_names_its_region() {
    let header = "x-amz-bucket-region: garage\r\n";
    let malformed = error("AuthorizationHeaderMalformed", "<Region>garage</Region>");
    let moved = error("PermanentRedirect", "<Endpoint>my-bucket.elsewhere.example</Endpoint>");
    for (status, headers, body) in [
        (400, "", malformed.as_str()),
        (400, header, malformed.as_str()),
        (301, header, moved.as_str()),
        (301, header, ""),
        (307, header, ""),
    ] {
        let server = server_of("garage", (status, headers.to_owned(), body.to_owned())).await;
        let clock = FakeClock::default();
        let s3 = client_of(server.url()).clock(clock.clone()).max_attempts(1).build().unwrap();
        assert_eq!(s3.get_object("my-bucket", "a").text().await.unwrap(), "Hello!", "{status} {headers} {body}");
        // It is remembered, for reads and writes of the bucket.
        s3.put_object("my-bucket", "a", "Hello!").await.unwrap();
        s3.delete_object("my-bucket", "a").await.unwrap();
        let regions: Vec<_> = server.requests().iter().map(region).collect();
        assert_eq!(regions, ["us-east-1", "garage", "garage", "garage"], "{status} {headers} {body}");
        // And no bucket has to wait for it, nor to pay for it by its retries.
        assert!(clock.waits().is_empty());
        s3.get_object("other-bucket", "a").await.unwrap();
        assert_eq!(server.requests().len(), 6);
    }
}

/// As servers from before 2022 do, which know no checksums.
#[tokio::test]
async fn a_server_that_wants_content_md5_gets_it() {
    const DONE: &str = "<DeleteResult><Deleted><Key>a</Key></Deleted></DeleteResult>";
    let server = Server::start(|mut conn: Conn| async move {
        while let Some((head, body)) = conn.request().await {
            let md5 = wharf::proto::checksum::md5_base64(&body);
            let answered = match head.header("content-md5") {
                Some(given) if given == md5 => answer(200, "", DONE),
                _ => answer(400, "", &error("MissingContentMD5", "")),
            };
            conn.write(answered).await;
        }
    })
    .await;
    let clock = FakeClock::default();
    let s3 = client_of(server.url()).clock(clock.clone()).max_attempts(1).build().unwrap();
    assert_eq!(s3.delete_objects("my-bucket", ["a"]).await.unwrap().deleted.len(), 1);
    // It is remembered, for all buckets.
    assert_eq!(s3.delete_objects("other-bucket", ["a"]).await.unwrap().deleted.len(), 1);
    s3.put_object_tagging("my-bucket", "a", [("a", "b")]).await.unwrap();
    let digests: Vec<_> = server
        .requests()
        .iter()
        .map(|head| {
            ["x-amz-checksum-crc64nvme", "x-amz-sdk-checksum-algorithm", "content-md5"]
                .map(|it| head.header(it).is_some())
        })
        .collect();
    let md5 = [false, false, true];
    assert_eq!(digests, [[true, true, false], md5, md5, md5]);
    assert!(clock.waits().is_empty());

    // What did not help is not remembered.
    let refuses = Server::start(|mut conn: Conn| async move {
        while conn.request().await.is_some() {
            conn.write(answer(400, "", &error("InvalidRequest", "<ArgumentName>x-amz-checksum-*</ArgumentName>")))
                .await;
        }
    })
    .await;
    let s3 = client_of(refuses.url()).build().unwrap();
    for _ in 0..2 {
        s3.delete_objects("my-bucket", ["a"]).await.unwrap_err();
    }
    let by_md5: Vec<_> = refuses.requests().iter().map(|head| head.header("content-md5").is_some()).collect();
    assert_eq!(by_md5, [false, true, false, true]);

    // Who may not compute it gets the server's words.
    let mut habits = wharf::Provider::Other.habits();
    habits.content_md5 = ContentMd5::Never;
    let s3 = client_of(server.url()).habits(habits).max_attempts(1).build().unwrap();
    let error = s3.delete_objects("my-bucket", ["a"]).await.unwrap_err();
    assert_eq!(error.code(), Some("MissingContentMD5"));
    assert_eq!(server.requests().len(), 5);
}

/// HEAD: the answer has no body, its header is all there is.
#[tokio::test]
async fn a_head_is_corrected_by_its_header() {
    for status in [301, 307, 400] {
        let refusal = (status, "x-amz-bucket-region: eu-west-1\r\n".to_owned(), String::new());
        let server = server_of("eu-west-1", refusal).await;
        let s3 = client_of(server.url()).build().unwrap();
        s3.head_object("my-bucket", "a").await.unwrap();
        s3.head_bucket("my-bucket").await.unwrap();
        let seen: Vec<_> = server.requests().iter().map(|head| (head.method.clone(), region(head))).collect();
        let head = |region: &str| ("HEAD".to_owned(), region.to_owned());
        assert_eq!(seen, [head("us-east-1"), head("eu-west-1"), head("eu-west-1")], "{status}");
    }
    // Of the region that was signed for: then that is not what is wrong.
    let server = Server::always("HTTP/1.1 400 X\r\nx-amz-bucket-region: us-east-1\r\n\r\n").await;
    let error = client_of(server.url()).build().unwrap().head_object("my-bucket", "a").await.unwrap_err();
    assert_eq!(line(&error), "HeadObject my-bucket/a: bad request (HTTP 400)");
    let hint = "the request was signed for us-east-1 already: are endpoint and credentials right?";
    assert_eq!((error.kind(), error.hint()), (ErrorKind::InvalidInput, Some(hint)));
}

#[tokio::test]
async fn the_body_is_sent_again_whole() {
    let bodies: Arc<Mutex<Vec<Vec<u8>>>> = Arc::default();
    let seen = bodies.clone();
    let server = Server::start(move |mut conn: Conn| {
        let seen = seen.clone();
        async move {
            while let Some((head, body)) = conn.request().await {
                seen.lock().unwrap().push(body);
                match region(&head) == "eu-west-1" {
                    true => conn.write(OK).await,
                    false => conn.write(answer(307, "x-amz-bucket-region: eu-west-1\r\n", "")).await,
                };
            }
        }
    })
    .await;
    let data: Vec<u8> = (0..300_000_u32).map(|n| n as u8).collect();
    client_of(server.url()).build().unwrap().put_object("my-bucket", "a", data.clone()).await.unwrap();
    let bodies = bodies.lock().unwrap();
    assert!(bodies.len() == 2 && bodies.iter().all(|body| *body == data));
}

/// The call cannot be corrected, but the client has learnt.
#[tokio::test]
async fn a_body_that_can_be_sent_once() {
    let refusal = (307, "x-amz-bucket-region: eu-west-1\r\n".to_owned(), error("TemporaryRedirect", ""));
    let server = server_of("eu-west-1", refusal).await;
    let s3 = client_of(server.url()).unsigned_payload().build().unwrap();
    let body = || Body::sized_stream(stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(b"Hello!"))]), 6);
    let error = s3.put_object("my-bucket", "a", body()).await.unwrap_err();
    assert_eq!(line(&error), "PutObject my-bucket/a: No. (TemporaryRedirect, HTTP 307)");
    assert_eq!((error.kind(), error.region()), (ErrorKind::WrongRegion, Some("eu-west-1")));
    let hint = "the bucket is in eu-west-1, which the client knows now; make the call again: its body could be sent only \
                once";
    assert_eq!((error.hint(), error.attempts()), (Some(hint), 1));
    s3.put_object("my-bucket", "a", body()).await.unwrap();
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn two_servers_cannot_send_a_request_back_and_forth() {
    let server = Server::start(|mut conn: Conn| async move {
        while let Some((head, _)) = conn.request().await {
            let other = if region(&head) == "here" { "there" } else { "here" };
            conn.write(answer(301, &format!("x-amz-bucket-region: {other}\r\n"), "")).await;
        }
    })
    .await;
    let clock = FakeClock::default();
    let s3 = client_of(server.url()).clock(clock.clone()).build().unwrap();
    let error = s3.get_object("my-bucket", "a").await.unwrap_err();
    assert_eq!(line(&error), "GetObject my-bucket/a: moved permanently (HTTP 301, 3 attempts)");
    assert_eq!(server.requests().iter().map(region).collect::<Vec<_>>(), ["us-east-1", "here", "there"]);
    assert!(clock.waits().is_empty());
}

#[tokio::test]
async fn calls_at_once_are_all_corrected() {
    let server = server_of("eu-west-1", (301, "x-amz-bucket-region: eu-west-1\r\n".to_owned(), String::new())).await;
    let s3 = client_of(server.url()).build().unwrap();
    let calls = (0..8).map(|_| tokio::spawn(s3.clone().get_object("my-bucket", "a").text()));
    for call in calls.collect::<Vec<_>>() {
        assert_eq!(call.await.unwrap().unwrap(), "Hello!");
    }
}

/// What a client of AWS sent, and to where, while every answer but those from `good` was `refusal`.
async fn aws(good: &'static str, refusal: (u16, &'static [(&'static str, &'static str)], String)) -> (Client, Uris) {
    let uris = Uris::default();
    let seen = uris.clone();
    let transport = Fake::new(move |_, request: Request<Bytestream>| {
        let signed = scope(request.headers()["authorization"].to_str().unwrap());
        seen.0.lock().unwrap().push(format!("{signed} {}", request.uri()));
        let (status, headers, body) = refusal.clone();
        let answer = if request.uri().host().unwrap() == good {
            Response::builder().body(Bytestream::from(Bytes::from_static(b"Hello!")))
        } else {
            let head = headers
                .iter()
                .fold(Response::builder().status(status), |head, (name, value)| head.header(*name, *value));
            head.body(Bytestream::from(Bytes::from(body)))
        };
        std::future::ready(Ok(answer.unwrap()))
    });
    let s3 = with_secrets(Client::builder().environment(|_| None).region("us-east-1").clock(FakeClock::default()))
        .transport(transport)
        .build()
        .unwrap();
    (s3, uris)
}

fn with_secrets(builder: ClientBuilder) -> ClientBuilder {
    builder.session_credentials("AKIDEXAMPLE", "secret", "t0k3n")
}

#[derive(Clone, Default)]
struct Uris(Arc<Mutex<Vec<String>>>);

impl Uris {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

#[tokio::test]
async fn on_aws_the_host_follows_the_region_by_our_own_rule() {
    let moved = error("PermanentRedirect", "<Endpoint>my-bucket.s3-eu-west-1.amazonaws.com</Endpoint>");
    for (status, headers, body) in [
        (301, &[("x-amz-bucket-region", "eu-west-1")][..], String::new()),
        (301, &[], moved),
        (400, &[], error("AuthorizationHeaderMalformed", "<Region>eu-west-1</Region>")),
    ] {
        let (s3, uris) = aws("my-bucket.s3.eu-west-1.amazonaws.com", (status, headers, body)).await;
        let there = "eu-west-1 https://my-bucket.s3.eu-west-1.amazonaws.com/a";
        s3.get_object("my-bucket", "a").await.unwrap();
        assert_eq!(uris.take(), ["us-east-1 https://my-bucket.s3.us-east-1.amazonaws.com/a", there]);
        s3.get_object("my-bucket", "a").await.unwrap();
        assert_eq!(uris.take(), [there]);
        // A link is made for where the bucket is.
        let link = s3.get_object("my-bucket", "a").presign(Duration::from_secs(60)).await.unwrap();
        assert!(link.url.starts_with("https://my-bucket.s3.eu-west-1.amazonaws.com/a?"), "{}", link.url);
        assert!(link.url.contains("%2Feu-west-1%2Fs3%2F"), "{}", link.url);
    }
}

/// A bucket that is made anew is made where the client says, whatever was learnt of an older one.
#[tokio::test]
async fn a_new_bucket_is_made_where_the_client_says() {
    let there = "my-bucket.s3.eu-west-1.amazonaws.com";
    let (s3, uris) = aws(there, (301, &[("x-amz-bucket-region", "eu-west-1")], String::new())).await;
    s3.get_object("my-bucket", "a").await.unwrap();
    s3.delete_bucket("my-bucket").await.unwrap();
    assert_eq!(uris.take().pop().unwrap(), format!("eu-west-1 https://{there}/"));
    s3.create_bucket("my-bucket").await.unwrap();
    assert_eq!(uris.take()[0], "us-east-1 https://my-bucket.s3.us-east-1.amazonaws.com/");
}

/// What an answer may say without anything being sent anywhere.
const NOWHERE: [(&str, &str); 9] = [
    ("x-amz-bucket-region", "evil.example"),
    ("x-amz-bucket-region", "evil.example:443/"),
    ("x-amz-bucket-region", "a@evil.example"),
    ("x-amz-bucket-region", "../x"),
    ("x-amz-bucket-region", "-"),
    ("x-amz-bucket-region", ""),
    ("x-amz-bucket-region", "EU-WEST-1"),
    ("location", "https://my-bucket.s3.eu-west-1.amazonaws.com/a"),
    ("x-amz-id-2", "eu-west-1"),
];

#[tokio::test]
async fn on_aws_no_answer_leads_out_of_the_partition() {
    let (cn, gov, none) = ("cn-north-1", "us-gov-west-1", "nowhere");
    let others = [("x-amz-bucket-region", cn), ("x-amz-bucket-region", gov), ("x-amz-bucket-region", none)];
    for pair in NOWHERE.iter().chain(&others) {
        for status in [301, 307, 308, 400] {
            let headers: &'static [_] = vec![*pair].leak();
            let (s3, uris) = aws("nowhere", (status, headers, String::new())).await;
            s3.head_object("my-bucket", "a").await.unwrap_err();
            // 400 without a word may be an ended token, which this client cannot renew.
            assert_eq!(uris.take(), ["us-east-1 https://my-bucket.s3.us-east-1.amazonaws.com/a"], "{status} {pair:?}");
        }
    }
    for endpoint in ["my-bucket.evil.example", "my-bucket.s3.eu-west-1.evil.example", "s3.cn-north-1.amazonaws.com.cn"]
    {
        let body = error("PermanentRedirect", &format!("<Endpoint>{endpoint}</Endpoint>"));
        let (s3, uris) = aws("nowhere", (301, &[], body)).await;
        s3.get_object("my-bucket", "a").await.unwrap_err();
        assert_eq!(uris.take().len(), 1, "{endpoint}");
    }
}

/// An access point is where its ARN says.
#[tokio::test]
async fn an_access_point_does_not_move() {
    let (s3, uris) = aws("nowhere", (301, &[("x-amz-bucket-region", "eu-west-1")], String::new())).await;
    let arn = "arn:aws:s3:us-west-2:123456789012:accesspoint/name";
    s3.get_object(arn, "a").await.unwrap_err();
    let there = "us-west-2 https://name-123456789012.s3-accesspoint.us-west-2.amazonaws.com/a";
    assert_eq!(uris.take(), [there]);
}

/// What led nowhere is not remembered: here it would keep the client from the access point for good.
#[tokio::test]
async fn an_access_point_does_not_move_later_either() {
    let transport = Fake::new(|number, _: Request<Bytestream>| {
        let moved = Response::builder().status(301).header("x-amz-bucket-region", "us-west-2");
        let answer = if number == 1 { moved } else { Response::builder().status(200) };
        std::future::ready(Ok(answer.body(Bytestream::empty()).unwrap()))
    });
    let variables = |name: &str| (name == "AWS_S3_USE_ARN_REGION").then(|| "false".to_owned());
    let builder = Client::builder().environment(variables).region("eu-west-1").credentials("AKID", "secret");
    let s3 = builder.transport(transport).build().unwrap();
    let arn = "arn:aws:s3:eu-west-1:123456789012:accesspoint/reports";
    assert_eq!(s3.get_object(arn, "a").await.unwrap_err().kind(), ErrorKind::WrongRegion);
    s3.get_object(arn, "a").await.unwrap();
}

/// A hostile server has the requests that are meant for it, and nobody else has any.
#[tokio::test]
async fn no_answer_leads_to_another_host_scheme_or_port() {
    let elsewhere = Server::always(OK).await;
    let there = format!("127.0.0.1:{}", elsewhere.port());
    let mut heads: Vec<String> = NOWHERE.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    heads.extend([
        format!("location: {}/my-bucket/a\r\n", elsewhere.url()),
        format!("location: //{there}/my-bucket/a\r\nx-amz-bucket-region: eu-west-1\r\n"),
        format!("x-amz-bucket-region: {there}\r\n"),
        format!("x-amz-bucket-region: @{there}/\r\n"),
        format!("content-location: {}\r\nx-amz-bucket-region: eu-west-1\r\n", elsewhere.url()),
    ]);
    let bodies = [
        String::new(),
        error("PermanentRedirect", &format!("<Endpoint>{there}</Endpoint>")),
        error("TemporaryRedirect", &format!("<Endpoint>{}</Endpoint><Region>{there}</Region>", elsewhere.url())),
        error("AuthorizationHeaderMalformed", &format!("<Region>{there}/</Region>")),
        error("AuthorizationHeaderMalformed", "<Region>eu-west-1</Region>"),
    ];
    let (acceptor, certificate) = tls("127.0.0.1");
    let statuses = [301, 307, 308, 400].into_iter().cycle();
    let pairs = heads.iter().flat_map(|head| bodies.iter().map(move |body| (head, body)));
    for ((head, body), status) in pairs.zip(statuses) {
        let answer = answer(status, head, body);
        let script = move |mut conn: Conn| {
            let answer = answer.clone();
            async move {
                while conn.request().await.is_some() {
                    conn.write(&answer).await;
                }
            }
        };
        // Plain, and over TLS, from where nothing may lead to plain.
        for server in [Server::start(script.clone()).await, Server::start_tls(acceptor.clone(), script).await] {
            let s3 = with_secrets(client_of(server.url())).root_certificates_pem(&certificate).build().unwrap();
            let key = Encryption::Customer(CustomerKey::new([7; 32]));
            s3.put_object("my-bucket", "a", "Hello!").encryption(key).await.unwrap_err();
            // One request, or two where it named a region.
            let requests = server.requests();
            assert!((1..=2).contains(&requests.len()), "{status} {head} {body}: {}", requests.len());
            for request in requests {
                assert_eq!(request.target, "/my-bucket/a");
                assert_eq!(request.header("host").unwrap(), format!("127.0.0.1:{}", server.port()));
                assert!(["us-east-1", "eu-west-1"].contains(&region(&request).as_str()));
            }
        }
    }
    assert_eq!(elsewhere.connections(), 0);
}

/// The fake clock says 2026-01-01T00:00:00Z.
fn skewed(date: &str) -> String {
    answer(403, &format!("date: {date}\r\n"), &error("RequestTimeTooSkewed", ""))
}

fn times(server: &Server) -> Vec<String> {
    server.requests().iter().map(|head| head.header("x-amz-date").unwrap().to_owned()).collect()
}

/// Takes what is signed on this day, and tells its time.
async fn server_of_the_day(day: &'static str, date: &'static str) -> Server {
    Server::start(move |mut conn: Conn| async move {
        while let Some((head, _)) = conn.request().await {
            let head_only = head.method == "HEAD";
            match head.header("x-amz-date").unwrap().starts_with(day) {
                true if head_only => conn.write("HTTP/1.1 200 OK\r\n\r\n").await,
                true => conn.write(OK).await,
                false if head_only => conn.write(format!("HTTP/1.1 403 X\r\ndate: {date}\r\n\r\n")).await,
                false => conn.write(skewed(date)).await,
            };
        }
    })
    .await
}

#[tokio::test]
async fn the_servers_clock_is_learnt() {
    for (day, date, first) in [
        ("20260301", "Sun, 01 Mar 2026 12:00:00 GMT", "20260301T120000Z"),
        ("20250301", "Sat, 01 Mar 2025 12:00:00 GMT", "20250301T120000Z"),
    ] {
        let server = server_of_the_day(day, date).await;
        let clock = FakeClock::default();
        let s3 = client_of(server.url()).clock(clock.clone()).max_attempts(1).build().unwrap();
        assert_eq!(s3.get_object("my-bucket", "a").text().await.unwrap(), "Hello!");
        assert_eq!(times(&server), ["20260101T000000Z", first]);
        assert!(clock.waits().is_empty());
        // For all buckets, and for links; and it goes on.
        clock.advance(Duration::from_secs(60));
        s3.get_object("other-bucket", "a").await.unwrap();
        assert_eq!(times(&server)[2..], [first.replace("T1200", "T1201")]);
        let link = s3.get_object("my-bucket", "a").presign(Duration::from_secs(60)).await.unwrap();
        assert!(link.url.contains(&format!("X-Amz-Date={day}T1201")), "{}", link.url);
    }
    // A HEAD is refused without a word.
    let server = server_of_the_day("20260301", "Sun, 01 Mar 2026 12:00:00 GMT").await;
    client_of(server.url()).build().unwrap().head_object("my-bucket", "a").await.unwrap();
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn a_clock_is_set_once_a_call() {
    let clocks = [
        // The same time as ours, none, and one that is no time.
        (skewed("Thu, 01 Jan 2026 00:00:10 GMT"), 1),
        (answer(403, "", &error("RequestTimeTooSkewed", "")), 1),
        (skewed("soon"), 1),
        // One that is too far off to be believed, ahead and behind.
        (skewed("Sat, 02 Jan 2027 00:00:01 GMT"), 1),
        (skewed("Fri, 31 Dec 9999 23:59:59 GMT"), 1),
        (skewed("Thu, 01 Jan 1970 00:00:00 GMT"), 1),
        // Another, but it does not help.
        (skewed("Thu, 01 Jan 2026 02:00:00 GMT"), 2),
    ];
    for (answer, requests) in clocks {
        let server = Server::always(answer.clone()).await;
        let s3 = client_of(server.url()).build().unwrap();
        let error = s3.get_object("my-bucket", "a").await.unwrap_err();
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::RequestTimeTooSkewed, requests), "{answer}");
        // A time that did not help is none to sign links with.
        let link = s3.get_object("my-bucket", "a").presign(Duration::from_secs(60)).await.unwrap();
        assert!(link.url.contains("X-Amz-Date=20260101T000000Z"), "{}", link.url);
        assert_eq!(error.hint(), Some("set the clock of this machine"));
        assert_eq!(server.requests().len() as u32, requests);
    }
}

#[tokio::test]
async fn a_clock_for_calls_at_once() {
    let server = server_of_the_day("20260301", "Sun, 01 Mar 2026 12:00:00 GMT").await;
    let s3 = client_of(server.url()).build().unwrap();
    let calls = stream::iter(0..8).map(|_| s3.get_object("my-bucket", "a").text()).buffer_unordered(8);
    assert!(calls.all(|text| std::future::ready(text.unwrap() == "Hello!")).await);
}

/// A server that takes whatever time it has told, and tells a later one each time, leads nobody further than a year.
#[tokio::test]
async fn a_clock_is_not_led_on_step_by_step() {
    let server = Server::start(move |mut conn: Conn| async move {
        while let Some((head, _)) = conn.request().await {
            match head.header("x-amz-date").unwrap().get(..4) {
                Some("2026") if head.target.contains("again") => {
                    conn.write(skewed("Wed, 30 Jun 2027 00:00:00 GMT")).await
                }
                Some("2026") if head.header("x-amz-date").unwrap().starts_with("202601") => {
                    conn.write(skewed("Thu, 31 Dec 2026 00:00:00 GMT")).await
                }
                _ => conn.write(OK).await,
            };
        }
    })
    .await;
    let s3 = client_of(server.url()).build().unwrap();
    s3.get_object("my-bucket", "a").await.unwrap();
    let error = s3.get_object("my-bucket", "again").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RequestTimeTooSkewed);
    assert!(times(&server).iter().all(|time| time.starts_with("2026")), "{:?}", times(&server));
}

/// Region and clock in one call: each once.
#[tokio::test]
async fn an_embedded_store_corrects_its_clients() {
    let store = wharf_embedded::Store::builder().region("eu-west-1").build();
    let clock = FakeClock::system();
    clock.advance(Duration::from_secs(24 * 3600));
    let builder = || Client::builder().transport(store.clone()).clock(clock.clone()).max_attempts(1);
    let s3 = builder().region("us-east-1").build().unwrap();
    assert!(s3.list_buckets().await.unwrap().buckets.is_empty());
    builder().build().unwrap().create_bucket("my-bucket").await.unwrap();
    s3.put_object("my-bucket", "a", "Hello!").await.unwrap();
    assert_eq!(s3.get_object("my-bucket", "a").text().await.unwrap(), "Hello!");
}
