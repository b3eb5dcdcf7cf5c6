# SPDX-License-Identifier: Apache-2.0
"""Descriptors: with every option that makes rt hold one more, the container's processes and the hooks
get the standard three and nothing of rt's, nor of its caller's."""

import os

import pytest

from test_systemd_driver import DRIVER, end, systemd, unit_box  # noqa: F401 (fixtures)
from test_terminal import ConsoleSocket

KINDS = ("prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop")
STANDARD = {"0", "1", "2"}


class Holders:
    """What each option is given, and a caller that has forgotten to close its files."""

    def __init__(self, work):
        self.work = work
        self.sockets = []
        self.forgotten = [os.open("/", os.O_PATH), os.open("/etc/passwd", os.O_RDONLY)]

    def socket(self, name):
        made = ConsoleSocket(f"{self.work}/{name}")
        self.sockets.append(made)
        return made.path

    def options(self, name):
        return ("--trace", f"{self.work}/{name}.trace", "--log", f"{self.work}/{name}.log",
                "--log-level", "debug")

    def inherit(self):
        for fd in self.forgotten:
            os.set_inheritable(fd, True)

    def close(self):
        for each in self.sockets:
            each.close()
        for fd in self.forgotten:
            os.close(fd)


@pytest.fixture
def holders(work):
    made = Holders(work)
    yield made
    made.close()


def fill(box, holders):
    box.config["annotations"] = {"run.oci.hooks.stdout": box.dir + "/out",
                                 "run.oci.hooks.stderr": box.dir + "/err",
                                 "run.oci.pidfd_receiver": holders.socket("receiver")}
    for kind in KINDS:
        inside = kind == "startContainer"
        box.hook(kind, f"hook {'/told' if inside else box.dir + '/told-' + kind}",
                 path="/bin/probe" if inside else None)


def check_hooks(box, kinds=KINDS):
    for kind in kinds:
        path = box.path("/told") if kind == "startContainer" else f"{box.dir}/told-{kind}"
        [(report, _)] = box.hook_reports(path)
        assert set(report["fds"]) == STANDARD, kind


def live(box, holders, driver=()):
    """A whole life, and an exec in it."""
    fill(box, holders)
    box.ops("report", "echo up", "pause")
    box.create("--pidfd-socket", holders.socket("pidfd"), globals=holders.options("create") + driver,
               preexec_fn=holders.inherit, close_fds=False)
    box.start()
    assert set(box.lines_until("up").report["fds"]) == STANDARD
    told = box.exec("--pidfd-socket", holders.socket("exec"), ops=["report"],
                    globals=holders.options("exec") + driver, preexec_fn=holders.inherit,
                    close_fds=False)
    assert set(told.report["fds"]) == STANDARD


@pytest.mark.rows("HDN-03", "HKS-25", "FDS-15")
@pytest.mark.own
def test_of_a_life(new_box, holders):
    box = new_box()
    live(box, holders)
    box.delete("-f")
    box.wait()
    check_hooks(box)


@pytest.mark.rows("HDN-03", "HKS-25", "FDS-15")
@pytest.mark.own
@pytest.mark.needs("v2-tree", "root: the bus of the system")
def test_of_a_life_in_a_scope(unit_box, holders):  # noqa: F811
    box = unit_box()
    live(box, holders, DRIVER)
    end(box)
    check_hooks(box)


@pytest.mark.rows("HDN-03", "HKS-25", "FDS-15")
@pytest.mark.own
@pytest.mark.needs("time", "root: time namespaces come before the user namespace")
@pytest.mark.parametrize("kind", ["time", pytest.param("pid", marks=pytest.mark.needs("fsopen"))])
def test_of_a_first_leg(new_box, holders, kind):
    """Where a process before the container's makes a namespace, or joins one."""
    box = new_box("report")
    fill(box, holders)
    if kind == "pid":
        box.join("pid", os.getpid())
    else:
        box.namespace(kind)
    told = box.run(globals=holders.options("run"), preexec_fn=holders.inherit, close_fds=False)
    assert set(told.report["fds"]) == STANDARD
    check_hooks(box)
