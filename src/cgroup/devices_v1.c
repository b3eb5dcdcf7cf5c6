/* SPDX-License-Identifier: Apache-2.0 */
/*
 * devices_v1: rules as the device controller of cgroup v1 holds them (FEATURES CGD-13, CGD-14): one
 * default and a set of exceptions from it.
 *
 * That is less than a list of rules can say: an exception cannot have a hole. The state is computed
 * here, so that a rule that the kernel would take without effect is an error instead.
 */
#include "cgroup/devices.h"

#include <inttypes.h>

struct state {
    struct arena *arena;
    bool allow;                     /* the default */
    struct device_rule *exceptions; /* of the other verdict; type 'b' or 'c'; access 0 = removed */
    size_t count;
    size_t room;
};

static bool number_covers (int64_t wide, int64_t narrow)
{
    return wide == DEVICE_ANY || wide == narrow;
}

static bool numbers_meet (int64_t a, int64_t b)
{
    return a == DEVICE_ANY || b == DEVICE_ANY || a == b;
}

static bool device_covers (const struct device_rule *wide, const struct device_rule *narrow)
{
    return wide->type == narrow->type && number_covers (wide->major, narrow->major) &&
           number_covers (wide->minor, narrow->minor);
}

static bool devices_meet (const struct device_rule *a, const struct device_rule *b)
{
    return a->type == b->type && numbers_meet (a->major, b->major) &&
           numbers_meet (a->minor, b->minor);
}

/* The rule agrees with the default: the exceptions that it covers end. */
static int remove_exceptions (struct state *state, const struct device_rule *rule,
                              struct error *err)
{
    for (size_t i = 0; i < state->count; i++) {
        struct device_rule *exception = &state->exceptions[i];

        if (!(exception->access & rule->access) || !devices_meet (exception, rule))
            continue;
        if (!device_covers (rule, exception)) {
            error_set (err, "RT-CGROUP-DEVICES", 0,
                       "cgroup v1 cannot %s part of what an earlier, wider device rule %s",
                       rule->allow ? "allow" : "deny", rule->allow ? "denies" : "allows");
            return rule->index < 0
                       ? error_at (err, "/linux/resources/devices")
                       : error_at (err, "/linux/resources/devices/%" PRId64, rule->index);
        }
        exception->access &= ~rule->access;
    }
    return 0;
}

static void add_exception (struct state *state, const struct device_rule *rule)
{
    for (size_t i = 0; i < state->count; i++) {
        struct device_rule *exception = &state->exceptions[i];
        if (device_covers (exception, rule) && device_covers (rule, exception)) {
            exception->access |= rule->access;
            return;
        }
    }
    if (state->count == state->room) {
        struct device_rule *wider = arena_array (state->arena, 2 * state->room, sizeof *wider);
        memcpy (wider, state->exceptions, state->count * sizeof *wider);
        state->exceptions = wider;
        state->room *= 2;
    }
    state->exceptions[state->count++] = *rule;
}

static int apply_rule (struct state *state, const struct device_rule *rule, struct error *err)
{
    struct device_rule one = *rule;

    if (rule->type == 'a' && rule->major == DEVICE_ANY && rule->minor == DEVICE_ANY &&
        rule->access == DEVICE_ACCESS_ALL) {
        state->allow = rule->allow;
        state->count = 0;
        return 0;
    }
    for (const char *type = rule->type == 'a'   ? "bc"
                            : rule->type == 'b' ? "b"
                                                : "c";
         *type; type++) {
        one.type = *type;
        if (rule->allow != state->allow)
            add_exception (state, &one);
        else if (remove_exceptions (state, &one, err) < 0)
            return -1;
    }
    return 0;
}

/* The kernel wants one exception that allows all of a request. So each gets what the wider ones
 * allow as well, and where two cross ("1:*" and "*:3"), the crossing becomes one of its own. */
static void complete_exceptions (struct state *state)
{
    for (size_t i = 0; i < state->count; i++)
        for (size_t j = 0; j < i; j++) {
            struct device_rule *a = &state->exceptions[i], *b = &state->exceptions[j];

            if (!a->access || !b->access || a->access == b->access || !devices_meet (a, b))
                continue;
            if (device_covers (a, b)) {
                b->access |= a->access;
            } else if (device_covers (b, a)) {
                a->access |= b->access;
            } else {
                struct device_rule crossing = *a;
                crossing.major = a->major == DEVICE_ANY ? b->major : a->major;
                crossing.minor = a->minor == DEVICE_ANY ? b->minor : a->minor;
                crossing.access = a->access | b->access;
                add_exception (state, &crossing);
            }
        }
}

static const char *number_text (struct arena *arena, int64_t number)
{
    return number == DEVICE_ANY ? "*" : arena_printf (arena, "%" PRId64, number);
}

int device_lines_make (struct arena *arena, const struct device_rules *rules,
                       struct device_lines *lines, struct error *err)
{
    struct state state = {.arena = arena, .room = 2 * rules->count + 1};

    state.exceptions = arena_array (arena, state.room, sizeof *state.exceptions);

    for (size_t i = 0; i < rules->count; i++)
        if (apply_rule (&state, &rules->items[i], err) < 0)
            return -1;
    if (!state.allow) /* with the other default, each part of a request is denied by itself */
        complete_exceptions (&state);
    struct device_lines made = {.items = arena_array (arena, state.count + 1, sizeof *made.items)};
    made.items[made.count++] = (struct device_line){state.allow, "a"};
    for (size_t i = 0; i < state.count; i++) {
        const struct device_rule *exception = &state.exceptions[i];
        unsigned access = exception->access;

        if (access == 0)
            continue;
        const char *text = arena_printf (
            arena, "%c %s:%s %s%s%s", exception->type, number_text (arena, exception->major),
            number_text (arena, exception->minor), access & OCI_ACCESS_READ ? "r" : "",
            access & OCI_ACCESS_WRITE ? "w" : "", access & OCI_ACCESS_MKNOD ? "m" : "");
        made.items[made.count++] = (struct device_line){!state.allow, text};
    }
    *lines = made;
    return 0;
}
