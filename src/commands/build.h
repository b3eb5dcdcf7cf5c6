/* SPDX-License-Identifier: Apache-2.0 */
/*
 * build: what this build of rt can do, once for --version and `features`.
 */
#ifndef RT_COMMANDS_BUILD_H
#define RT_COMMANDS_BUILD_H

#include "base/text.h"
#include "oci-spec/features.h"

/* Asks nothing of the host. */
struct oci_features build_features (void);

/* The answer of --version: the lines that engines parse, libraries, and the feature tags. */
void build_version (struct text *out);

#endif
