# SPDX-License-Identifier: Apache-2.0
"""What rt says of itself: help, hints for what is mistyped, the man page and the completions of
shells. All of it comes from the tables that the parser reads."""

import os
import re
import shutil
import subprocess

import pytest

from bundle import label
from fixtures import TOP

CONTRIB = os.path.join(TOP, "contrib")
pytestmark = pytest.mark.needs("once: words of the program")


def verbs(rt):
    text = rt.call("--help", root=False).out
    part = text.split("Commands:\n")[1].split("\n\n")[0]
    return re.findall(r"^  ([a-z]+) ", part, re.M)


def options(rt, *verb):
    """The long options of a help."""
    return re.findall(r"^  (?:-., |    )(--[a-z0-9-]+)", rt.call(*verb, "--help", root=False).out, re.M)


@pytest.mark.rows("CLI-24", "CLI-25")
@pytest.mark.own
def test_each_verb_has_a_help(rt):
    names = verbs(rt)
    assert {"run", "create", "start", "exec", "kill", "delete", "state", "list"} <= set(names)
    for name in names:
        for words in ([name, "--help"], [name, "-h"], ["help", name]):
            told = rt.call(*words, root=False)
            assert (told.code, told.err) == (0, ""), told
            assert told.out.startswith(f"Usage: rt {name}"), told
            assert all(len(line) <= 80 for line in told.out.splitlines()), told
    assert rt.call("help", root=False).out == rt.call("--help", root=False).out


@pytest.mark.rows("CLI-26", "CLI-27", "CLI-28")
@pytest.mark.own
@pytest.mark.parametrize("words, said", [
    ([], "please specify a command (see rt --help)"),
    (["crate", "x"], "unknown command `crate` (did you mean create?)"),
    (["sate", "x"], "unknown command `sate` (did you mean state?)"),
    (["help", "kil"], "unknown command `kil` (did you mean kill?)"),
    (["something"], "unknown command `something` (see rt --help)"),
    (["_complete"], "unknown command `_complete` (see rt --help)"),
    (["run", "--bunlde", "x"], "rt run: unknown option `--bunlde` (did you mean --bundle?)"),
    (["kill", "-x", "a"], "rt kill: unknown option `-x` (see rt kill --help)"),
    (["--rot", "x", "list"], "rt: unknown option `--rot` (did you mean --root?)"),
    (["list", "--root", "/x"], "rt list: unknown option `--root` (it is an option of rt itself: "
                               "write it before the command)"),
    (["list", "--format", "jsno"], "rt list: invalid value `jsno` of --format: it is one of "
                                   "table|json"),
    (["run"], "rt run: wrong number of arguments: exactly 1 wanted, 0 given (usage: rt run "
              "[OPTIONS] ID|BUNDLE)"),
], ids=label)
def test_mistyped(rt, words, said):
    told = rt.call(*words, root=False)
    assert (told.code, told.out, told.err) == (1, "", f"rt: error: {said}\n")


@pytest.mark.rows("CLI-23")
@pytest.mark.own
def test_version_names_the_libraries(rt):
    assert re.search(r"^libseccomp: \d+\.\d+\.\d+$", rt.call("--version", root=False).out, re.M)


@pytest.mark.rows("CLI-37")
@pytest.mark.own
@pytest.mark.parametrize("name", ["krun", "rt-wasm", "crun"])
def test_another_name_changes_nothing(box, work, name):
    link = os.path.join(work, name)
    os.symlink(box.rt.path, link)
    box.rt.path = link
    told = box.run()
    assert told.report["pid"] == 1 and told.err == ""


@pytest.mark.rows("PKG-01")
@pytest.mark.own
def test_man_page(rt, work):
    """Each verb and each option, and nothing that roff stumbles over."""
    page = subprocess.run([CONTRIB + "/manpage.sh", rt.path], stdout=subprocess.PIPE, check=True,
                          text=True).stdout
    for name in verbs(rt):
        assert re.search(rf"^\.SS rt {name}\b", page, re.M), name
        section = page.split(f".SS rt {name}")[1].split("\n.S")[0].replace("\\-", "-")
        assert [each for each in options(rt, name) if each not in section] == []
    for name in options(rt):
        assert name in page.replace("\\-", "-")
    if not shutil.which("groff"):
        pytest.skip("no groff here to set the page")
    path = os.path.join(work, "rt.1")
    with open(path, "w", encoding="utf-8") as file:
        file.write(page)
    told = subprocess.run(["groff", "-man", "-Tutf8", "-ww", path], stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, check=True, text=True)
    assert told.stderr == ""


def candidates(rt, *words):
    told = rt.call("__complete", "--", *words)
    assert (told.code, told.err) == (0, ""), told
    return [line.split("\t")[0] for line in told.out.splitlines()]


@pytest.mark.rows("CLI-46", "PKG-02")
@pytest.mark.own
def test_candidates(new_box, rt, work):
    assert candidates(rt, "") == verbs(rt)
    for name in verbs(rt):
        assert candidates(rt, name, "--") == options(rt, name)
    assert candidates(rt, "--") == options(rt)
    box = new_box("pause")
    box.create()
    for verb in ("start", "kill", "exec", "delete", "state", "ps", "pause", "resume", "update"):
        assert candidates(rt, verb, "") == [box.id]
    assert candidates(rt, "delete", "x", "") == [box.id]    # takes several
    assert candidates(rt, "kill", "x", "") == []
    assert candidates(rt, "--root", rt.root, "delete", "-f", box.id[:3]) == [box.id]
    assert candidates(rt, "--root", work + "/none", "delete", "") == []
    assert candidates(rt, "run", "") == []                  # files
    assert candidates(rt, "run", "-b", "") == []
    assert candidates(rt, "list", "-f", "") == ["table", "json"]
    assert candidates(rt, "--log-format", "json", "list", "--format", "t") == ["table"]
    assert candidates(rt, "list", "--format=j") == ["--format=json"]
    assert candidates(rt, "list", "--format", "=", "j") == ["json"]     # as bash cuts it
    assert candidates(rt, "list", "--format", "=") == ["table", "json"]
    assert candidates(rt, "--systemd-cgroup", "sta") == ["start", "state"]
    assert candidates(rt, "--systemd-cgroup", "true", "sta") == ["start", "state"]
    assert candidates(rt, "exec", box.id, "--") == []       # another program's
    assert candidates(rt, "nothing", "") == []


def bash(words):
    inside = " ".join(f"'{word}'" for word in words)
    return ["bash", "-c", f"source {CONTRIB}/completions/rt.bash; COMP_WORDS=({inside}); "
                          f"COMP_CWORD={len(words) - 1}; _rt; printf '%s\\n' \"${{COMPREPLY[@]}}\""]


def zsh(words):
    inside = " ".join(f"'{word}'" for word in words)
    return ["zsh", "-fc", "_describe () print -l -- ${found%%:*}; _files () print files; "
                          f"words=({inside}); CURRENT={len(words)}; "
                          f"f () {{ source {CONTRIB}/completions/_rt }}; f"]


def fish(words):
    return ["fish", "--no-config", "-c", f"source {CONTRIB}/completions/rt.fish; "
            f"complete -C '{' '.join(words)}' | string replace -r '\\t.*' ''"]


@pytest.mark.rows("CLI-46", "PKG-02")
@pytest.mark.own
@pytest.mark.parametrize("shell", [bash, zsh, fish], ids=lambda shell: shell.__name__)
def test_completion_of_shells(new_box, work, shell):
    if not shutil.which(shell.__name__):
        pytest.skip(f"no {shell.__name__} here")
    box = new_box("pause")
    box.create()
    os.symlink(box.rt.path, work + "/rt")
    env = {**os.environ, "PATH": f"{work}:{os.environ['PATH']}", "HOME": work,
           "XDG_RUNTIME_DIR": work}

    def said(*words):
        told = box.rt.execute(shell(["rt", *words]), env=env)
        assert told.err == "", told
        return sorted(told.out.split())

    assert said("st") == ["start", "state"]
    assert said("spec", "--") == ["--bundle", "--config", "--help", "--rootless"]
    assert said("--root", box.rt.root, "delete", "-f", "") == [box.id]
    assert said("list", "--format", "") == ["json", "table"]
