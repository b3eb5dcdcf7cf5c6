# SPDX-License-Identifier: Apache-2.0
"""What each command spends its time on, from rt's own timestamps (--trace)."""

import json
import os
import statistics
import time

import bundles
import programs

BEFORE, AFTER = "program start", "program end"


def traced(rt, file, argv):
    """[(row, phase, begin, milliseconds)] since the command was called."""
    begin = time.monotonic_ns()
    programs.finish(programs.spawn((argv[0], "--trace", file, *argv[1:]), rt.environ), argv)
    end = time.monotonic_ns()
    with open(file, encoding="utf-8") as told:
        events = json.load(told)
    found = [("container" if event["tid"] == 2 else "rt", event["name"],
              event["ts"] / 1e3 - begin / 1e6, event["dur"] / 1e3) for event in events if event["ph"] == "X"]
    own = [span for span in found if span[0] == "rt"]
    last = max(at + took for _, _, at, took in own)
    first = min(at for _, _, at, _ in own)
    return [("rt", BEFORE, 0, first), *found, ("rt", AFTER, last, (end - begin) / 1e6 - last)]


def medians(rounds):
    """In the order of their beginning."""
    samples = {}
    for spans in rounds:
        for row, phase, begin, took in spans:
            samples.setdefault((row, phase), []).append((begin, took))
    found = [{"row": row, "phase": phase, "begin": statistics.median(begin for begin, _ in taken),
              "took": statistics.median(took for _, took in taken)}
             for (row, phase), taken in samples.items()]
    return sorted(found, key=lambda span: (span["row"] != "rt", span["begin"]))


def section(context):
    rt = next((each for each in context.every if each.name == "rt"), None)
    if not rt:
        return {}
    file = os.path.join(context.work, "trace.json")
    made = {"default": bundles.make(os.path.join(context.work, "traced"), bundles.DEFAULT),
            "podman": bundles.make(os.path.join(context.work, "traced-podman"), bundles.podman_config()),
            "sleep": bundles.make(os.path.join(context.work, "traced-sleep"), bundles.sleeping())}
    rounds = {}
    for _ in range(context.options.phase_rounds):
        for title, bundle in (("run", "default"), ("run, Podman's bundle", "podman")):
            rounds.setdefault(title, []).append(traced(rt, file, rt.argv("run", made[bundle])))
        for verb in ("create", "start", "state", "exec", "kill", "delete"):
            rounds.setdefault(verb, []).append(traced(rt, file, rt.argv(verb, made["sleep"])))
            if verb == "kill":
                os.waitpid(rt.pid(), 0)
    return {title: medians(taken) for title, taken in rounds.items()}
