# SPDX-License-Identifier: Apache-2.0
"""Session keyrings: a name is no proof of whose a keyring is."""

import os
import subprocess
import sys

import pytest

KEYCTL = {"x86_64": 250, "aarch64": 219}

STRANGER = r"""
import ctypes, os, sys
os.setgid(4321)
os.setuid(4321)
keyctl = ctypes.CDLL(None).syscall
for name in sys.argv[1:]:
    ring = keyctl({call}, 1, name.encode())            # KEYCTL_JOIN_SESSION_KEYRING
    if ring < 0 or keyctl({call}, 5, ring, ctypes.c_uint(0x{rights})) < 0:      # KEYCTL_SETPERM
        sys.exit(1)
    if os.fork():                        # each keyring lives as long as one that has it
        continue
    os.write(1, f"made {ring}\n".encode())     # as one write: they are many
    sys.stdin.read()
    os._exit(0)
"""


@pytest.mark.rows("CRT-10", "LSM-11", "LSM-13", "EXE-37")
@pytest.mark.parametrize("taken, rights", [(1, "3f3f3f3f"), (2, "3f3f3f3f"), (4, "3f3f3f3f"),
                                           (1, "00003f3f"), (1, "00080008")], ids=str)
@pytest.mark.needs("root: another user's keyring")
def test_a_keyring_that_a_stranger_has_made_is_not_joined(new_box, taken, rights):
    """Any user can make `_ses.ID` before the container; the kernel joins it, and then its owner
    reads the container's keys."""
    box = new_box("keyring", "pause")
    names = [f"_ses.{box.id}"] + [f"_ses.{box.id}:{i}" for i in (1, 2, 3)]
    text = STRANGER.replace("{call}", str(KEYCTL[os.uname().machine])).replace("{rights}", rights)
    with subprocess.Popen([sys.executable, "-c", text] + names[:taken], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True) as stranger:
        strange = [int(stranger.stdout.readline().split()[1]) for _ in range(taken)]
        told = box.up().line("keyring")
        assert told["id"] not in strange
        kind, owner, _, permissions, name = told["describe"].split(";")
        assert (kind, owner) == ("keyring", "0") and int(permissions, 16) & 0xffff == 0
        assert name == (names[taken] if taken < 4 else "_ses")
        again = box.exec(ops=["keyring"]).line("keyring")
        assert again["id"] not in strange
        assert (again["id"] == told["id"]) == (taken < 4)
        stranger.stdin.close()
