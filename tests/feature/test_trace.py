# SPDX-License-Identifier: Apache-2.0
"""--trace FILE: what a start spends its time on, for Perfetto and chrome://tracing."""

import json
import os

import pytest


def phases(path):
    """{row: [(name, begin, end)]} in the order of their beginning."""
    with open(path, encoding="utf-8") as file:
        events = json.load(file)
    rows = {event["tid"]: event["args"]["name"] for event in events if event["name"] == "thread_name"}
    found = {name: [] for name in rows.values()}
    for event in events:
        if event["ph"] == "X":
            found[rows[event["tid"]]].append((event["name"], event["ts"], event["ts"] + event["dur"]))
    return {name: sorted(spans, key=lambda span: span[1]) for name, spans in found.items()}


def names(spans):
    return [name for name, _, _ in spans]


def trace_of(box, verb):
    return os.path.join(box.dir, f"trace-{verb}.json")


@pytest.mark.parametrize("profile", [None, {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
    {"names": ["write", "writev"], "action": "SCMP_ACT_ERRNO"}]}], ids=["plain", "no-write"])
def test_run_tells_the_phases_of_both_sides(box, profile):
    """A filter that forbids to write does not meet the trace: it ends before."""
    if profile:
        box.linux["seccomp"] = profile
    box.ops("exit 0")
    box.run(globals=("--trace", trace_of(box, "run")))
    told = phases(trace_of(box, "run"))
    assert names(told["rt"]) == ["read", "decide", "claim", "cgroup", "clone", "grant", "seccomp",
                                 "await the container", "commit", "exec", "foreground", "delete"]
    inside = names(told["in the container"])
    assert inside[0] == "birth" and inside[-1] == "process"
    assert inside.index("mounts") < inside.index("masks") < inside.index("pivot_root")
    for spans in told.values():
        for (_, _, end), (_, begin, _) in zip(spans, spans[1:]):
            assert end <= begin + 0.01


def test_create_start_and_exec_have_their_own(new_box):
    box = new_box("echo up", "pause")
    box.create(globals=("--trace", trace_of(box, "create")))
    assert names(phases(trace_of(box, "create"))["rt"])[-1] == "commit"
    assert box.rt.call("start", box.id, globals=("--trace", trace_of(box, "start"))).code == 0
    assert names(phases(trace_of(box, "start"))["rt"]) == ["read", "gate", "exec"]
    box.lines_until("up")
    box.exec(globals=("--trace", trace_of(box, "exec")))
    assert names(phases(trace_of(box, "exec"))["rt"]) == ["read", "decide", "clone", "await the process",
                                                          "exec", "foreground"]


def test_a_failure_is_told_as_far_as_it_came(box):
    box.config["process"]["args"] = ["/does-not-exist"]
    assert box.run(code=None, globals=("--trace", trace_of(box, "run"))).code != 0
    assert names(phases(trace_of(box, "run"))["rt"])[-1] == "await the container"


def test_a_trace_that_cannot_be_made_is_an_error(box, fails):
    fails(box.run(code=None, globals=("--trace", "/does/not/exist")),
          "open /does/not/exist for the trace")
