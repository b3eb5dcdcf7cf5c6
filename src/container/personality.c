/* SPDX-License-Identifier: Apache-2.0 */
/* personality: see personality.h. */
#include "container/personality.h"

#include <errno.h>
#include <sys/personality.h>

int personality_apply (const struct oci_personality *wanted, struct error *err)
{
    if (!wanted || personality (wanted->domain) >= 0)
        return 0;
    error_set (err, "RT-PERSONALITY-SET", errno, "cannot set personality %#lx", wanted->domain);
    return error_at (err, "/linux/personality/domain");
}
