"""Part 1: metadata, system headers, storage class, redirect, canned ACL kept and returned."""

import datetime

import pytest

EXPIRES = datetime.datetime(2030, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)


@pytest.mark.parametrize("call", ["get_object", "head_object"])
def test_system_headers(s3, bucket, call):
    given = {
        "ContentType": 'text/plain; charset="utf-8"',
        "ContentDisposition": 'attachment; filename="a b.txt"',
        "ContentEncoding": "gzip",
        "ContentLanguage": "de, en",
        "CacheControl": "max-age=60, public",
    }
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", Expires=EXPIRES, **given)
    got = getattr(s3, call)(Bucket=bucket, Key="k")
    assert {name: got[name] for name in given} == given
    assert got["ExpiresString"] == "Wed, 02 Jan 2030 03:04:05 GMT"


def test_expires_is_text(wire, bucket):
    """S3 keeps it as it is given, a date or not."""
    for value in ("0", "-1", "soon"):
        assert wire.ask("PUT", f"/{bucket}/k", headers={"Expires": value}).status == 200
        assert wire.ask("GET", f"/{bucket}/k").headers["expires"] == value


def test_default_type(wire, s3, bucket):
    wire.ask("PUT", f"/{bucket}/k", body=b"x")
    assert s3.head_object(Bucket=bucket, Key="k")["ContentType"] == "binary/octet-stream"


def test_what_is_never_kept(wire, bucket):
    headers = {"x-other": "1", "Accept-Language": "de", "x-amz-date-x": "1", "Pragma": "x"}
    assert wire.ask("PUT", f"/{bucket}/k", headers=headers).status == 200
    got = wire.ask("GET", f"/{bucket}/k").headers
    assert not {"x-other", "accept-language", "x-amz-date-x", "pragma"} & got.keys()


class TestMetadata:
    def test_kept_and_returned(self, s3, bucket):
        given = {"a": "1", "with-dash": "x", "under_score": "y", "spaces": "in the  middle", "signs": "=;,\"'<>&%"}
        s3.put_object(Bucket=bucket, Key="k", Body=b"x", Metadata=given)
        assert s3.get_object(Bucket=bucket, Key="k")["Metadata"] == given
        assert s3.head_object(Bucket=bucket, Key="k")["Metadata"] == given

    def test_names_are_lower_case(self, s3, bucket):
        s3.put_object(Bucket=bucket, Key="k", Body=b"x", Metadata={"CamelCase": "Value"})
        assert s3.head_object(Bucket=bucket, Key="k")["Metadata"] == {"camelcase": "Value"}

    def test_an_overwrite_takes_it(self, s3, bucket):
        s3.put_object(Bucket=bucket, Key="k", Body=b"x", Metadata={"a": "1"})
        s3.put_object(Bucket=bucket, Key="k", Body=b"x")
        assert s3.head_object(Bucket=bucket, Key="k")["Metadata"] == {}

    def test_2_kib_and_no_more(self, s3, bucket, refused):
        """Names and values together, by the documentation of user-defined metadata."""
        s3.put_object(Bucket=bucket, Key="k", Body=b"x", Metadata={"a": "v" * 2047})
        found = refused(
            "MetadataTooLarge", s3.put_object, Bucket=bucket, Key="k", Body=b"x", Metadata={"a": "v" * 2048}
        )
        assert found.status == 400
        assert found.response["Error"]["MaxSizeAllowed"] == "2048"

    def test_several_of_one_name(self, wire, s3, bucket):
        signed = wire.sign("PUT", f"/{bucket}/k", headers={"x-amz-meta-a": "1,2"})
        signed.headers["x-amz-meta-a"] = ["1", "2"]
        assert wire.send(signed).status == 200
        assert s3.head_object(Bucket=bucket, Key="k")["Metadata"] == {"a": "1,2"}

    def test_empty(self, wire, bucket):
        assert wire.ask("PUT", f"/{bucket}/k", headers={"x-amz-meta-a": ""}).status == 200
        assert wire.ask("GET", f"/{bucket}/k").headers["x-amz-meta-a"] == ""


class TestStorageClass:
    @pytest.mark.parametrize(
        "name",
        [
            "REDUCED_REDUNDANCY",
            "STANDARD_IA",
            "ONEZONE_IA",
            "INTELLIGENT_TIERING",
            "GLACIER_IR",
            "GLACIER",
            "DEEP_ARCHIVE",
        ],
    )
    def test_kept_and_returned(self, s3, bucket, name):
        s3.put_object(Bucket=bucket, Key="k", Body=b"x", StorageClass=name)
        assert s3.head_object(Bucket=bucket, Key="k")["StorageClass"] == name
        assert s3.list_objects_v2(Bucket=bucket)["Contents"][0]["StorageClass"] == name

    def test_standard_is_not_told_by_a_header(self, s3, bucket):
        s3.put_object(Bucket=bucket, Key="k", Body=b"x", StorageClass="STANDARD")
        assert "StorageClass" not in s3.head_object(Bucket=bucket, Key="k")
        assert s3.list_objects_v2(Bucket=bucket)["Contents"][0]["StorageClass"] == "STANDARD"

    def test_unknown(self, s3, bucket, refused):
        refused(
            "InvalidStorageClass", s3.put_object, Bucket=bucket, Key="k", Body=b"x", StorageClass="FAST", status=400
        )

    @pytest.mark.parametrize("name", ["GLACIER", "DEEP_ARCHIVE"])
    def test_archived_objects_cannot_be_read(self, s3, bucket, refused, name):
        s3.put_object(Bucket=bucket, Key="k", Body=b"x", StorageClass=name)
        refused("InvalidObjectState", s3.get_object, Bucket=bucket, Key="k", status=403)
        refused("InvalidObjectState", s3.copy_object, Bucket=bucket, Key="c", CopySource=f"{bucket}/k", status=403)


class TestRedirect:
    @pytest.mark.parametrize("where", ["/other", "http://example.com/", "https://example.com/a?b=c"])
    def test_kept_and_returned(self, s3, bucket, where):
        s3.put_object(Bucket=bucket, Key="k", Body=b"x", WebsiteRedirectLocation=where)
        assert s3.head_object(Bucket=bucket, Key="k")["WebsiteRedirectLocation"] == where
        got = s3.get_object(Bucket=bucket, Key="k")
        assert (got["WebsiteRedirectLocation"], got["ResponseMetadata"]["HTTPStatusCode"]) == (where, 200)

    def test_bad(self, s3, bucket, refused):
        for bad in ("other", "ftp://example.com/"):
            arguments = {"Bucket": bucket, "Key": "k", "Body": b"x", "WebsiteRedirectLocation": bad}
            found = refused("InvalidRedirectLocation", s3.put_object, **arguments)
            assert found.status == 400


ALL = "http://acs.amazonaws.com/groups/global/AllUsers"
AUTHENTICATED = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"
CANNED = {
    "private": [],
    "public-read": [(ALL, "READ")],
    "public-read-write": [(ALL, "READ"), (ALL, "WRITE")],
    "authenticated-read": [(AUTHENTICATED, "READ")],
    "bucket-owner-read": [],
    "bucket-owner-full-control": [],
}


def grants(acl):
    """What is granted to others than the owner, who must have everything."""
    owner = acl["Owner"]["ID"]
    first, *others = acl["Grants"]
    assert (first["Grantee"]["ID"], first["Permission"]) == (owner, "FULL_CONTROL")
    return [(one["Grantee"].get("URI", one["Grantee"].get("ID")), one["Permission"]) for one in others]


class TestAcl:
    @pytest.mark.parametrize("name", CANNED)
    def test_canned_of_an_object(self, s3, bucket, name):
        s3.put_object(Bucket=bucket, Key="k", Body=b"x", ACL=name)
        assert grants(s3.get_object_acl(Bucket=bucket, Key="k")) == CANNED[name]

    @pytest.mark.parametrize("name", ["private", "public-read", "public-read-write", "authenticated-read"])
    def test_canned_of_a_bucket(self, s3, new_bucket, name):
        bucket = new_bucket(ACL=name)
        assert grants(s3.get_bucket_acl(Bucket=bucket)) == CANNED[name]

    def test_granted_by_headers(self, s3, bucket):
        owner = s3.list_buckets()["Owner"]["ID"]
        s3.put_object(Bucket=bucket, Key="k", Body=b"x", GrantRead=f'uri="{ALL}"', GrantFullControl=f'id="{owner}"')
        acl = s3.get_object_acl(Bucket=bucket, Key="k")
        found = {(one["Grantee"].get("URI", one["Grantee"].get("ID")), one["Permission"]) for one in acl["Grants"]}
        assert found == {(ALL, "READ"), (owner, "FULL_CONTROL")}

    def test_unknown(self, s3, bucket, refused):
        refused("InvalidArgument", s3.put_object, Bucket=bucket, Key="k", Body=b"x", ACL="open", status=400)

    def test_both(self, s3, bucket, refused):
        arguments = {"ACL": "private", "GrantRead": f'uri="{ALL}"'}
        refused("InvalidRequest", s3.put_object, Bucket=bucket, Key="k", Body=b"x", **arguments, status=400)


def test_overrides(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", ContentType="text/plain")
    got = s3.get_object(
        Bucket=bucket,
        Key="k",
        ResponseContentType="text/html",
        ResponseContentLanguage="fr",
        ResponseContentDisposition='inline; filename="a.txt"',
        ResponseContentEncoding="br",
        ResponseCacheControl="no-store",
        ResponseExpires=EXPIRES,
    )
    assert (got["ContentType"], got["ContentLanguage"], got["ContentEncoding"]) == ("text/html", "fr", "br")
    assert (got["CacheControl"], got["ContentDisposition"]) == ("no-store", 'inline; filename="a.txt"')
    assert got["ExpiresString"] == "Wed, 02 Jan 2030 03:04:05 GMT"
    assert s3.head_object(Bucket=bucket, Key="k")["ContentType"] == "text/plain"


def test_what_every_answer_has(wire, s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    for method in ("GET", "HEAD"):
        headers = wire.ask(method, f"/{bucket}/k").headers
        assert headers["content-length"] == "1" and headers["etag"] == '"9dd4e461268c8034f5c8564e155c67a6"'
        assert {"x-amz-request-id", "x-amz-id-2", "date", "server", "last-modified", "accept-ranges"} <= headers.keys()


def test_expected_owner(s3, bucket, refused):
    owner = "123456789012"
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", ExpectedBucketOwner=owner)
    refused(
        "AccessDenied", s3.put_object, Bucket=bucket, Key="k", Body=b"x", ExpectedBucketOwner="210987654321", status=403
    )
