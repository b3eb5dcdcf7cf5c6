/* SPDX-License-Identifier: Apache-2.0 */
/* rdt: see rdt.h. */
#include "container/rdt.h"

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#ifndef RDTGROUP_SUPER_MAGIC
#define RDTGROUP_SUPER_MAGIC 0x7655821
#endif

/* A machine with hundreds of cache domains fills a few of these. */
#define SCHEMATA_MAX 16384

/* ---- errors ---- */

/* What resctrl says about its last refusal is more than errno can. */
static int rdt_error (const struct rdt *rdt, int errnum, const char *what, const char *path,
                      struct error *err)
{
    char said[256] = "";
    AUTO_FD int mount = open (rdt->mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (mount < 0 || fd_read_file_at (mount, "info/last_cmd_status", said, sizeof (said)) < 0)
        said[0] = '\0';
    said[strcspn (said, "\n")] = '\0';
    if (text_equal (said, "ok"))
        said[0] = '\0';
    return error_set (err, "RT-RDT", errnum, "cannot %s %s/%s%s%s", what, rdt->mount, path,
                      said[0] ? ": " : "", said);
}

int rdt_check_mount (const char *mount, struct error *err)
{
    struct statfs fs;

    if (statfs (mount, &fs) < 0) {
        error_set (err, "RT-RDT-MISSING", errno, "Intel RDT is not available");
        error_hint (err, "neither this processor nor this kernel may have it: there is no %s",
                    mount);
        return error_at (err, "/linux/intelRdt");
    }
    if (fs.f_type == RDTGROUP_SUPER_MAGIC)
        return 0;
    error_set (err, "RT-RDT-MOUNT", 0, "Intel RDT is asked for, but resctrl is not mounted at %s",
               mount);
    error_hint (err, "mount -t resctrl resctrl %s", mount);
    return error_at (err, "/linux/intelRdt");
}

/* ---- deciding ---- */

void rdt_plan (const struct oci_intel_rdt *config, const char *id, const char *mount,
               struct arena *arena, struct rdt *rdt)
{
    const char *name = config->clos_id ? config->clos_id : id;

    *rdt = (struct rdt){
        .config = config, .mount = mount, .group = text_equal (name, "/") ? "." : name};
    if (config->enable_monitoring)
        rdt->monitor = arena_printf (arena, "%s/mon_groups/%s", rdt->group, id);
}

static bool has_schemata (const struct oci_intel_rdt *config)
{
    return config->l3_cache_schema || config->mem_bw_schema || config->schemata.count > 0;
}

/* The line of `text` that is about the resource of `schema` ("L3" of "L3:0=f"); NULL = none. The
 * kernel puts spaces before the names, so that the colons stand in one column. */
static const char *line_of (const char *text, const char *schema)
{
    size_t length = strcspn (schema, ":") + 1;

    for (;;) {
        text += strspn (text, " \n");
        if (*text == '\0')
            return NULL;
        if (strncmp (text, schema, length) == 0)
            return text;
        text += strcspn (text, "\n");
    }
}

/* A value without what makes no difference: "0= 07F" and "0=7f" are one. */
static const char *skip_padding (const char *value)
{
    value += strspn (value, " ");
    while (*value == '0' && strchr ("0123456789abcdefABCDEF", value[1]) && value[1])
        value++;
    return value;
}

static bool is_same_value (const char *a, const char *b)
{
    a = skip_padding (a);
    b = skip_padding (b);
    size_t length = strcspn (a, "; \n");
    return length == strcspn (b, "; \n") && strncasecmp (a, b, length) == 0;
}

/* Has the class, for each domain of the schema, the value that the schema has? */
static bool is_granted (const char *text, const char *schema)
{
    const char *line = line_of (text, schema);

    if (!line)
        return false;
    const char *asked = schema + strcspn (schema, ":");
    while (*asked == ':' || *asked == ';') {
        asked++;
        const char *id = skip_padding (asked);
        size_t length = strcspn (id, "=; \n");
        const char *present = line + strcspn (line, ":\n");
        bool found = false;
        while ((*present == ':' || *present == ';') && !found) {
            const char *other = skip_padding (++present);
            present += strcspn (present, ";\n");
            found = strcspn (other, "=; \n") == length && strncmp (id, other, length) == 0 &&
                    id[length] == '=' && other[length] == '=' &&
                    is_same_value (id + length + 1, other + length + 1);
        }
        asked += strcspn (asked, ";\n");
        /* "L3:0=f;" says nothing after its semicolon. */
        if (!found && id < asked)
            return false;
    }
    return true;
}

static int compare_one (const struct rdt *rdt, const char *text, const char *schema,
                        const char *key, struct error *err)
{
    if (!schema || is_granted (text, schema))
        return 0;
    const char *line = line_of (text, schema);
    error_set (err, "RT-RDT-MISMATCH", 0,
               "the class of service %s exists and does not match \"%.200s\": it has \"%.*s\"",
               rdt->group, schema, line ? (int)strcspn (line, "\n") : 0, line ? line : "");
    error_hint (err, "leave the schema out to join the class as it is, or use another closID");
    return error_at (err, "/linux/intelRdt/%s", key);
}

static int compare_schemata (const struct rdt *rdt, int mount, struct arena *arena,
                             struct error *err)
{
    const char *path = arena_printf (arena, "%s/schemata", rdt->group);
    AUTO_FREE char *text = malloc (SCHEMATA_MAX);

    if (!text)
        memory_exhausted ();
    if (fd_read_file_at (mount, path, text, SCHEMATA_MAX) < 0)
        return rdt_error (rdt, errno, "read", path, err);
    if (compare_one (rdt, text, rdt->config->l3_cache_schema, "l3CacheSchema", err) < 0 ||
        compare_one (rdt, text, rdt->config->mem_bw_schema, "memBwSchema", err) < 0)
        return -1;
    return 0;
}

int rdt_prepare (const struct oci_intel_rdt *config, const char *id, const char *mount_path,
                 struct arena *arena, struct rdt *rdt, struct error *err)
{
    struct stat st;
    AUTO_FD int mount = open (mount_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    rdt_plan (config, id, mount_path, arena, rdt);
    if (mount < 0) {
        rdt_error (rdt, errno, "open", "", err);
        return error_at (err, "/linux/intelRdt");
    }
    /* "tasks" tells a class from "info" and its like. */
    rdt->exists = fstatat (mount, arena_printf (arena, "%s/tasks", rdt->group), &st, 0) == 0;
    if (!rdt->exists && config->clos_id && !has_schemata (config)) {
        error_set (err, "RT-RDT-CLASS", ENOENT,
                   "the class of service %s does not exist, and no schema is given to make it",
                   rdt->group);
        return error_at (err, "/linux/intelRdt/closID");
    }
    if (rdt->exists && compare_schemata (rdt, mount, arena, err) < 0)
        return error_at (err, "/linux/intelRdt");
    if (!config->clos_id && !rdt->exists)
        rdt->own = arena_printf (arena, "%s/%s", mount_path, rdt->group);
    else if (rdt->monitor)
        rdt->own = arena_printf (arena, "%s/%s", mount_path, rdt->monitor);
    return 0;
}

/* ---- making ---- */

static int make_directory (const struct rdt *rdt, int mount, const char *path, const char *key,
                           struct error *err)
{
    if (mkdirat (mount, path, 0755) == 0)
        return 0;
    int saved = errno;
    rdt_error (rdt, saved, "make", path, err);
    if (saved == ENOSPC)
        error_hint (err, "the processor has no further one");
    else if (saved == ENOENT || saved == EPERM)
        error_hint (err, "this processor cannot do that");
    return error_at (err, "/linux/intelRdt/%s", key);
}

int rdt_make (struct rdt *rdt, struct error *err)
{
    AUTO_FD int mount = open (rdt->mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (mount < 0)
        return rdt_error (rdt, errno, "open", "", err);
    if (!rdt->exists) {
        if (make_directory (rdt, mount, rdt->group, "closID", err) < 0)
            return -1;
        rdt->made_group = true;
    }
    if (rdt->monitor) {
        if (make_directory (rdt, mount, rdt->monitor, "enableMonitoring", err) < 0) {
            rdt_undo (rdt);
            return -1;
        }
        rdt->made_monitor = true;
    }
    return 0;
}

/* The kernel wants whole lines. */
static int write_schema (const struct rdt *rdt, int mount, const char *schema, struct error *err)
{
    AUTO_TEXT struct text path = {0};
    AUTO_TEXT struct text line = {0};

    if (!schema)
        return 0;
    text_printf (&path, "%s/schemata", rdt->group);
    text_printf (&line, "%s\n", schema);
    if (fd_write_file_at (mount, text_string (&path), text_string (&line)) == 0)
        return 0;
    int saved = errno;
    rdt_error (rdt, saved, "write to", text_string (&path), err);
    return error_wrap (err, "schema \"%.200s\"", schema);
}

static int write_schemata (const struct rdt *rdt, int mount, const char *lines, struct error *err)
{
    AUTO_TEXT struct text path = {0};

    text_printf (&path, "%s/schemata", rdt->group);
    if (fd_write_file_at (mount, text_string (&path), lines) == 0)
        return 0;
    return rdt_error (rdt, errno, "write to", text_string (&path), err);
}

static char *read_schemata (const struct rdt *rdt, int mount, struct arena *arena,
                            struct error *err)
{
    const char *path = arena_printf (arena, "%s/schemata", rdt->group);
    char *text = arena_alloc (arena, SCHEMATA_MAX);

    if (fd_read_file_at (mount, path, text, SCHEMATA_MAX) >= 0)
        return text;
    rdt_error (rdt, errno, "read", path, err);
    return NULL;
}

int rdt_update (const struct rdt *rdt, const char *l3_cache_schema, const char *mem_bw_schema,
                struct arena *arena, const char **before, struct error *err)
{
    const struct {
        const char *schema;
        const char *pointer;
    } asked[] = {
        {l3_cache_schema, "/linux/intelRdt/l3CacheSchema"},
        {mem_bw_schema, "/linux/intelRdt/memBwSchema"},
    };
    const char *lines = "", *old = "", *first = NULL;
    AUTO_FD int mount = open (rdt->mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (mount < 0)
        return rdt_error (rdt, errno, "open", "", err);
    const char *text = read_schemata (rdt, mount, arena, err);
    for (size_t i = 0; text && i < sizeof asked / sizeof asked[0]; i++) {
        if (!asked[i].schema)
            continue;
        const char *line = line_of (text, asked[i].schema);
        lines = arena_printf (arena, "%s%s\n", lines, asked[i].schema);
        if (line)
            old = arena_printf (arena, "%s%.*s\n", old, (int)strcspn (line, "\n"), line);
        first = first ? first : asked[i].pointer;
    }
    /* The kernel reads all lines of one write before it takes any of them. */
    if (!text || write_schemata (rdt, mount, lines, err) < 0)
        return error_at (err, "%s", first ? first : "/linux/intelRdt");
    const char *now = read_schemata (rdt, mount, arena, err);
    bool holds = now != NULL;
    for (size_t i = 0; holds && i < sizeof asked / sizeof asked[0]; i++) {
        if (!asked[i].schema || is_granted (now, asked[i].schema))
            continue;
        const char *line = line_of (now, asked[i].schema);
        error_set (err, "RT-RDT", 0, "%s/%s/schemata holds \"%.*s\" after \"%.200s\" was written",
                   rdt->mount, rdt->group, line ? (int)strcspn (line, "\n") : 0, line ? line : "",
                   asked[i].schema);
        holds = false;
        error_at (err, "%s", asked[i].pointer);
    }
    if (!holds) {
        rdt_update_undo (rdt, old);
        return -1;
    }
    *before = old;
    return 0;
}

void rdt_update_undo (const struct rdt *rdt, const char *before)
{
    struct error ignored;
    AUTO_FD int mount = open (rdt->mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (mount >= 0 && *before)
        (void)write_schemata (rdt, mount, before, &ignored);
}

static int put_task (const struct rdt *rdt, int mount, const char *group, pid_t pid,
                     struct error *err)
{
    AUTO_TEXT struct text path = {0};
    char number[16];

    text_printf (&path, "%s/tasks", group);
    (void)snprintf (number, sizeof (number), "%d\n", pid);
    if (fd_write_file_at (mount, text_string (&path), number) == 0)
        return 0;
    rdt_error (rdt, errno, "put the process into", text_string (&path), err);
    return error_at (err, "/linux/intelRdt");
}

int rdt_join (const struct rdt *rdt, pid_t pid, struct error *err)
{
    AUTO_FD int mount = open (rdt->mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (mount < 0)
        return rdt_error (rdt, errno, "open", "", err);
    /* A monitoring group takes only what is in its class already. */
    if (put_task (rdt, mount, rdt->group, pid, err) < 0 ||
        (rdt->monitor && put_task (rdt, mount, rdt->monitor, pid, err) < 0))
        return -1;
    return 0;
}

int rdt_grant (const struct rdt *rdt, pid_t pid, struct error *err)
{
    const struct oci_intel_rdt *config = rdt->config;
    AUTO_FD int mount = open (rdt->mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (mount < 0)
        return rdt_error (rdt, errno, "open", "", err);
    /* Of a class that was there these two were compared. */
    if (!rdt->exists && write_schema (rdt, mount, config->l3_cache_schema, err) < 0)
        return error_at (err, "/linux/intelRdt/l3CacheSchema");
    if (!rdt->exists && write_schema (rdt, mount, config->mem_bw_schema, err) < 0)
        return error_at (err, "/linux/intelRdt/memBwSchema");
    for (size_t i = 0; i < config->schemata.count; i++)
        if (write_schema (rdt, mount, config->schemata.items[i], err) < 0)
            return error_at (err, "/linux/intelRdt/schemata/%zu", i);
    return rdt_join (rdt, pid, err);
}

/* ---- taking away ---- */

void rdt_undo (struct rdt *rdt)
{
    AUTO_FD int mount = rdt->made_group || rdt->made_monitor
                            ? open (rdt->mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
                            : -1;

    if (mount >= 0 && rdt->made_monitor)
        (void)unlinkat (mount, rdt->monitor, AT_REMOVEDIR);
    if (mount >= 0 && rdt->made_group)
        (void)unlinkat (mount, rdt->group, AT_REMOVEDIR);
    rdt->made_monitor = rdt->made_group = false;
}

int rdt_remove (const char *own, struct error *err)
{
    if (!own || rmdir (own) == 0 || errno == ENOENT)
        return 0;
    return error_set (err, "RT-RDT-REMOVE", errno, "cannot remove %s", own);
}
