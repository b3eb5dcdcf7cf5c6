/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record: the claim on an id, the lock, and the files in a container's state directory. What stands
 * in record.json is the matter of record_json.c.
 */
#include "record.h"

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/patience.h"
#include "base/text.h"
#include "kills.h"
#include "lock.h"
#include "oci-spec/json.h"
#include "record_json.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define RECORD_FILE "record.json"
#define CONFIG_FILE "config.json"
#define RESOURCES_FILE "resources.json"
#define LISTENERS_MAX 64 /* that begin to listen during one removal */

int record_check_id (const char *id, struct error *err)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+.-";
    size_t length = strlen (id);
    if (length == 0)
        return error_set (err, "RT-STATE-ID", 0, "the container id is empty");
    if (length > NAME_MAX)
        return error_set (err, "RT-STATE-ID", 0,
                          "the container id `%.32s...` is longer than %d bytes", id, NAME_MAX);
    if (strspn (id, letters) != length || id[0] == '.' || id[0] == '-') {
        error_set (err, "RT-STATE-ID", 0, "invalid container id `%s`", id);
        return error_hint (err,
                           "an id has the letters A-Z a-z 0-9 _ + . - and begins with none of . -");
    }
    return 0;
}

/* A directory that another user owns, or may write to, holds what that user wants: hooks that rt
 * would run, processes that it would kill. */
static int check_owner (int dir, const char *path, struct error *err)
{
    struct stat st;

    if (fstat (dir, &st) < 0)
        return error_set (err, "RT-STATE-OWNER", errno, "look at `%s`", path);
    if (st.st_uid != geteuid ())
        error_set (err, "RT-STATE-OWNER", 0, "`%s` belongs to user %u, not to user %u", path,
                   (unsigned int)st.st_uid, (unsigned int)geteuid ());
    else if (st.st_mode & (S_IWGRP | S_IWOTH))
        error_set (err, "RT-STATE-OWNER", 0, "others may write to `%s`", path);
    else
        return 0;
    return error_hint (err, "state is only taken from what is the caller's alone");
}

/* Makes the directory with its parents, all of them for the owner alone. The descriptor or -1. */
static int make_root (const char *path, struct error *err)
{
    AUTO_FREE char *prefix = strdup (path);
    if (!prefix)
        return error_set (err, "RT-MEMORY", ENOMEM, "make the state root `%s`", path);
    for (char *slash = prefix;;) {
        slash = strchr (slash + 1, '/');
        if (slash)
            *slash = '\0';
        if (fd_mkdir_at (AT_FDCWD, prefix, 0700) < 0 && errno != EEXIST)
            return error_set (err, "RT-STATE-ROOT", errno, "make the state root `%s`", path);
        if (!slash)
            break;
        *slash = '/';
    }
    AUTO_FD int root = open (path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root < 0)
        return error_set (err, "RT-STATE-ROOT", errno, "open the state root `%s`", path);
    return check_owner (root, path, err) < 0 ? -1 : take_fd (&root);
}

static int open_root (const char *path)
{
    return openat (AT_FDCWD, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* Waits for the lock. 1 = held, and `dir` is still what `id` names; 0 = it was deleted meanwhile.
 */
static int lock_directory (int root, const char *id, int dir, struct error *err)
{
    struct stat held, named;

    if (lock_take (dir, id, err) < 0)
        return -1;
    if (fstat (dir, &held) < 0)
        return error_set (err, "RT-STATE-LOCK", errno, "lock the state of container `%s`", id);
    if (fstatat (root, id, &named, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0
                               : error_set (err, "RT-STATE-LOCK", errno,
                                            "lock the state of container `%s`", id);
    return held.st_dev == named.st_dev && held.st_ino == named.st_ino;
}

static int open_directory (int root, const char *id)
{
    return openat (root, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static int exists (const char *id, struct error *err)
{
    error_set (err, "RT-STATE-EXISTS", 0, "container `%s` already exists", id);
    return error_hint (err, "take another id, or remove it: rt delete --force %s", id);
}

int record_check_new (const char *state_root, const char *id, struct error *err)
{
    if (record_check_id (id, err) < 0)
        return -1;
    AUTO_FD int root = open_root (state_root);
    if (root < 0)
        return errno == ENOENT ? 0
                               : error_set (err, "RT-STATE-ROOT", errno, "open the state root `%s`",
                                            state_root);
    struct stat unused;
    if (fstatat (root, id, &unused, AT_SYMLINK_NOFOLLOW) == 0)
        return exists (id, err);
    return errno == ENOENT
               ? 0
               : error_set (err, "RT-STATE-OPEN", errno, "look for `%s/%s`", state_root, id);
}

int record_claim (const char *state_root, const char *id, struct error *err)
{
    if (record_check_id (id, err) < 0)
        return -1;
    AUTO_FD int root = make_root (state_root, err);
    if (root < 0 || lock_begin_claim (root, err) < 0)
        return -1;
    for (;;) {
        if (fd_mkdir_at (root, id, 0700) < 0) {
            if (errno != EEXIST)
                return error_set (err, "RT-STATE-CLAIM", errno, "make `%s/%s`", state_root, id);
            return exists (id, err);
        }
        AUTO_FD int dir = open_directory (root, id);
        if (dir < 0 && errno == ENOENT)
            continue; /* `delete --force` saw a half-made container and was faster */
        if (dir < 0) {
            error_set (err, "RT-STATE-CLAIM", errno, "open `%s/%s`", state_root, id);
            (void)unlinkat (root, id, AT_REMOVEDIR); /* empty, and ours while `root` is locked */
            return -1;
        }
        int locked = lock_directory (root, id, dir, err);
        if (locked < 0)
            (void)unlinkat (root, id, AT_REMOVEDIR);
        if (locked != 0)
            return locked < 0 ? -1 : take_fd (&dir);
    }
}

static int missing (const char *id, struct error *err)
{
    return error_set (err, "RT-STATE-MISSING", 0, "container `%s` does not exist", id);
}

int record_open (const char *state_root, const char *id, bool lock, struct error *err)
{
    if (record_check_id (id, err) < 0)
        return -1;
    AUTO_FD int root = open_root (state_root);
    if (root < 0)
        return errno == ENOENT ? missing (id, err)
                               : error_set (err, "RT-STATE-ROOT", errno, "open the state root `%s`",
                                            state_root);
    if (check_owner (root, state_root, err) < 0)
        return -1;
    for (;;) {
        AUTO_FD int dir = open_directory (root, id);
        if (dir < 0)
            return errno == ENOENT
                       ? missing (id, err)
                       : error_set (err, "RT-STATE-OPEN", errno, "open `%s/%s`", state_root, id);
        if (check_owner (dir, id, err) < 0)
            return -1;
        int locked = lock ? lock_directory (root, id, dir, err) : 1;
        if (locked != 0)
            return locked < 0 ? -1 : take_fd (&dir);
    }
}

int record_lock_again (int dir, const char *id, struct error *err)
{
    struct stat st;

    if (lock_take (dir, id, err) < 0)
        return -1;
    if (fstat (dir, &st) < 0)
        return error_set (err, "RT-STATE-LOCK", errno, "lock the state of container `%s`", id);
    return st.st_nlink > 0;
}

/* Readers see the old text or the new one, never a part. No fsync: the state does not outlive the
 * machine's uptime anyway. */
static int write_whole (int dir, const char *name, const char *bytes, size_t length,
                        struct error *err)
{
    char temporary[64];
    (void)snprintf (temporary, sizeof temporary, "%s.new", name);
    AUTO_FD int fd =
        openat (dir, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0 || fchmod (fd, 0600) < 0 || fd_write_all (fd, bytes, length) < 0 ||
        renameat (dir, temporary, dir, name) < 0) {
        int errnum = errno;
        (void)unlinkat (dir, temporary, 0);
        return error_set (err, "RT-STATE-WRITE", errnum, "write `%s` in the state directory", name);
    }
    return 0;
}

/* A removed directory keeps its descriptor but has no files: a reader without the lock may meet
 * one. */
static int no_file (int dir, const char *name, struct error *err)
{
    int errnum = errno;
    struct stat st;
    if (errnum != ENOENT)
        return error_set (err, "RT-STATE-READ", errnum, "open `%s` in the state directory", name);
    if (fstat (dir, &st) < 0)
        return error_set (err, "RT-STATE-READ", errno, "look at the state directory");
    if (st.st_nlink == 0)
        return error_set (err, "RT-STATE-MISSING", 0, "the container does not exist any more");
    error_set (err, "RT-STATE-HALF", 0, "the container has no `%s`: its creation was cut off",
               name);
    return error_hint (err, "rt delete --force removes what is left of it");
}

static char *read_whole (int dir, const char *name, size_t *length, struct error *err)
{
    AUTO_FD int fd = openat (dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        no_file (dir, name, err);
        return NULL;
    }
    return fd_read_all (fd, JSON_SIZE_MAX, length, name, err);
}

int record_write (int dir, const struct record *record, struct error *err)
{
    AUTO_TEXT struct text text = {0};
    record_to_json (record, &text);
    return write_whole (dir, RECORD_FILE, text.bytes, text.length, err);
}

int record_read (int dir, struct arena *arena, struct record *record, struct error *err)
{
    size_t length;
    AUTO_FREE char *bytes = read_whole (dir, RECORD_FILE, &length, err);
    if (!bytes)
        return -1;
    const char *text = arena_copy (arena, bytes, length);
    if (record_from_json (arena, text, length, record, err) == 0)
        return 0;
    return text_equal (err->code, "RT-STATE-DAMAGED")
               ? error_hint (err,
                             "rt kill --all and rt delete --force manage the container by what "
                             "is left of it")
               : -1;
}

int record_read_parts (int dir, struct arena *arena, const char *id, struct record *parts,
                       struct error *err)
{
    size_t length = 0;
    AUTO_FREE char *bytes = read_whole (dir, RECORD_FILE, &length, err);
    if (!bytes && !text_equal (err->code, "RT-STATE-HALF"))
        return -1;
    *err = (struct error){0};
    record_parts_of_json (arena, bytes ? arena_copy (arena, bytes, length) : "", length, id, parts);
    return 0;
}

int record_is_cut_off (const char *state_root, int dir, struct error *err)
{
    AUTO_FD int root = open (state_root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct stat st;

    if (root < 0)
        return error_set (err, "RT-STATE-ROOT", errno, "open the state root `%s`", state_root);
    /* A command that has made the directory and lives, has locked it then, or is done with it. */
    if (lock_await_claims (root, err) < 0)
        return -1;
    if (flock (dir, LOCK_EX | LOCK_NB) < 0)
        return errno == EWOULDBLOCK
                   ? 0
                   : error_set (err, "RT-STATE-LOCK", errno, "lock a state directory");
    int result = 0;
    if (fstatat (dir, RECORD_FILE, &st, AT_SYMLINK_NOFOLLOW) < 0) {
        if (errno != ENOENT || fstat (dir, &st) < 0)
            result = error_set (err, "RT-STATE-READ", errno, "look for `%s` in a state directory",
                                RECORD_FILE);
        else
            result = st.st_nlink > 0;
    }
    if (result < 1)
        (void)flock (dir, LOCK_UN);
    return result;
}

int record_look (const char *state_root, const char *id, struct arena *arena, struct record *record,
                 int *dir, struct error *err)
{
    struct wait creation = wait_begin (patience_ms ());

    for (;;) {
        drop_fd (dir);
        *dir = record_open (state_root, id, false, err);
        if (*dir < 0)
            return -1;
        if (record_read (*dir, arena, record, err) == 0)
            return 0;
        if (!text_equal (err->code, "RT-STATE-HALF"))
            return -1;
        struct error failure = {0};
        int cut_off = lock_is_held (*dir) ? 0 : record_is_cut_off (state_root, *dir, &failure);
        if (cut_off < 0)
            *err = failure;
        if (cut_off > 0)
            (void)flock (*dir, LOCK_UN);
        if (cut_off != 0 || !wait_more (&creation))
            return -1;
        *err = (struct error){0};
    }
}

int record_write_config (int dir, const char *text, size_t length, struct error *err)
{
    return write_whole (dir, CONFIG_FILE, text, length, err);
}

char *record_read_config (int dir, size_t *length, struct error *err)
{
    return read_whole (dir, CONFIG_FILE, length, err);
}

int record_write_resources (int dir, const char *text, size_t length, struct error *err)
{
    return write_whole (dir, RESOURCES_FILE, text, length, err);
}

int record_read_resources (int dir, struct arena *arena, const char **text, size_t *length,
                           struct error *err)
{
    struct stat unused;
    /* Not by faccessat2, which older profiles deny with EPERM. */
    if (fstatat (dir, RESOURCES_FILE, &unused, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT) {
        *text = NULL;
        return 0;
    }
    AUTO_FREE char *bytes = read_whole (dir, RESOURCES_FILE, length, err);
    if (!bytes)
        return -1;
    *text = arena_copy (arena, bytes, *length);
    return 0;
}

/* With the file of those that listen. They take no lock, and one that has just begun may make it
 * again. */
static int remove_directory (int root, const char *id, int dir)
{
    for (int tries = 0; tries < LISTENERS_MAX; tries++) {
        if (unlinkat (root, id, AT_REMOVEDIR) == 0 || errno == ENOENT)
            return 0;
        if (errno != ENOTEMPTY || (unlinkat (dir, KILLS_FILE, 0) < 0 && errno != ENOENT))
            return -1;
    }
    errno = ENOTEMPTY;
    return -1;
}

int record_remove (const char *state_root, const char *id, int dir, struct error *err)
{
    /* The record goes last, so that a removal that is cut off can be repeated. */
    static const char *const files[] = {
        "gate",      RESOURCES_FILE ".new", RESOURCES_FILE, CONFIG_FILE ".new",
        CONFIG_FILE, RECORD_FILE ".new",    RECORD_FILE};
    AUTO_FD int root = open_root (state_root);
    if (root < 0)
        return error_set (err, "RT-STATE-ROOT", errno, "open the state root `%s`", state_root);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        if (unlinkat (dir, files[i], 0) < 0 && errno != ENOENT)
            return error_set (err, "RT-STATE-REMOVE", errno, "remove `%s/%s/%s`", state_root, id,
                              files[i]);
    }
    if (remove_directory (root, id, dir) < 0)
        return error_set (err, "RT-STATE-REMOVE", errno, "remove `%s/%s`", state_root, id);
    return 0;
}

static int by_name (const void *a, const void *b)
{
    return strcmp (*(char *const *)a, *(char *const *)b);
}

/* 1 yes, 0 no, -1 with errno. */
static int is_container (int root, const char *name)
{
    struct stat st;
    struct error ignored;

    if (record_check_id (name, &ignored) < 0)
        return 0;
    if (fstatat (root, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : -1;
    return S_ISDIR (st.st_mode);
}

int record_list (const char *state_root, struct arena *arena, struct oci_strings *ids,
                 struct error *err)
{
    struct oci_strings found = {.present = true};
    size_t room = 16;
    AUTO_DIR DIR *root = opendir (state_root);
    if (!root && errno != ENOENT)
        return error_set (err, "RT-STATE-ROOT", errno, "open the state root `%s`", state_root);

    found.items = arena_array (arena, room, sizeof *found.items);
    struct dirent *entry = NULL;
    while (root && (errno = 0, entry = readdir (root))) {
        int found_one = is_container (dirfd (root), entry->d_name);
        if (found_one < 0)
            return error_set (err, "RT-STATE-OPEN", errno, "look at `%s/%s`", state_root,
                              entry->d_name);
        if (found_one == 0)
            continue;
        if (found.count + 1 == room) {
            char **larger = arena_array (arena, room * 2, sizeof *larger);
            memcpy (larger, found.items, room * sizeof *larger);
            found.items = larger;
            room *= 2;
        }
        found.items[found.count++] = arena_string (arena, entry->d_name);
    }
    if (root && errno != 0)
        return error_set (err, "RT-STATE-ROOT", errno, "read the state root `%s`", state_root);
    qsort (found.items, found.count, sizeof *found.items, by_name);
    *ids = found;
    return 0;
}
