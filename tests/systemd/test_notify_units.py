# SPDX-License-Identifier: Apache-2.0
"""Units with Type=notify whose service is a container: systemd waits until the container says that it is
ready, knows its main process, and sees its end."""

import os

import pytest

import host
from bundle import label
from test_notify import INSIDE, fifo
from units import show, systemctl, wait_for

pytestmark = [pytest.mark.needs("systemd"), pytest.mark.own]


@pytest.fixture
def service(new_box):
    """A unit for this box, started without waiting for it."""
    made = []

    def make(box, start, *lines):
        name = f"rt-{box.id}.service"
        path = f"/run/systemd/system/{name}"
        # The bundle is in the tests' own mount namespace; nsenter executes what becomes the service.
        command = f"/usr/bin/nsenter --mount=/proc/{os.getpid()}/ns/mnt -- {box.rt.path} --root {box.rt.root}"
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join(["[Service]", "Type=notify", "TimeoutStartSec=30", "TimeoutStopSec=20",
                                  f"ExecStart={command} {start} -b {box.dir} {box.id}",
                                  f"ExecStopPost={command} delete -f {box.id}", *lines, ""]))
        made.append((name, path))
        box.save()
        systemctl("daemon-reload")
        systemctl("start", "--no-block", name)
        return name
    yield make
    for name, path in made:
        systemctl("stop", name)
        os.unlink(path)
        systemctl("daemon-reload")


@pytest.mark.rows("FDS-01", "FDS-04", "FDS-05", "FDS-06", "FDS-08", "VRB-05")
@pytest.mark.parametrize("start", ["run", "run -d"], ids=label)
def test_type_notify(new_box, service, start):
    box = new_box("await /go", "notify READY=1", "barrier", "await /go", "exit 7")
    path = fifo(box)
    unit = service(box, start)
    host.until(lambda: box.rt.call("state", box.id).code == 0 and box.status() == "running", "running")
    assert show(unit)["ActiveState"] == "activating"
    pid = box.state()["pid"]
    host.let_go(path)
    wait_for(unit, "active")
    main = int(show(unit)["MainPID"])
    if start == "run -d":
        assert main == pid
    else:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            assert int(file.read().rpartition(")")[2].split()[1]) == main   # rt, its parent
    host.let_go(path)
    wait_for(unit, "failed")
    assert show(unit)["ExecMainStatus"] == "7"
    assert box.rt.call("state", box.id).code != 0


@pytest.mark.rows("FDS-08", "VRB-05")
@pytest.mark.parametrize("start", ["run", "run -d"], ids=label)
def test_ends_without_ready(new_box, service, start):
    box = new_box("stat " + INSIDE)
    unit = service(box, start)
    wait_for(unit, "failed")
    assert show(unit)["Result"] == "protocol"


@pytest.mark.rows("FDS-04")
def test_container_cannot_choose_the_main_process(new_box, service):
    box = new_box(["notify", "MAINPID=1", "READY=1", "STATUS=x", "MAINPID=1"], "barrier", "pause")
    unit = service(box, "run -d")
    wait_for(unit, "active")
    assert int(show(unit)["MainPID"]) == box.state()["pid"]
    assert show(unit).get("StatusText", "") == ""


@pytest.mark.rows("FDS-10", "CLI-39")
def test_socket_activation(new_box, service):
    """The socket of a .socket unit is the container's first descriptor behind the standard streams."""
    box = new_box("report", "pause")
    out = f"/run/rt-{box.id}.out"
    with open(out, "w", encoding="ascii"):
        pass
    name = f"/run/systemd/system/rt-{box.id}.socket"
    with open(name, "w", encoding="utf-8") as file:
        file.write(f"[Socket]\nListenStream=/run/rt-{box.id}.sock\nFileDescriptorName=web\n")
    try:
        unit = service(box, "run", "Type=simple", f"StandardOutput=truncate:{out}",
                       "[Unit]", f"Requires=rt-{box.id}.socket", f"After=rt-{box.id}.socket")

        def told_so_far():
            with open(out, encoding="utf-8") as file:
                return file.read()
        host.until(lambda: told_so_far().endswith("}\n"), "a report")
        told = told_so_far()
        assert all(entry in told for entry in ("LISTEN_FDS=1", "LISTEN_PID=1", "LISTEN_FDNAMES=web"))
        assert show(unit)["ActiveState"] == "active"
    finally:
        systemctl("stop", f"rt-{box.id}.socket", f"rt-{box.id}.service")
        os.unlink(name)
        os.unlink(out)
