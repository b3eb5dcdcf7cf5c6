# SPDX-License-Identifier: Apache-2.0
"""What the time of a start depends on: mounts and containers on the host, the size of the document,
other starts at the same time. And what the verbs take beside many containers."""

import os
import statistics
import time

import bundles
import host
import programs

VERBS = {"state": ("state", "{id}"), "ps": ("ps", "--format", "json", "{id}"),
         "events": ("events", "--stats", "{id}"), "list -q": ("list", "-q"), "list": ("list",)}


class Series:
    """{program: [(x, milliseconds)]}, medians."""

    def __init__(self):
        self.lines = {}

    def add(self, name, number, samples):
        self.lines.setdefault(name, []).append((number, statistics.median(samples)))

    def turns(self, number, every, bundle, rounds):
        """run of each, in turns."""
        samples = {each.name: [] for each in every}
        for turn in range(rounds + 2):
            for each in every:
                took = each.do("run", bundle)
                if turn >= 2:
                    samples[each.name].append(took / 1e6)
        for name, taken in samples.items():
            self.add(name, number, taken)


def by_mounts(context, every, bundle):
    series, made = Series(), []
    source = os.path.join(context.work, "source")
    os.mkdir(source)
    try:
        for number in context.options.mounts:
            while len(made) < number:
                target = os.path.join(context.work, f"mount-{len(made)}")
                os.mkdir(target)
                host.bind(source, target)
                made.append(target)
            series.turns(number, every, bundle, context.options.growth_rounds)
    finally:
        for target in made:
            host.unmount(target)
            os.rmdir(target)
    return series.lines


def by_containers(context, every, bundle, sleeping):
    """Also the verbs of rt that look at containers: (series of run, series of the verbs)."""
    series, verbs, pids = Series(), Series(), []
    rt = next(each for each in every if each.name == "rt")
    try:
        for number in context.options.containers:
            while len(pids) < number:
                tag = f"-crowd-{len(pids)}"
                for verb in ("create", "start"):
                    rt.do(verb, sleeping, tag)
                pids.append(rt.pid())
            series.turns(number, every, bundle, context.options.growth_rounds)
            name = rt.id(f"-crowd-{number // 2}")
            for verb, words in VERBS.items():
                argv = rt.words(*(word.format(id=name) for word in words))
                verbs.add(verb, number, [programs.timed(argv) / 1e6
                                         for _ in range(context.options.growth_rounds)])
    finally:
        for at, pid in enumerate(pids):
            programs.timed(rt.words("delete", "--force", rt.id(f"-crowd-{at}")))
            os.waitpid(pid, 0)
    return series.lines, verbs.lines


def by_size(context, every):
    series = Series()
    for size in context.options.sizes:
        bundle = bundles.make(os.path.join(context.work, f"sized-{size}"), bundles.sized(size))
        series.turns(size // 1000, [each for each in every if each.name != "floor"], bundle,
                     context.options.growth_rounds)
    return series.lines


def at_once(each, bundle, number):
    """Milliseconds for each of so many starts side by side."""
    commands = [each.argv("run", bundle, f"-{at}") for at in range(number)]
    begin = time.monotonic_ns()
    started = [programs.spawn(argv, each.environ) for argv in commands]
    for pid, argv in zip(started, commands):
        programs.finish(pid, argv)
    return (time.monotonic_ns() - begin) / 1e6 / number


def by_company(context, every, bundle):
    series = Series()
    for number in context.options.parallel:
        samples = {each.name: [] for each in every}
        for _ in range(context.options.growth_rounds):
            for each in every:
                samples[each.name].append(at_once(each, bundle, number))
        for name, taken in samples.items():
            series.add(name, number, taken)
    return series.lines


def section(context):
    bundle = bundles.make(os.path.join(context.work, "growing"), bundles.DEFAULT)
    sleeping = bundles.make(os.path.join(context.work, "crowd"), bundles.sleeping())
    every = programs.able(context.every, bundle, "growth")
    found = {"mounts": by_mounts(context, every, bundle), "size": by_size(context, every),
             "company": by_company(context, every, bundle)}
    found["containers"], found["verbs"] = by_containers(context, every, bundle, sleeping)
    return found
