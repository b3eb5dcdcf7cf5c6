/* SPDX-License-Identifier: Apache-2.0 */
/* keyring: see keyring.h. */
#include "container/keyring.h"

#include "base/log.h"
#include "base/text.h"
#include "kernel/privileges.h"
#include "kernel/procfd.h"

#include <errno.h>
#include <string.h>

#define LABEL_FILE "self/attr/keycreate"

/* A name of an id has no colon. */
enum { NAMES = 4 };

/* Under the first name that no stranger has taken. 1 joined, 0 there is none, -1 with errno. */
static int join_named (const char *id)
{
    for (int i = 0; i < NAMES; i++) {
        AUTO_TEXT struct text name = {0};

        text_printf (&name, "_ses.%s", id);
        if (i > 0)
            text_printf (&name, ":%d", i);
        int joined = keyring_join_session (text_string (&name));
        if (joined != 0)
            return joined;
        log_warning ("session keyring %s is another user's, or others have rights to it",
                     text_string (&name));
    }
    return 0;
}

static int join (const char *id, struct error *err)
{
    int joined = join_named (id);

    if (joined == 0)
        joined = keyring_leave_session ();
    if (joined >= 0)
        return 0;
    if (errno == ENOSYS) {
        log_debug ("this kernel has no keyrings");
        return 0;
    }
    if (errno == EPERM) {
        log_warning ("cannot make session keyring _ses.%s: %s; the container keeps the caller's",
                     id, error_words (errno));
        return 0;
    }
    error_set (err, "RT-KEYRING-JOIN", errno, "cannot make session keyring _ses.%s", id);
    if (errno == EDQUOT)
        error_hint (err, "the user has too many keys: see /proc/key-users and "
                         "/proc/sys/kernel/keys/maxkeys, or use --no-new-keyring");
    return -1;
}

int keyring_apply (const char *id, const char *selinux_label, struct error *err)
{
    if (!selinux_label || selinux_label[0] == '\0')
        return join (id, err);
    if (procfd_write (LABEL_FILE, selinux_label, strlen (selinux_label)) < 0) {
        error_set (err, "RT-KEYRING-LABEL", errno, "cannot set the keyring's label \"%s\"",
                   selinux_label);
        return error_at (err, "/process/selinuxLabel");
    }
    int joined = join (id, err);
    /* A new line takes the label back: what the container makes is labelled as policy says. */
    if (procfd_write (LABEL_FILE, "\n", 1) < 0 && joined == 0)
        return error_set (err, "RT-KEYRING-LABEL", errno, "cannot take the keyring's label back");
    return joined;
}
