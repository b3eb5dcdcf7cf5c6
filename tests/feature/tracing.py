# SPDX-License-Identifier: Apache-2.0
"""tracing: the test as a tracer that holds a process of rt's: stopped, traced, or spinning for ever."""

import contextlib
import ctypes
import os
import signal
import subprocess

import blocked
import host

PEEKUSER, CONT, ATTACH, DETACH = 3, 7, 16, 17
SETOPTIONS, GETEVENTMSG, GETREGSET, SEIZE = 0x4200, 0x4201, 0x4204, 0x4206
TRACEME, CHILDREN = 0, 2 | 4 | 8      # PTRACE_O_TRACEFORK, TRACEVFORK, TRACECLONE
WALL = 0x40000000
NT_PRSTATUS = 1
# A jump to itself, as long as the instruction of a system call is.
SPIN = {"x86_64": b"\xeb\xfe", "aarch64": b"\x00\x00\x00\x14"}[os.uname().machine]

_ptrace = ctypes.CDLL(None, use_errno=True).ptrace
_ptrace.restype = ctypes.c_long
_ptrace.argtypes = [ctypes.c_long] * 2 + [ctypes.c_void_p] * 2


def trace(request, pid, address=None, data=None):
    ctypes.set_errno(0)
    result = _ptrace(request, pid, address, data)
    assert not ctypes.get_errno(), f"ptrace {request:#x}: {os.strerror(ctypes.get_errno())}"
    return result


def wait_stop(pid):
    """The signal of its stop, and the event behind it."""
    _, status = os.waitpid(pid, WALL)
    assert os.WIFSTOPPED(status), f"process {pid} has ended: {status:#x}"
    return os.WSTOPSIG(status), status >> 16


def attach(pid):
    """And it is stopped."""
    trace(ATTACH, pid)
    wait_stop(pid)


def seize(pid):
    """And it goes on."""
    trace(SEIZE, pid)


def event_message(pid):
    word = ctypes.c_ulong()
    trace(GETEVENTMSG, pid, None, ctypes.addressof(word))
    return word.value


def program_counter(pid):
    if os.uname().machine == "x86_64":
        return trace(PEEKUSER, pid, 16 * 8) & (1 << 64) - 1
    registers = (ctypes.c_uint64 * 34)()
    part = (ctypes.c_uint64 * 2)(ctypes.addressof(registers), ctypes.sizeof(registers))
    trace(GETREGSET, pid, NT_PRSTATUS, ctypes.addressof(part))
    return registers[32]


# What holds a process that is traced and stopped.

def spin(pid):
    """Also where it is in a system call, which is begun anew."""
    at = program_counter(pid)
    memory = os.open(f"/proc/{pid}/mem", os.O_RDWR)
    try:
        os.pwrite(memory, SPIN * 2, at - len(SPIN))
    finally:
        os.close(memory)
    trace(DETACH, pid)
    host.until(lambda: host.stat_state(pid) == "R", "it spins")


def stop(pid):
    trace(DETACH, pid, None, signal.SIGSTOP)
    host.until(lambda: host.stat_state(pid) == "T", "it is stopped")


def keep(pid):
    assert host.stat_state(pid) == "t"


HOLDS = [spin, stop, keep]


def let_die(pid):
    """It is dead, or about to die; its tracer sees that first."""
    host.wait_dead(pid)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, WALL)


def traced_call(argv, births, skip=0, **options):
    """(the call, process): starts a program, and follows it until that many processes are born of it, each of the
    one before. The last one is stopped and traced; all others go on, also the first `skip` that are born."""
    argv, options = blocked.start(argv, options)
    call = subprocess.Popen(argv, preexec_fn=lambda: trace(TRACEME, 0), **options)
    process = call.pid
    wait_stop(process)
    trace(SETOPTIONS, process, None, CHILDREN)
    for _ in range(births):
        number = 0
        while True:
            trace(CONT, process, None, number)
            number, event = wait_stop(process)
            if event and skip:
                skip -= 1
                other = event_message(process)
                wait_stop(other)
                trace(DETACH, other)
                number = event = 0
                continue
            if event:
                break
            number = 0 if number == signal.SIGTRAP else number      # it has executed
        parent, process = process, event_message(process)
        wait_stop(process)
        trace(DETACH, parent)
    return call, process
