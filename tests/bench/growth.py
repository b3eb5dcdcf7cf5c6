#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""growth: what the verbs that look at containers take beside 1, 100 and 1,000 of them, created in one parent cgroup.

    tests/bench/growth.py [--rt build/rt] [--counts 1,100,1000]

All of it lies in one temporary directory and one cgroup, and is gone at the end, also after Ctrl-C.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ROUNDS = 15
PAUSE = "int pause (void);\nint main (void) { for (;;) pause (); }\n"
CONFIG = {
    "ociVersion": "1.0.2",
    "process": {"args": ["/pause"], "cwd": "/", "user": {"uid": 0, "gid": 0}},
    "root": {"path": "rootfs", "readonly": True},
    "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}],
    "linux": {"namespaces": [{"type": kind} for kind in ("pid", "mount", "ipc", "uts")]},
}


class Crowd:
    """Containers, as many as are asked for."""

    def __init__(self, rt, area):
        self.rt, self.area = rt, area
        self.parent = f"rt-growth-{os.getpid()}"
        self.ids = []
        self.rootfs = os.path.join(area, "rootfs")
        os.makedirs(os.path.join(self.rootfs, "proc"))
        source = os.path.join(area, "pause.c")
        with open(source, "w", encoding="ascii") as file:
            file.write(PAUSE)
        subprocess.run(["cc", "-static", "-O2", "-o", os.path.join(self.rootfs, "pause"), source], check=True)

    def call(self, *args, check=True):
        return subprocess.run([self.rt, "--root", os.path.join(self.area, "state"), *args], check=check,
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    def timed(self, *args):
        """Milliseconds, the median."""
        took = []
        for _ in range(ROUNDS):
            begin = time.perf_counter()
            self.call(*args)
            took.append(1000 * (time.perf_counter() - begin))
        return statistics.median(took)

    def add(self):
        name = f"growth-{os.getpid()}-{len(self.ids)}"
        config = dict(CONFIG, root={"path": self.rootfs, "readonly": True},
                      linux=dict(CONFIG["linux"], cgroupsPath=f"/{self.parent}/{name}"))
        bundle = os.path.join(self.area, name)
        os.mkdir(bundle)
        with open(os.path.join(bundle, "config.json"), "w", encoding="utf-8") as file:
            json.dump(config, file)
        self.ids.append(name)
        begin = time.perf_counter()
        self.call("create", "-b", bundle, name)
        return 1000 * (time.perf_counter() - begin)

    def remove(self):
        """Milliseconds for each."""
        took = []
        while self.ids:
            begin = time.perf_counter()
            self.call("delete", "--force", self.ids.pop(), check=False)
            took.append(1000 * (time.perf_counter() - begin))
        for root, names, _ in os.walk("/sys/fs/cgroup"):
            if self.parent in names:
                os.rmdir(os.path.join(root, self.parent))
                names.remove(self.parent)
        return statistics.median(took) if took else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rt", default=os.path.join(TOP, "build", "rt"))
    parser.add_argument("--counts", default="1,100,1000")
    options = parser.parse_args()
    counts = [int(word) for word in options.counts.split(",")]
    area = tempfile.mkdtemp(prefix="growth-")
    crowd = None
    try:
        crowd = Crowd(os.path.abspath(options.rt), area)
        print(f"{'containers':>10} {'create':>8} {'state':>8} {'ps':>8} {'events':>8} {'list -q':>8} {'list':>8}"
              "   ms, medians", flush=True)
        for count in counts:
            made = [crowd.add() for _ in range(count - len(crowd.ids))]
            name = crowd.ids[len(crowd.ids) // 2]
            columns = [statistics.median(made[-ROUNDS:]), crowd.timed("state", name),
                       crowd.timed("ps", "--format", "json", name), crowd.timed("events", "--stats", name),
                       crowd.timed("list", "-q"), crowd.timed("list")]
            print(f"{count:>10}" + "".join(f" {each:>8.2f}" for each in columns), flush=True)
        print(f"delete --force: {crowd.remove():.2f} ms each")
    finally:
        if crowd:
            crowd.remove()
        shutil.rmtree(area)
    return 0


if __name__ == "__main__":
    sys.exit(main())
