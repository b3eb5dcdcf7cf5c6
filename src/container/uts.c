/* SPDX-License-Identifier: Apache-2.0 */
/* uts: see uts.h. */
#include "container/uts.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static int apply (int (*set) (const char *, size_t), const char *what, const char *name,
                  struct error *err)
{
    if (!name || set (name, strlen (name)) == 0)
        return 0;
    int errnum = errno;
    error_set (err, "RT-UTS-NAME", errnum, "cannot set %s \"%s\"", what, name);
    if (errnum == EINVAL)
        error_hint (err, "it has %zu bytes, the kernel takes 64", strlen (name));
    return error_at (err, "/%s", what);
}

int uts_apply (const char *hostname, const char *domainname, struct error *err)
{
    if (apply (sethostname, "hostname", hostname, err) < 0)
        return -1;
    return apply (setdomainname, "domainname", domainname, err);
}
