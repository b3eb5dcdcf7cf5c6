/* SPDX-License-Identifier: Apache-2.0 */
/*
 * features: print what this rt can do (features.md), for engines that ask before they use it.
 */
#include "build.h"
#include "command.h"

static int features (struct invocation *invocation, struct error *err)
{
    (void)invocation;
    AUTO_TEXT struct text out = {0};
    struct oci_features build = build_features ();
    oci_features_write (&out, &build);
    return command_print (&out, err);
}

const struct command command_features = {
    .name = "features",
    .arguments = "",
    .min = 0,
    .max = 0,
    .summary = "Print what rt can do as JSON",
    .run = features,
};
