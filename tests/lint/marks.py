#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""marks: what each file carries: the licence on its first line, a header guard, a place in a list of
sources, no names that say nothing, and no two versions of one place."""

import os
import re

import tree

LICENCE = "SPDX-License-Identifier: Apache-2.0"
EMPTY_NAMES = re.compile(r"(^|[_-])(utils?|helpers?|common|misc|internal)([_.-]|$)")
EMPTY_FUNCTIONS = re.compile(r"^(?:static )?[\w *]*?\b(do_\w+|\w+_internal|\w+_helper) \(", re.M)
UNMERGED = re.compile(r"^(<{7}|>{7}|\|{7}) ", re.M)
LISTED = ("src/", "oci-spec/", "tests/unit/", "tests/fuzz/")


def check_licence(path, text):
    lines = text.splitlines()[:2]
    if lines and lines[0].startswith("#!"):
        lines = lines[1:]
    if not lines or LICENCE not in lines[0]:
        tree.fail(path, 1, f"the first line must say {LICENCE}")


def check_guard(path, text):
    name = re.sub(r"[^A-Z0-9]", "_", re.sub(r"^src/", "RT/", path).upper())
    if not re.search(rf"^#ifndef {name}\n#define {name}\n", text, re.M):
        tree.fail(path, 1, f"the header's guard should be {name}")


def check_listed(path, lists):
    folder = os.path.dirname(path)
    listed = lists.get(folder)
    if listed is None:
        tree.fail(path, 1, f"{folder} has no Makemodule.am")
    elif not any(name in listed for name in (path, os.path.splitext(path)[0])):
        tree.fail(path, 1, f"not in {folder}/Makemodule.am")


def main():
    lists = {os.path.dirname(path): set(re.findall(r"[^\s\\=]+", tree.read(path)))
             for path in tree.files("Makemodule.am")}
    for path in tree.files(".c", ".h", ".py", ".sh", ".am", ".ac", ".m4"):
        text = tree.read(path)
        if not text:
            continue
        check_licence(path, text)
        if EMPTY_NAMES.search(os.path.basename(path)):
            tree.fail(path, 1, "a name that does not say what is in it")
        if path.endswith((".c", ".h")):
            for match in EMPTY_FUNCTIONS.finditer(tree.code(text)):
                tree.fail(path, tree.line_of(text, match.start(1)),
                          f"{match.group(1)}: a name that does not say what it does")
        if path.startswith(("src/", "oci-spec/")) and path.endswith(".h"):
            check_guard(path, text)
        if path.startswith(LISTED) and path.endswith((".c", ".h")):
            check_listed(path, lists)
    for path in tree.files():
        try:
            unmerged = UNMERGED.search(tree.read(path))
        except UnicodeDecodeError:
            continue
        if unmerged:
            tree.fail(path, tree.line_of(tree.read(path), unmerged.start()), "a merge that was not ended")
    tree.finish()


main()
