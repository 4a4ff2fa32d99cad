"""Part 1: errors are XML with code, message, resource, request id; HEAD has none."""

import pytest

from conftest import serve
from sums import md5

CASES = {
    "no bucket": ("GET", "/judged-never", "", 404, "NoSuchBucket"),
    "no key": ("GET", "/{}/a b/é", "", 404, "NoSuchKey"),
    "no upload": ("GET", "/{}/k", "uploadId=x", 404, "NoSuchUpload"),
    "bad name": ("PUT", "/NO", "", 400, "InvalidBucketName"),
    "bad argument": ("GET", "/{}", "max-keys=x", 400, "InvalidArgument"),
    "not there": ("GET", "/{}", "torrent=", 501, "NotImplemented"),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_document(wire, bucket, case):
    method, path, query, status, code = case
    path = path.format(bucket)
    answer = wire.ask(method, path, query)
    assert (answer.status, answer.code) == (status, code), answer
    assert answer.headers["content-type"] == "application/xml"
    assert answer.body.startswith(b'<?xml version="1.0" encoding="UTF-8"?>')
    # Unlike other documents, without a namespace.
    assert b"xmlns" not in answer.body and answer.xml.tag == "Error"
    assert answer.text("Message")
    assert answer.text("Resource") == path
    assert answer.text("RequestId") == answer.headers["x-amz-request-id"]
    assert answer.text("HostId") == answer.headers["x-amz-id-2"]
    assert int(answer.headers["content-length"]) == len(answer.body)


@pytest.mark.parametrize(("path", "status"), [("/judged-never", 404), ("/{}/k", 404), ("/NO", 400)])
def test_head(wire, bucket, path, status):
    answer = wire.ask("HEAD", path.format(bucket))
    assert (answer.status, answer.body) == (status, b"")
    assert answer.headers["x-amz-request-id"]


def test_refusals_of_a_signature(wire):
    signed = wire.sign("GET", "/")
    signed.replace(signed.signature, "0" * 64)
    answer = wire.send(signed)
    assert answer.text("AWSAccessKeyId") == wire.server.key_id
    assert answer.text("SignatureProvided") == "0" * 64
    assert answer.text("RequestId") and wire.server.secret.encode() not in answer.body


def test_what_boto3_makes_of_them(s3, bucket, refused):
    error = refused("NoSuchKey", s3.get_object, Bucket=bucket, Key="k").response
    assert error["Error"]["Key"] == "k"
    assert error["Error"]["Message"] == "The specified key does not exist."
    assert error["ResponseMetadata"]["RequestId"]
    with pytest.raises(s3.exceptions.NoSuchKey):
        s3.get_object(Bucket=bucket, Key="k")
    with pytest.raises(s3.exceptions.NoSuchBucket):
        s3.list_objects_v2(Bucket="judged-never")
    with pytest.raises(s3.exceptions.NoSuchUpload):
        s3.abort_multipart_upload(Bucket=bucket, Key="k", UploadId="x")


def test_names_in_documents_are_escaped(wire, bucket):
    answer = wire.ask("GET", f"/{bucket}/<&>\"'")
    assert (answer.code, answer.text("Key"), answer.text("Resource")) == ("NoSuchKey", "<&>\"'", f"/{bucket}/<&>\"'")


def test_request_ids_differ(wire):
    ids = {wire.ask("GET", "/").headers["x-amz-request-id"] for _ in range(10)}
    assert len(ids) == 10


@pytest.mark.parametrize(
    "body", [b"", b"<", b"<Delete>", b"<Delete></Delete>", b"<Delete/><Delete/>", b"<Other/>", b"\xff"]
)
def test_documents_that_are_none(wire, bucket, body):
    answer = wire.ask("POST", f"/{bucket}", "delete=", headers={"Content-MD5": md5(body)}, body=body)
    assert (answer.status, answer.code) == (400, "MalformedXML")


def test_documents_that_are_too_large(wire, bucket):
    body = b"<Delete>" + b"<Object><Key>k</Key></Object>" * 1001 + b"</Delete>"
    answer = wire.ask("POST", f"/{bucket}", "delete=", headers={"Content-MD5": md5(body)}, body=body)
    assert (answer.status, answer.code) == (400, "MalformedXML")


def test_not_modified(wire, bucket):
    """304 has no document."""
    wire.ask("PUT", f"/{bucket}/k", body=b"")
    answer = wire.ask("GET", f"/{bucket}/k", headers={"If-None-Match": "*"})
    assert (answer.status, answer.body) == (304, b"")


class TestBuckets:
    @pytest.mark.parametrize(
        "name", ["ab", "a" * 64, "Capital", "under_score", "a..b", "192.168.0.1", "xn--a", "-a-", "a-s3alias"]
    )
    def test_bad_names(self, wire, name):
        answer = wire.ask("PUT", f"/{name}")
        assert (answer.status, answer.code) == (400, "InvalidBucketName")

    def test_location(self, s3, bucket, refused):
        assert s3.get_bucket_location(Bucket=bucket)["LocationConstraint"] is None
        assert s3.head_bucket(Bucket=bucket)["BucketRegion"] == "us-east-1"
        elsewhere = {"LocationConstraint": "eu-west-1"}
        arguments = {"Bucket": "judged-elsewhere", "CreateBucketConfiguration": elsewhere}
        refused("IllegalLocationConstraintException", s3.create_bucket, **arguments, status=400)

    def test_created_twice(self, s3, bucket):
        """By the documentation of CreateBucket: us-east-1 takes it as done and resets the ACL, all others refuse."""
        s3.create_bucket(Bucket=bucket, ACL="public-read")
        assert len(s3.get_bucket_acl(Bucket=bucket)["Grants"]) == 2
        s3.put_object(Bucket=bucket, Key="k", Body=b"x")
        s3.create_bucket(Bucket=bucket)
        assert len(s3.get_bucket_acl(Bucket=bucket)["Grants"]) == 1
        assert s3.head_object(Bucket=bucket, Key="k")["ContentLength"] == 1

    def test_elsewhere(self, refused):
        with serve(AWS_REGION="eu-west-1") as server:
            s3 = server.client()
            here = {"Bucket": "judged-here", "CreateBucketConfiguration": {"LocationConstraint": "eu-west-1"}}
            s3.create_bucket(**here)
            refused("BucketAlreadyOwnedByYou", s3.create_bucket, **here, status=409)
            refused("IllegalLocationConstraintException", s3.create_bucket, Bucket="judged-there", status=400)
            assert s3.get_bucket_location(Bucket="judged-here")["LocationConstraint"] == "eu-west-1"
            assert s3.head_bucket(Bucket="judged-here")["BucketRegion"] == "eu-west-1"
            # A client of another region is told where to go, and goes there.
            other = server.client(region_name="us-west-2")
            assert other.list_objects_v2(Bucket="judged-here")["KeyCount"] == 0

    def test_delete(self, s3, new_bucket, refused):
        bucket = new_bucket()
        s3.put_object(Bucket=bucket, Key="k", Body=b"x")
        refused("BucketNotEmpty", s3.delete_bucket, Bucket=bucket, status=409)
        s3.delete_object(Bucket=bucket, Key="k")
        assert s3.delete_bucket(Bucket=bucket)["ResponseMetadata"]["HTTPStatusCode"] == 204
        refused("NoSuchBucket", s3.delete_bucket, Bucket=bucket, status=404)
        refused("404", s3.head_bucket, Bucket=bucket, status=404)
