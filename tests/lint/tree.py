# SPDX-License-Identifier: Apache-2.0
"""tree: the files that are looked at, and C source without what only people read."""

import os
import re
import sys

ROOT = os.path.abspath(os.environ.get("LINT_TREE") or
                       os.path.join(os.path.dirname(__file__), "..", ".."))
SKIPPED = {".git", "build-aux", "autom4te.cache", "__pycache__", ".pytest_cache", ".deps"}
GENERATED = {"aclocal.m4", "config.h", "commit.h"}
C_FOLDERS = ("src", "oci-spec", "tests", "contrib")

failures = 0


def fail(path, line, text):
    """One finding, in the form that editors jump to."""
    global failures
    failures += 1
    print(f"{path}:{line}: {text}")


def finish():
    sys.exit(1 if failures else 0)


def files(*endings, under=None):
    """Paths relative to the root, sorted. Build folders are those with a config.status."""
    found = []
    for directory, folders, names in os.walk(os.path.join(ROOT, under) if under else ROOT):
        if directory != ROOT and "config.status" in names:
            folders[:] = []
            continue
        folders[:] = sorted(name for name in folders if name not in SKIPPED)
        if directory == ROOT:
            folders[:] = [name for name in folders if not name.startswith("build")]
        for name in sorted(names):
            if name not in GENERATED and (not endings or name.endswith(endings)):
                found.append(os.path.relpath(os.path.join(directory, name), ROOT))
    return found


def c_files(*folders, endings=(".c", ".h")):
    return [path for folder in folders or C_FOLDERS if os.path.isdir(os.path.join(ROOT, folder))
            for path in files(*endings, under=folder)]


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


TOKEN = re.compile(r"""(?P<comment>/\*.*?\*/|//[^\n]*)
                      |(?P<string>"(?:\\.|[^"\\\n])*")
                      |(?P<char>'(?:\\.|[^'\\\n])+')""", re.S | re.X)


def code(text, strings=True):
    """C text with comments blanked (and the inside of strings, where asked for); the lines stay
    where they were."""
    def blank(match):
        word = match.group(0)
        if match.lastgroup == "comment":
            return re.sub(r"[^\n]", " ", word)
        if strings or len(word) < 2:
            return word
        return word[0] + " " * (len(word) - 2) + word[-1]
    return TOKEN.sub(blank, text)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def table(path, columns):
    """The rows of a file of words: COLUMNS words and then a reason, which nobody may leave out."""
    rows = {}
    full = os.path.join(ROOT, path)
    if not os.path.exists(full):
        return rows
    for number, line in enumerate(read(path).splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        words = line.split(None, columns)
        if len(words) <= columns:
            fail(path, number, f"an exception needs {columns} words and a reason")
            continue
        if tuple(words[:columns]) in rows:
            fail(path, number, "this exception stands twice")
        rows[tuple(words[:columns])] = number
    return rows


def stale(path, rows, used):
    """An exception that nothing needs any more must go."""
    for row, number in rows.items():
        if row not in used:
            fail(path, number, f"nothing needs this exception: {' '.join(row)}")
