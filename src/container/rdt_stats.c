/* SPDX-License-Identifier: Apache-2.0 */
/* rdt_stats: see rdt_stats.h. */
#include "container/rdt_stats.h"

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#define RDT_FILE_MAX (64 * 1024)

/* The first line, or all; NULL: there is no such file, or nothing to say ("Unavailable"). */
static char *read_text (struct arena *arena, int mount, const char *path)
{
    AUTO_FD int fd = openat (mount, path, O_RDONLY | O_CLOEXEC);
    struct error ignored = {0};
    AUTO_FREE char *text = fd < 0 ? NULL : fd_read_all (fd, RDT_FILE_MAX, NULL, path, &ignored);

    return text ? arena_string (arena, text) : NULL;
}

static bool read_number (struct arena *arena, int mount, const char *path, uint64_t *value)
{
    char *text = read_text (arena, mount, path);

    if (!text)
        return false;
    text[strcspn (text, "\n")] = '\0';
    (void)text_to_uint64 (text, UINT64_MAX, value); /* "Unavailable" stays 0 */
    return true;
}

/* The line of a schemata file for `resource`, which the kernel indents. */
static const char *schema_of (struct arena *arena, int mount, const char *group,
                              const char *resource)
{
    char *text = read_text (arena, mount, arena_printf (arena, "%s/schemata", group));

    while (text && *text) {
        text += strspn (text, " ");
        size_t length = strcspn (text, "\n");
        if (text_starts_with (text, resource))
            return arena_copy (arena, text, length);
        text += length + (text[length] == '\n');
    }
    return NULL;
}

static void read_info (struct arena *arena, int mount, const char *group, struct rdt_stats *stats)
{
    const char *mask = read_text (arena, mount, "info/L3/cbm_mask");

    if (mask) {
        stats->l3.present = true;
        stats->l3.cbm_mask = arena_copy (arena, mask, strcspn (mask, "\n"));
        (void)read_number (arena, mount, "info/L3/min_cbm_bits", &stats->l3.min_cbm_bits);
        (void)read_number (arena, mount, "info/L3/num_closids", &stats->l3.num_closids);
        stats->l3.schema_root = schema_of (arena, mount, ".", "L3");
        stats->l3.schema = schema_of (arena, mount, group, "L3");
    }
    if (!read_number (arena, mount, "info/MB/bandwidth_gran", &stats->mb.bandwidth_gran))
        return;
    stats->mb.present = true;
    (void)read_number (arena, mount, "info/MB/delay_linear", &stats->mb.delay_linear);
    (void)read_number (arena, mount, "info/MB/min_bandwidth", &stats->mb.min_bandwidth);
    (void)read_number (arena, mount, "info/MB/num_closids", &stats->mb.num_closids);
    stats->mb.schema_root = schema_of (arena, mount, ".", "MB");
    stats->mb.schema = schema_of (arena, mount, group, "MB");
}

static int by_name (const struct dirent **a, const struct dirent **b)
{
    return strcmp ((*a)->d_name, (*b)->d_name);
}

static int is_l3_domain (const struct dirent *entry)
{
    return text_starts_with (entry->d_name, "mon_L3_");
}

static void read_domain (struct arena *arena, int mount, const char *path, struct rdt_stats *stats)
{
    struct rdt_domain *domain = &stats->domains[stats->domain_count++];
    const char *total = arena_printf (arena, "%s/mbm_total_bytes", path);
    const char *local = arena_printf (arena, "%s/mbm_local_bytes", path);
    const char *cache = arena_printf (arena, "%s/llc_occupancy", path);

    if (read_number (arena, mount, total, &domain->mbm_total_bytes))
        stats->has_mbm = true;
    if (read_number (arena, mount, local, &domain->mbm_local_bytes))
        stats->has_mbm = true;
    if (read_number (arena, mount, cache, &domain->llc_occupancy))
        stats->has_cmt = true;
}

int rdt_stats_read (struct arena *arena, const struct rdt *rdt, struct rdt_stats *stats,
                    struct error *err)
{
    struct rdt_stats found = {0};
    struct dirent **entries = NULL;
    AUTO_FD int mount = open (rdt->mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (mount < 0)
        return error_set (err, "RT-RDT-STATS", errno, "open %s", rdt->mount);
    read_info (arena, mount, rdt->group, &found);
    const char *data =
        arena_printf (arena, "%s/mon_data", rdt->monitor ? rdt->monitor : rdt->group);
    const char *path = arena_printf (arena, "%s/%s", rdt->mount, data);
    int count = scandir (path, &entries, is_l3_domain, by_name);
    if (count > 0)
        found.domains = arena_array (arena, (size_t)count, sizeof *found.domains);
    for (int i = 0; i < count; i++) {
        read_domain (arena, mount, arena_printf (arena, "%s/%s", data, entries[i]->d_name), &found);
        free (entries[i]);
    }
    free (entries);
    *stats = found;
    return 0;
}
