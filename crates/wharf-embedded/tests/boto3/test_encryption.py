"""Part 1: SSE headers accepted, kept and returned, customer keys checked on reads."""

import base64
import hashlib

import pytest

from uploads import begin, complete, upload

KEY, OTHER = b"k" * 32, b"o" * 32
BY_KEY = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": KEY}
BY_OTHER = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": OTHER}
KEY_MD5 = base64.b64encode(hashlib.md5(KEY).digest()).decode()


def test_by_default(s3, bucket):
    """All objects are encrypted by S3's own keys, and say so, since January 2023."""
    assert s3.put_object(Bucket=bucket, Key="k", Body=b"x")["ServerSideEncryption"] == "AES256"
    assert s3.head_object(Bucket=bucket, Key="k")["ServerSideEncryption"] == "AES256"


@pytest.mark.parametrize("method", ["aws:kms", "aws:kms:dsse"])
def test_by_kms(s3, bucket, method):
    arguments = {"ServerSideEncryption": method, "SSEKMSKeyId": "arn:aws:kms:us-east-1:123456789012:key/a"}
    put = s3.put_object(Bucket=bucket, Key="k", Body=b"x", **arguments)
    for answer in (put, s3.get_object(Bucket=bucket, Key="k"), s3.head_object(Bucket=bucket, Key="k")):
        assert {name: answer[name] for name in arguments} == arguments
    # An entity tag that is not the MD5.
    assert put["ETag"] != f'"{hashlib.md5(b"x").hexdigest()}"'


def test_bucket_key(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", ServerSideEncryption="aws:kms", BucketKeyEnabled=True)
    assert s3.head_object(Bucket=bucket, Key="k")["BucketKeyEnabled"] is True


def test_context_is_told_to_the_writer_alone(s3, bucket):
    context = base64.b64encode(b'{"a":"b"}').decode()
    put = s3.put_object(
        Bucket=bucket, Key="k", Body=b"x", ServerSideEncryption="aws:kms", SSEKMSEncryptionContext=context
    )
    assert "SSEKMSEncryptionContext" in put
    headers = s3.head_object(Bucket=bucket, Key="k")["ResponseMetadata"]["HTTPHeaders"]
    assert "x-amz-server-side-encryption-context" not in headers


def test_unknown(s3, bucket, refused):
    refused(
        "InvalidArgument", s3.put_object, Bucket=bucket, Key="k", Body=b"x", ServerSideEncryption="rot13", status=400
    )
    arguments = {"ServerSideEncryption": "AES256", "SSEKMSKeyId": "a"}
    refused("InvalidArgument", s3.put_object, Bucket=bucket, Key="k", Body=b"x", **arguments, status=400)


class TestCustomerKey:
    @pytest.fixture
    def target(self, s3, bucket):
        put = s3.put_object(Bucket=bucket, Key="k", Body=b"secret", **BY_KEY)
        assert (put["SSECustomerAlgorithm"], put["SSECustomerKeyMD5"]) == ("AES256", KEY_MD5)
        assert "ServerSideEncryption" not in put
        return {"Bucket": bucket, "Key": "k"}

    def test_reads(self, s3, target):
        got = s3.get_object(**target, **BY_KEY)
        assert (got["Body"].read(), got["SSECustomerAlgorithm"], got["SSECustomerKeyMD5"]) == (
            b"secret",
            "AES256",
            KEY_MD5,
        )
        assert s3.head_object(**target, **BY_KEY)["ContentLength"] == 6
        assert s3.get_object(**target, **BY_KEY, Range="bytes=1-2")["Body"].read() == b"ec"

    def test_reads_without(self, s3, target, refused):
        refused("InvalidRequest", s3.get_object, **target, status=400)
        refused("400", s3.head_object, **target, status=400)
        attributes = {"ObjectAttributes": ["ETag"]}
        refused("InvalidRequest", s3.get_object_attributes, **target, **attributes, status=400)

    def test_reads_with_another(self, s3, target, refused):
        refused("AccessDenied", s3.get_object, **target, **BY_OTHER, status=403)
        refused("403", s3.head_object, **target, **BY_OTHER, status=403)

    def test_of_an_object_without(self, s3, bucket, refused):
        s3.put_object(Bucket=bucket, Key="plain", Body=b"x")
        refused("InvalidRequest", s3.get_object, Bucket=bucket, Key="plain", **BY_KEY, status=400)

    def test_copies(self, s3, target, refused):
        bucket = target["Bucket"]
        source = {"CopySource": target, "CopySourceSSECustomerAlgorithm": "AES256", "CopySourceSSECustomerKey": KEY}
        s3.copy_object(Bucket=bucket, Key="plain", **source)
        assert s3.get_object(Bucket=bucket, Key="plain")["Body"].read() == b"secret"
        s3.copy_object(Bucket=bucket, Key="other", **source, **BY_OTHER)
        assert s3.get_object(Bucket=bucket, Key="other", **BY_OTHER)["Body"].read() == b"secret"
        refused("InvalidRequest", s3.copy_object, Bucket=bucket, Key="plain", CopySource=target, status=400)
        wrong = source | {"CopySourceSSECustomerKey": OTHER}
        refused("AccessDenied", s3.copy_object, Bucket=bucket, Key="plain", **wrong, status=403)

    def test_parts(self, s3, bucket, refused):
        target = begin(s3, bucket, **BY_KEY)
        refused("InvalidRequest", s3.upload_part, **target, PartNumber=1, Body=b"x", status=400)
        refused("InvalidRequest", s3.upload_part, **target, PartNumber=1, Body=b"x", **BY_OTHER, status=400)
        complete(s3, target, upload(s3, target, {1: b"secret"}, **BY_KEY))
        assert s3.get_object(Bucket=bucket, Key="k", **BY_KEY)["Body"].read() == b"secret"
        refused("InvalidRequest", s3.get_object, Bucket=bucket, Key="k", status=400)

    def test_parts_of_an_upload_without(self, s3, bucket, refused):
        target = begin(s3, bucket)
        refused("InvalidRequest", s3.upload_part, **target, PartNumber=1, Body=b"x", **BY_KEY, status=400)

    @pytest.mark.parametrize(
        "wrong",
        [
            {"algorithm": "AES128"},
            {"algorithm": None},
            {"key": base64.b64encode(b"short").decode()},
            {"key": "no base64"},
            {"key": None},
            {"key-md5": base64.b64encode(hashlib.md5(OTHER).digest()).decode()},
            {"key-md5": None},
        ],
        ids=str,
    )
    def test_bad_headers(self, wire, bucket, wrong):
        given = {"algorithm": "AES256", "key": base64.b64encode(KEY).decode(), "key-md5": KEY_MD5} | wrong
        name = "x-amz-server-side-encryption-customer"
        headers = {f"{name}-{end}": value for end, value in given.items() if value}
        answer = wire.ask("PUT", f"/{bucket}/k", headers=headers, body=b"x")
        code = "InvalidEncryptionAlgorithmError" if wrong.get("algorithm") else "InvalidArgument"
        assert (answer.status, answer.code) == (400, code)

    def test_with_another_method(self, s3, bucket, refused):
        arguments = BY_KEY | {"ServerSideEncryption": "AES256"}
        refused("InvalidArgument", s3.put_object, Bucket=bucket, Key="k", Body=b"x", **arguments, status=400)
