/* SPDX-License-Identifier: Apache-2.0 */
/* sysctl: see sysctl.h. */
#include "container/sysctl.h"

#include "base/text.h"
#include "kernel/procfd.h"
#include "oci-spec/sysctl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* A key as part of a JSON pointer (RFC 6901). */
static void add_place (struct error *err, const char *key)
{
    AUTO_TEXT struct text escaped = {0};

    for (; *key != '\0'; key++)
        if (*key == '~')
            text_puts (&escaped, "~0");
        else if (*key == '/')
            text_puts (&escaped, "~1");
        else
            text_putc (&escaped, *key);
    (void)error_at (err, "/linux/sysctl/%s", text_string (&escaped));
}

static int write_one (const struct oci_pair *pair, struct error *err)
{
    char name[SYSCTL_PATH_SIZE];
    char path[sizeof ("sys/") + SYSCTL_PATH_SIZE];

    if (!oci_sysctl_path (pair->key, name))
        return error_set (err, "RT-SYSCTL-NAME", 0, "\"%s\" is not the name of a sysctl",
                          pair->key);
    (void)snprintf (path, sizeof (path), "sys/%s", name);
    if (procfd_write (path, pair->value, strlen (pair->value)) == 0)
        return 0;
    int errnum = errno;
    error_set (err, "RT-SYSCTL-WRITE", errnum, "cannot write \"%s\" to sysctl %s (/proc/%s)",
               pair->value, pair->key, path);
    if (errnum == ENOENT)
        error_hint (err, "this kernel does not have it, or its module is not loaded");
    else if (errnum == EINVAL)
        error_hint (err, "the kernel does not take this value");
    return -1;
}

int sysctl_apply (const struct oci_map *sysctl, struct error *err)
{
    for (size_t i = 0; i < sysctl->count; i++)
        if (write_one (&sysctl->items[i], err) < 0) {
            add_place (err, sysctl->items[i].key);
            return -1;
        }
    return 0;
}
