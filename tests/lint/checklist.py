#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""checklist: which rows of tests/checklist.tsv have a test. Fails where a row that is marked done has
none, and where a test names a row that does not exist.

    checklist.py            the verdict and one line of figures
    checklist.py --open     also each row without a test
    checklist.py --where    also each row with the tests that name it
    checklist.py --mark     sets done where a test names the row, open elsewhere
"""

import os
import re
import sys

import tree

LIST = "tests/checklist.tsv"
ID = re.compile(r"\b[A-Z0-9]{3}-\d{2}\b")
IN_PYTHON = re.compile(r"@pytest\.mark\.rows\s*\((.*?)\)|(?<![\w.])rows\s*\((.*?)\)", re.S)
IN_C = re.compile(r"/\*\s*rows:(.*?)\*/", re.S)
IN_SHELL = re.compile(r"^\s*# rows:(.*)$", re.M)
WAYS = {".py": IN_PYTHON, ".c": IN_C, ".h": IN_C, ".sh": IN_SHELL}


def read_list():
    rows = {}
    for number, line in enumerate(tree.read(LIST).splitlines(), 1):
        words = line.split("\t")
        if len(words) != 4 or not ID.fullmatch(words[0]) or not words[3]:
            tree.fail(LIST, number, "a row is: id, class, state, title, with tabs between")
            continue
        if words[1] not in ("core", "full", "exotic") or words[2] not in ("done", "open"):
            tree.fail(LIST, number, f"class {words[1]}, state {words[2]}: not words of this list")
        if words[0] in rows:
            tree.fail(LIST, number, f"{words[0]} stands twice")
        rows[words[0]] = (number, words[1], words[2], words[3])
    return rows


def read_tests(rows):
    """{row: [file:line]}"""
    named = {}
    for path in tree.files(*WAYS, under="tests"):
        if path.startswith("tests/lint/"):
            continue
        text = tree.read(path)
        for match in WAYS[os.path.splitext(path)[1]].finditer(text):
            line = tree.line_of(text, match.start())
            for row in ID.findall(" ".join(group or "" for group in match.groups())):
                named.setdefault(row, []).append(f"{path}:{line}")
                if row not in rows:
                    tree.fail(path, line, f"{row} is not a row of {LIST}")
    return named


def mark(named):
    lines = []
    for line in tree.read(LIST).splitlines():
        row, kind, _, title = line.split("\t")
        lines.append("\t".join((row, kind, "done" if row in named else "open", title)))
    with open(os.path.join(tree.ROOT, LIST), "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def main():
    rows = read_list()
    named = read_tests(rows)
    if "--mark" in sys.argv:
        mark(named)
        rows = read_list()
    figures = {}
    for row, (number, kind, state, title) in rows.items():
        tested = row in named
        total, covered = figures.get(kind, (0, 0))
        figures[kind] = (total + 1, covered + tested)
        if state == "done" and not tested:
            tree.fail(LIST, number, f"{row} is marked done and no test names it ({title})")
        if not tested and "--open" in sys.argv:
            print(f"open {row} {kind}: {title}")
        if tested and "--where" in sys.argv:
            print(f"{row} {title}: {' '.join(named[row])}")
    print("rows with a test: " + ", ".join(f"{kind} {figures[kind][1]} of {figures[kind][0]}"
                                           for kind in ("core", "full", "exotic") if kind in figures))
    tree.finish()


main()
