#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""layers: which folder may include which (ARCHITECTURE.md), no circles among headers, and the files
of container/ do not know those of other sections."""

import os
import re

import tree

BELOW = {
    "base": [],
    "oci-spec": ["base"],
    "kernel": ["base"],
    "container": ["base", "kernel", "oci-spec"],
    "cgroup": ["base", "kernel", "oci-spec"],
    "criu": ["base", "kernel", "oci-spec"],
    "state": ["base", "kernel", "oci-spec"],
    "lifecycle": ["base", "oci-spec", "kernel", "container", "cgroup", "criu", "state"],
    "commands": ["base", "oci-spec", "cgroup", "state", "lifecycle"],
}
GENERATED = {"config.h": "commands", "commit.h": "commands"}
# Headers of libraries that only some files may know.
LIBRARIES = {
    "yajl/": ["oci-spec/json.c"],
}
ALLOW = "tests/lint/layers.allow"
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]+(["<])([^">]+)[">]', re.M)


def folder_of(path):
    parts = path.split("/")
    return parts[1] if parts[0] == "src" else parts[0]


def section(path):
    """seccomp.c and seccomp_code.c are one section, in files of a readable size."""
    return os.path.splitext(os.path.basename(path))[0].split("_")[0]


def resolve(path, name):
    """Where the compiler finds it: beside the file, then below src/ and the top."""
    for base in (os.path.dirname(path), "src", ""):
        candidate = os.path.normpath(os.path.join(base, name))
        if os.path.exists(os.path.join(tree.ROOT, candidate)):
            return candidate
    return None


def check_file(path, allowed, used, graph):
    text = tree.code(tree.read(path))
    for match in INCLUDE.finditer(text):
        line, name = tree.line_of(text, match.start()), match.group(2)
        if match.group(1) == "<":
            if name.startswith("yajl/") and path not in LIBRARIES["yajl/"]:
                tree.fail(path, line, f"only oci-spec/json.c knows yajl, not this file: <{name}>")
            if name == "sys/syscall.h" and folder_of(path) != "kernel":
                tree.fail(path, line, "system calls by number belong into src/kernel")
            continue
        target = resolve(path, name)
        if target is None:
            if name not in GENERATED or folder_of(path) != GENERATED[name]:
                tree.fail(path, line, f"\"{name}\" is not in the tree")
            continue
        graph.setdefault(path, []).append((target, line))
        here, there = folder_of(path), folder_of(target)
        if here not in BELOW:
            tree.fail(path, line, f"folder {here} has no row in the table of layers")
        elif here != there and there not in BELOW[here]:
            tree.fail(path, line, f"{here} may not include {there}: \"{name}\"")
        elif here == there == "container" and section(path) != section(target):
            if (path, target) in allowed:
                used.add((path, target))
            else:
                tree.fail(path, line, f"sections of container/ do not include each other: \"{name}\"")


def check_circles(graph):
    state = {}

    def visit(path, trail):
        if state.get(path) == "done":
            return
        state[path] = "open"
        for target, line in graph.get(path, []):
            if state.get(target) == "open":
                tree.fail(path, line, "a circle of headers: " + " ".join(trail + [path, target]))
            else:
                visit(target, trail + [path])
        state[path] = "done"

    for path in sorted(graph):
        visit(path, [])


def main():
    allowed, used, graph = tree.table(ALLOW, 2), set(), {}
    for path in tree.c_files("src", "oci-spec"):
        check_file(path, allowed, used, graph)
    check_circles(graph)
    tree.stale(ALLOW, allowed, used)
    tree.finish()


main()
