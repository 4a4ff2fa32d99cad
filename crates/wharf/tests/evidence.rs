//! Where the server keeps no checksum, an ETag counts that is known to be an MD5, and no other.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

mod support;

use std::path::Path;

use bytes::Bytes;
use http::{Method, Request, Response};
use support::upload::{MIB, bytes, file, pieces};
use support::{Fake, answer, error_document};
use wharf::proto::evidence::Doubt;
use wharf::transfer::{Compare, Reason, SyncAction, Verification};
use wharf::transport::{Body as Carried, Defaults, ResponseFuture, Transport};
use wharf::{Body, ChecksumAlgorithm, Client, ClientBuilder, Encryption, ErrorKind, KmsKey, Provider};
use wharf_embedded::{Fault, Operation, Personality, Store};

/// A store like Ceph, which keeps no checksums, and has MD5s for ETags.
fn store() -> Store {
    Store::builder().personality(Personality::Ceph).build()
}

async fn client_of(builder: ClientBuilder) -> Client {
    let s3 = builder.build().unwrap();
    s3.create_bucket("my-bucket").await.unwrap();
    s3
}

/// One that knows whose store it is.
async fn trusting(store: &Store) -> Client {
    client_of(Client::builder().transport(store.clone()).provider(Provider::Ceph)).await
}

/// A server whose ETags look like MD5s, and are other digits.
#[derive(Clone)]
struct Lying(Store);

impl Transport for Lying {
    fn send(&self, request: Request<Carried>) -> ResponseFuture {
        let is_part = request.uri().query().is_some_and(|query| query.contains("partNumber"));
        let is_write = request.method() != Method::GET && !is_part;
        let answer = self.0.send(request);
        Box::pin(async move {
            let (mut head, body) = answer.await?.into_parts();
            if let Some(etag) = head.headers.get("etag").filter(|_| !is_part) {
                let other = lie(etag.to_str().unwrap());
                head.headers.insert("etag", other.parse().unwrap());
            }
            let body = match body.into_full() {
                Ok(bytes) if is_write => Bytes::from(lie(std::str::from_utf8(&bytes).unwrap())).into(),
                Ok(bytes) => bytes.into(),
                Err(stream) => stream,
            };
            Ok(Response::from_parts(head, body))
        })
    }

    fn defaults(&self) -> Option<Defaults> {
        self.0.defaults()
    }
}

/// A store whose answers to CompleteMultipartUpload have this in place of the ETag.
#[derive(Clone)]
struct Completing(Store, &'static str);

impl Transport for Completing {
    fn send(&self, request: Request<Carried>) -> ResponseFuture {
        let (answer, text) = (self.0.send(request), self.1);
        Box::pin(async move {
            let (head, body) = answer.await?.into_parts();
            let body = match body.into_full() {
                Ok(bytes) => {
                    let xml = String::from_utf8(bytes.to_vec()).unwrap();
                    match xml.split_once("<ETag>").filter(|_| xml.contains("CompleteMultipartUploadResult")) {
                        Some((before, rest)) => {
                            let after = rest.split_once("</ETag>").unwrap().1;
                            Bytes::from(format!("{before}{text}{after}")).into()
                        }
                        None => bytes.into(),
                    }
                }
                Err(stream) => stream,
            };
            Ok(Response::from_parts(head, body))
        })
    }

    fn defaults(&self) -> Option<Defaults> {
        self.0.defaults()
    }
}

/// A server that ignores what a copy's source is held to, of which that is replaced before the copy is made. Its answer may
/// name no checksum.
#[derive(Clone)]
struct Replacing {
    store: Store,
    names_checksum: bool,
}

impl Transport for Replacing {
    fn send(&self, request: Request<Carried>) -> ResponseFuture {
        let Self { store, names_checksum } = self.clone();
        if !request.headers().contains_key("x-amz-copy-source") {
            return store.send(request);
        }
        Box::pin(async move {
            let owner = Client::builder().transport(store.clone()).build().unwrap();
            owner.put_object("my-bucket", "a", vec![8; MIB]).await.unwrap();
            let (head, body) = store.send(request).await?.into_parts();
            let Ok(bytes) = body.into_full() else { panic!("a document is sent whole") };
            let xml = String::from_utf8(bytes.to_vec()).unwrap();
            let (from, to) = (xml.find("<Checksum").unwrap(), xml.rfind("</Checksum").unwrap());
            let to = to + xml[to..].find('>').unwrap() + 1;
            let xml = if names_checksum { xml } else { format!("{}{}", &xml[..from], &xml[to..]) };
            Ok(Response::from_parts(head, Bytes::from(xml).into()))
        })
    }

    fn defaults(&self) -> Option<Defaults> {
        self.store.defaults()
    }
}

/// The text with the first 32 digits in a row of an MD5 the other way round.
fn lie(text: &str) -> String {
    let is_md5 = |at: &usize| text[*at..].bytes().take(32).filter(u8::is_ascii_hexdigit).count() == 32;
    let Some(at) = (0..text.len()).filter(|at| text.is_char_boundary(*at)).find(is_md5) else { return text.to_owned() };
    let other: String = text[at..at + 32].chars().rev().collect();
    format!("{}{other}{}", &text[..at], &text[at + 32..])
}

fn unproven(doubt: Doubt) -> Verification {
    Verification::NotVerified(doubt.as_str())
}

#[tokio::test]
async fn an_upload_is_verified_by_its_etag() {
    let store = store();
    let s3 = trusting(&store).await;
    let other = Client::builder().transport(store.clone()).build().unwrap();
    for size in [0, MIB, 17 * MIB] {
        let data = bytes(size);
        let on_disk = file(&data);
        let bodies =
            || [Body::bytes(data.clone()), Body::file(on_disk.path()), Body::stream(pieces(data.clone(), MIB))];
        for (number, body) in bodies().into_iter().enumerate() {
            let uploaded = s3.upload("my-bucket", "a", body).verify(true).await.unwrap();
            // The parts of a stream are gone.
            let is_gone = number == 2 && size > 16 * MIB;
            let expected = if is_gone { unproven(Doubt::Gone) } else { Verification::VerifiedByEtag };
            assert_eq!(uploaded.verification, expected, "{number} {size}");
        }
        for body in bodies() {
            let uploaded = other.upload("my-bucket", "a", body).verify(true).await.unwrap();
            assert_eq!(uploaded.verification, unproven(Doubt::NotTrusted));
        }
    }
    // With other sizes of parts than the usual ones, since it is known what was sent.
    let uploaded = s3.upload("my-bucket", "a", bytes(17 * MIB)).part_size(5_555_555).verify(true).await.unwrap();
    assert_eq!((uploaded.verification, uploaded.parts), (Verification::VerifiedByEtag, 4));
    // Nobody asked.
    let uploaded = s3.upload("my-bucket", "a", bytes(MIB)).await.unwrap();
    assert!(!uploaded.verification.is_verified());
}

#[tokio::test]
async fn what_was_stored_wrong_is_found_out() {
    let store = store();
    let s3 = trusting(&store).await;
    // Nothing but the ETag tells: the body is in no signature, and checksums are forgotten.
    let s3 = {
        drop(s3);
        Client::builder().transport(store.clone()).provider(Provider::Ceph).unsigned_payload().build().unwrap()
    };
    store.inject(Fault::corrupt_request(1000).on(Operation::PutObject)).unwrap();
    let error = s3.upload("my-bucket", "a", bytes(MIB)).verify(true).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(error.to_string().contains("the server stored other bytes than were sent: its ETag"), "{error}");
    assert!(error.hint().unwrap().contains("trust_etags"), "{error:?}");
}

#[tokio::test]
async fn the_etag_of_the_write_may_be_another_than_the_objects() {
    let store = store();
    let s3 = trusting(&store).await;
    for text in ["", "<ETag>&quot;0123456789abcdef0123456789abcdef-3&quot;</ETag>"] {
        // As Ceph answers, which names none, and rclone, which names one of another kind.
        let rewriting = Client::builder().provider(Provider::Ceph).transport(Completing(store.clone(), text));
        let s3 = rewriting.build().unwrap();
        let uploaded = s3.upload("my-bucket", "a", bytes(17 * MIB)).verify(true).await.unwrap();
        assert_eq!(uploaded.verification, Verification::VerifiedByEtag, "{text}");
        let copied = s3.copy("my-bucket", "a", "my-bucket", "b").to(&s3).verify(true).await.unwrap();
        let expected = if text.is_empty() { Verification::VerifiedByEtag } else { unproven(Doubt::NothingInCommon) };
        assert_eq!(copied.verification, expected);
        assert_eq!(uploaded.etag.unquoted().starts_with("0123456789"), !text.is_empty());
        let unasked = s3.upload("my-bucket", "a", bytes(17 * MIB)).await.unwrap();
        assert_eq!(unasked.etag.is_empty(), text.is_empty());
        // One that somebody else has written in between is not ours.
        let other = || Fault::replace_object(bytes(17 * MIB - 1)).on(Operation::HeadObject).times(1);
        store.inject(other()).unwrap();
        let uploaded = s3.upload("my-bucket", "a", bytes(17 * MIB)).verify(true).await.unwrap();
        assert_eq!(
            uploaded.verification,
            Verification::NotVerified("what stands there has not the ETag that the write got")
        );
    }
    // Of the same size, too.
    let mut other = bytes(MIB);
    other[7] ^= 1;
    store.inject(Fault::replace_object(other).on(Operation::HeadObject).times(1)).unwrap();
    let uploaded = s3.upload("my-bucket", "a", bytes(MIB)).verify(true).await.unwrap();
    assert_eq!(
        uploaded.verification,
        Verification::NotVerified("what stands there has not the ETag that the write got")
    );
}

/// Some servers call what has no versions `null`, and then do not know it by that name.
#[tokio::test]
async fn a_version_that_is_none_is_not_asked_for() {
    let store = store();
    trusting(&store).await;
    let behind = store.clone();
    let fake = Fake::new(move |_, request: Request<Carried>| {
        let asks_for_it = request.uri().query().is_some_and(|query| query.contains("versionId"));
        let source = request.headers().get("x-amz-copy-source").and_then(|source| source.to_str().ok());
        let asks_for_it = asks_for_it || source.is_some_and(|source| source.contains("versionId"));
        let sent = behind.send(request);
        async move {
            if asks_for_it {
                return Ok(answer(404, error_document("NoSuchVersion", "There are no versions.")));
            }
            let mut answer = sent.await?;
            for name in ["x-amz-version-id", "x-amz-copy-source-version-id"] {
                answer.headers_mut().insert(name, "null".parse().unwrap());
            }
            Ok(answer)
        }
    });
    let builder = Client::builder().provider(Provider::Ceph).transport(fake).region("us-east-1");
    let s3 = builder.credentials(store.access_key_id(), store.secret_access_key()).build().unwrap();
    for size in [MIB, 17 * MIB] {
        let uploaded = s3.upload("my-bucket", "a", bytes(size)).verify(true).await.unwrap();
        assert_eq!(uploaded.verification, Verification::VerifiedByEtag);
        let copy = || s3.copy("my-bucket", "a", "my-bucket", "b").verify(true);
        for copied in [copy(), copy().multipart_threshold(1), copy().to(&s3)] {
            assert_eq!(copied.await.unwrap().size, Some(size as u64));
        }
    }
}

#[tokio::test]
async fn an_etag_of_a_provider_that_is_not_trusted_is_never_believed() {
    let store = store();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a"), bytes(MIB)).unwrap();
    let lying = || Client::builder().transport(Lying(store.clone()));
    let s3 = client_of(lying()).await;
    let uploaded = s3.upload("my-bucket", "a", bytes(MIB)).verify(true).await.unwrap();
    assert_eq!(uploaded.verification, unproven(Doubt::NotTrusted));
    assert_eq!(compared(&s3, folder.path()).await, [SyncAction::Upload(Reason::Unproven(Doubt::NotTrusted))]);
    // Two equal tags of such a provider are two equal names.
    let copied = s3.copy("my-bucket", "a", "my-bucket", "b/a").verify(true).await.unwrap();
    assert_eq!(copied.verification, unproven(Doubt::NotTrusted));
    // Whoever says that they are MD5s is told that they are not those of the bytes.
    let s3 = lying().trust_etags(true).build().unwrap();
    assert_eq!(compared(&s3, folder.path()).await, [SyncAction::Upload(Reason::Content)]);
    let error = s3.upload("my-bucket", "a", bytes(MIB)).verify(true).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    // Of parts, that proves nothing.
    let uploaded = s3.upload("my-bucket", "a", bytes(17 * MIB)).verify(true).await.unwrap();
    assert_eq!(uploaded.verification, unproven(Doubt::OtherParts));
    // And whoever knows better than the table is not told that bytes differ.
    let s3 = lying().provider(Provider::Ceph).trust_etags(false).build().unwrap();
    let uploaded = s3.upload("my-bucket", "a", bytes(MIB)).verify(true).await.unwrap();
    assert_eq!(uploaded.verification, unproven(Doubt::NotTrusted));
}

/// What a sync of the folder by checksum would do, less what is the same.
async fn compared(s3: &Client, folder: &Path) -> Vec<SyncAction> {
    let mut events = s3.sync(folder, ("my-bucket", "")).compare(Compare::Checksum).dry_run(true).events();
    let mut actions = Vec::new();
    while let Some(item) = events.next().await {
        let item = item.unwrap();
        assert!(item.error.is_none(), "{item:?}");
        actions.push(item.action);
    }
    actions
}

#[tokio::test]
async fn a_sync_by_checksum_goes_by_etags() {
    let store = store();
    let s3 = trusting(&store).await;
    let folder = tempfile::tempdir().unwrap();
    let data = bytes(18 * MIB);
    std::fs::write(folder.path().join("a"), &data).unwrap();
    let upload = || s3.upload("my-bucket", "a", data.clone());
    for part_size in [5, 8, 15, 16] {
        upload().part_size(part_size << 20).await.unwrap();
        assert_eq!(compared(&s3, folder.path()).await, [], "{part_size}");
    }
    upload().multipart_threshold(1 << 30).await.unwrap();
    assert_eq!(compared(&s3, folder.path()).await, []);
    // A size of parts that nobody uses is found only where it is said.
    upload().part_size(5_555_555).await.unwrap();
    let other = SyncAction::Upload(Reason::Unproven(Doubt::OtherParts));
    assert_eq!(compared(&s3, folder.path()).await, [other]);
    let sync = s3.sync(folder.path(), ("my-bucket", "")).compare(Compare::Checksum);
    let synced = sync.uploads(|upload| upload.part_size(5_555_555)).await.unwrap();
    assert_eq!((synced.transferred, synced.skipped), (0, 1));
    // Other bytes.
    upload().multipart_threshold(1 << 30).await.unwrap();
    let mut changed = data.clone();
    changed[17 * MIB] ^= 1;
    std::fs::write(folder.path().join("a"), &changed).unwrap();
    assert_eq!(compared(&s3, folder.path()).await, [SyncAction::Upload(Reason::Content)]);
    // And down: what is the same is left alone.
    std::fs::write(folder.path().join("a"), &data).unwrap();
    let synced = s3.sync(("my-bucket", ""), folder.path()).compare(Compare::Checksum).await.unwrap();
    assert_eq!((synced.transferred, synced.skipped), (0, 1));
    // Between prefixes, by the ETags alone.
    let copy = || s3.sync(("my-bucket", ""), ("your-bucket", "")).compare(Compare::Checksum);
    s3.create_bucket("your-bucket").await.unwrap();
    assert_eq!(copy().await.unwrap().transferred, 1);
    assert_eq!(copy().await.unwrap().skipped, 1);
    s3.upload("your-bucket", "a", changed).multipart_threshold(1 << 30).await.unwrap();
    assert_eq!(copy().await.unwrap().transferred, 1);
}

#[tokio::test]
async fn a_checksum_that_the_server_keeps_comes_first() {
    let store = Store::in_memory();
    // These ETags are wrong, and nobody looks at them.
    let s3 = client_of(Client::builder().transport(Lying(store.clone())).trust_etags(true)).await;
    let folder = tempfile::tempdir().unwrap();
    let data = bytes(MIB);
    std::fs::write(folder.path().join("a"), &data).unwrap();
    let uploaded = s3.upload("my-bucket", "a", data).verify(true).await.unwrap();
    assert_eq!(uploaded.verification, Verification::Verified(ChecksumAlgorithm::Crc64Nvme));
    assert_eq!(compared(&s3, folder.path()).await, []);
    // One that the server has made by itself, or of another kind than ours, is as good.
    let none = s3.upload("my-bucket", "a", bytes(MIB)).no_checksum().verify(true).await.unwrap();
    assert!(matches!(none.verification, Verification::Verified(_)), "{}", none.verification);
    // One of parts' checksums is compared by the same sizes of parts as an ETag.
    let data = bytes(17 * MIB);
    std::fs::write(folder.path().join("a"), &data).unwrap();
    s3.upload("my-bucket", "a", data).checksum(ChecksumAlgorithm::Sha256).await.unwrap();
    assert_eq!(compared(&s3, folder.path()).await, []);
}

#[tokio::test]
async fn an_encrypted_objects_etag_is_no_md5() {
    let store = store();
    let s3 = trusting(&store).await;
    let upload = || s3.upload("my-bucket", "a", bytes(MIB)).verify(true);
    let uploaded = upload().encryption(Encryption::Kms(KmsKey::id("key"))).await.unwrap();
    assert_eq!(uploaded.verification, unproven(Doubt::Encrypted));
    let key = wharf::CustomerKey::new([7; 32]);
    let uploaded = upload().encryption(Encryption::Customer(key)).await.unwrap();
    assert_eq!(uploaded.verification, unproven(Doubt::Encrypted));
    let uploaded = upload().encryption(Encryption::S3).await.unwrap();
    assert_eq!(uploaded.verification, Verification::VerifiedByEtag);
}

#[tokio::test]
async fn a_copy_is_verified_by_both_etags() {
    let (store, target) = (store(), store());
    let (s3, to) = (trusting(&store).await, trusting(&target).await);
    for size in [MIB, 17 * MIB] {
        s3.upload("my-bucket", "a", bytes(size)).await.unwrap();
        let copy = || s3.copy("my-bucket", "a", "my-bucket", "b").verify(true);
        // One CopyObject makes one part of several.
        let expected = if size > 16 * MIB { unproven(Doubt::NothingInCommon) } else { Verification::VerifiedByEtag };
        assert_eq!(copy().await.unwrap().verification, expected);
        // Through this machine, in parts of the same size.
        let copied = copy().to(&to).await.unwrap();
        assert_eq!((copied.verification, copied.size), (Verification::VerifiedByEtag, Some(size as u64)));
        let unknown = Client::builder().transport(target.clone()).build().unwrap();
        assert_eq!(copy().to(&unknown).await.unwrap().verification, unproven(Doubt::NotTrusted));
        // Of parts that are cut otherwise, the tags say nothing.
        if size > 16 * MIB {
            let copied = copy().to(&to).part_size(16 << 20).await.unwrap();
            assert_eq!(copied.verification, unproven(Doubt::NothingInCommon));
        }
    }
    // That the copy is what passed here does not show that it is what the source is.
    let unknown = Client::builder().transport(store.clone()).build().unwrap();
    let copied = unknown.copy("my-bucket", "a", "my-bucket", "b").to(&to).verify(true).await.unwrap();
    assert_eq!(copied.verification, unproven(Doubt::NotTrusted));
    s3.upload("my-bucket", "a", bytes(MIB)).await.unwrap();
    let copied = unknown.copy("my-bucket", "a", "my-bucket", "b").to(&to).verify(true).await.unwrap();
    assert_eq!(copied.verification, unproven(Doubt::NotTrusted));
    // From a store that keeps checksums to one that does not.
    let keeps = client_of(Client::builder().transport(Store::in_memory()).provider(Provider::Embedded)).await;
    keeps.upload("my-bucket", "a", bytes(MIB)).await.unwrap();
    let copied = keeps.copy("my-bucket", "a", "my-bucket", "b").to(&to).verify(true).await.unwrap();
    assert_eq!(copied.verification, Verification::VerifiedByEtag);
    // What arrives wrong is found out.
    let to = Client::builder().transport(target.clone()).provider(Provider::Ceph).unsigned_payload().build().unwrap();
    target.inject(Fault::corrupt_request(1000).on(Operation::PutObject)).unwrap();
    let error = keeps.copy("my-bucket", "a", "my-bucket", "c").to(&to).verify(true).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
}

#[tokio::test]
async fn a_copy_of_other_bytes_than_were_seen_is_corrupt() {
    for names_checksum in [true, false] {
        let store = Store::in_memory();
        let s3 = client_of(Client::builder().transport(Replacing { store: store.clone(), names_checksum })).await;
        s3.put_object("my-bucket", "a", vec![7; MIB]).await.unwrap();
        store.inject(Fault::ignore_source_conditions()).unwrap();
        // It looks at the source, and holds the copy to that.
        let copy = || s3.copy("my-bucket", "a", "my-bucket", "b").verify(true);
        let error = copy().multipart_threshold(1 << 30).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{names_checksum} {error}");
        assert!(error.to_string().contains("the copy has other bytes than its source"), "{error}");
        // One that was held to nothing may be of a source that was there in between.
        store.inject(Fault::replace_object(vec![9; MIB]).on(Operation::HeadObject).nth(1)).unwrap();
        let verification = copy().await.unwrap().verification;
        assert!(verification.to_string().contains("may have been replaced meanwhile"), "{verification}");
    }
}

#[tokio::test]
async fn a_file_that_came_is_verified_by_its_etag() {
    let store = store();
    let s3 = trusting(&store).await;
    let lying = Client::builder().transport(Lying(store.clone())).trust_etags(true).build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    for (size, resumable) in [(0, false), (MIB, false), (17 * MIB, false), (17 * MIB, true)] {
        s3.upload("my-bucket", "a", bytes(size)).await.unwrap();
        let down = |s3: &Client| s3.download("my-bucket", "a", path.as_path()).resumable(resumable);
        assert_eq!(down(&s3).verify(true).await.unwrap().verification, Verification::VerifiedByEtag, "{size}");
        assert_eq!(std::fs::read(&path).unwrap(), bytes(size));
        // Nobody asked, or only a part came, or such ETags are not known to be MD5s.
        assert!(!down(&s3).await.unwrap().verification.is_verified());
        if size > 0 {
            assert!(!down(&s3).verify(true).range(1..).await.unwrap().verification.is_verified());
        }
        let unknown = Client::builder().transport(store.clone()).build().unwrap();
        let unknown = down(&unknown).verify(true).await.unwrap();
        assert_eq!(unknown.verification, unproven(Doubt::NotTrusted));
        // Bytes that are not what the ETag says get no name; of parts that says nothing.
        std::fs::remove_file(&path).unwrap();
        let other = down(&lying).verify(true).await;
        match size > 16 * MIB {
            true => assert_eq!(other.unwrap().verification, unproven(Doubt::OtherParts)),
            false => {
                let error = other.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
                assert!(error.hint().unwrap().contains("trust_etags"), "{error:?}");
                assert!(std::fs::read_dir(folder.path()).unwrap().next().is_none());
            }
        }
    }
}

#[tokio::test]
async fn a_file_that_came_is_verified_by_any_checksum_that_the_server_keeps() {
    let store = Store::in_memory();
    let s3 = client_of(Client::builder().transport(store.clone())).await;
    let folder = tempfile::tempdir().unwrap();
    // Of several ranges out of order no SHA can be made; and this server does not say where its parts end.
    store.inject(Fault::respond(501, "NotImplemented").on(Operation::GetObjectAttributes)).unwrap();
    for threshold in [1 << 20, 1 << 30] {
        let upload = s3.upload("my-bucket", "a", bytes(17 * MIB)).checksum(ChecksumAlgorithm::Sha256);
        upload.multipart_threshold(threshold).await.unwrap();
        let down = || s3.download("my-bucket", "a", folder.path().join("a").as_path()).resumable(true);
        assert!(!down().await.unwrap().verification.is_verified());
        let verified = down().verify(true).await.unwrap().verification;
        assert_eq!(verified, Verification::Verified(ChecksumAlgorithm::Sha256), "{threshold}");
    }
}

#[test]
fn trust_is_explained() {
    let shown = |builder: ClientBuilder| {
        let s3 = builder.transport(Store::in_memory()).build().unwrap();
        let explanation = s3.explain();
        let setting = explanation.get("ETags").unwrap();
        format!("{} ({})", setting.value(), setting.origin())
    };
    assert_eq!(shown(Client::builder()), "not trusted (default)");
    assert_eq!(shown(Client::builder().trust_etags(true)), "MD5, of parts too (said in the program)");
    assert_eq!(shown(Client::builder().provider(Provider::Gcs)), "MD5, not of parts (default)");
    assert_eq!(
        shown(Client::builder().provider(Provider::Aws).trust_etags(false)),
        "not trusted (said in the program)"
    );
}
