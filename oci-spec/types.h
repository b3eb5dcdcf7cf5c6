/* SPDX-License-Identifier: Apache-2.0 */
/*
 * types: what the sections of the document are made of.
 *
 * The document becomes plain structs that live in one arena and are never changed after loading.
 * Words that the specification enumerates are numbers of the kernel (or of libseccomp) from here
 * on; nobody compares strings of the document later. "Absent" is told apart from every value.
 */
#ifndef OCI_SPEC_TYPES_H
#define OCI_SPEC_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An array of the document: `count` items in their order; items is NULL where count is 0.
 * `present` tells an empty array from an absent one. */
#define OCI_ARRAY(type)                                                                            \
    struct {                                                                                       \
        size_t count;                                                                              \
        type *items;                                                                               \
        bool present;                                                                              \
    }

/* Strings; items[count] is NULL where present, so that items can be an argv. */
struct oci_strings {
    size_t count;
    char **items;
    bool present;
};

struct oci_pair {
    const char *key;
    const char *value;
};

/* A map of strings in the order of the document. */
struct oci_map {
    size_t count;
    struct oci_pair *items;
    bool present;
};

struct oci_bool {
    bool present;
    bool value;
};

struct oci_int64 {
    bool present;
    int64_t value;
};

struct oci_uint64 {
    bool present;
    uint64_t value;
};

struct oci_id_mapping {
    uint32_t container_id;
    uint32_t host_id;
    uint32_t size;
    bool relative; /* host_id is one of the container's; only by a mount's option */
};

struct oci_id_mappings {
    size_t count;
    struct oci_id_mapping *items;
    bool present;
};

#endif
