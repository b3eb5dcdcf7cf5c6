# SPDX-License-Identifier: Apache-2.0
"""linux.maskedPaths and readonlyPaths at their edges: the root itself, what cannot be looked at, a great many."""

import os

import pytest


@pytest.mark.rows("MPH-10", "RFS-04")
@pytest.mark.parametrize("path", ["/", "//", "/link"])
def test_root_is_a_read_only_path(new_box, path):
    """The root's own mount, as root.readonly: what is mounted below stays as it is."""
    box = new_box("create /tmp/x", "create /dev/shm/x")
    os.symlink("/", box.path("/link"))
    box.linux["readonlyPaths"].append(path)
    told = box.run()
    assert told.errno("create", "/tmp/x") == "EROFS"
    assert told.errno("create", "/dev/shm/x") is None
    assert not os.path.exists(box.path("/tmp/x"))


@pytest.mark.rows("MPH-01", "MPH-07")
@pytest.mark.own
@pytest.mark.parametrize("path", ["/", "/link"])
def test_root_cannot_be_masked(new_box, fails, path):
    box = new_box("report")
    os.symlink("/", box.path("/link"))
    box.linux["maskedPaths"] = ["/proc/keys", path]
    fails(box.create(code=None), "root itself", at="/linux/maskedPaths/1")


@pytest.mark.rows("MPH-04")
@pytest.mark.own
@pytest.mark.parametrize("name", ["maskedPaths", "readonlyPaths"])
@pytest.mark.needs("root: files of an owner that is not mapped")
def test_path_that_root_may_not_look_at(new_box, fails, name):
    """Below a FUSE mount, or where a server trusts no root: its user inside can read it, so it is not
    absent. Here the container's root is nobody to the directory's owner."""
    box = new_box("report")
    box.file("/etc/vault/secret", "secret")
    box.userns()
    os.chown(box.path("/etc/vault"), 7, 7)
    os.chmod(box.path("/etc/vault"), 0o700)
    box.linux[name] = ["/etc/vault/absent/deep", "/etc/vault/secret"]
    fails(box.create(code=None), "permission denied", "/etc/vault/absent", at=f"/linux/{name}/0")


@pytest.mark.rows("MPH-04", "MPH-05")
def test_a_hundred_thousand_masked_paths(new_box):
    """Each that is there is masked, once. (Compared with each other they took longer than PATIENCE allows
    on a busy machine.)"""
    box = new_box("ls /etc/dir", "read /proc/self/mountinfo")
    box.file("/etc/dir/secret", "secret")
    box.linux["maskedPaths"] = [f"/no/such/{number}" for number in range(100000)] + ["/etc/dir"] * 3
    told = box.run()
    assert told.line("ls", "/etc/dir")["names"] == []
    points = [line.split(" ")[4] for line in told.text("/proc/self/mountinfo").splitlines()]
    assert points.count("/etc/dir") == 1
