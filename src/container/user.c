/* SPDX-License-Identifier: Apache-2.0 */
/* user: see user.h. */
#include "container/user.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "kernel/inroot.h"
#include "kernel/privileges.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>

/* What is behind this much of a passwd file has no say; it could be a sparse terabyte. */
#define PASSWD_LIMIT (16u << 20)

static const char unmapped[] = "the id is not mapped into the user namespace; see uidMappings and "
                               "gidMappings";

int user_apply_groups (const struct oci_user *user, bool setgroups_denied, struct error *err)
{
    if (setgroups_denied && user->additional_gids.count == 0)
        return 0;
    if (setgroups_denied) {
        error_set (err, "RT-USER-GROUPS", 0,
                   "additional groups are asked for, but the user namespace denies setgroups");
        error_hint (err, "a user namespace whose gidMappings were not made by newgidmap cannot "
                         "have them");
        return error_at (err, "/process/user/additionalGids");
    }
    if (ids_set_groups (user->additional_gids.count, user->additional_gids.items) == 0)
        return 0;
    error_set (err, "RT-USER-GROUPS", errno, "cannot set %zu additional groups",
               user->additional_gids.count);
    if (err->errnum == EINVAL && user->additional_gids.count > NGROUPS_MAX)
        error_hint (err, "the kernel takes at most %d", NGROUPS_MAX);
    else if (err->errnum == EINVAL)
        error_hint (err, "%s", unmapped);
    return error_at (err, "/process/user/additionalGids");
}

int user_apply_ids (const struct oci_user *user, struct error *err)
{
    /* To the kernel that means "leave it": we would stay root (CVE-2024-40635). */
    if (user->uid == (uid_t)-1 || user->gid == (gid_t)-1) {
        error_set (err, "RT-USER-IDS", EINVAL, "there is no id %u", (unsigned int)-1);
        return error_at (err, "/process/user");
    }
    if (ids_set_gid (user->gid) < 0) {
        error_set (err, "RT-USER-IDS", errno, "cannot become gid %u", user->gid);
        if (errno == EINVAL)
            error_hint (err, "%s", unmapped);
        return error_at (err, "/process/user/gid");
    }
    if (prctl (PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
        return error_set (err, "RT-USER-IDS", errno, "cannot keep capabilities");
    if (ids_set_uid (user->uid) < 0) {
        error_set (err, "RT-USER-IDS", errno, "cannot become uid %u", user->uid);
        if (errno == EINVAL)
            error_hint (err, "%s", unmapped);
        return error_at (err, "/process/user/uid");
    }
    if (prctl (PR_SET_KEEPCAPS, 0, 0, 0, 0) < 0)
        return error_set (err, "RT-USER-IDS", errno, "cannot end keeping capabilities");
    return 0;
}

/* One line of passwd, read byte by byte: name:password:uid:gid:gecos:home:shell. */
enum { FIELD_NAME, FIELD_PASSWORD, FIELD_UID, FIELD_GID, FIELD_GECOS, FIELD_HOME, FIELD_SHELL };

struct line {
    unsigned int field;
    bool usable; /* nothing in it speaks against it yet */
    bool has_uid;
    uint64_t uid;
    size_t length; /* of the name, then of home */
};

static const struct line new_line = {.usable = true};

static void add_to_uid (struct line *line, char c)
{
    if (c < '0' || c > '9' || line->uid > UINT32_MAX) {
        line->usable = false;
        return;
    }
    line->uid = line->uid * 10 + (uint64_t)(c - '0');
    line->has_uid = true;
}

static void read_byte (struct line *line, char c, char *home, size_t size)
{
    if (c == ':') {
        /* "+" and "-" begin the lines of NIS; a name must be there. */
        if (line->field == FIELD_NAME && line->length == 0)
            line->usable = false;
        line->length = line->field >= FIELD_HOME ? line->length : 0;
        line->field++;
    } else if (c == '\0') {
        line->usable = false;
    } else if (line->field == FIELD_NAME) {
        if (line->length++ == 0 && (c == '+' || c == '-' || c == '#'))
            line->usable = false;
    } else if (line->field == FIELD_UID) {
        add_to_uid (line, c);
    } else if (line->field == FIELD_HOME) {
        if (line->length + 1 < size)
            home[line->length] = c;
        line->length++;
    }
}

static bool is_match (const struct line *line, uid_t uid, size_t size)
{
    return line->usable && line->has_uid && line->uid == uid && line->field >= FIELD_HOME &&
           line->length + 1 <= size;
}

int user_home_in_passwd (int passwd, uid_t uid, char *home, size_t size)
{
    char buffer[4096];
    AUTO_FREE char *found = malloc (size);
    struct line line = new_line;
    size_t total = 0;
    ssize_t length;

    if (!found)
        return -1;
    for (; total < PASSWD_LIMIT; total += (size_t)length) {
        do
            length = read (passwd, buffer, sizeof (buffer));
        while (length < 0 && errno == EINTR);
        if (length < 0)
            return -1;
        if (length == 0)
            break;
        for (ssize_t i = 0; i < length; i++) {
            if (buffer[i] != '\n') {
                read_byte (&line, buffer[i], found, size);
                continue;
            }
            if (is_match (&line, uid, size))
                break;
            line = new_line;
        }
        if (is_match (&line, uid, size))
            break;
    }
    if (total >= PASSWD_LIMIT || !is_match (&line, uid, size))
        return 0;
    if (line.length == 0)
        found[line.length++] = '/';
    memcpy (home, found, line.length);
    home[line.length] = '\0';
    return 1;
}

/* The image has no such file, or one that cannot be opened by that name. */
static bool is_of_image (int errnum)
{
    return errnum == ENOENT || errnum == ENOTDIR || errnum == ELOOP || errnum == EACCES ||
           errnum == ENAMETOOLONG || errnum == ENXIO || errnum == ENODEV || errnum == EXDEV ||
           errnum == EAGAIN; /* a process of the container has a lease on it */
}

static int home_error (struct error *err)
{
    return error_set (err, "RT-USER-HOME", errno, "read /etc/passwd of the container");
}

int user_home (int root, uid_t uid, char *home, size_t size, struct error *err)
{
    struct stat st;

    (void)snprintf (home, size, "/");
    /* The image may have anything there: a FIFO must not hold us, a terminal must not become ours.
     */
    AUTO_FD int passwd = inroot_open (root, "/etc/passwd", O_RDONLY | O_NONBLOCK | O_NOCTTY);
    if (passwd < 0 && !is_of_image (errno))
        return home_error (err);
    if (passwd < 0) {
        log_debug ("/etc/passwd of the container: %s", error_words (errno));
        return 0;
    }
    if (fstat (passwd, &st) < 0)
        return home_error (err);
    if (!S_ISREG (st.st_mode)) {
        log_debug ("/etc/passwd of the container is not a regular file");
        return 0;
    }
    int known = user_home_in_passwd (passwd, uid, home, size);
    if (known == 0)
        log_debug ("/etc/passwd of the container has no home directory of uid %u", uid);
    return known < 0 ? home_error (err) : 0;
}
