# SPDX-License-Identifier: Apache-2.0
"""older_kernel: rt where the option "pidns" of a procfs is not known, as before Linux 6.17. A filter says so."""

import errno
import struct

import blocked
from bundle import Runtime

FSCONFIG_SET_FD = 5
LOW_HALF_OF_ARGUMENT_1 = 16 + 8     # in struct seccomp_data


def without_descriptors():
    """fsconfig (2) knows no option whose value is a descriptor."""
    words = [(blocked.LOAD_NUMBER, 0, 0, 0), (blocked.JUMP_EQUAL, 0, 3, blocked.CALLS["fsconfig"]),
             (blocked.LOAD_NUMBER, 0, 0, LOW_HALF_OF_ARGUMENT_1), (blocked.JUMP_EQUAL, 0, 1, FSCONFIG_SET_FD),
             (blocked.RETURN, 0, 0, blocked.ERROR | errno.EINVAL), (blocked.RETURN, 0, 0, blocked.ALLOW)]
    return b"".join(struct.pack("=HBBI", *word) for word in words).hex()


def before_6_17(argv):
    return [blocked.filtered(), without_descriptors(), "-", "-", "-", *argv]


class Before617(Runtime):
    def __init__(self, rt):
        super().__init__(rt.path, rt.root, rt.work)

    def execute(self, argv, **options):
        return super().execute(before_6_17(argv), **options)
