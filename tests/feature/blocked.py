# SPDX-License-Identifier: Apache-2.0
"""blocked: RT_TEST_BLOCKED="ENOSYS|EPERM CALL ..." starts each rt with system calls taken away, as on an
older kernel (ENOSYS) or in a container whose profile is older than the call (EPERM).

The filter is loaded before rt is, as root, so that also an rt that runs as an ordinary user has it
without no_new_privs; the containers inherit it. Newer calls have one number on all machines."""

import ctypes
import errno
import functools
import os
import struct

import compiled

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CALLS = {"pidfd_send_signal": 424, "open_tree": 428, "move_mount": 429, "fsopen": 430, "fsconfig": 431,
         "fsmount": 432, "fspick": 433, "pidfd_open": 434, "clone3": 435, "close_range": 436,
         "openat2": 437, "pidfd_getfd": 438, "faccessat2": 439, "mount_setattr": 442,
         "statmount": 457, "open_tree_attr": 467,
         "bpf": 321 if os.uname().machine == "x86_64" else 280,
         "statx": 332 if os.uname().machine == "x86_64" else 291}

MOUNT_API = ("open_tree", "move_mount", "fsopen", "fsconfig", "fsmount", "fspick", "mount_setattr")

# What the environment asks for: ["ENOSYS", "openat2"], or [].
WORDS = os.environ.get("RT_TEST_BLOCKED", "").split()
CALLED = WORDS[1:]

PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 22, 2
LOAD_NUMBER, JUMP_EQUAL, RETURN = 0x20, 0x15, 0x06    # BPF_LD|BPF_W|BPF_ABS, BPF_JMP|BPF_JEQ, BPF_RET
ALLOW, ERROR = 0x7fff0000, 0x00050000

LIBC = ctypes.CDLL(None, use_errno=True)


def instructions(error, calls):
    program = [struct.pack("=HBBI", LOAD_NUMBER, 0, 0, 0)]
    for call in calls:
        program += [struct.pack("=HBBI", JUMP_EQUAL, 0, 1, CALLS[call]),
                    struct.pack("=HBBI", RETURN, 0, 0, ERROR | error)]
    return program + [struct.pack("=HBBI", RETURN, 0, 0, ALLOW)]


@functools.lru_cache(None)
def filtered():
    return compiled.program("filtered", [os.path.join(TESTS, "tools", "filtered.c")])


def start(argv, options):
    """What to start instead of `argv`, and the options of subprocess for it.

    The program `filtered` loads the filter; but where a test has something of its own to do between fork
    and exec, that may give up the right to, so there we come before it. That is slow: all of this
    process is copied."""
    if not WORDS:
        return argv, options
    filter_ = b"".join(instructions(getattr(errno, WORDS[0]), CALLED))
    ids = [options.pop(name, None) for name in ("extra_groups", "group", "user")]
    if "preexec_fn" in options:
        return argv, {**options, "preexec_fn": before(filter_, ids, options["preexec_fn"])}
    words = ["-" if ids[0] is None else "".join(f"{each}," for each in ids[0])]
    words += ["-" if each is None else str(each) for each in ids[1:]]
    return [filtered(), filter_.hex(), *words, *argv], options


def before(filter_, ids, then):
    """A preexec_fn: subprocess would change the ids before it calls one."""
    text = ctypes.create_string_buffer(filter_)
    header = ctypes.create_string_buffer(struct.pack("@HP", len(filter_) // 8, ctypes.addressof(text)))

    def child():
        if LIBC.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, header, 0, 0) < 0:
            raise OSError(ctypes.get_errno(), f"cannot load the filter at {text}")
        for change, value in zip((os.setgroups, os.setgid, os.setuid), ids):
            if value is not None:
                change(value)
        then()
    return child
