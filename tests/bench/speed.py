# SPDX-License-Identifier: Apache-2.0
"""How long each command takes, in multiples of what the kernel itself needs."""

import os
import statistics

import bundles
import programs

WORKLOADS = {   # what is run: the rows that come from it
    "default": ("default",),
    "podman": ("podman",),
    "lifecycle": ("lifecycle", "commands", "create", "start", "kill", "delete"),
    "exec": ("exec",),
    "state": ("state",),
}
ROWS = {
    "default": "run /bin/true, the bundle of `rt spec`",
    "podman": "run /bin/true, Podman's bundle with its seccomp profile",
    "lifecycle": "create + start + kill + delete, beside floor's run",
    "commands": "create + start + kill + delete, beside floor's four programs",
    "create": "create",
    "start": "start",
    "kill": "kill",
    "delete": "delete",
    "exec": "exec /bin/true in a running container",
    "state": "state of one container, beside an empty static program",
}
TARGETS = {"default": 1.35, "podman": 1.6, "lifecycle": 1.6, "exec": 1.5, "state": 1.3}


def measure(workload, bundle, every, rounds, warmups):
    """{row: {program: [milliseconds]}}, in turns (A B C A B C ...), so that whatever else the machine
    does meets all of them."""
    every = programs.able(every, os.path.join(os.path.dirname(bundle), "default"), workload) \
        if workload != "podman" else programs.able(every, bundle, workload)
    running = workload in ("exec", "state")
    samples = {row: {each.name: [] for each in every} for row in WORKLOADS[workload]}
    for each in every if running else ():
        each.do("create", bundle)
        each.do("start", bundle)
    for turn in range(warmups + rounds):
        for each in every:
            if workload == "lifecycle":
                took = each.lifecycle(bundle)
            else:
                took = {workload: each.do(workload if running else "run", bundle)}
            for row in samples if turn >= warmups else ():
                samples[row][each.name].append(took[row] / 1e6)
    for each in every if running else ():
        each.end()
    return samples


def section(context):
    work, options = context.work, context.options
    made = {"default": bundles.make(os.path.join(work, "default"), bundles.DEFAULT),
            "podman": bundles.make(os.path.join(work, "podman"), bundles.podman_config()),
            "sleep": bundles.make(os.path.join(work, "sleep"), bundles.sleeping())}
    samples = {}
    for workload in options.workload or WORKLOADS:
        bundle = made.get(workload, made["sleep"])
        samples.update(measure(workload, bundle, context.every, options.rounds, options.warmups))
    context.samples.update(samples)
    return {row: summary(times) for row, times in samples.items()}


def summary(times):
    """{program: {median, p10, p90, min, ratio}} in milliseconds."""
    found = {}
    for name, taken in times.items():
        deciles = statistics.quantiles(taken, n=10)
        found[name] = {"median": statistics.median(taken), "p10": deciles[0], "p90": deciles[8],
                       "min": min(taken), "n": len(taken)}
    for values in found.values():
        for key, ratio in (("median", "ratio"), ("min", "ratio_min")):
            values[ratio] = values[key] / found["floor"][key]
    return found


def over_limits(results, limits):
    """Where both the medians and the least times are over the limit: on a machine that does other things
    too one of them alone says little, and what has become slower moves both."""
    failures = []
    for limit in limits:
        row, _, most = limit.partition("=")
        if "rt" not in results.get(row, {}):
            failures.append(f"{row}: rt was not measured")
            continue
        ratio = min(results[row]["rt"][key] for key in ("ratio", "ratio_min"))
        if ratio > float(most):
            failures.append(f"{row}: rt takes {ratio:.2f} times floor, {most} is the limit")
    return failures
