/* SPDX-License-Identifier: Apache-2.0 */
/*
 * selection: see selection.h.
 */
#include "selection.h"

#include "base/log.h"
#include "state/record.h"

#include <regex.h>

static bool is_listed (const struct oci_strings *ids, const char *id)
{
    for (size_t i = 0; i < ids->count; i++)
        if (text_equal (ids->items[i], id))
            return true;
    return false;
}

static int add_matches (const struct oci_strings *all, const char *pattern,
                        struct oci_strings *found, struct error *err)
{
    regex_t regex;
    char why[128];
    int failed = regcomp (&regex, pattern, REG_EXTENDED | REG_NOSUB);
    if (failed) {
        (void)regerror (failed, &regex, why, sizeof why);
        return error_set (err, "RT-USAGE", 0, "`%s` is no regular expression: %s", pattern, why);
    }
    for (size_t i = 0; i < all->count; i++)
        if (regexec (&regex, all->items[i], 0, NULL, 0) == 0 && !is_listed (found, all->items[i]))
            found->items[found->count++] = all->items[i];
    regfree (&regex);
    return 0;
}

int selection_find (const struct invocation *invocation, char *const *words, size_t count,
                    bool regex, struct oci_strings *ids, struct error *err)
{
    if (!regex) {
        *ids = (struct oci_strings){.count = count, .items = (char **)words};
        return 0;
    }
    struct oci_strings all;
    if (record_list (invocation->globals->state_root, invocation->arena, &all, err) < 0)
        return -1;
    struct oci_strings found = {
        .items = arena_array (invocation->arena, all.count + 1, sizeof (char *))};
    for (size_t i = 0; i < count; i++)
        if (add_matches (&all, words[i], &found, err) < 0)
            return -1;
    *ids = found;
    return 0;
}

int selection_each (const struct oci_strings *ids,
                    int (*act) (const char *id, const void *context, struct error *err),
                    const void *context, struct error *err)
{
    int result = 0;
    for (size_t i = 0; i < ids->count; i++) {
        struct error failure = {0};
        if (act (ids->items[i], context, &failure) == 0)
            continue;
        if (result < 0)
            log_error_value (err);
        *err = failure;
        result = -1;
    }
    return result;
}
