/* SPDX-License-Identifier: Apache-2.0 */
/*
 * state: see state.h.
 */
#include "oci-spec/state.h"

#include "base/json_write.h"

const char *oci_status_word (enum oci_status status)
{
    static const char *const words[] = {
        [OCI_STATUS_CREATING] = "creating", [OCI_STATUS_CREATED] = "created",
        [OCI_STATUS_RUNNING] = "running",   [OCI_STATUS_STOPPED] = "stopped",
        [OCI_STATUS_PAUSED] = "paused",
    };

    return words[status];
}

static void write_optional (struct json_writer *writer, const char *key, const char *value)
{
    if (value)
        json_string (writer, key, value);
}

/* The order is that of the peers, which people and scripts are used to. */
void oci_state_write (struct text *out, const struct oci_state *state, bool pretty)
{
    struct json_writer writer = {.out = out, .pretty = pretty};

    json_open (&writer, NULL, '{');
    json_string (&writer, "ociVersion", OCI_VERSION);
    json_string (&writer, "id", state->id);
    json_string (&writer, "status", oci_status_word (state->status));
    json_int (&writer, "pid", state->pid);
    json_string (&writer, "bundle", state->bundle);
    write_optional (&writer, "rootfs", state->rootfs);
    write_optional (&writer, "created", state->created);
    json_open (&writer, "annotations", '{');
    for (size_t i = 0; state->annotations && i < state->annotations->count; i++)
        json_string (&writer, state->annotations->items[i].key, state->annotations->items[i].value);
    json_close (&writer, '}');
    write_optional (&writer, "owner", state->owner);
    write_optional (&writer, "systemd-scope", state->systemd_scope);
    json_close (&writer, '}');
}
