"""A store and a folder for one command: made as a case has it, and looked at afterwards by boto3."""

import hashlib
import os
import pathlib
import shlex
import socket
import stat
import subprocess
import sys
import tempfile
import time
import urllib.parse

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

BUCKET = "my-bucket"
KEYS = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "example-secret"}
# What root may do beyond others: read what nobody may.
DROPPED = "-dac_override,-dac_read_search"
AS_ANYBODY = ["setpriv", f"--bounding-set={DROPPED}", f"--inh-caps={DROPPED}"] if os.geteuid() == 0 else []
SESSION = boto3.Session(aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"], aws_secret_access_key=KEYS["AWS_SECRET_ACCESS_KEY"])
HEADERS = {
    "ContentType": "type",
    "ContentEncoding": "encoding",
    "ContentDisposition": "disposition",
    "ContentLanguage": "language",
    "CacheControl": "cache",
    "ExpiresString": "expires",
    "StorageClass": "class",
    "ServerSideEncryption": "encryption",
    "SSEKMSKeyId": "kms key",
    "WebsiteRedirectLocation": "redirect",
}


# Those whose store still runs.
LIVING = set()


class World:
    """One for each of the two programs."""

    def __init__(self, program, case):
        self.program, self.case = program, case
        self.temporary = tempfile.TemporaryDirectory(prefix="wharf-aws-")
        self.home = pathlib.Path(self.temporary.name).resolve()
        self.folder = self.home / "work"
        self.folder.mkdir()
        self._serve()
        LIVING.add(self)
        self._objects()
        self._files()
        self.times = self._times()
        self.ready = time.monotonic()

    def _serve(self):
        clean = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        self.server = subprocess.Popen(
            [os.environ["WHARF"], "serve", "--listen", "127.0.0.1:0"],
            stdout=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            env=clean | KEYS,
            text=True,
        )
        said = {}
        while "AWS_REGION" not in said:
            line = self.server.stdout.readline()
            if not line:
                sys.exit("wharf serve ended before it had said where it listens")
            said.update(word.split("=", 1) for word in shlex.split(line, comments=True)[1:])
        self.endpoint = said["AWS_ENDPOINT_URL"]
        config = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})
        self.s3 = SESSION.client("s3", endpoint_url=self.endpoint, region_name="us-east-1", config=config)

    def _objects(self):
        ownership = {"ObjectOwnership": "ObjectWriter"} if self.case.get("acls") else {}
        for bucket in self.case.get("buckets", [BUCKET]):
            self.s3.create_bucket(Bucket=bucket, **ownership)
        for name, wanted in self.case.get("objects", {}).items():
            wanted = dict(wanted) if isinstance(wanted, dict) else {"Body": wanted}
            bucket, key = name.split(":", 1) if ":" in name else (BUCKET, name)
            if "size" in wanted:
                wanted["Body"] = content(wanted.pop("size"))
            self.s3.put_object(Bucket=bucket, Key=key, **wanted)

    def _files(self):
        for name, wanted in self.case.get("files", {}).items():
            wanted = wanted if isinstance(wanted, dict) else {"text": wanted}
            name = urllib.parse.unquote_to_bytes(name) if wanted.get("quoted") else os.fsencode(name)
            path = os.path.join(os.fsencode(self.folder), name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            if "link" in wanted:
                os.symlink(os.fsencode(wanted["link"]), path)
                continue
            if wanted.get("folder"):
                os.makedirs(path, exist_ok=True)
            elif wanted.get("fifo"):
                os.mkfifo(path)
            elif wanted.get("socket"):
                with socket.socket(socket.AF_UNIX) as listener:
                    listener.bind(path)
            else:
                with open(path, "wb") as file:
                    file.write(content(wanted["size"]) if "size" in wanted else wanted.get("text", "").encode())
            if "age" in wanted:
                self._make_old(path, wanted["age"])
        # Last, since nothing can be made in a folder that nobody may enter.
        for name, wanted in self.case.get("files", {}).items():
            if isinstance(wanted, dict) and "mode" in wanted:
                (self.folder / name).chmod(int(wanted["mode"], 8))

    def _make_old(self, path, age):
        """`age` is in seconds, of what is newer below zero; "same" is that of the object of its name."""
        if age == "same":
            key = os.fsdecode(os.path.basename(path))
            written = self.s3.head_object(Bucket=BUCKET, Key=key)["LastModified"].timestamp()
        else:
            written = time.time() - age
        os.utime(path, (written, written))

    def _times(self):
        """When each file and each object was written before the command ran."""
        files = {path: path.lstat().st_mtime for path in self._walk()}
        written = set()
        for bucket in self.s3.list_buckets()["Buckets"]:
            listing = self.s3.list_objects_v2(Bucket=bucket["Name"])
            written |= {int(entry["LastModified"].timestamp()) for entry in listing.get("Contents", [])}
        return files, written

    def run(self, command):
        """Runs the program with the words of the case: exit code, standard output, standard error."""
        variables = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "XDG_STATE_HOME": str(self.home / "state"),
            "TZ": "UTC0",
            "LANG": "C.UTF-8",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_REGION": "us-east-1",
            "AWS_PAGER": "",
            "AWS_MAX_ATTEMPTS": "1",
            **KEYS,
        }
        for name, value in self.case.get("env", {}).items():
            if value:
                variables[name] = value.replace("ENDPOINT", self.endpoint)
            else:
                variables.pop(name, None)
        words = [word.replace("ENDPOINT", self.endpoint).replace("FOLDER", str(self.folder)) for word in self.case["args"]]
        done = subprocess.run(
            AS_ANYBODY + [command, "s3", *words],
            input=self.case.get("stdin", "").encode(),
            capture_output=True,
            cwd=self.folder,
            env=variables,
            timeout=120,
        )
        texts = [out.decode(errors="backslashreplace") for out in (done.stdout, done.stderr)]
        for place, name in ((str(self.folder), "FOLDER"), (self.endpoint, "ENDPOINT")):
            texts = [text.replace(place, name) for text in texts]
        return done.returncode, *texts

    def files(self):
        """The folder: a line for each thing in it."""
        before, written = self.times
        lines = []
        for path in self._walk():
            status = path.lstat()
            name = os.fsencode(path.relative_to(self.folder)).decode(errors="backslashreplace")
            if stat.S_ISLNK(status.st_mode):
                lines.append(f"{name} -> {os.readlink(path)}")
            elif stat.S_ISDIR(status.st_mode):
                lines.append(f"{name}/")
            elif not stat.S_ISREG(status.st_mode):
                lines.append(f"{name}, special")
            else:
                kept = before.get(path) == status.st_mtime
                age = "as it was" if kept else "as its object" if int(status.st_mtime) in written else "new"
                lines.append(f"{name}, {status.st_size} bytes, {digest(path.read_bytes())}, {age}")
        return lines

    def objects(self):
        """The store: a line for each bucket and for each object."""
        lines = []
        for bucket in sorted(entry["Name"] for entry in self.s3.list_buckets()["Buckets"]):
            lines.append(f"s3://{bucket}{self._website(bucket)}{self._bucket_tags(bucket)}")
            for page in self.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
                lines += [self._object(bucket, entry) for entry in page.get("Contents", [])]
            uploads = self.s3.list_multipart_uploads(Bucket=bucket).get("Uploads", [])
            lines += [f"s3://{bucket}/{upload['Key']}, an upload that never ended" for upload in uploads]
        return lines

    def _object(self, bucket, entry):
        name = {"Bucket": bucket, "Key": entry["Key"]}
        told = [f"s3://{bucket}/{entry['Key']}", f"{entry['Size']} bytes"]
        try:
            head = self.s3.head_object(ChecksumMode="ENABLED", **name)
        except ClientError as error:
            return ", ".join([*told, f"HEAD answers {error.response['Error']['Code']}"])
        told += [f"{ours} {head[theirs]}" for theirs, ours in HEADERS.items() if theirs in head]
        told += [f"{key}={value}" for key, value in sorted(head["Metadata"].items())]
        if self.case.get("checksums"):
            told += sorted(field for field in head if field.startswith("Checksum"))
        tags = self.s3.get_object_tagging(**name)["TagSet"]
        told += sorted(f"tag {tag['Key']}={tag['Value']}" for tag in tags)
        if self.case.get("acls"):
            grants = self.s3.get_object_acl(**name)["Grants"]
            told += sorted(f"{grant['Permission']} for {who(grant['Grantee'])}" for grant in grants)
        if head.get("StorageClass") not in ("GLACIER", "DEEP_ARCHIVE"):
            told.append(digest(self.s3.get_object(**name)["Body"].read()))
        return ", ".join(told)

    def _website(self, bucket):
        try:
            website = self.s3.get_bucket_website(Bucket=bucket)
        except ClientError:
            return ""
        kinds = ("IndexDocument", "ErrorDocument")
        return f", a website {[website.get(kind) for kind in kinds]}"

    def _bucket_tags(self, bucket):
        try:
            tags = self.s3.get_bucket_tagging(Bucket=bucket)["TagSet"]
        except ClientError:
            return ""
        return "".join(sorted(f", tag {tag['Key']}={tag['Value']}" for tag in tags))

    def _walk(self):
        return sorted(self.folder.rglob("*"))

    def close(self):
        if self.server.returncode is not None:
            return
        self.server.terminate()
        self.server.wait(timeout=30)
        self.server.stdout.close()
        for path in self._walk():
            if path.is_dir() and not path.is_symlink():
                path.chmod(0o700)
        self.temporary.cleanup()
        LIVING.discard(self)


def content(size):
    """So many bytes that are not all the same."""
    return (b"0123456789abcdef" * (size // 16 + 1))[:size]


def digest(data):
    return hashlib.md5(data).hexdigest()[:8]


def who(grantee):
    return grantee.get("URI") or grantee.get("EmailAddress") or grantee.get("ID", "")
