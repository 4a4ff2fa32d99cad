"""Part 1: multipart with S3's ETag, size, order and number rules, sparse numbers, re-uploaded parts, listing of parts
and uploads. Part-number reads are in test_ranges.py, conditions of a completion in test_conditions.py.
"""

import hashlib
import io

import pytest
from boto3.s3.transfer import TransferConfig

from uploads import LEAST, begin, complete, upload


def md5(body):
    return hashlib.md5(body).hexdigest()


def test_etag(s3, bucket):
    """The MD5 of the parts' MD5s, and their number."""
    bodies = {1: b"a" * LEAST, 2: b"b" * (LEAST + 1), 3: b"c"}
    target = begin(s3, bucket)
    parts = upload(s3, target, bodies)
    assert [part["ETag"] for part in parts] == [f'"{md5(body)}"' for body in bodies.values()]
    done = complete(s3, target, parts)
    whole = hashlib.md5(b"".join(hashlib.md5(body).digest() for body in bodies.values())).hexdigest()
    assert done["ETag"] == f'"{whole}-3"'
    assert (done["Bucket"], done["Key"]) == (bucket, "k") and done["Location"].endswith(f"/{bucket}/k")
    got = s3.get_object(Bucket=bucket, Key="k")
    assert got["ETag"] == done["ETag"]
    assert got["Body"].read() == b"".join(bodies.values())


def test_of_one_part(s3, bucket):
    target = begin(s3, bucket)
    done = complete(s3, target, upload(s3, target, {1: b"alone"}))
    assert done["ETag"].endswith('-1"')
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"alone"


def test_of_an_empty_part(s3, bucket):
    target = begin(s3, bucket)
    complete(s3, target, upload(s3, target, {1: b""}))
    assert s3.head_object(Bucket=bucket, Key="k")["ContentLength"] == 0


def test_by_the_transfer_manager(s3, bucket):
    """boto3's own, with threads, and read back by ranges."""
    body = bytes(range(256)) * 80_000
    config = TransferConfig(multipart_threshold=LEAST, multipart_chunksize=LEAST, max_concurrency=4)
    s3.upload_fileobj(io.BytesIO(body), bucket, "k", Config=config, ExtraArgs={"Metadata": {"a": "b"}})
    head = s3.head_object(Bucket=bucket, Key="k")
    assert (head["ContentLength"], head["Metadata"]) == (len(body), {"a": "b"})
    assert head["ETag"].endswith('-4"')
    out = io.BytesIO()
    s3.download_fileobj(bucket, "k", out, Config=config)
    assert out.getvalue() == body
    s3.copy({"Bucket": bucket, "Key": "k"}, bucket, "copy", Config=config)
    assert s3.head_object(Bucket=bucket, Key="copy")["ContentLength"] == len(body)


def test_nothing_is_there_before_completion(s3, bucket, refused):
    target = begin(s3, bucket)
    upload(s3, target, {1: b"x"})
    refused("NoSuchKey", s3.get_object, Bucket=bucket, Key="k")
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_sparse_numbers(s3, bucket):
    target = begin(s3, bucket)
    parts = upload(s3, target, {10_000: b"c", 7: b"a" * LEAST, 500: b"b" * LEAST})
    done = complete(s3, target, sorted(parts, key=lambda part: part["PartNumber"]))
    assert done["ETag"].endswith('-3"')
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"a" * LEAST + b"b" * LEAST + b"c"


def test_parts_may_be_left_out(s3, bucket):
    target = begin(s3, bucket)
    parts = upload(s3, target, {1: b"a" * LEAST, 2: b"x", 3: b"c"})
    complete(s3, target, [parts[0], parts[2]])
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"a" * LEAST + b"c"


def test_reuploaded_part(s3, bucket, refused):
    """The later one counts; the ETag of the one before names a part that is gone."""
    target = begin(s3, bucket)
    old = upload(s3, target, {1: b"old"})
    new = upload(s3, target, {1: b"new"})
    [listed] = s3.list_parts(**target)["Parts"]
    assert (listed["ETag"], listed["Size"]) == (new[0]["ETag"], 3)
    refused("InvalidPart", complete, s3, target, old, status=400)
    complete(s3, target, new)
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"new"


def test_etag_with_and_without_quotes(s3, bucket):
    target = begin(s3, bucket)
    [part] = upload(s3, target, {1: b"x"})
    complete(s3, target, [part | {"ETag": part["ETag"].strip('"')}])


@pytest.mark.parametrize("number", [0, 10_001, -1])
def test_number_rules(s3, bucket, refused, number):
    target = begin(s3, bucket)
    found = refused("InvalidArgument", s3.upload_part, **target, PartNumber=number, Body=b"x", status=400)
    assert found.message == "Part number must be an integer between 1 and 10000, inclusive"


def test_order_rule(s3, bucket, refused):
    target = begin(s3, bucket)
    parts = upload(s3, target, {1: b"a" * LEAST, 2: b"b"})
    refused("InvalidPartOrder", complete, s3, target, parts[::-1], status=400)
    refused("InvalidPartOrder", complete, s3, target, [parts[0], parts[0]], status=400)
    complete(s3, target, parts)


def test_size_rule(s3, bucket, refused):
    target = begin(s3, bucket)
    parts = upload(s3, target, {1: b"a" * (LEAST - 1), 2: b"b"})
    error = refused("EntityTooSmall", complete, s3, target, parts, status=400).response["Error"]
    assert (error["ProposedSize"], error["MinSizeAllowed"], error["PartNumber"]) == (str(LEAST - 1), str(LEAST), "1")
    # It is still open.
    parts = upload(s3, target, {1: b"a" * LEAST, 2: b"b"})
    complete(s3, target, parts)


@pytest.mark.parametrize(
    "wrong", [{"PartNumber": 2}, {"ETag": '"00000000000000000000000000000000"'}, {"ETag": "nonsense"}], ids=str
)
def test_parts_that_are_not_there(s3, bucket, refused, wrong):
    target = begin(s3, bucket)
    [part] = upload(s3, target, {1: b"x"})
    refused("InvalidPart", complete, s3, target, [part | wrong], status=400)


def test_no_parts(wire, s3, bucket, refused):
    target = begin(s3, bucket)
    refused("MalformedXML", complete, s3, target, [], status=400)
    answer = wire.ask("POST", f"/{bucket}/k", f"uploadId={target['UploadId']}", body=b"<CompleteMultipartUpload/>")
    assert (answer.status, answer.code) == (400, "MalformedXML")


def test_object_size(s3, bucket, refused):
    target = begin(s3, bucket)
    parts = upload(s3, target, {1: b"12345"})
    refused("InvalidRequest", complete, s3, target, parts, MpuObjectSize=6, status=400)
    complete(s3, target, parts, MpuObjectSize=5)


def test_abort(s3, bucket, refused):
    """A second one succeeds, as minio's s3verify found AWS to do for some hours (minio/minio#2250)."""
    target = begin(s3, bucket)
    parts = upload(s3, target, {1: b"x"})
    assert s3.abort_multipart_upload(**target)["ResponseMetadata"]["HTTPStatusCode"] == 204
    refused("NoSuchUpload", s3.upload_part, **target, PartNumber=1, Body=b"x", status=404)
    refused("NoSuchUpload", s3.list_parts, **target, status=404)
    refused("NoSuchUpload", complete, s3, target, parts, status=404)
    assert s3.abort_multipart_upload(**target)["ResponseMetadata"]["HTTPStatusCode"] == 204
    refused("NoSuchUpload", s3.abort_multipart_upload, **target | {"UploadId": "nonsense"}, status=404)
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)


def test_completed_again(s3, bucket, refused):
    """The same answer, as AWS was found to give (adobe/S3Mock#2586); nothing is done again."""
    target = begin(s3, bucket)
    parts = upload(s3, target, {1: b"x"})
    first = complete(s3, target, parts)
    s3.put_object(Bucket=bucket, Key="k", Body=b"newer")
    assert complete(s3, target, parts)["ETag"] == first["ETag"]
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"newer"
    assert s3.abort_multipart_upload(**target)["ResponseMetadata"]["HTTPStatusCode"] == 204
    refused("NoSuchUpload", complete, s3, target, [parts[0] | {"PartNumber": 2}], status=404)


def test_an_upload_belongs_to_its_key(s3, bucket, refused):
    target = begin(s3, bucket)
    refused("NoSuchUpload", s3.upload_part, **target | {"Key": "other"}, PartNumber=1, Body=b"x", status=404)
    refused("NoSuchUpload", s3.upload_part, **target | {"UploadId": "nonsense"}, PartNumber=1, Body=b"x", status=404)


def test_what_is_said_at_the_beginning_is_the_objects(s3, bucket):
    target = begin(
        s3,
        bucket,
        ContentType="text/x-test",
        Metadata={"a": "b"},
        StorageClass="STANDARD_IA",
        Tagging="t=1",
        CacheControl="no-store",
        ContentEncoding="gzip",
    )
    complete(s3, target, upload(s3, target, {1: b"x"}))
    head = s3.head_object(Bucket=bucket, Key="k")
    assert (head["ContentType"], head["Metadata"], head["StorageClass"]) == ("text/x-test", {"a": "b"}, "STANDARD_IA")
    assert (head["CacheControl"], head["ContentEncoding"]) == ("no-store", "gzip")
    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == [{"Key": "t", "Value": "1"}]


class TestListParts:
    def test_pages(self, s3, bucket):
        target = begin(s3, bucket)
        upload(s3, target, {number: b"x" * number for number in (5, 1, 3, 10_000, 2)})
        page = s3.list_parts(**target, MaxParts=2)
        assert [part["PartNumber"] for part in page["Parts"]] == [1, 2]
        assert (page["IsTruncated"], page["NextPartNumberMarker"], page["MaxParts"]) == (True, 2, 2)
        page = s3.list_parts(**target, MaxParts=2, PartNumberMarker=2)
        assert [part["PartNumber"] for part in page["Parts"]] == [3, 5]
        page = s3.list_parts(**target, PartNumberMarker=5)
        assert ([part["PartNumber"] for part in page["Parts"]], page["IsTruncated"]) == ([10_000], False)
        pages = s3.get_paginator("list_parts").paginate(**target, PaginationConfig={"PageSize": 1})
        assert [part["Size"] for page in pages for part in page["Parts"]] == [1, 2, 3, 5, 10_000]

    def test_what_is_said(self, s3, bucket):
        target = begin(s3, bucket, StorageClass="ONEZONE_IA", ChecksumAlgorithm="CRC32C")
        [part] = upload(s3, target, {1: b"x"}, ChecksumAlgorithm="CRC32C")
        page = s3.list_parts(**target)
        assert {name: page[name] for name in ("Bucket", "Key", "UploadId")} == target
        assert (page["StorageClass"], page["ChecksumAlgorithm"], page["ChecksumType"]) == (
            "ONEZONE_IA",
            "CRC32C",
            "COMPOSITE",
        )
        assert page["Owner"]["ID"] == s3.list_buckets()["Owner"]["ID"]
        [listed] = page["Parts"]
        assert (listed["ETag"], listed["Size"], listed["ChecksumCRC32C"]) == (part["ETag"], 1, part["ChecksumCRC32C"])
        assert listed["LastModified"]

    def test_of_none(self, s3, bucket):
        page = s3.list_parts(**begin(s3, bucket))
        assert (page.get("Parts"), page["IsTruncated"], page["PartNumberMarker"]) == (None, False, 0)


class TestListUploads:
    def test_order_and_pages(self, s3, bucket):
        """By key, and of one key by the time of their start."""
        begun = [begin(s3, bucket, key)["UploadId"] for key in ("b", "a", "b", "c", "a")]
        expected = [("a", begun[1]), ("a", begun[4]), ("b", begun[0]), ("b", begun[2]), ("c", begun[3])]
        whole = s3.list_multipart_uploads(Bucket=bucket)
        assert [(one["Key"], one["UploadId"]) for one in whole["Uploads"]] == expected
        assert whole["IsTruncated"] is False
        found, arguments = [], {}
        while True:
            page = s3.list_multipart_uploads(Bucket=bucket, MaxUploads=2, **arguments)
            found += [(one["Key"], one["UploadId"]) for one in page["Uploads"]]
            if not page["IsTruncated"]:
                break
            assert (page["NextKeyMarker"], page["NextUploadIdMarker"]) == found[-1]
            arguments = {"KeyMarker": page["NextKeyMarker"], "UploadIdMarker": page["NextUploadIdMarker"]}
        assert found == expected

    def test_key_marker_alone(self, s3, bucket):
        for key in "abc":
            begin(s3, bucket, key)
        page = s3.list_multipart_uploads(Bucket=bucket, KeyMarker="a")
        assert [one["Key"] for one in page["Uploads"]] == ["b", "c"]

    def test_prefix_and_delimiter(self, s3, bucket):
        for key in ("x/1", "x/2/3", "y"):
            begin(s3, bucket, key)
        page = s3.list_multipart_uploads(Bucket=bucket, Prefix="x/", Delimiter="/")
        assert [one["Key"] for one in page["Uploads"]] == ["x/1"]
        assert [one["Prefix"] for one in page["CommonPrefixes"]] == ["x/2/"]

    def test_what_is_said(self, s3, bucket):
        target = begin(
            s3, bucket, "a b/é", StorageClass="STANDARD_IA", ChecksumAlgorithm="CRC32", ChecksumType="FULL_OBJECT"
        )
        [one] = s3.list_multipart_uploads(Bucket=bucket)["Uploads"]
        assert (one["Key"], one["UploadId"], one["StorageClass"]) == ("a b/é", target["UploadId"], "STANDARD_IA")
        assert (one["ChecksumAlgorithm"], one["ChecksumType"]) == ("CRC32", "FULL_OBJECT")
        assert one["Initiated"] and one["Owner"]["ID"] == one["Initiator"]["ID"]

    def test_completed_and_aborted_are_gone(self, s3, bucket):
        done, aborted, left = (begin(s3, bucket, key) for key in "abc")
        complete(s3, done, upload(s3, done, {1: b"x"}))
        s3.abort_multipart_upload(**aborted)
        assert [one["Key"] for one in s3.list_multipart_uploads(Bucket=bucket)["Uploads"]] == ["c"]


class TestCopyPart:
    def test_whole_and_ranges(self, s3, bucket, refused):
        body = b"0123456789" * 600_000
        etag = s3.put_object(Bucket=bucket, Key="from", Body=body)["ETag"]
        target = begin(s3, bucket, "to")
        source = {"Bucket": bucket, "Key": "from"}
        parts = []
        for number, extra in [(1, {"CopySourceRange": f"bytes=0-{LEAST - 1}"}), (2, {})]:
            answer = s3.upload_part_copy(**target, PartNumber=number, CopySource=source, **extra)["CopyPartResult"]
            parts.append({"PartNumber": number, "ETag": answer["ETag"]})
        assert parts[0]["ETag"] == f'"{md5(body[:LEAST])}"' and parts[1]["ETag"] == etag
        complete(s3, target, parts)
        assert s3.get_object(Bucket=bucket, Key="to")["Body"].read() == body[:LEAST] + body

    @pytest.mark.parametrize("text", ["bytes=0-10", "bytes=5-2", "bytes=0-", "bytes=-3", "0-3", "bytes=0-1,2-3"])
    def test_bad_ranges(self, s3, bucket, refused, text):
        """By the documentation only `bytes=first-last` within the source."""
        s3.put_object(Bucket=bucket, Key="from", Body=b"0123456789")
        arguments = begin(s3, bucket, "to") | {"PartNumber": 1, "CopySource": f"{bucket}/from"}
        refused("InvalidArgument", s3.upload_part_copy, **arguments, CopySourceRange=text, status=400)

    def test_of_a_version(self, s3, versioned):
        old = s3.put_object(Bucket=versioned, Key="from", Body=b"old")["VersionId"]
        s3.put_object(Bucket=versioned, Key="from", Body=b"new")
        target = begin(s3, versioned, "to")
        source = {"Bucket": versioned, "Key": "from", "VersionId": old}
        answer = s3.upload_part_copy(**target, PartNumber=1, CopySource=source)
        assert answer["CopySourceVersionId"] == old
        complete(s3, target, [{"PartNumber": 1, "ETag": answer["CopyPartResult"]["ETag"]}])
        assert s3.get_object(Bucket=versioned, Key="to")["Body"].read() == b"old"


def test_attributes(s3, bucket):
    target = begin(s3, bucket, ChecksumAlgorithm="SHA256")
    parts = upload(s3, target, {1: b"a" * LEAST, 2: b"b"}, ChecksumAlgorithm="SHA256")
    done = complete(s3, target, parts)
    names = ["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"]
    got = s3.get_object_attributes(Bucket=bucket, Key="k", ObjectAttributes=names)
    assert (got["ETag"], got["ObjectSize"], got["StorageClass"]) == (done["ETag"].strip('"'), LEAST + 1, "STANDARD")
    listed = got["ObjectParts"]
    assert listed["TotalPartsCount"] == 2 and [part["Size"] for part in listed["Parts"]] == [LEAST, 1]
    assert [part["ChecksumSHA256"] for part in listed["Parts"]] == [part["ChecksumSHA256"] for part in parts]
    page = s3.get_object_attributes(Bucket=bucket, Key="k", ObjectAttributes=["ObjectParts"], MaxParts=1)["ObjectParts"]
    assert (page["IsTruncated"], page["NextPartNumberMarker"], len(page["Parts"])) == (True, 1, 1)


@pytest.mark.parametrize("kind", [{}, {"ChecksumAlgorithm": "CRC32", "ChecksumType": "FULL_OBJECT"}], ids=str)
def test_attributes_of_a_full_object(s3, bucket, kind):
    """The parts are counted and not listed, as recorded for localstack/localstack#12764 and told in boto/boto3#3509."""
    target = begin(s3, bucket, **kind)
    complete(s3, target, upload(s3, target, {1: b"x"}))
    got = s3.get_object_attributes(Bucket=bucket, Key="k", ObjectAttributes=["ObjectParts"])["ObjectParts"]
    assert got == {"TotalPartsCount": 1}
