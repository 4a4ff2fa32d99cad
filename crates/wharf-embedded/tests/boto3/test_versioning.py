"""Part 1: versioning with delete markers, suspension, version listing in order."""

import pytest


def put(s3, bucket, body, key="k"):
    return s3.put_object(Bucket=bucket, Key=key, Body=body)["VersionId"]


def read(s3, bucket, key="k", **settings):
    return s3.get_object(Bucket=bucket, Key=key, **settings)["Body"].read()


def listed(s3, bucket, **settings):
    """Key, id and whether it is the latest, of versions and markers each in their order."""
    page = s3.list_object_versions(Bucket=bucket, **settings)
    pick = lambda name: [(one["Key"], one["VersionId"], one["IsLatest"]) for one in page.get(name, [])]
    return pick("Versions"), pick("DeleteMarkers")


def suspend(s3, bucket):
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})


def test_states(s3, bucket):
    assert "Status" not in s3.get_bucket_versioning(Bucket=bucket)
    for status in ("Enabled", "Suspended", "Enabled"):
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": status})
        assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == status


@pytest.mark.parametrize(
    "body",
    [b"<VersioningConfiguration/>", b"<VersioningConfiguration><Status>On</Status></VersioningConfiguration>", b"x"],
)
def test_states_that_are_none(wire, bucket, body):
    answer = wire.ask("PUT", f"/{bucket}", "versioning=", body=body)
    assert (answer.status, answer.code) == (400, "MalformedXML")


def test_without_versioning(s3, bucket):
    answer = s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    assert "VersionId" not in answer
    assert "VersionId" not in s3.get_object(Bucket=bucket, Key="k")
    assert listed(s3, bucket) == ([("k", "null", True)], [])
    assert read(s3, bucket, VersionId="null") == b"x"
    assert "DeleteMarker" not in s3.delete_object(Bucket=bucket, Key="k")
    assert listed(s3, bucket) == ([], [])


def test_each_version_stays(s3, versioned):
    ids = [put(s3, versioned, body) for body in (b"one", b"two", b"three")]
    assert len(set(ids)) == 3
    assert read(s3, versioned) == b"three"
    assert [read(s3, versioned, VersionId=id) for id in ids] == [b"one", b"two", b"three"]
    assert s3.head_object(Bucket=versioned, Key="k", VersionId=ids[0])["ContentLength"] == 3
    assert listed(s3, versioned)[0] == [("k", ids[2], True), ("k", ids[1], False), ("k", ids[0], False)]
    assert len(s3.list_objects_v2(Bucket=versioned)["Contents"]) == 1


def test_null_version_of_before(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"before")
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    new = put(s3, bucket, b"after")
    assert listed(s3, bucket)[0] == [("k", new, True), ("k", "null", False)]
    assert read(s3, bucket, VersionId="null") == b"before"


class TestMarkers:
    def test_hides_and_is_told(self, s3, versioned, refused):
        old = put(s3, versioned, b"x")
        deleted = s3.delete_object(Bucket=versioned, Key="k")
        assert deleted["DeleteMarker"] is True
        marker = deleted["VersionId"]
        found = refused("NoSuchKey", s3.get_object, Bucket=versioned, Key="k", status=404)
        assert (found.headers["x-amz-delete-marker"], found.headers["x-amz-version-id"]) == ("true", marker)
        found = refused("404", s3.head_object, Bucket=versioned, Key="k", status=404)
        assert found.headers["x-amz-delete-marker"] == "true"
        assert s3.list_objects_v2(Bucket=versioned)["KeyCount"] == 0
        assert listed(s3, versioned) == ([("k", old, False)], [("k", marker, True)])
        assert read(s3, versioned, VersionId=old) == b"x"

    def test_cannot_be_read(self, s3, versioned, refused):
        marker = s3.delete_object(Bucket=versioned, Key="k")["VersionId"]
        arguments = {"Bucket": versioned, "Key": "k", "VersionId": marker}
        found = refused("MethodNotAllowed", s3.get_object, **arguments, status=405)
        assert (found.headers["x-amz-delete-marker"], found.headers["allow"]) == ("true", "DELETE")
        assert "last-modified" in found.headers
        refused("405", s3.head_object, **arguments, status=405)
        refused("MethodNotAllowed", s3.get_object_tagging, **arguments, status=405)

    def test_removed_it_uncovers(self, s3, versioned):
        put(s3, versioned, b"x")
        marker = s3.delete_object(Bucket=versioned, Key="k")["VersionId"]
        removed = s3.delete_object(Bucket=versioned, Key="k", VersionId=marker)
        assert (removed["DeleteMarker"], removed["VersionId"]) == (True, marker)
        assert read(s3, versioned) == b"x"

    def test_upon_markers(self, s3, versioned):
        """Also where there is nothing to delete, each delete adds one."""
        ids = [s3.delete_object(Bucket=versioned, Key="k")["VersionId"] for _ in range(3)]
        assert listed(s3, versioned)[1] == [("k", ids[2], True), ("k", ids[1], False), ("k", ids[0], False)]

    def test_by_many(self, s3, versioned):
        old = put(s3, versioned, b"x")
        [deleted] = s3.delete_objects(Bucket=versioned, Delete={"Objects": [{"Key": "k"}]})["Deleted"]
        assert deleted["DeleteMarker"] is True
        marker = deleted["DeleteMarkerVersionId"]
        both = [{"Key": "k", "VersionId": marker}, {"Key": "k", "VersionId": old}]
        first, second = s3.delete_objects(Bucket=versioned, Delete={"Objects": both})["Deleted"]
        assert (first["VersionId"], first["DeleteMarker"], first["DeleteMarkerVersionId"]) == (marker, True, marker)
        assert (second["VersionId"], second.get("DeleteMarker")) == (old, None)
        assert listed(s3, versioned) == ([], [])


def test_a_version_removed_is_gone(s3, versioned, refused):
    old, new = put(s3, versioned, b"old"), put(s3, versioned, b"new")
    assert s3.delete_object(Bucket=versioned, Key="k", VersionId=new)["VersionId"] == new
    assert read(s3, versioned) == b"old"
    refused("NoSuchVersion", s3.get_object, Bucket=versioned, Key="k", VersionId=new, status=404)
    s3.delete_object(Bucket=versioned, Key="k", VersionId=old)
    refused("NoSuchKey", s3.get_object, Bucket=versioned, Key="k", status=404)
    # Once more succeeds.
    s3.delete_object(Bucket=versioned, Key="k", VersionId=old)


class TestSuspended:
    def test_null_is_replaced_and_the_others_stay(self, s3, versioned):
        old = put(s3, versioned, b"old")
        suspend(s3, versioned)
        first = s3.put_object(Bucket=versioned, Key="k", Body=b"first")
        # "null", or nothing, by the documentation of PutObject and what S3 sends.
        assert first.get("VersionId", "null") == "null"
        s3.put_object(Bucket=versioned, Key="k", Body=b"second")
        assert listed(s3, versioned)[0] == [("k", "null", True), ("k", old, False)]
        assert (read(s3, versioned), read(s3, versioned, VersionId=old)) == (b"second", b"old")

    def test_delete_puts_a_null_marker(self, s3, versioned):
        old = put(s3, versioned, b"old")
        suspend(s3, versioned)
        s3.put_object(Bucket=versioned, Key="k", Body=b"null")
        deleted = s3.delete_object(Bucket=versioned, Key="k")
        assert (deleted["DeleteMarker"], deleted["VersionId"]) == (True, "null")
        assert listed(s3, versioned) == ([("k", old, False)], [("k", "null", True)])
        s3.delete_object(Bucket=versioned, Key="k", VersionId="null")
        assert read(s3, versioned) == b"old"

    def test_enabled_again_null_stays(self, s3, versioned):
        suspend(s3, versioned)
        s3.put_object(Bucket=versioned, Key="k", Body=b"null")
        s3.put_bucket_versioning(Bucket=versioned, VersioningConfiguration={"Status": "Enabled"})
        new = put(s3, versioned, b"new")
        assert listed(s3, versioned)[0] == [("k", new, True), ("k", "null", False)]


class TestListing:
    def test_in_order_through_pages_of_any_size(self, s3, versioned):
        """By key, and of one key the latest first; a page may end within a key."""
        expected = []
        for key in ("a", "b/1", "b/2", "é"):
            ids = [put(s3, versioned, b"x", key) for _ in range(2)]
            ids.append(s3.delete_object(Bucket=versioned, Key=key)["VersionId"])
            ids.append(put(s3, versioned, b"x", key))
            expected += [(key, id) for id in reversed(ids)]
        for size in (1, 2, 3, 5, 7, 1000):
            found, arguments = [], {}
            while True:
                page = s3.list_object_versions(Bucket=versioned, MaxKeys=size, **arguments)
                both = page.get("Versions", []) + page.get("DeleteMarkers", [])
                assert len(both) <= size
                found += [(one["Key"], one["VersionId"]) for one in both]
                if not page["IsTruncated"]:
                    break
                assert len(both) == size
                arguments = {"KeyMarker": page["NextKeyMarker"], "VersionIdMarker": page["NextVersionIdMarker"]}
            # boto3 keeps versions and markers in two lists, so within a page their order among each other is lost.
            assert sorted(found) == sorted(expected)
            if size == 1:
                assert found == expected

    def test_order_in_the_document(self, wire, s3, versioned):
        put(s3, versioned, b"1")
        s3.delete_object(Bucket=versioned, Key="k")
        put(s3, versioned, b"2")
        answer = wire.ask("GET", f"/{versioned}", "versions=")
        kinds = [one.tag for one in answer.xml if one.tag in ("Version", "DeleteMarker")]
        assert kinds == ["Version", "DeleteMarker", "Version"]

    def test_delimiter_and_prefix(self, s3, versioned):
        for key in ("a", "b/1", "b/2/3"):
            put(s3, versioned, b"x", key)
        page = s3.list_object_versions(Bucket=versioned, Delimiter="/")
        assert [one["Key"] for one in page["Versions"]] == ["a"]
        assert [one["Prefix"] for one in page["CommonPrefixes"]] == ["b/"]
        page = s3.list_object_versions(Bucket=versioned, Delimiter="/", Prefix="b/")
        assert [one["Key"] for one in page["Versions"]] == ["b/1"]

    def test_key_marker_alone(self, s3, versioned):
        for key in "abc":
            put(s3, versioned, b"x", key)
        assert [key for key, _, _ in listed(s3, versioned, KeyMarker="a")[0]] == ["b", "c"]

    def test_version_marker_alone(self, wire, versioned):
        answer = wire.ask("GET", f"/{versioned}", "version-id-marker=x&versions=")
        assert (answer.status, answer.code) == (400, "InvalidArgument")

    def test_what_is_said(self, s3, versioned):
        answer = s3.put_object(Bucket=versioned, Key="k", Body=b"12345", StorageClass="STANDARD_IA")
        s3.delete_object(Bucket=versioned, Key="k")
        page = s3.list_object_versions(Bucket=versioned)
        [version], [marker] = page["Versions"], page["DeleteMarkers"]
        assert (version["ETag"], version["Size"], version["StorageClass"]) == (answer["ETag"], 5, "STANDARD_IA")
        owner = s3.list_buckets()["Owner"]["ID"]
        assert (version["Owner"]["ID"], marker["Owner"]["ID"]) == (owner, owner)
        assert version["LastModified"] <= marker["LastModified"]

    def test_max_keys_0(self, s3, versioned):
        put(s3, versioned, b"x")
        page = s3.list_object_versions(Bucket=versioned, MaxKeys=0)
        assert (page["IsTruncated"], page.get("Versions")) == (False, None)


def test_an_id_of_nobody(s3, versioned, refused):
    """S3 says 400 of what cannot be one of its ids, 404 of one that is gone; their form is its secret."""
    put(s3, versioned, b"x")
    for call in (s3.get_object, s3.get_object_tagging, s3.get_object_acl):
        found = refused("NoSuchVersion", call, Bucket=versioned, Key="k", VersionId="0" * 32)
        assert found.status == 404


def test_empty_id(wire, versioned):
    answer = wire.ask("GET", f"/{versioned}/k", "versionId=")
    assert (answer.status, answer.code) == (400, "InvalidArgument")


def test_a_bucket_of_versions_is_not_empty(s3, versioned, refused):
    put(s3, versioned, b"x")
    marker = s3.delete_object(Bucket=versioned, Key="k")["VersionId"]
    refused("BucketNotEmpty", s3.delete_bucket, Bucket=versioned, status=409)
    [version] = s3.list_object_versions(Bucket=versioned)["Versions"]
    for id in (marker, version["VersionId"]):
        s3.delete_object(Bucket=versioned, Key="k", VersionId=id)
    s3.delete_bucket(Bucket=versioned)
