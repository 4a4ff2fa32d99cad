"""One `wharf serve` for all tests, a bucket of its own for each."""

import contextlib
import itertools
import os
import pathlib
import shlex
import subprocess
import tempfile

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from wire import Wire

ROOT = pathlib.Path(__file__).resolve().parents[4]


class Server:
    """The process, and what it printed for other programs to use."""

    def __init__(self, process, environment):
        self.process = process
        self.endpoint = environment["AWS_ENDPOINT_URL"]
        self.region = environment["AWS_REGION"]
        self.key_id = environment["AWS_ACCESS_KEY_ID"]
        self.secret = environment["AWS_SECRET_ACCESS_KEY"]

    def client(self, service="s3", **settings):
        """A client of boto3's, which tries everything once."""
        config = Config(retries={"total_max_attempts": 1}, max_pool_connections=64, s3={"addressing_style": "path"})
        if "config" in settings:
            config = config.merge(settings.pop("config"))
        arguments = {
            "endpoint_url": self.endpoint,
            "region_name": self.region,
            "aws_access_key_id": self.key_id,
            "aws_secret_access_key": self.secret,
        }
        return boto3.client(service, config=config, **(arguments | settings))


@contextlib.contextmanager
def serve(**variables):
    """Starts the debug program on a free port, and stops it. With WHARF_ON_DISK set it keeps its data in a folder."""
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    program = os.environ.get("WHARF", str(target / "debug" / "wharf"))
    # No key or region of whoever runs this: it makes a pair of its own.
    clean = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    folder = tempfile.TemporaryDirectory(prefix="wharf-judge-")
    data = ["--data", folder.name] if os.environ.get("WHARF_ON_DISK") else []
    process = subprocess.Popen(
        [program, "serve", "--listen", "127.0.0.1:0", *data],
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        env=clean | variables,
        text=True,
    )
    try:
        environment = {}
        # The secret is the last it prints.
        while "AWS_SECRET_ACCESS_KEY" not in environment:
            line = process.stdout.readline()
            assert line, "wharf serve ended before it had said where it listens"
            if line.startswith("export "):
                environment.update(word.split("=", 1) for word in shlex.split(line)[1:])
        yield Server(process, environment)
    finally:
        process.terminate()
        process.wait(timeout=30)
        process.stdout.close()
        folder.cleanup()


@pytest.fixture(scope="session")
def server():
    with serve() as server:
        yield server


@pytest.fixture(scope="session")
def s3(server):
    return server.client()


@pytest.fixture(scope="session")
def wire(server):
    return Wire(server)


NUMBERS = itertools.count(1)


@pytest.fixture
def new_bucket(s3):
    """Makes a bucket and gives its name."""

    def create(**settings):
        name = f"judged-{next(NUMBERS)}"
        s3.create_bucket(Bucket=name, **settings)
        return name

    return create


@pytest.fixture
def bucket(new_bucket):
    return new_bucket()


@pytest.fixture
def versioned(s3, bucket):
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    return bucket


@pytest.fixture
def locked(new_bucket):
    """A bucket with object lock."""
    return new_bucket(ObjectLockEnabledForBucket=True)


class Refused:
    """What a refusal said, as boto3 understood it."""

    def __init__(self, error):
        self.code = error.response["Error"].get("Code")
        self.message = error.response["Error"].get("Message", "")
        self.status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        self.headers = error.response["ResponseMetadata"]["HTTPHeaders"]
        self.response = error.response


@pytest.fixture(scope="session")
def refused():
    """`refused(code, call, **arguments)`: the call must fail with that code; `status` says the HTTP status too."""

    def check(code, call, *positional, status=None, **arguments):
        with pytest.raises(ClientError) as caught:
            call(*positional, **arguments)
        found = Refused(caught.value)
        assert (found.code, status or found.status) == (code, found.status), found.response
        return found

    return check


def pytest_terminal_summary(terminalreporter, exitstatus):
    """A line for the table of the scripts in ci/."""
    count = {name: len(terminalreporter.stats.get(name, [])) for name in ("passed", "failed", "error", "skipped")}
    text = f"{count['passed']} passed, {count['failed'] + count['error']} failed, {count['skipped']} skipped"
    terminalreporter.ensure_newline()
    terminalreporter.write_line(f"note: {text}, with boto3 {boto3.__version__}")
