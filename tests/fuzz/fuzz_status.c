/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as what the kernel says of a process: its status, and the maps of its user namespace.
 *
 *   fuzz_status -max_len=5000 tests/fuzz/corpus/status
 *
 * What is accepted is compared with a plan, which says what is wrong or nothing.
 */
#include "lifecycle/verify.h"

#include "base/text.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput (const uint8_t *bytes, size_t size);

static void must (bool holds)
{
    if (!holds)
        abort ();
}

int LLVMFuzzerTestOneInput (const uint8_t *bytes, size_t size)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    static const gid_t gids[] = {4, 7};
    const struct oci_user user = {
        .uid = 1, .gid = 2, .additional_gids = {.count = 2, .items = (gid_t *)(uintptr_t)gids}};
    struct verify verify = {.parent = {.known = true, .status = {.pid_levels = 1}},
                            .known_caps = UINT64_MAX,
                            .user = &user,
                            .groups = VERIFY_GROUPS_SET,
                            .compare_caps = true,
                            .compare_nnp = true};
    struct verify_view view = {.own_userns = size > 0 && (bytes[0] & 1)};
    struct process_status status = {.state = 0};
    struct error err = {0};
    const char *text = arena_copy (&arena, (const char *)bytes, size);

    if (process_id_map_parse (&arena, text, &view.uid, &err) == 0)
        view.gid = view.uid;
    err = (struct error){0};
    bool accepted = process_status_parse (&arena, text, &status, &err) == 0;
    must (accepted == !error_is_set (&err));
    if (!accepted)
        return 0;
    must (status.state != 0 && status.pid_levels > 0 && status.filters >= -1);
    bool right = verify_status (&verify, &status, &view, &err) == 0;
    must (right == !error_is_set (&err));
    must (right || text_starts_with (err.code, "RT-VERIFY-"));
    return 0;
}
