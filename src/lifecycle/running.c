/* SPDX-License-Identifier: Apache-2.0 */
/* running: see running.h. */
#include "lifecycle/running.h"

#include "base/cleanup.h"
#include "base/text.h"
#include "container/hooks.h"
#include "lifecycle/channel.h"
#include "oci-spec/state.h"

#include <errno.h>

int running_await (int line, struct error *err)
{
    struct channel_message message;
    bool at_exec = false;

    for (;;) {
        if (channel_receive (line, &message, err) < 0)
            return -1;
        drop_fd (&message.fd);
        if (message.type == CHANNEL_EXEC) {
            at_exec = true;
            continue;
        }
        if (message.type != CHANNEL_CLOSED)
            return error_set (err, "RT-CHANNEL-ORDER", EPROTO, "unexpected packet %u from inside",
                              message.type);
        if (at_exec)
            return 0;
        error_set (err, "RT-INIT-ENDED", 0, "the container's init died before it could execute");
        return error_hint (err, "a memory limit that is too small, or somebody's signal");
    }
}

int running_hooks (const struct oci_config *config, const struct record *record, struct error *err)
{
    const struct oci_hooks *hooks = &config->hooks[OCI_HOOK_POSTSTART];
    AUTO_TEXT struct text text = {0};
    const struct oci_state state = {.id = record->id,
                                    .status = OCI_STATUS_RUNNING,
                                    .pid = record->pid,
                                    .bundle = record->bundle,
                                    .annotations = &record->annotations};

    if (hooks->count == 0)
        return 0;
    oci_state_write (&text, &state, false);
    const struct hooks_context context = {
        .state = text_string (&text), .cwd = record->bundle, .default_timeout_ms = -1};
    return hooks_run (hooks, OCI_HOOK_POSTSTART, &context, err);
}
