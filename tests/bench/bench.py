#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""bench: what starting a container costs, in multiples of what the kernel itself needs.

    tests/bench/bench.py                     all sections, as tables; make bench: written into docs/ too
    tests/bench/bench.py --section speed --workload default --rounds 200

    speed     each command beside floor (floor.c makes only the kernel's calls), crun and runc
    growth    a start beside many mounts, many containers, a large document, other starts
    memory    the peak, the smallest limit, what stays after create
    filters   what a system call costs under the filters of the Docker and Podman profiles
    phases    each command's time by phase, from rt's own timestamps

Programs are measured in turns; those that are not installed, or cannot run a container on this host,
are named and left out. All of it happens in a mount namespace of its own with cgroup v2 over
/sys/fs/cgroup; the host's mounts are not touched. The containers' files lie on a tmpfs.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import types

import filters
import growth
import host
import memory
import phases
import programs
import report
import speed

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SECTIONS = {"speed": speed, "growth": growth, "memory": memory, "filters": filters, "phases": phases}


def numbers(text):
    return [int(word) for word in text.split(",")]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rt", default=os.environ.get("RT") or os.path.join(TOP, "build", "rt"))
    parser.add_argument("--rt-glibc", default=os.environ.get("RT_GLIBC", ""), metavar="PATH",
                        help="a build without --with-musl, to be measured beside")
    parser.add_argument("--crun", default=shutil.which("crun"), help="'' leaves it out")
    parser.add_argument("--runc", default=shutil.which("runc"))
    parser.add_argument("--section", choices=SECTIONS, action="append", help="default: all")
    parser.add_argument("--workload", choices=speed.WORKLOADS, action="append", help="of speed; default: all")
    parser.add_argument("--rounds", type=int, default=100, help="of speed")
    parser.add_argument("--warmups", type=int, default=5, help="of speed")
    parser.add_argument("--growth-rounds", type=int, default=20)
    parser.add_argument("--phase-rounds", type=int, default=40)
    parser.add_argument("--mounts", type=numbers, default="10,100,1000")
    parser.add_argument("--containers", type=numbers, default="1,100,1000")
    parser.add_argument("--sizes", type=numbers, default="10000,100000,1000000", help="bytes of config.json")
    parser.add_argument("--parallel", type=numbers, default="1,2,4,8")
    parser.add_argument("--limit", metavar="ROW=RATIO", action="append", default=[],
                        help="fail where rt takes more than RATIO times what floor does (speed.py)")
    parser.add_argument("--json", metavar="FILE",
                        help="write all that was found, and all samples of speed (-: standard output)")
    parser.add_argument("--plots", metavar="FOLDER", help="draw growth and phases there, as SVG")
    parser.add_argument("--write", action="store_true", help="into docs/performance.md, docs/*.svg and README.md")
    return parser.parse_args()


def measure(options):
    host.become_subreaper()
    work = tempfile.mkdtemp(prefix="rt-bench-")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=0755", "tmpfs", work], check=True)
    try:
        host.lay_cgroup2()
        context = types.SimpleNamespace(options=options, work=work, every=programs.find(options, work),
                                        samples={})
        found = {"load": os.getloadavg()[0], "versions": {each.name: each.version for each in context.every},
                 "kernel": os.uname().release, "cpus": os.cpu_count(), "rounds": options.rounds}
        for name in options.section or SECTIONS:
            print(f"bench: {name} ...", file=sys.stderr)
            found[name] = SECTIONS[name].section(context)
        found["samples"] = context.samples
        return found
    finally:
        host.remove_cgroups()
        subprocess.run(["umount", "-l", work], check=True)
        os.rmdir(work)


def main():
    options = arguments()
    host.enter_own_namespace(__file__)
    found = measure(options)
    if options.json != "-":
        print(report.for_people(found))
    if options.json:
        with open("/dev/stdout" if options.json == "-" else options.json, "w", encoding="utf-8") as file:
            file.write(json.dumps(found, indent=1) + "\n")
    if options.plots:
        report.save_drawings(options.plots, found)
    if options.write:
        report.write_documents(TOP, found)
    failures = speed.over_limits(found.get("speed", {}), options.limit)
    for failure in failures:
        print(f"bench: {failure}", file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main())
