# SPDX-License-Identifier: Apache-2.0
"""blocked: RT_TEST_BLOCKED="ENOSYS|EPERM CALL ..." starts each rt with system calls taken away, as on an
older kernel (ENOSYS) or in a container whose profile is older than the call (EPERM).

The filter is loaded between fork and exec, as root, so that also an rt that runs as an ordinary user
has it without no_new_privs; the containers inherit it. Newer calls have one number on all machines."""

import ctypes
import errno
import os
import struct

CALLS = {"pidfd_send_signal": 424, "open_tree": 428, "move_mount": 429, "fsopen": 430, "fsconfig": 431,
         "fsmount": 432, "fspick": 433, "pidfd_open": 434, "clone3": 435, "close_range": 436,
         "openat2": 437, "pidfd_getfd": 438, "faccessat2": 439, "mount_setattr": 442,
         "statmount": 457, "open_tree_attr": 467}

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


def wanted():
    """None, or what a child of a fork calls first."""
    if not WORDS:
        return None
    program = instructions(getattr(errno, WORDS[0]), CALLED)
    text = ctypes.create_string_buffer(b"".join(program))
    header = ctypes.create_string_buffer(struct.pack("@HP", len(program), ctypes.addressof(text)))

    def load():
        if LIBC.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, header, 0, 0) < 0:
            raise OSError(ctypes.get_errno(), "cannot load the filter")
        return text     # it must live as long as the function does
    return load


def before(load, options):
    """The preexec_fn of subprocess, `load` first: subprocess changes the ids before it calls one."""
    then = options.get("preexec_fn")
    ids = {name: options.pop(name) for name in ("extra_groups", "group", "user") if name in options}
    change = {"extra_groups": os.setgroups, "group": os.setgid, "user": os.setuid}

    def child():
        load()
        for name, value in ids.items():
            change[name](value)
        if then:
            then()
    return child
