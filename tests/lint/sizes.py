#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""sizes: no file over 600 lines, no function over 80. What wants to be longer is cut wrong."""

import re

import tree

FILE_LINES = 600
FUNCTION_LINES = 80
NAME = re.compile(r"(\w+) \([^;{}]*\)\s*$", re.S)


def functions(text):
    """(name, first line, lines) of each body; braces of functions stand in the first column."""
    lines = text.splitlines()
    start = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            start = number
        elif line.startswith("}") and start:
            head = "\n".join(lines[max(0, start - 12):start - 1])
            match = NAME.search(head.split("\n}")[-1])
            if match:
                yield match.group(1), start, number - start - 1
            start = None


def main():
    for path in tree.files(".c", ".h", ".py", ".sh", ".am", ".ac", ".m4"):
        text = tree.read(path)
        count = text.count("\n")
        if count > FILE_LINES:
            tree.fail(path, FILE_LINES + 1, f"{count} lines, more than {FILE_LINES}")
        if path.endswith((".c", ".h")):
            for name, line, size in functions(tree.code(text)):
                if size > FUNCTION_LINES:
                    tree.fail(path, line, f"{name} has {size} lines, more than {FUNCTION_LINES}")
    tree.finish()


main()
