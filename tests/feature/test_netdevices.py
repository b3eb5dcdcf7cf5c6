# SPDX-License-Identifier: Apache-2.0
"""linux.netDevices: devices of the host that move into the container.

The host is a network namespace of the test's own, in which the runtime is started: nothing of the
machine's own network is ever in reach. Ends of veth pairs are the devices, as nearly every kernel
has them."""

import ctypes
import json
import os
import subprocess

import pytest

import host

pytestmark = pytest.mark.needs("root: network devices of the host")

CLONE_NEWNET = 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)


def ip(pid, *words, check=True):
    told = subprocess.run(["nsenter", "-t", str(pid), "-n", "ip", *words], check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert told.returncode == 0 or not check, told
    return told.stdout


class Net:
    """A process with a network namespace of its own."""

    def __init__(self):
        self.process = subprocess.Popen(["unshare", "-n", "/bin/sh", "-c", "echo up; exec cat"],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.process.stdout.readline() == b"up\n"
        self.pid = self.process.pid
        self.path = f"/proc/{self.pid}/ns/net"

    def close(self):
        self.process.stdin.close()
        self.process.wait(host.PATIENCE)
        self.process.stdout.close()

    def ip(self, *words, **options):
        return ip(self.pid, *words, **options)

    def enter(self):
        """For preexec_fn: the runtime starts here."""
        fd = os.open(self.path, os.O_RDONLY)
        if LIBC.setns(fd, CLONE_NEWNET) < 0:
            os._exit(99)
        os.close(fd)

    def pair(self, name="dev0", peer="peer0"):
        self.ip("link", "add", name, "type", "veth", "peer", "name", peer, check=False)
        if name not in self.names():
            pytest.skip("this kernel has no veth")

    def link(self, name):
        return link(self.pid, name)

    def names(self):
        return {each["ifname"] for each in json.loads(self.ip("-j", "link"))}


def link(pid, name):
    """What ip says of a device, or None."""
    text = ip(pid, "-j", "addr", "show", "dev", name, check=False)
    return json.loads(text)[0] if text.strip() else None


def addresses(device, *, permanent=True):
    return {(each["local"], each["prefixlen"], each["scope"]) for each in device["addr_info"]
            if not permanent or not each.get("dynamic")}


@pytest.fixture
def nets():
    made = []

    def make():
        made.append(Net())
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def net(nets):
    """The "host", with the devices dev0 and peer0."""
    made = nets()
    made.pair()
    return made


def pausing(new_box, devices):
    box = new_box("pause")
    box.linux["netDevices"] = devices
    return box


def stop(box):
    box.kill("KILL")
    assert box.wait() == 137


@pytest.mark.rows("NET-12", "NET-14", "NET-18", "NET-19")
@pytest.mark.needs("ipv6")
def test_moved_whole_and_up(new_box, net):
    net.ip("link", "set", "dev0", "mtu", "1321", "address", "02:11:22:33:44:55")
    net.ip("addr", "add", "192.0.2.7/24", "broadcast", "192.0.2.99", "dev", "dev0")
    net.ip("addr", "add", "192.0.2.8/24", "dev", "dev0")
    net.ip("addr", "add", "198.51.100.1", "peer", "198.51.100.2/32", "dev", "dev0")
    net.ip("addr", "add", "2001:db8::7/64", "dev", "dev0", "nodad")
    box = pausing(new_box, {"dev0": {}})
    box.create(preexec_fn=net.enter)
    device = link(box.pid, "dev0")      # before the process has started
    assert device and "UP" in device["flags"]
    assert (device["mtu"], device["address"]) == (1321, "02:11:22:33:44:55")
    assert {("192.0.2.7", 24, "global"), ("192.0.2.8", 24, "global"),
            ("198.51.100.1", 32, "global"), ("2001:db8::7", 64, "global")} <= addresses(device)
    by_address = {each["local"]: each for each in device["addr_info"]}
    assert by_address["192.0.2.7"]["broadcast"] == "192.0.2.99"
    assert by_address["192.0.2.8"]["secondary"]
    assert by_address["198.51.100.1"]["address"] == "198.51.100.2"
    assert by_address["2001:db8::7"].get("nodad")
    assert by_address["192.0.2.7"]["label"] == "dev0"
    assert net.names() == {"lo", "peer0"}
    stop(box)
    box.delete()
    host.until(lambda: net.names() == {"lo"}, "the pair ends with the container's namespace")


@pytest.mark.rows("NET-14")
@pytest.mark.needs("ipv6")
def test_other_addresses_stay_behind(new_box, net):
    net.ip("addr", "add", "192.0.2.7/24", "dev", "dev0", "valid_lft", "1000", "preferred_lft",
           "1000")
    net.ip("addr", "add", "203.0.113.8/24", "scope", "link", "dev", "dev0")
    net.ip("addr", "add", "2001:db8::8/64", "dev", "dev0", "valid_lft", "1000", "preferred_lft",
           "500")
    net.ip("addr", "add", "2001:db8::9/64", "dev", "dev0", "preferred_lft", "0")
    net.ip("link", "set", "dev0", "up")
    box = pausing(new_box, {"dev0": {}})
    box.create(preexec_fn=net.enter)
    found = {each for each in addresses(link(box.pid, "dev0"), permanent=False)
             if each[2] != "link"}
    assert found == {("2001:db8::9", 64, "global")}
    assert link(box.pid, "dev0")["addr_info"][0]["preferred_life_time"] == 0
    stop(box)


@pytest.mark.rows("NET-12", "NET-13")
@pytest.mark.parametrize("joined", [False, True], ids=["new", "joined"])
def test_renamed(new_box, nets, net, joined):
    box = pausing(new_box, {"dev0": {"name": "eth0"}, "peer0": {"name": "abcdefghijklmno"}})
    if joined:
        box.namespace("network", nets().path)
    net.ip("addr", "add", "192.0.2.7/24", "dev", "dev0", "label", "dev0:old")
    box.create(preexec_fn=net.enter)
    device = link(box.pid, "eth0")
    assert "UP" in device["flags"]
    assert [each["label"] for each in device["addr_info"] if each["family"] == "inet"] == ["eth0"]
    assert "UP" in link(box.pid, "abcdefghijklmno")["flags"]
    assert net.names() == {"lo"}
    stop(box)


@pytest.mark.rows("NET-12")
def test_joined_by_a_first_leg(new_box, nets, net):
    """A user namespace that is made makes the network namespace be joined by a process that comes
    before the container's init."""
    there = nets()
    box = pausing(new_box, {"dev0": {"name": "eth0"}})
    box.userns()
    box.namespace("network", there.path)
    box.config["mounts"] = [each for each in box.config["mounts"] if each["type"] != "sysfs"]
    box.create(preexec_fn=net.enter)
    assert there.names() == {"lo", "eth0"}
    stop(box)


@pytest.mark.rows("NET-12", "NET-14")
def test_with_a_user_namespace(new_box, net):
    net.ip("addr", "add", "192.0.2.7/24", "dev", "dev0")
    box = pausing(new_box, {"dev0": {}})
    box.userns()
    box.create(preexec_fn=net.enter)
    assert ("192.0.2.7", 24, "global") in addresses(link(box.pid, "dev0"))
    stop(box)


@pytest.mark.rows("NET-13", "NET-15", "NET-14")
def test_template(new_box, nets, net):
    """The numbers that are taken are left out, and the addresses find the device."""
    there = nets()
    there.pair("eth0", "eth1")
    net.ip("addr", "add", "192.0.2.7/24", "dev", "peer0")
    box = pausing(new_box, {"dev0": {"name": "eth%d"}, "peer0": {"name": "eth%d"}})
    box.namespace("network", there.path)
    box.create(preexec_fn=net.enter)
    assert there.names() == {"lo", "eth0", "eth1", "eth2", "eth3"}
    assert ("192.0.2.7", 24, "global") in addresses(there.link("eth3"))
    stop(box)


@pytest.mark.rows("NET-12")
def test_index_that_is_taken(new_box, nets, net):
    """The number of the device is another one inside when it is taken there."""
    there = nets()
    for name in ("a", "b", "c"):
        there.pair(f"{name}0", f"{name}1")
    net.ip("addr", "add", "192.0.2.7/24", "dev", "dev0")
    box = pausing(new_box, {"dev0": {"name": "eth0"}})
    box.namespace("network", there.path)
    before = net.link("dev0")["ifindex"]
    assert before in {each["ifindex"] for each in json.loads(there.ip("-j", "link"))}
    box.create(preexec_fn=net.enter)
    assert there.link("eth0")["ifindex"] != before
    assert "UP" in there.link("eth0")["flags"]
    assert ("192.0.2.7", 24, "global") in addresses(there.link("eth0"))
    assert not [each for name in ("a0", "a1", "b0", "b1", "c0", "c1")
                for each in there.link(name)["addr_info"]]
    stop(box)


@pytest.mark.rows("NET-15", "NET-19")
@pytest.mark.parametrize("name", [None, "eth0"], ids=["kept", "renamed"])
def test_name_that_is_taken(new_box, nets, net, fails, name):
    """The device that cannot move stays as it is, and one that had moved comes back whole."""
    there = nets()
    there.pair(name or "dev0", "other")
    net.ip("addr", "add", "192.0.2.7/24", "dev", "peer0")
    net.ip("addr", "add", "203.0.113.6/24", "scope", "link", "dev", "peer0")
    net.ip("addr", "add", "192.0.2.9/24", "dev", "dev0")
    net.ip("link", "set", "peer0", "up")
    box = new_box("report")
    box.linux["netDevices"] = {"peer0": {"name": "moved"},
                               "dev0": {"name": name} if name else {}}
    box.namespace("network", there.path)
    before = there.link(name or "dev0")
    fails(box.create(code=None, preexec_fn=net.enter), "dev0", name or "dev0",
          at="/linux/netDevices/dev0", own=("already",))
    assert there.names() == {"lo", name or "dev0", "other"}
    assert there.link(name or "dev0") == before
    assert net.names() == {"lo", "dev0", "peer0"}
    assert addresses(net.link("dev0")) == {("192.0.2.9", 24, "global")}
    assert {("192.0.2.7", 24, "global"), ("203.0.113.6", 24, "link")} <= \
        addresses(net.link("peer0"))
    assert "UP" in net.link("peer0")["flags"]
    assert "UP" not in net.link("dev0")["flags"]


@pytest.mark.rows("NET-19")
@pytest.mark.parametrize("verb", ["create", "run"])
def test_a_later_failure_returns_the_device(new_box, net, fails, verb):
    net.ip("addr", "add", "192.0.2.7/24", "dev", "dev0")
    net.ip("link", "set", "dev0", "up")
    box = new_box("report")
    box.linux["netDevices"] = {"dev0": {"name": "eth0"}}
    box.process["args"] = ["/bin/nothing"]
    fails(box.create(code=None, verb=verb, preexec_fn=net.enter), "no such file or directory")
    device = net.link("dev0")
    assert device and "UP" in device["flags"]
    assert ("192.0.2.7", 24, "global") in addresses(device)


@pytest.mark.rows("NET-12", "NET-19")
def test_device_that_is_not_there(new_box, net, fails):
    box = new_box("report")
    box.linux["netDevices"] = {"dev0": {}, "nowhere": {}}
    fails(box.create(code=None, preexec_fn=net.enter), "nowhere", own=("no such device",),
          at="/linux/netDevices/nowhere")
    assert net.names() == {"lo", "dev0", "peer0"}


@pytest.mark.rows("NET-15")
def test_device_that_cannot_move(new_box, nets, net, fails):
    there = nets()
    box = new_box("report")
    box.linux["netDevices"] = {"dev0": {}, "lo": {"name": "loop"}}
    box.namespace("network", there.path)
    fails(box.create(code=None, preexec_fn=net.enter), "lo", at="/linux/netDevices/lo")
    assert net.names() == {"lo", "dev0", "peer0"}
    assert there.names() == {"lo"}


@pytest.mark.rows("NET-16")
def test_without_a_network_namespace(new_box, net, fails):
    box = new_box("report")
    box.linux["netDevices"] = {"dev0": {"name": "eth0"}}
    box.namespace("network", net.path)          # that of the runtime itself
    fails(box.create(code=None, preexec_fn=net.enter), "network namespace",
          at="/linux/netDevices")
    box.namespace("network", absent=True)
    box.config["mounts"] = []
    fails(box.create(code=None, preexec_fn=net.enter), "network namespace",
          at="/linux/netDevices")
    assert net.names() == {"lo", "dev0", "peer0"}


@pytest.mark.rows("NET-13", "NET-16")
@pytest.mark.parametrize("devices, at", [
    ({"dev0": {"name": "eth0"}, "peer0": {"name": "eth0"}}, "peer0"),
    ({"dev0": {"name": "peer0"}, "peer0": {}}, "peer0"),
    ({"dev0": {"name": "abcdefghijklmnop"}}, "dev0"), ({"dev0": {"name": "a b"}}, "dev0"),
    ({"dev0": {"name": "."}}, "dev0"), ({"dev0": {"name": "a:b"}}, "dev0"),
    ({"dev0": {"name": "eth%s"}}, "dev0"), ({"dev0": {"name": "a/b"}}, "dev0"),
], ids=["twice", "twice-kept", "long", "space", "dot", "colon", "template", "slash"])
def test_bad_names(new_box, net, fails, devices, at):
    box = new_box("report")
    box.linux["netDevices"] = devices
    fails(box.create(code=None, preexec_fn=net.enter), at=f"/linux/netDevices/{at}")
    assert net.names() == {"lo", "dev0", "peer0"}


@pytest.mark.rows("NET-17")
def test_without_the_capability(new_box, net, fails):
    box = new_box("report")
    box.linux["netDevices"] = {"dev0": {}}
    told = box.create(code=None, preexec_fn=net.enter,
                      shell="exec setpriv --bounding-set -net_admin --inh-caps -net_admin \"$@\"")
    fails(told, "CAP_NET_ADMIN", at="/linux/netDevices")
    assert net.names() == {"lo", "dev0", "peer0"}


@pytest.mark.rows("NET-12")
@pytest.mark.own
def test_features(rt):
    told = json.loads(rt.call("features").out)
    assert told["linux"]["netDevices"] == {"enabled": True}
