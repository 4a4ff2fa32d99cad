"""Part 1: signatures verified in every form: header, presigned, chunk-signed bodies and trailers.

POST forms are in test_forms.py.
"""

import datetime
import urllib.request

import pytest
from awscrt.auth import (
    AwsCredentialsProvider,
    AwsSignedBodyHeaderType,
    AwsSigningAlgorithm,
    AwsSigningConfig,
    aws_sign_request,
)
from awscrt.http import HttpHeaders, HttpRequest
from botocore.config import Config
from botocore.httpchecksum import CrtCrc32Checksum

from wire import UNSIGNED, chunked, now

STREAMING = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"


def test_header(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"signed in the header")
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"signed in the header"


@pytest.mark.parametrize("payload", [None, UNSIGNED])
def test_header_with_and_without_the_bodys_hash(wire, s3, bucket, payload):
    assert wire.ask("PUT", f"/{bucket}/k", body=b"body", payload=payload).status == 200
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"body"


def test_header_of_awscrt(server, wire, bucket):
    """The C library of the other SDKs signs for itself."""
    host = server.endpoint.removeprefix("http://")
    request = HttpRequest("PUT", f"/{bucket}/a%20b", HttpHeaders([("Host", host)]))
    config = AwsSigningConfig(
        algorithm=AwsSigningAlgorithm.V4,
        credentials_provider=AwsCredentialsProvider.new_static(server.key_id, server.secret),
        region=server.region,
        service="s3",
        use_double_uri_encode=False,
        should_normalize_uri_path=False,
        signed_body_value=UNSIGNED,
        signed_body_header_type=AwsSignedBodyHeaderType.X_AMZ_CONTENT_SHA_256,
    )
    signed = aws_sign_request(request, config).result(timeout=30)
    answer = wire.send("PUT", signed.path, dict(signed.headers), b"by the CRT")
    assert answer.status == 200, answer


def test_virtual_host(server, wire, bucket):
    host = f"{bucket}.s3.localhost:{wire.address.rpartition(':')[2]}"
    client = server.client(
        endpoint_url=f"http://s3.localhost:{wire.address.rpartition(':')[2]}",
        config=Config(signature_version="s3v4", s3={"addressing_style": "virtual"}),
    )
    url = client.generate_presigned_url("put_object", {"Bucket": bucket, "Key": "dir/k"})
    assert url.startswith(f"http://{host}/dir/k?")
    target = url.removeprefix(f"http://{host}")
    assert wire.send("PUT", target, body=b"x", host=host).status == 200
    assert wire.ask("GET", f"/{bucket}/dir/k").body == b"x"


@pytest.mark.parametrize("key", ["k", "a b+c/d~é", "a//../b"])
def test_presigned(server, s3, bucket, key):
    client = server.client(config=Config(signature_version="s3v4"))
    put = client.generate_presigned_url("put_object", {"Bucket": bucket, "Key": key}, ExpiresIn=60)
    with urllib.request.urlopen(urllib.request.Request(put, data=b"by URL", method="PUT")) as answer:
        assert answer.status == 200
    get = client.generate_presigned_url(
        "get_object", {"Bucket": bucket, "Key": key, "ResponseContentType": "text/x-é;a=b"}, ExpiresIn=60
    )
    with urllib.request.urlopen(get) as answer:
        assert answer.read() == b"by URL"


def test_presigned_for_a_week(wire, s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    target = wire.presign("GET", f"/{bucket}/k", expires=604800)
    assert wire.send("GET", target).status == 200


def test_presigned_with_a_signed_header(wire, bucket):
    headers = {"x-amz-meta-by": "url"}
    target = wire.presign("PUT", f"/{bucket}/k", headers=headers)
    assert wire.send("PUT", target, headers, b"x").status == 200
    assert wire.ask("HEAD", f"/{bucket}/k").headers["x-amz-meta-by"] == "url"


class TestHoisted:
    """The JavaScript SDK moves what would be headers into a presigned URL, and S3 obeys: known from uploads that fail
    at S3 because the URL has the checksum of an empty body.
    """

    def test_kept(self, wire, s3, bucket):
        query = "x-amz-acl=public-read&x-amz-meta-a=b%20c&x-amz-storage-class=STANDARD_IA&x-amz-tagging=t%3D1"
        assert wire.send("PUT", wire.presign("PUT", f"/{bucket}/k", query), body=b"x").status == 200
        head = s3.head_object(Bucket=bucket, Key="k")
        assert (head["Metadata"], head["StorageClass"]) == ({"a": "b c"}, "STANDARD_IA")
        assert len(s3.get_object_acl(Bucket=bucket, Key="k")["Grants"]) == 2
        assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == [{"Key": "t", "Value": "1"}]

    def test_checksums_are_verified(self, wire, bucket):
        query = "x-amz-checksum-crc32=AAAAAA%3D%3D&x-amz-sdk-checksum-algorithm=CRC32"
        answer = wire.send("PUT", wire.presign("PUT", f"/{bucket}/k", query), body=b"not empty")
        assert (answer.status, answer.code) == (400, "BadDigest")
        assert wire.send("PUT", wire.presign("PUT", f"/{bucket}/k", query)).status == 200

    def test_copies(self, wire, s3, bucket):
        s3.put_object(Bucket=bucket, Key="k", Body=b"x")
        target = wire.presign("PUT", f"/{bucket}/copy", f"x-amz-copy-source={bucket}%2Fk")
        assert wire.send("PUT", target).status == 200
        assert s3.get_object(Bucket=bucket, Key="copy")["Body"].read() == b"x"

    def test_not_without_a_presigned_url(self, wire, s3, bucket):
        assert wire.ask("PUT", f"/{bucket}/k", "x-amz-meta-a=b", body=b"x").status == 200
        assert s3.head_object(Bucket=bucket, Key="k")["Metadata"] == {}


@pytest.mark.parametrize("chunks", [[], [b"one"], [b"a" * 8192, b"b" * 65536, b"c"]])
def test_signed_chunks(wire, s3, bucket, chunks):
    whole = b"".join(chunks)
    headers = {"Content-Encoding": "aws-chunked", "X-Amz-Decoded-Content-Length": str(len(whole))}
    signed = wire.sign("PUT", f"/{bucket}/k", headers=headers, payload=STREAMING)
    signed.body = chunked(signed, chunks)
    answer = wire.send(signed)
    assert answer.status == 200, answer
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == whole


def test_signed_chunks_and_signed_trailer(wire, s3, bucket):
    body = b"t" * 100_000
    crc = CrtCrc32Checksum()
    crc.update(body)
    headers = {
        "Content-Encoding": "aws-chunked",
        "X-Amz-Decoded-Content-Length": str(len(body)),
        "X-Amz-Trailer": "x-amz-checksum-crc32",
    }
    signed = wire.sign("PUT", f"/{bucket}/k", headers=headers, payload=f"{STREAMING}-TRAILER")
    signed.body = chunked(signed, [body[:65536], body[65536:]], trailer=("x-amz-checksum-crc32", crc.b64digest()))
    answer = wire.send(signed)
    assert answer.status == 200, answer
    head = s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert (head["ContentLength"], head["ChecksumCRC32"]) == (len(body), crc.b64digest())


def test_a_clock_within_a_quarter_of_an_hour(wire):
    for minutes in (-14, 14):
        at = now() + datetime.timedelta(minutes=minutes)
        assert wire.ask("GET", "/", at=at).status == 200


def test_signed_headers_in_any_case_and_with_spaces(wire, bucket):
    """The canonical form trims a value and joins inner blanks to one, by the documentation of Signature Version 4."""
    signed = wire.sign("PUT", f"/{bucket}/k", headers={"x-amz-meta-a": "b  c"})
    signed.headers["X-AMZ-Meta-A"] = signed.headers.pop("x-amz-meta-a") + "  "
    answer = wire.send(signed)
    assert answer.status == 200, answer
