/* SPDX-License-Identifier: Apache-2.0 */
/* caps: see caps.h. */
#include "container/caps.h"

#include "base/log.h"
#include "kernel/privileges.h"
#include "oci-spec/names.h"

#include <errno.h>
#include <string.h>

static const struct oci_capabilities no_capabilities;

static const struct oci_capabilities *or_none (const struct oci_capabilities *capabilities)
{
    return capabilities ? capabilities : &no_capabilities;
}

static const char *name_of (int capability)
{
    const char *name = oci_names_of (&oci_capability_names, (uint64_t)capability);

    return name ? name : "CAP_?";
}

/* All that this kernel has. */
static uint64_t known_mask (void)
{
    return ~0ULL >> (63 - capabilities_last ());
}

static void warn_of_unknown (const struct oci_capabilities *capabilities)
{
    uint64_t newer = (capabilities->bounding | capabilities->effective | capabilities->permitted |
                      capabilities->inheritable | capabilities->ambient) &
                     ~known_mask ();

    for (size_t i = 0; i < capabilities->unknown.count; i++)
        log_warning ("unknown capability %s is ignored", capabilities->unknown.items[i]);
    for (int capability = 0; capability < 64; capability++)
        if (newer >> capability & 1)
            log_warning ("this kernel does not know capability %s, it is ignored",
                         name_of (capability));
}

int caps_apply_bounding (const struct oci_capabilities *capabilities, struct error *err)
{
    const struct oci_capabilities *wanted = or_none (capabilities);

    warn_of_unknown (wanted);
    if (capabilities_bound (wanted->bounding) == 0)
        return 0;
    error_set (err, "RT-CAPS-BOUNDING", errno, "cannot reduce the bounding set");
    if (errno == EPERM)
        error_hint (err, "it needs CAP_SETPCAP: run as root or with a user namespace");
    return error_at (err, "/process/capabilities/bounding");
}

struct caps_sets caps_sets (const struct oci_capabilities *capabilities)
{
    const struct oci_capabilities *wanted = or_none (capabilities);
    uint64_t known = known_mask ();

    return (struct caps_sets){.effective = wanted->effective & known,
                              .permitted = wanted->permitted & known,
                              .inheritable = wanted->inheritable & known};
}

int caps_apply (const struct oci_capabilities *capabilities, uint64_t kept, struct error *err)
{
    const struct caps_sets wanted = caps_sets (capabilities);

    if (capabilities_set (wanted.effective | kept, wanted.permitted | kept, wanted.inheritable) ==
        0)
        return 0;
    error_set (err, "RT-CAPS-SET", errno, "capset: cannot set the capabilities");
    if (errno == EPERM && (wanted.effective & ~wanted.permitted) != 0)
        error_hint (err, "effective has capabilities that permitted has not");
    else if (errno == EPERM)
        error_hint (err, "permitted or inheritable has capabilities that rt itself has not");
    return error_at (err, "/process/capabilities");
}

int caps_apply_ambient (const struct oci_capabilities *capabilities, struct error *err)
{
    uint64_t wanted = or_none (capabilities)->ambient & known_mask ();

    /* EINVAL: the kernel was built without ambient capabilities, which then are none. */
    if (capabilities_ambient_clear () < 0 && errno != EINVAL) {
        error_set (err, "RT-CAPS-SET", errno, "cannot clear the ambient capabilities");
        return error_at (err, "/process/capabilities/ambient");
    }
    /* One line for all: buildah asks for eleven at each step that cannot be had, as they are not
     * inheritable. */
    char names[1536] = "";
    size_t length = 0;
    int errnum = 0;
    for (int capability = 0; capability < 64; capability++)
        if (wanted >> capability & 1 && capabilities_ambient_raise (capability) < 0) {
            errnum = errno;
            length += (size_t)snprintf (names + length, sizeof names - length, " %s",
                                        name_of (capability));
        }
    if (errnum)
        log_warning ("can't raise ambient capability%s: %s", names, error_words (errnum));
    return 0;
}
