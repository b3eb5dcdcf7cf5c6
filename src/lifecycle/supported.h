/* SPDX-License-Identifier: Apache-2.0 */
/*
 * supported: what a document may ask for that this version of rt cannot do. Naming it is the only
 * honest answer; each line here goes when its section comes.
 */
#ifndef RT_LIFECYCLE_SUPPORTED_H
#define RT_LIFECYCLE_SUPPORTED_H

#include "base/error.h"
#include "oci-spec/config.h"

/* Pure. */
int supported_check (const struct oci_config *config, struct error *err);

#endif
