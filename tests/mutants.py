#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Small faults in the sources, one at a time: which of them do the tests not see?

    tests/mutants.py --count 30 --seed 1 src/state/*.c src/lifecycle/destroy.c
    tests/mutants.py --count 30 --tests tests/feature/test_looks.py FILE...

It works in a copy of the tree of its own (--work DIR: kept for the next time), makes N random mutants
of the files, builds each, runs `make check` and, where that sees nothing, the given tests of the
container suite, and prints the survivors as a diff would name them. No stage: what it takes is minutes."""

import argparse
import collections
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TESTS = ["tests/feature/test_looks.py", "tests/feature/test_lifecycle.py", "tests/feature/test_pause.py"]

Mutant = collections.namedtuple("Mutant", "path line kind before after")

COMPARISONS = {"==": "!=", "!=": "==", "<": "<=", "<=": "<", ">": ">=", ">=": ">"}


def if_condition(line):
    """The condition of an if or while that stands on one line; (start, end), or None."""
    begin = re.search(r"\b(?:if|while) \(", line)
    if not begin:
        return None
    depth = 0
    for at in range(begin.end() - 1, len(line)):
        depth += {"(": 1, ")": -1}.get(line[at], 0)
        if depth == 0:
            return begin.end(), at
    return None


def mutations(line):
    """(kind, new line) of each small fault that the line can have."""
    span = if_condition(line)
    if span and "while" not in line:
        yield "negated condition", f"{line[:span[0]]}!({line[span[0]:span[1]]}){line[span[1]:]}"
    for match in re.finditer(r" (==|!=|<=|>=|<|>) ", line):
        if "#include" not in line and "->" not in match.group():
            yield "changed comparison", f"{line[:match.start(1)]}{COMPARISONS[match.group(1)]}{line[match.end(1):]}"
    for match in re.finditer(r" (&&|\|\|) ", line):
        yield "and for or", f"{line[:match.start(1)]}{'||' if match.group(1) == '&&' else '&&'}{line[match.end(1):]}"
    if re.match(r"\s+(?:\(void\))?[a-z_0-9]+ \([^;{}]*\);\s*(?:/\*.*)?$", line) and "error_" not in line:
        yield "dropped call", re.match(r"\s+", line).group() + ";\n"
    if re.match(r"\s+return -1;", line):
        yield "dropped error", line.replace("return -1;", "return 0;")
    elif re.match(r"\s+return (true|false|0|1);", line):
        word = re.match(r"\s+return (\w+);", line).group(1)
        other = {"true": "false", "false": "true", "0": "1", "1": "0"}[word]
        yield "other answer", line.replace(f"return {word};", f"return {other};")
    for match in re.finditer(r"(?<=[\w\])]) ([+-]) 1\b", line):
        yield "off by one", line[:match.start()] + line[match.end():]


def all_mutants(tree, paths):
    for path in paths:
        with open(os.path.join(tree, path), encoding="utf-8") as file:
            lines = file.readlines()
        comment = False
        for number, line in enumerate(lines, 1):
            comment = comment or line.lstrip().startswith("/*")
            if not comment and line.startswith(" "):
                for kind, after in mutations(line):
                    yield Mutant(path, number, kind, line, after)
            if "*/" in line:
                comment = False


def quiet(words, tree, seconds, **environ):
    with subprocess.Popen(words, cwd=tree, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                          stdin=subprocess.DEVNULL, start_new_session=True,
                          env={**os.environ, **environ}) as process:
        try:
            return process.wait(seconds)
        except BaseException as error:      # a mutant may never end, and has children
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            if isinstance(error, subprocess.TimeoutExpired):
                return "timeout"
            raise


def prepare(tree):
    """A copy of what git knows, as it is now, and a build of it."""
    names = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=TOP, check=True,
                           capture_output=True).stdout.decode().split("\0")
    for name in filter(None, names):
        source, target = os.path.join(TOP, name), os.path.join(tree, name)
        if not os.path.isfile(source):
            continue
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(source, "rb") as file:
            text = file.read()
        if not os.path.exists(target) or open(target, "rb").read() != text:
            shutil.copy(source, target)
    build = os.path.join(tree, "build")
    os.makedirs(build, exist_ok=True)
    if not os.path.exists(os.path.join(build, "Makefile")):
        subprocess.run(["./autogen.sh"], cwd=tree, check=True, capture_output=True)
        subprocess.run(["../configure", "-q", *filter(None, os.environ.get("RT_CONFIGURE", "").split("\n"))],
                       cwd=build, check=True, capture_output=True)
    subprocess.run(["make", "-s", "-C", build, f"-j{os.cpu_count()}", "rt"], check=True, capture_output=True)


def verdict(tree, tests):
    """What sees the fault: "build", "unit", "suite", or None."""
    jobs = str(os.cpu_count())
    if quiet(["make", "-s", "-C", "build", f"-j{jobs}", "rt"], tree, 300) != 0:
        return "build"
    if quiet(["make", "-s", "-C", "build", f"-j{jobs}", "check"], tree, 120) != 0:
        return "unit"
    if tests and quiet([sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-n", jobs, *tests],
                       tree, 600, RT=os.path.join(tree, "build", "rt")) != 0:
        return "suite"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--work", help="the copy of the tree; kept")
    parser.add_argument("--tests", action="append", help="of the container suite; `none` for none")
    parser.add_argument("files", nargs="+")
    options = parser.parse_args()
    tests = [each for each in options.tests or TESTS if each != "none"]
    tree = os.path.abspath(options.work) if options.work else tempfile.mkdtemp(prefix="rt-mutants.")
    paths = [os.path.relpath(os.path.abspath(path), TOP) for path in options.files]
    try:
        prepare(tree)
        first = verdict(tree, tests)
        if first:
            sys.exit(f"the tree as it is does not pass: {first}")
        every = list(all_mutants(tree, paths))
        chosen = random.Random(options.seed).sample(every, min(options.count, len(every)))
        seen = collections.Counter()
        for mutant in chosen:
            path = os.path.join(tree, mutant.path)
            with open(path, encoding="utf-8") as file:
                lines = file.readlines()
            with open(path, "w", encoding="utf-8") as file:
                file.writelines([*lines[:mutant.line - 1], mutant.after, *lines[mutant.line:]])
            try:
                found = verdict(tree, tests)
            finally:
                with open(path, "w", encoding="utf-8") as file:
                    file.writelines(lines)
            seen[found or "survived"] += 1
            if not found:
                print(f"{mutant.path}:{mutant.line}: {mutant.kind}\n-{mutant.before}+{mutant.after}", flush=True)
        print(f"{len(chosen)} of {len(every)} mutants: " + ", ".join(f"{n} {word}" for word, n in seen.items()))
    finally:
        if not options.work:
            shutil.rmtree(tree)


if __name__ == "__main__":
    main()
