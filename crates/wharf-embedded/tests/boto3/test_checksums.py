"""Part 1: checksums of all five algorithms verified on the way in (header, trailer, part; full-object and composite),
stored, returned; Content-MD5.
"""

import io

import pytest
from botocore.httpchecksum import AwsChunkedWrapper, CrtCrc32cChecksum, CrtCrc32Checksum, CrtCrc64NvmeChecksum
from botocore.httpchecksum import Sha1Checksum, Sha256Checksum

from sums import ALGORITHMS, checksum, composite, md5
from uploads import LEAST, begin, complete, upload

BODY = b"The quick brown fox jumps over the lazy dog" * 1000
CRCS = ["CRC32", "CRC32C", "CRC64NVME"]
HASHES = ["SHA1", "SHA256"]
CLASSES = {
    "CRC32": CrtCrc32Checksum,
    "CRC32C": CrtCrc32cChecksum,
    "CRC64NVME": CrtCrc64NvmeChecksum,
    "SHA1": Sha1Checksum,
    "SHA256": Sha256Checksum,
}


def told(answer):
    """The checksums that an answer has."""
    return {name.removeprefix("Checksum"): value for name, value in answer.items() if name.startswith("Checksum")}


def whole(algorithm, body):
    return {algorithm: checksum(algorithm, body), "Type": "FULL_OBJECT"}


@pytest.mark.parametrize("algorithm", ALGORITHMS)
class TestHeader:
    def test_stored_and_returned(self, s3, bucket, algorithm):
        put = s3.put_object(Bucket=bucket, Key="k", Body=BODY, ChecksumAlgorithm=algorithm)
        assert told(put) == whole(algorithm, BODY)
        for call in (s3.get_object, s3.head_object):
            assert told(call(Bucket=bucket, Key="k", ChecksumMode="ENABLED")) == whole(algorithm, BODY)
        # boto3 asks for them by itself, unless it is told not to.
        attributes = s3.get_object_attributes(Bucket=bucket, Key="k", ObjectAttributes=["Checksum"])["Checksum"]
        assert told(attributes) == whole(algorithm, BODY)

    def test_only_on_request(self, wire, s3, bucket, algorithm):
        s3.put_object(Bucket=bucket, Key="k", Body=BODY, ChecksumAlgorithm=algorithm)
        answer = wire.ask("GET", f"/{bucket}/k")
        assert not [name for name in answer.headers if name.startswith("x-amz-checksum")]

    def test_not_of_a_range(self, s3, bucket, algorithm):
        s3.put_object(Bucket=bucket, Key="k", Body=BODY, ChecksumAlgorithm=algorithm)
        assert told(s3.get_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED", Range="bytes=0-9")) == {}

    def test_wrong(self, s3, bucket, refused, algorithm):
        wrong = {f"Checksum{algorithm}": checksum(algorithm, b"other")}
        found = refused("BadDigest", s3.put_object, Bucket=bucket, Key="k", Body=BODY, **wrong, status=400)
        assert algorithm in found.message
        refused("404", s3.head_object, Bucket=bucket, Key="k")

    @pytest.mark.parametrize("value", ["", "AAAA", "no base64", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"])
    def test_none_at_all(self, wire, bucket, algorithm, value):
        headers = {f"x-amz-checksum-{algorithm.lower()}": value}
        answer = wire.ask("PUT", f"/{bucket}/k", headers=headers, body=BODY)
        assert (answer.status, answer.code) == (400, "InvalidRequest")
        assert answer.text("Message") == f"Value for x-amz-checksum-{algorithm.lower()} header is invalid."


@pytest.mark.parametrize("algorithm", ALGORITHMS)
class TestTrailer:
    """Framed by botocore, as it does over https, where the body is not signed."""

    def put(self, wire, bucket, algorithm, body=BODY, name=None, **more):
        raw = io.BytesIO(body)
        name = f"x-amz-checksum-{algorithm.lower()}"
        framed = AwsChunkedWrapper(raw, CLASSES[algorithm], name, chunk_size=8192).read()
        headers = {
            "Content-Encoding": "aws-chunked",
            "X-Amz-Decoded-Content-Length": str(len(body)),
            "X-Amz-Trailer": name,
            "x-amz-sdk-checksum-algorithm": algorithm,
        } | more
        return wire.sign(
            "PUT", f"/{bucket}/k", headers=headers, body=framed, payload="STREAMING-UNSIGNED-PAYLOAD-TRAILER"
        )

    def test_stored_and_returned(self, wire, s3, bucket, algorithm):
        answer = wire.send(self.put(wire, bucket, algorithm))
        assert answer.status == 200, answer
        assert answer.headers[f"x-amz-checksum-{algorithm.lower()}"] == checksum(algorithm, BODY)
        got = s3.get_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
        assert told(got) == whole(algorithm, BODY)
        assert got["Body"].read() == BODY

    def test_wrong(self, wire, bucket, algorithm):
        signed = self.put(wire, bucket, algorithm)
        signed.body = signed.body.replace(BODY[:10], b"THE QUICK ", 1)
        answer = wire.send(signed)
        assert (answer.status, answer.code) == (400, "BadDigest")
        assert wire.ask("HEAD", f"/{bucket}/k").status == 404

    def test_missing(self, wire, bucket, algorithm):
        signed = self.put(wire, bucket, algorithm)
        signed.body = signed.body[: signed.body.index(b"x-amz-checksum")] + b"\r\n"
        answer = wire.send(signed)
        assert (answer.status, answer.code) == (400, "MalformedTrailerError")

    def test_with_a_header_too(self, wire, bucket, algorithm):
        more = {"x-amz-checksum-crc32": checksum("CRC32", BODY)}
        answer = wire.send(self.put(wire, bucket, algorithm, **more))
        assert (answer.status, answer.code) == (400, "InvalidRequest")


def test_two_at_once(wire, bucket):
    headers = {f"x-amz-checksum-{name.lower()}": checksum(name, BODY) for name in ("CRC32", "SHA1")}
    answer = wire.ask("PUT", f"/{bucket}/k", headers=headers, body=BODY)
    assert (answer.status, answer.code) == (400, "InvalidRequest")


def test_announced_and_missing(wire, bucket):
    answer = wire.ask("PUT", f"/{bucket}/k", headers={"x-amz-sdk-checksum-algorithm": "CRC32"}, body=BODY)
    assert (answer.status, answer.code) == (400, "InvalidRequest")


def test_announced_and_another(wire, bucket):
    headers = {"x-amz-sdk-checksum-algorithm": "SHA1", "x-amz-checksum-crc32": checksum("CRC32", BODY)}
    answer = wire.ask("PUT", f"/{bucket}/k", headers=headers, body=BODY)
    assert (answer.status, answer.code) == (400, "InvalidRequest")


def test_crc64nvme_where_none_was_sent(wire, s3, bucket):
    """S3 adds it itself, since December 2024."""
    assert wire.ask("PUT", f"/{bucket}/k", body=BODY).status == 200
    assert told(s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")) == whole("CRC64NVME", BODY)


def test_empty_body(s3, bucket):
    for algorithm in ALGORITHMS:
        put = s3.put_object(Bucket=bucket, Key=algorithm, Body=b"", ChecksumAlgorithm=algorithm)
        assert told(put) == whole(algorithm, b"")


class TestMd5:
    def test_right(self, s3, bucket):
        s3.put_object(Bucket=bucket, Key="k", Body=BODY, ContentMD5=md5(BODY))
        target = begin(s3, bucket)
        s3.upload_part(**target, PartNumber=1, Body=BODY, ContentMD5=md5(BODY))

    def test_wrong(self, s3, bucket, refused):
        refused("BadDigest", s3.put_object, Bucket=bucket, Key="k", Body=BODY, ContentMD5=md5(b""), status=400)
        target = begin(s3, bucket)
        refused("BadDigest", s3.upload_part, **target, PartNumber=1, Body=BODY, ContentMD5=md5(b""), status=400)
        assert "Parts" not in s3.list_parts(**target)

    @pytest.mark.parametrize("value", ["", "AAAA", "no base64 at all!!!!!!!="])
    def test_none_at_all(self, wire, bucket, value):
        answer = wire.ask("PUT", f"/{bucket}/k", headers={"Content-MD5": value}, body=BODY)
        assert (answer.status, answer.code) == (400, "InvalidDigest")

    def test_of_documents(self, wire, s3, bucket):
        s3.put_object(Bucket=bucket, Key="k", Body=b"x")
        body = b"<Delete><Object><Key>k</Key></Object></Delete>"
        answer = wire.ask("POST", f"/{bucket}", "delete=", headers={"Content-MD5": md5(b"other")}, body=body)
        assert (answer.status, answer.code) == (400, "BadDigest")
        answer = wire.ask("POST", f"/{bucket}", "delete=", headers={"Content-MD5": md5(body)}, body=body)
        assert answer.status == 200 and answer.text("Deleted/Key") == "k"


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_documents(wire, s3, bucket, algorithm):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    body = b"<Delete><Object><Key>k</Key></Object></Delete>"
    name = f"x-amz-checksum-{algorithm.lower()}"
    answer = wire.ask("POST", f"/{bucket}", "delete=", headers={name: checksum(algorithm, b"other")}, body=body)
    assert (answer.status, answer.code) == (400, "BadDigest")
    answer = wire.ask("POST", f"/{bucket}", "delete=", headers={name: checksum(algorithm, body)}, body=body)
    assert answer.status == 200


def test_delete_objects_without_any(wire, bucket):
    answer = wire.ask("POST", f"/{bucket}", "delete=", body=b"<Delete><Object><Key>k</Key></Object></Delete>")
    assert (answer.status, answer.code) == (400, "InvalidRequest")


BODIES = {1: b"a" * LEAST, 2: b"b" * (LEAST + 7), 3: b"the end"}
WHOLE = b"".join(BODIES.values())


class TestParts:
    @pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "SHA1", "SHA256"])
    def test_composite(self, s3, bucket, algorithm):
        """The checksum of the parts' checksums, and their number."""
        target = begin(s3, bucket, ChecksumAlgorithm=algorithm)
        parts = upload(s3, target, BODIES, ChecksumAlgorithm=algorithm)
        assert [told(part) for part in parts] == [{algorithm: checksum(algorithm, body)} for body in BODIES.values()]
        expected = {algorithm: composite(algorithm, BODIES.values()), "Type": "COMPOSITE"}
        assert told(complete(s3, target, parts)) == expected
        assert told(s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")) == expected

    @pytest.mark.parametrize("algorithm", CRCS)
    def test_full_object(self, s3, bucket, algorithm):
        """The checksum of all bytes, combined from those of the parts."""
        target = begin(s3, bucket, ChecksumAlgorithm=algorithm, ChecksumType="FULL_OBJECT")
        parts = upload(s3, target, BODIES, ChecksumAlgorithm=algorithm)
        given = {f"Checksum{algorithm}": checksum(algorithm, WHOLE), "ChecksumType": "FULL_OBJECT"}
        assert told(complete(s3, target, parts, **given)) == whole(algorithm, WHOLE)
        assert told(s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")) == whole(algorithm, WHOLE)

    def test_types_that_do_not_exist(self, s3, bucket, refused):
        for algorithm, kind in [("CRC64NVME", "COMPOSITE"), ("SHA1", "FULL_OBJECT"), ("SHA256", "FULL_OBJECT")]:
            arguments = {"ChecksumAlgorithm": algorithm, "ChecksumType": kind}
            refused("InvalidRequest", s3.create_multipart_upload, Bucket=bucket, Key="k", **arguments, status=400)

    def test_types_by_default(self, s3, bucket):
        for algorithm, kind in [
            ("CRC32", "COMPOSITE"),
            ("CRC32C", "COMPOSITE"),
            ("CRC64NVME", "FULL_OBJECT"),
            ("SHA1", "COMPOSITE"),
        ]:
            begun = s3.create_multipart_upload(Bucket=bucket, Key="k", ChecksumAlgorithm=algorithm)
            assert (begun["ChecksumAlgorithm"], begun["ChecksumType"]) == (algorithm, kind)

    @pytest.mark.parametrize("algorithm", ALGORITHMS)
    def test_wrong_part(self, s3, bucket, refused, algorithm):
        target = begin(s3, bucket, ChecksumAlgorithm=algorithm)
        wrong = {f"Checksum{algorithm}": checksum(algorithm, b"other")}
        refused("BadDigest", s3.upload_part, **target, PartNumber=1, Body=BODY, **wrong, status=400)

    @pytest.mark.parametrize("algorithm", ALGORITHMS)
    def test_part_of_another_algorithm(self, s3, bucket, refused, algorithm):
        target = begin(s3, bucket, ChecksumAlgorithm="CRC32" if algorithm != "CRC32" else "SHA1")
        arguments = {"PartNumber": 1, "Body": BODY, "ChecksumAlgorithm": algorithm}
        found = refused("InvalidRequest", s3.upload_part, **target, **arguments, status=400)
        assert found.message.startswith("Checksum Type mismatch occurred")

    @pytest.mark.parametrize("algorithm", [None, *ALGORITHMS])
    def test_any_where_the_upload_has_none(self, wire, s3, bucket, refused, algorithm):
        """boto3 sends CRC32 with every part, and creates uploads without an algorithm: that works at S3. The object
        has the checksum that S3 adds by itself.
        """
        target = begin(s3, bucket)
        if algorithm:
            wrong = {f"Checksum{algorithm}": checksum(algorithm, b"other")}
            refused("BadDigest", s3.upload_part, **target, PartNumber=1, Body=BODY, **wrong, status=400)
            parts = upload(s3, target, {1: BODY}, ChecksumAlgorithm=algorithm)
            assert told(parts[0]) == {algorithm: checksum(algorithm, BODY)}
        else:
            parts = upload(s3, target, {1: BODY})
        assert told(complete(s3, target, parts)) == whole("CRC64NVME", BODY)

    def test_part_without_any(self, wire, s3, bucket):
        """A composite checksum needs one of every part; a full one S3 computes."""
        for kind, status in [("COMPOSITE", 400), ("FULL_OBJECT", 200)]:
            target = begin(s3, bucket, ChecksumAlgorithm="CRC32", ChecksumType=kind)
            query = f"partNumber=1&uploadId={target['UploadId']}"
            assert wire.ask("PUT", f"/{bucket}/k", query, body=BODY).status == status

    def test_wrong_at_completion(self, s3, bucket, refused):
        target = begin(s3, bucket, ChecksumAlgorithm="CRC32")
        parts = upload(s3, target, {1: BODY}, ChecksumAlgorithm="CRC32")
        other = checksum("CRC32", b"other")
        refused("InvalidPart", complete, s3, target, [parts[0] | {"ChecksumCRC32": other}], status=400)
        refused("BadDigest", complete, s3, target, parts, ChecksumCRC32=other, status=400)
        without = [{name: part[name] for name in ("PartNumber", "ETag")} for part in parts]
        found = refused("InvalidRequest", complete, s3, target, without, status=400)
        assert "The complete request must include the checksum for each part" in found.message
        refused("InvalidRequest", complete, s3, target, parts, ChecksumType="FULL_OBJECT", status=400)
        complete(s3, target, parts)

    def test_wrong_whole_at_completion(self, s3, bucket, refused):
        target = begin(s3, bucket, ChecksumAlgorithm="CRC64NVME")
        parts = upload(s3, target, {1: BODY}, ChecksumAlgorithm="CRC64NVME")
        refused("BadDigest", complete, s3, target, parts, ChecksumCRC64NVME=checksum("CRC64NVME", b""), status=400)
        complete(s3, target, parts, ChecksumCRC64NVME=checksum("CRC64NVME", BODY))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_copy_computes_what_is_asked(s3, bucket, algorithm):
    s3.put_object(Bucket=bucket, Key="k", Body=BODY, ChecksumAlgorithm="SHA1")
    source = {"Bucket": bucket, "Key": "k"}
    copied = s3.copy_object(Bucket=bucket, Key="copy", CopySource=source, ChecksumAlgorithm=algorithm)[
        "CopyObjectResult"
    ]
    assert told(copied) == whole(algorithm, BODY)
    kept = s3.copy_object(Bucket=bucket, Key="kept", CopySource=source)["CopyObjectResult"]
    assert told(kept) == whole("SHA1", BODY)


def test_unknown_algorithm(wire, bucket):
    answer = wire.ask("POST", f"/{bucket}/k", "uploads=", headers={"x-amz-checksum-algorithm": "ADLER32"})
    assert (answer.status, answer.code) == (400, "InvalidRequest")
