/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as the files that statistics are made of.
 *
 *   fuzz_stats -max_len=5000 tests/fuzz/corpus/stats
 *
 * The first byte chooses the row, of v1 or v2. What a parser accepts becomes a line of JSON, which
 * must be one, and have the numbers that a reader takes for such.
 */
#include "base/duration.h"
#include "base/text.h"
#include "cgroup/stats_parse.h"
#include "lifecycle/events.h"
#include "oci-spec/json.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *bytes, size_t size);

static void must (bool holds)
{
    if (!holds)
        abort ();
}

/* Names in memory.stat may be there twice, which no reader minds; the other keys are ours. */
static void check_line (struct arena *arena, const struct text *line)
{
    struct error err = {0};

    must (line->length > 2 && line->bytes[line->length - 1] == '\n');
    must (!memchr (line->bytes, '\n', line->length - 1));
    const struct json *event = json_parse (arena, "line", line->bytes, line->length, &err);
    must (event || text_equal (err.code, "RT-JSON-DUPLICATE"));
}

int LLVMFuzzerTestOneInput (const uint8_t *bytes, size_t size)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    AUTO_TEXT struct text line = {0};
    struct events_stats stats = {.has_interfaces = true};
    struct error err = {0};
    size_t rows = stats_files_v1.count + stats_files_v2.count;
    int64_t span;

    if (size < 1)
        return 0;
    size_t row = bytes[0] % rows;
    const char *text = arena_copy (&arena, (const char *)bytes + 1, size - 1);
    const struct stats_file *file = row < stats_files_v1.count
                                        ? &stats_files_v1.items[row]
                                        : &stats_files_v2.items[row - stats_files_v1.count];
    bool accepted = stats_parse_file (&arena, file, "x", text, &stats.cgroup, &err) == 0;
    must (accepted == !error_is_set (&err));
    netcounters_parse (&arena, text, &stats.interfaces);
    stats_complete (&stats.cgroup, bytes[0] & 1);
    events_stats_line (&line, "x", &stats);
    check_line (&arena, &line);
    (void)duration_parse (text, &span);
    return 0;
}
