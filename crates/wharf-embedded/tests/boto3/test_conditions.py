"""Part 1: all conditions on get, head, put, copy, complete, delete."""

import datetime

import pytest

OTHER = '"00000000000000000000000000000000"'
HOUR = datetime.timedelta(hours=1)


@pytest.fixture
def there(s3, bucket):
    """An object, its ETag and its time."""
    etag = s3.put_object(Bucket=bucket, Key="k", Body=b"there")["ETag"]
    return {"Bucket": bucket, "Key": "k"}, etag, s3.head_object(Bucket=bucket, Key="k")["LastModified"]


def reads(etag, at):
    """Conditions of a read, and what S3's documentation of GetObject says comes of them."""
    before, after = at - HOUR, at + HOUR
    return [
        ({"IfMatch": etag}, 200),
        ({"IfMatch": etag.strip('"')}, 200),
        ({"IfMatch": "*"}, 200),
        ({"IfMatch": f"{OTHER}, {etag}"}, 200),
        ({"IfMatch": OTHER}, 412),
        ({"IfNoneMatch": OTHER}, 200),
        ({"IfNoneMatch": etag}, 304),
        ({"IfNoneMatch": f"W/{etag}"}, 304),
        ({"IfNoneMatch": "*"}, 304),
        ({"IfModifiedSince": before}, 200),
        ({"IfModifiedSince": at}, 304),
        ({"IfUnmodifiedSince": at}, 200),
        ({"IfUnmodifiedSince": after}, 200),
        ({"IfUnmodifiedSince": before}, 412),
        # "If both are present: If-Match true and If-Unmodified-Since false, S3 returns 200 and the data."
        ({"IfMatch": etag, "IfUnmodifiedSince": before}, 200),
        ({"IfMatch": OTHER, "IfUnmodifiedSince": after}, 412),
        # "If-None-Match false and If-Modified-Since true: 304."
        ({"IfNoneMatch": etag, "IfModifiedSince": before}, 304),
        ({"IfNoneMatch": OTHER, "IfModifiedSince": at}, 200),
        ({"IfMatch": etag, "IfNoneMatch": etag}, 304),
    ]


@pytest.mark.parametrize("case", range(19))
@pytest.mark.parametrize("operation", ["get_object", "head_object"])
def test_read(s3, there, refused, operation, case):
    target, etag, at = there
    conditions, status = reads(etag, at)[case]
    call = getattr(s3, operation)
    if status == 200:
        assert call(**target, **conditions)["ETag"] == etag
        return
    short = operation == "head_object" or status == 304
    found = refused(str(status) if short else "PreconditionFailed", call, **target, **conditions, status=status)
    if status == 304:
        assert found.headers["etag"] == etag
        assert "last-modified" in found.headers and "content-type" not in found.headers
    elif operation == "get_object":
        assert found.response["Error"]["Condition"].startswith("If-")


@pytest.mark.parametrize("value", ["yesterday", "2026-01-01", "Thu, 99 Jan 1970 00:00:00 GMT", ""])
@pytest.mark.parametrize("header", ["If-Modified-Since", "If-Unmodified-Since"])
def test_garbage_dates_are_ignored(wire, there, header, value):
    """As RFC 9110 has it (13.1.3, 13.1.4)."""
    answer = wire.ask("GET", f"/{there[0]['Bucket']}/k", headers={header: value})
    assert answer.status == 200, answer


def test_date_of_the_future_is_ignored(wire, s3, there):
    """AWS was recorded to do so with the source of a copy, by LocalStack's test_s3_copy_object_preconditions; RFC 9110
    calls such a date invalid too.
    """
    at = there[2] + 10 * HOUR
    answer = wire.ask(
        "GET", f"/{there[0]['Bucket']}/k", headers={"If-Modified-Since": at.strftime("%a, %d %b %Y %H:%M:%S GMT")}
    )
    assert answer.status == 200, answer
    s3.copy_object(**there[0] | {"Key": "copy"}, CopySource=there[0], CopySourceIfModifiedSince=at)


def test_read_of_what_is_not_there(s3, bucket, refused):
    refused("NoSuchKey", s3.get_object, Bucket=bucket, Key="k", IfNoneMatch="*", status=404)
    refused("NoSuchKey", s3.get_object, Bucket=bucket, Key="k", IfMatch=OTHER, status=404)


def put(s3, target, conditions):
    s3.put_object(**target, Body=b"new", **conditions)


def copy(s3, target, conditions):
    s3.put_object(Bucket=target["Bucket"], Key="source", Body=b"new")
    s3.copy_object(**target, CopySource={"Bucket": target["Bucket"], "Key": "source"}, **conditions)


def complete(s3, target, conditions):
    upload = s3.create_multipart_upload(**target)["UploadId"]
    etag = s3.upload_part(**target, UploadId=upload, PartNumber=1, Body=b"new")["ETag"]
    parts = {"Parts": [{"PartNumber": 1, "ETag": etag}]}
    s3.complete_multipart_upload(**target, UploadId=upload, MultipartUpload=parts, **conditions)


@pytest.mark.parametrize("write", [put, copy, complete])
class TestWrite:
    def test_if_absent(self, s3, bucket, refused, write):
        target = {"Bucket": bucket, "Key": "k"}
        write(s3, target, {"IfNoneMatch": "*"})
        found = refused("PreconditionFailed", write, s3, target, {"IfNoneMatch": "*"}, status=412)
        assert found.response["Error"]["Condition"] == "If-None-Match"
        s3.delete_object(**target)
        write(s3, target, {"IfNoneMatch": "*"})

    def test_if_match(self, s3, there, refused, write):
        target, etag, _ = there
        refused("PreconditionFailed", write, s3, target, {"IfMatch": OTHER}, status=412)
        assert s3.get_object(**target)["Body"].read() == b"there"
        write(s3, target, {"IfMatch": etag})
        assert s3.get_object(**target)["Body"].read() == b"new"
        refused("PreconditionFailed", write, s3, target, {"IfMatch": etag}, status=412)

    def test_if_match_of_what_is_not_there(self, s3, bucket, refused, write):
        """404, by the documentation of conditional writes."""
        refused("NoSuchKey", write, s3, {"Bucket": bucket, "Key": "k"}, {"IfMatch": OTHER}, status=404)

    def test_if_absent_behind_a_delete_marker(self, s3, versioned, refused, write):
        """ "If the current version is a delete marker, or there is none, the write succeeds."""
        target = {"Bucket": versioned, "Key": "k"}
        write(s3, target, {"IfNoneMatch": "*"})
        s3.delete_object(**target)
        write(s3, target, {"IfNoneMatch": "*"})
        refused("PreconditionFailed", write, s3, target, {"IfNoneMatch": "*"}, status=412)

    def test_if_none_match_with_an_etag(self, s3, there, refused, write):
        """Only `*` is taken: 501, as S3 answers."""
        target, etag, _ = there
        refused("NotImplemented", write, s3, target, {"IfNoneMatch": etag}, status=501)


def test_a_failed_completion_leaves_the_upload(s3, there):
    target, _, _ = there
    upload = s3.create_multipart_upload(**target)["UploadId"]
    etag = s3.upload_part(**target, UploadId=upload, PartNumber=1, Body=b"new")["ETag"]
    arguments = target | {"UploadId": upload, "MultipartUpload": {"Parts": [{"PartNumber": 1, "ETag": etag}]}}
    with pytest.raises(s3.exceptions.ClientError):
        s3.complete_multipart_upload(**arguments, IfNoneMatch="*")
    assert s3.list_parts(**target, UploadId=upload)["Parts"][0]["ETag"] == etag
    s3.complete_multipart_upload(**arguments)
    assert s3.get_object(**target)["Body"].read() == b"new"


@pytest.mark.parametrize("case", range(14))
def test_source_of_a_copy(s3, there, refused, case):
    """The table in the documentation of CopyObject: a source that does not hold is 412, also where it is unchanged."""
    target, etag, at = there
    before, after = at - HOUR, at + HOUR
    conditions, status = [
        ({"CopySourceIfMatch": etag}, 200),
        ({"CopySourceIfMatch": OTHER}, 412),
        ({"CopySourceIfNoneMatch": OTHER}, 200),
        ({"CopySourceIfNoneMatch": etag}, 412),
        ({"CopySourceIfModifiedSince": before}, 200),
        ({"CopySourceIfModifiedSince": at}, 412),
        ({"CopySourceIfUnmodifiedSince": at}, 200),
        ({"CopySourceIfUnmodifiedSince": after}, 200),
        ({"CopySourceIfUnmodifiedSince": before}, 412),
        ({"CopySourceIfMatch": etag, "CopySourceIfUnmodifiedSince": before}, 200),
        ({"CopySourceIfMatch": OTHER, "CopySourceIfUnmodifiedSince": after}, 412),
        ({"CopySourceIfNoneMatch": etag, "CopySourceIfModifiedSince": before}, 412),
        ({"CopySourceIfNoneMatch": OTHER, "CopySourceIfModifiedSince": before}, 200),
        ({"CopySourceIfNoneMatch": OTHER, "CopySourceIfMatch": etag}, 200),
    ][case]
    bucket = target["Bucket"]
    upload = s3.create_multipart_upload(Bucket=bucket, Key="big")["UploadId"]
    calls = [
        (s3.copy_object, {"Bucket": bucket, "Key": "copy"}),
        (s3.upload_part_copy, {"Bucket": bucket, "Key": "big", "UploadId": upload, "PartNumber": 1}),
    ]
    for call, arguments in calls:
        if status == 200:
            call(**arguments, CopySource=target, **conditions)
        else:
            refused("PreconditionFailed", call, **arguments, CopySource=target, **conditions, status=412)


class TestDelete:
    def test_if_match(self, s3, there, refused):
        target, etag, _ = there
        refused("PreconditionFailed", s3.delete_object, **target, IfMatch=OTHER, status=412)
        s3.delete_object(**target, IfMatch=etag)
        refused("404", s3.head_object, **target)

    def test_if_match_any(self, s3, there, refused):
        target, _, _ = there
        s3.delete_object(**target, IfMatch="*")
        refused("404", s3.head_object, **target)

    @pytest.mark.parametrize("tag", [OTHER, "*"])
    def test_of_what_is_not_there(self, s3, bucket, refused, tag):
        """Unlike a plain delete it fails: 404, as "How to perform conditional deletes" has it of keys that are gone."""
        found = refused("NoSuchKey", s3.delete_object, Bucket=bucket, Key="k", IfMatch=tag)
        assert found.status == 404

    @pytest.mark.parametrize("tag", [OTHER, "*", None])
    def test_of_a_version(self, s3, versioned, refused, tag):
        """501, as AWS was found to answer whether or not it holds (localstack/localstack#13894)."""
        put = s3.put_object(Bucket=versioned, Key="k", Body=b"x")
        target = {"Bucket": versioned, "Key": "k", "VersionId": put["VersionId"]}
        refused("NotImplemented", s3.delete_object, **target, IfMatch=tag or put["ETag"], status=501)

    def test_adds_a_marker_only_where_it_holds(self, s3, versioned, refused):
        etag = s3.put_object(Bucket=versioned, Key="k", Body=b"x")["ETag"]
        refused("PreconditionFailed", s3.delete_object, Bucket=versioned, Key="k", IfMatch=OTHER, status=412)
        assert "DeleteMarkers" not in s3.list_object_versions(Bucket=versioned)
        assert s3.delete_object(Bucket=versioned, Key="k", IfMatch=etag)["DeleteMarker"]

    def test_each_of_many(self, s3, bucket):
        etags = {key: s3.put_object(Bucket=bucket, Key=key, Body=key.encode())["ETag"] for key in "abc"}
        objects = [{"Key": "a", "ETag": etags["a"]}, {"Key": "b", "ETag": etags["a"]}, {"Key": "c"}]
        deleted = s3.delete_objects(Bucket=bucket, Delete={"Objects": objects})
        assert [one["Key"] for one in deleted["Deleted"]] == ["a", "c"]
        assert [(one["Key"], one["Code"]) for one in deleted["Errors"]] == [("b", "PreconditionFailed")]
