/* SPDX-License-Identifier: Apache-2.0 */
/* pry_look: what /proc/PID shows of a process. */
#include "pry.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

#define UP "../../../../../../../../../../../../../../../.."
#define CHUNK (1 << 18)
#define REGIONS 128
#define REGION_MAX (4UL << 20)

static unsigned char chunk[CHUNK];

static bool holds (const struct inode *list, int count, const struct stat *st)
{
    for (int i = 0; i < count; i++)
        if (list[i].dev == st->st_dev && list[i].ino == st->st_ino)
            return true;
    return false;
}

static ssize_t slurp (int dir, const char *name, char *text, size_t size)
{
    size_t length = 0;
    int fd = openat (dir, name, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return -1;
    for (ssize_t n; length < size - 1 && (n = read (fd, text + length, size - 1 - length)) > 0;)
        length += (size_t)n;
    (void)close (fd);
    text[length] = '\0';
    return (ssize_t)length;
}

const char *find_marker (const void *bytes, size_t length)
{
    for (int i = 0; i < task.marker_count; i++)
        if (memmem (bytes, length, task.markers[i], strlen (task.markers[i])))
            return task.markers[i];
    return NULL;
}

bool is_program (const struct target *target)
{
    struct stat st;

    return fstatat (target->dir, "exe", &st, 0) == 0 &&
           holds (task.programs, task.program_count, &st);
}

/* ---- root and working directory */

static void try_canary (const struct target *target, enum way way, const char *below,
                        const char *name)
{
    char path[PATH_MAX];
    int fd;

    (void)snprintf (path, sizeof path, "%s%s", below, task.canary);
    if ((fd = openat (target->dir, path, O_RDONLY | O_CLOEXEC)) >= 0) {
        hit (way, target, "a file of the host was opened through %s", name);
        (void)close (fd);
    }
    (void)snprintf (path, sizeof path, "%s%s/%d-%s-%u", below, task.plant, target->pid, name,
                    target->passes);
    tried (WAY_PLANT);
    if ((fd = openat (target->dir, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)) >= 0) {
        hit (WAY_PLANT, target, "a file was made on the host through %s", name);
        (void)close (fd);
    }
}

/* An empty directory holds nothing of anybody's. */
static bool is_empty (int dir)
{
    int count = 0, fd = openat (dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = fd < 0 ? NULL : fdopendir (fd);

    if (!list) {
        if (fd >= 0)
            (void)close (fd);
        return true;
    }
    while (readdir (list))
        count++;
    (void)closedir (list);
    return count <= 2;
}

static void look_root (const struct target *target)
{
    struct stat st;
    int root = openat (target->dir, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);

    tried (WAY_ROOT);
    if (root < 0)
        return;
    got (WAY_ROOT);
    if (fstat (root, &st) == 0 && !holds (task.roots, task.root_count, &st)) {
        try_canary (target, WAY_ROOT, "root", "root");
        if (!is_empty (root) && !has_ended (target))
            hit (WAY_ROOT, target, "another root, %u:%u inode %llu", major (st.st_dev),
                 minor (st.st_dev), (unsigned long long)st.st_ino);
    }
    (void)close (root);
}

static void look_cwd (const struct target *target)
{
    int cwd = openat (target->dir, "cwd", O_PATH | O_DIRECTORY | O_CLOEXEC);

    tried (WAY_CWD);
    if (cwd < 0)
        return;
    got (WAY_CWD);
    (void)close (cwd);
    try_canary (target, WAY_CWD, "cwd/" UP, "cwd");
}

/* ---- descriptors */

static bool is_own_terminal (const struct stat *st)
{
    struct stat own;

    return stat ("/dev/pts", &own) == 0 && S_ISCHR (st->st_mode) && st->st_dev == own.st_dev;
}

/* The channel is a socket; a filter's listener gives no right that who may take it does not have.
 */
static bool may_be_open (int number, const char *link)
{
    if (strncmp (link, "socket:[", 8) == 0 || strncmp (link, "pipe:[", 6) == 0)
        return true;
    return number <= 2 || strcmp (link, "anon_inode:seccomp notify") == 0;
}

static void look_descriptor (const struct target *target, int number)
{
    char name[32], link[256] = "", path[PATH_MAX];
    struct stat st;
    int fd;

    (void)snprintf (name, sizeof name, "fd/%d", number);
    ssize_t length = readlinkat (target->dir, name, link, sizeof link - 1);
    if (length < 0)
        return;
    got (WAY_FD);
    link[length] = '\0';
    if (!may_be_open (number, link))
        hit (WAY_FD, target, "descriptor %d is %s", number, link);
    if (number <= 2 && task.terminal && fstatat (target->dir, name, &st, 0) == 0 &&
        !is_own_terminal (&st))
        hit (WAY_FD, target, "descriptor %d is %s, and not the container's terminal", number, link);
    if (number <= 2 || fstatat (target->dir, name, &st, 0) < 0 || !S_ISDIR (st.st_mode))
        return;
    (void)snprintf (path, sizeof path, "%s/" UP, name);
    try_canary (target, WAY_FD, path, "fd");
    /* A procfs of the host. */
    (void)snprintf (path, sizeof path, "%s/1/root%s", name, task.canary);
    if ((fd = openat (target->dir, path, O_RDONLY | O_CLOEXEC)) >= 0) {
        hit (WAY_FD, target,
             "a file of the host was opened through the procfs that is descriptor %d", number);
        (void)close (fd);
    }
    (void)snprintf (path, sizeof path, "%s/1/status", name);
    if ((fd = openat (target->dir, path, O_RDONLY | O_CLOEXEC)) >= 0) {
        hit (WAY_FD, target, "descriptor %d is a procfs", number);
        (void)close (fd);
    }
}

/* Of a process that is a descriptor (a pidfd) the file tells the number. */
static void look_fdinfo (const struct target *target, int number)
{
    char name[32], text[1024];

    (void)snprintf (name, sizeof name, "fdinfo/%d", number);
    tried (WAY_FDINFO);
    if (slurp (target->dir, name, text, sizeof text) < 0)
        return;
    got (WAY_FDINFO);
    if (strstr (text, "\nPid:\t"))
        hit (WAY_FDINFO, target, "descriptor %d is a process", number);
}

static void look_descriptors (const struct target *target)
{
    int fd = openat (target->dir, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = fd < 0 ? NULL : fdopendir (fd);

    tried (WAY_FD);
    if (!list) {
        if (fd >= 0)
            (void)close (fd);
        return;
    }
    for (struct dirent *each; (each = readdir (list));)
        if (*each->d_name != '.') {
            look_descriptor (target, atoi (each->d_name));
            look_fdinfo (target, atoi (each->d_name));
        }
    (void)closedir (list);
}

static void look_exe (const struct target *target)
{
    int fd = -1;

    tried (WAY_EXE);
    if (!is_program (target) && (fd = openat (target->dir, "exe", O_WRONLY | O_CLOEXEC)) >= 0) {
        hit (WAY_EXE, target, "its program can be written to");
        (void)close (fd);
    }
}

/* ---- memory */

static void look_text (const struct target *target, enum way way, const char *name)
{
    static char text[1 << 16];

    tried (way);
    ssize_t length = slurp (target->dir, name, text, sizeof text);
    if (length < 0)
        return;
    got (way);
    const char *marker = find_marker (text, (size_t)length);
    if (marker)
        hit (way, target, "%s", marker);
}

struct region {
    unsigned long start, end;
};

static int list_regions (const struct target *target, struct region regions[REGIONS])
{
    static char text[1 << 15];
    int count = 0;

    if (slurp (target->dir, "maps", text, sizeof text) < 0)
        return -1;
    for (char *line = text; line && *line && count < REGIONS;
         line = strchr (line, '\n'), line += !!line) {
        struct region *region = &regions[count];
        char rights[8];
        if (sscanf (line, "%lx-%lx %7s", &region->start, &region->end, rights) != 3)
            break;
        if (region->end - region->start > REGION_MAX)
            region->end = region->start + REGION_MAX;
        count += *rights == 'r';
    }
    return count;
}

static void look_memory (const struct target *target, enum way way)
{
    struct region regions[REGIONS];
    int mem = way == WAY_MEM ? openat (target->dir, "mem", O_RDONLY | O_CLOEXEC) : -1;
    const char *marker = NULL;

    tried (way);
    int count = way == WAY_MEM && mem < 0 ? -1 : list_regions (target, regions);
    for (int i = 0; i < count && !marker; i++)
        for (unsigned long at = regions[i].start; at < regions[i].end && !marker; at += CHUNK) {
            size_t size = regions[i].end - at < CHUNK ? regions[i].end - at : CHUNK;
            struct iovec own = {chunk, size}, its = {(void *)at, size};
            ssize_t length = way == WAY_MEM ? pread (mem, chunk, size, (off_t)at)
                                            : process_vm_readv (target->pid, &own, 1, &its, 1, 0);
            if (length <= 0)
                break;
            if (i == 0)
                got (way);
            marker = find_marker (chunk, (size_t)length);
        }
    if (marker)
        hit (way, target, "%s", marker);
    if (mem >= 0)
        (void)close (mem);
}

/* ---- rights */

static bool has_group (unsigned long long group)
{
    for (int i = 0; i < task.group_count; i++)
        if (task.groups[i] == group)
            return true;
    return false;
}

static void compare_ids (const struct target *target, enum way way, const char *text,
                         const char *key, unsigned long long allowed)
{
    const char *line = strstr (text, key);
    unsigned long long ids[4];

    if (!line || sscanf (line + strlen (key), "%llu %llu %llu %llu", &ids[0], &ids[1], &ids[2],
                         &ids[3]) != 4)
        return;
    for (int i = 0; i < 4; i++)
        if (ids[i] != allowed) {
            hit (way, target, "%.4s is %llu, allowed is %llu", key + 1, ids[i], allowed);
            return;
        }
}

static void compare_groups (const struct target *target, enum way way, const char *text)
{
    const char *at = strstr (text, "\nGroups:");
    char *end;

    if (!at)
        return;
    for (at += strlen ("\nGroups:");; at = end) {
        while (*at == ' ' || *at == '\t')
            at++;
        unsigned long long group = strtoull (at, &end, 10);
        if (end == at)
            return;
        if (!has_group (group)) {
            hit (way, target, "has the group %llu", group);
            return;
        }
    }
}

static void compare_number (const struct target *target, enum way way, const char *text,
                            const char *key, int least)
{
    const char *line = strstr (text, key);

    if (line && atoi (line + strlen (key)) < least)
        hit (way, target, "%.11s is %d, asked was %d", key + 1, atoi (line + strlen (key)), least);
}

/* False where the process has ended. */
bool look_status (struct target *target, enum way way)
{
    static const char *const sets[SETS] = {"\nCapInh:\t", "\nCapPrm:\t", "\nCapEff:\t",
                                           "\nCapBnd:\t", "\nCapAmb:\t"};
    char text[4096];

    tried (way);
    if (slurp (target->dir, "status", text, sizeof text) <= 0)
        return false;
    (void)sscanf (text, "Name:\t%31[^\n\"\\]", target->name);
    const char *state = strstr (text, "\nState:\t");
    if (!state || state[8] == 'Z' || state[8] == 'X')
        return false;
    got (way);
    if (way != WAY_STATUS)
        got (WAY_STATUS);
    for (int i = 0; i < SETS; i++) {
        const char *line = strstr (text, sets[i]);
        unsigned long long set = line ? strtoull (line + strlen (sets[i]), NULL, 16) : 0;
        if (set & ~task.sets[i])
            hit (way, target, "%.6s is %llx, allowed is %llx", sets[i] + 1, set, task.sets[i]);
    }
    compare_ids (target, way, text, "\nUid:", task.uid);
    compare_ids (target, way, text, "\nGid:", task.gid);
    compare_groups (target, way, text);
    compare_number (target, way, text, "\nNoNewPrivs:\t", task.no_new_privs);
    /* What loads its filter itself and last has none until then; what is executed has one. */
    compare_number (target, way, text, "\nSeccomp:\t", target->executed ? task.seccomp : 0);
    return true;
}

bool has_ended (const struct target *target)
{
    char text[512];

    if (slurp (target->dir, "stat", text, sizeof text) <= 0)
        return true;
    const char *state = strrchr (text, ')');
    return !state || strchr ("ZXx", state[2]);
}

static void look_label (const struct target *target)
{
    char own[256], its[256];

    tried (WAY_LABEL);
    if (slurp (AT_FDCWD, "/proc/self/attr/current", own, sizeof own) <= 0 ||
        slurp (target->dir, "attr/current", its, sizeof its) <= 0)
        return;
    got (WAY_LABEL);
    if (strcmp (own, its) != 0)
        hit (WAY_LABEL, target, "%s", its);
}

static void look_spaces (const struct target *target)
{
    static const char *const kinds[] = {
        "mnt", "user", "pid", "net", "ipc", "uts", "cgroup", "time", "pid_for_children"};
    char own[64], its[64], path[64];

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        tried (WAY_SPACE);
        (void)snprintf (path, sizeof path, "/proc/self/ns/%s", kinds[i]);
        ssize_t one = readlink (path, own, sizeof own - 1);
        ssize_t other =
            readlinkat (target->dir, path + strlen ("/proc/self/"), its, sizeof its - 1);
        if (one <= 0 || other <= 0)
            continue;
        got (WAY_SPACE);
        own[one] = its[other] = '\0';
        if (strcmp (own, its) == 0)
            continue;
        bool host = false;
        for (int k = 0; k < task.host_space_count; k++)
            host |= strcmp (task.host_spaces[k], its) == 0;
        if (host || task.own_spaces)
            hit (WAY_SPACE, target, "%s is %s, own is %s", kinds[i], its, own);
        if (i < 2 && !target->executed)
            take_namespaces (target, kinds[i]);
    }
}

void look (struct target *target, bool held)
{
    unsigned pass = target->passes;

    /* Before all else: what it is may change between this and the next look, in one direction only.
     */
    target->executed = is_program (target);
    look_root (target);
    if (!look_status (target, held ? WAY_SEIZE : WAY_STATUS)) {
        target->ended = true;
        return;
    }
    look_descriptors (target);
    look_cwd (target);
    if (held || pass % 4 == 1)
        take_descriptors (target);
    if (held || pass % 4 == 2) {
        look_spaces (target);
        look_exe (target);
        look_label (target);
    }
    if (held || pass % 4 == 3 || pass == 0) {
        look_text (target, WAY_ENVIRON, "environ");
        look_text (target, WAY_CMDLINE, "cmdline");
    }
    if (pass % 8 == 4 || pass == 0)
        look_memory (target, WAY_MEM);
    if (pass % 8 == 6 || (held && pass == 0))
        look_memory (target, WAY_VM);
}
