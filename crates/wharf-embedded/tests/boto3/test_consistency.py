"""Part 1: read after write and list after write; atomic overwrite; of 64 concurrent if_absent puts one wins."""

import concurrent.futures
import threading

from botocore.exceptions import ClientError


def test_read_after_write(s3, bucket, refused):
    for round in range(50):
        body = f"round {round}".encode()
        s3.put_object(Bucket=bucket, Key="k", Body=body)
        assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == body
        if round % 10 == 9:
            s3.delete_object(Bucket=bucket, Key="k")
            refused("NoSuchKey", s3.get_object, Bucket=bucket, Key="k", status=404)


def test_list_after_write(s3, bucket):
    keys = []
    for at in range(50):
        keys.append(f"{at:02}")
        s3.put_object(Bucket=bucket, Key=keys[-1], Body=b"")
        assert [one["Key"] for one in s3.list_objects_v2(Bucket=bucket)["Contents"]] == keys
    for _ in range(25):
        s3.delete_object(Bucket=bucket, Key=keys.pop(0))
        assert [one["Key"] for one in s3.list_objects(Bucket=bucket)["Contents"]] == keys


def test_another_connection_sees_it_at_once(server, s3, bucket):
    other = server.client()
    for at in range(20):
        s3.put_object(Bucket=bucket, Key=f"{at}", Body=b"x")
        assert other.head_object(Bucket=bucket, Key=f"{at}")["ContentLength"] == 1


def test_overwrite_is_atomic(s3, bucket):
    """Readers see one object or the other, whole, with the ETag and metadata that are its own."""
    bodies = {name: name.encode() * 300_000 for name in ("a", "b")}
    etags = {}
    for name, body in bodies.items():
        etags[name] = s3.put_object(Bucket=bucket, Key="k", Body=body, Metadata={"name": name})["ETag"]
    done = threading.Event()

    def write(name):
        for _ in range(20):
            s3.put_object(Bucket=bucket, Key="k", Body=bodies[name], Metadata={"name": name})

    def read():
        count = 0
        while not done.is_set() or not count:
            answer = s3.get_object(Bucket=bucket, Key="k")
            name, body = answer["Metadata"]["name"], answer["Body"].read()
            assert body == bodies[name] and answer["ETag"] == etags[name]
            count += 1
        return count

    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        readers = [pool.submit(read) for _ in range(4)]
        try:
            for writer in [pool.submit(write, name) for name in bodies]:
                writer.result()
        finally:
            done.set()
        assert all(reader.result() for reader in readers)


def test_a_reader_keeps_what_it_opened(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"old" * 1_000_000)
    body = s3.get_object(Bucket=bucket, Key="k")["Body"]
    first = body.read(3)
    s3.put_object(Bucket=bucket, Key="k", Body=b"new")
    assert first + body.read() == b"old" * 1_000_000
    body = s3.get_object(Bucket=bucket, Key="k")["Body"]
    s3.delete_object(Bucket=bucket, Key="k")
    assert body.read() == b"new"


def race(count, attempt):
    """Runs `attempt(at)` in as many threads at once; the indices of those that were not refused, and the refusals."""
    barrier = threading.Barrier(count)

    def run(at):
        barrier.wait()
        try:
            attempt(at)
            return at
        except ClientError as error:
            return error.response["Error"]["Code"]

    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        results = list(pool.map(run, range(count)))
    return [at for at in results if isinstance(at, int)], [code for code in results if isinstance(code, str)]


def test_of_64_puts_that_want_it_absent_one_wins(s3, bucket):
    winners, refusals = race(
        64, lambda at: s3.put_object(Bucket=bucket, Key="k", Body=str(at).encode(), IfNoneMatch="*")
    )
    assert len(winners) == 1
    # 409 ConditionalRequestConflict is allowed too, by the documentation of conditional writes.
    assert set(refusals) <= {"PreconditionFailed", "ConditionalRequestConflict"}
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == str(winners[0]).encode()


def test_of_16_completions_that_want_it_absent_one_wins(s3, bucket):
    uploads = []
    for at in range(16):
        upload = s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
        part = s3.upload_part(Bucket=bucket, Key="k", UploadId=upload, PartNumber=1, Body=str(at).encode())
        uploads.append((upload, [{"PartNumber": 1, "ETag": part["ETag"]}]))

    def complete(at):
        upload, parts = uploads[at]
        s3.complete_multipart_upload(
            Bucket=bucket, Key="k", UploadId=upload, MultipartUpload={"Parts": parts}, IfNoneMatch="*"
        )

    winners, refusals = race(16, complete)
    assert len(winners) == 1
    assert set(refusals) <= {"PreconditionFailed", "ConditionalRequestConflict"}
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == str(winners[0]).encode()


def test_of_32_swaps_of_one_etag_one_wins(s3, bucket):
    etag = s3.put_object(Bucket=bucket, Key="k", Body=b"before")["ETag"]
    winners, refusals = race(
        32, lambda at: s3.put_object(Bucket=bucket, Key="k", Body=f"after {at}".encode(), IfMatch=etag)
    )
    assert len(winners) == 1
    assert set(refusals) <= {"PreconditionFailed", "ConditionalRequestConflict"}


def test_concurrent_puts_of_versions_keep_all(s3, versioned):
    count = 32
    winners, refusals = race(count, lambda at: s3.put_object(Bucket=versioned, Key="k", Body=str(at).encode()))
    assert (len(winners), refusals) == (count, [])
    versions = s3.list_object_versions(Bucket=versioned)["Versions"]
    assert len({one["VersionId"] for one in versions}) == count
    assert [one["IsLatest"] for one in versions] == [True] + [False] * (count - 1)
