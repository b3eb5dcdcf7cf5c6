/* SPDX-License-Identifier: Apache-2.0 */
/* stats_parse: see stats_parse.h. */
#include "cgroup/stats_parse.h"

#include "base/text.h"
#include "kernel/bitlist.h"

#include <string.h>

#define SPACE " \t"
#define TICKS_PER_SECOND 100 /* USER_HZ: part of the kernel's ABI */

/* A piece of a line, not terminated. */
struct word {
    const char *at;
    size_t length;
};

/* The next word of this line; `*text` stops at the end of the line. */
static struct word next_word (const char **text)
{
    *text += strspn (*text, SPACE);
    struct word word = {*text, strcspn (*text, SPACE "\n")};
    *text += word.length;
    return word;
}

static bool next_line (const char **text)
{
    *text += strcspn (*text, "\n");
    *text += **text == '\n';
    return **text != '\0';
}

static bool is_word (struct word word, const char *name)
{
    return strlen (name) == word.length && memcmp (word.at, name, word.length) == 0;
}

static int to_number (struct word word, uint64_t *value)
{
    char digits[32];

    if (word.length >= sizeof digits)
        return -1;
    memcpy (digits, word.at, word.length);
    digits[word.length] = '\0';
    if (text_equal (digits, "max")) {
        *value = UINT64_MAX;
        return 0;
    }
    return text_to_uint64 (digits, UINT64_MAX, value);
}

/* "NAME=VALUE" or "8:0": the two sides. */
static bool split (struct word word, char sign, struct word *left, struct word *right)
{
    const char *at = memchr (word.at, sign, word.length);

    if (!at)
        return false;
    *left = (struct word){word.at, (size_t)(at - word.at)};
    *right = (struct word){at + 1, word.length - left->length - 1};
    return true;
}

static uint64_t times (uint64_t value, uint64_t factor)
{
    return value > UINT64_MAX / factor ? UINT64_MAX : value * factor;
}

/* Room for one more of `size` bytes; it doubles at each power of two. */
static void *add_item (struct arena *arena, void *list, size_t *count, size_t size)
{
    void **items = list;

    if ((*count & (*count - 1)) == 0) {
        void *wider = arena_array (arena, *count ? *count * 2 : 1, size);
        if (*count)
            memcpy (wider, *items, *count * size);
        *items = wider;
    }
    return (char *)*items + size * (*count)++;
}

static void add_number (struct arena *arena, struct stats_numbers *numbers, uint64_t value)
{
    *(uint64_t *)add_item (arena, &numbers->items, &numbers->count, sizeof value) = value;
}

int stats_parse_number (struct arena *arena, const char *text, void *place)
{
    (void)arena;
    return to_number (next_word (&text), place);
}

int stats_parse_pids_limit (struct arena *arena, const char *text, void *place)
{
    uint64_t value;

    if (stats_parse_number (arena, text, &value) < 0)
        return -1;
    *(uint64_t *)place = value == UINT64_MAX ? 0 : value;
    return 0;
}

int stats_parse_signed (struct arena *arena, const char *text, void *place)
{
    struct word word = next_word (&text);

    return text_to_int64 (arena_copy (arena, word.at, word.length), INT64_MIN, INT64_MAX, place);
}

int stats_parse_numbers (struct arena *arena, const char *text, void *place)
{
    struct stats_numbers numbers = {0};

    for (;;) {
        struct word word = next_word (&text);
        uint64_t value;
        if (word.length == 0)
            break;
        if (to_number (word, &value) < 0)
            return -1;
        add_number (arena, &numbers, value);
    }
    *(struct stats_numbers *)place = numbers;
    return 0;
}

int stats_parse_list (struct arena *arena, const char *text, void *place)
{
    const size_t width = 8 * sizeof (unsigned long);
    AUTO_BITLIST struct bitlist list = {0};
    struct stats_numbers numbers = {0};
    const char *line = arena_copy (arena, text, strcspn (text, "\n"));

    if (line[strspn (line, SPACE)] != '\0' && bitlist_parse (line, &list) < 0)
        return -1;
    for (size_t bit = 0; bit < list.bits; bit++)
        if (list.words[bit / width] >> bit % width & 1)
            add_number (arena, &numbers, bit);
    *(struct stats_numbers *)place = numbers;
    return 0;
}

int stats_parse_names (struct arena *arena, const char *text, void *place)
{
    struct stats_names names = {0};

    do {
        struct word name = next_word (&text), number = next_word (&text);
        uint64_t value;
        if (number.length == 0)
            continue;
        if (to_number (number, &value) < 0)
            return -1;
        struct stats_named *item =
            add_item (arena, &names.items, &names.count, sizeof *names.items);
        *item = (struct stats_named){arena_copy (arena, name.at, name.length), value};
    } while (next_line (&text));
    *(struct stats_names *)place = names;
    return 0;
}

int stats_find (const char *text, const char *name, uint64_t *value)
{
    do {
        if (is_word (next_word (&text), name))
            return to_number (next_word (&text), value) < 0 ? -1 : 1;
    } while (next_line (&text));
    return 0;
}

/* "1.25" is 125. */
static int to_hundredths (struct word word, uint64_t *value)
{
    struct word whole, part;
    uint64_t high, low;

    if (!split (word, '.', &whole, &part) || part.length != 2 || to_number (whole, &high) < 0 ||
        to_number (part, &low) < 0)
        return -1;
    *value = times (high, 100) + low;
    return 0;
}

static int parse_pressure_line (const char **text, struct stats_pressure_line *line)
{
    for (;;) {
        struct word word = next_word (text), name, number;
        int result = 0;
        if (word.length == 0)
            return 0;
        if (!split (word, '=', &name, &number))
            return -1;
        if (is_word (name, "avg10"))
            result = to_hundredths (number, &line->avg10);
        else if (is_word (name, "avg60"))
            result = to_hundredths (number, &line->avg60);
        else if (is_word (name, "avg300"))
            result = to_hundredths (number, &line->avg300);
        else if (is_word (name, "total"))
            result = to_number (number, &line->total);
        if (result < 0)
            return -1;
    }
}

int stats_parse_pressure (struct arena *arena, const char *text, void *place)
{
    struct stats_pressure pressure = {.present = true};

    (void)arena;
    do {
        struct word kind = next_word (&text);
        if (is_word (kind, "some") && parse_pressure_line (&text, &pressure.some) < 0)
            return -1;
        if (is_word (kind, "full") && parse_pressure_line (&text, &pressure.full) < 0)
            return -1;
    } while (next_line (&text));
    *(struct stats_pressure *)place = pressure;
    return 0;
}

static bool is_device (struct word word, struct stats_io *entry)
{
    struct word major, minor;

    return split (word, ':', &major, &minor) && to_number (major, &entry->major) == 0 &&
           to_number (minor, &entry->minor) == 0;
}

static void add_io (struct arena *arena, struct stats_ios *ios, struct stats_io entry)
{
    *(struct stats_io *)add_item (arena, &ios->items, &ios->count, sizeof entry) = entry;
}

int stats_parse_blkio (struct arena *arena, const char *text, void *place)
{
    struct stats_ios ios = {0};

    if (((struct stats_ios *)place)->count > 0)
        return 0;
    do {
        struct stats_io entry = {0};
        struct word device = next_word (&text), first = next_word (&text);
        struct word second = next_word (&text);
        if (!is_device (device, &entry) || first.length == 0)
            continue; /* "Total 0" */
        if (to_number (second.length ? second : first, &entry.value) < 0)
            return -1;
        entry.op = second.length ? arena_copy (arena, first.at, first.length) : "";
        add_io (arena, &ios, entry);
    } while (next_line (&text));
    *(struct stats_ios *)place = ios;
    return 0;
}

int stats_parse_io (struct arena *arena, const char *text, void *place)
{
    static const struct {
        const char *name, *op;
        enum stats_io_kind kind;
    } rows[] = {
        {"rbytes", "Read", STATS_IO_SERVICE_BYTES}, {"wbytes", "Write", STATS_IO_SERVICE_BYTES},
        {"rios", "Read", STATS_IO_SERVICED},        {"wios", "Write", STATS_IO_SERVICED},
        {"cost.usage", "", STATS_IO_COST_USAGE},    {"cost.wait", "", STATS_IO_COST_WAIT},
        {"cost.indebt", "", STATS_IO_COST_INDEBT},  {"cost.indelay", "", STATS_IO_COST_INDELAY},
    };
    struct stats_ios ios[STATS_IO_KINDS] = {0};

    do {
        struct stats_io entry = {0};
        if (!is_device (next_word (&text), &entry))
            continue;
        for (struct word word; (word = next_word (&text)).length > 0;) {
            struct word name, number;
            if (!split (word, '=', &name, &number))
                continue;
            for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
                if (!is_word (name, rows[i].name))
                    continue;
                if (to_number (number, &entry.value) < 0)
                    return -1;
                entry.op = rows[i].op;
                add_io (arena, &ios[rows[i].kind], entry);
            }
        }
    } while (next_line (&text));
    memcpy (place, ios, sizeof ios);
    return 0;
}

int stats_parse_rdma (struct arena *arena, const char *text, void *place)
{
    struct stats_rdmas list = {0};

    do {
        struct word device = next_word (&text);
        struct stats_rdma entry = {0};
        if (device.length == 0)
            continue;
        for (struct word word; (word = next_word (&text)).length > 0;) {
            struct word name, number;
            if (!split (word, '=', &name, &number))
                continue;
            uint64_t *value = is_word (name, "hca_handle")   ? &entry.handles
                              : is_word (name, "hca_object") ? &entry.objects
                                                             : NULL;
            if (value && to_number (number, value) < 0)
                return -1;
        }
        entry.device = arena_copy (arena, device.at, device.length);
        *(struct stats_rdma *)add_item (arena, &list.items, &list.count, sizeof entry) = entry;
    } while (next_line (&text));
    *(struct stats_rdmas *)place = list;
    return 0;
}

/* Numbers by their names, each with what makes it the unit of struct cgroup_stats. */
struct field {
    const char *name;
    size_t offset;
    uint64_t factor;
};

static int parse_fields (const char *text, const struct field *fields, size_t count, void *place)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t value;
        int found = stats_find (text, fields[i].name, &value);
        if (found < 0)
            return -1;
        if (found)
            *(uint64_t *)((char *)place + fields[i].offset) = times (value, fields[i].factor);
    }
    return 0;
}

#define FIELD(name, member, factor)                                                                \
    {                                                                                              \
        name, offsetof (struct stats_cpu, member), factor                                          \
    }
#define COUNT(array) (sizeof (array) / sizeof ((array)[0]))

int stats_parse_cpuacct (struct arena *arena, const char *text, void *place)
{
    static const struct field fields[] = {
        FIELD ("user", user, UINT64_C (1000000000) / TICKS_PER_SECOND),
        FIELD ("system", kernel, UINT64_C (1000000000) / TICKS_PER_SECOND),
    };

    (void)arena;
    return parse_fields (text, fields, COUNT (fields), place);
}

int stats_parse_cpuacct_all (struct arena *arena, const char *text, void *place)
{
    struct stats_cpu *cpu = place;
    struct stats_numbers user = {0}, kernel = {0};

    while (next_line (&text)) { /* the first has the names of the columns */
        struct word number = next_word (&text), first = next_word (&text);
        struct word second = next_word (&text);
        uint64_t values[2];
        if (number.length == 0)
            continue;
        if (to_number (first, &values[0]) < 0 || to_number (second, &values[1]) < 0)
            return -1;
        add_number (arena, &user, values[0]);
        add_number (arena, &kernel, values[1]);
    }
    cpu->percpu_user = user;
    cpu->percpu_kernel = kernel;
    return 0;
}

int stats_parse_cpu_v1 (struct arena *arena, const char *text, void *place)
{
    static const struct field fields[] = {
        FIELD ("nr_periods", periods, 1),
        FIELD ("nr_throttled", throttled_periods, 1),
        FIELD ("throttled_time", throttled_time, 1),
        FIELD ("nr_bursts", burst_periods, 1),
        FIELD ("burst_time", burst_time, 1),
    };

    (void)arena;
    return parse_fields (text, fields, COUNT (fields), place);
}

int stats_parse_cpu_v2 (struct arena *arena, const char *text, void *place)
{
    static const struct field fields[] = {
        FIELD ("usage_usec", total, 1000),
        FIELD ("user_usec", user, 1000),
        FIELD ("system_usec", kernel, 1000),
        FIELD ("nr_periods", periods, 1),
        FIELD ("nr_throttled", throttled_periods, 1),
        FIELD ("throttled_usec", throttled_time, 1000),
        FIELD ("nr_bursts", burst_periods, 1),
        FIELD ("burst_usec", burst_time, 1000),
    };

    (void)arena;
    return parse_fields (text, fields, COUNT (fields), place);
}

int stats_parse_file (struct arena *arena, const struct stats_file *file, const char *path,
                      const char *text, struct cgroup_stats *stats, struct error *err)
{
    if (file->parse (arena, text, (char *)stats + file->offset) == 0)
        return 0;
    return error_set (err, "RT-CGROUP-STATS", 0, "'%s/%s' has no numbers where they should be",
                      path, file->name);
}

static uint64_t sum (uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

void stats_complete (struct cgroup_stats *stats, bool memory_v2)
{
    struct stats_memory *memory = &stats->memory;
    const char *cache = memory_v2 ? "file" : "cache";

    for (size_t i = 0; i < memory->raw.count; i++)
        if (text_equal (memory->raw.items[i].name, cache))
            memory->cache = memory->raw.items[i].value;
    if (!memory_v2)
        return;
    /* Of the two peaks nobody knows whether they were at the same time. */
    memory->swap = (struct stats_memory_use){
        .usage = sum (memory->usage.usage, memory->swap_only.usage),
        .limit = sum (memory->usage.limit, memory->swap_only.limit),
    };
}
