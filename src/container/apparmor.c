/* SPDX-License-Identifier: Apache-2.0 */
/* apparmor: see apparmor.h. */
#include "container/apparmor.h"

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/text.h"
#include "kernel/procfd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/prctl.h>

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

static bool is_confined (bool own_file)
{
    char current[256];
    ssize_t length = procfd_read (own_file ? "self/attr/apparmor/current" : "self/attr/current",
                                  current, sizeof (current));

    return length > 0 && !text_starts_with (current, "unconfined");
}

int apparmor_apply (const char *profile, bool no_new_privs, struct error *err)
{
    AUTO_TEXT struct text command = {0};

    if (!is_asked_for (profile))
        return 0;
    bool own_file = has_own_file ();
    const char *file = own_file ? "self/attr/apparmor/exec" : "self/attr/exec";
    /* With no_new_privs a process that is confined already can only come under one profile more
     * (LSM-03). */
    bool stack = (no_new_privs || prctl (PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) > 0) &&
                 !text_equal (profile, "unconfined") && is_confined (own_file);
    text_printf (&command, "%s %s", stack ? "stack" : "exec", profile);
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
