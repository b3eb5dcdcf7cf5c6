# SPDX-License-Identifier: Apache-2.0
"""Device rules: what the container's processes can open, by the kernel's own word; on v1 and v2."""

import errno

import pytest

import blocked
from bundle import label


@pytest.mark.rows("CGD-01", "CGD-03", "CGD-04", "CGD-05", "CGM-30")
@pytest.mark.parametrize("devices", [[{"allow": False, "access": "rwm"}], [], None], ids=label)
@pytest.mark.needs("root: makes device nodes")
def test_default_device_rules(new_box, devices):
    """Deny, apart from the harmless ones; also when no rule is given."""
    box = new_box("open /dev/null rw", "open /dev/urandom r", "mknod /tmp/mem c 1 1",
                  "open /tmp/mem r", "mknod /tmp/disk b 8 0", "open /tmp/disk r",
                  "mknod /tmp/null c 1 3", "open /tmp/null rw", "mknod /tmp/tun c 10 200",
                  "mknod /tmp/kmsg c 1 11", "open /tmp/kmsg r", "mknod /tmp/x c 136 500")
    box.linux["resources"]["devices"] = devices
    if devices is None:
        del box.linux["resources"]
    told = box.run()
    for path in ("/dev/null", "/dev/urandom", "/tmp/null"):
        assert told.errno("open", path) is None, path
    for path in ("/tmp/mem", "/tmp/disk", "/tmp/kmsg"):
        assert told.errno("mknod", path) is None     # making a node is allowed, opening it is not
        assert told.errno("open", path) == "EPERM", path


@pytest.mark.rows("CGD-03", "CGD-04")
@pytest.mark.parametrize("devices", [
    [{"allow": False, "access": "rwm"}],
    [{"allow": True, "type": "c", "major": 5, "access": "m"},
     {"allow": False, "type": "c", "major": 5, "minor": 1, "access": "rw"}]], ids=label)
@pytest.mark.needs("root: makes device nodes")
def test_the_console_of_the_host_is_denied(new_box, devices):
    """A container with CAP_MKNOD makes c 5:1 to read what is typed at the host's console."""
    box = new_box("mknod /tmp/console c 5 1", "open /tmp/console rw", "open /tmp/console r",
                  "mknod /tmp/tty c 5 0", "open /tmp/tty rw")
    box.linux["resources"]["devices"] = devices
    told = box.run()
    assert told.errno("mknod", "/tmp/console") is None
    assert [line.get("errno") for line in told.lines
            if line["op"] == "open" and line.get("path") == "/tmp/console"] == ["EPERM"] * 2
    assert told.errno("open", "/tmp/tty") != "EPERM"


NODE = "mknod /tmp/node c 1 99"     # no driver: an open that the rules allow is ENXIO


@pytest.mark.rows("CGD-01", "CGD-02", "CGD-08", "CGD-12")
@pytest.mark.needs("root: makes device nodes")
def test_device_rules_in_order(new_box):
    box = new_box(NODE, "open /tmp/node r", "open /tmp/node w", "open /tmp/node rw",
                  "mknod /tmp/other c 1 98", "open /tmp/other r")
    box.linux["resources"]["devices"] = [
        {"allow": False, "access": "rwm"},
        {"allow": True, "type": "c", "major": 1, "minor": 99, "access": "r"}]
    told = box.run()
    assert [line.get("errno") for line in told.lines if line["op"] == "open"] \
        == ["ENXIO", "EPERM", "EPERM", "EPERM"]


@pytest.mark.rows("CGD-06")
@pytest.mark.parametrize("allowed", [False, True])
@pytest.mark.needs("root: makes device nodes")
def test_a_listed_device_is_no_rule(new_box, allowed):
    """linux.devices makes a node; whether it can be opened is for the rules to say."""
    box = new_box("stat /dev/listed", "open /dev/listed r")
    box.linux["devices"] = [{"path": "/dev/listed", "type": "c", "major": 1, "minor": 99}]
    if allowed:
        box.linux["resources"]["devices"].append(
            {"allow": True, "type": "c", "major": 1, "minor": 99, "access": "rw"})
    told = box.run()
    assert told.line("stat", "/dev/listed")["type"] == "char"
    assert told.errno("open", "/dev/listed") == ("ENXIO" if allowed else "EPERM")


@pytest.mark.rows("CGD-16")
@pytest.mark.needs("root: makes device nodes")
def test_a_device_that_comes_later(new_box):
    """A rule is for numbers: a driver or a node that is not there yet makes no difference."""
    box = new_box("pause")
    box.linux["resources"]["devices"].append(
        {"allow": True, "type": "c", "major": 240, "minor": 5, "access": "rw"})
    box.up()
    told = box.exec(ops=("mknod /dev/late c 240 5", "open /dev/late rw",
                         "mknod /dev/other c 240 6", "open /dev/other rw"))
    assert told.errno("open", "/dev/late") == "ENXIO"
    assert told.errno("open", "/dev/other") == "EPERM"


@pytest.mark.rows("CGD-12", "CGD-07")
@pytest.mark.parametrize("rule, allowed", [
    ({"type": "c", "major": 1, "access": "rw"}, True),
    ({"type": "c", "minor": 99, "access": "rw"}, True),
    ({"type": "c", "access": "rwm"}, True),
    ({"type": "b", "major": 1, "minor": 99, "access": "rwm"}, False),
    ({"type": "c", "major": 1, "minor": 98, "access": "rw"}, False),
    ({"type": "c", "major": 1, "minor": 99, "access": "m"}, False),
    ({"type": "a", "access": "rwm"}, True), ({"access": "rwm"}, True)], ids=label)
@pytest.mark.needs("root: makes device nodes")
def test_device_wildcards(new_box, rule, allowed):
    box = new_box(NODE, "open /tmp/node r")
    box.linux["resources"]["devices"] = [{"allow": False, "access": "rwm"}, {"allow": True, **rule}]
    assert box.run().errno("open", "/tmp/node") == ("ENXIO" if allowed else "EPERM")


@pytest.mark.rows("CGD-07", "CGD-14")
@pytest.mark.parametrize("last, want", [(False, "EPERM"), (True, "ENXIO")])
@pytest.mark.needs("root: makes device nodes")
def test_the_last_matching_rule_wins(new_box, last, want):
    box = new_box(NODE, "open /tmp/node r")
    box.linux["resources"]["devices"] = [
        {"allow": False, "access": "rwm"},
        {"allow": not last, "type": "c", "major": 1, "minor": 99, "access": "rwm"},
        {"allow": last, "type": "c", "major": 1, "minor": 99, "access": "rw"}]
    assert box.run().errno("open", "/tmp/node") == want


@pytest.mark.rows("CGD-05")
@pytest.mark.own
def test_built_in_devices_cannot_be_denied(new_box):
    box = new_box("open /dev/null rw", "open /dev/zero r")
    box.linux["resources"]["devices"] = [
        {"allow": False, "access": "rwm"},
        {"allow": False, "type": "c", "major": 1, "minor": 3, "access": "rwm"}]
    assert box.run().errno("open", "/dev/null") is None


@pytest.mark.rows("CGD-02", "CGD-01")
@pytest.mark.own
@pytest.mark.parametrize("rule, at", [
    ({"allow": True, "access": "rx"}, "/access"), ({"allow": True, "access": ""}, "/access"),
    ({"allow": True}, ""), ({"access": "r"}, ""),
    ({"allow": True, "type": "z", "access": "r"}, "/type"),
], ids=label)
def test_bad_device_rules(box, fails, rule, at):
    box.linux["resources"]["devices"] = [rule]
    fails(box.create(code=None), at="/linux/resources/devices/0" + at)


@pytest.mark.rows("CGD-01", "CGD-03")
@pytest.mark.needs("v2", "root: loads a program")
def test_rules_that_the_kernel_does_not_take_are_an_error(new_box, fails):
    """runc#2793: without bpf(2) there was no program, and every device of the host was open."""
    box = new_box("report")
    box.linux["resources"]["devices"] = [{"allow": False, "access": "rwm"}]
    filter_ = b"".join(blocked.instructions(errno.EPERM, ["bpf"]))
    fails(box.create(code=None, preexec_fn=blocked.before(filter_, [None] * 3, lambda: None)),
          "operation not permitted", at="/linux/resources/devices")
