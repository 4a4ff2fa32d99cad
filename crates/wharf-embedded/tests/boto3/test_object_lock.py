"""Part 1: object lock (governance, compliance, legal hold) enforced."""

import pytest

from locks import PROTECTED, later, put
from uploads import begin, complete, upload


def test_the_bucket_has_versions(s3, locked, refused):
    assert s3.get_bucket_versioning(Bucket=locked)["Status"] == "Enabled"
    suspended = {"Status": "Suspended"}
    refused(
        "InvalidBucketState", s3.put_bucket_versioning, Bucket=locked, VersioningConfiguration=suspended, status=409
    )


def test_a_lock_needs_a_bucket_for_it(s3, bucket, refused):
    arguments = {"Bucket": bucket, "Key": "k"}
    for lock in (
        {"ObjectLockLegalHoldStatus": "ON"},
        {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": later(days=1)},
    ):
        refused("InvalidRequest", s3.put_object, **arguments, Body=b"x", **lock, status=400)
    s3.put_object(**arguments, Body=b"x")
    refused("InvalidRequest", s3.put_object_legal_hold, **arguments, LegalHold={"Status": "ON"}, status=400)
    refused("InvalidRequest", s3.get_object_retention, **arguments, status=400)


@pytest.mark.parametrize("mode", ["GOVERNANCE", "COMPLIANCE"])
class TestRetention:
    def test_kept_and_told(self, s3, locked, mode):
        until = later(days=1)
        version = put(s3, locked, mode, until)
        for head in (s3.head_object(**version), s3.get_object(Bucket=locked, Key="k")):
            assert (head["ObjectLockMode"], head["ObjectLockRetainUntilDate"]) == (mode, until)
        assert s3.get_object_retention(**version)["Retention"] == {"Mode": mode, "RetainUntilDate": until}

    def test_a_version_stays(self, s3, locked, refused, mode):
        version = put(s3, locked, mode, later(days=1))
        refused(PROTECTED, s3.delete_object, **version, status=403)
        [error] = s3.delete_objects(Bucket=locked, Delete={"Objects": [{k: version[k] for k in ("Key", "VersionId")}]})[
            "Errors"
        ]
        assert error["Code"] == PROTECTED
        assert s3.get_object(**version)["Body"].read() == b"x"

    def test_what_is_allowed(self, s3, locked, mode):
        """A marker over it, a new version, tags."""
        version = put(s3, locked, mode, later(days=1))
        assert s3.delete_object(Bucket=locked, Key="k")["DeleteMarker"]
        s3.put_object(Bucket=locked, Key="k", Body=b"new")
        s3.put_object_tagging(**version, Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
        assert s3.get_object(**version)["Body"].read() == b"x"

    def test_bypass(self, s3, locked, refused, mode):
        version = put(s3, locked, mode, later(days=1))
        if mode == "GOVERNANCE":
            s3.delete_object(**version, BypassGovernanceRetention=True)
            refused("NoSuchVersion", s3.get_object, **version)
        else:
            refused(PROTECTED, s3.delete_object, **version, BypassGovernanceRetention=True, status=403)

    def test_may_be_longer(self, s3, locked, mode):
        version = put(s3, locked, mode, later(days=1))
        longer = {"Mode": mode, "RetainUntilDate": later(days=2)}
        s3.put_object_retention(**version, Retention=longer)
        assert s3.get_object_retention(**version)["Retention"] == longer

    def test_may_not_be_shorter(self, s3, locked, refused, mode):
        version = put(s3, locked, mode, later(days=2))
        shorter = {"Mode": mode, "RetainUntilDate": later(days=1)}
        refused(PROTECTED, s3.put_object_retention, **version, Retention=shorter, status=403)
        call = lambda: s3.put_object_retention(**version, Retention=shorter, BypassGovernanceRetention=True)
        if mode == "GOVERNANCE":
            call()
        else:
            refused(PROTECTED, call, status=403)

    def test_put_later(self, s3, locked, refused, mode):
        version = put(s3, locked)
        s3.put_object_retention(**version, Retention={"Mode": mode, "RetainUntilDate": later(days=1)})
        refused(PROTECTED, s3.delete_object, **version, status=403)

    def test_of_a_multipart_upload_and_a_copy(self, s3, locked, refused, mode):
        lock = {"ObjectLockMode": mode, "ObjectLockRetainUntilDate": later(days=1)}
        target = begin(s3, locked, **lock)
        done = complete(s3, target, upload(s3, target, {1: b"x"}))
        refused(PROTECTED, s3.delete_object, Bucket=locked, Key="k", VersionId=done["VersionId"], status=403)
        copied = s3.copy_object(Bucket=locked, Key="copy", CopySource=f"{locked}/k", **lock)
        refused(PROTECTED, s3.delete_object, Bucket=locked, Key="copy", VersionId=copied["VersionId"], status=403)
        # A copy does not take its source's lock along.
        free = s3.copy_object(Bucket=locked, Key="free", CopySource=f"{locked}/k")
        s3.delete_object(Bucket=locked, Key="free", VersionId=free["VersionId"])


def test_governance_may_become_compliance_and_not_back(s3, locked, refused):
    version = put(s3, locked, "GOVERNANCE", later(days=1))
    stricter = {"Mode": "COMPLIANCE", "RetainUntilDate": later(days=1, hours=1)}
    s3.put_object_retention(**version, Retention=stricter, BypassGovernanceRetention=True)
    looser = {"Mode": "GOVERNANCE", "RetainUntilDate": later(days=2)}
    refused(PROTECTED, s3.put_object_retention, **version, Retention=looser, BypassGovernanceRetention=True, status=403)


class TestLegalHold:
    def test_on_and_off(self, s3, locked, refused):
        version = put(s3, locked, hold="ON")
        assert s3.head_object(**version)["ObjectLockLegalHoldStatus"] == "ON"
        assert s3.get_object_legal_hold(**version)["LegalHold"] == {"Status": "ON"}
        refused(PROTECTED, s3.delete_object, **version, status=403)
        refused(PROTECTED, s3.delete_object, **version, BypassGovernanceRetention=True, status=403)
        s3.put_object_legal_hold(**version, LegalHold={"Status": "OFF"})
        assert s3.get_object_legal_hold(**version)["LegalHold"] == {"Status": "OFF"}
        s3.delete_object(**version)

    def test_put_later(self, s3, locked, refused):
        version = put(s3, locked)
        refused("NoSuchObjectLockConfiguration", s3.get_object_legal_hold, **version, status=404)
        s3.put_object_legal_hold(**version, LegalHold={"Status": "ON"})
        refused(PROTECTED, s3.delete_object, **version, status=403)

    def test_outlasts_a_retention(self, s3, locked, refused):
        version = put(s3, locked, "GOVERNANCE", later(days=1), "ON")
        refused(PROTECTED, s3.delete_object, **version, BypassGovernanceRetention=True, status=403)
        s3.put_object_legal_hold(**version, LegalHold={"Status": "OFF"})
        s3.delete_object(**version, BypassGovernanceRetention=True)


class TestBadInput:
    def test_of_the_past(self, s3, locked, refused):
        lock = {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": later(days=-1)}
        refused("InvalidArgument", s3.put_object, Bucket=locked, Key="k", Body=b"x", **lock, status=400)
        version = put(s3, locked)
        past = {"Mode": "GOVERNANCE", "RetainUntilDate": later(days=-1)}
        refused("InvalidArgument", s3.put_object_retention, **version, Retention=past, status=400)

    def test_one_without_the_other(self, s3, locked, refused):
        for lock in ({"ObjectLockMode": "GOVERNANCE"}, {"ObjectLockRetainUntilDate": later(days=1)}):
            refused("InvalidArgument", s3.put_object, Bucket=locked, Key="k", Body=b"x", **lock, status=400)

    def test_unknown_mode(self, s3, locked, refused):
        lock = {"ObjectLockMode": "FOREVER", "ObjectLockRetainUntilDate": later(days=1)}
        refused("InvalidArgument", s3.put_object, Bucket=locked, Key="k", Body=b"x", **lock, status=400)
        version = put(s3, locked)
        unknown = {"Mode": "FOREVER", "RetainUntilDate": later(days=1)}
        refused("MalformedXML", s3.put_object_retention, **version, Retention=unknown, status=400)

    def test_put_without_a_checksum(self, wire, locked):
        headers = {"x-amz-object-lock-legal-hold": "ON"}
        answer = wire.ask("PUT", f"/{locked}/k", headers=headers, body=b"x")
        assert (answer.status, answer.code) == (400, "InvalidRequest")

    def test_without_any(self, s3, locked, refused):
        version = put(s3, locked)
        refused("NoSuchObjectLockConfiguration", s3.get_object_retention, **version, status=404)
        assert "ObjectLockMode" not in s3.head_object(**version)
