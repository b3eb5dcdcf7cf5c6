/* SPDX-License-Identifier: Apache-2.0 */
/* caps: see caps.h. */
#include "container/caps.h"

#include "base/log.h"
#include "kernel/privileges.h"
#include "oci-spec/names.h"

#include <errno.h>
#include <string.h>

#define NAMES_SIZE 1536 /* of all that there are */

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

/* The names of `capabilities`, each with a blank before it. */
static const char *list_names (uint64_t capabilities, char *names, size_t size)
{
    size_t length = 0;

    names[0] = '\0';
    for (int capability = 0; capability < 64; capability++)
        if (capabilities >> capability & 1)
            length += (size_t)snprintf (names + length, size - length, " %s", name_of (capability));
    return names;
}

/* What this process can still give, itself included: all but what it has not got. */
static uint64_t grantable (void)
{
    uint64_t effective;
    uint64_t permitted;
    uint64_t inheritable;

    /* Where it cannot look, capset says what cannot be. */
    return capabilities_get (&effective, &permitted, &inheritable) < 0 ? ~0ULL : permitted;
}

/* One line for all of them (config.md: MUST be logged, SHOULD NOT fail). */
static void warn_of_missing (const struct oci_capabilities *wanted)
{
    uint64_t missing = (wanted->permitted | wanted->effective | wanted->inheritable) &
                       known_mask () & ~grantable ();
    char names[NAMES_SIZE];

    if (missing)
        log_warning ("cannot grant%s: rt itself has not got %s",
                     list_names (missing, names, sizeof (names)),
                     missing & (missing - 1) ? "them" : "it");
}

int caps_apply_bounding (const struct oci_capabilities *capabilities, struct error *err)
{
    const struct oci_capabilities *wanted = or_none (capabilities);

    warn_of_unknown (wanted);
    warn_of_missing (wanted);
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
    uint64_t known = known_mask () & grantable ();

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
    else if (errno == EPERM && (wanted.inheritable & ~or_none (capabilities)->bounding) != 0)
        error_hint (err, "inheritable has capabilities that bounding has not");
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
    char names[NAMES_SIZE];
    uint64_t refused = 0;
    int errnum = 0;
    for (int capability = 0; capability < 64; capability++)
        if (wanted >> capability & 1 && capabilities_ambient_raise (capability) < 0) {
            errnum = errno;
            refused |= 1ULL << capability;
        }
    if (errnum)
        log_warning ("can't raise ambient capability%s: %s",
                     list_names (refused, names, sizeof (names)), error_words (errnum));
    return 0;
}
