/* SPDX-License-Identifier: Apache-2.0 */
/*
 * caps: process.capabilities (config.md; capabilities(7)): exactly the five sets, and all of them
 * empty where the property is absent (NULL), for root as well (CAP-01).
 *
 * All inside, in this order (CAP-12):
 *
 *   caps_apply_bounding   needs CAP_SETPCAP: while root still has all. Warns of capabilities that
 *                         this build (CAP-07) or this kernel (CAP-09) does not know, and of those
 *                         that this process has not got and so cannot grant (CAP-06)
 *   user_apply_groups, user_apply_ids       which keep the permitted set
 *   caps_apply            effective, permitted, inheritable, as they are written and can be granted
 *   caps_apply_ambient    needs permitted and inheritable; one that cannot be raised is a warning
 *                         (CAP-04): the specification wants it so
 *
 * They make no system calls but prctl and capset, so that a filter may be loaded before.
 * RT-CAPS-BOUNDING, RT-CAPS-SET at /process/capabilities.
 */
#ifndef RT_CONTAINER_CAPS_H
#define RT_CONTAINER_CAPS_H

#include "base/error.h"
#include "oci-spec/process.h"

int caps_apply_bounding (const struct oci_capabilities *capabilities, struct error *err);

/* The three sets that are set last, as far as this kernel knows them and this process has them now.
 */
struct caps_sets {
    uint64_t effective, permitted, inheritable;
};
struct caps_sets caps_sets (const struct oci_capabilities *capabilities);

/* `kept`: what stays permitted and effective beside them, for what is still to be done. */
int caps_apply (const struct oci_capabilities *capabilities, uint64_t kept, struct error *err);
int caps_apply_ambient (const struct oci_capabilities *capabilities, struct error *err);

#endif
