/* SPDX-License-Identifier: Apache-2.0 */
/* seccomp_ready: see seccomp_ready.h. */
#include "container/seccomp_ready.h"

#include "base/cleanup.h"
#include "container/seccomp_code.h"
#include "container/seccomp_door.h"
#include "container/seccomp_judge.h"
#include "oci-spec/annotations.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <stddef.h>
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

static int wrong (struct error *err)
{
    return error_at (err, "/annotations/" OCI_ANNOTATION_SECCOMP_PROGRAM);
}

int seccomp_ready_read (const char *base64, struct sock_filter **instructions, uint16_t *count,
                        struct error *err)
{
    const size_t size = BPF_MAXINSNS * sizeof (struct sock_filter);
    AUTO_FREE struct sock_filter *items = malloc (size);
    size_t refused;

    if (!items)
        return error_set (err, "RT-SECCOMP-BUILD", errno, "cannot read the seccomp filter");
    ssize_t length = decode (base64, (unsigned char *)items, size);
    if (length <= 0 || (size_t)length % sizeof (*items) != 0) {
        error_set (err, "RT-SECCOMP-READY", 0,
                   "it must be the base64 of 1 to %d instructions of %zu bytes", BPF_MAXINSNS,
                   sizeof (*items));
        return wrong (err);
    }
    if (!seccomp_well_formed (items, (size_t)length / sizeof (*items), &refused)) {
        error_set (err, "RT-SECCOMP-READY", 0,
                   "it must be a filter that the kernel takes: instruction %zu (%#x, %u, %u, %#x) "
                   "is wrong there",
                   refused, items[refused].code, items[refused].jt, items[refused].jf,
                   items[refused].k);
        return wrong (err);
    }
    *count = (uint16_t)((size_t)length / sizeof (*items));
    *instructions = items;
    items = NULL;
    return 0;
}

/* What stands for itself begins with both registers 0, so behind the door they are made 0 again. */
static void write_program (struct code *code, const struct sock_filter *items, size_t count,
                           const struct seccomp_door *door, const uint32_t words[DOOR_WORDS])
{
    size_t own = code_insert (code, items, count);

    if (door->count == 0)
        return;
    if (BPF_CLASS (items[0].code) != BPF_LD)
        own = code_statement (code, BPF_LD | BPF_IMM, 0);
    size_t closed = code_statement (code, BPF_LDX | BPF_IMM, 0);
    size_t native = seccomp_door_write (code, door, words, own, closed);
    (void)code_jump (code, BPF_JEQ, door_arch, native, own);
    (void)code_load (code, offsetof (struct seccomp_data, arch));
}

int seccomp_ready_prepare (const char *base64, const uint32_t words[DOOR_WORDS],
                           struct sock_filter **instructions, uint16_t *count, struct error *err)
{
    AUTO_FREE struct sock_filter *items = NULL;
    AUTO_CODE struct code code = {0};
    struct seccomp_door door;
    uint16_t own;

    if (seccomp_ready_read (base64, &items, &own, err) < 0)
        return -1;
    if (code_init (&code) < 0 || seccomp_door_find (&door, items, own) < 0)
        return error_set (err, "RT-SECCOMP-BUILD", errno, "cannot read the seccomp filter");
    write_program (&code, items, own, &door, words);
    if (code.count > BPF_MAXINSNS) {
        error_set (err, "RT-SECCOMP-SIZE", 0,
                   "the filter has %u instructions, to which rt has to add %zu", own,
                   code.count - own);
        error_hint (err, "the kernel takes %d", BPF_MAXINSNS);
        return wrong (err);
    }
    struct sock_filter *taken = code_take (&code);
    if (!taken)
        return error_set (err, "RT-SECCOMP-BUILD", errno, "cannot read the seccomp filter");
    *instructions = taken;
    *count = (uint16_t)code.count;
    return 0;
}
