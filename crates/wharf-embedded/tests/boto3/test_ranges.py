"""Part 1: ranges in every form, 416, part-number reads."""

import pytest

BODY = bytes(range(256)) * 40
SIZE = len(BODY)


@pytest.fixture
def target(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=BODY)
    return {"Bucket": bucket, "Key": "k"}


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=0-99", 0, 99),
        ("bytes=100-", 100, SIZE - 1),
        ("bytes=-100", SIZE - 100, SIZE - 1),
        ("bytes=-1", SIZE - 1, SIZE - 1),
        (f"bytes=-{SIZE * 2}", 0, SIZE - 1),
        (f"bytes=10-{SIZE * 2}", 10, SIZE - 1),
        ("bytes=10-99999999999999999999999999", 10, SIZE - 1),
        (f"bytes={SIZE - 1}-{SIZE - 1}", SIZE - 1, SIZE - 1),
        (f"bytes=0-{SIZE - 1}", 0, SIZE - 1),
        ("bytes=0-", 0, SIZE - 1),
    ],
)
def test_ranges(s3, target, text, first, last):
    answer = s3.get_object(**target, Range=text)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 206
    assert answer["ContentRange"] == f"bytes {first}-{last}/{SIZE}"
    assert answer["ContentLength"] == last - first + 1
    assert answer["Body"].read() == BODY[first : last + 1]
    head = s3.head_object(**target, Range=text)
    assert head["ResponseMetadata"]["HTTPStatusCode"] == 206
    assert (head["ContentLength"], head["ContentRange"]) == (last - first + 1, f"bytes {first}-{last}/{SIZE}")


@pytest.mark.parametrize("text", [f"bytes={SIZE}-", f"bytes={SIZE}-{SIZE + 5}", "bytes=-0", f"bytes={10**30}-"])
def test_416(s3, target, refused, text):
    error = refused("InvalidRange", s3.get_object, **target, Range=text, status=416).response["Error"]
    assert (error["ActualObjectSize"], error["RangeRequested"]) == (str(SIZE), text)
    refused("416", s3.head_object, **target, Range=text, status=416)


@pytest.mark.parametrize("text", ["bytes=0-0", "bytes=0-", "bytes=-1"])
def test_416_of_an_empty_object(s3, bucket, refused, text):
    s3.put_object(Bucket=bucket, Key="k", Body=b"")
    refused("InvalidRange", s3.get_object, Bucket=bucket, Key="k", Range=text, status=416)


@pytest.mark.parametrize(
    "text", ["bytes=5-2", "bytes=0-1,3-4", "lines=0-1", "bytes=x-1", "bytes=-", "bytes=1", "bytes", "bytes=--1", "0-1"]
)
def test_what_is_not_one_range_is_ignored(wire, target, text):
    """RFC 9110 (14.2): an invalid Range is ignored. Several ranges at once S3 does not do, by its documentation of
    GetObject, and answers with the whole.
    """
    answer = wire.ask("GET", f"/{target['Bucket']}/k", headers={"Range": text})
    assert (answer.status, len(answer.body), "content-range" in answer.headers) == (200, SIZE, False)


def test_ranges_are_announced(s3, target):
    assert s3.head_object(**target)["AcceptRanges"] == "bytes"


def test_a_range_of_an_old_version(s3, versioned):
    old = s3.put_object(Bucket=versioned, Key="k", Body=b"0123456789")["VersionId"]
    s3.put_object(Bucket=versioned, Key="k", Body=b"abc")
    answer = s3.get_object(Bucket=versioned, Key="k", VersionId=old, Range="bytes=7-8")
    assert (answer["Body"].read(), answer["ETag"], answer["VersionId"]) == (
        b"78",
        '"781e5e245d69b566979b86e28d23f2c7"',
        old,
    )


def test_condition_before_range(s3, target, refused):
    refused("PreconditionFailed", s3.get_object, **target, Range=f"bytes={SIZE}-", IfMatch='"0"', status=412)
    refused("304", s3.get_object, **target, Range="bytes=0-1", IfNoneMatch="*", status=304)


class TestParts:
    """Reads by part number, of an object of parts of 5 MiB, 5 MiB and 3 bytes."""

    LEAST = 5 * 1024 * 1024

    @pytest.fixture
    def target(self, s3, bucket):
        target = {"Bucket": bucket, "Key": "k"}
        upload = s3.create_multipart_upload(**target, ChecksumAlgorithm="SHA256")["UploadId"]
        parts = []
        for number, body in enumerate([b"a" * self.LEAST, b"b" * self.LEAST, b"end"], 1):
            part = s3.upload_part(**target, UploadId=upload, PartNumber=number, Body=body, ChecksumAlgorithm="SHA256")
            parts.append({"PartNumber": number, "ETag": part["ETag"], "ChecksumSHA256": part["ChecksumSHA256"]})
        s3.complete_multipart_upload(**target, UploadId=upload, MultipartUpload={"Parts": parts})
        self.parts = parts
        return target

    def test_each(self, s3, target):
        size = 2 * self.LEAST + 3
        for number, first, length, byte in [
            (1, 0, self.LEAST, b"a"),
            (2, self.LEAST, self.LEAST, b"b"),
            (3, 2 * self.LEAST, 3, b"e"),
        ]:
            answer = s3.get_object(**target, PartNumber=number, ChecksumMode="ENABLED")
            assert answer["ResponseMetadata"]["HTTPStatusCode"] == 206
            assert (answer["PartsCount"], answer["ContentLength"]) == (3, length)
            assert answer["ContentRange"] == f"bytes {first}-{first + length - 1}/{size}"
            assert answer["ChecksumSHA256"] == self.parts[number - 1]["ChecksumSHA256"]
            assert answer["Body"].read(1) == byte
            head = s3.head_object(**target, PartNumber=number)
            assert (head["PartsCount"], head["ContentLength"]) == (3, length)

    def test_beyond_the_last(self, s3, target, refused):
        refused("InvalidPartNumber", s3.get_object, **target, PartNumber=4, status=416)
        refused("416", s3.head_object, **target, PartNumber=4, status=416)

    def test_with_a_range(self, s3, target, refused):
        refused("InvalidRequest", s3.get_object, **target, PartNumber=1, Range="bytes=0-1", status=400)

    def test_without_a_number_there_is_no_count(self, s3, target):
        assert "PartsCount" not in s3.head_object(**target)

    def test_of_an_object_of_one_piece(self, s3, bucket, refused):
        s3.put_object(Bucket=bucket, Key="one", Body=b"0123")
        answer = s3.get_object(Bucket=bucket, Key="one", PartNumber=1)
        assert (answer["Body"].read(), answer["ContentRange"]) == (b"0123", "bytes 0-3/4")
        assert "PartsCount" not in answer
        refused("InvalidPartNumber", s3.get_object, Bucket=bucket, Key="one", PartNumber=2, status=416)

    @pytest.mark.parametrize("number", ["0", "10001", "-1", "x"])
    def test_numbers_that_are_none(self, wire, s3, bucket, number):
        s3.put_object(Bucket=bucket, Key="one", Body=b"0123")
        answer = wire.ask("GET", f"/{bucket}/one", f"partNumber={number}")
        assert (answer.status, answer.code) == (400, "InvalidArgument")
