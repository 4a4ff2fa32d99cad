"""What the two programs print, in a form in which the same things are the same."""

import re
import urllib.parse

TIME = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", re.MULTILINE)
# The code is what counts of an answer of the server; each program has words of its own around it.
AWS_CODE = re.compile(r"An error occurred \((\w+)\)")
WHARF_CODE = re.compile(r"\((\w+), HTTP \d+|\(HTTP (\d+)")
FAILED = re.compile(r"^(?:wharf: )?(upload|download|copy|move|delete|make_bucket|remove_bucket) failed: ")
# A HEAD has no body, so no code: aws-cli asks with one what wharf does without.
CODES = {"NoSuchKey": "404", "NoSuchBucket": "404", "NotFound": "404", "AccessDenied": "403"}
# aws-cli says these of what no server was asked.
OWN = {"ParamValidation", "NoCredentials", "NoRegion", "ProfileNotFound", "Configuration"}


def stdout(text, words):
    """The lines, sorted: many things at a time end in any order. aws-cli writes its progress among them."""
    if words[:1] == ["presign"] and text:
        return [presigned(line) for line in text.splitlines()]
    lines = []
    for line in TIME.sub("TIME", text).removesuffix("\n").split("\n"):
        last = line.rsplit("\r", 1)[-1]
        if "\r" in line:
            last = last.rstrip()
        # Where its progress was wiped out, nothing was printed.
        if last or line == "" and text:
            lines.append(last)
    return sorted(line for line in lines if not line.startswith("Completed "))


def presigned(link):
    """A link without what is different each time."""
    url = urllib.parse.urlsplit(link)
    query = urllib.parse.parse_qs(url.query, keep_blank_values=True)
    kept = {name: value for name, value in query.items() if name not in ("X-Amz-Date", "X-Amz-Signature", "X-Amz-Credential")}
    return f"{url.scheme}://{url.netloc}{url.path} {sorted(query)} {sorted(kept.items())}"


def stderr(text):
    """What is told, sorted: warnings as they are; of errors, which thing failed and the server's code."""
    told = []
    for line in text.split("\n"):
        if line.startswith("warning: "):
            # What to do about it is in each program's own words.
            told.append(re.sub(r"(to be able to perform the operation\.) .*", r"\1", line))
        elif failed := FAILED.match(line):
            rest = line[failed.end() :]
            told.append(f"{failed[1]} failed: {place(rest)}{code(line)}")
        elif re.match(r"(fatal error|aws: \[ERROR\]|wharf): ", line):
            told.append(f"error{code(line)}")
        elif re.match(r"(skip|note|Skipping)\b", line):
            told.append(line)
    return sorted(told)


def place(text):
    """`a to b` at the beginning of what is said."""
    return re.match(r"\S+( to \S+)?", text)[0]


def code(line):
    found = AWS_CODE.search(line) or WHARF_CODE.search(line)
    name = next((group for group in found.groups() if group), "") if found else ""
    name = CODES.get(name, name)
    return f" ({name})" if name and name not in OWN else ""
