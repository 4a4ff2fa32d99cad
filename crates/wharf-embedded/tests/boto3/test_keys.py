"""Part 1: keys are byte-exact; 1,024 bytes yes, 1,025 no."""

import pytest
from botocore.exceptions import ClientError

from nasty import KEYS
from wire import quote


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_there_and_back(wire, s3, bucket, key):
    s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == key.encode()
    assert s3.head_object(Bucket=bucket, Key=key)["ContentLength"] == len(key.encode())
    assert [one["Key"] for one in s3.list_objects_v2(Bucket=bucket)["Contents"]] == [key]
    assert [one["Key"] for one in s3.list_objects(Bucket=bucket, Prefix=key)["Contents"]] == [key]
    assert [one["Key"] for one in s3.list_object_versions(Bucket=bucket)["Versions"]] == [key]
    s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": key})
    assert s3.get_object(Bucket=bucket, Key="copy")["Body"].read() == key.encode()
    deleted = s3.delete_object(Bucket=bucket, Key=key)
    assert deleted["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert [one["Key"] for one in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["copy"]


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_delete_objects(wire, s3, bucket, key):
    """XML 1.0 has no way of writing most control characters: boto3 cannot ask for them, and S3 refuses them."""
    s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    if any(ord(char) < 32 and char not in "\t\n\r" for char in key):
        return
    deleted = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key}]})
    assert [one["Key"] for one in deleted["Deleted"]] == [key]
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_all_together_stay_apart(s3, bucket):
    for key in KEYS.values():
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    listed = [one["Key"] for one in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    assert listed == sorted(KEYS.values(), key=str.encode)
    for key in KEYS.values():
        assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == key.encode()


@pytest.mark.parametrize(
    "apart",
    [
        ["a", "a/", "a/b", "a//b"],
        ["README", "Readme", "readme"],
        ["Zu\u0308rich", "Z\u00fcrich"],
        ["a b", "a+b", "a%20b"],
    ],
    ids=["slashes", "case", "normal forms", "encodings"],
)
def test_similar_keys_stay_apart(s3, bucket, apart):
    for key in apart:
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    assert len(s3.list_objects_v2(Bucket=bucket)["Contents"]) == len(apart)
    for key in apart:
        assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == key.encode()


@pytest.mark.parametrize("unit", ["k", "\u00e4", "\U0001f980"], ids=["1 byte", "2 bytes", "4 bytes"])
def test_1024_bytes_yes_1025_no(s3, bucket, unit, refused):
    longest = unit * (1024 // len(unit.encode()))
    s3.put_object(Bucket=bucket, Key=longest, Body=b"x")
    assert s3.list_objects_v2(Bucket=bucket)["Contents"][0]["Key"] == longest
    found = refused("KeyTooLongError", s3.put_object, Bucket=bucket, Key=longest + "k", Body=b"x", status=400)
    error = found.response["Error"]
    assert (error["Size"], error["MaxSizeAllowed"]) == ("1025", "1024")
    refused("KeyTooLongError", s3.create_multipart_upload, Bucket=bucket, Key=longest + "k")
    refused("KeyTooLongError", s3.copy_object, Bucket=bucket, Key=longest + "k", CopySource=f"{bucket}/{longest}")
    with pytest.raises(ClientError) as caught:
        s3.head_object(Bucket=bucket, Key=longest + "k")
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_bytes_that_are_no_utf8(wire, bucket):
    """S3's keys are UTF-8; other bytes in the path are InvalidURI."""
    signed = wire.sign("PUT", f"/{bucket}/k")
    signed.target = f"/{bucket}/%FF"
    answer = wire.send(signed)
    assert (answer.status, answer.code) == (400, "InvalidURI")


def test_encodings_of_one_key(wire, s3, bucket):
    """Which characters of a path are encoded does not change the key. What is signed is what S3 encodes it to."""
    s3.put_object(Bucket=bucket, Key="a(b)!c", Body=b"x")
    signed = wire.sign("GET", f"/{bucket}/a(b)!c")
    assert signed.target.endswith(quote("/a(b)!c"))
    signed.target = f"/{bucket}/a(b)!c"
    assert wire.send(signed).body == b"x"
