/* SPDX-License-Identifier: Apache-2.0 */
/* oom: see oom.h. */
#include "container/oom.h"

#include "base/text.h"
#include "kernel/procfd.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Nothing to ask for where the caller has that score already. */
static bool is_score (const char *file, int64_t score)
{
    char now[16];
    int64_t value;

    if (procfd_read (file, now, sizeof (now)) < 0)
        return false;
    now[strcspn (now, "\n")] = '\0';
    return text_to_int64 (now, -1000, 1000, &value) == 0 && value == score;
}

int oom_grant (pid_t pid, const struct oci_int64 *score, struct error *err)
{
    char text[24];
    char file[48];

    if (!score->present)
        return 0;
    if (score->value < -1000 || score->value > 1000) {
        error_set (err, "RT-OOM-RANGE", 0, "oomScoreAdj %" PRId64 " is not in -1000..1000",
                   score->value);
        return error_at (err, "/process/oomScoreAdj");
    }
    (void)snprintf (file, sizeof (file), "%d/oom_score_adj", pid);
    int length = snprintf (text, sizeof (text), "%" PRId64, score->value);
    if (procfd_write (file, text, (size_t)length) == 0)
        return 0;
    int errnum = errno;
    if (is_score (file, score->value))
        return 0;
    error_set (err, "RT-OOM-SET", errnum, "cannot set oom_score_adj to %" PRId64, score->value);
    if (errnum == EACCES || errnum == EPERM)
        error_hint (err, "a score below the caller's needs CAP_SYS_RESOURCE outside of any user "
                         "namespace");
    return error_at (err, "/process/oomScoreAdj");
}
