"""Runs the cases of cases/*.toml with both programs and compares them. See `scripts/compare-aws-cli`.

A file is a list of groups. A group has a starting state and the words that are typed in it, each of them a case:

    [[group]]
    title = "files into a bucket"
    files = { "a.txt" = "hello", "d/link" = { link = "../a.txt" } }   # of a file also size, age, mode, fifo, socket ...
    objects = { "x/a" = "there", "other:b" = { Body = "there", StorageClass = "GLACIER" } }   # boto3's put_object
    run = ["cp a.txt s3://my-bucket", { words = "cp - s3://my-bucket/a", stdin = "hello" }]

What differs on purpose says where and why, and with which exit codes where those differ; a difference that is none
any more fails as well:

    { words = "rm s3://my-bucket", differs = ["exit", "stderr"], exits = [0, 252], why = "..." }

What a race decides, in either program, is not compared:

    { words = "cp s3://my-bucket . --recursive", varies = ["files"], why = "..." }
"""

import concurrent.futures
import os
import pathlib
import shlex
import signal
import sys
import time
import tomllib

import told
from world import LIVING, World

PARTS = ("exit", "stdout", "stderr", "files", "objects")
# Stores that are there at a time.
BATCH = 16
STATE = ("files", "objects", "buckets", "acls", "checksums", "env")


def cases(wanted):
    for path in sorted(pathlib.Path(__file__).with_name("cases").glob("*.toml")):
        for group in tomllib.loads(path.read_text())["group"]:
            for entry in group["run"]:
                entry = dict(entry) if isinstance(entry, dict) else {"words": entry}
                case = {name: group[name] for name in STATE if name in group} | entry
                case["args"] = shlex.split(case["words"])
                case["name"] = f"{path.stem}, {group['title']}: {case['words']}"
                if not wanted or any(text in case["name"] for text in wanted):
                    yield case


def outcome(world, command):
    try:
        code, out, err = world.run(command)
        return {
            "exit": [str(code)],
            "stdout": told.stdout(out, world.case["args"]),
            "stderr": told.stderr(err),
            "files": world.files(),
            "objects": world.objects(),
            "raw": f"{out}{err}",
        }
    finally:
        world.close()


def both(worlds):
    """Lets both programs do the same; no object is younger than two seconds, so that new files are known for it."""
    time.sleep(max(0, 2.1 - (time.monotonic() - max(world.ready for world in worlds))))
    commands = {"aws": os.environ["AWS"], "wharf": os.environ["WHARF"]}
    return [outcome(world, commands[world.program]) for world in worlds]


def judge(case, aws, wharf):
    """What is to be told of a case: nothing where it is as it should be."""
    compared = [part for part in PARTS if part not in case.get("varies", [])]
    differing = [part for part in compared if aws[part] != wharf[part]]
    accepted = case.get("differs", [])
    if differing == [part for part in PARTS if part in accepted]:
        codes = [int(aws["exit"][0]), int(wharf["exit"][0])]
        if "exit" not in accepted or case.get("exits") == codes:
            return []
        return [f"  exits {codes}, and is said to exit {case.get('exits')}"]
    lines = [f"  {part} does not differ any more" for part in accepted if part not in differing]
    for part in differing:
        if part not in accepted:
            lines.append(f"  {part}:")
            lines += [f"    aws   {line}" for line in aws[part] if part == "exit" or line not in wharf[part]]
            lines += [f"    wharf {line}" for line in wharf[part] if part == "exit" or line not in aws[part]]
    for name, side in (("aws", aws), ("wharf", wharf)):
        printed = [line.strip() for line in side["raw"].replace("\r", "\n").split("\n")]
        lines += [f"  {name} | {line}" for line in printed if line and not line.startswith("Completed ")]
    return lines


def main():
    chosen = list(cases(sys.argv[1:]))
    accepted = others = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for start in range(0, len(chosen), BATCH):
            batch = chosen[start : start + BATCH]
            pairs = list(pool.map(lambda case: [World("aws", case), World("wharf", case)], batch))
            for case, (aws, wharf) in zip(batch, pool.map(both, pairs)):
                lines = judge(case, aws, wharf)
                accepted += bool(case.get("differs"))
                others += bool(lines)
                if lines:
                    print("\n".join([case["name"], *lines]), flush=True)
    print(f"note: {len(chosen)} cases, {accepted} accepted differences, {others} others")
    sys.exit(1 if others or not chosen else 0)


if __name__ == "__main__":
    # As Ctrl-C does, so that no store is left behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        main()
    finally:
        for world in list(LIVING):
            world.close()
