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
};

/* outside, before anything is entered: opens each given path, which must be a namespace of its type
 * (NSP-05, NSP-07). */
int namespaces_prepare (const struct oci_linux *linux, struct namespaces *namespaces,
                        struct error *err);

/* inside: joins all but the user namespace; those that are refused for lack of rights are joined
 * after it, where it is joined too (NSP-08). The pid namespace holds for children. */
int namespaces_apply (struct namespaces *namespaces, struct error *err);

/* outside: the descriptor of the one of this type that is to be joined, now the caller's; -1: there
 * is none. */
int namespaces_take (struct namespaces *namespaces, int type);

void namespaces_release (struct namespaces *namespaces);

#endif
