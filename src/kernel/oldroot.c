/* SPDX-License-Identifier: Apache-2.0 */
/* oldroot: see oldroot.h. */
#include "kernel/oldroot.h"

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/text.h"
#include "kernel/mountfd.h"
#include "kernel/procfd.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/vfs.h>

#define TABLE_MAX (64 << 20)

/* A mount has as many ancestors at most; a table that was read while it changed could have a ring.
 */
#define DEPTH_MAX 10000

struct table {
    char *text; /* owned */
    struct oldroot_mount *mounts;
    size_t count;
};

#define AUTO_TABLE __attribute__ ((cleanup (table_release)))
static void table_release (struct table *table)
{
    free (table->text);
    free (table->mounts);
}

/* A space is written as \040. */
static void unescape (char *text)
{
    char *out = text;

    for (const char *in = text; *in; out++) {
        if (in[0] == '\\' && in[1] >= '0' && in[1] <= '3' && in[2] >= '0' && in[2] <= '7' &&
            in[3] >= '0' && in[3] <= '7') {
            *out = (char)((in[1] - '0') * 64 + (in[2] - '0') * 8 + (in[3] - '0'));
            in += 4;
        } else
            *out = *in++;
    }
    *out = '\0';
}

static char *next_word (char **line)
{
    char *word = strsep (line, " ");

    return word ? word : (char *)"";
}

static bool to_id (const char *digits, int *id)
{
    uint64_t value;

    if (text_to_uint64 (digits, INT32_MAX, &value) < 0)
        return false;
    *id = (int)value;
    return true;
}

/* ID PARENT DEVICE ROOT POINT OPTIONS [TAG...] - TYPE SOURCE OPTIONS */
bool oldroot_next (char **rest, struct oldroot_mount *mount)
{
    char *line = strsep (rest, "\n");

    if (!line || !*line)
        return false;
    bool numbers = to_id (next_word (&line), &mount->id);
    numbers = to_id (next_word (&line), &mount->parent) && numbers;
    (void)next_word (&line);
    char *root = next_word (&line), *point = next_word (&line);
    while (line && !text_equal (next_word (&line), "-"))
        ;
    mount->type = next_word (&line);
    if (!numbers || !*mount->type)
        return false;
    unescape (root);
    unescape (point);
    mount->root = root;
    mount->point = point;
    return true;
}

static int table_read (struct table *table, struct error *err)
{
    size_t length;
    AUTO_FD int fd = procfd_open ("self/mountinfo", O_RDONLY);

    if (fd < 0)
        return error_set (err, "RT-ROOT-BELOW", errno, "read the table of mounts");
    table->text = fd_read_all (fd, TABLE_MAX, &length, "mountinfo", err);
    if (!table->text)
        return -1;
    size_t lines = 1;
    for (const char *at = table->text; *at; at++)
        lines += *at == '\n';
    table->mounts = calloc (lines, sizeof *table->mounts);
    if (!table->mounts)
        return error_set (err, "RT-MEMORY", ENOMEM, "read the table of mounts");
    for (char *rest = table->text; rest && *rest; table->count++)
        if (!oldroot_next (&rest, &table->mounts[table->count]))
            return error_set (err, "RT-ROOT-BELOW", EPROTO, "read the table of mounts");
    return 0;
}

/* The number that the table has for what is opened. */
static int mount_id (int fd, int *id)
{
    uint64_t number;

    if (mountfd_id (fd, &number) < 0)
        return -1;
    *id = (int)number;
    return 0;
}

struct roots {
    int below; /* mount ids */
    int above;
};

/* Attached to the old root itself. "/" is where the new root lies. */
static bool is_top (const struct oldroot_mount *mount, const struct roots *roots)
{
    return mount->parent == roots->below && mount->id != roots->above &&
           !text_equal (mount->point, "/");
}

/* With all below it, seen or hidden. The newest first, as it may lie over an older one. How many
 * are left. */
static size_t detach (const struct table *table, const struct roots *roots, size_t *detached)
{
    size_t left = 0;

    *detached = 0;
    for (size_t i = table->count; i-- > 0;) {
        const struct oldroot_mount *mount = &table->mounts[i];
        if (!is_top (mount, roots))
            continue;
        if (umount2 (mount->point, MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
            ++*detached;
        else
            left++;
    }
    return left;
}

static const struct oldroot_mount *find (const struct table *table, int id)
{
    for (size_t i = 0; i < table->count; i++)
        if (table->mounts[i].id == id)
            return &table->mounts[i];
    return NULL;
}

static bool is_of_container (const struct table *table, const struct oldroot_mount *mount, int root)
{
    for (int depth = 0; mount && depth < DEPTH_MAX; depth++) {
        if (mount->id == root)
            return true;
        mount = find (table, mount->parent);
    }
    return false;
}

/* Another mount lies right on it: locked as it is, it counts as a cover. */
static bool is_covered (const struct table *table, const struct oldroot_mount *mount)
{
    for (size_t i = 0; i < table->count; i++)
        if (table->mounts[i].parent == mount->id &&
            text_equal (table->mounts[i].point, mount->point))
            return true;
    return false;
}

static bool is_whole_view (const struct oldroot_mount *mount)
{
    return text_equal (mount->root, "/") &&
           (text_equal (mount->type, "proc") || text_equal (mount->type, "sysfs"));
}

static bool is_view (int fd)
{
    struct statfs fs;

    return fstatfs (fd, &fs) < 0 || fs.f_type == PROC_SUPER_MAGIC || fs.f_type == SYSFS_MAGIC;
}

static int cover (const struct oldroot_mount *mount, struct error *err)
{
    AUTO_MOUNTFD struct mountfd empty = MOUNTFD_INIT;
    int id = -1;

    AUTO_FD int fd = open (mount->point, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || mount_id (fd, &id) < 0 || id != mount->id) {
        error_set (err, "RT-ROOT-BELOW", fd < 0 ? errno : 0,
                   "the host's %s at %s would stay below the root, and cannot be reached",
                   mount->type, mount->point);
        return error_hint (err, "it could be mounted again without masks; use pivot_root");
    }
    if (mountfd_make (&empty, "tmpfs", "tmpfs", "size=0,nr_inodes=2,mode=0", MS_RDONLY,
                      MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
                      NULL, 0) < 0 ||
        mountfd_attach (&empty, fd, AT_FDCWD, mount->point) < 0)
        return error_set (err, "RT-ROOT-BELOW", errno, "cannot cover the host's %s at %s",
                          mount->type, mount->point);
    AUTO_FD int seen = open (mount->point, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (seen < 0 || is_view (seen))
        return error_set (err, "RT-ROOT-BELOW", 0, "the host's %s at %s is not covered",
                          mount->type, mount->point);
    return 0;
}

/* Those at "/proc", or all others. */
static int cover_views (const struct table *table, const struct roots *roots, bool at_proc,
                        struct error *err)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct oldroot_mount *mount = &table->mounts[i];
        if (text_equal (mount->point, "/proc") == at_proc && is_whole_view (mount) &&
            !is_of_container (table, mount, roots->above) && !is_covered (table, mount) &&
            cover (mount, err) < 0)
            return -1;
    }
    return 0;
}

int oldroot_clear (int root, struct error *err)
{
    struct roots roots;

    AUTO_FD int below = open ("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (below < 0 || mount_id (below, &roots.below) < 0 || mount_id (root, &roots.above) < 0)
        return error_set (err, "RT-ROOT-BELOW", errno, "ask for the mount of the root directory");
    for (;;) {
        AUTO_TABLE struct table table = {0};
        size_t detached;
        if (table_read (&table, err) < 0)
            return -1;
        if (detach (&table, &roots, &detached) == 0)
            return 0;
        /* Where mount(2) must do, it names what it covers by /proc/self/fd: so that goes last. */
        if (detached == 0)
            return cover_views (&table, &roots, false, err) < 0 ||
                           cover_views (&table, &roots, true, err) < 0
                       ? -1
                       : 0;
    }
}
