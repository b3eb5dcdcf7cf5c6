#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Turns what capture.sh gathered into tests/engines/captured: takes out all that belongs to one machine
or one run, and keeps each seccomp profile once. captured/README.md lists the placeholders.

    placeholders.py WORK-DIRECTORY OUTPUT-DIRECTORY
"""

import json
import re
import sys
from pathlib import Path

ID = re.compile(r"\b[0-9a-f]{64}\b")
TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?( ?[+-]\d{4} UTC|Z)?")

# A privileged container gets every device of the host; these stand for them.
HOST_DEVICES = {"/dev/mem", "/dev/console", "/dev/kmsg", "/dev/loop-control", "/dev/tty0", "/dev/tty1",
                "/dev/loop0", "/dev/fuse", "/dev/net/tun", "/dev/ptmx", "/dev/hwrng"}


def commands(work):
    """All command lines, in order, as (case, arguments)."""
    record = []
    for word in (work / "raw/commands").read_bytes().decode().split("\0"):
        if word.startswith("\n"):
            yield record[0], record[1:]
            record = []
            word = word[1:]
        record.append(word)


class Names:
    """The words of one machine and one run, and what is written in their place."""

    def __init__(self, work):
        self.work = str(work)
        self.words = {}
        self.others = []

    def learn(self, word, name):
        if word:
            self.words.setdefault(word, name)

    def container(self, bundle, container):
        self.learn(bundle, "@BUNDLE@")
        self.learn(container, "@ID@")
        if ID.fullmatch(container):
            self.learn(container[:32], "@UUID@")
            self.learn(container[:12], "@SHORTID@")

    def _other(self, match):
        if match[0] not in self.others:
            self.others.append(match[0])
        return f"@OTHER{self.others.index(match[0]) + 1}@"

    def replace(self, text):
        for word in sorted(self.words, key=len, reverse=True):
            text = text.replace(word, self.words[word])
        text = text.replace(self.work + "/volume", "@VOLUME@")
        text = re.sub(re.escape(self.work) + r"/(podman|docker|containerd)\b", "@ENGINE@", text)
        text = ID.sub(self._other, text)
        for number, word in enumerate(self.others, 1):
            text = text.replace(word[:12], f"@OTHER{number}@")
        text = TIME.sub("2000-01-01T00:00:00Z", text)
        return text.replace("capturehost", "@HOSTNAME@")

    def everywhere(self, value):
        if isinstance(value, str):
            return self.replace(value)
        if isinstance(value, list):
            return [self.everywhere(item) for item in value]
        if isinstance(value, dict):
            return {self.replace(key): self.everywhere(item) for key, item in value.items()}
        return value


class Profiles:
    """The seccomp profiles, each written once."""

    def __init__(self, out):
        self.out = out
        self.known = {}

    def keep(self, engine, profile):
        text = json.dumps(profile, indent=1) + "\n"
        if text not in self.known:
            number = sum(name.startswith(engine) for name in self.known.values()) + 1
            self.known[text] = f"{engine}-{number}.json"
            (self.out / self.known[text]).write_text(text)
        return f"@SECCOMP@/{self.known[text]}"


def portable(config, names, profiles, engine):
    names.learn(config["root"]["path"], "@ROOTFS@")
    linux = config["linux"]
    for namespace in linux.get("namespaces", []):
        if "path" in namespace:
            namespace["path"] = f"@NAMESPACE@/{namespace['type']}"
    for hooks in config.get("hooks", {}).values():
        for hook in hooks:
            hook["path"] = "@HOOK@"
            hook["args"] = [re.sub(r"^[0-9a-f]{12}$", "@RANDOM@", word) for word in hook.get("args", [])]
    if "devices" in linux:
        linux["devices"] = [device for device in linux["devices"]
                            if device["path"] in HOST_DEVICES or not str(device["path"]).startswith("/dev/")
                            or len(linux["devices"]) < 12]
    if "seccomp" in linux:
        linux["seccomp"] = profiles.keep(engine, linux["seccomp"])
    return names.everywhere(config)


def main():
    work, out = Path(sys.argv[1]), Path(sys.argv[2])
    raw = work / "raw"
    (out / "seccomp").mkdir(parents=True, exist_ok=True)
    for old in [*out.glob("*.json"), *out.glob("*.commands"), *out.glob("seccomp/*.json")]:
        old.unlink()

    every, lines, profiles = {}, {}, Profiles(out / "seccomp")
    for case, words in commands(work):
        names = every.setdefault(case, Names(work))
        if "create" in words and "--bundle" in words:
            names.container(words[words.index("--bundle") + 1], words[-1])
        lines.setdefault(case.split("-")[0], []).append((case, words))
    for path in sorted(raw.glob("*.json")):
        case, kind = path.name.split(".")[:2]
        value = json.loads(path.read_text())
        names = every[case]
        if kind == "config":
            value = portable(value, names, profiles, case.split("-")[0])
            target = out / f"{case}.json"
        else:
            value["env"] = [re.sub(r"^HOSTNAME=[0-9a-f]{12}$", "HOSTNAME=@SHORTID@", word) for word in value["env"]]
            value = names.everywhere(value)
            target = out / f"{case}.process.json"
        target.write_text(json.dumps(value, indent=1) + "\n")
    for engine, calls in lines.items():
        text = "".join(f"{case}: {' '.join(every[case].replace(word) for word in words)}\n" for case, words in calls)
        text = re.sub(r"/tmp/(runc-process|pty)\d+", r"/tmp/\1@RANDOM@", text)
        (out / f"{engine}.commands").write_text(text)


if __name__ == "__main__":
    main()
