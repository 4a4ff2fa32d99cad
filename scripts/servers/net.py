"""What the server scripts need of the network, with nothing but Python: free ports, and waiting for an answer."""

import argparse
import http.client
import random
import socket
import sys
import time
import urllib.parse


def is_free(port):
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def ports(count, offset):
    """Ports that are free now. They lie below the range that the system gives to outgoing connections, so that none
    of those can take one before the server does. With an offset, port + offset is free and set aside as well."""
    chosen = []
    taken = set()
    while len(chosen) < count:
        port = random.randrange(10_000, 21_000)
        both = {port, port + offset}
        if both & taken or not all(is_free(each) for each in both):
            continue
        chosen.append(port)
        taken |= both
    return chosen


def answer(url, method, body):
    """The status and body that `url` answers, or None when nobody answers."""
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=5)
    try:
        connection.request(method, parts.path + ("?" + parts.query if parts.query else ""), body)
        response = connection.getresponse()
        return response.status, response.read().decode("utf-8", "replace")
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def is_alive(pid):
    """A process that has ended and waits for its parent to notice counts as gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
            return stat.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def wait(args):
    """Asks again and again until the answer is the one wanted; gives up when time is over or a process has ended."""
    deadline = time.monotonic() + args.seconds
    last = None
    while time.monotonic() < deadline:
        with open(args.pids, encoding="ascii") as pids:
            gone = [pid for pid in (line.split()[0] for line in pids) if not is_alive(pid)]
        if gone:
            return f"process {', '.join(gone)} has ended"
        got = answer(args.url, args.method, args.body)
        if got is not None:
            last = got[0]
            if args.status in (None, last) and all(text in got[1] for text in args.has):
                return None
        time.sleep(0.1)
    return f"{args.url} is not ready after {args.seconds} s (last status: {last})"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("ports", help="print free ports")
    command.add_argument("count", type=int)
    command.add_argument("--offset", type=int, default=0)
    command = commands.add_parser("wait", help="wait until a URL answers")
    command.add_argument("url")
    command.add_argument("--pids", required=True, help="file of the processes that must live, one a line")
    command.add_argument("--seconds", type=int, default=120)
    command.add_argument("--method", default="GET")
    command.add_argument("--body")
    command.add_argument("--status", type=int)
    command.add_argument("--has", action="append", default=[], help="text that the answer must hold")
    args = parser.parse_args()
    if args.command == "ports":
        print(*ports(args.count, args.offset))
        return
    problem = wait(args)
    if problem:
        sys.exit(problem)


if __name__ == "__main__":
    main()
