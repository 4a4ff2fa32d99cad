"""Part 1: what must be refused, with S3's own codes; and 501 for what is not there, never a wrong success."""

import datetime
import socket
import urllib.parse

import pytest
from botocore.config import Config

from wire import EMPTY, UNSIGNED, chunked, now

STREAMING = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"


def check(answer, status, code):
    assert (answer.status, answer.code) == (status, code), answer


def test_wrong_secret(server, refused):
    client = server.client(aws_secret_access_key="wrong")
    refused("SignatureDoesNotMatch", client.list_buckets, status=403)


def test_unknown_key(server, refused):
    client = server.client(aws_access_key_id="AKIAIOSFODNN7EXAMPLE")
    refused("InvalidAccessKeyId", client.list_buckets, status=403)


def test_wrong_region(wire, server, bucket):
    """S3 names the region it expects, in the document and in a header."""
    answer = wire.ask("GET", f"/{bucket}", region="eu-west-1")
    check(answer, 400, "AuthorizationHeaderMalformed")
    assert (answer.text("Region"), answer.headers["x-amz-bucket-region"]) == (server.region, server.region)


def test_boto3_finds_the_right_region(server, bucket):
    client = server.client(region_name="eu-west-1")
    assert client.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_wrong_service(wire):
    check(wire.ask("GET", "/", service="sts"), 400, "AuthorizationHeaderMalformed")


@pytest.mark.parametrize("minutes", [-16, 16])
def test_clock_16_minutes_off(wire, minutes):
    answer = wire.ask("GET", "/", at=now() + datetime.timedelta(minutes=minutes))
    check(answer, 403, "RequestTimeTooSkewed")
    assert answer.text("MaxAllowedSkewMilliseconds") == "900000"
    assert answer.text("RequestTime") and answer.text("ServerTime")


@pytest.mark.parametrize("change", ["path", "query", "method", "header", "signature"])
def test_tampered_request(wire, s3, bucket, change):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    signed = wire.sign("GET", f"/{bucket}/k", "versionId=null", headers={"x-amz-expected-bucket-owner": "123456789012"})
    match change:
        case "path":
            signed.target = signed.target.replace("/k?", "/other?")
        case "query":
            signed.target += "&response-content-type=text/html"
        case "method":
            signed.method = "DELETE"
        case "header":
            signed.headers["x-amz-expected-bucket-owner"] = "123456789013"
        case "signature":
            signed.replace(signed.signature, "0" * 64)
    check(wire.send(signed), 403, "SignatureDoesNotMatch")
    assert s3.head_object(Bucket=bucket, Key="k")["ContentLength"] == 1


def test_body_of_another_hash(wire, bucket, s3, refused):
    signed = wire.sign("PUT", f"/{bucket}/k", body=b"meant")
    signed.body = b"other"
    check(wire.send(signed), 400, "XAmzContentSHA256Mismatch")
    refused("404", s3.head_object, Bucket=bucket, Key="k")


def test_document_of_another_hash(wire, bucket):
    signed = wire.sign("PUT", f"/{bucket}", "versioning", body=b"<VersioningConfiguration/>")
    signed.body = b"<VersioningConfiguratiOn/>"
    check(wire.send(signed), 400, "XAmzContentSHA256Mismatch")


def test_body_where_none_was_signed(wire, s3, bucket, refused):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    signed = wire.sign("DELETE", f"/{bucket}/k")
    signed.body = b"smuggled"
    check(wire.send(signed), 400, "XAmzContentSHA256Mismatch")


def test_body_shorter_than_its_length(wire, bucket):
    """The client closes its half before the end: S3 answers IncompleteBody, by its list of error codes."""
    signed = wire.sign("PUT", f"/{bucket}/k", body=b"0123456789", payload=UNSIGNED)
    host, _, port = wire.address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=60) as sock:
        head = "".join(f"{name}: {value}\r\n" for name, value in signed.headers.items())
        sock.sendall(
            f"PUT {signed.target} HTTP/1.1\r\nHost: {wire.address}\r\nContent-Length: 10\r\n{head}\r\n01234".encode()
        )
        sock.shutdown(socket.SHUT_WR)
        answer = sock.makefile("rb").read()
    assert b"200 OK" not in answer
    assert answer == b"" or b"<Code>IncompleteBody</Code>" in answer
    assert wire.ask("HEAD", f"/{bucket}/k").status == 404


@pytest.mark.parametrize(
    "payload",
    ["", "abc", EMPTY.upper(), "STREAMING-SOMETHING", "unsigned-payload"],
    ids=lambda text: text[:12] or "none",
)
def test_no_valid_hash(wire, bucket, payload):
    signed = wire.sign("PUT", f"/{bucket}/k", payload=payload or UNSIGNED)
    if not payload:
        signed = wire.sign("PUT", f"/{bucket}/k")
        signed.headers = {n: v for n, v in signed.headers.items() if n.lower() != "x-amz-content-sha256"}
        # The documentation of Signature Version 4 has the header as required.
        check(wire.send(signed), 400, "InvalidRequest")
    else:
        check(wire.send(signed), 400, "InvalidArgument")


def test_missing_date(wire):
    signed = wire.sign("GET", "/")
    del signed.headers["X-Amz-Date"]
    check(wire.send(signed), 403, "AccessDenied")


def test_date_of_another_scope(wire):
    signed = wire.sign("GET", "/")
    day = signed.headers["X-Amz-Date"][:8]
    signed.replace(f"/{day}/", "/20200101/")
    check(wire.send(signed), 400, "AuthorizationHeaderMalformed")


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("Credential=", "Credentials=", "AuthorizationHeaderMalformed"),
        ("SignedHeaders=", "Signed=", "AuthorizationHeaderMalformed"),
        ("Signature=", "Sig=", "AuthorizationHeaderMalformed"),
        ("/s3/aws4_request", "/aws4_request", "AuthorizationHeaderMalformed"),
        ("/aws4_request", "/aws5_request", "AuthorizationHeaderMalformed"),
        ("AWS4-HMAC-SHA256 ", "Bearer ", "InvalidArgument"),
        ("AWS4-HMAC-SHA256 ", "AWS ", "InvalidRequest"),
    ],
)
def test_malformed_authorization(wire, old, new, code):
    check(wire.send(wire.sign("GET", "/").replace(old, new)), 400, code)


def test_unsigned_host(wire):
    check(wire.send(wire.sign("GET", "/").replace("SignedHeaders=host;", "SignedHeaders=")), 403, "AccessDenied")


def test_unsigned_amz_header(wire, bucket):
    signed = wire.sign("PUT", f"/{bucket}/k")
    signed.headers["x-amz-acl"] = "public-read"
    answer = wire.send(signed)
    check(answer, 403, "AccessDenied")
    assert answer.text("HeadersNotSigned") == "x-amz-acl"


def test_two_authentications(wire, bucket):
    target = wire.presign("GET", f"/{bucket}")
    signed = wire.sign("GET", f"/{bucket}")
    check(wire.send("GET", target, signed.headers), 400, "InvalidArgument")


def test_signature_version_2(server, bucket, refused):
    client = server.client(config=Config(signature_version="s3"))
    refused("InvalidRequest", client.list_objects_v2, Bucket=bucket, status=400)


class TestPresigned:
    def test_expired(self, wire, bucket):
        target = wire.presign("GET", f"/{bucket}", expires=60, at=now() - datetime.timedelta(seconds=65))
        answer = wire.send("GET", target)
        check(answer, 403, "AccessDenied")
        assert answer.text("Message") == "Request has expired"
        assert answer.text("Expires") and answer.text("ServerTime")

    def test_of_the_future(self, wire, bucket):
        target = wire.presign("GET", f"/{bucket}", at=now() + datetime.timedelta(minutes=16))
        check(wire.send("GET", target), 403, "AccessDenied")

    @pytest.mark.parametrize(
        ("name", "value", "status", "code"),
        [
            ("X-Amz-Expires", "61", 403, "SignatureDoesNotMatch"),
            ("X-Amz-Expires", "604801", 400, "AuthorizationQueryParametersError"),
            ("X-Amz-Expires", "-1", 400, "AuthorizationQueryParametersError"),
            ("X-Amz-Expires", "soon", 400, "AuthorizationQueryParametersError"),
            ("X-Amz-Expires", None, 400, "AuthorizationQueryParametersError"),
            ("X-Amz-Date", "yesterday", 400, "AuthorizationQueryParametersError"),
            ("X-Amz-Date", None, 400, "AuthorizationQueryParametersError"),
            ("X-Amz-Credential", "nobody", 400, "AuthorizationQueryParametersError"),
            ("X-Amz-Credential", None, 400, "AuthorizationQueryParametersError"),
            ("X-Amz-Algorithm", "AWS4-HMAC-SHA1", 400, "AuthorizationQueryParametersError"),
            ("X-Amz-SignedHeaders", None, 400, "AuthorizationQueryParametersError"),
            ("X-Amz-SignedHeaders", "date", 403, "AccessDenied"),
            ("X-Amz-Signature", "0" * 64, 403, "SignatureDoesNotMatch"),
            ("response-content-type", "text/html", 403, "SignatureDoesNotMatch"),
        ],
    )
    def test_tampered(self, wire, bucket, name, value, status, code):
        path, _, query = wire.presign("GET", f"/{bucket}").partition("?")
        fields = dict(urllib.parse.parse_qsl(query))
        fields.pop(name, None)
        if value is not None:
            fields[name] = value
        check(wire.send("GET", f"{path}?{urllib.parse.urlencode(fields)}"), status, code)

    def test_another_path_or_method(self, wire, bucket):
        target = wire.presign("GET", f"/{bucket}/k")
        check(wire.send("GET", target.replace("/k?", "/l?")), 403, "SignatureDoesNotMatch")
        check(wire.send("PUT", target), 403, "SignatureDoesNotMatch")

    def test_unsigned_amz_header(self, wire, bucket):
        target = wire.presign("PUT", f"/{bucket}/k")
        check(wire.send("PUT", target, {"x-amz-meta-more": "1"}), 403, "AccessDenied")

    def test_wrong_region(self, wire, server, bucket):
        target = wire.presign("GET", f"/{bucket}", region="eu-west-1")
        answer = wire.send("GET", target)
        check(answer, 400, "AuthorizationQueryParametersError")
        assert answer.text("Region") == server.region


class TestChunks:
    def sign(self, wire, bucket, length, trailer=None):
        headers = {"Content-Encoding": "aws-chunked", "X-Amz-Decoded-Content-Length": str(length)}
        payload = STREAMING
        if trailer:
            headers["X-Amz-Trailer"] = trailer
            payload += "-TRAILER"
        return wire.sign("PUT", f"/{bucket}/k", headers=headers, payload=payload)

    def gone(self, wire, bucket):
        assert wire.ask("HEAD", f"/{bucket}/k").status == 404

    @pytest.mark.parametrize("spoil", [0, 1, 2])
    def test_bad_signature(self, wire, bucket, spoil):
        signed = self.sign(wire, bucket, 8193)
        signed.body = chunked(signed, [b"a" * 8192, b"b"], spoil=spoil)
        check(wire.send(signed), 403, "SignatureDoesNotMatch")
        self.gone(wire, bucket)

    def test_bad_trailer_signature(self, wire, bucket):
        signed = self.sign(wire, bucket, 5, trailer="x-amz-checksum-crc32")
        signed.body = chunked(signed, [b"hello"], trailer=("x-amz-checksum-crc32", "NhCmhg=="), spoil="trailer")
        check(wire.send(signed), 403, "SignatureDoesNotMatch")
        self.gone(wire, bucket)

    def test_trailer_of_another_body(self, wire, bucket):
        signed = self.sign(wire, bucket, 5, trailer="x-amz-checksum-crc32")
        signed.body = chunked(signed, [b"hallo"], trailer=("x-amz-checksum-crc32", "NhCmhg=="))
        check(wire.send(signed), 400, "BadDigest")
        self.gone(wire, bucket)

    def test_missing_trailer(self, wire, bucket):
        signed = self.sign(wire, bucket, 5, trailer="x-amz-checksum-crc32")
        signed.body = chunked(signed, [b"hello"])
        check(wire.send(signed), 400, "MalformedTrailerError")
        self.gone(wire, bucket)

    def test_missing_final_chunk(self, wire, bucket):
        signed = self.sign(wire, bucket, 5)
        body = chunked(signed, [b"hello"])
        signed.body = body[: body.rindex(b"0;chunk-signature")]
        check(wire.send(signed), 400, "IncompleteBody")
        self.gone(wire, bucket)

    @pytest.mark.parametrize("length", [4, 6])
    def test_another_decoded_length(self, wire, bucket, length):
        signed = self.sign(wire, bucket, length)
        signed.body = chunked(signed, [b"hello"])
        check(wire.send(signed), 400, "IncompleteBody")
        self.gone(wire, bucket)

    def test_no_decoded_length(self, wire, bucket):
        """The documentation of chunked uploads: the header is required."""
        signed = wire.sign("PUT", f"/{bucket}/k", payload=STREAMING, headers={"Content-Encoding": "aws-chunked"})
        signed.body = chunked(signed, [b"hello"])
        check(wire.send(signed), 411, "MissingContentLength")

    def test_small_chunk_before_the_last(self, wire, bucket):
        signed = self.sign(wire, bucket, 10)
        signed.body = chunked(signed, [b"hello", b"world"])
        check(wire.send(signed), 403, "InvalidChunkSizeError")
        self.gone(wire, bucket)

    def test_exchanged_chunks(self, wire, bucket):
        signed = self.sign(wire, bucket, 16384)
        body = chunked(signed, [b"a" * 8192, b"b" * 8192])
        first = body.index(b"2000;")
        second = body.index(b"2000;", first + 1)
        end = body.index(b"0;chunk", second + 5)
        signed.body = body[second:end] + body[first:second] + body[end:]
        check(wire.send(signed), 403, "SignatureDoesNotMatch")
        self.gone(wire, bucket)


def test_no_length(wire, bucket):
    """Without a length and without framing there is no saying where a body ends."""
    signed = wire.sign("PUT", f"/{bucket}/k", payload=UNSIGNED)
    signed.headers["Transfer-Encoding"] = "chunked"
    signed.body = b"1\r\nx\r\n0\r\n\r\n"
    check(wire.send(signed), 411, "MissingContentLength")


@pytest.mark.parametrize(
    "query", ["torrent", "restore", "select", "brand-new", "metrics", "inventory", "analytics", "intelligent-tiering"]
)
@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "DELETE"])
def test_unknown_subresources(wire, s3, bucket, query, method):
    """Never a wrong success: a DELETE of a sub-resource must not delete the object, a PUT must not write it."""
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    for path in (f"/{bucket}", f"/{bucket}/k"):
        check(wire.ask(method, path, f"{query}="), 501, "NotImplemented")
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"


@pytest.mark.parametrize("method", ["PATCH", "PROPFIND", "TRACE"])
def test_unknown_methods(wire, bucket, method):
    """S3 answers 405 MethodNotAllowed to a method that a resource does not have, 501 to one it does not know."""
    answer = wire.ask(method, f"/{bucket}/k")
    assert (answer.status, answer.code) in [(405, "MethodNotAllowed"), (501, "NotImplemented")]


@pytest.mark.parametrize(
    "call",
    [
        lambda s3, b: s3.restore_object(Bucket=b, Key="k", RestoreRequest={"Days": 1}),
        lambda s3, b: s3.select_object_content(
            Bucket=b,
            Key="k",
            Expression="select *",
            ExpressionType="SQL",
            InputSerialization={"CSV": {}},
            OutputSerialization={"CSV": {}},
        ),
        lambda s3, b: s3.get_object_torrent(Bucket=b, Key="k"),
        lambda s3, b: s3.list_bucket_metrics_configurations(Bucket=b),
        lambda s3, b: s3.list_bucket_inventory_configurations(Bucket=b),
        lambda s3, b: s3.put_object(Bucket=b, Key="k", Body=b"x", WriteOffsetBytes=0),
    ],
    ids=["restore", "select", "torrent", "metrics", "inventory", "append"],
)
def test_unknown_operations(s3, bucket, refused, call):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    refused("NotImplemented", call, s3, bucket, status=501)


@pytest.mark.parametrize("header", ["x-amz-mfa", "x-amz-write-offset-bytes"])
def test_headers_of_what_is_not_there(wire, s3, bucket, header):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    check(wire.ask("PUT", f"/{bucket}/k", headers={header: "1"}), 501, "NotImplemented")
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"
