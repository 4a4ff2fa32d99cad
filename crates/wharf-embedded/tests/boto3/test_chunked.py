"""Part 1: `aws-chunked` is unframed and never leaks into the stored object or its headers."""

import io

import pytest
from botocore.httpchecksum import AwsChunkedWrapper, CrtCrc32Checksum

from uploads import begin, complete
from wire import chunked

STREAMING = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
UNSIGNED = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
BODY = b"\r\n0;chunk-signature=\r\n" * 5000


def framed(wire, path, query="", payload=UNSIGNED, encoding="aws-chunked", body=BODY, **headers):
    """A request with a framed body, by botocore's own framing or with signed chunks."""
    headers = {"X-Amz-Decoded-Content-Length": str(len(body))} | headers
    if encoding is not None:
        headers["Content-Encoding"] = encoding
    if payload == UNSIGNED:
        headers["X-Amz-Trailer"] = "x-amz-checksum-crc32"
        wrapped = AwsChunkedWrapper(io.BytesIO(body), CrtCrc32Checksum, "x-amz-checksum-crc32", chunk_size=65536)
        return wire.sign("PUT", path, query, headers=headers, body=wrapped.read(), payload=payload)
    signed = wire.sign("PUT", path, query, headers=headers, payload=payload)
    signed.body = chunked(signed, [piece for piece in (body[:65536], body[65536:]) if piece])
    return signed


@pytest.mark.parametrize("payload", [STREAMING, UNSIGNED])
class TestUnframed:
    @pytest.mark.parametrize(
        ("encoding", "kept"),
        [
            ("aws-chunked", None),
            ("aws-chunked,gzip", "gzip"),
            ("gzip,aws-chunked", "gzip"),
            ("gzip, aws-chunked", "gzip"),
            ("AWS-Chunked", None),
            (None, None),
            ("gzip", "gzip"),
        ],
    )
    def test_object(self, wire, s3, bucket, payload, encoding, kept):
        answer = wire.send(framed(wire, f"/{bucket}/k", payload=payload, encoding=encoding))
        assert answer.status == 200, answer
        got = wire.ask("GET", f"/{bucket}/k")
        assert got.body == BODY
        assert got.headers.get("content-encoding") == kept
        assert got.headers["content-length"] == str(len(BODY))
        leaked = [name for name in got.headers if "decoded" in name or "trailer" in name or "sha256" in name]
        assert not leaked
        assert s3.list_objects_v2(Bucket=bucket)["Contents"][0]["Size"] == len(BODY)

    def test_part(self, wire, s3, bucket, payload):
        target = begin(s3, bucket)
        query = f"partNumber=1&uploadId={target['UploadId']}"
        answer = wire.send(framed(wire, f"/{bucket}/k", query, payload=payload))
        assert answer.status == 200, answer
        complete(s3, target, [{"PartNumber": 1, "ETag": answer.headers["etag"]}])
        assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == BODY

    def test_empty(self, wire, s3, bucket, payload):
        answer = wire.send(framed(wire, f"/{bucket}/k", payload=payload, body=b""))
        assert answer.status == 200, answer
        assert s3.head_object(Bucket=bucket, Key="k")["ContentLength"] == 0

    def test_metadata_stays(self, wire, s3, bucket, payload):
        headers = {"Content-Type": "text/x-test", "x-amz-meta-a": "b"}
        assert wire.send(framed(wire, f"/{bucket}/k", payload=payload, **headers)).status == 200
        head = s3.head_object(Bucket=bucket, Key="k")
        assert (head["ContentType"], head["Metadata"]) == ("text/x-test", {"a": "b"})


def test_in_http_chunks_too(wire, s3, bucket):
    """Over https botocore sends the framed body with `Transfer-Encoding: chunked` and no Content-Length; the decoded
    length tells S3 what it needs to know.
    """
    signed = framed(wire, f"/{bucket}/k")
    pieces = [signed.body[at : at + 10_000] for at in range(0, len(signed.body), 10_000)]
    signed.headers["Transfer-Encoding"] = "chunked"
    signed.headers = {name: value for name, value in signed.headers.items() if name.lower() != "content-length"}
    signed.body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in [*pieces, b""])
    answer = wire.send(signed)
    assert answer.status == 200, answer
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == BODY


def test_in_http_chunks_with_another_length(wire, bucket):
    signed = framed(wire, f"/{bucket}/k", **{"X-Amz-Decoded-Content-Length": str(len(BODY) + 1)})
    signed.headers["Transfer-Encoding"] = "chunked"
    signed.body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(signed.body), signed.body)
    answer = wire.send(signed)
    assert (answer.status, answer.code) == (400, "IncompleteBody")


def test_declared_but_not_framed(wire, s3, bucket):
    """A body that is not framed is stored as it is, and the word is dropped all the same."""
    signed = wire.sign("PUT", f"/{bucket}/k", headers={"Content-Encoding": "aws-chunked"}, body=BODY)
    assert wire.send(signed).status == 200
    got = wire.ask("GET", f"/{bucket}/k")
    assert (got.body, got.headers.get("content-encoding")) == (BODY, None)


@pytest.mark.parametrize("body", [b"plain text", b"zz\r\nx\r\n0\r\n\r\n", b"4\r\nabcde\r\n0\r\n\r\n"])
def test_framing_that_is_none(wire, bucket, body):
    headers = {"Content-Encoding": "aws-chunked", "X-Amz-Decoded-Content-Length": "4"}
    answer = wire.ask("PUT", f"/{bucket}/k", headers=headers, body=body, payload=UNSIGNED)
    assert answer.status == 400, answer
    assert wire.ask("HEAD", f"/{bucket}/k").status == 404
