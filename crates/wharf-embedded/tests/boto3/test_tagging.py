"""Part 1: tagging, of objects and of buckets."""

import pytest


def tags(**pairs):
    return {"TagSet": [{"Key": key, "Value": value} for key, value in pairs.items()]}


@pytest.fixture
def target(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    return {"Bucket": bucket, "Key": "k"}


def test_of_an_object(s3, target):
    assert s3.get_object_tagging(**target)["TagSet"] == []
    s3.put_object_tagging(**target, Tagging=tags(a="1", b=""))
    assert s3.get_object_tagging(**target)["TagSet"] == tags(a="1", b="")["TagSet"]
    assert s3.get_object(**target)["TagCount"] == 2
    s3.put_object_tagging(**target, Tagging=tags(c="3"))
    assert s3.get_object_tagging(**target)["TagSet"] == tags(c="3")["TagSet"]
    assert s3.delete_object_tagging(**target)["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert s3.get_object_tagging(**target)["TagSet"] == []
    assert "TagCount" not in s3.get_object(**target)


def test_do_not_touch_the_object(s3, target):
    before = s3.head_object(**target)
    s3.put_object_tagging(**target, Tagging=tags(a="1"))
    after = s3.head_object(**target)
    assert (after["ETag"], after["LastModified"]) == (before["ETag"], before["LastModified"])


def test_by_header(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", Tagging="a=1&b%20c=d%2Fe+f&empty=")
    found = {tag["Key"]: tag["Value"] for tag in s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"]}
    assert found == {"a": "1", "b c": "d/e f", "empty": ""}


def test_unicode_and_marks(s3, target):
    wanted = {"straße 東京": "é + - = . _ : / @"}
    s3.put_object_tagging(**target, Tagging=tags(**wanted))
    assert s3.get_object_tagging(**target)["TagSet"] == tags(**wanted)["TagSet"]


def test_of_a_version(s3, versioned):
    old = s3.put_object(Bucket=versioned, Key="k", Body=b"1", Tagging="v=1")["VersionId"]
    new = s3.put_object(Bucket=versioned, Key="k", Body=b"2", Tagging="v=2")["VersionId"]
    answer = s3.put_object_tagging(Bucket=versioned, Key="k", VersionId=old, Tagging=tags(v="old"))
    assert answer["VersionId"] == old
    got = s3.get_object_tagging(Bucket=versioned, Key="k", VersionId=old)
    assert (got["TagSet"], got["VersionId"]) == (tags(v="old")["TagSet"], old)
    got = s3.get_object_tagging(Bucket=versioned, Key="k")
    assert (got["TagSet"], got["VersionId"]) == (tags(v="2")["TagSet"], new)


def test_an_overwrite_takes_them(s3, target):
    s3.put_object_tagging(**target, Tagging=tags(a="1"))
    s3.put_object(**target, Body=b"new")
    assert s3.get_object_tagging(**target)["TagSet"] == []


BAD = {
    "eleven": {f"k{number}": "v" for number in range(11)},
    "long key": {"k" * 129: "v"},
    "long value": {"k": "v" * 257},
    "aws": {"aws:k": "v"},
    "signs": {"k": "<&>"},
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_rules(s3, target, refused, bad):
    refused("InvalidTag", s3.put_object_tagging, **target, Tagging=tags(**bad), status=400)
    assert s3.get_object_tagging(**target)["TagSet"] == []


def test_the_most(s3, target):
    most = {f"k{number}".ljust(128, "x"): "v" * 256 for number in range(10)}
    s3.put_object_tagging(**target, Tagging=tags(**most))
    assert s3.get_object(**target)["TagCount"] == 10


def test_one_key_twice(s3, target, refused):
    twice = {"TagSet": [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]}
    refused("InvalidTag", s3.put_object_tagging, **target, Tagging=twice, status=400)


def test_no_key(wire, target):
    """boto3 does not send it."""
    body = b"<Tagging><TagSet><Tag><Key></Key><Value>v</Value></Tag></TagSet></Tagging>"
    answer = wire.ask("PUT", f"/{target['Bucket']}/k", "tagging=", body=body)
    assert (answer.status, answer.code) == (400, "InvalidTag")


@pytest.mark.parametrize("text", ["a=1&a=2", "=x", "a=%FF", "&".join(f"k{number}=v" for number in range(11))])
def test_bad_headers(s3, bucket, refused, text):
    with pytest.raises(s3.exceptions.ClientError) as caught:
        s3.put_object(Bucket=bucket, Key="k", Body=b"x", Tagging=text)
    # Which of the two S3 says depends on the rule that is broken, and its documentation does not tell.
    assert caught.value.response["Error"]["Code"] in ("InvalidArgument", "InvalidTag", "BadRequest")
    refused("404", s3.head_object, Bucket=bucket, Key="k")


def test_document_that_is_none(wire, target):
    answer = wire.ask("PUT", f"/{target['Bucket']}/k", "tagging=", body=b"<Tagging><TagSet><Tag>")
    assert (answer.status, answer.code) == (400, "MalformedXML")


def test_of_nothing(s3, bucket, refused):
    refused("NoSuchKey", s3.get_object_tagging, Bucket=bucket, Key="k", status=404)
    refused("NoSuchKey", s3.put_object_tagging, Bucket=bucket, Key="k", Tagging=tags(a="1"), status=404)


def test_of_a_bucket(s3, bucket, refused):
    refused("NoSuchTagSet", s3.get_bucket_tagging, Bucket=bucket, status=404)
    s3.put_bucket_tagging(Bucket=bucket, Tagging=tags(a="1", b="2"))
    assert s3.get_bucket_tagging(Bucket=bucket)["TagSet"] == tags(a="1", b="2")["TagSet"]
    s3.delete_bucket_tagging(Bucket=bucket)
    refused("NoSuchTagSet", s3.get_bucket_tagging, Bucket=bucket, status=404)


def test_the_most_of_a_bucket(s3, bucket, refused):
    s3.put_bucket_tagging(Bucket=bucket, Tagging=tags(**{f"k{number}": "v" for number in range(50)}))
    assert len(s3.get_bucket_tagging(Bucket=bucket)["TagSet"]) == 50
    many = tags(**{f"k{number}": "v" for number in range(51)})
    refused("InvalidTag", s3.put_bucket_tagging, Bucket=bucket, Tagging=many, status=400)
