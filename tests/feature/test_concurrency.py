# SPDX-License-Identifier: Apache-2.0
"""Commands of any kind on the same few containers at the same moment: each ends, with a result that some
order of all of them explains, and in the end nothing is left.

RT_CONCURRENCY_SECONDS=N    how long (default: 20)
RT_SEED=N                   the same lots once more (the kernel's scheduler draws its own)"""

import json
import os
import random
import subprocess
import time

import pytest

import host

SEED = int(os.environ.get("RT_SEED") or random.SystemRandom().getrandbits(31))
SECONDS = float(os.environ.get("RT_CONCURRENCY_SECONDS", "20"))
WORKERS, CONTAINERS, HANGS = 6, 3, 90

MISSING = {"RT-STATE-MISSING"}
# What may be told of an init that somebody kills while another command deals with it.
KILLED = {"RT-INIT-KILLED", "RT-INIT-ENDED"}
# verb: (weight, arguments, what it may fail with)
VERBS = {
    "create": (6, ["create", "-b", "BUNDLE", "ID"], {"RT-STATE-EXISTS"} | KILLED),
    "run": (2, ["run", "-d", "-b", "BUNDLE", "ID"], {"RT-STATE-EXISTS"} | KILLED),
    "start": (5, ["start", "ID"], MISSING | KILLED | {"RT-START-STATE"}),
    "state": (4, ["state", "ID"], MISSING),
    "kill": (1, ["kill", "ID", "KILL"], MISSING | {"RT-NOT-RUNNING"}),
    "term": (1, ["kill", "ID", "TERM"], MISSING | {"RT-NOT-RUNNING"}),
    "pause": (2, ["pause", "ID"], MISSING | {"RT-NOT-RUNNING"}),
    "resume": (4, ["resume", "ID"], MISSING | {"RT-NOT-PAUSED"}),
    "exec": (4, ["exec", "ID", "/bin/probe", "echo", "inside"],
             MISSING | KILLED | {"RT-NOT-RUNNING", "RT-EXEC-STATE"}),
    "update": (2, ["update", "--pids-limit", "50", "ID"], MISSING | {"RT-NOT-RUNNING", "RT-UPDATE-STATE"}),
    "ps": (2, ["ps", "--format", "json", "ID"], MISSING),
    "events": (2, ["events", "--stats", "ID"], MISSING | {"RT-NOT-RUNNING"}),
    "delete": (2, ["delete", "ID"], MISSING | {"RT-DELETE-STATE"}),
    "force": (3, ["delete", "--force", "ID"], set()),
    "list": (1, ["list", "--format", "json"], set()),
}
BIRTHS, ENDS = ("create", "run"), ("delete", "force")
# Of two that were successful, one after the other, on one container: what must have come between.
BETWEEN = [(BIRTHS, ENDS), (("start",), BIRTHS), (("delete",), BIRTHS), (("resume",), ("pause",))]


def check_output(verb, name, out):
    if verb == "state":
        state = json.loads(out)
        assert state["id"] == name and state["status"] in (
            "creating", "created", "running", "paused", "stopped"), state
        assert (state["pid"] == 0) == (state["status"] == "stopped") or state["status"] == "creating", state
    elif verb == "ps":
        assert all(isinstance(pid, int) and pid > 0 for pid in json.loads(out) or [])
    elif verb == "events":
        assert json.loads(out)["id"] == name
    elif verb == "list":
        json.loads(out)
    elif verb == "exec":
        assert out == "inside\n", out
    else:
        assert out == "", out


def judge(verb, name, code, out, err):
    """True if it was successful; AssertionError for a result that no order allows."""
    if verb == "exec" and code == 137 and err == "":
        return False        # somebody's kill or delete has ended it
    if code == 0:
        assert err == "", "a message with success"
        check_output(verb, name, out)
        return True
    lines = [json.loads(line) for line in err.splitlines()]
    assert code == (255 if verb == "exec" else 1), f"exit {code}"
    assert len(lines) == 1 and lines[0]["level"] == "error", "one error, and nothing else"
    assert lines[0]["code"] in VERBS[verb][2], "not for such a reason"
    return False


class Worker:
    """A process of its own: what rt leaves behind goes to the test, which reaps it."""

    def __init__(self, number, rt, boxes, directory, end):
        self.rt, self.boxes, self.end = rt, boxes, end
        self.chance = random.Random(f"{SEED} {number}")
        self.path = os.path.join(directory, f"worker{number}")
        self.pid = os.fork()
        if self.pid == 0:
            status = 1
            try:
                self.work()
                status = 0
            finally:
                os._exit(status)

    def call(self, verb, box, file):
        words = {"ID": box.id, "BUNDLE": box.dir}
        argv = [self.rt.path, "--root", self.rt.root, "--log-format", "json"]
        argv += [words.get(word, word) for word in VERBS[verb][1]]
        begin = time.monotonic()
        with open(self.path + ".out", "w+b") as out, open(self.path + ".err", "w+b") as err:
            process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
            try:
                code, problem = process.wait(HANGS), None
            except subprocess.TimeoutExpired:
                code, problem = None, f"hangs: {host.describe(process.pid)}"
                process.kill()
                process.wait()
            out.seek(0)
            err.seek(0)
            words = out.read().decode(), err.read().decode()
        good = False
        if not problem:
            try:
                good = judge(verb, box.id, code, *words)
            except (AssertionError, ValueError, KeyError) as error:
                problem = str(error) or repr(error)
        file.write(json.dumps({"verb": verb, "id": box.id, "begin": begin, "end": time.monotonic(), "code": code,
                               "good": good, "killed": any(word in words[1] for word in KILLED),
                               "problem": problem and f"{problem}: {words}"}) + "\n")

    def work(self):
        verbs, weights = list(VERBS), [weight for weight, _, _ in VERBS.values()]
        with open(self.path, "w", encoding="utf-8") as file:
            while time.monotonic() < self.end:
                self.call(self.chance.choices(verbs, weights)[0], self.chance.choice(self.boxes), file)

    def told(self):
        with open(self.path, encoding="utf-8") as file:
            return [json.loads(line) for line in file]


class Undertaker(Worker):
    """When the time is over: an exec that a paused container holds up ends by the container's end."""

    def work(self):
        while time.monotonic() < self.end:
            time.sleep(0.1)
        with open(self.path, "w", encoding="utf-8") as file:
            while os.path.exists(self.path + ".needed"):
                for box in self.boxes:
                    self.call("force", box, file)


def reap_until(pids):
    """The exit statuses of these children; all others are reaped and forgotten."""
    statuses = {}
    while pids - set(statuses):
        pid, status = os.wait()
        if pid in pids:
            statuses[pid] = status
    return statuses


def explain(events, name):
    """What no order of all these could have led to."""
    mine = sorted((each for each in events if each["id"] == name), key=lambda each: each["end"])
    for verbs, between in BETWEEN:
        row = [each for each in mine if each["verb"] in verbs and each["good"]]
        # A start that is cut off by a kill takes the container away, too.
        others = [each for each in mine if each["verb"] in between + ("start",) * (each["killed"])
                  and (each["good"] or each["killed"])]
        for one, next_one in zip(row, row[1:]):
            begin = min(one["begin"], next_one["begin"])
            if not any(other["end"] > begin and other["begin"] < next_one["end"] for other in others):
                yield f"{one} and {next_one} without any of {between}"


@pytest.mark.rows("LCY-14")
@pytest.mark.own
@pytest.mark.needs("pids")
def test_any_commands_in_any_number(new_box, rt, work):
    print(f"RT_SEED={SEED}")
    os.mkdir(rt.root, 0o700)
    boxes = [new_box("pause") for _ in range(CONTAINERS)]
    for box in boxes:
        box.save()
    end = time.monotonic() + SECONDS
    workers = [Worker(number, rt, boxes, work, end) for number in range(WORKERS)]
    undertaker = Undertaker("last", rt, boxes, work, end)
    with open(undertaker.path + ".needed", "w", encoding="ascii"):
        pass
    statuses = reap_until({worker.pid for worker in workers})
    os.unlink(undertaker.path + ".needed")
    statuses.update(reap_until({undertaker.pid}))
    for box in boxes:       # nobody else is left
        told = rt.call("delete", "--force", box.id)
        assert told.code == 0, told
    assert set(statuses.values()) == {0}

    events = [each for worker in workers + [undertaker] for each in worker.told()]
    counts = {verb: sum(each["verb"] == verb and each["good"] for each in events) for verb in VERBS}
    print(len(events), "commands; successful:", counts)
    problems = [each for each in events if each["problem"]]
    assert not problems, "\n".join(f"{each['verb']} {each['id']}: exit {each['code']}, {each['problem']}"
                                   for each in problems[:20])
    unexplained = [words for box in boxes for words in explain(events, box.id)]
    assert not unexplained, "\n".join(unexplained[:10])
    assert min(counts.values()) > 0 or len(events) < 2000, counts   # each verb has had its chance
