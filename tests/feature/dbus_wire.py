# SPDX-License-Identifier: Apache-2.0
"""dbus_wire: D-Bus messages as bytes, as much of it as a test's server needs (little-endian, no
descriptors). Values are Python's: a variant is (signature, value), a struct a tuple, an array a list,
"ay" too."""

import struct

CALL, RETURN, ERROR, SIGNAL = 1, 2, 3, 4
PATH, INTERFACE, MEMBER, ERROR_NAME, REPLY_SERIAL, DESTINATION, SENDER, SIGNATURE = range(1, 9)
FIXED = {"y": ("B", 1), "b": ("I", 4), "n": ("h", 2), "q": ("H", 2), "i": ("i", 4), "u": ("I", 4),
         "x": ("q", 8), "t": ("Q", 8), "d": ("d", 8)}


def first_type(signature):
    """The first complete type of a signature."""
    if signature[0] == "a":
        return "a" + first_type(signature[1:])
    if signature[0] in "({":
        depth = 0
        for at, letter in enumerate(signature):
            depth += (letter in "({") - (letter in ")}")
            if depth == 0:
                return signature[:at + 1]
    return signature[0]


def types(signature):
    found = []
    while signature:
        found.append(first_type(signature))
        signature = signature[len(found[-1]):]
    return found


def alignment(kind):
    if kind in FIXED:
        return FIXED[kind][1]
    return {"a": 4, "(": 8, "{": 8, "s": 4, "o": 4}.get(kind[0], 1)


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def align(self, size):
        self.at += -self.at % size

    def fixed(self, kind):
        letter, size = FIXED[kind]
        self.align(size)
        self.at += size
        return struct.unpack_from("<" + letter, self.data, self.at - size)[0]

    def text(self, length):
        self.at += length + 1
        return self.data[self.at - length - 1:self.at - 1].decode()

    def read(self, kind):
        if kind in FIXED:
            value = self.fixed(kind)
            return bool(value) if kind == "b" else value
        if kind in "so":
            return self.text(self.fixed("u"))
        if kind == "g":
            return self.text(self.fixed("y"))
        if kind == "v":
            inner = self.read("g")
            return inner, self.read(inner)
        if kind[0] == "a":
            length = self.fixed("u")
            self.align(alignment(kind[1:]))
            end, items = self.at + length, []
            while self.at < end:
                items.append(self.read(kind[1:]))
            return items
        self.align(8)
        return tuple(self.read(each) for each in types(kind[1:-1]))


class Writer:
    def __init__(self):
        self.data = bytearray()

    def align(self, size):
        self.data += bytes(-len(self.data) % size)

    def write(self, kind, value):
        if kind in FIXED:
            self.align(alignment(kind))
            self.data += struct.pack("<" + FIXED[kind][0], value)
        elif kind in "so":
            self.write("u", len(value.encode()))
            self.data += value.encode() + bytes(1)
        elif kind == "g":
            self.data += bytes([len(value)]) + value.encode() + bytes(1)
        elif kind == "v":
            self.write("g", value[0])
            self.write(*value)
        elif kind[0] == "a":
            self.write("u", 0)
            place = len(self.data)
            self.align(alignment(kind[1:]))
            start = len(self.data)
            for each in value:
                self.write(kind[1:], each)
            struct.pack_into("<I", self.data, place - 4, len(self.data) - start)
        else:
            self.align(8)
            for each, item in zip(types(kind[1:-1]), value):
                self.write(each, item)


def message(kind, serial, fields, signature="", *values):
    """The bytes of a message; fields is {number: (signature, value)}."""
    body, head = Writer(), Writer()
    for each, value in zip(types(signature), values):
        body.write(each, value)
    fields = dict(fields)
    if signature:
        fields[SIGNATURE] = ("g", signature)
    for value in (ord("l"), kind, 0, 1):
        head.write("y", value)
    head.write("u", len(body.data))
    head.write("u", serial)
    head.write("a(yv)", sorted(fields.items()))
    head.align(8)
    return bytes(head.data + body.data)


def parse(data):
    """(kind, serial, fields, values, length), or None where it is not whole yet."""
    if len(data) < 16:
        return None
    body, serial, fields = struct.unpack_from("<III", data, 4)
    start = 16 + fields + -fields % 8
    if len(data) < start + body:
        return None
    head = Reader(data)
    head.at = 12
    found = {number: value for number, (_, value) in head.read("a(yv)")}
    reader = Reader(data[start:start + body])
    values = [reader.read(each) for each in types(found.get(SIGNATURE, ""))]
    return data[1], serial, found, values, start + body
