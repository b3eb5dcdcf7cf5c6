#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""calls: the rules of the security model that can be seen in the source (ARCHITECTURE.md, "Six
rules"). What is forbidden and yet right at one place stands in calls.allow, with the reason."""

import re

import tree

ALLOW = "tests/lint/calls.allow"


def words(text):
    return text.split()


class Calls:
    """Calls that some folders may not make."""

    def __init__(self, name, why, folders, calls, but=()):
        self.name, self.why, self.folders, self.but = name, why, folders, but
        self.pattern = re.compile(r"(?<![\w.>])(" + "|".join(words(calls)) + r")\s*\(")

    def find(self, path, plain, _):
        for match in self.pattern.finditer(plain):
            if "AT_EMPTY_PATH" not in arguments(plain, match.end()):
                yield match.start(), match.group(1)


class Words(Calls):
    """Words that some folders may not use at all."""

    def __init__(self, name, why, folders, pattern, but=()):
        super().__init__(name, why, folders, "x", but)
        self.pattern = re.compile(r"\b(" + pattern + r")\b")

    def find(self, path, plain, _):
        for match in self.pattern.finditer(plain):
            yield match.start(), match.group(1)


class Strings(Calls):
    """String literals that some folders may not contain. The exception names the string. A literal
    with spaces is a sentence, not a path."""

    def __init__(self, name, why, folders, pattern, but=()):
        super().__init__(name, why, folders, "x", but)
        self.pattern = re.compile(r'"((?:' + pattern + r')[^" \n]*)"')

    def find(self, path, plain, full):
        for match in self.pattern.finditer(full):
            yield match.start(), match.group(1)


class Flagged(Calls):
    """Calls that make a descriptor, and the word that each must have among its arguments. An exception
    is for CALL:cloexec: who may name a path has to close what it opens all the same."""

    NEEDS = {"open": "O_CLOEXEC", "openat": "O_CLOEXEC", "socket": "SOCK_CLOEXEC",
             "socketpair": "SOCK_CLOEXEC", "accept4": "SOCK_CLOEXEC", "pipe2": "O_CLOEXEC",
             "memfd_create": "MFD_CLOEXEC", "epoll_create1": "EPOLL_CLOEXEC",
             "eventfd": "EFD_CLOEXEC", "signalfd": "SFD_CLOEXEC",
             "timerfd_create": "TFD_CLOEXEC", "inotify_init1": "IN_CLOEXEC",
             "dup3": "O_CLOEXEC", "recvmsg": "MSG_CMSG_CLOEXEC", "posix_openpt": "O_CLOEXEC",
             "sys_fsopen": "FSOPEN_CLOEXEC", "sys_fsmount": "FSMOUNT_CLOEXEC",
             "sys_open_tree": "OPEN_TREE_CLOEXEC"}
    NEVER = words("pipe dup creat accept epoll_create inotify_init eventfd2 mkostemp mkstemp")

    def __init__(self, name, why, folders, but=()):
        super().__init__(name, why, folders, " ".join(list(self.NEEDS) + self.NEVER), but)

    def find(self, path, plain, full):
        for match in self.pattern.finditer(plain):
            call = match.group(1)
            if is_declaration(plain, match.start()):
                continue
            if call in self.NEVER or self.NEEDS[call] not in arguments(plain, match.end()):
                yield match.start(), call + ":cloexec"
        for match in re.finditer(r'\bfopen\s*\([^;]*?"([rwa][^"]*)"', full):
            if "e" not in match.group(1):
                yield match.start(), "fopen:cloexec"
        for match in re.finditer(r"\bF_DUPFD\b", plain):
            yield match.start(), "F_DUPFD:cloexec"


def arguments(text, start):
    depth = 1
    for index in range(start, len(text)):
        depth += {"(": 1, ")": -1}.get(text[index], 0)
        if depth == 0:
            return text[start:index]
    return text[start:]


def is_declaration(text, start):
    """`int sys_fsopen (const char *...)` in the first column."""
    line = text[text.rfind("\n", 0, start) + 1:start]
    return bool(re.match(r"^(static )?(inline )?(\w+ \**)+$", line)) and \
        not line.startswith(("return", " "))


BY_PATH = """open openat openat2 creat mount umount umount2 mkdir mkdirat mkfifo mkfifoat mknod mknodat
    symlink symlinkat link linkat unlink unlinkat rmdir remove rename renameat renameat2 chmod
    fchmodat chown lchown fchownat fopen freopen realpath opendir fdopendir scandir nftw stat lstat
    fstatat statx statfs statvfs access faccessat euidaccess readlink readlinkat truncate utimensat
    setxattr lsetxattr getxattr lgetxattr chdir chroot mkdtemp mkstemp tmpfile bind connect
    canonicalize_file_name"""

INSIDE = ("src/container/", "src/lifecycle/")
ALL = ("src/", "oci-spec/")

RULES = [
    Calls("rule 1", "below the container's root only kernel/inroot and kernel/mountfd name paths",
          INSIDE, BY_PATH),
    Strings("rule 2", "/proc only through kernel/procfd", ("src/",), r"/proc(?=[/\"])",
            but=("src/kernel/procfd.c", "src/commands/default_config.c")),
    Strings("rule 3", "no inode of the image is trusted", INSIDE,
            r"/dev/(?:null|console|ptmx|tty|pts|zero|full)\b"),
    Calls("rule 4", "no PATH search, no NSS, no dlopen, no helper program once the root is entered",
          ALL, """execvp execlp execvpe posix_spawn posix_spawnp dlopen getpwnam getpwnam_r getpwuid
          getpwuid_r getgrnam getgrnam_r getgrgid getgrgid_r getpwent getgrent initgroups
          getgrouplist getaddrinfo gethostbyname wordexp glob iconv_open setlocale"""),
    Flagged("rule 5", "each descriptor is close-on-exec at birth", ALL),
    Calls("rule 6", "what was asked for and cannot be had is an error, never a warning",
          ("src/container/", "src/cgroup/", "src/lifecycle/"), "log_warning"),
    Calls("exit", "nobody ends the process outside of commands/",
          ("src/base/", "oci-spec/", "src/kernel/", "src/container/", "src/cgroup/", "src/state/",
           "src/lifecycle/"), "exit _exit _Exit quick_exit abort err errx"),
    Calls("env", "the environment is the caller's word: read it in commands/",
          ("src/base/", "oci-spec/", "src/kernel/", "src/container/", "src/cgroup/", "src/state/",
           "src/lifecycle/"), "getenv secure_getenv setenv putenv clearenv"),
    Calls("words", "error_words () has the words of an errno: those of libc differ", ALL, "strerror strerror_r",
          but=("src/base/error.c",)),
    Calls("fork", "processes are born in kernel/ and lifecycle/start only", ALL,
          "fork vfork clone sys_clone3", but=("src/kernel/",)),
    Words("style", "no goto, no threads", ALL, r"goto|pthread_\w+"),
    Words("kernel", "calls by number belong into kernel/",
          ("src/base/", "oci-spec/", "src/container/", "src/cgroup/", "src/state/",
           "src/lifecycle/", "src/commands/"), r"syscall(?=\s*\()|__NR_\w+|SYS_\w+"),
]


def main():
    allowed, used = tree.table(ALLOW, 2), set()
    for path in tree.c_files("src", "oci-spec"):
        text = tree.read(path)
        plain, full = tree.code(text, strings=False), tree.code(text)
        for rule in RULES:
            if not path.startswith(rule.folders) or path.startswith(tuple(rule.but)):
                continue
            for start, what in rule.find(path, plain, full):
                if (path, what) in allowed:
                    used.add((path, what))
                else:
                    tree.fail(path, tree.line_of(text, start), f"{rule.name}: {what}: {rule.why}")
    tree.stale(ALLOW, allowed, used)
    tree.finish()


main()
