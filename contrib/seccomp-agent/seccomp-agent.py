#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""seccomp-agent: answers the system calls that containers may not make on their own.

A demonstration of what sits at linux.seccomp.listenerPath, for the actions SCMP_ACT_NOTIFY:

    seccomp-agent.py --socket /run/seccomp-agent.sock

    "seccomp": {
        "defaultAction": "SCMP_ACT_ALLOW",
        "listenerPath": "/run/seccomp-agent.sock",
        "listenerMetadata": "mkdirat=EROFS;getppid=4711",
        "syscalls": [{"names": ["mkdirat", "getppid"], "action": "SCMP_ACT_NOTIFY"}]
    }

The metadata says for each call what to answer: an errno's name, a number to return, or "continue",
which is also the answer to calls without one. Each container's message and each call is written to
the log as a line of JSON.

"continue" lets the kernel make the call with what is in the container's memory then, not with what
was looked at before: never let it depend on a path or on other memory of the container.
"""

import argparse
import errno
import fcntl
import json
import os
import platform
import select
import selectors
import socket
import struct
import sys

# linux/seccomp.h
NOTIF_RECV, NOTIF_SEND, NOTIF_ID_VALID = 0xC0502100, 0xC0182101, 0x40082102
CONTINUE = 1
NOTIF = struct.Struct("=QIIiIQ6Q")  # id, pid, flags; nr, arch, instruction pointer, arguments
ANSWER = struct.Struct("=QqiI")  # id, value, error, flags

MESSAGE_MAX = 1 << 20
PATH_MAX = 4096
NUMBERS = {
    "x86_64": {"getcpu": 309, "getppid": 110, "mkdirat": 258, "sched_yield": 24, "sendmsg": 46,
               "recvmsg": 47, "close": 3, "write": 1, "execve": 59},
    "aarch64": {"getcpu": 168, "getppid": 173, "mkdirat": 34, "sched_yield": 124, "sendmsg": 211,
                "recvmsg": 212, "close": 57, "write": 64, "execve": 221},
}
NAMES = {number: name for name, number in NUMBERS.get(platform.machine(), {}).items()}
PATH_ARGUMENT = {"mkdirat": 1}


def read_rules(metadata):
    """{"mkdirat": ("error", 30), ...} of "mkdirat=EROFS;..."."""
    rules = {}
    for word in filter(None, (metadata or "").split(";")):
        name, _, answer = word.partition("=")
        if answer == "continue":
            rules[name] = ("continue", 0)
        elif answer.startswith("E"):
            rules[name] = ("error", getattr(errno, answer))
        else:
            rules[name] = ("value", int(answer))
    return rules


def read_path(pid, address):
    """A path from the memory of the process that waits; only for the log."""
    try:
        with open(f"/proc/{pid}/mem", "rb") as memory:
            memory.seek(address)
            return memory.read1(PATH_MAX).split(b"\0")[0].decode("utf-8", "replace")
    except OSError:
        return None


class Container:
    """A listener, and what its calls are answered."""

    def __init__(self, listener, message):
        self.listener = listener
        self.rules = read_rules(message.get("metadata"))
        self.id = message["state"]["id"]

    def call(self, log):
        """Answers one call."""
        buffer = bytearray(NOTIF.size)
        try:
            fcntl.ioctl(self.listener, NOTIF_RECV, buffer)
        except FileNotFoundError:
            return  # the process was killed meanwhile
        cookie, pid, _, number, _, _, *arguments = NOTIF.unpack(buffer)
        name = NAMES.get(number, str(number))
        said = {"container": self.id, "call": name, "pid": pid}
        if name in PATH_ARGUMENT:
            said["path"] = read_path(pid, arguments[PATH_ARGUMENT[name]])
        kind, value = self.rules.get(name, ("continue", 0))
        log({**said, "answer": kind, "value": value})
        answer = {"continue": (0, 0, CONTINUE), "error": (0, -value, 0), "value": (value, 0, 0)}
        try:
            # The process id may be somebody else's since it was read: what was seen counts only if
            # the call still waits.
            fcntl.ioctl(self.listener, NOTIF_ID_VALID, struct.pack("=Q", cookie))
            fcntl.ioctl(self.listener, NOTIF_SEND, ANSWER.pack(cookie, *answer[kind]))
        except FileNotFoundError:
            pass


def receive(connection):
    """The one message of a connection: (listener, what it says)."""
    text, fds, _, _ = socket.recv_fds(connection, MESSAGE_MAX, 8)
    while chunk := connection.recv(MESSAGE_MAX):
        text += chunk
    message = json.loads(text)
    by_name = dict(zip(message["fds"], fds))
    listener = by_name.pop("seccompFd")
    for fd in by_name.values():
        os.close(fd)
    return listener, message


def serve(server, log):
    """Listens to the socket and to all containers, until all is over."""
    selector = selectors.DefaultSelector()
    selector.register(server, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            if key.fileobj is server:
                connection, _ = server.accept()
                with connection:
                    listener, message = receive(connection)
                log({"message": message})
                selector.register(listener, selectors.EVENT_READ, Container(listener, message))
            elif is_over(key.fileobj):
                selector.unregister(key.fileobj)
                os.close(key.fileobj)
            else:
                key.data.call(log)


def is_over(listener):
    """Has the last process that the filter was for ended?"""
    poll = select.poll()
    poll.register(listener, select.POLLIN)
    return all(events & select.POLLHUP for _, events in poll.poll(0))


def main():
    parser = argparse.ArgumentParser(description="answers notified system calls of containers")
    parser.add_argument("--socket", required=True, help="the path to listen at")
    parser.add_argument("--log", help="where to write lines of JSON (default: standard output)")
    options = parser.parse_args()
    out = open(options.log, "a", encoding="utf-8") if options.log else sys.stdout

    def log(words):
        print(json.dumps(words), file=out, flush=True)

    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        server.bind(options.socket)
        os.chmod(options.socket, 0o600)
        server.listen(16)
        log({"listening": options.socket})
        serve(server, log)


if __name__ == "__main__":
    main()
