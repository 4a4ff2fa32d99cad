"""Part 1: listings v1 and v2 in byte order with delimiter, both encodings, right truncation and tokens at 100,000
keys, owner on request, max-keys 0.
"""

import pytest

from many import put_empty
from wire import quote

COUNT = 100_000


def fill(s3, bucket, keys):
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())


def keys_of(page):
    return [one["Key"] for one in page.get("Contents", [])]


def prefixes_of(page):
    return [one["Prefix"] for one in page.get("CommonPrefixes", [])]


@pytest.fixture(scope="module")
def crowd(server, s3):
    """A bucket of 100,000 keys in 100 folders, in order."""
    bucket = "judged-crowd"
    s3.create_bucket(Bucket=bucket)
    keys = [f"{folder:03}/é {number:04}" for folder in range(100) for number in range(COUNT // 100)]
    put_empty(server, bucket, keys)
    return bucket, keys


class TestCrowd:
    def test_v2_pages(self, s3, crowd):
        bucket, keys = crowd
        found, token, pages = [], None, 0
        while True:
            arguments = {"ContinuationToken": token} if token else {}
            page = s3.list_objects_v2(Bucket=bucket, **arguments)
            found += keys_of(page)
            pages += 1
            assert page["KeyCount"] == len(page["Contents"]) == page["MaxKeys"] == 1000
            assert page["IsTruncated"] == ("NextContinuationToken" in page) == (pages < COUNT // 1000)
            token = page.get("NextContinuationToken")
            if not token:
                break
        assert found == keys

    def test_v1_pages(self, s3, crowd):
        """The last 20,000 keys, from a marker on."""
        bucket, keys = crowd
        expected = keys[80_000:]
        found = []
        for page in s3.get_paginator("list_objects").paginate(Bucket=bucket, Marker=keys[79_999]):
            # Without a delimiter the last key is the next marker, and none is told.
            assert "NextMarker" not in page
            assert page["IsTruncated"] == (len(found) + 1000 < len(expected))
            found += keys_of(page)
        assert found == expected

    def test_pages_that_do_not_divide(self, s3, crowd):
        bucket, keys = crowd
        pages = s3.get_paginator("list_objects_v2").paginate(
            Bucket=bucket, Prefix="09", PaginationConfig={"PageSize": 999}
        )
        sizes = [len(page["Contents"]) for page in pages]
        assert sizes == [999] * 10 + [10]

    @pytest.mark.parametrize("version", ["list_objects", "list_objects_v2"])
    def test_folders(self, s3, crowd, version):
        bucket, keys = crowd
        found = []
        for page in s3.get_paginator(version).paginate(Bucket=bucket, Delimiter="/", PaginationConfig={"PageSize": 7}):
            assert "Contents" not in page
            if page["IsTruncated"] and version == "list_objects":
                assert page["NextMarker"] == page["CommonPrefixes"][-1]["Prefix"]
            found += prefixes_of(page)
        assert found == [f"{folder:03}/" for folder in range(100)]

    def test_one_folder(self, s3, crowd):
        bucket, keys = crowd
        page = s3.list_objects_v2(Bucket=bucket, Prefix="050/", Delimiter="/")
        assert (keys_of(page), page["IsTruncated"]) == (keys[50_000:51_000], False)

    def test_versions(self, s3, crowd):
        bucket, keys = crowd
        found = []
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix="00"):
            found += [one["Key"] for one in page["Versions"]]
        assert found == keys[:10_000]


@pytest.mark.parametrize("version", ["list_objects", "list_objects_v2"])
def test_byte_order(s3, bucket, version):
    """By UTF-8, in which U+FFFF comes before U+10000; in UTF-16, as Java and JavaScript sort, it comes behind."""
    keys = ["a", "A", "a/", "a.b", "a0", "b", "z", "~", "é", "\uffee", "\U00010000", "\U0001f980", " ", "1", "10", "2"]
    fill(s3, bucket, keys)
    assert keys_of(getattr(s3, version)(Bucket=bucket)) == sorted(keys, key=str.encode)


@pytest.mark.parametrize("version", ["list_objects", "list_objects_v2"])
def test_delimiter(s3, bucket, version):
    fill(s3, bucket, ["a", "a/1", "a/2", "a/b/3", "b", "c/4", "d//5", "d/6"])
    page = getattr(s3, version)(Bucket=bucket, Delimiter="/")
    assert (keys_of(page), prefixes_of(page), page["Delimiter"]) == (["a", "b"], ["a/", "c/", "d/"], "/")
    page = getattr(s3, version)(Bucket=bucket, Delimiter="/", Prefix="a/")
    assert (keys_of(page), prefixes_of(page), page["Prefix"]) == (["a/1", "a/2"], ["a/b/"], "a/")
    page = getattr(s3, version)(Bucket=bucket, Delimiter="/", Prefix="d/")
    assert (keys_of(page), prefixes_of(page)) == (["d/6"], ["d//"])
    page = getattr(s3, version)(Bucket=bucket, Delimiter="/", Prefix="a")
    assert (keys_of(page), prefixes_of(page)) == (["a"], ["a/"])
    page = getattr(s3, version)(Bucket=bucket, Delimiter="", Prefix="a/")
    assert keys_of(page) == ["a/1", "a/2", "a/b/3"]


@pytest.mark.parametrize("delimiter", ["--", "é", " ", "%", "\U0001f980", "\n"])
def test_delimiters_of_every_kind(s3, bucket, delimiter):
    fill(s3, bucket, [f"a{delimiter}1", f"a{delimiter}2", f"b{delimiter}", "c"])
    page = s3.list_objects_v2(Bucket=bucket, Delimiter=delimiter)
    assert (keys_of(page), prefixes_of(page)) == (["c"], [f"a{delimiter}", f"b{delimiter}"])
    assert page["Delimiter"] == delimiter


def test_prefixes_and_keys_count_together(s3, bucket):
    fill(s3, bucket, ["a", "b/1", "b/2", "c", "d/3"])
    seen, arguments = [], {}
    while True:
        page = s3.list_objects_v2(Bucket=bucket, Delimiter="/", MaxKeys=1, **arguments)
        assert page["KeyCount"] == 1
        seen += keys_of(page) + prefixes_of(page)
        if not page["IsTruncated"]:
            break
        arguments = {"ContinuationToken": page["NextContinuationToken"]}
        assert len(seen) < 9
    assert seen == ["a", "b/", "c", "d/"]


def test_truncation_is_exact(s3, bucket):
    fill(s3, bucket, ["a", "b", "c"])
    for most, truncated in [(1, True), (2, True), (3, False), (4, False)]:
        for page in (s3.list_objects(Bucket=bucket, MaxKeys=most), s3.list_objects_v2(Bucket=bucket, MaxKeys=most)):
            assert (len(page["Contents"]), page["IsTruncated"], page["MaxKeys"]) == (min(most, 3), truncated, most)


def test_max_keys_0(s3, bucket):
    fill(s3, bucket, ["a"])
    for page in (s3.list_objects(Bucket=bucket, MaxKeys=0), s3.list_objects_v2(Bucket=bucket, MaxKeys=0)):
        assert (page["IsTruncated"], page["MaxKeys"], page.get("Contents")) == (False, 0, None)
    assert s3.list_objects_v2(Bucket=bucket, MaxKeys=0)["KeyCount"] == 0


def test_max_keys_over_a_thousand(s3, bucket):
    """S3 never gives more than 1,000, and says so in MaxKeys."""
    assert s3.list_objects_v2(Bucket=bucket, MaxKeys=5000)["MaxKeys"] == 1000


@pytest.mark.parametrize("value", ["-1", "x", "99999999999"])
def test_max_keys_that_are_none(wire, bucket, value):
    answer = wire.ask("GET", f"/{bucket}", f"max-keys={value}")
    assert (answer.status, answer.code, answer.text("ArgumentName")) == (400, "InvalidArgument", "max-keys")


def test_owner_on_request(s3, bucket):
    fill(s3, bucket, ["a"])
    assert "Owner" not in s3.list_objects_v2(Bucket=bucket)["Contents"][0]
    assert "Owner" not in s3.list_objects_v2(Bucket=bucket, FetchOwner=False)["Contents"][0]
    owner = s3.list_objects_v2(Bucket=bucket, FetchOwner=True)["Contents"][0]["Owner"]
    assert owner["ID"] == s3.list_buckets()["Owner"]["ID"]
    assert len(owner["ID"]) == 64
    # The first version tells it always.
    assert s3.list_objects(Bucket=bucket)["Contents"][0]["Owner"] == owner


NASTY = ["a b", "a+b", "a&<>\"'b", "a%20b", "é/東京", "tab\there", "line\nfeed", "return\rhere", "\x01\x02"]


@pytest.mark.parametrize("query", ["list-type=2", "", "versions"], ids=["v2", "v1", "versions"])
def test_url_encoding(wire, s3, bucket, query):
    """What boto3 asks for by itself, and decodes. The form: UTF-8, percent, a slash stays, and a space is `+`, as AWS
    was found to write it (brekkylab/backlot#178).
    """
    fill(s3, bucket, NASTY)
    query = f"{query}&" if query else ""
    answer = wire.ask("GET", f"/{bucket}", f"delimiter=%2F&encoding-type=url&{query}prefix=%C3%A9".rstrip("&"))
    assert answer.status == 200, answer
    assert answer.text("EncodingType") == "url"
    assert answer.text("Delimiter") == "/"
    assert [one.text for one in answer.xml.findall(".//Prefix")] == ["%C3%A9", "%C3%A9/"]
    answer = wire.ask("GET", f"/{bucket}", f"encoding-type=url&{query}".rstrip("&"))
    names = {one.text for one in answer.xml.findall(".//Key")}
    assert names == {quote(key).replace("%20", "+") for key in NASTY}


def test_url_encoding_is_decoded_by_boto3(s3, bucket):
    fill(s3, bucket, NASTY)
    assert keys_of(s3.list_objects_v2(Bucket=bucket)) == sorted(NASTY, key=str.encode)
    page = s3.list_objects_v2(Bucket=bucket, StartAfter="a%20b", Prefix="")
    assert page["StartAfter"] == "a%20b"
    assert keys_of(s3.list_objects(Bucket=bucket, Marker="é/")) == ["é/東京"]


def test_without_encoding(wire, s3, bucket):
    """As XML has it: with entities, a carriage return as a reference, and no EncodingType."""
    fill(s3, bucket, [key for key in NASTY if key != "\x01\x02"])
    answer = wire.ask("GET", f"/{bucket}", "list-type=2")
    assert [one.text for one in answer.xml.findall(".//Key")] == sorted(NASTY[:-1], key=str.encode)
    assert answer.text("EncodingType") is None
    assert b"&#xd;" in answer.body.lower() or b"&#13;" in answer.body


def test_unknown_encoding(wire, bucket):
    answer = wire.ask("GET", f"/{bucket}", "encoding-type=base64")
    assert (answer.status, answer.code) == (400, "InvalidArgument")


def test_start_after_and_marker(s3, bucket):
    fill(s3, bucket, ["a", "b", "b/1", "c"])
    for start, expected in [
        ("a", ["b", "b/1", "c"]),
        ("aa", ["b", "b/1", "c"]),
        ("c", []),
        ("", ["a", "b", "b/1", "c"]),
    ]:
        assert keys_of(s3.list_objects_v2(Bucket=bucket, StartAfter=start)) == expected
        assert keys_of(s3.list_objects(Bucket=bucket, Marker=start)) == expected
    # A token outweighs it.
    first = s3.list_objects_v2(Bucket=bucket, MaxKeys=1, StartAfter="a")
    again = s3.list_objects_v2(Bucket=bucket, StartAfter="c", ContinuationToken=first["NextContinuationToken"])
    assert keys_of(again) == ["b/1", "c"]
    assert again["ContinuationToken"] == first["NextContinuationToken"]


def test_marker_within_a_folder(s3, bucket):
    """A marker amid a prefix has that prefix behind it, as recorded by LocalStack's
    test_list_objects_marker_common_prefixes.
    """
    fill(s3, bucket, ["a/1", "a/2", "b"])
    page = s3.list_objects(Bucket=bucket, Delimiter="/", Marker="a/1")
    assert (prefixes_of(page), keys_of(page)) == ([], ["b"])
    page = s3.list_objects(Bucket=bucket, Delimiter="/", Marker="a/")
    assert (prefixes_of(page), keys_of(page)) == ([], ["b"])


@pytest.mark.parametrize("token", ["", "abc", "bm90IG91cnM="])
def test_tokens_of_nobody(s3, bucket, refused, token):
    refused("InvalidArgument", s3.list_objects_v2, Bucket=bucket, ContinuationToken=token, status=400)


def test_token_after_its_key_is_gone(s3, bucket):
    fill(s3, bucket, ["a", "b", "c"])
    first = s3.list_objects_v2(Bucket=bucket, MaxKeys=2)
    s3.delete_object(Bucket=bucket, Key="b")
    fill(s3, bucket, ["ab", "bb"])
    rest = s3.list_objects_v2(Bucket=bucket, ContinuationToken=first["NextContinuationToken"])
    assert keys_of(rest) == ["bb", "c"]


def test_what_is_said_of_an_object(s3, bucket):
    put = s3.put_object(Bucket=bucket, Key="k", Body=b"12345", StorageClass="STANDARD_IA", ChecksumAlgorithm="SHA256")
    head = s3.head_object(Bucket=bucket, Key="k")
    for page in (s3.list_objects(Bucket=bucket), s3.list_objects_v2(Bucket=bucket)):
        [one] = page["Contents"]
        assert (one["ETag"], one["Size"], one["StorageClass"]) == (put["ETag"], 5, "STANDARD_IA")
        assert (one["ChecksumAlgorithm"], one["ChecksumType"]) == (["SHA256"], "FULL_OBJECT")
        assert one["LastModified"].replace(microsecond=0) == head["LastModified"]


def test_empty_bucket(s3, bucket, refused):
    page = s3.list_objects_v2(Bucket=bucket)
    assert (page["KeyCount"], page["IsTruncated"], page.get("Contents"), page["Name"]) == (0, False, None, bucket)
    refused("NoSuchBucket", s3.list_objects_v2, Bucket="judged-never", status=404)


def test_buckets(s3, new_bucket):
    names = [new_bucket() for _ in range(3)]
    listed = s3.list_buckets()
    found = [one["Name"] for one in listed["Buckets"]]
    assert found == sorted(found) and set(names) <= set(found)
    paged = s3.get_paginator("list_buckets").paginate(PaginationConfig={"PageSize": 1}, Prefix="judged-")
    assert {one["Name"] for page in paged for one in page["Buckets"]} >= set(names)
