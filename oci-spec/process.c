/* SPDX-License-Identifier: Apache-2.0 */
/*
 * process: see process.h. `commandLine` and `user.username` are for Windows and passed over.
 */
#include "oci-spec/process.h"

#include "base/text.h"
#include "oci-spec/sections.h"

#include <string.h>

/* Terminals count in 16 bits; a document may say more. */
static void decode_terminal_size (struct decoder *decoder, const struct decode_row *row,
                                  const struct place *at, void *target)
{
    struct decode_row wide = *row;
    uint64_t number = 0;

    wide.offset = 0;
    wide.size = sizeof (number);
    wide.max = UINT64_MAX;
    decode_integer (decoder, &wide, at, &number);
    uint16_t cut = number > UINT16_MAX ? UINT16_MAX : (uint16_t)number;
    memcpy ((char *)target + row->offset, &cut, sizeof (cut));
}

static const struct decode_row console_size_rows[] = {
    ROW_FUNCTION ("height", struct oci_console_size, height, uint16_t, decode_terminal_size,
                  REQUIRED),
    ROW_FUNCTION ("width", struct oci_console_size, width, uint16_t, decode_terminal_size,
                  REQUIRED),
};
DECODE_TABLE (console_size_table, struct oci_console_size, console_size_rows);

/* An absent user, uid or gid is 0: engines leave zeros out. */
static const struct decode_row user_rows[] = {
    ROW_INTEGER ("uid", struct oci_user, uid, 0, ID_MAX),
    ROW_INTEGER ("gid", struct oci_user, gid, 0, ID_MAX),
    ROW_INTEGER ("umask", struct oci_user, umask, 0, 07777),
    ROW_INTEGERS ("additionalGids", struct oci_user, additional_gids, gid_t, 0, ID_MAX),
};
DECODE_TABLE (user_table, struct oci_user, user_rows);

static bool has_string (const struct oci_strings *strings, const char *string)
{
    for (size_t i = 0; i < strings->count; i++)
        if (text_equal (strings->items[i], string))
            return true;
    return false;
}

/* The specification wants a warning for a name that cannot be mapped, not an error. */
static void add_unknown (struct arena *arena, struct oci_strings *unknown, const char *name)
{
    if (has_string (unknown, name))
        return;
    char **items = arena_array (arena, unknown->count + 2, sizeof (*items));
    if (unknown->count > 0)
        memcpy (items, unknown->items, unknown->count * sizeof (*items));
    items[unknown->count] = arena_string (arena, name);
    *unknown = (struct oci_strings){.count = unknown->count + 1, .items = items, .present = true};
}

static void decode_capability_set (struct decoder *decoder, const struct decode_row *row,
                                   const struct place *at, void *target)
{
    struct oci_capabilities *capabilities = target;
    struct decode_row as_strings = {.decode = decode_strings};
    struct oci_strings names = {0};
    uint64_t set = 0, number;

    decode_strings (decoder, &as_strings, at, &names);
    for (size_t i = 0; i < names.count; i++) {
        if (!names.items[i])
            continue;
        if (oci_names_find (&oci_capability_names, names.items[i], &number))
            set |= UINT64_C (1) << number;
        else
            add_unknown (decoder->arena, &capabilities->unknown, names.items[i]);
    }
    memcpy ((char *)target + row->offset, &set, sizeof (set));
}

#define ROW_CAPABILITIES(key, member)                                                              \
    ROW_FUNCTION (key, struct oci_capabilities, member, uint64_t, decode_capability_set)

static const struct decode_row capabilities_rows[] = {
    ROW_CAPABILITIES ("bounding", bounding),   ROW_CAPABILITIES ("effective", effective),
    ROW_CAPABILITIES ("permitted", permitted), ROW_CAPABILITIES ("inheritable", inheritable),
    ROW_CAPABILITIES ("ambient", ambient),
};
DECODE_TABLE (capabilities_table, struct oci_capabilities, capabilities_rows);

static const struct decode_row rlimit_rows[] = {
    ROW_ENUM ("type", struct oci_rlimit, type, oci_rlimit_types, REQUIRED),
    ROW_INTEGER ("soft", struct oci_rlimit, soft, 0, UINT64_MAX, REQUIRED),
    ROW_INTEGER ("hard", struct oci_rlimit, hard, 0, UINT64_MAX, REQUIRED),
};
DECODE_TABLE (rlimit_table, struct oci_rlimit, rlimit_rows);

/* The schema requires only the class; an absent priority is 0, the highest. */
static const struct decode_row io_priority_rows[] = {
    ROW_ENUM ("class", struct oci_io_priority, io_class, oci_io_priority_classes, REQUIRED),
    ROW_INTEGER ("priority", struct oci_io_priority, priority, 0, 7),
};
DECODE_TABLE (io_priority_table, struct oci_io_priority, io_priority_rows);

static const struct decode_row scheduler_rows[] = {
    ROW_ENUM ("policy", struct oci_scheduler, policy, oci_scheduler_policies, REQUIRED),
    ROW_INTEGER ("nice", struct oci_scheduler, nice, INT32_MIN, INT32_MAX),
    ROW_INTEGER ("priority", struct oci_scheduler, priority, INT32_MIN, INT32_MAX),
    ROW_FLAGS ("flags", struct oci_scheduler, flags, oci_scheduler_flags),
    ROW_INTEGER ("runtime", struct oci_scheduler, runtime, 0, UINT64_MAX),
    ROW_INTEGER ("deadline", struct oci_scheduler, deadline, 0, UINT64_MAX),
    ROW_INTEGER ("period", struct oci_scheduler, period, 0, UINT64_MAX),
};
DECODE_TABLE (scheduler_table, struct oci_scheduler, scheduler_rows);

static const struct decode_row affinity_rows[] = {
    ROW_STRING ("initial", struct oci_process, affinity_initial),
    ROW_STRING ("final", struct oci_process, affinity_final),
};
DECODE_TABLE (affinity_table, struct oci_process, affinity_rows);

/* Without a terminal it is ignored, whatever it says (config.md, "Process"). */
static void decode_console_size (struct decoder *decoder, const struct decode_row *row,
                                 const struct place *at, void *target)
{
    const struct json *terminal = json_member (at->up->value, "terminal");

    if (terminal && terminal->type == JSON_BOOL && terminal->boolean)
        decode_pointer (decoder, row, at, target);
}

static const struct decode_row process_rows[] = {
    ROW_BOOL ("terminal", struct oci_process, terminal),
    {.key = "consoleSize",
     .decode = decode_console_size,
     ROW_MEMBER (struct oci_process, console_size, true),
     .table = &console_size_table},
    ROW_EMBEDDED ("user", struct oci_process, user, user_table),
    ROW_STRINGS ("args", struct oci_process, args),
    ROW_STRINGS ("env", struct oci_process, env),
    ROW_STRING ("cwd", struct oci_process, cwd, REQUIRED),
    ROW_OBJECT ("capabilities", struct oci_process, capabilities, capabilities_table),
    ROW_OBJECTS ("rlimits", struct oci_process, rlimits, rlimit_table),
    ROW_BOOL ("noNewPrivileges", struct oci_process, no_new_privileges),
    ROW_STRING ("apparmorProfile", struct oci_process, apparmor_profile),
    ROW_STRING ("selinuxLabel", struct oci_process, selinux_label),
    ROW_INTEGER ("oomScoreAdj", struct oci_process, oom_score_adj, -1000, 1000),
    ROW_OBJECT ("ioPriority", struct oci_process, io_priority, io_priority_table),
    ROW_OBJECT ("scheduler", struct oci_process, scheduler, scheduler_table),
    ROW_SPREAD ("execCPUAffinity", struct oci_process, affinity_table),
};
DECODE_TABLE_DEFINE (oci_process_table, process_rows, NULL);
