/* SPDX-License-Identifier: Apache-2.0 */
/* process_status: see process_status.h. */
#include "kernel/process_status.h"

#include <stdbool.h>
#include <string.h>

enum kind { KIND_STATE, KIND_IDS, KIND_GROUPS, KIND_LEVELS, KIND_MASK, KIND_NUMBER };

static const struct line {
    const char *name;
    enum kind kind;
    bool optional;
    size_t offset; /* in struct process_status */
} lines[] = {
#define LINE(name, kind, optional, member)                                                         \
    {                                                                                              \
        name, kind, optional, offsetof (struct process_status, member)                             \
    }
    LINE ("State", KIND_STATE, false, state),
    LINE ("Uid", KIND_IDS, false, uid),
    LINE ("Gid", KIND_IDS, false, gid),
    LINE ("Groups", KIND_GROUPS, false, groups),
    LINE ("NSpid", KIND_LEVELS, true, pid_levels),
    LINE ("SigIgn", KIND_MASK, true, ignored),
    LINE ("SigCgt", KIND_MASK, true, caught),
    LINE ("CapInh", KIND_MASK, false, inheritable),
    LINE ("CapPrm", KIND_MASK, false, permitted),
    LINE ("CapEff", KIND_MASK, false, effective),
    LINE ("CapBnd", KIND_MASK, false, bounding),
    LINE ("CapAmb", KIND_MASK, false, ambient),
    LINE ("NoNewPrivs", KIND_NUMBER, false, no_new_privs),
    LINE ("Seccomp", KIND_NUMBER, true, seccomp),
    LINE ("Seccomp_filters", KIND_NUMBER, true, filters),
#undef LINE
};

#define LINES (sizeof (lines) / sizeof (lines[0]))

/* Steps over blanks; is there something left on this line? */
static bool has_more (const char **at)
{
    *at += strspn (*at, " \t");
    return **at != '\n' && **at != '\0';
}

/* One word: a number of at most `max`, without sign. */
static int take_number (const char **at, unsigned int base, uint64_t max, uint64_t *value)
{
    static const char digits[] = "0123456789abcdef";
    const char *c = *at;
    uint64_t number = 0;

    if (strcspn (c, " \t\n") == 0)
        return -1;
    for (; *c && !strchr (" \t\n", *c); c++) {
        const char *digit = strchr (digits, *c);
        if (!digit || digit - digits >= (ptrdiff_t)base)
            return -1;
        uint64_t more = (uint64_t)(digit - digits);
        if (number > (max - more) / base)
            return -1;
        number = number * base + more;
    }
    *at = c;
    *value = number;
    return 0;
}

static int take_id (const char **at, uint32_t *id)
{
    uint64_t value;

    if (!has_more (at) || take_number (at, 10, UINT32_MAX, &value) < 0)
        return -1;
    *id = (uint32_t)value;
    return 0;
}

static int take_ids (const char *at, struct process_ids *ids)
{
    return take_id (&at, &ids->real) < 0 || take_id (&at, &ids->effective) < 0 ||
                   take_id (&at, &ids->saved) < 0 || take_id (&at, &ids->fs) < 0 || has_more (&at)
               ? -1
               : 0;
}

static size_t count_words (const char *at)
{
    size_t count = 0;

    for (; has_more (&at); count++)
        at += strcspn (at, " \t\n");
    return count;
}

static int take_groups (struct arena *arena, const char *at, struct process_status *status)
{
    size_t count = count_words (at);
    uint32_t *groups = arena_array (arena, count + 1, sizeof (*groups));

    for (size_t i = 0; i < count; i++)
        if (take_id (&at, &groups[i]) < 0)
            return -1;
    status->groups = groups;
    status->group_count = count;
    return 0;
}

static int take_one (const char *at, unsigned int base, uint64_t max, uint64_t *value)
{
    return !has_more (&at) || take_number (&at, base, max, value) < 0 || has_more (&at) ? -1 : 0;
}

static int take_line (struct arena *arena, const struct line *line, const char *at,
                      struct process_status *status)
{
    char *member = (char *)status + line->offset;
    uint64_t number;

    switch (line->kind) {
    case KIND_STATE:
        if (!has_more (&at))
            return -1;
        *member = *at;
        return 0;
    case KIND_IDS:
        return take_ids (at, (struct process_ids *)(void *)member);
    case KIND_GROUPS:
        return take_groups (arena, at, status);
    case KIND_LEVELS:
        status->pid_levels = (unsigned int)count_words (at);
        return status->pid_levels > 0 ? 0 : -1;
    case KIND_MASK:
        return take_one (at, 16, UINT64_MAX, (uint64_t *)(void *)member);
    case KIND_NUMBER:
        if (take_one (at, 10, INT32_MAX, &number) < 0)
            return -1;
        *(int *)(void *)member = (int)number;
        return 0;
    }
    return -1;
}

static const struct line *find_line (const char *text, size_t length)
{
    for (size_t i = 0; i < LINES; i++)
        if (strncmp (lines[i].name, text, length) == 0 && lines[i].name[length] == '\0')
            return &lines[i];
    return NULL;
}

int process_status_parse (struct arena *arena, const char *text, struct process_status *status,
                          struct error *err)
{
    struct process_status found = {
        .pid_levels = 1, .ignored = UINT64_MAX, .caught = UINT64_MAX, .seccomp = -1, .filters = -1};
    bool seen[LINES] = {false};

    for (const char *at = text; *at; at += *at == '\n') {
        size_t length = strcspn (at, ":\n");
        const struct line *line = at[length] == ':' ? find_line (at, length) : NULL;

        if (line && seen[line - lines])
            return error_set (err, "RT-PROC-STATUS", 0,
                              "the status of a process has two lines `%s`", line->name);
        if (line && take_line (arena, line, at + length + 1, &found) < 0)
            return error_set (err, "RT-PROC-STATUS", 0,
                              "the status of a process is not understood: `%.*s`",
                              (int)strcspn (at, "\n"), at);
        if (line)
            seen[line - lines] = true;
        at += strcspn (at, "\n");
    }
    for (size_t i = 0; i < LINES; i++)
        if (!seen[i] && !lines[i].optional)
            return error_set (err, "RT-PROC-STATUS", 0, "the status of a process has no line `%s`",
                              lines[i].name);
    *status = found;
    return 0;
}

int process_id_map_parse (struct arena *arena, const char *text, struct process_id_map *map,
                          struct error *err)
{
    size_t count = 0;

    for (const char *c = text; *c; c++)
        count += *c == '\n';
    struct process_id_range *ranges = arena_array (arena, count + 1, sizeof (*ranges));
    count = 0;
    for (const char *at = text; *at; at++) {
        const char *line = at;
        struct process_id_range *range = &ranges[count++];

        if (take_id (&at, &range->inside) < 0 || take_id (&at, &range->outside) < 0 ||
            take_id (&at, &range->count) < 0 || has_more (&at) || *at != '\n')
            return error_set (err, "RT-PROC-MAP", 0,
                              "the id map of a user namespace is not understood: `%.*s`",
                              (int)strcspn (line, "\n"), line);
    }
    *map = (struct process_id_map){.ranges = ranges, .count = count};
    return 0;
}

int process_id_map_find (const struct process_id_map *map, uint32_t inside, uint32_t *outside)
{
    for (size_t i = 0; i < map->count; i++) {
        const struct process_id_range *range = &map->ranges[i];
        uint32_t offset = inside - range->inside;

        if (inside < range->inside || offset >= range->count)
            continue;
        if (range->outside == UINT32_MAX || offset > UINT32_MAX - 1 - range->outside)
            return -1;
        *outside = range->outside + offset;
        return 0;
    }
    return -1;
}
