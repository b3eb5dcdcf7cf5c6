/* SPDX-License-Identifier: Apache-2.0 */
/* env: see env.h. */
#include "container/env.h"

#include <stdint.h>
#include <string.h>

/* A set of names, so that the work grows with the number of entries and not with its square:
 * orchestrators give thousands. Open addressing, a power of two of slots, at least half empty. */
struct names {
    size_t mask;
    char **slots; /* entries "NAME=..." */
};

static struct names names_make (struct arena *arena, size_t count)
{
    size_t size = 16;

    while (size < count * 2)
        size *= 2;
    return (struct names){.mask = size - 1, .slots = arena_array (arena, size, sizeof (char *))};
}

static size_t name_length (const char *entry)
{
    return strcspn (entry, "=");
}

/* FNV-1a */
static uint32_t hash (const char *name, size_t length)
{
    uint32_t value = 2166136261u;

    for (size_t i = 0; i < length; i++)
        value = (value ^ (unsigned char)name[i]) * 16777619u;
    return value;
}

/* False where the name is there already. */
static bool names_add (struct names *names, char *entry)
{
    size_t length = name_length (entry);
    size_t at = hash (entry, length) & names->mask;

    for (; names->slots[at]; at = (at + 1) & names->mask)
        if (strncmp (names->slots[at], entry, length + 1) == 0)
            return false;
    names->slots[at] = entry;
    return true;
}

const char *env_value (const struct oci_strings *env, const char *name)
{
    size_t length = strlen (name);

    for (size_t i = env->count; i-- > 0;)
        if (strncmp (env->items[i], name, length) == 0 && env->items[i][length] == '=')
            return env->items[i] + length + 1;
    return NULL;
}

bool env_needs_home (const struct oci_process *process)
{
    const char *home = env_value (&process->env, "HOME");

    return !home || home[0] == '\0';
}

static int check (const struct oci_strings *env, struct error *err)
{
    for (size_t i = 0; i < env->count; i++) {
        const char *why = env->items[i][0] == '='               ? "has no name"
                          : strchr (env->items[i], '=') == NULL ? "has no '='"
                                                                : NULL;
        if (!why)
            continue;
        error_set (err, "RT-ENV-ENTRY", 0, "environment entry %zu %s", i, why);
        error_hint (err, "entries are NAME=VALUE");
        return error_at (err, "/process/env/%zu", i);
    }
    return 0;
}

int env_prepare (struct arena *arena, const struct oci_process *process, const char *home,
                 const struct oci_strings *passed, struct oci_strings *env, struct error *err)
{
    const struct oci_strings *given = &process->env;
    bool home_wanted = home && env_needs_home (process);

    if (check (given, err) < 0)
        return -1;

    /* From the end, so that the last one of a name is met first, into the end of the array. */
    size_t room = given->count + 1 + (passed ? passed->count : 0);
    char **items = arena_array (arena, room + 1, sizeof (char *));
    struct names names = names_make (arena, room);
    size_t first = room;
    if (home_wanted) {
        items[--first] = arena_printf (arena, "HOME=%s", home);
        (void)names_add (&names, items[first]);
    }
    for (size_t i = passed ? passed->count : 0; i-- > 0;)
        if (names_add (&names, passed->items[i]))
            items[--first] = passed->items[i];
    for (size_t i = given->count; i-- > 0;)
        if (names_add (&names, given->items[i]))
            items[--first] = given->items[i];
    *env = (struct oci_strings){.count = room - first, .items = items + first, .present = true};
    return 0;
}
