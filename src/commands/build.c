/* SPDX-License-Identifier: Apache-2.0 */
/*
 * build: see build.h.
 */
#include "build.h"

#include "commit.h"
#include "config.h"
#include "oci-spec/state.h"

#include <linux/seccomp.h>
#ifndef RT_WITHOUT_LIBSECCOMP
#include <seccomp.h>
#endif

/* Flags that both the kernel headers and the filter loader of this build know. */
#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV 0
#endif

static const char *libseccomp_version (void)
{
#ifdef RT_WITHOUT_LIBSECCOMP
    return NULL;
#else
    static char version[32];
    const struct scmp_version *found = seccomp_version ();
    if (!found)
        return NULL;
    (void)snprintf (version, sizeof version, "%u.%u.%u", found->major, found->minor, found->micro);
    return version;
#endif
}

struct oci_features build_features (void)
{
    return (struct oci_features){
        .seccomp = libseccomp_version () != NULL,
        .apparmor = true,
        .selinux = true,
        .systemd = true,
        .systemd_user = true,
        .rdma = true,
        .idmap = true,
        .intel_rdt = true,
        .net_devices = true,
        .checkpoint = true,
        .seccomp_supported_flags = SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_LOG |
                                   SECCOMP_FILTER_FLAG_SPEC_ALLOW |
                                   SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV,
        .libseccomp_version = libseccomp_version (),
        .version = PACKAGE_VERSION,
        .commit = RT_COMMIT,
    };
}

void build_version (struct text *out)
{
    struct oci_features features = build_features ();
    const struct {
        const char *tag;
        bool present;
    } tags[] = {
        {"SYSTEMD", features.systemd},   {"SELINUX", features.selinux},
        {"APPARMOR", features.apparmor}, {"CAP", true},
        {"SECCOMP", features.seccomp},   {"EBPF", true},
        {"CRIU", features.checkpoint},   {"YAJL", true},
    };
    text_printf (out, "rt version %s\n", features.version);
    text_printf (out, "commit: %s\n", features.commit);
    text_printf (out, "spec: %s\n", OCI_VERSION);
    if (features.libseccomp_version)
        text_printf (out, "libseccomp: %s\n", features.libseccomp_version);
    for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++) {
        if (tags[i].present)
            text_printf (out, "%s+%s", i > 0 && out->bytes[out->length - 1] != '\n' ? " " : "",
                         tags[i].tag);
    }
    text_putc (out, '\n');
}
