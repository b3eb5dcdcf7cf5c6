/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hugetlb: huge pages, by size (FEATURES CGR-27, CGR-28).
 *
 * The reservation is limited where the kernel can (Linux 5.7), and the use always.
 */
#include "cgroup/knob.h"

#include "base/text.h"

#include <inttypes.h>

/* "2MB", "64KB": digits, one of K, M, G, then B; so that it cannot name another file. */
static int page_bytes (const char *size, uint64_t *bytes)
{
    size_t digits = strspn (size, "0123456789");
    char number[20];
    const char *unit = size + digits;

    if (digits == 0 || digits >= sizeof number || size[0] == '0' || !*unit || unit[1] != 'B' ||
        unit[2] != '\0')
        return -1;
    static const char prefixes[] = "KMG";
    const char *prefix = strchr (prefixes, *unit);
    if (!prefix)
        return -1;
    (void)snprintf (number, sizeof number, "%.*s", (int)digits, size);
    unsigned shift = 10 * (unsigned)(1 + prefix - prefixes);
    if (text_to_uint64 (number, UINT64_MAX >> shift, bytes) < 0)
        return -1;
    *bytes <<= shift;
    return 0;
}

int hugetlb_knobs (const struct oci_resources *resources, enum cgroup_version version,
                   struct knobs *knobs, struct error *err)
{
    const char *suffix = version == CGROUP_VERSION_1 ? "limit_in_bytes" : "max";
    struct arena *arena = knobs->arena;

    for (size_t i = 0; i < resources->hugepage_limits.count; i++) {
        const struct oci_hugepage_limit *item = &resources->hugepage_limits.items[i];
        uint64_t unit;

        if (page_bytes (item->page_size, &unit) < 0) {
            error_set (err, "RT-CGROUP-VALUE", 0, "'%s' is not a page size like 2MB or 1GB",
                       item->page_size);
            return error_at (err, "/linux/resources/hugepageLimits/%zu/pageSize", i);
        }
        const char *pointer = arena_printf (arena, "/linux/resources/hugepageLimits/%zu/limit", i);
        const char *value = arena_printf (arena, "%" PRIu64, item->limit);
        const char *reserved = arena_printf (arena, "hugetlb.%s.rsvd.%s", item->page_size, suffix);
        const char *used = arena_printf (arena, "hugetlb.%s.%s", item->page_size, suffix);

        struct knob *knob = knob_add (knobs, "hugetlb", reserved, value, pointer);
        knob->check = KNOB_ROUNDED;
        knob->unit = unit;
        knob->flags = KNOB_OPTIONAL;
        knob = knob_add (knobs, "hugetlb", used, value, pointer);
        knob->check = KNOB_ROUNDED;
        knob->unit = unit;
    }
    return 0;
}
