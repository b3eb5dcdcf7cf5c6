# SPDX-License-Identifier: Apache-2.0
"""silent_fs: file systems that do not answer: a FUSE that is mounted by its descriptor, whose server is the
test. `SilentFs (path)` reads nothing; `DeafFs (path)` reads each request and answers none, so that what asks
is held against SIGKILL, too. Closing it lets go of all."""

import os
import select
import struct
import threading

import host

LOOKUP, FORGET, GETATTR, STATFS, INIT = 1, 2, 3, 17, 26
S_IFDIR = 0o040000


class SilentFs:
    """A directory is all that is known of it. owner: whose it is; it is refused to all others."""

    def __init__(self, path, owner=None):
        self.path, owner = str(path), os.getuid() if owner is None else owner
        os.mkdir(self.path)
        self.device = os.open("/dev/fuse", os.O_RDWR)
        host.mount("silent", self.path, "fuse",
                   data=f"fd={self.device},rootmode=40000,user_id={owner},group_id={owner}")

    def held(self, pid):
        """Does the process wait for an answer?"""
        return wchan(pid).startswith(("fuse", "request_wait"))

    def close(self):
        os.close(self.device)
        host.umount(self.path)
        os.rmdir(self.path)


class DeafFs(SilentFs):
    """answered: what it answers all the same, of GETATTR and STATFS, for its top."""

    def __init__(self, path, answered=()):
        super().__init__(path)
        self.answered, self.unanswered = answered, []
        self.wake, waker = os.pipe()
        self.waker = os.fdopen(waker, "wb")
        os.set_blocking(self.device, False)
        self.server = threading.Thread(target=self.serve, daemon=True)
        self.server.start()

    def serve(self):
        while True:
            if self.wake in select.select([self.device, self.wake], [], [])[0]:
                return
            try:
                request = os.read(self.device, 1 << 20)
            except BlockingIOError:
                continue
            _, kind, unique, node = struct.unpack_from("=IIQQ", request)
            if kind == INIT:
                self.answer(unique, struct.pack("=IIIIHHII32x", 7, 31, 65536, 0, 16, 12, 65536, 1))
            elif kind not in self.answered:
                self.unanswered.append((kind, node))
            elif kind == STATFS:
                self.answer(unique, bytes(80))
            elif kind == GETATTR:
                self.answer(unique, struct.pack("=QII", 0, 0, 0) +
                            struct.pack("=QQQQQQIIIIIIIIII", 1, 0, 0, 0, 0, 0, 0, 0, 0, S_IFDIR | 0o755, 2, 0, 0, 0,
                                        4096, 0))

    def answer(self, unique, body):
        os.write(self.device, struct.pack("=IiQ", 16 + len(body), 0, unique) + body)

    def close(self):
        self.waker.close()
        self.server.join()
        os.close(self.wake)
        super().close()


def wchan(pid):
    try:
        with open(f"/proc/{pid}/wchan", encoding="ascii") as file:
            return file.read()
    except OSError:
        return ""
