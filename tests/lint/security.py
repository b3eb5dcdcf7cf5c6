#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""security: what SECURITY.md promises is there: each test that its table names, a test in each row, and a row
for each flaw that the source or a test names."""

import os
import re

import tree

PAGE = "SECURITY.md"
NAMED = re.compile(r"`(test_\w+\.(?:py|c))::(\w+)`")
FLAW = re.compile(r"\bCVE-\d{4}-\d{4,}\b")
SHORT = re.compile(r"(CVE-\d{4}-\d+)((?:, -\d{4,})+)")      # CVE-2026-115520, -115521


def flaws(text):
    """The numbers in full: "CVE-2023-27561, -28642" are two of one year."""
    found = set(FLAW.findall(text))
    for match in SHORT.finditer(text):
        year = match.group(1).rsplit("-", 1)[0]
        found |= {year + number for number in re.findall(r"-\d{4,}", match.group(2))}
    return found


def defines(path, name):
    pattern = rf"^def {name}\b" if path.endswith(".py") else rf"^static void {name} \(void \*\*"
    return re.search(pattern, tree.read(path), re.M)


def check_tests(lines, tests):
    for number, line in enumerate(lines, 1):
        for name, function in NAMED.findall(line):
            if name not in tests:
                tree.fail(PAGE, number, f"{name} is not a file of the tests")
            elif not defines(tests[name], function):
                tree.fail(PAGE, number, f"{tests[name]} has no test {function}")
        if line.startswith("|") and FLAW.search(line) and not NAMED.search(line):
            tree.fail(PAGE, number, "a row without a test")


def main():
    if not os.path.exists(os.path.join(tree.ROOT, PAGE)):
        tree.fail(PAGE, 1, "is not there")
        return
    page = tree.read(PAGE)
    tests = {os.path.basename(path): path for path in tree.files(".py", ".c", under="tests")}
    check_tests(page.splitlines(), tests)
    told = flaws(page)
    for path in tree.c_files("src", "oci-spec") + tree.files(".py", ".c", ".h", under="tests"):
        if path.startswith("tests/lint/"):
            continue
        text = tree.read(path)
        for match in FLAW.finditer(text):
            if match.group(0) not in told:
                tree.fail(path, tree.line_of(text, match.start()), f"{match.group(0)} is not in {PAGE}")


main()
tree.finish()
