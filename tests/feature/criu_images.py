# SPDX-License-Identifier: Apache-2.0
"""criu_images: images of a container as CRIU would write them, as far as rt looks at them, without CRIU. An
entry is a list of [field, value]; messages in it are such lists, strings are bytes."""

import struct

from fake_criu import number

COMMON = 0x54564319
MAGICS = {"inventory": 0x58313116, "pstree": 0x50273030, "core": 0x55053847, "ids": 0x54432030,
          "seccomp": 0x64413049, "mountpoints": 0x55563928, "cgroup": 0x59383330}
BY_NAME = 16                        # a file system that CRIU has no number for
FLAGS = {"ro": 1, "nosuid": 2, "nodev": 4, "noexec": 8}
SETS = {"inheritable": 9, "permitted": 10, "effective": 11, "bounding": 12, "ambient": 19}
UID, GID, EUID, EGID, SUID, SGID, FSUID, FSGID = range(1, 9)
GROUPS, NO_NEW_PRIVS = 14, 18
POINT, ROOT, SOURCE, DEVICE, MOUNT_FLAGS, KEY, NAME, PLUGIN = 7, 6, 8, 3, 5, 18, 14, 12
HOST, OWN = 1, 2                    # numbers of namespaces


def encode(entry):
    out = b""
    for field, value in entry:
        if isinstance(value, int):
            out += number(field << 3) + number(value)
        else:
            body = encode(value) if isinstance(value, list) else value
            out += number(field << 3 | 2) + number(len(body)) + body
    return out


class Images:
    """What stands in each file; `write` it where rt shall look."""

    def __init__(self, box):
        caps = box.process.get("capabilities", {})
        user = box.process["user"]
        ids = [[field, user["uid"] if field % 2 else user["gid"]] for field in range(UID, FSGID + 1)]
        sets = [[field, word] for name, field in SETS.items() for word in words(caps.get(name, []))]
        self.credentials = ids + sets + [[13, 0]] + [[GROUPS, gid] for gid in user.get("additionalGids", [])] + \
            [[NO_NEW_PRIVS, int(box.process.get("noNewPrivileges", False))]]
        self.thread = [[1, 0], [2, 0], [10, self.credentials]]
        self.core = [[1, 1], [3, [[1, 1], [2, 0], [3, 0], [4, 0], [5, 0], [6, b"probe"]]], [5, self.thread]]
        self.ids = [[field, OWN] for field in range(1, 12)]
        self.inventory = [[1, 2], [3, [[field, HOST] for field in range(1, 12)]]]
        self.tree = [[[1, 1], [2, 0], [3, 1], [4, 1], [5, 1]]]
        self.mounts = [mount(box, line.split()) for line in table(box)]
        self.cgroup = None
        self.more = {}

    def mount(self, point):
        return next(each for each in self.mounts if [POINT, point.encode()] in each)

    def bind(self, point):
        self.mounts.append([[1, BY_NAME], [2, 900], [DEVICE, 1], [4, 1], [MOUNT_FLAGS, 0], [ROOT, b"/somewhere"],
                            [POINT, point.encode()], [SOURCE, b"/dev/disk"], [9, b""], [KEY, point.encode()],
                            [NAME, b"ext4"]])

    def write(self, directory):
        save(directory, "inventory", "inventory.img", [self.inventory])
        save(directory, "pstree", "pstree.img", self.tree)
        save(directory, "core", "core-1.img", [self.core])
        save(directory, "ids", "ids-1.img", [self.ids])
        save(directory, "mountpoints", "mountpoints-13.img", self.mounts)
        if self.cgroup:
            save(directory, "cgroup", "cgroup.img", [self.cgroup])
        for name, data in self.more.items():
            with open(f"{directory}/{name}", "wb") as file:
                file.write(data)


def save(directory, kind, name, entries):
    head = struct.pack("<I", MAGICS[kind]) if kind == "inventory" else struct.pack("<II", COMMON, MAGICS[kind])
    with open(f"{directory}/{name}", "wb") as file:
        file.write(head)
        for entry in entries:
            body = encode(entry)
            file.write(struct.pack("<I", len(body)) + body)


CAPABILITIES = ("CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE "
                "NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT "
                "SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE "
                "AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ "
                "PERFMON BPF CHECKPOINT_RESTORE").split()


def words(names):
    bits = sum(1 << CAPABILITIES.index(name.removeprefix("CAP_")) for name in names)
    return [bits & 0xFFFFFFFF, bits >> 32]


def table(box):
    with open(f"/proc/{box.pid}/mountinfo", encoding="ascii") as file:
        return file.read().splitlines()


def mount(box, line):
    kind = line[line.index("-") + 1]
    point = line[4]
    binds = [each["destination"] for each in box.config["mounts"]
             if {"bind", "rbind"} & set(each.get("options", []))]
    entry = [[1, BY_NAME], [2, int(line[0])], [DEVICE, 1], [4, int(line[1])],
             [MOUNT_FLAGS, sum(FLAGS.get(word, 0) for word in line[5].split(","))], [ROOT, line[3].encode()],
             [POINT, point.encode()], [SOURCE, kind.encode()], [9, b""], [NAME, kind.encode()]]
    return entry + ([[KEY, point.encode()]] if kind in ("cgroup", "cgroup2", "devtmpfs") or point in binds else [])
