/* SPDX-License-Identifier: Apache-2.0 */
/*
 * namespaces: linux.namespaces (config-linux.md, "Namespaces"). Which are made and which are
 * joined, and in what order, is decided by lifecycle/plan; this file opens and joins.
 */
#ifndef RT_CONTAINER_NAMESPACES_H
#define RT_CONTAINER_NAMESPACES_H

#include "base/error.h"
#include "oci-spec/linux.h"

#include <stdbool.h>
#include <stddef.h>

#define NAMESPACES_MAX 8

struct namespace_join {
    int type;     /* CLONE_NEW* */
    int fd;       /* owned */
    size_t index; /* in linux.namespaces, for errors */
    bool done;
};

struct namespaces {
    struct namespace_join joins[NAMESPACES_MAX];
    size_t count;
    bool pid_first; /* the pid namespace is not that of the user namespace which is joined */
};

/* outside, before anything is entered: opens each given path, which must be a namespace of its type
 * (NSP-05, NSP-07). */
int namespaces_prepare (const struct oci_linux *linux, struct namespaces *namespaces,
                        struct error *err);

/* outside, where a user namespace is made or joined: sets pid_first. Where the user namespace that
 * is joined owns the pid namespace, its root may enter that; else it takes rights that are given
 * up. */
int namespaces_prepare_pid (struct namespaces *namespaces, struct error *err);

/* inside: joins all but the user namespace; those that are refused for lack of rights are joined
 * after it, where it is joined too (NSP-08). The pid namespace is left for later but with
 * pid_first. */
int namespaces_apply (struct namespaces *namespaces, struct error *err);

/* inside: joins the pid namespace, if that was left for later. It holds for the children of this
 * process, which are seen in it from then on. */
int namespaces_apply_pid (struct namespaces *namespaces, struct error *err);

/* That of this type which is to be joined; -1: none is. It stays the namespaces' own. */
int namespaces_fd (const struct namespaces *namespaces, int type);

/* outside: the descriptor of the one of this type that is to be joined, now the caller's; -1: there
 * is none. */
int namespaces_take (struct namespaces *namespaces, int type);

void namespaces_release (struct namespaces *namespaces);

#endif
