/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp_without: seccomp_compile.h in a build without libseccomp. A profile that is asked for and
 * cannot be applied is an error (SEC-33).
 */
#include "container/seccomp_compile.h"

int seccomp_compile (const struct oci_seccomp *seccomp, struct seccomp_program *program,
                     struct error *err)
{
    (void)seccomp;
    (void)program;
    error_set (err, "RT-SECCOMP-NONE", 0,
               "seccomp profiles are not supported: this rt was built without libseccomp");
    return error_at (err, "/linux/seccomp");
}
