# SPDX-License-Identifier: Apache-2.0
"""units: what systemd says of its units, by systemctl."""

import os
import subprocess

import host


def systemctl(*args, user=None):
    """Its standard output; `user`: of that user's service manager."""
    env, become = dict(os.environ), {}
    if user is not None:
        env["XDG_RUNTIME_DIR"] = f"/run/user/{user}"
        become = {"user": user, "group": user, "extra_groups": []}
        args = ("--user",) + args
    done = subprocess.run(("systemctl", "--no-pager") + args, env=env, text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60, **become)
    assert done.returncode == 0, f"systemctl {args}: {done.stderr}"
    return done.stdout


def show(unit, user=None):
    """{property: text}; what is told several times is one line each."""
    found = {}
    for line in systemctl("show", unit, user=user).splitlines():
        name, _, value = line.partition("=")
        found[name] = f"{found[name]}\n{value}" if name in found else value
    return found


def exists(unit, user=None):
    """A slice that nobody made is known nevertheless, as one that does nothing."""
    told = show(unit, user)
    return told["LoadState"] != "not-found" and not (unit.endswith(".slice") and
                                                     told["ActiveState"] == "inactive")


def wait_for(unit, state, user=None):
    host.until(lambda: show(unit, user)["ActiveState"] == state, f"{unit} {state}", 30)
