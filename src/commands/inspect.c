/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inspect: see inspect.h.
 */
#include "inspect.h"

#include "base/cleanup.h"
#include "base/text.h"
#include "cgroup/cgroup.h"
#include "state/record.h"
#include "state/status.h"

#include <pwd.h>

/* From /etc/passwd alone: the name services of the host cost more than the whole verb. The number
 * where the file does not know it. */
static const char *user_name (struct arena *arena, uid_t uid)
{
    if (uid == 0)
        return "root";
    AUTO_FILE FILE *file = fopen ("/etc/passwd", "re");
    struct passwd *entry;
    while (file && (entry = fgetpwent (file))) {
        if (entry->pw_uid == uid)
            return arena_string (arena, entry->pw_name);
    }
    return arena_printf (arena, "%u", (unsigned int)uid);
}

int inspect_container (const char *state_root, const char *id, struct arena *arena,
                       struct oci_state *state, struct error *err)
{
    struct record record;
    AUTO_FD int dir = -1;

    if (record_look (state_root, id, arena, &record, &dir, err) < 0)
        return -1;

    struct oci_map *annotations = arena_alloc (arena, sizeof *annotations);
    *annotations = record.annotations;
    enum oci_status status;
    int frozen = cgroup_frozen (&record.cgroup, err);
    if (frozen < 0 || status_of (dir, &record, frozen == 1, &status, err) < 0 ||
        (status == OCI_STATUS_STOPPED && cgroup_check_seen (&record.cgroup, err) < 0))
        return -1;
    *state = (struct oci_state){.id = record.id,
                                .status = status,
                                .pid = status == OCI_STATUS_STOPPED ? 0 : record.pid,
                                .bundle = record.bundle,
                                .annotations = annotations,
                                .rootfs = record.rootfs,
                                .created = record.created,
                                .owner = user_name (arena, record.owner),
                                .systemd_scope = record.systemd_unit};
    return 0;
}
