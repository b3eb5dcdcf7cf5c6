/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sections: the tables that rows of other files name, one for each part of the document. Private to
 * oci-spec/ (and to the test that holds them against the schema).
 */
#ifndef OCI_SPEC_SECTIONS_H
#define OCI_SPEC_SECTIONS_H

#include "oci-spec/config.h"
#include "oci-spec/decode.h"

DECODE_TABLE_DECLARE (oci_config_table, struct oci_config);
DECODE_TABLE_DECLARE (oci_process_table, struct oci_process);
DECODE_TABLE_DECLARE (oci_mount_table, struct oci_mount);
DECODE_TABLE_DECLARE (oci_linux_table, struct oci_linux);
DECODE_TABLE_DECLARE (oci_id_mapping_table, struct oci_id_mapping);
DECODE_TABLE_DECLARE (oci_resources_table, struct oci_resources);
DECODE_TABLE_DECLARE (oci_seccomp_table, struct oci_seccomp);

/* What a user or group id can be: (uint32_t) -1 means "leave as it is" to the kernel. */
#define ID_MAX (UINT32_MAX - 1)

#endif
