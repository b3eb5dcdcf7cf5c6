/* SPDX-License-Identifier: Apache-2.0 */
/*
 * features: the features document (features.md, features-linux.md), written from the tables of
 * names and mounts, so that it says exactly what the decoder knows. Asks nothing of the host.
 */
#ifndef OCI_SPEC_FEATURES_H
#define OCI_SPEC_FEATURES_H

#include "base/text.h"

/* What this build has, as its caller knows it. */
struct oci_features {
    bool seccomp;
    bool apparmor;
    bool selinux;
    bool systemd;
    bool systemd_user;
    bool rdma;
    bool idmap;
    bool intel_rdt;
    bool net_devices;
    uint64_t seccomp_supported_flags; /* of kernel headers and library at build time */
    bool checkpoint;                  /* annotation, by the name that runc gave it */
    const char *libseccomp_version;   /* annotation; NULL = none */
    const char *version;              /* of rt, annotation */
    const char *commit;
};

/* Appends the JSON object, indented by two spaces, with a newline at the end. */
void oci_features_write (struct text *out, const struct oci_features *features);

#endif
