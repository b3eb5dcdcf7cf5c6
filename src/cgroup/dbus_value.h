/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dbus_value: a value with its D-Bus type, and its text form, in which users give properties of
 * units in annotations (GVariant text format: 5, uint64 5, 'word', ['a', 'b'], true, (1, 'x')).
 * Pure; private to cgroup/.
 */
#ifndef RT_CGROUP_DBUS_VALUE_H
#define RT_CGROUP_DBUS_VALUE_H

#include "base/arena.h"
#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

struct dbus_value {
    const char *type; /* its signature: "t", "s", "as", "a(st)", "(sb)" */
    union {
        uint64_t number;  /* y q u t; b: 0 or 1 */
        int64_t integer;  /* n i x */
        double real;      /* d */
        const char *text; /* s o g */
    };
    struct dbus_value *items; /* of an array or a struct */
    size_t count;
};

/* How long the first complete type of a signature is; 0: there is none, or it is one that rt has no
 * use for (dictionaries, descriptors; variants but where they are asked for). */
size_t dbus_type_length (const char *signature, bool variants);

/* Reads a value from its text. Numbers without a type are int32, with a point or an exponent
 * double, as GVariant has it. What is wrong is said in err's text. */
int dbus_value_parse (struct arena *arena, const char *text, struct dbus_value *value,
                      struct error *err);

#endif
