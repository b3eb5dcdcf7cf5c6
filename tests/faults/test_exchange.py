# SPDX-License-Identifier: Apache-2.0
"""A volume is shared with a container that is hostile: between any two system calls of a start it puts a link in the
place of a directory, or takes it away again. Nothing outside of the container's root changes, whenever it does so."""

import os
import platform
import subprocess

import pytest

import host

pytestmark = [pytest.mark.own, pytest.mark.needs("root: traces and makes cgroups"),
              pytest.mark.skipif(platform.machine() != "x86_64", reason="stepper.c knows the registers of x86-64")]

LONG = os.environ.get("RT_TEST_LONG") == "1"
SAMPLE = 60     # moments, spread evenly; with --long each call is one


def picture(directory):
    """All that could change in it, and what is mounted there."""
    found = []
    for path, names, files in os.walk(directory):
        for each in [path] + [os.path.join(path, name) for name in names + files]:
            st = os.lstat(each)
            found.append((each, st.st_ino, st.st_mode, st.st_uid, st.st_gid, st.st_nlink, st.st_size, st.st_mtime_ns,
                          st.st_ctime_ns))
    return sorted(found), [line for line in host.mountinfo() if directory in line]


class Volume:
    """dir/... is where the document's paths lead; link is a link to the canary, by each way out."""

    def __init__(self, box, link):
        self.canary = box.beside("canary")
        for name in ("mounted", "masked", "cwd", "made"):
            os.makedirs(os.path.join(self.canary, name))
        with open(os.path.join(self.canary, "file"), "w", encoding="ascii") as file:
            file.write("canary")
        volume = box.beside("volume")
        self.directory, self.link = os.path.join(volume, "dir"), os.path.join(volume, "link")
        for name in ("mounted", "masked", "cwd"):
            os.makedirs(os.path.join(self.directory, name))
        with open(os.path.join(self.directory, "file"), "w", encoding="ascii") as file:
            file.write("own")
        os.symlink({"absolute": self.canary, "relative": "../" * 20 + self.canary[1:]}[link], self.link)
        box.bind(volume, "/volume", "rw")
        box.mount("/volume/dir/mounted", "tmpfs", "tmpfs", ["size=64k"])
        box.mount("/volume/dir/made", "tmpfs", "tmpfs", ["size=64k"])
        box.bind(box.path("/bin/probe"), "/volume/dir/file", "ro")
        box.bind(volume, "/volume/dir/again/deep", "rw")
        box.process["cwd"] = "/volume/dir/cwd"
        box.linux["maskedPaths"] = ["/volume/dir/masked"]
        box.linux["readonlyPaths"] = ["/volume/dir/cwd"]
        box.linux["devices"] = [{"path": "/volume/dir/node", "type": "c", "major": 1, "minor": 3}]
        self.before = picture(self.canary)

    def restore(self):
        if os.path.islink(self.directory):
            os.rename(self.directory, self.link + ".away")
            os.rename(self.link, self.directory)
            os.rename(self.link + ".away", self.link)

    def wrong(self):
        return "" if picture(self.canary) == self.before else "the canary has changed"


@pytest.mark.rows("HDN-04", "HDN-09")
@pytest.mark.parametrize("link", ["absolute", "relative"])
@pytest.mark.parametrize("whose", [(), ("children",)], ids=["parent", "child"])
def test_nothing_outside_changes(new_box, stepper, whose, link):
    box = new_box("report")
    volume = Volume(box, link)
    box.save()
    report, end = os.path.join(box.dir, "report"), os.path.join(box.dir, "end")
    words = [box.rt.path, "--root", box.rt.root, "--timeout", "10s", "create", "-b", box.dir, box.id]

    def create(number, exchange):
        with open(end, "wb") as to:
            process = subprocess.Popen([stepper, *whose, report, str(number), "0", "--", *words],
                                       stdin=subprocess.DEVNULL, stdout=to, stderr=to,
                                       env={**os.environ, "STEPPER_EXCHANGE": exchange})
            code = process.wait(host.PATIENCE)
        with open(end, encoding="utf-8", errors="replace") as file:
            return code, file.read()

    for _ in range(2):      # the first start of a build copies the program
        code, told = create(0, "")
        assert code == 0, told
        assert box.rt.call("delete", "--force", box.id).code == 0
    with open(report, encoding="ascii") as file:
        calls = len(file.read().split())
    moments = range(1, calls + 1)
    if not LONG:
        moments = sorted({round(1 + i * (calls - 1) / (SAMPLE - 1)) for i in range(SAMPLE)})
    failures, exchanged = [], 0
    for number in moments:
        code, told = create(number, f"{volume.directory}:{volume.link}")
        assert "stepper:" not in told, told
        exchanged += os.path.islink(volume.directory)
        volume.restore()
        deleted = box.rt.call("delete", "--force", box.id)
        found = [volume.wrong(), f"exit {code}" if code not in (0, 1) else "", deleted.err if deleted.code else ""]
        if any(found):
            failures.append(f"{number}: {found} {told}")
            if len(failures) > 5:
                break
    host.reap_all()
    assert not failures, "\n".join(failures)
    assert exchanged > len(moments) * 0.9, "it was not exchanged"
