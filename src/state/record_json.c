/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record_json: see record_json.h.
 */
#include "record_json.h"

#include "base/json_write.h"
#include "oci-spec/json.h"

#include <stddef.h>
#include <string.h>

enum kind { KIND_STRING, KIND_PID, KIND_UID, KIND_UINT64, KIND_BOOL, KIND_MAP };

static const struct field {
    const char *key;
    enum kind kind;
    size_t offset;
    bool required; /* only what every rt has written, and without which nothing can be said */
} fields[] = {
    {"id", KIND_STRING, offsetof (struct record, id), true},
    {"bundle", KIND_STRING, offsetof (struct record, bundle), true},
    {"rootfs", KIND_STRING, offsetof (struct record, rootfs), false},
    {"created", KIND_STRING, offsetof (struct record, created), false},
    {"owner", KIND_UID, offsetof (struct record, owner), false},
    {"pid", KIND_PID, offsetof (struct record, pid), true},
    {"startTime", KIND_UINT64, offsetof (struct record, start_time), true},
    {"creator", KIND_PID, offsetof (struct record, creator), false},
    {"creatorStartTime", KIND_UINT64, offsetof (struct record, creator_start_time), false},
    {"cgroup", KIND_MAP, offsetof (struct record, cgroup), false},
    {"systemd", KIND_BOOL, offsetof (struct record, systemd), false},
    {"systemdUnit", KIND_STRING, offsetof (struct record, systemd_unit), false},
    {"systemdBus", KIND_STRING, offsetof (struct record, systemd_bus), false},
    {"intelRdt", KIND_STRING, offsetof (struct record, intel_rdt), false},
    {"terminal", KIND_BOOL, offsetof (struct record, terminal), false},
    {"ownPidNamespace", KIND_BOOL, offsetof (struct record, own_pid_namespace), false},
    {"poststopHooks", KIND_BOOL, offsetof (struct record, poststop_hooks), false},
    {"noNewKeyring", KIND_BOOL, offsetof (struct record, no_new_keyring), false},
    {"notify", KIND_BOOL, offsetof (struct record, notify), false},
    {"awaitsGo", KIND_BOOL, offsetof (struct record, awaits_go), false},
    {"rootDevice", KIND_UINT64, offsetof (struct record, root_device), false},
    {"rootInode", KIND_UINT64, offsetof (struct record, root_inode), false},
    {"rootMount", KIND_UINT64, offsetof (struct record, root_mount), false},
    {"annotations", KIND_MAP, offsetof (struct record, annotations), false},
};

static const char *const phase_words[] = {
    [RECORD_CREATING] = "creating",
    [RECORD_CREATED] = "created",
};

static void write_map (struct json_writer *writer, const char *key, const struct oci_map *map)
{
    json_open (writer, key, '{');
    for (size_t i = 0; i < map->count; i++)
        json_string (writer, map->items[i].key, map->items[i].value);
    json_close (writer, '}');
}

static void write_field (struct json_writer *writer, const struct field *field,
                         const struct record *record)
{
    const void *place = (const char *)record + field->offset;
    switch (field->kind) {
    case KIND_STRING:
        if (*(const char *const *)place)
            json_string (writer, field->key, *(const char *const *)place);
        break;
    case KIND_PID:
        json_int (writer, field->key, *(const pid_t *)place);
        break;
    case KIND_UID:
        json_uint (writer, field->key, *(const uid_t *)place);
        break;
    case KIND_UINT64:
        json_uint (writer, field->key, *(const uint64_t *)place);
        break;
    case KIND_BOOL:
        json_bool (writer, field->key, *(const bool *)place);
        break;
    case KIND_MAP:
        write_map (writer, field->key, place);
        break;
    }
}

void record_to_json (const struct record *record, struct text *out)
{
    struct json_writer writer = {.out = out, .pretty = true};
    json_open (&writer, NULL, '{');
    json_uint (&writer, "version", RECORD_VERSION);
    json_uint (&writer, "floor", RECORD_FLOOR);
    json_string (&writer, "phase", phase_words[record->phase]);
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        write_field (&writer, &fields[i], record);
    json_close (&writer, '}');
    text_putc (out, '\n');
}

/* 0, or -1 where the value is not of the field's kind. */
static int read_map (struct arena *arena, const struct json *value, struct oci_map *map)
{
    if (value->type != JSON_OBJECT)
        return -1;
    map->present = true;
    map->items = value->count > 0 ? arena_array (arena, value->count, sizeof *map->items) : NULL;
    json_each (member, value) {
        if (member->type != JSON_STRING)
            return -1;
        map->items[map->count++] = (struct oci_pair){member->key, member->text};
    }
    return 0;
}

static int read_number (const struct json *value, uint64_t max, uint64_t *number)
{
    return value->type == JSON_NUMBER ? text_to_uint64 (value->text, max, number) : -1;
}

static int read_field (struct arena *arena, const struct json *value, const struct field *field,
                       struct record *record)
{
    void *place = (char *)record + field->offset;
    uint64_t number;
    switch (field->kind) {
    case KIND_STRING:
        if (value->type != JSON_STRING)
            return -1;
        *(const char **)place = value->text;
        return 0;
    case KIND_PID:
        if (read_number (value, INT32_MAX, &number) < 0)
            return -1;
        *(pid_t *)place = (pid_t)number;
        return 0;
    case KIND_UID:
        if (read_number (value, UINT32_MAX, &number) < 0)
            return -1;
        *(uid_t *)place = (uid_t)number;
        return 0;
    case KIND_UINT64:
        return read_number (value, UINT64_MAX, place);
    case KIND_BOOL:
        if (value->type != JSON_BOOL)
            return -1;
        *(bool *)place = value->boolean;
        return 0;
    case KIND_MAP:
        return read_map (arena, value, place);
    }
    return -1;
}

static int damaged (const char *key, struct error *err)
{
    error_set (err, "RT-STATE-DAMAGED", 0, "the container's record has no valid `%s`", key);
    return error_at (err, "/%s", key);
}

static int check_version (const struct json *root, struct error *err)
{
    const struct json *version = json_member (root, "version");
    if (!version || version->type != JSON_NUMBER)
        return damaged ("version", err);
    uint64_t number, floor = 1;
    if (text_to_uint64 (version->text, UINT64_MAX, &number) < 0 || number == 0)
        return damaged ("version", err);
    const struct json *needed = json_member (root, "floor");
    if (needed && (read_number (needed, UINT64_MAX, &floor) < 0 || floor == 0))
        return damaged ("floor", err);
    if (floor <= RECORD_VERSION)
        return 0;
    error_set (err, "RT-STATE-VERSION", 0,
               "the container was created by a newer rt: its record needs one that knows version "
               "%s, and this one knows %d",
               needed->text, RECORD_VERSION);
    return error_hint (err, "use the rt that created it");
}

static int read_phase (const struct json *root, enum record_phase *phase, struct error *err)
{
    const struct json *value = json_member (root, "phase");
    for (size_t i = 0; i < sizeof phase_words / sizeof phase_words[0]; i++) {
        if (value && value->type == JSON_STRING && text_equal (value->text, phase_words[i])) {
            *phase = (enum record_phase)i;
            return 0;
        }
    }
    return damaged ("phase", err);
}

static int read_record (struct arena *arena, const struct json *root, struct record *record,
                        struct error *err)
{
    struct record read = {0};
    if (check_version (root, err) < 0 || read_phase (root, &read.phase, err) < 0)
        return -1;
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        const struct json *value = json_member (root, fields[i].key);
        if (!value && !fields[i].required)
            continue; /* an rt that did not know it has written the record */
        if (!value || read_field (arena, value, &fields[i], &read) < 0)
            return damaged (fields[i].key, err);
    }
    *record = read;
    return 0;
}

int record_from_json (struct arena *arena, const char *text, size_t length, struct record *record,
                      struct error *err)
{
    const struct json *root = json_parse (arena, "record.json", text, length, err);
    if (!root) {
        if (err->errnum == 0) /* what the text is, and no failure to look at it */
            (void)snprintf (err->code, sizeof err->code, "%s", "RT-STATE-DAMAGED");
        return -1;
    }
    int result = read_record (arena, root, record, err);
    if (result < 0)
        (void)snprintf (err->file, sizeof err->file, "record.json");
    return result;
}

/* Where the last whole member of the outermost object ends: at the comma behind it. 0: nowhere. */
static size_t whole_members (const char *text, size_t length)
{
    bool quoted = false;
    size_t end = 0;
    int depth = 0;

    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        if (quoted && c == '\\')
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && (c == '{' || c == '['))
            depth++;
        else if (!quoted && (c == '}' || c == ']'))
            depth--;
        else if (!quoted && c == ',' && depth == 1)
            end = i;
    }
    return end;
}

static const struct json *parse_parts (struct arena *arena, const char *text, size_t length)
{
    struct error ignored = {0};
    const struct json *root = json_parse (arena, "record.json", text, length, &ignored);
    size_t whole = root ? 0 : whole_members (text, length);

    if (root || whole == 0)
        return root;
    char *closed = arena_alloc (arena, whole + 1);
    memcpy (closed, text, whole);
    closed[whole] = '}';
    return json_parse (arena, "record.json", closed, whole + 1, &ignored);
}

void record_parts_of_json (struct arena *arena, const char *text, size_t length, const char *id,
                           struct record *parts)
{
    const struct json *root = parse_parts (arena, text, length);
    struct record found = {.phase = RECORD_CREATING};

    *parts = found;
    for (size_t i = 0; root && i < sizeof fields / sizeof fields[0]; i++) {
        const struct json *value = json_member (root, fields[i].key);
        struct record before = found;
        if (value && read_field (arena, value, &fields[i], &found) < 0)
            found = before; /* no half of a map */
    }
    if (!found.id || !text_equal (found.id, id))
        return;
    *parts = found;
}
