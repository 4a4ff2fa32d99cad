"""Part 1: anonymous access is refused unless the ACL or policy allows reads."""

import json

import pytest
from botocore import UNSIGNED
from botocore.config import Config

OWNER = "123456789012"
ALL = "http://acs.amazonaws.com/groups/global/AllUsers"
AUTHENTICATED = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"


@pytest.fixture(scope="module")
def nobody(server):
    """A client without keys."""
    return server.client(config=Config(signature_version=UNSIGNED))


@pytest.fixture
def opened(s3, new_bucket):
    """A bucket in which ACLs and public access are allowed, which AWS does not have by default since April 2023."""
    bucket = new_bucket(ObjectOwnership="ObjectWriter")
    s3.delete_public_access_block(Bucket=bucket)
    return bucket


def put_policy(s3, bucket, *statements):
    """Each statement has what differs from one that allows everybody to read all objects."""
    usual = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"}
    policy = {"Version": "2012-10-17", "Statement": [usual | statement for statement in statements]}
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))


class TestRefused:
    """These hold of every bucket, also where nobody has configured anything."""

    @pytest.mark.parametrize(
        "call",
        [
            lambda s3, b: s3.get_object(Bucket=b, Key="k"),
            lambda s3, b: s3.get_object(Bucket=b, Key="none"),
            lambda s3, b: s3.put_object(Bucket=b, Key="new", Body=b"x"),
            lambda s3, b: s3.delete_object(Bucket=b, Key="k"),
            lambda s3, b: s3.list_objects_v2(Bucket=b),
            lambda s3, b: s3.list_object_versions(Bucket=b),
            lambda s3, b: s3.get_object_acl(Bucket=b, Key="k"),
            lambda s3, b: s3.get_bucket_acl(Bucket=b),
            lambda s3, b: s3.get_bucket_location(Bucket=b),
            lambda s3, b: s3.create_multipart_upload(Bucket=b, Key="new"),
            lambda s3, b: s3.copy_object(Bucket=b, Key="new", CopySource=f"{b}/k"),
            lambda s3, b: s3.delete_bucket(Bucket=b),
            lambda s3, b: s3.get_object_tagging(Bucket=b, Key="k"),
        ],
        ids=[
            "get",
            "get none",
            "put",
            "delete",
            "list",
            "versions",
            "object acl",
            "acl",
            "location",
            "upload",
            "copy",
            "bucket",
            "tags",
        ],
    )
    def test_calls(self, s3, nobody, bucket, refused, call):
        s3.put_object(Bucket=bucket, Key="k", Body=b"x")
        refused("AccessDenied", call, nobody, bucket, status=403)
        assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 1

    def test_heads(self, s3, nobody, bucket, refused):
        s3.put_object(Bucket=bucket, Key="k", Body=b"x")
        refused("403", nobody.head_object, Bucket=bucket, Key="k", status=403)
        refused("403", nobody.head_bucket, Bucket=bucket, status=403)

    def test_new_buckets(self, wire):
        answer = wire.send("PUT", "/judged-by-nobody")
        assert (answer.status, answer.code) == (403, "AccessDenied")

    def test_session_tokens_of_nobody(self, server, refused):
        client = server.client(aws_session_token="nobody's")
        found = refused("InvalidToken", client.list_buckets)
        assert found.status in (400, 403)


class TestAcl:
    def test_public_object(self, s3, nobody, opened, refused):
        s3.put_object(Bucket=opened, Key="open", Body=b"for all", ACL="public-read")
        s3.put_object(Bucket=opened, Key="closed", Body=b"x")
        assert nobody.get_object(Bucket=opened, Key="open")["Body"].read() == b"for all"
        assert nobody.head_object(Bucket=opened, Key="open")["ContentLength"] == 7
        refused("AccessDenied", nobody.get_object, Bucket=opened, Key="closed", status=403)
        refused("AccessDenied", nobody.list_objects_v2, Bucket=opened, status=403)
        refused("AccessDenied", nobody.put_object, Bucket=opened, Key="open", Body=b"x", status=403)
        refused("AccessDenied", nobody.delete_object, Bucket=opened, Key="open", status=403)

    def test_public_bucket(self, s3, nobody, opened, refused):
        """Read on a bucket is its listing, and not its objects."""
        s3.put_bucket_acl(Bucket=opened, ACL="public-read")
        s3.put_object(Bucket=opened, Key="k", Body=b"x")
        assert nobody.list_objects_v2(Bucket=opened)["KeyCount"] == 1
        refused("AccessDenied", nobody.get_object, Bucket=opened, Key="k", status=403)
        # Who may list is told what is not there.
        refused("NoSuchKey", nobody.get_object, Bucket=opened, Key="none", status=404)
        refused("AccessDenied", nobody.put_object, Bucket=opened, Key="new", Body=b"x", status=403)

    def test_public_writes(self, s3, nobody, opened):
        s3.put_bucket_acl(Bucket=opened, ACL="public-read-write")
        nobody.put_object(Bucket=opened, Key="new", Body=b"by nobody")
        assert "new" in [one["Key"] for one in s3.list_objects_v2(Bucket=opened)["Contents"]]
        nobody.delete_object(Bucket=opened, Key="new")
        assert s3.list_objects_v2(Bucket=opened)["KeyCount"] == 0

    def test_put_later_and_taken_back(self, s3, nobody, opened, refused):
        target = {"Bucket": opened, "Key": "k"}
        s3.put_object(**target, Body=b"x")
        s3.put_object_acl(**target, ACL="public-read")
        assert nobody.get_object(**target)["Body"].read() == b"x"
        s3.put_object_acl(**target, ACL="private")
        refused("AccessDenied", nobody.get_object, **target, status=403)

    def test_by_document(self, s3, nobody, opened):
        target = {"Bucket": opened, "Key": "k"}
        s3.put_object(**target, Body=b"x")
        acl = s3.get_object_acl(**target)
        grants = acl["Grants"] + [{"Grantee": {"Type": "Group", "URI": ALL}, "Permission": "READ"}]
        s3.put_object_acl(**target, AccessControlPolicy={"Owner": acl["Owner"], "Grants": grants})
        assert nobody.get_object(**target)["Body"].read() == b"x"
        found = s3.get_object_acl(**target)["Grants"]
        assert [(one["Grantee"].get("URI"), one["Permission"]) for one in found] == [
            (None, "FULL_CONTROL"),
            (ALL, "READ"),
        ]

    def test_authenticated_is_not_everybody(self, s3, nobody, opened, refused):
        s3.put_object(Bucket=opened, Key="k", Body=b"x", ACL="authenticated-read")
        refused("AccessDenied", nobody.get_object, Bucket=opened, Key="k", status=403)

    def test_read_acp(self, s3, nobody, opened, refused):
        target = {"Bucket": opened, "Key": "k"}
        owner = s3.list_buckets()["Owner"]["ID"]
        s3.put_object(**target, Body=b"x", GrantReadACP=f'uri="{ALL}"', GrantFullControl=f'id="{owner}"')
        assert len(nobody.get_object_acl(**target)["Grants"]) == 2
        refused("AccessDenied", nobody.get_object, **target, status=403)

    def test_ignored_where_blocked(self, s3, nobody, opened, refused):
        target = {"Bucket": opened, "Key": "k"}
        s3.put_object(**target, Body=b"x", ACL="public-read")
        block = {"IgnorePublicAcls": True}
        s3.put_public_access_block(Bucket=opened, PublicAccessBlockConfiguration=block)
        refused("AccessDenied", nobody.get_object, **target, status=403)
        s3.delete_public_access_block(Bucket=opened)
        assert nobody.get_object(**target)["Body"].read() == b"x"

    def test_of_a_version(self, s3, nobody, opened, refused):
        s3.put_bucket_versioning(Bucket=opened, VersioningConfiguration={"Status": "Enabled"})
        old = s3.put_object(Bucket=opened, Key="k", Body=b"old", ACL="public-read")["VersionId"]
        s3.put_object(Bucket=opened, Key="k", Body=b"new")
        refused("AccessDenied", nobody.get_object, Bucket=opened, Key="k", status=403)
        assert nobody.get_object(Bucket=opened, Key="k", VersionId=old)["Body"].read() == b"old"

    def test_header_overrides_need_a_signature(self, s3, nobody, opened, refused):
        """ "You must sign the request [...] when using these parameters.", says GetObject's reference."""
        s3.put_object(Bucket=opened, Key="k", Body=b"x", ACL="public-read")
        arguments = {"Bucket": opened, "Key": "k", "ResponseContentType": "text/html"}
        refused("InvalidRequest", nobody.get_object, **arguments, status=400)

    def test_bad_documents(self, wire, s3, opened):
        for body in (b"<", b"<AccessControlPolicy/>", b"<Other/>"):
            answer = wire.ask("PUT", f"/{opened}", "acl=", body=body)
            assert (answer.status, answer.code) == (400, "MalformedACLError")


class TestPolicy:
    def test_reads(self, s3, nobody, opened, refused):
        put_policy(s3, opened, {})
        s3.put_object(Bucket=opened, Key="k", Body=b"x")
        assert nobody.get_object(Bucket=opened, Key="k")["Body"].read() == b"x"
        # Who may not list is not told what is not there.
        refused("AccessDenied", nobody.get_object, Bucket=opened, Key="none", status=403)
        refused("AccessDenied", nobody.put_object, Bucket=opened, Key="new", Body=b"x", status=403)
        refused("AccessDenied", nobody.list_objects_v2, Bucket=opened, status=403)
        s3.delete_bucket_policy(Bucket=opened)
        refused("AccessDenied", nobody.get_object, Bucket=opened, Key="k", status=403)

    def test_lists(self, s3, nobody, opened):
        put_policy(s3, opened, {"Action": "s3:ListBucket", "Resource": f"arn:aws:s3:::{opened}"})
        assert nobody.list_objects_v2(Bucket=opened)["KeyCount"] == 0
        assert nobody.head_bucket(Bucket=opened)["ResponseMetadata"]["HTTPStatusCode"] == 200

    def test_some_keys(self, s3, nobody, opened, refused):
        put_policy(s3, opened, {"Resource": [f"arn:aws:s3:::{opened}/open/*.txt", f"arn:aws:s3:::{opened}/?.bin"]})
        for key, status in [
            ("open/a.txt", 200),
            ("open/b/c.txt", 200),
            ("open/a.bin", 403),
            ("a.bin", 200),
            ("ab.bin", 403),
        ]:
            s3.put_object(Bucket=opened, Key=key, Body=b"x")
            if status == 200:
                assert nobody.get_object(Bucket=opened, Key=key)["Body"].read() == b"x"
            else:
                refused("AccessDenied", nobody.get_object, Bucket=opened, Key=key, status=403)

    @pytest.mark.parametrize("action", ["s3:*", "*", "s3:Get*", ["s3:PutObject", "s3:GetObject"]])
    def test_actions(self, s3, nobody, opened, action):
        put_policy(s3, opened, {"Action": action, "Resource": [f"arn:aws:s3:::{opened}/*", f"arn:aws:s3:::{opened}"]})
        s3.put_object(Bucket=opened, Key="k", Body=b"x")
        assert nobody.get_object(Bucket=opened, Key="k")["Body"].read() == b"x"

    def test_a_denial_outweighs(self, s3, nobody, opened, refused):
        secret = {"Effect": "Deny", "Resource": f"arn:aws:s3:::{opened}/secret/*"}
        put_policy(s3, opened, {}, secret)
        for key in ("k", "secret/k"):
            s3.put_object(Bucket=opened, Key=key, Body=b"x")
        assert nobody.get_object(Bucket=opened, Key="k")["Body"].read() == b"x"
        refused("AccessDenied", nobody.get_object, Bucket=opened, Key="secret/k", status=403)
        # The owner is denied as well.
        refused("AccessDenied", s3.get_object, Bucket=opened, Key="secret/k", status=403)

    def test_of_somebody_else(self, s3, nobody, opened, refused):
        put_policy(s3, opened, {"Principal": {"AWS": f"arn:aws:iam::{OWNER}:root"}})
        s3.put_object(Bucket=opened, Key="k", Body=b"x")
        refused("AccessDenied", nobody.get_object, Bucket=opened, Key="k", status=403)

    def test_conditions(self, s3, nobody, opened, refused):
        put_policy(
            s3,
            opened,
            {
                "Action": "s3:ListBucket",
                "Resource": f"arn:aws:s3:::{opened}",
                "Condition": {"StringLike": {"s3:prefix": ["open/*"]}},
            },
        )
        s3.put_object(Bucket=opened, Key="open/k", Body=b"x")
        assert nobody.list_objects_v2(Bucket=opened, Prefix="open/")["KeyCount"] == 1
        refused("AccessDenied", nobody.list_objects_v2, Bucket=opened, status=403)
        refused("AccessDenied", nobody.list_objects_v2, Bucket=opened, Prefix="closed/", status=403)

    def test_restricted(self, s3, nobody, opened, refused):
        put_policy(s3, opened, {})
        s3.put_object(Bucket=opened, Key="k", Body=b"x")
        block = {"RestrictPublicBuckets": True}
        s3.put_public_access_block(Bucket=opened, PublicAccessBlockConfiguration=block)
        refused("AccessDenied", nobody.get_object, Bucket=opened, Key="k", status=403)
