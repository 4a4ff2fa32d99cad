"""Requests that no client sends by itself: signed by botocore, sent byte for byte over http.client."""

import contextlib
import datetime
import hashlib
import http.client
import urllib.parse
import xml.etree.ElementTree as ElementTree
from unittest import mock

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

EMPTY = hashlib.sha256(b"").hexdigest()
UNSIGNED = "UNSIGNED-PAYLOAD"
#: The characters of a path that S3 wants unencoded.
SAFE = "/-_.~"


def quote(key):
    return urllib.parse.quote(key, safe=SAFE)


def now():
    return datetime.datetime.now(datetime.timezone.utc)


@contextlib.contextmanager
def clock(at):
    """botocore signs as if it were `at`."""
    with mock.patch("botocore.auth.get_current_datetime", lambda *_, **__: at.replace(tzinfo=None)):
        yield


def plain(document):
    """An XML document as a tree without namespaces."""
    tree = ElementTree.fromstring(document)
    for element in tree.iter():
        element.tag = element.tag.rpartition("}")[2]
    return tree


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.body = response.read()

    @property
    def xml(self):
        return plain(self.body)

    def text(self, name):
        """The text of the first element of that name, wherever it is."""
        return self.xml.findtext(f".//{name}")

    @property
    def code(self):
        """S3's code, where this is an error with a document."""
        return self.text("Code") if self.status >= 300 and self.body else None

    def __repr__(self):
        return f"{self.status} {self.headers} {self.body[:600]!r}"


class Signed:
    """A request with its signature, which a test may spoil before it is sent."""

    def __init__(self, method, target, headers, body, signer, request):
        self.method, self.target, self.headers, self.body = method, target, headers, body
        self.signer, self.request = signer, request

    @property
    def signature(self):
        return self.headers["Authorization"].rpartition("Signature=")[2]

    def replace(self, old, new):
        """Changes the Authorization header."""
        before = self.headers["Authorization"]
        self.headers["Authorization"] = before.replace(old, new)
        assert self.headers["Authorization"] != before
        return self


class Wire:
    def __init__(self, server):
        self.server = server
        self.address = urllib.parse.urlsplit(server.endpoint).netloc

    def signer(self, kind=botocore.auth.S3SigV4Auth, key_id=None, secret=None, region=None, service="s3", **settings):
        credentials = Credentials(key_id or self.server.key_id, secret or self.server.secret)
        return kind(credentials, service, region or self.server.region, **settings)

    def sign(self, method, path, query="", headers=None, body=b"", payload=None, at=None, **settings):
        """Signs in the header. `path` is a bucket and a key, not encoded; `payload` stands for the body's hash."""
        signer = self.signer(**settings)
        target = quote(path) + (f"?{query}" if query else "")
        request = AWSRequest(method=method, url=f"http://{self.address}{target}", data=body, headers=headers or {})
        request.headers["X-Amz-Content-SHA256"] = payload or hashlib.sha256(body).hexdigest()
        with clock(at or now()):
            # botocore replaces the hash by its own, unless it is told not to compute any.
            declared = request.headers["X-Amz-Content-SHA256"]
            with mock.patch.object(type(signer), "payload", lambda *_: declared):
                signer.add_auth(request)
            request.headers.replace_header("X-Amz-Content-SHA256", declared)
        return Signed(method, target, dict(request.headers.items()), body, signer, request)

    def presign(self, method, path, query="", headers=None, expires=60, at=None, **settings):
        """Signs in the query, and gives the path and query back."""
        signer = self.signer(kind=botocore.auth.S3SigV4QueryAuth, expires=expires, **settings)
        target = quote(path) + (f"?{query}" if query else "")
        request = AWSRequest(method=method, url=f"http://{self.address}{target}", headers=headers or {})
        with clock(at or now()):
            signer.add_auth(request)
        return request.url.removeprefix(f"http://{self.address}")

    def send(self, method, target=None, headers=None, body=b"", host=None):
        """Sends a `Signed`, or whatever is given, as it is."""
        if isinstance(method, Signed):
            target, headers, body, method = method.target, method.headers, method.body, method.method
        headers = dict(headers or {})
        connection = http.client.HTTPConnection(self.address, timeout=60)
        try:
            connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
            names = {name.lower() for name in headers}
            if "host" not in names:
                connection.putheader("Host", host or self.address)
            if not names & {"content-length", "transfer-encoding"} and (body or method in ("PUT", "POST")):
                connection.putheader("Content-Length", str(len(body)))
            for name, value in headers.items():
                for one in value if isinstance(value, list) else [value]:
                    connection.putheader(name, one)
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                # A server may answer before it has read everything.
                connection.endheaders(body or None)
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def ask(self, method, path, query="", headers=None, body=b"", **settings):
        """Signs and sends."""
        return self.send(self.sign(method, path, query, headers, body, **settings))


def chunked(signed, chunks, trailer=None, spoil=None):
    """An `aws-chunked` body whose chunks are signed one after another, from the signature of the head on.

    `trailer` is a name and a value, signed too. `spoil` is the index of a chunk whose signature is made wrong, or
    "trailer".
    """
    signer, request = signed.signer, signed.request
    date, scope = request.context["timestamp"], signer.credential_scope(request)
    previous, body = signed.signature, b""
    for at, chunk in enumerate([*chunks, b""]):
        digest = hashlib.sha256(chunk).hexdigest()
        text = "\n".join(["AWS4-HMAC-SHA256-PAYLOAD", date, scope, previous, EMPTY, digest])
        previous = signer.signature(text, request)
        shown = "0" * 64 if spoil == at else previous
        body += f"{len(chunk):x};chunk-signature={shown}\r\n".encode() + chunk
        if chunk or not trailer:
            body += b"\r\n"
    if trailer:
        line = f"{trailer[0]}:{trailer[1]}\n"
        digest = hashlib.sha256(line.encode()).hexdigest()
        text = "\n".join(["AWS4-HMAC-SHA256-TRAILER", date, scope, previous, digest])
        shown = "0" * 64 if spoil == "trailer" else signer.signature(text, request)
        body += f"{trailer[0]}:{trailer[1]}\r\nx-amz-trailer-signature:{shown}\r\n\r\n".encode()
    return body
