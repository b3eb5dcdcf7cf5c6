#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A program for the place of criu: `criu swrk FD` that does as it is told, and remembers what it was
asked for. It stands in a folder of its own, beside

    version    what it calls itself (default: 4.2)
    answer     of each task: "ok" (default), "no WORDS", "silent", "hangs", "killed", or rubbish in hexadecimal
    writes     names of images that it makes
    reads      the number of a field that is a path: what is there goes to the file "read"
    tells      names of notifications that it sends first
    log        lines for the log file of the task
    requests   is appended to: a JSON list for each request, [[field, value], ...], messages as such lists
"""

import json
import os
import signal
import socket
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
MESSAGES = {2: {11: {}, 27: {}, 25: {}, 39: {}}}     # fields of requests that are messages; all other bytes are strings


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        shift, at = shift + 7, at + 1
        if not data[at - 1] & 0x80:
            return value, at


def decode(data, messages):
    at, fields = 0, []
    while at < len(data):
        tag, at = varint(data, at)
        value, at = varint(data, at)
        if tag & 7 == 2:
            body, at = data[at:at + value], at + value
            value = decode(body, messages[tag >> 3]) if tag >> 3 in messages else body.decode()
        fields.append([tag >> 3, value])
    return fields


def number(value):
    out = b""
    while True:
        value, byte = value >> 7, value & 0x7F
        out += bytes([byte | (0x80 if value else 0)])
        if not value:
            return out


def encode(*fields):
    out = b""
    for field, value in fields:
        if isinstance(value, int):
            out += number(field << 3) + number(value)
        else:
            out += number(field << 3 | 2) + number(len(value)) + value
    return out


def read(name, default):
    try:
        with open(f"{HERE}/{name}", encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return default


def serve(line):
    data = line.recv(1 << 17)
    if not data:
        return False
    fields = decode(data, MESSAGES)
    with open(f"{HERE}/requests", "a", encoding="utf-8") as file:
        print(json.dumps(fields), file=file)
    request = dict(fields)
    if request[1] == 10:
        major, minor, *rest = [int(part) for part in read("version", "4.2").split(".")]
        line.send(encode((1, 10), (2, 1), (10, encode((1, major), (2, minor), *[(4, each) for each in rest]))))
        return True
    options = dict(request[2])
    log = os.open(options[10], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644,
                  dir_fd=os.open(f"/proc/{os.getppid()}/fd/{options[17]}", os.O_RDONLY))
    os.write(log, read("log", "").encode())
    for name in read("writes", "").split():
        with open(f"/proc/{os.getppid()}/fd/{options[1]}/{name}", "w", encoding="ascii"):
            pass
    if read("reads", "") and int(read("reads", "")) in options:
        with open(options[int(read("reads", ""))], encoding="utf-8") as there, \
                open(f"{HERE}/read", "w", encoding="utf-8") as here:
            here.write(there.read())
    for script in read("tells", "").split():
        line.send(encode((1, 6), (2, 1), (5, encode((1, script.encode())))))
        line.recv(1 << 17)
    answer = read("answer", "ok")
    if answer == "ok":
        line.send(encode((1, request[1]), (2, 1)))
    elif answer.startswith("no"):
        line.send(encode((1, request[1]), (2, 0), (7, 0), (9, answer[3:].encode())))
    elif answer == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    elif answer == "hangs":
        signal.pause()
    elif answer != "silent":
        line.send(bytes.fromhex(answer))
    return answer in ("ok", "no")


if __name__ == "__main__":
    assert sys.argv[1] == "swrk"
    with socket.socket(fileno=int(sys.argv[2])) as connection:
        while serve(connection):
            pass
    sys.exit(3)
