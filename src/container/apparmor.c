/* SPDX-License-Identifier: Apache-2.0 */
/* apparmor: see apparmor.h. */
#include "container/apparmor.h"

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/text.h"
#include "kernel/procdir.h"
#include "kernel/procfd.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>

static int place (struct error *err)
{
    return error_at (err, "/process/apparmorProfile");
}

/* 1 yes, 0 no, -1 with errno. */
static int is_enabled (void)
{
    char answer[8];

    if (fd_read_file_at (AT_FDCWD, "/sys/module/apparmor/parameters/enabled", answer,
                         sizeof (answer)) < 0)
        return errno == ENOENT ? 0 : -1;
    return answer[0] == 'Y';
}

static bool is_asked_for (const char *profile)
{
    return profile && profile[0] != '\0';
}

int apparmor_prepare (const char *profile, struct error *err)
{
    if (!is_asked_for (profile) || text_equal (profile, "unconfined"))
        return 0;
    int enabled = is_enabled ();
    if (enabled == 1)
        return 0;
    if (enabled < 0) {
        error_set (err, "RT-APPARMOR-OFF", errno, "look whether AppArmor is enabled");
        return place (err);
    }
    error_set (err, "RT-APPARMOR-OFF", 0,
               "apparmorProfile \"%s\" is asked for, but AppArmor is not enabled on this host",
               profile);
    return place (err);
}

/* Before Linux 5.1 there is one file for all modules; it must not be tried where AppArmor has its
 * own, since then it may belong to SELinux. */
static int has_own_file (void)
{
    AUTO_FD int dir = procfd_open ("self/attr/apparmor", O_PATH | O_DIRECTORY);

    return dir >= 0 ? 1 : errno == ENOENT ? 0 : -1;
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
    int own_file = has_own_file ();
    if (own_file < 0) {
        error_set (err, "RT-APPARMOR-PROFILE", errno,
                   "cannot set AppArmor profile \"%s\": open /proc/self/attr/apparmor", profile);
        return place (err);
    }
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

/* "PROFILE (enforce)\n", "unconfined\n"; a name may have blanks. */
static size_t name_length (const char *label)
{
    size_t length = strcspn (label, "\n");

    for (size_t i = length; length > 0 && label[length - 1] == ')' && i > 1; i--)
        if (label[i - 1] == '(' && label[i - 2] == ' ')
            return i - 2;
    return length;
}

/* ":SPACE:PROFILE" is shown as ":SPACE://PROFILE". */
bool apparmor_is_profile (const char *label, const char *profile)
{
    size_t length = name_length (label);
    const char *colon = profile[0] == ':' ? strchr (profile + 1, ':') : NULL;
    AUTO_TEXT struct text full = {0};

    if (colon && !text_starts_with (colon, "://"))
        text_printf (&full, "%.*s//%s", (int)(colon + 1 - profile), profile, colon + 1);
    else
        text_puts (&full, profile);
    return full.length == length && memcmp (full.bytes, label, length) == 0;
}

/* What a file of a process's attr/ says, that of AppArmor where it has its own. NULL with errno. */
static const char *read_label (int process, const char *file, struct arena *arena)
{
    const char *label =
        procdir_read (process, arena_printf (arena, "attr/apparmor/%s", file), arena);

    return label || errno != ENOENT
               ? label
               : procdir_read (process, arena_printf (arena, "attr/%s", file), arena);
}

static int wrong_label (const char *when, const char *label, const char *profile, struct error *err)
{
    error_set (err, "RT-VERIFY-LABEL", 0,
               "the process has the AppArmor profile \"%.*s\" %s, not \"%s\"",
               (int)name_length (label), label, when, profile);
    return place (err);
}

static int no_label (struct error *err)
{
    error_set (err, "RT-VERIFY-LOOK", errno, "cannot read the process's AppArmor profile");
    return place (err);
}

int apparmor_verify (int process, const char *profile, struct error *err)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;

    if (!is_asked_for (profile))
        return 1;
    const char *label = read_label (process, "exec", &arena);
    if (!label)
        return errno == EINVAL ? 0 : no_label (err);
    if (label[0] == '\0')
        return 0;
    return apparmor_is_profile (label, profile)
               ? 1
               : wrong_label ("for its program", label, profile, err);
}

int apparmor_verify_executed (int process, const char *profile, struct error *err)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    AUTO_FD int self = -1;

    if (!is_asked_for (profile) || !is_enabled ())
        return 0;
    self = procdir_open_own ();
    const char *own = self < 0 ? NULL : read_label (self, "current", &arena);
    if (!own)
        return no_label (err);
    if (apparmor_is_profile (own, profile))
        return 0;
    const char *label = read_label (process, "current", &arena);
    if (!label && (errno == ESRCH || errno == ENOENT))
        return 0; /* it has ended and was reaped */
    if (!label)
        return no_label (err);
    return text_equal (label, own) ? wrong_label ("still", label, profile, err) : 0;
}
