# SPDX-License-Identifier: Apache-2.0
"""How much memory a start takes, and what stays when create has ended."""

import os
import re
import statistics
import subprocess

import bundles
import host
import programs

STEP = 32 * 1024            # of the search for the smallest limit, bytes
MOST = 64 * 1024 * 1024
ROUNDS = 5


def peak_of(context, each, words):
    file = os.path.join(context.work, "peak-of")
    programs.timed((context.peak, file, *words), each.environ)
    with open(file, encoding="ascii") as told:
        return int(told.read())


def kilobytes(pid, name, keys):
    with open(f"/proc/{pid}/{name}", encoding="ascii") as file:
        text = file.read()
    return {key: int(re.search(rf"^{key}:\s+(\d+) kB", text, re.M).group(1)) for key in keys}


def of_create(context, each, bundle):
    """The command, the process that it leaves waiting, and whatever else it left."""
    before = host.children()
    found = {"create": peak_of(context, each, each.argv("create", bundle))}
    left = [child for child in host.children() if child not in before]
    pid = each.pid()
    found["others"] = [name for number, name in left if number != pid]
    found["init peak"] = kilobytes(pid, "status", ("VmHWM",))["VmHWM"]
    rollup = kilobytes(pid, "smaps_rollup", ("Pss", "Private_Dirty"))
    found["init pss"], found["init private"] = rollup["Pss"], rollup["Private_Dirty"]
    each.do("start", bundle)
    each.end()
    return found


def starts_within(each, bundle, limit):
    """Three of three: what succeeds once in a while does not start."""
    bundles.write(bundle, bundles.limited(limit))
    for _ in range(3):
        try:
            each.do("run", bundle)
        except programs.Broken:
            subprocess.run(each.words("delete", "--force", each.id()), check=False,
                           env=each.environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            return False
    return True


def smallest_limit(each, bundle):
    fails, works = 0, MOST // STEP
    while works - fails > 1:
        middle = (fails + works) // 2
        if starts_within(each, bundle, middle * STEP):
            works = middle
        else:
            fails = middle
    return works * STEP // 1024


def limits(context, every):
    """Where cgroup v2 has no memory controller: on the host's own mounts, if v1 has it."""
    lifted = not host.limits_memory()
    if lifted:
        host.lift_cgroup2()
    try:
        if not host.limits_memory():
            print("bench: no cgroup here limits memory")
            return {}
        bundle = bundles.make(os.path.join(context.work, "limited"), bundles.limited(MOST))
        return {each.name: smallest_limit(each, bundle)
                for each in programs.able(every, bundle, "a memory limit")}
    finally:
        if lifted:
            host.lay_cgroup2()


def section(context):
    bundle = bundles.make(os.path.join(context.work, "memory"), bundles.DEFAULT)
    sleeping = bundles.make(os.path.join(context.work, "waiting"), bundles.sleeping())
    context.peak = programs.compiled(context.work, "peak", "-static")
    runtimes = programs.able(context.every, bundle, "memory")[1:]
    found = {}
    for each in runtimes:
        runs = [peak_of(context, each, each.argv("run", bundle)) for _ in range(ROUNDS)]
        creates = [of_create(context, each, sleeping) for _ in range(ROUNDS)]
        found[each.name] = {"run": statistics.median(runs), "others": creates[0]["others"]}
        for key in ("create", "init peak", "init pss", "init private"):
            found[each.name][key] = statistics.median(one[key] for one in creates)
    for name, limit in limits(context, runtimes).items():
        found[name]["limit"] = limit
    return found
