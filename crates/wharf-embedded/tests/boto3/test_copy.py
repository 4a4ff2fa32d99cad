"""Part 1: copy directives. Conditions of a source are in test_conditions.py, parts in test_multipart.py."""

import hashlib

import pytest

from uploads import begin, complete, upload

KEPT = {
    "ContentType": "text/x-test",
    "ContentDisposition": "attachment",
    "ContentLanguage": "de",
    "CacheControl": "no-cache",
    "ContentEncoding": "gzip",
    "Metadata": {"a": "b"},
}


@pytest.fixture
def source(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"the source", Tagging="t=1", **KEPT)
    return {"Bucket": bucket, "Key": "k"}


def described(s3, bucket, key):
    head = s3.head_object(Bucket=bucket, Key=key)
    return {name: head.get(name) for name in KEPT}


def tagged(s3, bucket, key):
    return [(tag["Key"], tag["Value"]) for tag in s3.get_object_tagging(Bucket=bucket, Key=key)["TagSet"]]


@pytest.mark.parametrize("directive", [None, "COPY"])
def test_metadata_and_tags_come_along(s3, source, directive):
    bucket = source["Bucket"]
    directives = {"MetadataDirective": directive, "TaggingDirective": directive} if directive else {}
    answer = s3.copy_object(
        Bucket=bucket,
        Key="copy",
        CopySource=source,
        ContentType="ignored/x",
        Metadata={"ignored": "1"},
        Tagging="ignored=1",
        **directives,
    )
    result = answer["CopyObjectResult"]
    assert result["ETag"] == s3.head_object(**source)["ETag"] and result["LastModified"]
    assert described(s3, bucket, "copy") == KEPT
    assert tagged(s3, bucket, "copy") == [("t", "1")]
    assert s3.get_object(Bucket=bucket, Key="copy")["Body"].read() == b"the source"


def test_replace(s3, source):
    bucket = source["Bucket"]
    s3.copy_object(
        Bucket=bucket,
        Key="copy",
        CopySource=source,
        MetadataDirective="REPLACE",
        TaggingDirective="REPLACE",
        Metadata={"new": "1"},
        CacheControl="no-store",
        Tagging="n=2",
    )
    found = described(s3, bucket, "copy")
    assert (found["Metadata"], found["CacheControl"]) == ({"new": "1"}, "no-store")
    assert found["ContentType"] == "binary/octet-stream"
    assert (found["ContentDisposition"], found["ContentLanguage"], found["ContentEncoding"]) == (None, None, None)
    assert tagged(s3, bucket, "copy") == [("n", "2")]


def test_replace_by_nothing(s3, source):
    bucket = source["Bucket"]
    s3.copy_object(
        Bucket=bucket, Key="copy", CopySource=source, MetadataDirective="REPLACE", TaggingDirective="REPLACE"
    )
    assert described(s3, bucket, "copy")["Metadata"] == {}
    assert tagged(s3, bucket, "copy") == []


def test_unknown_directives(s3, source, refused):
    for name in ("MetadataDirective", "TaggingDirective"):
        arguments = {"Bucket": source["Bucket"], "Key": "copy", "CopySource": source, name: "MOVE"}
        refused("InvalidArgument", s3.copy_object, **arguments, status=400)


def test_storage_class_and_redirect_do_not_come_along(s3, bucket):
    """By the documentation: what is not given again is the default."""
    s3.put_object(
        Bucket=bucket, Key="k", Body=b"x", StorageClass="STANDARD_IA", WebsiteRedirectLocation="/x", ACL="public-read"
    )
    s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/k")
    head = s3.head_object(Bucket=bucket, Key="copy")
    assert "StorageClass" not in head and "WebsiteRedirectLocation" not in head
    assert len(s3.get_object_acl(Bucket=bucket, Key="copy")["Grants"]) == 1


def test_onto_itself(s3, source, refused):
    arguments = source | {"CopySource": source}
    refused("InvalidRequest", s3.copy_object, **arguments, status=400)
    s3.copy_object(**arguments, MetadataDirective="REPLACE", Metadata={"new": "1"})
    assert s3.head_object(**source)["Metadata"] == {"new": "1"}
    s3.copy_object(**arguments, StorageClass="STANDARD_IA")
    head = s3.head_object(**source)
    assert (head["StorageClass"], head["Metadata"]) == ("STANDARD_IA", {"new": "1"})
    assert s3.get_object(**source)["Body"].read() == b"the source"


def test_between_buckets(s3, source, new_bucket):
    other = new_bucket()
    s3.copy_object(Bucket=other, Key="copy", CopySource=source)
    assert s3.get_object(Bucket=other, Key="copy")["Body"].read() == b"the source"


def test_of_a_version(s3, versioned, refused):
    old = s3.put_object(Bucket=versioned, Key="k", Body=b"old")["VersionId"]
    s3.put_object(Bucket=versioned, Key="k", Body=b"new")
    source = {"Bucket": versioned, "Key": "k", "VersionId": old}
    answer = s3.copy_object(Bucket=versioned, Key="copy", CopySource=source)
    assert answer["CopySourceVersionId"] == old and answer["VersionId"] not in (None, old)
    assert s3.get_object(Bucket=versioned, Key="copy")["Body"].read() == b"old"
    # An old version onto its own key brings it back.
    s3.copy_object(Bucket=versioned, Key="k", CopySource=source)
    assert s3.get_object(Bucket=versioned, Key="k")["Body"].read() == b"old"
    marker = s3.delete_object(Bucket=versioned, Key="k")["VersionId"]
    refused("NoSuchKey", s3.copy_object, Bucket=versioned, Key="copy", CopySource=f"{versioned}/k", status=404)
    source["VersionId"] = marker
    refused("InvalidRequest", s3.copy_object, Bucket=versioned, Key="copy", CopySource=source, status=400)


def test_of_what_is_not_there(s3, bucket, refused):
    refused("NoSuchKey", s3.copy_object, Bucket=bucket, Key="copy", CopySource=f"{bucket}/none", status=404)
    refused("NoSuchBucket", s3.copy_object, Bucket=bucket, Key="copy", CopySource="judged-never/k", status=404)
    for bad in ("nothing", f"{bucket}/"):
        refused("InvalidArgument", s3.copy_object, Bucket=bucket, Key="copy", CopySource=bad, status=400)


@pytest.mark.parametrize("form", ["{}/a%20b%2Bc", "/{}/a%20b%2Bc", "{}%2Fa%20b%2Bc"])
def test_forms_of_a_source(wire, s3, bucket, form):
    s3.put_object(Bucket=bucket, Key="a b+c", Body=b"x")
    answer = wire.ask("PUT", f"/{bucket}/copy", headers={"x-amz-copy-source": form.format(bucket)})
    assert answer.status == 200, answer


def test_of_an_object_of_parts(s3, bucket):
    """A copy is one piece: its ETag is the MD5 of all bytes."""
    target = begin(s3, bucket)
    complete(s3, target, upload(s3, target, {1: b"x"}))
    answer = s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/k")
    assert answer["CopyObjectResult"]["ETag"] == f'"{hashlib.md5(b"x").hexdigest()}"'
