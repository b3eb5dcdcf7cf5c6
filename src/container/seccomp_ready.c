/* SPDX-License-Identifier: Apache-2.0 */
/* seccomp_ready: see seccomp_ready.h. */
#include "container/seccomp_ready.h"

#include "base/cleanup.h"
#include "oci-spec/annotations.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int value_of (char letter)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *found = letter ? strchr (letters, letter) : NULL;

    return found ? (int)(found - letters) : -1;
}

/* The number of bytes; -1: no base64, or more than `size`. */
static ssize_t decode (const char *base64, unsigned char *bytes, size_t size)
{
    size_t letters = strcspn (base64, "=");
    size_t padding = strlen (base64 + letters);
    uint32_t bits = 0;
    size_t length = 0;

    if ((letters + padding) % 4 != 0 || padding > 2 || strspn (base64 + letters, "=") != padding)
        return -1;
    for (size_t i = 0; i < letters; i++) {
        int value = value_of (base64[i]);
        if (value < 0)
            return -1;
        bits = bits << 6 | (uint32_t)value;
        if (i % 4 == 0) /* six bits, no byte yet */
            continue;
        if (length == size)
            return -1;
        bytes[length++] = (unsigned char)(bits >> (6 - i % 4 * 2));
    }
    return (ssize_t)length;
}

int seccomp_ready_read (const char *base64, struct sock_filter **instructions, uint16_t *count,
                        struct error *err)
{
    const size_t size = BPF_MAXINSNS * sizeof (struct sock_filter);
    AUTO_FREE struct sock_filter *items = malloc (size);

    if (!items)
        return error_set (err, "RT-SECCOMP-BUILD", errno, "cannot read the seccomp filter");
    ssize_t length = decode (base64, (unsigned char *)items, size);
    if (length <= 0 || (size_t)length % sizeof (*items) != 0) {
        error_set (err, "RT-SECCOMP-READY", 0,
                   "it must be the base64 of 1 to %d instructions of %zu bytes", BPF_MAXINSNS,
                   sizeof (*items));
        return error_at (err, "/annotations/" OCI_ANNOTATION_SECCOMP_PROGRAM);
    }
    *count = (uint16_t)((size_t)length / sizeof (*items));
    *instructions = items;
    items = NULL;
    return 0;
}
