"""Objects under lock."""

import datetime

from wire import now

PROTECTED = "AccessDenied"


def later(**delta):
    """S3 keeps seconds here; whole ones compare."""
    return (now() + datetime.timedelta(**delta)).replace(microsecond=0)


def put(s3, bucket, mode=None, until=None, hold=None, key="k"):
    """Puts an object with a lock, and gives the version's address."""
    lock = {"ObjectLockMode": mode, "ObjectLockRetainUntilDate": until, "ObjectLockLegalHoldStatus": hold}
    lock = {name: value for name, value in lock.items() if value}
    version = s3.put_object(Bucket=bucket, Key=key, Body=b"x", **lock)["VersionId"]
    return {"Bucket": bucket, "Key": key, "VersionId": version}
