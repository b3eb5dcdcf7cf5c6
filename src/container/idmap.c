/* SPDX-License-Identifier: Apache-2.0 */
/* idmap: see idmap.h. */
#include "container/idmap.h"

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/interrupt.h"
#include "base/patience.h"
#include "kernel/privileges.h"
#include "kernel/procfd.h"
#include "kernel/straggler.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

extern char **environ;

#define MAP_BYTES_MAX 65536

void idmap_text (const struct oci_id_mappings *mappings, struct text *out)
{
    for (size_t i = 0; i < mappings->count; i++)
        text_printf (out, "%u %u %u\n", mappings->items[i].container_id, mappings->items[i].host_id,
                     mappings->items[i].size);
}

static int write_file (pid_t pid, const char *file, const char *text)
{
    char path[48];

    (void)snprintf (path, sizeof (path), "%d/%s", pid, file);
    return procfd_write (path, text, strlen (text));
}

/* What the tool says about itself, one line, is the reason that counts. 0, or EINTR where rt is to
 * end. */
static int read_words (int output, char *words, size_t size, const struct wait *wait)
{
    struct pollfd ready = {.fd = output, .events = POLLIN};
    size_t length = 0;
    int polled = 0;

    for (ssize_t got = 1; got > 0 && length < size - 1; length += (size_t)got) {
        polled = interrupt_poll (&ready, 1, wait_left (wait));
        got = polled > 0 ? read (output, words + length, size - 1 - length) : 0;
        if (got < 0)
            got = 0;
    }
    words[length] = '\0';
    words[strcspn (words, "\n")] = '\0';
    return polled < 0 ? EINTR : 0;
}

static int start_tool (const char *tool, char *const argv[], pid_t *child, char *words, size_t size,
                       const struct wait *wait)
{
    posix_spawn_file_actions_t actions;
    int pair[2];

    if (pipe2 (pair, O_CLOEXEC) < 0)
        return errno;
    (void)posix_spawn_file_actions_init (&actions);
    (void)posix_spawn_file_actions_adddup2 (&actions, pair[1], STDERR_FILENO);
    int failed = posix_spawnp (child, tool, &actions, NULL, argv, environ);
    (void)posix_spawn_file_actions_destroy (&actions);
    (void)close (pair[1]);
    if (!failed)
        failed = read_words (pair[0], words, size, wait);
    (void)close (pair[0]);
    return failed;
}

/* It has closed its standard error, or kept it open too long. As it is setuid, it may not be ours
 * to kill. */
static int await_tool (const char *tool, pid_t child, struct wait *wait, int *status,
                       struct error *err)
{
    AUTO_TEXT struct text doing = {0};
    pid_t ended;

    while ((ended = waitpid (child, status, WNOHANG)) == 0 && wait_more (wait))
        ;
    if (ended > 0)
        return 0;
    if (ended < 0)
        return error_set (err, "RT-IDMAP-TOOL", errno, "cannot wait for %s", tool);
    bool described = straggler_describe (child, &doing);
    (void)kill (child, SIGKILL);
    error_set (err, "RT-IDMAP-TOOL", 0, "%s does not end: waited %g s", tool, patience_seconds ());
    return described ? error_hint (err, "it was %s", text_string (&doing)) : -1;
}

static int run (const char *tool, char *const argv[], struct error *err)
{
    struct wait wait = wait_begin (patience_ms ());
    char words[256];
    pid_t child;
    int status;

    int failed = start_tool (tool, argv, &child, words, sizeof (words), &wait);
    if (failed == EINTR) {
        (void)kill (child, SIGKILL);
        return interrupt_error (err);
    }
    if (failed) {
        error_set (err, "RT-IDMAP-TOOL", failed, "cannot run %s", tool);
        return error_hint (err, "install the package uidmap, or map only your own id");
    }
    if (await_tool (tool, child, &wait, &status, err) < 0)
        return -1;
    if (WIFEXITED (status) && WEXITSTATUS (status) == 0)
        return 0;
    error_set (err, "RT-IDMAP-TOOL", 0, "%s failed with status %d: %s", tool,
               WIFEXITED (status) ? WEXITSTATUS (status) : 128 + WTERMSIG (status), words);
    return error_hint (err, "the ranges must be yours in /etc/subuid and /etc/subgid");
}

/* newuidmap PID container host size ... */
static int run_tool (const char *tool, pid_t pid, const struct oci_id_mappings *mappings,
                     struct error *err)
{
    size_t count = 2 + mappings->count * 3;
    AUTO_FREE char **argv = calloc (count + 1, sizeof (char *));
    AUTO_FREE char (*numbers)[12] = calloc (count, sizeof (*numbers));

    if (!argv || !numbers)
        return error_set (err, "RT-IDMAP", ENOMEM, "cannot run %s", tool);
    argv[0] = (char *)(uintptr_t)tool;
    (void)snprintf (numbers[1], sizeof (*numbers), "%d", pid);
    argv[1] = numbers[1];
    for (size_t i = 0; i < mappings->count; i++) {
        const struct oci_id_mapping *one = &mappings->items[i];
        uint32_t values[3] = {one->container_id, one->host_id, one->size};
        for (size_t k = 0; k < 3; k++) {
            size_t at = 2 + i * 3 + k;
            if (at >= count)
                break;
            (void)snprintf (numbers[at], sizeof (*numbers), "%u", values[k]);
            argv[at] = numbers[at];
        }
    }

    return run (tool, argv, err);
}

static bool is_own_id (const struct oci_id_mappings *mappings, uint32_t own)
{
    return mappings->count == 1 && mappings->items[0].size == 1 &&
           mappings->items[0].host_id == own;
}

/* Root of a container may have lost a right, and an ordinary user may have been given it. */
static bool may (int capability)
{
    uint64_t effective;
    uint64_t permitted;
    uint64_t inheritable;

    return capabilities_get (&effective, &permitted, &inheritable) == 0 &&
           (effective >> capability & 1);
}

static bool maps_outer_root (const struct oci_id_mappings *mappings)
{
    for (size_t i = 0; i < mappings->count; i++)
        if (mappings->items[i].host_id == 0)
            return true;
    return false;
}

/* One kind: directly; without the right to it as a single line or by its tool. */
static int grant_one (bool group, const struct oci_id_mappings *mappings, pid_t pid,
                      struct error *err)
{
    bool any = may (group ? CAP_SETGID : CAP_SETUID);
    bool single = !any && is_own_id (mappings, group ? getegid () : geteuid ());
    const char *file = group ? "gid_map" : "uid_map";
    AUTO_TEXT struct text map = {0};

    idmap_text (mappings, &map);
    if (single && group && write_file (pid, "setgroups", "deny") < 0)
        return error_set (err, "RT-IDMAP-SETGROUPS", errno, "cannot deny setgroups");
    if (write_file (pid, file, text_string (&map)) == 0)
        return 0;
    if (errno == EPERM && !any && !single)
        return run_tool (group ? "newgidmap" : "newuidmap", pid, mappings, err) < 0
                   ? error_at (err, group ? "/linux/gidMappings" : "/linux/uidMappings")
                   : 0;

    int saved = errno;
    error_set (err, "RT-IDMAP-WRITE", saved, "cannot write %s of the container", file);
    error_at (err, group ? "/linux/gidMappings" : "/linux/uidMappings");
    if (saved == EINVAL && map.length >= (size_t)sysconf (_SC_PAGESIZE))
        return error_hint (err, "its text has %zu bytes, and the kernel takes less than a page",
                           map.length);
    if (saved == EINVAL)
        return error_hint (err,
                           "ranges must not overlap nor be empty, and there may be at most 340");
    if (saved == EPERM && maps_outer_root (mappings) && !may (CAP_SETFCAP))
        return error_hint (err, "to map the root that rt runs as, CAP_SETFCAP is needed");
    if (saved == EPERM)
        return error_hint (err, "each hostID must be an id of the user namespace that rt runs in");
    return -1;
}

int idmap_grant (const struct oci_id_mappings *uid, const struct oci_id_mappings *gid, pid_t pid,
                 struct error *err)
{
    return grant_one (false, uid, pid, err) < 0 || grant_one (true, gid, pid, err) < 0 ? -1 : 0;
}

struct range {
    uint64_t inside;
    uint64_t outside;
    uint64_t size;
};

#define RANGES_MAX 340 /* user_namespaces(7) */

static int compare (const void *one, const void *other)
{
    const struct range *a = one;
    const struct range *b = other;

    return (a->inside > b->inside) - (a->inside < b->inside);
}

/* Sorts them and joins those that go on from each other. The number that is left. */
static size_t join (struct range *ranges, size_t count)
{
    size_t last = 0;

    qsort (ranges, count, sizeof (*ranges), compare);
    for (size_t i = 1; i < count; i++) {
        struct range *before = &ranges[last];
        if (ranges[i].inside == before->inside + before->size &&
            ranges[i].outside == before->outside + before->size)
            before->size += ranges[i].size;
        else
            ranges[++last] = ranges[i];
    }
    return count ? last + 1 : 0;
}

/* Three numbers with blanks around them. Where the line ends, or NULL: it is no such line. */
static const char *read_range (const char *line, struct range *range)
{
    uint64_t *const numbers[] = {&range->inside, &range->outside, &range->size};

    for (size_t i = 0; i < sizeof (numbers) / sizeof (*numbers); i++) {
        char word[24];
        line += strspn (line, " ");
        size_t length = strspn (line, "0123456789");
        if (length >= sizeof (word))
            return NULL;
        memcpy (word, line, length);
        word[length] = '\0';
        if (text_to_uint64 (word, UINT32_MAX, numbers[i]) < 0)
            return NULL;
        line += length;
    }
    return *line == '\n' ? line + 1 : NULL;
}

bool idmap_is_same (const struct oci_id_mappings *mappings, const char *map)
{
    struct range one[RANGES_MAX];
    struct range other[RANGES_MAX];
    size_t count = 0;

    if (mappings->count > RANGES_MAX)
        return false;
    for (size_t i = 0; i < mappings->count; i++)
        one[i] = (struct range){mappings->items[i].container_id, mappings->items[i].host_id,
                                mappings->items[i].size};
    while (*map) {
        if (count == RANGES_MAX || (map = read_range (map, &other[count])) == NULL)
            return false;
        count++;
    }
    size_t joined = join (one, mappings->count);
    return joined == join (other, count) && memcmp (one, other, joined * sizeof (*one)) == 0;
}

static int check_one (bool group, const struct oci_id_mappings *mappings, pid_t pid,
                      struct error *err)
{
    const char *file = group ? "gid_map" : "uid_map";
    char path[48];
    size_t length;

    if (mappings->count == 0)
        return 0;
    (void)snprintf (path, sizeof (path), "%d/%s", pid, file);
    AUTO_FD int fd = procfd_open (path, O_RDONLY);
    AUTO_FREE char *map = fd < 0 ? NULL : fd_read_all (fd, MAP_BYTES_MAX, &length, file, err);
    if (!map)
        return error_set (err, "RT-IDMAP-JOINED", errno,
                          "cannot read the %s of the user namespace that is joined", file);
    if (idmap_is_same (mappings, map))
        return 0;
    error_set (err, "RT-IDMAP-JOINED", 0,
               "the user namespace that is joined has another %s than the document", file);
    error_at (err, group ? "/linux/gidMappings" : "/linux/uidMappings");
    return error_hint (err, "leave the mappings out, or write those that it has");
}

int idmap_check_joined (const struct oci_id_mappings *uid, const struct oci_id_mappings *gid,
                        pid_t pid, struct error *err)
{
    return check_one (false, uid, pid, err) < 0 || check_one (true, gid, pid, err) < 0 ? -1 : 0;
}

bool idmap_setgroups_denied (void)
{
    char word[16];

    return procfd_read ("self/setgroups", word, sizeof (word)) > 0 &&
           strncmp (word, "deny", 4) == 0;
}
