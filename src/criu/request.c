/* SPDX-License-Identifier: Apache-2.0 */
/*
 * request: what is asked of CRIU and what it answers, as bytes. Field numbers are those of
 * images/rpc.proto.
 */
#include "criu/criu.h"
#include "criu/protobuf.h"

#include <string.h>

enum {
    REQUEST_TYPE = 1,
    REQUEST_OPTIONS = 2,
    OPTIONS_PAGE_SERVER = 11,
    OPTIONS_CGROUP_ROOT = 25,
    OPTIONS_INHERIT_FD = 27,
    OPTIONS_EXTERNAL = 37,
    OPTIONS_JOIN = 39,
    ANSWER_TYPE = 1,
    ANSWER_SUCCESS = 2,
    ANSWER_RESTORE = 4,
    ANSWER_NOTIFY = 5,
    ANSWER_ERRNO = 7,
    ANSWER_MESSAGE = 9,
    ANSWER_VERSION = 10
};

enum kind { KIND_BOOL, KIND_INT, KIND_STRING, KIND_WORD, KIND_MASK };

struct row {
    uint32_t field;
    enum kind kind;
    size_t offset;
};

#define ROW(field_, kind_, member)                                                                 \
    {                                                                                              \
        field_, kind_, offsetof (struct criu_options, member)                                      \
    }

static const struct row rows[] = {
    ROW (1, KIND_INT, images),
    ROW (2, KIND_INT, pid),
    ROW (3, KIND_BOOL, leave_running),
    ROW (4, KIND_BOOL, external_sockets),
    ROW (5, KIND_BOOL, tcp_established),
    ROW (7, KIND_BOOL, shell_job),
    ROW (8, KIND_BOOL, file_locks),
    ROW (10, KIND_STRING, log_file),
    ROW (13, KIND_STRING, root),
    ROW (14, KIND_STRING, parent),
    ROW (15, KIND_BOOL, track_memory),
    ROW (16, KIND_BOOL, auto_dedup),
    ROW (17, KIND_INT, work),
    ROW (18, KIND_BOOL, link_remap),
    ROW (26, KIND_BOOL, sibling),
    ROW (30, KIND_BOOL, external_masters),
    ROW (34, KIND_WORD, cgroups),
    ROW (38, KIND_MASK, empty_ns),
    ROW (44, KIND_STRING, freezer),
    ROW (46, KIND_BOOL, tcp_skip_in_flight),
    ROW (48, KIND_BOOL, lazy_pages),
    ROW (50, KIND_BOOL, orphan_terminal),
    ROW (51, KIND_STRING, config),
    ROW (52, KIND_BOOL, tcp_close),
    ROW (53, KIND_STRING, lsm_profile),
    ROW (63, KIND_STRING, lsm_mount_context),
    ROW (64, KIND_INT, network_lock),
};

/* Opening a device or a FIFO of a container must not wait (evasive_devices), all is in the log
 * (log_level), and rt wants to be told (notify_scripts). */
static const struct {
    uint32_t field;
    uint64_t value;
} always[] = {{6, true}, {9, 4}, {12, true}};

static void write_row (struct text *out, const struct row *row, const struct criu_options *options)
{
    const char *member = (const char *)options + row->offset;
    const char *string;
    uint64_t mask;
    bool flag;
    int number;

    switch (row->kind) {
    case KIND_BOOL:
        memcpy (&flag, member, sizeof (flag));
        if (flag)
            protobuf_number (out, row->field, true);
        return;
    case KIND_INT:
    case KIND_WORD:
        memcpy (&number, member, sizeof (number));
        if (number > 0)
            protobuf_number (out, row->field, (uint64_t)number - (row->kind == KIND_WORD ? 1 : 0));
        return;
    case KIND_MASK:
        memcpy (&mask, member, sizeof (mask));
        if (mask)
            protobuf_number (out, row->field, mask);
        return;
    case KIND_STRING:
        memcpy (&string, member, sizeof (string));
        if (string)
            protobuf_string (out, row->field, string);
        return;
    }
}

static void write_pair (struct text *out, uint32_t field, const struct criu_pair *pair)
{
    AUTO_TEXT struct text message = {0};

    if (pair->key)
        protobuf_string (&message, 1, pair->key);
    if (pair->value)
        protobuf_string (&message, 2, pair->value);
    else
        protobuf_number (&message, 2, (uint64_t)pair->fd);
    protobuf_message (out, field, &message);
}

static void write_page_server (struct text *out, const struct criu_options *options)
{
    AUTO_TEXT struct text message = {0};

    if (!options->page_address)
        return;
    protobuf_string (&message, 1, options->page_address);
    protobuf_number (&message, 2, (uint64_t)options->page_port);
    protobuf_message (out, OPTIONS_PAGE_SERVER, &message);
}

void criu_request_write (struct text *out, enum criu_task task, const struct criu_options *options)
{
    AUTO_TEXT struct text message = {0};

    for (size_t i = 0; i < sizeof (rows) / sizeof (rows[0]); i++)
        write_row (&message, &rows[i], options);
    for (size_t i = 0; i < sizeof (always) / sizeof (always[0]); i++)
        protobuf_number (&message, always[i].field, always[i].value);
    write_page_server (&message, options);
    for (size_t i = 0; i < options->externals.count; i++)
        protobuf_string (&message, OPTIONS_EXTERNAL, options->externals.items[i]);
    for (size_t i = 0; i < options->inherited.count; i++)
        write_pair (&message, OPTIONS_INHERIT_FD, &options->inherited.items[i]);
    for (size_t i = 0; i < options->cgroup_roots.count; i++)
        write_pair (&message, OPTIONS_CGROUP_ROOT, &options->cgroup_roots.items[i]);
    for (size_t i = 0; i < options->joined.count; i++)
        write_pair (&message, OPTIONS_JOIN, &options->joined.items[i]);
    protobuf_number (out, REQUEST_TYPE, task);
    protobuf_message (out, REQUEST_OPTIONS, &message);
}

/* A word of CRIU's is cut where there is no room for it. */
static void read_string (const struct protobuf *body, char *out, size_t size)
{
    size_t length = body->left < size - 1 ? body->left : size - 1;

    if (length > 0)
        memcpy (out, body->at, length);
    out[length] = '\0';
}

static int read_restore (struct protobuf body, struct criu_answer *answer)
{
    struct protobuf_field field;
    int more;

    while ((more = protobuf_next (&body, &field)) > 0)
        if (field.number == 1)
            answer->pid = (pid_t)field.value;
    return more;
}

static int read_notify (struct protobuf body, struct criu_answer *answer)
{
    struct protobuf_field field;
    int more;

    while ((more = protobuf_next (&body, &field)) > 0) {
        if (field.number == 1)
            read_string (&field.body, answer->script, sizeof (answer->script));
        if (field.number == 2)
            answer->pid = (pid_t)field.value;
    }
    return more;
}

static int read_version (struct protobuf body, struct criu_answer *answer)
{
    struct protobuf_field field;
    int more;

    while ((more = protobuf_next (&body, &field)) > 0) {
        if (field.number == 1)
            answer->version += (uint32_t)field.value * 10000;
        if (field.number == 2)
            answer->version += (uint32_t)field.value * 100;
        if (field.number == 4)
            answer->version += (uint32_t)field.value;
    }
    return more;
}

int criu_answer_read (const void *bytes, size_t length, struct criu_answer *answer)
{
    struct protobuf message = {.at = bytes, .left = length};
    struct criu_answer found = {0};
    struct protobuf_field field;
    bool typed = false;
    int more;

    while ((more = protobuf_next (&message, &field)) > 0) {
        int failed = 0;
        switch (field.number) {
        case ANSWER_TYPE:
            found.task = (uint32_t)field.value;
            typed = true;
            break;
        case ANSWER_SUCCESS:
            found.success = field.value != 0;
            break;
        case ANSWER_RESTORE:
            failed = read_restore (field.body, &found);
            break;
        case ANSWER_NOTIFY:
            failed = read_notify (field.body, &found);
            break;
        case ANSWER_ERRNO:
            found.errnum = (int)field.value;
            break;
        case ANSWER_MESSAGE:
            read_string (&field.body, found.message, sizeof (found.message));
            break;
        case ANSWER_VERSION:
            failed = read_version (field.body, &found);
            break;
        default:
            break;
        }
        if (failed < 0)
            return -1;
    }
    if (more < 0 || !typed)
        return -1;
    *answer = found;
    return 0;
}
