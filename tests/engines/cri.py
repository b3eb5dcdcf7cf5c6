# SPDX-License-Identifier: Apache-2.0
"""cri: a client of the Container Runtime Interface, as the kubelet is one: gRPC for the calls, a
WebSocket for the streams of exec and attach.

    cri = Cri (daemon)
    cri.Version ().runtime_name                      # any call of cri.proto, with its fields by name
    with cri.stream (url) as stream: ...             # stream.send (b"..."), stream.read_all ()
"""

import base64
import contextlib
import hashlib
import os
import re
import socket
import struct
import subprocess
import tempfile

import host

HERE = os.path.dirname(os.path.abspath(__file__))
CLONE_NEWNET = 0x40000000
CALL_TIMEOUT = 90       # seconds


def missing():
    """Why there can be no client here, or None."""
    try:
        import google.protobuf
        import grpc
        del google, grpc
    except ImportError as error:
        return f"{error.name} is not installed"
    try:
        subprocess.run(["protoc", "--version"], stdout=subprocess.DEVNULL, check=True)
    except FileNotFoundError:
        return "protoc is not installed"
    return None


def calls():
    """{name: (path, request class, answer class)} of all calls in cri.proto."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
    with tempfile.NamedTemporaryFile() as file:
        subprocess.run(["protoc", f"--proto_path={HERE}", f"--descriptor_set_out={file.name}",
                        "cri.proto"], check=True)
        described = descriptor_pb2.FileDescriptorSet.FromString(file.read())
    pool = descriptor_pool.DescriptorPool()
    factory = message_factory.MessageFactory(pool)
    for each in described.file:
        pool.Add(each)
    return {method.name: (f"/{service.full_name}/{method.name}", factory.GetPrototype(method.input_type),
                          factory.GetPrototype(method.output_type))
            for each in described.file
            for service in pool.FindFileByName(each.name).services_by_name.values()
            for method in service.methods}


class Cri:
    """Each call is a method; a failure is grpc.RpcError, whose details () say why."""

    def __init__(self, daemon):
        import grpc
        self.daemon, self.calls = daemon, calls()
        self.channel = grpc.insecure_channel(
            f"unix://{daemon.socket}", options=[("grpc.default_authority", "localhost")])

    def __getattr__(self, name):
        if name not in self.calls:
            raise AttributeError(name)
        path, request, answer = self.calls[name]
        method = self.channel.unary_unary(path, request_serializer=request.SerializeToString,
                                          response_deserializer=answer.FromString)
        return lambda **fields: method(request(**fields), timeout=CALL_TIMEOUT)

    def close(self):
        self.channel.close()

    @contextlib.contextmanager
    def stream(self, url):
        """The streams of an exec or attach, from the address that the daemon gave."""
        match = re.fullmatch(r"http://([\d.]+):(\d+)(/.*)", url)
        connection = connected(self.daemon.first, match[1], int(match[2]))
        try:
            yield Stream(connection, match[3])
        finally:
            connection.close()


def connected(pid, address, port):
    """A TCP connection within the network namespace of that process."""
    with open("/proc/self/ns/net", "rb") as ours, open(f"/proc/{pid}/ns/net", "rb") as theirs:
        host.checked(host.LIBC.setns(theirs.fileno(), CLONE_NEWNET), "setns")
        try:
            return socket.create_connection((address, port), timeout=60)
        finally:
            host.checked(host.LIBC.setns(ours.fileno(), CLONE_NEWNET), "setns")


class Stream:
    """The kubelet's remote command protocol (v4.channel.k8s.io) over a WebSocket (RFC 6455): the first
    byte of each message is the number of the stream."""

    STDIN, STDOUT, STDERR, ERROR, RESIZE = range(5)
    _BINARY, _CLOSE, _PING, _PONG = 2, 8, 9, 10

    def __init__(self, connection, path):
        self.connection, self.buffer = connection, b""
        self.streams = {number: b"" for number in range(5)}
        key = base64.b64encode(os.urandom(16)).decode()
        connection.sendall((f"GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
                            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
                            "Sec-WebSocket-Version: 13\r\nOrigin: http://localhost\r\n"
                            "Sec-WebSocket-Protocol: v4.channel.k8s.io\r\n\r\n").encode())
        while b"\r\n\r\n" not in self.buffer:
            self._receive()
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        proof = hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
        assert head.startswith(b"HTTP/1.1 101 ") and base64.b64encode(proof) in head, head

    def _receive(self):
        chunk = self.connection.recv(65536)
        if not chunk:
            raise EOFError("the stream ended without a closing message")
        self.buffer += chunk

    def _take(self, count):
        while len(self.buffer) < count:
            self._receive()
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken

    def _frame(self, kind, payload):
        """What a client sends is masked."""
        size = len(payload)
        length = struct.pack("!B", 0x80 | size) if size < 126 else struct.pack("!BH", 0xFE, size)
        mask = os.urandom(4)
        masked = bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))
        self.connection.sendall(bytes([0x80 | kind]) + length + mask + masked)

    def send(self, data, stream=STDIN):
        self._frame(self._BINARY, bytes([stream]) + data)

    def resize(self, rows, columns):
        self.send(b'{"Width": %d, "Height": %d}' % (columns, rows), self.RESIZE)

    def _next(self):
        """Takes one message; False at the last."""
        kind, size = self._take(2)
        if size == 126:
            size, = struct.unpack("!H", self._take(2))
        elif size == 127:
            size, = struct.unpack("!Q", self._take(8))
        payload = self._take(size)
        if kind & 15 == self._PING:
            self._frame(self._PONG, payload)
        elif kind & 15 == self._CLOSE:
            return False
        elif payload:
            self.streams[payload[0]] += payload[1:]
        return True

    def expect(self, words, stream=STDOUT):
        """Reads until the stream has these bytes; returns all of it up to now."""
        while words not in self.streams[stream]:
            assert self._next(), self.streams
        return self.streams[stream]

    def read_all(self):
        """To the end: {stream: bytes}."""
        with contextlib.suppress(EOFError):
            while self._next():
                pass
        return self.streams
