# SPDX-License-Identifier: Apache-2.0
"""rt dies by SIGKILL at every moment of create and of run; `rt delete --force` cleans up after it.

The moments are no luck: between two system calls nothing changes that others can see, so killing rt
before each of its own calls in turn (strace's fault injection) meets every state that it can leave
behind. What its child does meanwhile is not steered; the kills at random times are for that."""

import collections
import os
import random
import re
import signal
import subprocess
import time

import pytest

import host
from fixtures import CGROUPS, leftovers, remove_by_force

MOMENTS = 500      # of each verb at most, spread evenly, should it ever make more calls than that
AT_LEAST = 200     # kills of each verb that hit
RANDOM_KILLS = 100
ENOUGH = 5         # failures after which the rest would tell nothing new
MARK = "RT_KILL_STORM"


class Storm:
    """One container that is made again and again, and never to the end."""

    def __init__(self, box, verb):
        self.box, self.rt = box, box.rt
        self.words = [self.rt.path, "--root", self.rt.root, verb, "--bundle", box.dir, box.id]
        self.mounts = host.mountinfo()
        self.environ = dict(os.environ, **{MARK: box.id})
        self.failures = []
        self.hits = 0
        box.save()

    def run(self, words, **options):
        return subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL, env=self.environ, **options)

    def calls(self):
        """The system calls of rt's own process, in order, as (name, how often so far)."""
        assert self.run(self.words).wait(host.PATIENCE) == 0    # the first start of a build copies the program
        self.clean("the first of all")
        trace = os.path.join(self.box.dir, "trace")
        assert self.run(["strace", "-o", trace, *self.words]).wait(host.PATIENCE) == 0
        self.clean("a run that nobody disturbed")
        assert not self.failures, self.failures
        seen, found = collections.Counter(), []
        with open(trace, encoding="utf-8", errors="replace") as file:
            for name in re.findall(r"^(\w+)\(", file.read(), re.MULTILINE):
                seen[name] += 1
                found.append((name, seen[name]))
        return found[1:]    # the first is the execve of rt itself

    def kill_before(self, name, number):
        process = self.run(["strace", "-o", "/dev/null", "-e", f"trace={name}", "-e",
                            f"inject={name}:signal=SIGKILL:when={number}", *self.words])
        # strace ends as its tracee does. A call that this run did not make kills nobody.
        self.hits += process.wait(host.PATIENCE) == -signal.SIGKILL
        self.clean(f"killed before {name} number {number}")

    def kill_after(self, seconds):
        process = self.run(self.words)
        time.sleep(seconds)     # the moment itself, not a way to wait for something
        process.kill()
        process.wait(host.PATIENCE)
        self.clean(f"killed after {seconds * 1000:.2f} ms")

    def clean(self, moment):
        """The one command that has to be enough; then every trace of the container is a failure."""
        told = self.rt.call("delete", "--force", self.box.id)
        found = [f"delete --force: {told!r}"] if told.code else []
        found += [f"process {host.describe(pid)}" for pid in marked(self.box.id)]
        found += leftovers(self.rt, [self.box.id], self.mounts)
        if found:
            self.failures.append(f"{moment}: {'; '.join(found)}")
            self.sweep()
        assert len(self.failures) < ENOUGH, "\n".join(self.failures)

    def sweep(self):
        """What rt could not do, so that the next moment begins clean."""
        for pid in marked(self.box.id):
            os.kill(pid, signal.SIGKILL)
        host.reap_all()
        remove_by_force(self.rt, [self.box.id], [self.box.id])
        subprocess.run(["rm", "-rf", self.rt.root], check=True)

    def verdict(self):
        assert not self.failures, "\n".join(self.failures)


def alive(pid):
    return host.stat_state(pid) not in (None, "Z", "X")


def marked(name):
    """Living processes that are of this container: by the environment that they had at birth, or by
    their cgroup. Those that are just dying are given time to."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        if int(pid) == os.getpid():
            continue
        try:
            with open(f"/proc/{pid}/environ", "rb") as environ, \
                    open(f"/proc/{pid}/cgroup", "rb") as cgroup:
                ours = f"{MARK}={name}\0".encode() in environ.read() or name.encode() in cgroup.read()
        except OSError:
            continue
        if ours:
            found.append(int(pid))
    end = time.monotonic() + 20
    while any(alive(pid) for pid in found) and time.monotonic() < end:
        time.sleep(0.001)
    return [pid for pid in found if alive(pid)]


def spread(items, most):
    """At most `most` of the items, evenly spread; the first and the last are among them."""
    if len(items) <= most:
        return items
    return [items[round(i * (len(items) - 1) / (most - 1))] for i in range(most)]


@pytest.fixture
def storm(new_box):
    """storm (verb): a container with all that must be cleaned up. Its program ends by itself, so that
    `run` comes to its own end, too."""

    def make(verb):
        box = new_box("report")
        source = box.beside("source")
        box.bind(source, "/given", "rw")
        box.process["env"].append(f"{MARK}={box.id}")
        return Storm(box, verb)

    return make


@pytest.mark.rows("CRT-28", "LCY-07", "LCY-11", "LCY-13", "LCY-15", "ENG-24")
@pytest.mark.parametrize("verb", ["create", "run"])
def test_killed_before_each_of_its_calls(verb, storm):
    each = storm(verb)
    calls = each.calls()
    chosen = spread(calls, MOMENTS)
    for name, number in chosen:
        each.kill_before(name, number)
    each.verdict()
    # A few calls depend on timing (a second read, a retry); but a storm that misses is no storm.
    assert each.hits >= 0.9 * len(chosen)
    assert each.hits >= min(AT_LEAST, 0.9 * len(calls)), f"{each.hits} of {len(calls)} calls"


@pytest.mark.rows("CRT-28", "LCY-11", "LCY-15")
@pytest.mark.parametrize("verb", ["create", "run"])
def test_killed_at_any_time(verb, storm):
    each = storm(verb)
    begin = time.monotonic()
    assert each.run(each.words).wait(host.PATIENCE) == 0
    whole = time.monotonic() - begin
    each.clean("a run that nobody disturbed")
    moments = random.Random(28)
    for _ in range(RANDOM_KILLS // 2):
        each.kill_after(moments.uniform(0, whole))
    each.verdict()


@pytest.mark.rows("CRT-28", "LCY-08", "LCY-14")
def test_the_id_is_free_again(storm):
    """After a kill in the middle and the clean-up, the same id makes a container that works."""
    each = storm("create")
    calls = each.calls()
    each.kill_before(*calls[len(calls) // 2])
    each.verdict()
    each.box.run()
