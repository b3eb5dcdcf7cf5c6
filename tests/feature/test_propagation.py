# SPDX-License-Identifier: Apache-2.0
"""Whose mounts are seen where: propagation between the host, the container and one mount."""

import pytest

import host
from bundle import label

# The volume is copied before the container's namespace is cut off from the host's, which mount(2) cannot.
SHARES = pytest.mark.needs("open-tree")


def optional_fields(told, point):
    """shared:N, master:N and the like of a mount in the container."""
    lines = [line.split(" ") for line in told.text("/proc/self/mountinfo").splitlines()]
    line = next(line for line in lines if line[4] == point)
    return line[6:line.index("-")]


@pytest.mark.rows("MNT-32", "MNT-33", "MNT-70")
@pytest.mark.parametrize("words, want", [
    ([], []), (["shared"], ["shared:"]), (["private"], []), (["slave"], []),
    (["unbindable"], ["unbindable"]), (["rshared"], ["shared:"]),
    (["rprivate", "rshared"], ["shared:"]), (["runbindable"], ["unbindable"])], ids=label)
def test_propagation(new_box, words, want):
    box = new_box("read /proc/self/mountinfo")
    box.mount("/data", options=words)
    optional = optional_fields(box.run(), "/data")
    assert [word.rstrip("0123456789") for word in optional] == want


@pytest.mark.rows("MNT-32", "MNT-33")
@pytest.mark.needs("root: mounts on the host")
@pytest.mark.parametrize("root, word, want", [
    pytest.param("shared", "rshared", {"shared"}, marks=SHARES, id="shared-rshared-shared"),
    pytest.param("rshared", "shared", {"shared"}, marks=SHARES, id="rshared-shared-shared"),
    ("rslave", "rslave", {"master"}), ("rslave", "rprivate", set()),
    (None, "rslave", {"master"})], ids=label)
def test_propagation_between_host_and_container(new_box, root, word, want):
    """Of the same peer group as the host's mount only where both say shared, as engines ask for
    volumes that carry mounts out of a container."""
    box = new_box("read /proc/self/mountinfo")
    source = box.beside("d")
    host.mount("tmpfs", source, "tmpfs")
    try:
        group = next(word for word in next(line for line in host.mountinfo() if line[4] == source)
                     if word.startswith("shared:")).partition(":")[2]
        if root:
            box.config["linux"]["rootfsPropagation"] = root
        box.mount("/data", "bind", source, ["rbind", word])
        optional = optional_fields(box.run(), "/data")
        assert {each.partition(":")[0] for each in optional if each.endswith(":" + group)} == want
    finally:
        host.umount(source)


@pytest.mark.rows("MNT-32")
@pytest.mark.own
@pytest.mark.needs("root: mounts on the host")
@pytest.mark.needs("no-open-tree")
def test_what_cannot_be_shared_is_refused(new_box, fails):
    box = new_box("report")
    box.config["linux"]["rootfsPropagation"] = "rshared"
    at = f"/mounts/{len(box.config['mounts'])}"
    box.mount("/data", "bind", box.beside("d"), ["rbind", "rshared"])
    fails(box.create(code=None), "open_tree", at=at)
