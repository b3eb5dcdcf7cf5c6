/* SPDX-License-Identifier: Apache-2.0 */
/* annotations: see annotations.h. */
#include "oci-spec/annotations.h"

#include "base/text.h"

const char *oci_annotation (const struct oci_config *config, const char *name)
{
    for (size_t i = 0; i < config->annotations.count; i++)
        if (text_equal (config->annotations.items[i].key, name))
            return config->annotations.items[i].value;
    return NULL;
}
