"""Part 1: signatures of POST forms verified, as browsers send them. The policies are signed by boto3.

By "Browser-Based Uploads Using POST" in the API's reference.
"""

import base64
import json
import uuid

import pytest
from botocore.config import Config

from wire import now


def encode(fields, file=b"the file", filename="a.txt", kind="text/plain", after=()):
    """A form's body, and its type. `fields` are pairs; a file of None is left out."""
    boundary = uuid.uuid4().hex
    body = b""
    for name, value in fields:
        body += f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode()
        body += value.encode() + b"\r\n"
    if file is not None:
        body += f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{filename}"\r\n'.encode()
        body += f"Content-Type: {kind}\r\n\r\n".encode() + file + b"\r\n"
    for name, value in after:
        body += f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
    return body + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


@pytest.fixture(scope="module")
def signer(server):
    """boto3 signs forms for us-east-1 with Signature Version 2, unless it is told otherwise."""
    return server.client(config=Config(signature_version="s3v4"))


@pytest.fixture
def post(wire, signer, bucket):
    """Posts a form that boto3 signed, after a test has changed its fields."""

    def send(key="k", fields=(), conditions=(), change=None, expires=60, **form):
        fields = dict(fields)
        conditions = [{name: value} for name, value in fields.items()] + list(conditions)
        made = signer.generate_presigned_post(bucket, key, Fields=fields, Conditions=conditions, ExpiresIn=expires)
        given = made["fields"]
        if change:
            change(given)
        body, kind = encode(given.items(), **form)
        return wire.send("POST", f"/{bucket}", {"Content-Type": kind}, body)

    return send


def read(s3, bucket, key="k"):
    return s3.get_object(Bucket=bucket, Key=key)["Body"].read()


def test_plain(s3, bucket, post):
    answer = post()
    assert (answer.status, answer.body) == (204, b""), answer
    assert answer.headers["etag"] == s3.head_object(Bucket=bucket, Key="k")["ETag"]
    assert read(s3, bucket) == b"the file"


@pytest.mark.parametrize("file", [b"", b"\r\n--", b"\r\n--boundary\r\n" * 1000, bytes(range(256)) * 4096])
def test_files(s3, bucket, post, file):
    assert post(file=file).status == 204
    assert read(s3, bucket) == file


def test_filename(s3, bucket, post):
    """`${filename}` in the key; of a path only its end."""
    assert post("up/${filename}", filename="photo 1.jpg").status == 204
    assert read(s3, bucket, "up/photo 1.jpg") == b"the file"


def test_what_is_kept(s3, bucket, post):
    tags = "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"
    fields = {
        "Content-Type": "image/x-test",
        "Cache-Control": "no-cache",
        "Content-Disposition": "attachment",
        "Content-Encoding": "gzip",
        "Expires": "Wed, 02 Jan 2030 03:04:05 GMT",
        "x-amz-meta-name": "value",
        "x-amz-storage-class": "STANDARD_IA",
        "tagging": tags,
    }
    assert post(fields=fields).status == 204
    head = s3.head_object(Bucket=bucket, Key="k")
    assert (head["ContentType"], head["CacheControl"], head["Metadata"]) == (
        "image/x-test",
        "no-cache",
        {"name": "value"},
    )
    assert (head["ContentDisposition"], head["ContentEncoding"], head["StorageClass"]) == (
        "attachment",
        "gzip",
        "STANDARD_IA",
    )
    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == [{"Key": "a", "Value": "b"}]


class TestAnswers:
    def test_201(self, bucket, post):
        answer = post(fields={"success_action_status": "201"})
        assert answer.status == 201
        assert (answer.text("Bucket"), answer.text("Key")) == (bucket, "k")
        assert answer.text("ETag") == answer.headers["etag"]
        assert answer.text("Location").endswith("/k")

    def test_200(self, post):
        answer = post(fields={"success_action_status": "200"})
        assert (answer.status, answer.body) == (200, b"")

    def test_another_is_ignored(self, post):
        assert post(fields={"success_action_status": "418"}).status == 204

    def test_redirect(self, bucket, post):
        answer = post(fields={"success_action_redirect": "http://example.com/done?x=1"})
        assert answer.status == 303
        start, _, query = answer.headers["location"].partition("?x=1&")
        assert start == "http://example.com/done"
        assert query.startswith(f"bucket={bucket}&key=k&etag=%22")


class TestRefused:
    def gone(self, s3, bucket, refused):
        refused("404", s3.head_object, Bucket=bucket, Key="k")

    def check(self, answer, status, code, message=None):
        assert (answer.status, answer.code) == (status, code), answer
        if message:
            assert message in answer.text("Message")

    def test_wrong_signature(self, s3, bucket, refused, post):
        self.check(
            post(change=lambda fields: fields.update({"x-amz-signature": "0" * 64})), 403, "SignatureDoesNotMatch"
        )
        self.gone(s3, bucket, refused)

    def test_tampered_policy(self, s3, bucket, refused, post):
        def change(fields):
            policy = json.loads(base64.b64decode(fields["policy"]))
            policy["expiration"] = "2099-01-01T00:00:00Z"
            fields["policy"] = base64.b64encode(json.dumps(policy).encode()).decode()

        self.check(post(change=change), 403, "SignatureDoesNotMatch")
        self.gone(s3, bucket, refused)

    def test_unknown_key(self, post):
        change = lambda fields: fields.update(
            {"x-amz-credential": "AKIANOBODY/" + fields["x-amz-credential"].partition("/")[2]}
        )
        answer = post(change=change)
        # The credential is in the policy too, so either may be found first.
        assert answer.status == 403 and answer.code in ("InvalidAccessKeyId", "AccessDenied", "SignatureDoesNotMatch")

    def test_signature_version_2(self, wire, s3, bucket):
        made = s3.generate_presigned_post(bucket, "k")
        assert "AWSAccessKeyId" in made["fields"]
        body, kind = encode(made["fields"].items())
        self.check(wire.send("POST", f"/{bucket}", {"Content-Type": kind}, body), 400, "InvalidRequest")

    def test_expired(self, s3, bucket, refused, post):
        self.check(post(expires=-1), 403, "AccessDenied", "Policy expired")
        self.gone(s3, bucket, refused)

    def test_another_key(self, s3, bucket, refused, post):
        answer = post(change=lambda fields: fields.update({"key": "other"}))
        self.check(answer, 403, "AccessDenied", "Policy Condition failed")
        refused("404", s3.head_object, Bucket=bucket, Key="other")

    def test_another_bucket(self, wire, signer, s3, new_bucket, refused):
        signed_for, other = new_bucket(), new_bucket()
        made = signer.generate_presigned_post(signed_for, "k")
        body, kind = encode(made["fields"].items())
        self.check(
            wire.send("POST", f"/{other}", {"Content-Type": kind}, body), 403, "AccessDenied", "Policy Condition failed"
        )
        self.gone(s3, other, refused)

    def test_a_field_that_the_policy_does_not_know(self, post):
        answer = post(change=lambda fields: fields.update({"x-amz-meta-more": "1"}))
        self.check(answer, 403, "AccessDenied", "Extra input fields")

    def test_a_field_to_be_ignored(self, post):
        assert post(change=lambda fields: fields.update({"x-ignore-more": "1"})).status == 204

    def test_a_field_that_fails(self, post):
        answer = post(
            fields={"Content-Type": "text/plain"}, change=lambda fields: fields.update({"Content-Type": "text/html"})
        )
        self.check(answer, 403, "AccessDenied", "Policy Condition failed")

    @pytest.mark.parametrize(("value", "status"), [("image/png", 204), ("text/html", 403)])
    def test_starts_with(self, post, value, status):
        condition = ["starts-with", "$Content-Type", "image/"]
        answer = post(conditions=[condition], change=lambda fields: fields.update({"Content-Type": value}))
        assert answer.status == status

    @pytest.mark.parametrize(
        ("size", "status", "code"),
        [(9, 400, "EntityTooSmall"), (10, 204, None), (20, 204, None), (21, 400, "EntityTooLarge")],
    )
    def test_length_range(self, post, size, status, code):
        answer = post(conditions=[["content-length-range", 10, 20]], file=b"x" * size)
        self.check(answer, status, code)

    def test_no_file(self, post):
        self.check(post(file=None), 400, "InvalidArgument", "POST requires exactly one file upload per request")

    def test_no_key(self, post):
        self.check(post(change=lambda fields: fields.pop("key")), 400, "InvalidArgument")

    def test_no_policy(self, s3, bucket, refused, wire):
        """Without one it is anonymous."""
        body, kind = encode([("key", "k")])
        self.check(wire.send("POST", f"/{bucket}", {"Content-Type": kind}, body), 403, "AccessDenied")
        self.gone(s3, bucket, refused)

    @pytest.mark.parametrize(
        "policy", ["no base64!", base64.b64encode(b"no JSON").decode(), base64.b64encode(b"{}").decode()]
    )
    def test_bad_policy(self, wire, server, bucket, policy):
        """Signed well, so that the policy itself is what is wrong."""
        date = now().strftime("%Y%m%dT%H%M%SZ")
        signer = wire.signer()
        credential = f"{server.key_id}/{date[:8]}/{server.region}/s3/aws4_request"
        request = type("Request", (), {"context": {"timestamp": date}})()
        fields = [
            ("key", "k"),
            ("x-amz-algorithm", "AWS4-HMAC-SHA256"),
            ("x-amz-credential", credential),
            ("x-amz-date", date),
            ("policy", policy),
            ("x-amz-signature", signer.signature(policy, request)),
        ]
        body, kind = encode(fields)
        self.check(wire.send("POST", f"/{bucket}", {"Content-Type": kind}, body), 400, "InvalidPolicyDocument")

    def test_missing_fields(self, post):
        for name in ("x-amz-credential", "x-amz-date", "x-amz-algorithm", "x-amz-signature"):
            answer = post(change=lambda fields: fields.pop(name))
            assert answer.status in (400, 403), name

    def test_body_that_is_no_form(self, wire, bucket):
        headers = {"Content-Type": "multipart/form-data; boundary=b"}
        for body in (b"", b"text", b'--b\r\nContent-Disposition: form-data; name="key"\r\n\r\nk'):
            answer = wire.send("POST", f"/{bucket}", headers, body)
            assert answer.status in (400, 403, 411) and answer.code, answer

    def test_of_no_bucket(self, wire, signer):
        made = signer.generate_presigned_post("judged-never", "k")
        body, kind = encode(made["fields"].items())
        self.check(wire.send("POST", "/judged-never", {"Content-Type": kind}, body), 404, "NoSuchBucket")


def test_what_follows_the_file_is_ignored(s3, bucket, post):
    """ "The file or content must be the last field in the form. Any fields below it are ignored."""
    assert post(after=[("key", "other"), ("submit", "Upload")]).status == 204
    assert read(s3, bucket) == b"the file"
