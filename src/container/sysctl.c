/* SPDX-License-Identifier: Apache-2.0 */
/* sysctl: see sysctl.h. */
#include "container/sysctl.h"

#include "base/text.h"
#include "kernel/procfd.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define BELOW "sys/"

static bool is_component (const char *name, size_t length)
{
    if (length == 0 || (length == 1 && name[0] == '.'))
        return false;
    if (length == 2 && name[0] == '.' && name[1] == '.')
        return false;
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)name[i] <= ' ' || name[i] == 0x7f)
            return false;
    return true;
}

/* At least two components, each a plain name. */
static bool is_name (const char *name)
{
    size_t components = 0;

    for (;; name++) {
        size_t length = strcspn (name, "/");
        if (!is_component (name, length))
            return false;
        components++;
        name += length;
        if (*name == '\0')
            return components > 1;
    }
}

int sysctl_path (const char *key, char *path, struct error *err)
{
    size_t length = strlen (key);
    char whole[SYSCTL_PATH_MAX];

    if (length + sizeof (BELOW) > SYSCTL_PATH_MAX)
        return error_set (err, "RT-SYSCTL-NAME", 0, "sysctl name of %zu bytes is too long", length);
    (void)snprintf (whole, sizeof (whole), BELOW "%s", key);
    char *name = whole + strlen (BELOW);
    char separator = name[strcspn (name, "./")];
    for (char *c = name; separator == '.' && *c != '\0'; c++)
        *c = (char)(*c == '.' ? '/' : *c == '/' ? '.' : *c);
    if (!is_name (name))
        return error_set (err, "RT-SYSCTL-NAME", 0, "\"%s\" is not the name of a sysctl", key);
    memcpy (path, whole, strlen (whole) + 1);
    return 0;
}

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
    char path[SYSCTL_PATH_MAX];

    if (sysctl_path (pair->key, path, err) < 0)
        return -1;
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
