"""Part 1: object lock, as a bucket has it: that there is any at all, and what new objects get that ask for nothing."""

import pytest

from locks import PROTECTED, later, put
from uploads import begin, complete, upload


def rule(**retention):
    return {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": retention}}


def configure(s3, bucket, **retention):
    s3.put_object_lock_configuration(Bucket=bucket, ObjectLockConfiguration=rule(**retention))


def test_told(s3, locked, bucket, refused):
    got = s3.get_object_lock_configuration(Bucket=locked)["ObjectLockConfiguration"]
    assert got == {"ObjectLockEnabled": "Enabled"}
    code = "ObjectLockConfigurationNotFoundError"
    refused(code, s3.get_object_lock_configuration, Bucket=bucket, status=404)


@pytest.mark.parametrize(("unit", "days"), [("Days", 1), ("Years", 365)])
@pytest.mark.parametrize("mode", ["GOVERNANCE", "COMPLIANCE"])
def test_default_of_new_objects(s3, locked, refused, unit, days, mode):
    configure(s3, locked, Mode=mode, **{unit: 1})
    got = s3.get_object_lock_configuration(Bucket=locked)["ObjectLockConfiguration"]
    assert got == rule(Mode=mode, **{unit: 1})
    begun = later()
    version = put(s3, locked)
    head = s3.head_object(**version)
    assert head["ObjectLockMode"] == mode
    kept = head["ObjectLockRetainUntilDate"] - begun
    assert kept.days == days
    refused(PROTECTED, s3.delete_object, **version, status=403)
    target = begin(s3, locked, "big")
    done = complete(s3, target, upload(s3, target, {1: b"x"}))
    assert s3.head_object(Bucket=locked, Key="big")["ObjectLockMode"] == mode
    refused(PROTECTED, s3.delete_object, Bucket=locked, Key="big", VersionId=done["VersionId"], status=403)
    s3.copy_object(Bucket=locked, Key="copy", CopySource=f"{locked}/k")
    assert s3.head_object(Bucket=locked, Key="copy")["ObjectLockMode"] == mode


def test_an_objects_own_goes_first(s3, locked):
    configure(s3, locked, Mode="COMPLIANCE", Days=100)
    until = later(days=1)
    version = put(s3, locked, "GOVERNANCE", until)
    head = s3.head_object(**version)
    assert (head["ObjectLockMode"], head["ObjectLockRetainUntilDate"]) == ("GOVERNANCE", until)


def test_taken_away(s3, locked):
    configure(s3, locked, Mode="GOVERNANCE", Days=1)
    s3.put_object_lock_configuration(Bucket=locked, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled"})
    s3.delete_object(**put(s3, locked))


def test_enabled_later(s3, versioned, refused):
    """Since November 2023 S3 takes it for buckets that exist, if they have versions."""
    configure(s3, versioned, Mode="GOVERNANCE", Days=1)
    refused(PROTECTED, s3.delete_object, **put(s3, versioned), status=403)


def test_needs_versions(s3, bucket, refused):
    arguments = {"Bucket": bucket, "ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled"}}
    refused("InvalidBucketState", s3.put_object_lock_configuration, **arguments, status=409)


@pytest.mark.parametrize(
    ("retention", "code"),
    [
        ({"Mode": "GOVERNANCE"}, "MalformedXML"),
        ({"Days": 1}, "MalformedXML"),
        ({"Mode": "GOVERNANCE", "Days": 1, "Years": 1}, "MalformedXML"),
        ({"Mode": "FOREVER", "Days": 1}, "MalformedXML"),
        ({"Mode": "GOVERNANCE", "Days": 0}, "InvalidArgument"),
        ({"Mode": "GOVERNANCE", "Days": -1}, "InvalidArgument"),
    ],
    ids=str,
)
def test_bad_input(s3, locked, refused, retention, code):
    arguments = {"Bucket": locked, "ObjectLockConfiguration": rule(**retention)}
    refused(code, s3.put_object_lock_configuration, **arguments, status=400)
