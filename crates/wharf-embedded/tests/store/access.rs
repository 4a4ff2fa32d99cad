//! ACLs and object ownership: who is let in, and who is not.

use wharf_embedded::Store;

use crate::support::*;

/// The canonical id of whoever asks.
async fn canonical(store: &Store, list: Ask) -> String {
    list.send(store).await.element("ID").unwrap()
}

#[tokio::test]
async fn the_public_reads_what_is_opened_to_it() {
    let store = store_with_bucket().await;
    put("/bucket/open").header("x-amz-acl", "public-read").body("hello").send(&store).await.expect(200);
    put("/bucket/shut").body("secret").send(&store).await.expect(200);
    assert_eq!(get("/bucket/open").send_bare(&store).await.expect(200).text(), "hello");
    head("/bucket/open").send_bare(&store).await.expect(200);
    get("/bucket/open?acl").send_bare(&store).await.refused(403, "AccessDenied");
    get("/bucket/open?tagging").send_bare(&store).await.refused(403, "AccessDenied");
    put("/bucket/open").body("x").send_bare(&store).await.refused(403, "AccessDenied");
    delete("/bucket/open").send_bare(&store).await.refused(403, "AccessDenied");
    get("/bucket/shut").send_bare(&store).await.refused(403, "AccessDenied");
    assert_eq!(head("/bucket/shut").send_bare(&store).await.expect(403).text(), "");
    get("/bucket/none").send_bare(&store).await.refused(403, "AccessDenied");
    get("/bucket").send_bare(&store).await.refused(403, "AccessDenied");
    get("/nowhere").send_bare(&store).await.refused(404, "NoSuchBucket");
    for ask in [get("/"), put("/mine"), get("/bucket?policy"), delete("/bucket"), put("/bucket?acl")] {
        ask.send_bare(&store).await.refused(403, "AccessDenied");
    }
    put("/bucket/open?acl").header("x-amz-acl", "private").send(&store).await.expect(200);
    get("/bucket/open").send_bare(&store).await.refused(403, "AccessDenied");
    put("/bucket/open?acl").header("x-amz-acl", "authenticated-read").send(&store).await.expect(200);
    get("/bucket/open").send_bare(&store).await.refused(403, "AccessDenied");
    get("/bucket/open").by_neighbour().send(&store).await.expect(200);
}

#[tokio::test]
async fn a_listed_bucket_tells_what_is_missing() {
    let store = store_with_bucket().await;
    put("/bucket/shut").send(&store).await.expect(200);
    put("/bucket?acl").header("x-amz-acl", "public-read").send(&store).await.expect(200);
    assert_eq!(get("/bucket?list-type=2").send_bare(&store).await.expect(200).elements("Key"), ["shut"]);
    head("/bucket").send_bare(&store).await.expect(200);
    get("/bucket?versions").send_bare(&store).await.expect(200);
    get("/bucket/none").send_bare(&store).await.refused(404, "NoSuchKey");
    get("/bucket/shut").send_bare(&store).await.refused(403, "AccessDenied");
    get("/bucket?acl").send_bare(&store).await.refused(403, "AccessDenied");
}

#[tokio::test]
async fn who_may_write_owns_what_he_wrote() {
    let store = store_with_bucket().await;
    put("/bucket/old").body("old").send(&store).await.expect(200);
    put("/bucket?acl").header("x-amz-acl", "public-read-write").send(&store).await.expect(200);
    put("/bucket/new").body("new").by_neighbour().send(&store).await.expect(200);
    put("/bucket/old").by_neighbour().send(&store).await.refused(403, "AccessDenied");
    delete("/bucket/old").by_neighbour().send(&store).await.refused(403, "AccessDenied");
    get("/bucket/new").send(&store).await.refused(403, "AccessDenied");
    get("/bucket/new").by_neighbour().send(&store).await.expect(200);
    let neighbour = canonical(&store, get("/").by_neighbour()).await;
    let mine = canonical(&store, get("/")).await;
    let listed = get("/bucket").send(&store).await.expect(200);
    assert_eq!(listed.elements("ID"), [neighbour.clone(), mine.clone()]);
    // The writer may share it with the bucket's owner, who may delete it in any case.
    let shared = put("/bucket/shared").header("x-amz-acl", "bucket-owner-full-control").body("s").by_neighbour();
    shared.send(&store).await.expect(200);
    get("/bucket/shared").send(&store).await.expect(200);
    get("/bucket/shared?acl").send(&store).await.expect(200);
    delete("/bucket/new").send(&store).await.expect(204);
    // Nobody in particular is somebody too.
    put("/bucket/nobody").body("n").send_bare(&store).await.expect(200);
    get("/bucket/nobody").send_bare(&store).await.expect(200);
    let owner = get("/bucket/nobody?acl").send_bare(&store).await.expect(200).element("ID");
    assert_eq!(owner.as_deref(), Some("65a011a29cdf8ec533ec3d1ccaae921c"));
    let doc = "<Delete><Object><Key>old</Key></Object><Object><Key>nobody</Key></Object></Delete>";
    let many = post("/bucket?delete").body(doc).header("x-amz-checksum-crc32", &crc32(doc)).send_bare(&store).await;
    assert_eq!((many.elements("Deleted").len(), many.elements("Code")), (1, vec!["AccessDenied".to_owned()]));
}

/// An ACL lets others write keys; it gives them no say over versions, locks and tags.
#[tokio::test]
async fn writing_is_no_more_than_writing() {
    let store = store();
    put("/bucket").header("x-amz-bucket-object-lock-enabled", "true").send(&store).await.expect(200);
    put("/bucket?acl").header("x-amz-acl", "public-read-write").send(&store).await.expect(200);
    let kept = put("/bucket/k").body("x").by_neighbour().send(&store).await.expect(200);
    let version = format!("/bucket/k?versionId={}", kept.get("x-amz-version-id").unwrap());
    delete(&version).by_neighbour().send(&store).await.refused(403, "AccessDenied");
    let bypass = delete("/bucket/k").header("x-amz-bypass-governance-retention", "true").by_neighbour();
    bypass.send(&store).await.refused(403, "AccessDenied");
    for (name, value) in [("x-amz-tagging", "a=b"), ("x-amz-object-lock-legal-hold", "ON")] {
        let ask = put("/bucket/l").header("content-md5", "1B2M2Y8AsgTpgAmY7PhCfg==").header(name, value);
        ask.clone().by_neighbour().send(&store).await.refused(403, "AccessDenied");
        ask.send(&store).await.expect(200);
    }
    delete("/bucket/k").by_neighbour().send(&store).await.expect(204);
    delete(&version).send(&store).await.expect(204);
}

#[tokio::test]
async fn what_the_public_never_does() {
    let store = store_with_bucket().await;
    put("/bucket?acl").header("x-amz-acl", "public-read-write").send(&store).await.expect(200);
    put("/bucket/k").header("x-amz-acl", "public-read").body("x").send_bare(&store).await.expect(200);
    post("/bucket/new?uploads").send_bare(&store).await.refused(403, "AccessDenied");
    put("/bucket/new").header("x-amz-copy-source", "bucket/k").send_bare(&store).await.refused(403, "AccessDenied");
}

/// Making a bucket anew resets its ACL, and goes around nothing that guards it.
#[tokio::test]
async fn a_bucket_made_anew_is_guarded() {
    let store = store_with_bucket().await;
    let again = put("/bucket").header("x-amz-acl", "public-read");
    let block =
        "<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls></PublicAccessBlockConfiguration>";
    put("/bucket?publicAccessBlock").body(block).send(&store).await.expect(200);
    again.send(&store).await.refused(403, "AccessDenied");
    delete("/bucket?publicAccessBlock").send(&store).await.expect(204);
    put("/bucket?ownershipControls").body(ownership("BucketOwnerEnforced")).send(&store).await.expect(200);
    again.send(&store).await.refused(400, "InvalidBucketAclWithObjectOwnership");
    put("/bucket").send(&store).await.expect(200);
    delete("/bucket?ownershipControls").send(&store).await.expect(204);
    again.send(&store).await.expect(200);
    get("/bucket").send_bare(&store).await.expect(200);
}

#[tokio::test]
async fn uploads_belong_to_who_began_them() {
    let store = store_with_bucket().await;
    put("/bucket?acl").header("x-amz-acl", "public-read-write").send(&store).await.expect(200);
    let id = post("/bucket/k?uploads").by_neighbour().send(&store).await.expect(200).element("UploadId").unwrap();
    let part = format!("/bucket/k?partNumber=1&uploadId={id}");
    put(&part).body("x").send_bare(&store).await.refused(403, "AccessDenied");
    get(&format!("/bucket/k?uploadId={id}")).send_bare(&store).await.refused(403, "AccessDenied");
    delete(&format!("/bucket/k?uploadId={id}")).send_bare(&store).await.refused(403, "AccessDenied");
    put(&part).body("x").by_neighbour().send(&store).await.expect(200);
    get(&format!("/bucket/k?uploadId={id}")).send(&store).await.expect(200);
    delete(&format!("/bucket/k?uploadId={id}")).by_neighbour().send(&store).await.expect(204);
}

#[tokio::test]
async fn lists_in_headers_and_documents() {
    let store = store_with_bucket().await;
    put("/bucket/k").body("x").send(&store).await.expect(200);
    let neighbour = canonical(&store, get("/").by_neighbour()).await;
    let mine = canonical(&store, get("/")).await;
    put("/bucket/k?acl").header("x-amz-grant-read-acp", &format!("id=\"{neighbour}\"")).send(&store).await.expect(200);
    get("/bucket/k").by_neighbour().send(&store).await.refused(403, "AccessDenied");
    let told = get("/bucket/k?acl").by_neighbour().send(&store).await.expect(200);
    assert_eq!(told.elements("Permission"), ["READ_ACP"]);
    let list = |owner: &str, permission: &str| {
        format!(
            "<AccessControlPolicy><Owner><ID>{owner}</ID></Owner><AccessControlList><Grant><Grantee \
             xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"CanonicalUser\"><ID>{neighbour}</ID>\
             </Grantee><Permission>{permission}</Permission></Grant></AccessControlList></AccessControlPolicy>"
        )
    };
    put("/bucket/k?acl").body(list(&mine, "WRITE_ACP")).send(&store).await.expect(200);
    get("/bucket/k?acl").by_neighbour().send(&store).await.refused(403, "AccessDenied");
    put("/bucket/k?acl").header("x-amz-acl", "public-read").by_neighbour().send(&store).await.expect(200);
    get("/bucket/k").send_bare(&store).await.expect(200);
    put("/bucket?acl").body(list(&mine, "READ")).send(&store).await.expect(200);
    get("/bucket").by_neighbour().send(&store).await.expect(200);
    put("/bucket?acl").body(list(&neighbour, "READ")).send(&store).await.refused(403, "AccessDenied");
    put("/bucket?acl").body(list(&mine, "TAKE")).send(&store).await.refused(400, "MalformedACLError");
    put("/bucket?acl").body("<x/>").send(&store).await.refused(400, "MalformedACLError");
    put("/bucket?acl").send(&store).await.refused(400, "MissingSecurityHeader");
    let both = put("/bucket?acl").header("x-amz-acl", "private").body(list(&mine, "READ"));
    both.send(&store).await.refused(400, "UnexpectedContent");
    put("/bucket/none?acl").header("x-amz-acl", "private").send(&store).await.refused(404, "NoSuchKey");
}

fn ownership(name: &str) -> String {
    format!("<OwnershipControls><Rule><ObjectOwnership>{name}</ObjectOwnership></Rule></OwnershipControls>")
}

#[tokio::test]
async fn without_acls_all_is_the_bucket_owners() {
    let store = store();
    put("/bucket").header("x-amz-object-ownership", "Everyone").send(&store).await.refused(400, "InvalidArgument");
    let enforced = || put("/bucket").header("x-amz-object-ownership", "BucketOwnerEnforced");
    let public = enforced().header("x-amz-acl", "public-read").send(&store).await;
    public.refused(400, "InvalidBucketAclWithObjectOwnership");
    enforced().send(&store).await.expect(200);
    let told = get("/bucket?ownershipControls").send(&store).await.expect(200);
    assert_eq!(told.element("ObjectOwnership").as_deref(), Some("BucketOwnerEnforced"));
    for (acl, status) in [("bucket-owner-full-control", 200), ("private", 200), ("public-read", 400)] {
        put("/bucket/k").header("x-amz-acl", acl).send(&store).await.expect(status);
    }
    for ask in [put("/bucket?acl"), put("/bucket/k?acl")] {
        let answer = ask.header("x-amz-acl", "public-read").send(&store).await;
        answer.refused(400, "AccessControlListNotSupported");
    }
    // What was granted before counts again when ACLs do.
    put("/bucket?ownershipControls").body(ownership("ObjectWriter")).send(&store).await.expect(200);
    put("/bucket/k?acl").header("x-amz-acl", "public-read").send(&store).await.expect(200);
    put("/bucket?ownershipControls").body(ownership("BucketOwnerEnforced")).send(&store).await.expect(200);
    get("/bucket/k").send_bare(&store).await.refused(403, "AccessDenied");
    assert_eq!(get("/bucket/k?acl").send(&store).await.expect(200).elements("Permission"), ["FULL_CONTROL"]);
    delete("/bucket?ownershipControls").send(&store).await.expect(204);
    get("/bucket/k").send_bare(&store).await.expect(200);
    put("/bucket?acl").header("x-amz-acl", "public-read").send(&store).await.expect(200);
    let late = put("/bucket?ownershipControls").body(ownership("BucketOwnerEnforced")).send(&store).await;
    late.refused(400, "InvalidBucketAclWithObjectOwnership");
}

#[tokio::test]
async fn a_preferred_owner_is_given_what_is_meant_for_him() {
    let store = store_with_bucket().await;
    put("/bucket?acl").header("x-amz-acl", "public-read-write").send(&store).await.expect(200);
    put("/bucket?ownershipControls").body(ownership("BucketOwnerPreferred")).send(&store).await.expect(200);
    let given = put("/bucket/given").header("x-amz-acl", "bucket-owner-full-control").by_neighbour();
    given.send(&store).await.expect(200);
    put("/bucket/kept").by_neighbour().send(&store).await.expect(200);
    get("/bucket/given").send(&store).await.expect(200);
    get("/bucket/given").by_neighbour().send(&store).await.refused(403, "AccessDenied");
    get("/bucket/kept").send(&store).await.refused(403, "AccessDenied");
}

#[tokio::test]
async fn the_public_is_kept_out() {
    let store = store_with_bucket().await;
    let block = |what: &str| {
        put("/bucket?publicAccessBlock")
            .body(format!("<PublicAccessBlockConfiguration><{what}>true</{what}></PublicAccessBlockConfiguration>"))
    };
    let open = || put("/bucket/k").header("x-amz-acl", "public-read").body("x");
    open().send(&store).await.expect(200);
    block("IgnorePublicAcls").send(&store).await.expect(200);
    open().send(&store).await.expect(200);
    get("/bucket/k").send_bare(&store).await.refused(403, "AccessDenied");
    block("BlockPublicAcls").send(&store).await.expect(200);
    get("/bucket/k").send_bare(&store).await.expect(200);
    open().send(&store).await.refused(403, "AccessDenied");
    for ask in [put("/bucket?acl"), put("/bucket/k?acl")] {
        ask.header("x-amz-acl", "public-read").send(&store).await.refused(403, "AccessDenied");
    }
    put("/bucket/k").header("x-amz-acl", "bucket-owner-read").send(&store).await.expect(200);
}

#[tokio::test]
async fn copies_need_both_ends() {
    let store = store_with_bucket().await;
    put("/neighbours").by_neighbour().send(&store).await.expect(200);
    put("/bucket/shut").body("x").send(&store).await.expect(200);
    put("/bucket/open").header("x-amz-acl", "public-read").body("x").send(&store).await.expect(200);
    let copy = |from: &str, to: &str| put(to).header("x-amz-copy-source", from).by_neighbour();
    copy("bucket/shut", "/neighbours/c").send(&store).await.refused(403, "AccessDenied");
    copy("bucket/none", "/neighbours/c").send(&store).await.refused(403, "AccessDenied");
    copy("bucket/open", "/bucket/c").send(&store).await.refused(403, "AccessDenied");
    copy("bucket/open", "/neighbours/c").send(&store).await.expect(200);
    // Whom the bytes are open to is not told the tags.
    put("/bucket/open?tagging")
        .body("<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>")
        .send(&store)
        .await
        .expect(200);
    copy("bucket/open", "/neighbours/t").send(&store).await.refused(403, "AccessDenied");
    let bare = copy("bucket/open", "/neighbours/t").header("x-amz-tagging-directive", "REPLACE");
    bare.send(&store).await.expect(200);
}
