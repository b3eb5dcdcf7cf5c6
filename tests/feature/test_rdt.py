# SPDX-License-Identifier: Apache-2.0
"""linux.intelRdt on the host as it is. What becomes of each field is shown on a directory tree, by
tests/unit/test_rdt.c: few machines have the hardware."""

import json
import os

import pytest

RESCTRL = "/sys/fs/resctrl"


@pytest.mark.rows("RDT-08", "RDT-10", "RDT-11")
@pytest.mark.parametrize("rdt", [{}, {"enableMonitoring": True, "memBwSchema": "MB:0=50"}],
                         ids=["plain", "schema"])
def test_class_of_its_own(new_box, fails, rdt):
    box = new_box("pause")
    box.linux["intelRdt"] = rdt
    if not os.path.exists(f"{RESCTRL}/tasks"):
        fails(box.create(code=None), "rdt", own=(RESCTRL,), at="/linux/intelRdt")
        return
    box.create()
    with open(f"{RESCTRL}/{box.id}/tasks", encoding="ascii") as file:
        assert str(box.pid) in file.read().split()
    box.kill("KILL")
    assert box.wait() == 137
    box.delete()
    assert not os.path.exists(f"{RESCTRL}/{box.id}")


@pytest.mark.rows("RDT-01", "RDT-02", "RDT-03")
@pytest.mark.parametrize("rdt, at", [
    ({"closID": "a/b"}, "closID"), ({"closID": ".."}, "closID"), ({"closID": "."}, "closID"),
    ({"memBwSchema": "L3:0=f"}, "memBwSchema"),
    ({"l3CacheSchema": "L3:0=f\nL3:1=f"}, "l3CacheSchema"),
    ({"schemata": ["L3:0=f", "MB:0=20\n"]}, "schemata/1"),
], ids=["slash", "up", "dot", "bandwidth", "lines", "schemata"])
def test_bad_values(box, fails, rdt, at):
    box.linux["intelRdt"] = rdt
    fails(box.create(code=None), at=f"/linux/intelRdt/{at}")


@pytest.mark.rows("RDT-08")
@pytest.mark.own
def test_features(rt):
    told = json.loads(rt.call("features").out)
    assert told["linux"]["intelRdt"] == {"enabled": True, "schemata": True, "monitoring": True}


@pytest.mark.rows("RDT-12")
@pytest.mark.needs("root: newuidmap gains nothing below strace")
def test_resctrl_is_left_alone(new_box, work):
    """Who does not ask for a class of service is not looked for in one."""
    box = new_box("report")
    box.save()
    trace = os.path.join(work, "trace")
    # A leak checker does not work below a tracer.
    told = box.rt.execute(["env", "ASAN_OPTIONS=detect_leaks=0", "strace", "-f", "-o", trace,
                           "-e", "trace=file,mount", box.rt.path, "--root", box.rt.root, "run", "-b", box.dir, box.id])
    assert told.code == 0, told
    with open(trace, encoding="utf-8", errors="replace") as file:
        text = file.read()
    assert "config.json" in text and "resctrl" not in text
