# SPDX-License-Identifier: Apache-2.0
"""What the filter that a profile becomes costs the container's process at each system call (calls.c)."""

import os
import subprocess

import bundles
import programs

PROFILES = {"no profile": None, "Docker": "docker-1", "Podman": "podman-1"}
ROUNDS = 7


def told(each, bundle):
    """{call: least nanoseconds}"""
    done = subprocess.run(each.argv("run", bundle), env=each.environ, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise programs.Broken(f"{each.name}: {done.stderr.strip()}")
    return {line.split()[0]: float(line.split()[1]) for line in done.stdout.splitlines()}


def section(context):
    calls = programs.compiled(context.work, "calls", "-static")
    found = {}
    for title, name in PROFILES.items():
        config = bundles.podman_config()
        config["process"]["args"] = ["/bin/calls"]
        config["linux"]["seccomp"] = bundles.profile(name) if name else None
        if not name:
            del config["linux"]["seccomp"]
        bundle = bundles.make(os.path.join(context.work, "filter-" + title.replace(" ", "-")), config, calls)
        every = programs.able(context.every[1:], bundle, f"calls, {title}")
        least = {each.name: {} for each in every}
        for _ in range(ROUNDS):
            for each in every:
                for call, took in told(each, bundle).items():
                    least[each.name][call] = min(took, least[each.name].get(call, took))
        found[title] = least
    return found
