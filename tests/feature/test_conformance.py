# SPDX-License-Identifier: Apache-2.0
"""tests/conformance.sh, against a folder of small programs with the interface of runtime-tools."""

import os
import re
import subprocess

import pytest

from fixtures import TOP

pytestmark = pytest.mark.needs("once: words of a script")
SCRIPT = os.path.join(TOP, "tests", "conformance.sh")
PROGRAMS = {
    "good": "echo 1..2; echo 'ok 1 - one'; echo 'ok 2 - two'",
    "bad": "echo 'ok 1 - one'; echo 'not ok 2 - two'; echo '  ---'; echo '  not ok: no point'; echo 1..2",
    "skipped": "echo 1..3; echo 'ok 1 # SKIP no such host'; echo 'ok 2'; echo 'not ok 3 # TODO later'",
    "none": "echo '1..0 # skipped: not root'",
    "short": "echo 1..4; echo 'ok 1'",
    "silent": "exit 0",
    "dies": "echo 1..1; echo 'ok 1'; exit 3",
    "bails": "echo 1..5; echo 'Bail out! no root file system'; exit 1",
    "hangs": "echo 1..1; exec sleep 1000",
    "runtime": "test -e ./runtimetest && \"$RUNTIME\" --version | grep -q 'spec: 1' && echo 'ok 1' && echo 1..1",
}
POINTS = {
    "good": (2, 0, 0), "bad": (1, 1, 0), "skipped": (1, 0, 2), "none": (0, 0, 1), "short": (1, 3, 0),
    "silent": (0, 1, 0), "dies": (1, 1, 0), "bails": (0, 5, 0), "hangs": (0, 1, 0), "runtime": (1, 0, 0),
}


@pytest.fixture
def tree(tmp_path):
    def make(*names):
        for name in names:
            path = tmp_path / "validation" / name / f"{name}.t"
            path.parent.mkdir(parents=True)
            path.write_text(f"#!/bin/sh\n{PROGRAMS[name]}\n", encoding="ascii")
            path.chmod(0o755)
        (tmp_path / "runtimetest").touch()
        return str(tmp_path)
    return make


def conformance(rt, *args):
    return subprocess.run([SCRIPT, "--rt", rt.path, "--limit", "5", *args], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=60, check=False)


def table(text):
    rows = re.findall(r"^(\w+) +(\d+) +(\d+) +(\d+)(?: |$)", text, re.MULTILINE)
    return {name: tuple(map(int, numbers)) for name, *numbers in rows}


@pytest.mark.own
def test_points_are_counted(rt, tree, tmp_path):
    told = conformance(rt, "--log", str(tmp_path / "log"), tree(*PROGRAMS))
    want = dict(POINTS, sum=tuple(sum(column) for column in zip(*POINTS.values())))
    assert table(told.stdout) == want
    assert told.returncode == 1
    assert "cut off after 5 s" in told.stdout
    assert "Bail out! no root file system" in told.stdout
    assert (tmp_path / "log" / "bad.tap").read_text(encoding="ascii").startswith("ok 1")


@pytest.mark.own
def test_chosen_programs(rt, tree):
    told = conformance(rt, tree("good", "bad", "runtime"), "good", "runtime")
    assert table(told.stdout) == {"good": (2, 0, 0), "runtime": (1, 0, 0), "sum": (3, 0, 0)}
    assert told.returncode == 0


@pytest.mark.own
@pytest.mark.parametrize("args, text", [
    (["/nowhere"], "no directory"),
    (["."], "make runtimetest"),
    ([], "conformance.sh"),
])
def test_misuse(rt, tmp_path, args, text):
    told = subprocess.run([SCRIPT, "--rt", rt.path, *args], cwd=tmp_path, capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=60, check=False)
    assert told.returncode == 2
    assert text in told.stderr
