/* SPDX-License-Identifier: Apache-2.0 */
/*
 * personality: linux.personality (config-linux.md): the execution domain, PER_LINUX or PER_LINUX32.
 *
 * apply   inside, before a filter is loaded: profiles deny personality(2) (PER-03). NULL = absent.
 *
 * RT-PERSONALITY-SET at /linux/personality/domain.
 */
#ifndef RT_CONTAINER_PERSONALITY_H
#define RT_CONTAINER_PERSONALITY_H

#include "base/error.h"
#include "oci-spec/linux.h"

int personality_apply (const struct oci_personality *wanted, struct error *err);

#endif
