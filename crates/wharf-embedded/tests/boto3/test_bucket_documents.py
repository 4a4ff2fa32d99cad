"""Part 1: bucket CORS with preflight, policy, lifecycle, website, notification, encryption, ownership and
public-access documents kept and returned. Tagging is in test_tagging.py, what ACLs and policies open in
test_anonymous.py.

What is not there, and what is there by default, is by the reference of each operation.
"""

import json

import pytest

from sums import md5

ARN = "arn:aws:s3:::"
ACCOUNT = "123456789012"


def policy_of(bucket, **more):
    """A policy that allows everybody to read all objects, but for what is said otherwise."""
    statement = {
        "Sid": "a",
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": f"{ARN}{bucket}/*",
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement | more]})


class TestCors:
    RULES = [
        {
            "ID": "one",
            "AllowedOrigins": ["https://*.example.com", "https://example.org"],
            "AllowedMethods": ["GET", "PUT"],
            "AllowedHeaders": ["x-amz-*", "content-type"],
            "ExposeHeaders": ["ETag", "x-amz-meta-a"],
            "MaxAgeSeconds": 600,
        },
        {"AllowedOrigins": ["*"], "AllowedMethods": ["HEAD"]},
    ]

    @pytest.fixture
    def shared(self, s3, bucket):
        s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": self.RULES})
        return bucket

    def preflight(self, wire, bucket, origin="https://www.example.com", method="GET", headers=None):
        given = {"Origin": origin, "Access-Control-Request-Method": method, "Access-Control-Request-Headers": headers}
        return wire.send("OPTIONS", f"/{bucket}/k", {name: value for name, value in given.items() if value})

    def test_kept(self, s3, shared, refused):
        assert s3.get_bucket_cors(Bucket=shared)["CORSRules"] == self.RULES
        s3.delete_bucket_cors(Bucket=shared)
        refused("NoSuchCORSConfiguration", s3.get_bucket_cors, Bucket=shared, status=404)

    def test_bad_method(self, s3, bucket, refused):
        rules = [{"AllowedOrigins": ["*"], "AllowedMethods": ["PATCH"]}]
        refused("InvalidRequest", s3.put_bucket_cors, Bucket=bucket, CORSConfiguration={"CORSRules": rules}, status=400)

    def test_preflight(self, wire, shared):
        """Anonymous, as browsers send it."""
        answer = self.preflight(wire, shared, method="PUT", headers="X-Amz-Meta-A, content-type")
        assert answer.status == 200, answer
        assert answer.headers["access-control-allow-origin"] == "https://www.example.com"
        assert answer.headers["access-control-allow-methods"] == "GET, PUT"
        assert answer.headers["access-control-allow-headers"].lower() == "x-amz-meta-a, content-type"
        assert answer.headers["access-control-max-age"] == "600"
        assert answer.headers["access-control-expose-headers"] == "ETag, x-amz-meta-a"
        assert answer.headers["access-control-allow-credentials"] == "true"
        assert "Origin" in answer.headers["vary"]

    def test_preflight_of_a_presigned_url(self, s3, wire, shared):
        """Browsers ask at the URL that they will use, whose signature is for another method."""
        url = s3.generate_presigned_url("put_object", {"Bucket": shared, "Key": "k"}, ExpiresIn=60)
        target = url[url.index("/", len("http://")) :]
        given = {"Origin": "https://www.example.com", "Access-Control-Request-Method": "PUT"}
        assert wire.send("OPTIONS", target, given).status == 200
        given["Origin"] = "https://elsewhere.net"
        assert wire.send("OPTIONS", target, given).code == "AccessForbidden"

    def test_preflight_for_everybody(self, wire, shared):
        answer = self.preflight(wire, shared, "https://elsewhere.net", "HEAD")
        assert (answer.status, answer.headers["access-control-allow-origin"]) == (200, "*")
        assert "access-control-allow-credentials" not in answer.headers

    @pytest.mark.parametrize(
        "wrong",
        [
            {"origin": "https://elsewhere.net"},
            {"origin": "http://www.example.com"},
            {"method": "DELETE"},
            {"headers": "authorization"},
        ],
        ids=str,
    )
    def test_preflight_refused(self, wire, shared, wrong):
        answer = self.preflight(wire, shared, **wrong)
        assert (answer.status, answer.code) == (403, "AccessForbidden")
        assert "access-control-allow-origin" not in answer.headers

    def test_preflight_without_a_configuration(self, wire, bucket):
        answer = self.preflight(wire, bucket)
        assert (answer.status, answer.code) == (403, "AccessForbidden")

    def test_preflight_without_an_origin(self, wire, shared):
        answer = self.preflight(wire, shared, origin=None)
        assert (answer.status, answer.code) == (400, "BadRequest")

    def test_requests_themselves(self, wire, s3, shared):
        s3.put_object(Bucket=shared, Key="k", Body=b"x")
        answer = wire.ask("GET", f"/{shared}/k", headers={"Origin": "https://example.org"})
        assert (answer.status, answer.headers["access-control-allow-origin"]) == (200, "https://example.org")
        assert answer.headers["access-control-expose-headers"] == "ETag, x-amz-meta-a"
        assert "Origin" in answer.headers["vary"]
        # Refusals have them too, or no browser could show them; other origins get the object, and no word.
        answer = wire.ask("GET", f"/{shared}/none", headers={"Origin": "https://example.org"})
        assert (answer.status, answer.headers["access-control-allow-origin"]) == (404, "https://example.org")
        answer = wire.ask("GET", f"/{shared}/k", headers={"Origin": "https://elsewhere.net"})
        assert answer.status == 200 and "access-control-allow-origin" not in answer.headers


class TestPolicy:
    def test_kept(self, s3, bucket, refused):
        refused("NoSuchBucketPolicy", s3.get_bucket_policy, Bucket=bucket, status=404)
        s3.delete_public_access_block(Bucket=bucket)
        policy = policy_of(bucket)
        s3.put_bucket_policy(Bucket=bucket, Policy=policy)
        assert json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"]) == json.loads(policy)
        assert s3.delete_bucket_policy(Bucket=bucket)["ResponseMetadata"]["HTTPStatusCode"] == 204
        refused("NoSuchBucketPolicy", s3.get_bucket_policy, Bucket=bucket, status=404)

    @pytest.mark.parametrize("bad", ["", "no JSON", "{}", "[]"])
    def test_no_policy(self, wire, bucket, bad):
        answer = wire.ask("PUT", f"/{bucket}", "policy=", body=bad.encode())
        assert (answer.status, answer.code) == (400, "MalformedPolicy")

    @pytest.mark.parametrize(
        "bad",
        [
            {"Effect": "Perhaps"},
            {"Action": "s3:Nothing"},
            {"Principal": None},
            {"Resource": f"{ARN}another-bucket/*"},
            {"Condition": {"StringLikely": {"s3:prefix": "a"}}},
        ],
        ids=str,
    )
    def test_bad(self, wire, bucket, bad):
        policy = json.loads(policy_of(bucket, **bad))
        [statement] = policy["Statement"]
        policy["Statement"] = [{name: value for name, value in statement.items() if value is not None}]
        answer = wire.ask("PUT", f"/{bucket}", "policy=", body=json.dumps(policy).encode())
        assert (answer.status, answer.code) == (400, "MalformedPolicy")

    def test_status(self, s3, bucket):
        s3.delete_public_access_block(Bucket=bucket)
        s3.put_bucket_policy(Bucket=bucket, Policy=policy_of(bucket))
        assert s3.get_bucket_policy_status(Bucket=bucket)["PolicyStatus"]["IsPublic"] is True
        principal = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
        s3.put_bucket_policy(Bucket=bucket, Policy=policy_of(bucket, Principal=principal))
        assert s3.get_bucket_policy_status(Bucket=bucket)["PolicyStatus"]["IsPublic"] is False


class TestLifecycle:
    RULES = [
        {
            "ID": "one",
            "Status": "Enabled",
            "Filter": {"Prefix": "logs/"},
            "Expiration": {"Days": 30},
            "Transitions": [{"Days": 7, "StorageClass": "GLACIER"}],
        },
        {
            "ID": "two",
            "Status": "Disabled",
            "Filter": {"Prefix": ""},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 3},
            "NoncurrentVersionExpiration": {"NoncurrentDays": 9},
        },
    ]

    def put(self, s3, bucket, *rules):
        s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": list(rules)})

    def test_kept(self, s3, bucket, refused):
        refused("NoSuchLifecycleConfiguration", s3.get_bucket_lifecycle_configuration, Bucket=bucket, status=404)
        self.put(s3, bucket, *self.RULES)
        assert s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"] == self.RULES
        s3.delete_bucket_lifecycle(Bucket=bucket)
        refused("NoSuchLifecycleConfiguration", s3.get_bucket_lifecycle_configuration, Bucket=bucket, status=404)

    def test_bad(self, s3, bucket, refused):
        rule = self.RULES[0]
        refused("InvalidArgument", self.put, s3, bucket, rule | {"Expiration": {"Days": 0}}, status=400)
        refused("InvalidArgument", self.put, s3, bucket, rule, rule, status=400)
        refused("MalformedXML", self.put, s3, bucket, rule | {"Status": "Perhaps"}, status=400)
        nothing = {name: rule[name] for name in ("ID", "Status", "Filter")}
        refused("InvalidRequest", self.put, s3, bucket, nothing, status=400)


class TestWebsite:
    SITE = {
        "IndexDocument": {"Suffix": "index.html"},
        "ErrorDocument": {"Key": "error.html"},
        "RoutingRules": [
            {
                "Condition": {"KeyPrefixEquals": "old/"},
                "Redirect": {"ReplaceKeyPrefixWith": "new/", "Protocol": "https"},
            }
        ],
    }

    def test_kept(self, s3, bucket, refused):
        refused("NoSuchWebsiteConfiguration", s3.get_bucket_website, Bucket=bucket, status=404)
        s3.put_bucket_website(Bucket=bucket, WebsiteConfiguration=self.SITE)
        got = s3.get_bucket_website(Bucket=bucket)
        assert {name: got[name] for name in self.SITE} == self.SITE
        s3.delete_bucket_website(Bucket=bucket)
        refused("NoSuchWebsiteConfiguration", s3.get_bucket_website, Bucket=bucket, status=404)

    def test_redirect_of_all(self, s3, bucket):
        site = {"RedirectAllRequestsTo": {"HostName": "example.com", "Protocol": "https"}}
        s3.put_bucket_website(Bucket=bucket, WebsiteConfiguration=site)
        assert s3.get_bucket_website(Bucket=bucket)["RedirectAllRequestsTo"] == site["RedirectAllRequestsTo"]

    def test_bad(self, s3, bucket):
        for bad in ({}, {"ErrorDocument": {"Key": "error.html"}}, {"IndexDocument": {"Suffix": "a/b"}}):
            with pytest.raises(s3.exceptions.ClientError) as caught:
                s3.put_bucket_website(Bucket=bucket, WebsiteConfiguration=bad)
            assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


class TestNotification:
    def test_kept(self, s3, bucket):
        empty = s3.get_bucket_notification_configuration(Bucket=bucket)
        assert not [name for name in empty if name != "ResponseMetadata"]
        queue = {"Id": "one", "QueueArn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:q", "Events": ["s3:ObjectCreated:*"]}
        topic = {"Id": "two", "TopicArn": f"arn:aws:sns:us-east-1:{ACCOUNT}:t", "Events": ["s3:ObjectRemoved:Delete"]}
        topic["Filter"] = {"Key": {"FilterRules": [{"Name": "Prefix", "Value": "a/"}]}}
        given = {"QueueConfigurations": [queue], "TopicConfigurations": [topic]}
        s3.put_bucket_notification_configuration(
            Bucket=bucket, NotificationConfiguration=given, SkipDestinationValidation=True
        )
        got = s3.get_bucket_notification_configuration(Bucket=bucket)
        # S3 gives the filter's names back with a capital.
        assert {name: got[name] for name in given} == given
        s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={})
        assert "QueueConfigurations" not in s3.get_bucket_notification_configuration(Bucket=bucket)


class TestEncryption:
    def rule(self, got):
        [rule] = got["ServerSideEncryptionConfiguration"]["Rules"]
        return rule["ApplyServerSideEncryptionByDefault"], rule.get("BucketKeyEnabled", False)

    def test_by_default(self, s3, bucket):
        """Since January 2023 each bucket has one, and a deletion brings it back."""
        assert self.rule(s3.get_bucket_encryption(Bucket=bucket)) == ({"SSEAlgorithm": "AES256"}, False)

    def test_kept_and_done(self, s3, bucket):
        chosen = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "arn:aws:kms:us-east-1:123456789012:key/a"}
        rule = {"ApplyServerSideEncryptionByDefault": chosen, "BucketKeyEnabled": True}
        s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
        assert self.rule(s3.get_bucket_encryption(Bucket=bucket)) == (chosen, True)
        put = s3.put_object(Bucket=bucket, Key="k", Body=b"x")
        assert (put["ServerSideEncryption"], put["SSEKMSKeyId"], put["BucketKeyEnabled"]) == (
            "aws:kms",
            chosen["KMSMasterKeyID"],
            True,
        )
        own = s3.put_object(Bucket=bucket, Key="own", Body=b"x", ServerSideEncryption="AES256")
        assert own["ServerSideEncryption"] == "AES256"
        s3.delete_bucket_encryption(Bucket=bucket)
        assert self.rule(s3.get_bucket_encryption(Bucket=bucket)) == ({"SSEAlgorithm": "AES256"}, False)
        assert s3.put_object(Bucket=bucket, Key="k", Body=b"x")["ServerSideEncryption"] == "AES256"

    def test_bad(self, s3, bucket, refused):
        rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "rot13"}}
        arguments = {"ServerSideEncryptionConfiguration": {"Rules": [rule]}}
        refused("MalformedXML", s3.put_bucket_encryption, Bucket=bucket, **arguments, status=400)


class TestOwnership:
    @pytest.mark.parametrize("name", ["BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter"])
    def test_kept(self, s3, bucket, refused, name):
        rules = [{"ObjectOwnership": name}]
        s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls={"Rules": rules})
        assert s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"] == rules
        s3.delete_bucket_ownership_controls(Bucket=bucket)
        code = "OwnershipControlsNotFoundError"
        refused(code, s3.get_bucket_ownership_controls, Bucket=bucket, status=404)

    def test_given_at_creation(self, s3, new_bucket):
        bucket = new_bucket(ObjectOwnership="BucketOwnerPreferred")
        rules = s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"]
        assert rules == [{"ObjectOwnership": "BucketOwnerPreferred"}]

    def test_enforced_takes_no_lists(self, s3, new_bucket, refused):
        bucket = new_bucket(ObjectOwnership="BucketOwnerEnforced")
        arguments = {"Bucket": bucket, "Key": "k", "Body": b"x"}
        refused("AccessControlListNotSupported", s3.put_object, **arguments, ACL="public-read", status=400)
        # The one list that says what is so anyway.
        s3.put_object(**arguments, ACL="bucket-owner-full-control")

    def test_bad(self, s3, bucket, refused):
        rules = [{"ObjectOwnership": "Nobody"}]
        arguments = {"OwnershipControls": {"Rules": rules}}
        refused("MalformedXML", s3.put_bucket_ownership_controls, Bucket=bucket, **arguments, status=400)


class TestPublicAccess:
    NAMES = ["BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"]

    def put(self, s3, bucket, *names):
        given = {name: name in names for name in self.NAMES}
        s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=given)

    def test_kept(self, s3, bucket, refused):
        self.put(s3, bucket, "BlockPublicAcls", "BlockPublicPolicy")
        got = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
        assert [name for name in self.NAMES if got[name]] == ["BlockPublicAcls", "BlockPublicPolicy"]
        s3.delete_public_access_block(Bucket=bucket)
        code = "NoSuchPublicAccessBlockConfiguration"
        refused(code, s3.get_public_access_block, Bucket=bucket, status=404)

    def test_blocks_policies(self, s3, bucket, refused):
        self.put(s3, bucket, "BlockPublicPolicy")
        refused("AccessDenied", s3.put_bucket_policy, Bucket=bucket, Policy=policy_of(bucket), status=403)

    def test_blocks_lists(self, s3, new_bucket, refused):
        bucket = new_bucket(ObjectOwnership="ObjectWriter")
        self.put(s3, bucket, "BlockPublicAcls")
        refused("AccessDenied", s3.put_object, Bucket=bucket, Key="k", Body=b"x", ACL="public-read", status=403)
        refused("AccessDenied", s3.put_bucket_acl, Bucket=bucket, ACL="public-read", status=403)
        s3.put_object(Bucket=bucket, Key="k", Body=b"x", ACL="private")


@pytest.mark.parametrize(
    "document", ["cors", "lifecycle", "website", "notification", "encryption", "ownershipControls", "publicAccessBlock"]
)
def test_documents_that_are_none(wire, bucket, document):
    for body in (b"", b"<", b"<Other/>", b"text"):
        answer = wire.ask("PUT", f"/{bucket}", f"{document}=", headers={"Content-MD5": md5(body)}, body=body)
        assert (answer.status, answer.code) in [(400, "MalformedXML"), (400, "MissingRequestBodyError")], answer


def test_of_no_bucket(s3, refused):
    for call in (s3.get_bucket_cors, s3.get_bucket_policy, s3.get_bucket_website, s3.get_bucket_encryption):
        refused("NoSuchBucket", call, Bucket="judged-never", status=404)
