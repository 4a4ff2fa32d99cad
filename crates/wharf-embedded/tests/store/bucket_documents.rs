//! The documents that configure a bucket: kept, told, and refused where they say nonsense.

use crate::support::*;

/// A document: its sub-resource, the code that tells of its absence, a good one, and bad ones with their codes.
struct Case {
    sub: &'static str,
    absent: Option<&'static str>,
    good: &'static str,
    bad: &'static [(&'static str, &'static str)],
    deletes: bool,
}

const CASES: [Case; 10] = [
    Case {
        sub: "cors",
        absent: Some("NoSuchCORSConfiguration"),
        good: "<CORSConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><CORSRule><AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin></CORSRule></CORSConfiguration>",
        bad: &[("<CORSConfiguration/>", "MalformedXML"), ("<CORS/>", "MalformedXML"), ("", "MalformedXML")],
        deletes: true,
    },
    Case {
        sub: "lifecycle",
        absent: Some("NoSuchLifecycleConfiguration"),
        good: "<LifecycleConfiguration><Rule><ID>old</ID><Filter><Prefix>logs/</Prefix></Filter><Status>Enabled</Status><Expiration><Days>30</Days></Expiration></Rule></LifecycleConfiguration>",
        bad: &[
            ("<LifecycleConfiguration></LifecycleConfiguration>", "MalformedXML"),
            (
                "<LifecycleConfiguration><Rule><Filter/><Status>On</Status><Expiration><Days>1</Days></Expiration></Rule></LifecycleConfiguration>",
                "MalformedXML",
            ),
            (
                "<LifecycleConfiguration><Rule><Status>Enabled</Status><Expiration><Days>1</Days></Expiration></Rule></LifecycleConfiguration>",
                "MalformedXML",
            ),
            (
                "<LifecycleConfiguration><Rule><Filter/><Status>Enabled</Status></Rule></LifecycleConfiguration>",
                "InvalidRequest",
            ),
            (
                "<LifecycleConfiguration><Rule><Filter/><Status>Enabled</Status><Expiration><Days>0</Days></Expiration></Rule></LifecycleConfiguration>",
                "InvalidArgument",
            ),
            (
                "<LifecycleConfiguration><Rule><Filter/><Status>Enabled</Status><Expiration><Date>2030-01-01T01:00:00Z</Date></Expiration></Rule></LifecycleConfiguration>",
                "InvalidArgument",
            ),
        ],
        deletes: true,
    },
    Case {
        sub: "website",
        absent: Some("NoSuchWebsiteConfiguration"),
        good: "<WebsiteConfiguration><IndexDocument><Suffix>index.html</Suffix></IndexDocument></WebsiteConfiguration>",
        bad: &[
            ("<WebsiteConfiguration/>", "InvalidArgument"),
            (
                "<WebsiteConfiguration><IndexDocument><Suffix>a/b</Suffix></IndexDocument></WebsiteConfiguration>",
                "InvalidArgument",
            ),
        ],
        deletes: true,
    },
    Case {
        sub: "encryption",
        absent: None,
        good: "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>aws:kms</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>",
        bad: &[(
            "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>ROT13</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>",
            "MalformedXML",
        )],
        deletes: true,
    },
    Case {
        sub: "ownershipControls",
        absent: Some("OwnershipControlsNotFoundError"),
        good: "<OwnershipControls><Rule><ObjectOwnership>BucketOwnerPreferred</ObjectOwnership></Rule></OwnershipControls>",
        bad: &[(
            "<OwnershipControls><Rule><ObjectOwnership>Mine</ObjectOwnership></Rule></OwnershipControls>",
            "MalformedXML",
        )],
        deletes: true,
    },
    Case {
        sub: "publicAccessBlock",
        absent: Some("NoSuchPublicAccessBlockConfiguration"),
        good: "<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls></PublicAccessBlockConfiguration>",
        bad: &[(
            "<PublicAccessBlockConfiguration><BlockPublicAcls>yes</BlockPublicAcls></PublicAccessBlockConfiguration>",
            "MalformedXML",
        )],
        deletes: true,
    },
    Case {
        sub: "accelerate",
        absent: None,
        good: "<AccelerateConfiguration><Status>Suspended</Status></AccelerateConfiguration>",
        bad: &[("<AccelerateConfiguration><Status>Fast</Status></AccelerateConfiguration>", "MalformedXML")],
        deletes: false,
    },
    Case {
        sub: "requestPayment",
        absent: None,
        good: "<RequestPaymentConfiguration><Payer>Requester</Payer></RequestPaymentConfiguration>",
        bad: &[("<RequestPaymentConfiguration><Payer>Nobody</Payer></RequestPaymentConfiguration>", "MalformedXML")],
        deletes: false,
    },
    Case {
        sub: "logging",
        absent: None,
        good: "<BucketLoggingStatus><LoggingEnabled><TargetBucket>bucket</TargetBucket><TargetPrefix>log/</TargetPrefix></LoggingEnabled></BucketLoggingStatus>",
        bad: &[
            ("<BucketLoggingStatus><LoggingEnabled/></BucketLoggingStatus>", "MalformedXML"),
            ("<BucketLoggingStatus><Log/></BucketLoggingStatus>", "MalformedXML"),
        ],
        deletes: false,
    },
    Case {
        sub: "policy",
        absent: Some("NoSuchBucketPolicy"),
        good: "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"s3:GetObject\",\"Resource\":\"arn:aws:s3:::bucket/*\"}]}",
        bad: &[("", "MalformedPolicy"), ("{\"Statement\":[{}]}", "MalformedPolicy")],
        deletes: true,
    },
];

#[tokio::test]
async fn put_get_and_delete() {
    for Case { sub, absent, good, bad, deletes } in CASES {
        let store = store_with_bucket().await;
        let target = format!("/bucket?{sub}");
        let before = get(&target).send(&store).await;
        let before = match absent {
            Some(code) => before.refused(404, code),
            None => before.expect(200),
        };
        for (document, code) in bad {
            let answer = put(&target).body(*document).send(&store).await;
            assert_eq!(answer.element("Code").as_deref(), Some(*code), "{sub}: {document}");
            assert_eq!(answer.status, 400);
        }
        put(&target)
            .body(good)
            .header("content-md5", "AAAAAAAAAAAAAAAAAAAAAA==")
            .send(&store)
            .await
            .refused(400, "BadDigest");
        put(&target).body(good).by_neighbour().send(&store).await.refused(403, "AccessDenied");
        get(&target).by_neighbour().send(&store).await.refused(403, "AccessDenied");
        get(&target).send_bare(&store).await.refused(403, "AccessDenied");
        put(&target).body(good).send(&store).await.expect(if sub == "policy" { 204 } else { 200 });
        let answer = get(&target).send(&store).await.expect(200);
        assert_eq!(answer.text(), good);
        let kind = if sub == "policy" { "application/json" } else { "application/xml" };
        assert_eq!(answer.get("content-type"), Some(kind));
        if deletes {
            delete(&target).by_neighbour().send(&store).await.refused(403, "AccessDenied");
            delete(&target).send(&store).await.expect(204);
            let after = get(&target).send(&store).await;
            assert_eq!((after.status, after.element("Code")), (before.status, before.element("Code")), "{sub}");
        } else {
            delete(&target).send(&store).await.refused(501, "NotImplemented");
        }
    }
}

#[tokio::test]
async fn what_is_told_without_a_document() {
    let store = store_with_bucket().await;
    for (sub, element, text) in [("encryption", "SSEAlgorithm", "AES256"), ("requestPayment", "Payer", "BucketOwner")] {
        let answer = get(&format!("/bucket?{sub}")).send(&store).await.expect(200);
        assert_eq!(answer.element(element).as_deref(), Some(text), "{sub}");
    }
    get("/bucket?replication").send(&store).await.refused(404, "ReplicationConfigurationNotFoundError");
    get("/bucket?policyStatus").send(&store).await.refused(404, "NoSuchBucketPolicy");
    get("/nowhere?cors").send(&store).await.refused(404, "NoSuchBucket");
}

#[tokio::test]
async fn what_has_no_name_gets_one() {
    let store = store_with_bucket().await;
    let rules = "<LifecycleConfiguration><Rule><Prefix>a</Prefix><Status>Enabled</Status><Expiration><Days>1</Days></Expiration></Rule></LifecycleConfiguration>";
    put("/bucket?lifecycle").body(rules).send(&store).await.expect(200);
    let answer = get("/bucket?lifecycle").send(&store).await.expect(200);
    assert_eq!((answer.elements("ID").len(), answer.element("Days").as_deref()), (1, Some("1")), "{}", answer.text());
    let events = "<NotificationConfiguration><QueueConfiguration><Queue>arn:aws:sqs:us-east-1:1:q</Queue><Event>s3:ObjectCreated:*</Event></QueueConfiguration></NotificationConfiguration>";
    put("/bucket?notification").body(events).send(&store).await.expect(200);
    let answer = get("/bucket?notification").send(&store).await.expect(200);
    assert_eq!(answer.element("Queue").as_deref(), Some("arn:aws:sqs:us-east-1:1:q"));
    assert_eq!((answer.element("Event").as_deref(), answer.elements("Id").len()), (Some("s3:ObjectCreated:*"), 1));
    put("/bucket?notification").body("<NotificationConfiguration/>").send(&store).await.expect(200);
    assert_eq!(get("/bucket?notification").send(&store).await.elements("Queue").len(), 0);
    let wrong = events.replace("s3:ObjectCreated:*", "ec2:Started");
    put("/bucket?notification").body(wrong).send(&store).await.refused(400, "InvalidArgument");
}

#[tokio::test]
async fn encryption_of_the_bucket_shows_in_new_objects() {
    let store = store_with_bucket().await;
    let document = "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>aws:kms</SSEAlgorithm><KMSMasterKeyID>key-1</KMSMasterKeyID></ApplyServerSideEncryptionByDefault><BucketKeyEnabled>true</BucketKeyEnabled></Rule></ServerSideEncryptionConfiguration>";
    put("/bucket?encryption").body(document).send(&store).await.expect(200);
    let said = |answer: &Answer| {
        ["", "-aws-kms-key-id", "-bucket-key-enabled"]
            .map(|end| answer.get(&format!("x-amz-server-side-encryption{end}")).map(str::to_owned))
    };
    let kms = ["aws:kms", "key-1", "true"].map(|text| Some(text.to_owned()));
    assert_eq!(said(&put("/bucket/k").body("x").send(&store).await.expect(200)), kms);
    assert_eq!(said(&head("/bucket/k").send(&store).await.expect(200)), kms);
    assert_eq!(said(&post("/bucket/m?uploads").send(&store).await.expect(200)), kms);
    let copy = put("/bucket/c").header("x-amz-copy-source", "bucket/k").send(&store).await.expect(200);
    assert_eq!(said(&copy), kms);
    let own = put("/bucket/own").header("x-amz-server-side-encryption", "AES256").send(&store).await.expect(200);
    assert_eq!(said(&own), [Some("AES256".to_owned()), None, None]);
}

#[tokio::test]
async fn retention_of_the_bucket_holds_new_objects() {
    let store = store();
    put("/plain").send(&store).await.expect(200);
    let lock = |days: &str| {
        format!(
            "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention><Mode>GOVERNANCE</Mode>{days}</DefaultRetention></Rule></ObjectLockConfiguration>"
        )
    };
    get("/plain?object-lock").send(&store).await.refused(404, "ObjectLockConfigurationNotFoundError");
    put("/plain?object-lock").body(lock("<Days>2</Days>")).send(&store).await.refused(409, "InvalidBucketState");
    put("/bucket").header("x-amz-bucket-object-lock-enabled", "true").send(&store).await.expect(200);
    let answer = get("/bucket?object-lock").send(&store).await.expect(200);
    assert_eq!((answer.element("ObjectLockEnabled").as_deref(), answer.element("Rule")), (Some("Enabled"), None));
    for bad in ["", "<Days>1</Days><Years>1</Years>"] {
        put("/bucket?object-lock").body(lock(bad)).send(&store).await.refused(400, "MalformedXML");
    }
    put("/bucket?object-lock").body(lock("<Days>0</Days>")).send(&store).await.refused(400, "InvalidArgument");
    put("/bucket?object-lock").body(lock("<Days>2</Days>")).send(&store).await.expect(200);
    put("/bucket/k").body("x").send(&store).await.refused(400, "InvalidRequest");
    let written = put("/bucket/k").body("x").header("x-amz-checksum-crc32", &crc32("x"));
    let written = written.send(&store).await.expect(200);
    let answer = head("/bucket/k").send(&store).await.expect(200);
    assert_eq!(answer.get("x-amz-object-lock-mode"), Some("GOVERNANCE"));
    assert_eq!(answer.get("x-amz-object-lock-retain-until-date"), Some("2013-05-26T00:00:00.000Z"));
    let version = written.get("x-amz-version-id").unwrap();
    delete(&format!("/bucket/k?versionId={version}")).send(&store).await.refused(403, "AccessDenied");
}
