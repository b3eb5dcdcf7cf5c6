/* SPDX-License-Identifier: Apache-2.0 */
/* apparmor: see apparmor.h. */
#include "container/apparmor.h"

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/text.h"
#include "kernel/procfd.h"

#include <errno.h>
#include <fcntl.h>

static int place (struct error *err)
{
    return error_at (err, "/process/apparmorProfile");
}

static bool is_enabled (void)
{
    char answer[8];

    return fd_read_file_at (AT_FDCWD, "/sys/module/apparmor/parameters/enabled", answer,
                            sizeof (answer)) > 0 &&
           answer[0] == 'Y';
}

static bool is_asked_for (const char *profile)
{
    return profile && profile[0] != '\0';
}

int apparmor_prepare (const char *profile, struct error *err)
{
    if (!is_asked_for (profile) || text_equal (profile, "unconfined") || is_enabled ())
        return 0;
    error_set (err, "RT-APPARMOR-OFF", 0,
               "apparmorProfile \"%s\" is asked for, but AppArmor is not enabled on this host",
               profile);
    return place (err);
}

/* Before Linux 5.1 there is one file for all modules; it must not be tried where AppArmor has its
 * own, since then it may belong to SELinux. */
static bool has_own_file (void)
{
    AUTO_FD int dir = procfd_open ("self/attr/apparmor", O_PATH | O_DIRECTORY);

    return dir >= 0;
}

int apparmor_apply (const char *profile, struct error *err)
{
    AUTO_TEXT struct text command = {0};

    if (!is_asked_for (profile))
        return 0;
    text_printf (&command, "exec %s", profile);
    const char *file = has_own_file () ? "self/attr/apparmor/exec" : "self/attr/exec";
    if (procfd_write (file, command.bytes, command.length) == 0)
        return 0;
    int errnum = errno;
    if ((errnum == EINVAL || errnum == ENOENT) && text_equal (profile, "unconfined"))
        return 0; /* no AppArmor here */
    error_set (err, "RT-APPARMOR-PROFILE", errnum, "cannot set AppArmor profile \"%s\"", profile);
    if (errnum == ENOENT)
        error_hint (err, "it is not loaded; see apparmor_parser(8) and aa-status(8)");
    else if (errnum == EACCES || errnum == EPERM)
        error_hint (err, "rt's own confinement does not let it change to this profile");
    return place (err);
}
