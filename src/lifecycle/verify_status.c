/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify_status: what /proc/PID/status says against the plan. Pure; see verify.h.
 */
#include "lifecycle/verify.h"

#include "base/text.h"
#include "oci-spec/names.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* User or group ids, which are compared alike. */
struct id_words {
    const char *code;
    const char *pointer;
    const char *word;
};

static const struct id_words uid_words = {"RT-VERIFY-UID", "/process/user/uid", "user"};
static const struct id_words gid_words = {"RT-VERIFY-GID", "/process/user/gid", "group"};

/* What an id of the process's user namespace is for the parent. */
static int seen_from_here (const struct verify_view *view, const struct process_id_map *map,
                           uint32_t inside, uint32_t *outside)
{
    if (!view->own_userns)
        return process_id_map_find (map, inside, outside);
    *outside = inside;
    return 0;
}

static int check_ids (const struct id_words *words, uint32_t asked, const struct verify_view *view,
                      const struct process_id_map *map, const struct process_ids *ids,
                      struct error *err)
{
    uint32_t here;

    if (seen_from_here (view, map, asked, &here) < 0) {
        error_set (err, words->code, 0,
                   "the user namespace of the process has no %s id %u that rt can see", words->word,
                   asked);
        return error_at (err, "%s", words->pointer);
    }
    if (ids->real == here && ids->effective == here && ids->saved == here && ids->fs == here)
        return 0;
    error_set (err, words->code, 0,
               "the kernel says that the process has the %s ids %u, %u, %u and %u (real, "
               "effective, saved, file system); asked for is %u, which is %u here",
               words->word, ids->real, ids->effective, ids->saved, ids->fs, asked, here);
    return error_at (err, "%s", words->pointer);
}

static int compare_ids (const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a;
    uint32_t right = *(const uint32_t *)b;

    return left < right ? -1 : left > right;
}

/* Sorts a copy and leaves out what is there twice; its new length. */
static size_t make_set (struct arena *arena, const uint32_t *ids, size_t count, uint32_t **set)
{
    uint32_t *items = arena_array (arena, count + 1, sizeof (*items));
    size_t kept = 0;

    if (count > 0)
        memcpy (items, ids, count * sizeof (*items));
    qsort (items, count, sizeof (*items), compare_ids);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || items[kept - 1] != items[i])
            items[kept++] = items[i];
    *set = items;
    return kept;
}

static bool is_same_set (const uint32_t *a, size_t a_count, const uint32_t *b, size_t b_count)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    uint32_t *left;
    uint32_t *right;
    size_t left_count = make_set (&arena, a, a_count, &left);
    size_t right_count = make_set (&arena, b, b_count, &right);

    return left_count == right_count && memcmp (left, right, left_count * sizeof (*left)) == 0;
}

/* For error texts, which are short. */
static void list_ids (const uint32_t *ids, size_t count, struct text *out)
{
    static const size_t shown = 16;

    for (size_t i = 0; i < count && i < shown; i++)
        text_printf (out, "%s%u", i ? " " : "", ids[i]);
    if (count > shown)
        text_printf (out, " and %zu more", count - shown);
    if (count == 0)
        text_puts (out, "none");
}

static int groups_error (const struct process_status *status, const char *asked,
                         const uint32_t *ids, size_t count, struct error *err)
{
    AUTO_TEXT struct text has = {0};
    AUTO_TEXT struct text wanted = {0};

    list_ids (status->groups, status->group_count, &has);
    list_ids (ids, count, &wanted);
    error_set (err, "RT-VERIFY-GROUPS", 0,
               "the kernel says that the process has the additional groups: %s; %s: %s",
               text_string (&has), asked, text_string (&wanted));
    return error_at (err, "/process/user/additionalGids");
}

static int check_callers_groups (const struct verify *verify, const struct process_status *status,
                                 struct error *err)
{
    const struct process_status *parent = &verify->parent.status;

    if (!verify->parent.known ||
        is_same_set (status->groups, status->group_count, parent->groups, parent->group_count))
        return 0;
    return groups_error (status, "those of rt's caller are kept", parent->groups,
                         parent->group_count, err);
}

static int check_groups (const struct verify *verify, const struct process_status *status,
                         const struct verify_view *view, struct error *err)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    size_t count = verify->user->additional_gids.count;
    const gid_t *asked = verify->user->additional_gids.items;

    if (verify->groups == VERIFY_GROUPS_ANY)
        return 0;
    if (verify->groups == VERIFY_GROUPS_CALLER || (count == 0 && view->setgroups_denied))
        return check_callers_groups (verify, status, err);
    uint32_t *wanted = arena_array (&arena, count + 1, sizeof (*wanted));
    for (size_t i = 0; i < count; i++)
        if (seen_from_here (view, &view->gid, asked[i], &wanted[i]) < 0) {
            error_set (err, "RT-VERIFY-GROUPS", 0,
                       "the user namespace of the process has no group id %u that rt can see",
                       asked[i]);
            return error_at (err, "/process/user/additionalGids/%zu", i);
        }
    return is_same_set (status->groups, status->group_count, wanted, count)
               ? 0
               : groups_error (status, "asked for are, as they are called here", wanted, count,
                               err);
}

static void list_caps (const char *before, uint64_t caps, struct text *out)
{
    if (caps == 0)
        return;
    text_puts (out, before);
    for (unsigned int capability = 0; capability < 64; capability++) {
        const char *name = oci_names_of (&oci_capability_names, capability);
        if (!(caps >> capability & 1))
            continue;
        if (name)
            text_printf (out, " %s", name);
        else
            text_printf (out, " %u", capability);
    }
}

static int caps_error (const char *set, uint64_t has, uint64_t asked, struct error *err)
{
    AUTO_TEXT struct text text = {0};

    list_caps ("; too many:", has & ~asked, &text);
    list_caps ("; missing:", asked & ~has, &text);
    error_set (err, "RT-VERIFY-CAPS", 0,
               "the kernel says that the process has other %s capabilities than are asked for%s",
               set, text_string (&text));
    return error_at (err, "/process/capabilities/%s", set);
}

static int check_ambient (const struct verify *verify, const struct process_status *status,
                          uint64_t asked, bool own_userns, struct error *err)
{
    /* What is not permitted and inheritable cannot be raised, which is a warning elsewhere. */
    uint64_t wanted = asked & status->permitted & status->inheritable;
    bool none = own_userns && (!verify->parent.known || verify->parent.no_ambient);

    if (status->ambient == wanted || (none && status->ambient == 0))
        return 0;
    return caps_error ("ambient", status->ambient, wanted, err);
}

static int check_caps (const struct verify *verify, const struct process_status *status,
                       bool own_userns, struct error *err)
{
    static const struct oci_capabilities none;
    const struct oci_capabilities *caps = verify->caps ? verify->caps : &none;
    uint64_t known = verify->known_caps;
    uint64_t bounding = caps->bounding & known;

    /* Sets that can only lose: what the parent has not cannot be had; but a user namespace begins
     * with all. What the parent had that created the container is not known at `start`: then they
     * may be smaller, and were compared by that parent. */
    if (own_userns) {
        bounding &= verify->parent.known ? verify->parent.status.bounding : status->bounding;
        known &= verify->parent.known ? verify->parent.status.permitted
                                      : status->permitted | ~caps->permitted;
    }
    const struct set {
        const char *name;
        uint64_t has;
        uint64_t asked;
    } sets[] = {
        {"bounding", status->bounding, bounding},
        {"effective", status->effective, caps->effective & known},
        {"permitted", status->permitted, caps->permitted & known},
        {"inheritable", status->inheritable, caps->inheritable & known},
    };

    for (size_t i = 0; i < sizeof (sets) / sizeof (sets[0]); i++)
        if (sets[i].has != sets[i].asked)
            return caps_error (sets[i].name, sets[i].has, sets[i].asked, err);
    return check_ambient (verify, status, caps->ambient & known, own_userns, err);
}

static int check_nnp (const struct verify *verify, const struct process_status *status,
                      struct error *err)
{
    bool inherited = verify->parent.known && verify->parent.status.no_new_privs;
    int wanted = verify->no_new_privs || inherited;

    if (status->no_new_privs == wanted || (!wanted && !verify->parent.known))
        return 0;
    error_set (err, "RT-VERIFY-NNP", 0,
               "the kernel says that the process has no_new_privs %d, not %d", status->no_new_privs,
               wanted);
    return error_at (err, "/process/noNewPrivileges");
}

static int filter_error (const char *has, int wanted, struct error *err)
{
    error_set (err, "RT-VERIFY-SECCOMP", 0,
               "the kernel says that the process has %s, where %d filter%s of system calls must be",
               has, wanted, wanted == 1 ? "" : "s");
    return error_at (err, "/linux/seccomp");
}

static const char *mode_words (int mode)
{
    switch (mode) {
    case -1:
        return "no seccomp, as this kernel has none";
    case 0:
        return "no filter";
    case 1:
        return "seccomp's strict mode";
    case 2:
        return "filters";
    default:
        return "an unknown seccomp mode";
    }
}

#define MODE_FILTER 2

/* A process is below its parent's filters as well; so is rt where an engine has put it below some.
 */
static int check_filters (const struct verify *verify, const struct process_status *status,
                          struct error *err)
{
    const struct process_status *parent = &verify->parent.status;
    bool inherited = verify->parent.known && parent->seccomp == MODE_FILTER;
    bool any = verify->filters > 0 || inherited;
    int wanted =
        verify->filters + (verify->parent.known && parent->filters > 0 ? parent->filters : 0);
    char has[48];

    if (verify->filters < 0 || (!any && !verify->parent.known))
        return 0;
    if (any ? status->seccomp != MODE_FILTER : status->seccomp > 0)
        return filter_error (mode_words (status->seccomp), wanted, err);
    if (!any || status->filters < 0)
        return 0;
    if (verify->parent.known ? status->filters == wanted : status->filters >= wanted)
        return 0;
    (void)snprintf (has, sizeof (has), "%d of them", status->filters);
    return filter_error (has, wanted, err);
}

/* By their number, which all may read. Those that are made or joined are below the parent's. */
static int check_pid_levels (const struct verify *verify, const struct process_status *status,
                             struct error *err)
{
    unsigned int own = verify->parent.status.pid_levels;
    enum verify_is is = VERIFY_ANY;

    for (size_t i = 0; i < VERIFY_NAMESPACES; i++)
        if (verify_kinds[i].type == CLONE_NEWPID)
            is = verify->namespaces[i].is;
    if (!verify->parent.known || is == VERIFY_ANY ||
        (is == VERIFY_OWN && status->pid_levels == own) ||
        (is == VERIFY_OTHER && status->pid_levels > own) ||
        (is == VERIFY_EXACT && status->pid_levels >= own))
        return 0;
    return verify_namespace_error (verify, CLONE_NEWPID, err,
                                   "the kernel says that the process is in %u pid namespaces, and "
                                   "rt in %u: it is %s",
                                   status->pid_levels, own,
                                   is == VERIFY_OWN ? "to be in rt's own"
                                                    : "to be in another one below rt's");
}

int verify_status (const struct verify *verify, const struct process_status *status,
                   const struct verify_view *view, struct error *err)
{
    if (verify->user &&
        (check_ids (&uid_words, verify->user->uid, view, &view->uid, &status->uid, err) < 0 ||
         check_ids (&gid_words, verify->user->gid, view, &view->gid, &status->gid, err) < 0 ||
         check_groups (verify, status, view, err) < 0))
        return -1;
    if (verify->compare_caps && check_caps (verify, status, view->own_userns, err) < 0)
        return -1;
    if (verify->compare_nnp && check_nnp (verify, status, err) < 0)
        return -1;
    return check_filters (verify, status, err) < 0 ? -1 : check_pid_levels (verify, status, err);
}
