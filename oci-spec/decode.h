/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decode: from the tree of a document to plain structs, by tables: one row is one property.
 *
 *   static const struct decode_row rlimit_rows[] = {
 *       ROW_ENUM ("type", struct oci_rlimit, type, oci_rlimit_types, REQUIRED),
 *       ROW_INTEGER ("soft", struct oci_rlimit, soft, 0, UINT64_MAX, REQUIRED),
 *       ROW_INTEGER ("hard", struct oci_rlimit, hard, 0, UINT64_MAX, REQUIRED),
 *   };
 *   DECODE_TABLE (rlimit_table, struct oci_rlimit, rlimit_rows);
 *
 * A row whose struct member has the wrong type, or is too small for the range, does not compile.
 * Properties without a row are passed over (the specification's rule of extensibility); `null` is
 * the same as absent. Every error is gathered with its place; decoding goes on. Private to
 * oci-spec/.
 */
#ifndef OCI_SPEC_DECODE_H
#define OCI_SPEC_DECODE_H

#include "base/arena.h"
#include "oci-spec/findings.h"
#include "oci-spec/json.h"
#include "oci-spec/names.h"
#include "oci-spec/types.h"

struct decoder {
    struct arena *arena;
    struct findings *findings;
};

/* Where the decoder is: a chain up to the top of the document. Its JSON pointer is only written
 * when something is wrong. */
struct place {
    const struct place *up; /* NULL at the top */
    const char *key;        /* NULL for an element */
    size_t index;
    const struct json *value;
};

struct decode_row;
struct decode_table;

/* Decodes at->value into the member that the row describes; `target` is the struct around it. */
typedef void decode_fn (struct decoder *decoder, const struct decode_row *row,
                        const struct place *at, void *target);

/* What rows cannot say: runs after them, on their struct. */
typedef void decode_finish_fn (struct decoder *decoder, const struct place *at, void *target);

struct decode_row {
    const char *key;
    decode_fn *decode;
    size_t offset, size; /* of the member */
    bool required;
    int64_t min; /* integers */
    uint64_t max;
    const struct oci_names *names;    /* enumerations and flags */
    const struct decode_table *table; /* objects */
    const struct decode_row *element; /* arrays: how one element is decoded */
    size_t element_size;
};

struct decode_table {
    const struct decode_row *rows;
    size_t count;
    size_t size; /* of the struct */
    decode_finish_fn *finish;
};

/* Fills the struct `target` from the object at->value. */
void decode_object (struct decoder *decoder, const struct decode_table *table,
                    const struct place *at, void *target);

/* Adds a finding about at->value. */
void decode_error (struct decoder *decoder, const struct place *at, const char *code,
                   const char *format, ...) __attribute__ ((format (printf, 4, 5)));
void decode_type_error (struct decoder *decoder, const struct place *at, const char *wanted);

/* Adds a finding about a word that `names` does not have. */
void decode_word_error (struct decoder *decoder, const struct place *at,
                        const struct oci_names *names);

/* True if the object has this property with a value other than null. */
bool decode_has (const struct json *object, const char *key);

/* Every row with the JSON pointer of its property, "*" for any index or key. For the test that
 * compares the tables with the specification's schema. */
typedef void decode_pattern_fn (void *context, const char *pattern, const struct decode_row *row);
void decode_patterns (const struct decode_table *table, const char *prefix, decode_pattern_fn *each,
                      void *context);

decode_fn decode_string, decode_integer, decode_optional_int64, decode_optional_uint64, decode_bool,
    decode_optional_bool, decode_enum, decode_flags, decode_strings, decode_map, decode_pointer,
    decode_inline, decode_array, decode_keyed;

/* ---- rows ---- */

#define REQUIRED .required = true

#define MEMBER(type, member) (((type *)NULL)->member)
#define SAME_TYPE(a, b) __builtin_types_compatible_p (__typeof__ (a), b)

/* 0, or a compile error. */
#define MUST(condition, message)                                                                   \
    (0 * sizeof (struct {                                                                          \
         _Static_assert(condition, message);                                                       \
         char unused;                                                                              \
     }))

#define ROW_MEMBER(type, member_, condition)                                                       \
    .offset =                                                                                      \
        offsetof (type, member_) + MUST (condition, "a row of the wrong kind for " #member_),      \
    .size = sizeof (MEMBER (type, member_))

#define IS_INTEGER(type, member)                                                                   \
    (SAME_TYPE (MEMBER (type, member), int) || SAME_TYPE (MEMBER (type, member), unsigned int) ||  \
     SAME_TYPE (MEMBER (type, member), long) ||                                                    \
     SAME_TYPE (MEMBER (type, member), unsigned long) ||                                           \
     SAME_TYPE (MEMBER (type, member), long long) ||                                               \
     SAME_TYPE (MEMBER (type, member), unsigned long long))

/* The struct that OCI_ARRAY () makes, whatever its elements. */
struct decode_array_layout {
    size_t count;
    void *items;
    bool present;
};
#define IS_ARRAY(type, member)                                                                     \
    (offsetof (__typeof__ (MEMBER (type, member)), items) ==                                       \
         offsetof (struct decode_array_layout, items) &&                                           \
     offsetof (__typeof__ (MEMBER (type, member)), present) ==                                     \
         offsetof (struct decode_array_layout, present) &&                                         \
     sizeof (MEMBER (type, member)) == sizeof (struct decode_array_layout))

/* A string; where it is empty it counts as absent, as the encoders of the engines mean it. */
#define ROW_STRING(key_, type, member, ...)                                                        \
    {                                                                                              \
        .key = key_, .decode = decode_string,                                                      \
        ROW_MEMBER (type, member, SAME_TYPE (MEMBER (type, member), const char *)), __VA_ARGS__    \
    }

#define LARGEST_OF(type, member)                                                                   \
    _Generic(MEMBER (type, member), int                                                            \
             : (uint64_t)INT32_MAX, unsigned int                                                   \
             : (uint64_t)UINT32_MAX, uint16_t                                                      \
             : (uint64_t)UINT16_MAX, int64_t                                                       \
             : (uint64_t)INT64_MAX, uint64_t                                                       \
             : UINT64_MAX, struct oci_int64                                                        \
             : (uint64_t)INT64_MAX, struct oci_uint64                                              \
             : UINT64_MAX)
#define SMALLEST_OF(type, member)                                                                  \
    _Generic(MEMBER (type, member), int                                                            \
             : (int64_t)INT32_MIN, int64_t                                                         \
             : INT64_MIN, struct oci_int64                                                         \
             : INT64_MIN, default                                                                  \
             : (int64_t)0)

/* A whole number from min_ to max_; the member is an integer or optional (struct oci_int64 ...). */
#define ROW_INTEGER(key_, type, member, min_, max_, ...)                                           \
    {                                                                                              \
        .key = key_,                                                                               \
        .decode = _Generic(MEMBER (type, member), struct oci_int64                                 \
                           : decode_optional_int64, struct oci_uint64                              \
                           : decode_optional_uint64, default                                       \
                           : decode_integer),                                                      \
        ROW_MEMBER (type, member,                                                                  \
                    (uint64_t)(max_) <= LARGEST_OF (type, member) &&                               \
                        (int64_t)(min_) >= SMALLEST_OF (type, member)),                            \
        .min = min_, .max = max_, __VA_ARGS__                                                      \
    }

#define ROW_BOOL(key_, type, member, ...)                                                          \
    {                                                                                              \
        .key = key_,                                                                               \
        .decode = _Generic(MEMBER (type, member), bool                                             \
                           : decode_bool, struct oci_bool                                          \
                           : decode_optional_bool),                                                \
        ROW_MEMBER (type, member, true), __VA_ARGS__                                               \
    }

/* One word of a table of names; the member is an integer. */
#define ROW_ENUM(key_, type, member, names_, ...)                                                  \
    {                                                                                              \
        .key = key_, .decode = decode_enum, ROW_MEMBER (type, member, IS_INTEGER (type, member)),  \
        .names = &names_, __VA_ARGS__                                                              \
    }

/* An array of words, or'ed together into an integer. */
#define ROW_FLAGS(key_, type, member, names_)                                                      \
    {                                                                                              \
        .key = key_, .decode = decode_flags, ROW_MEMBER (type, member, IS_INTEGER (type, member)), \
        .names = &names_                                                                           \
    }

#define ROW_STRINGS(key_, type, member, ...)                                                       \
    {                                                                                              \
        .key = key_, .decode = decode_strings,                                                     \
        ROW_MEMBER (type, member, SAME_TYPE (MEMBER (type, member), struct oci_strings)),          \
        __VA_ARGS__                                                                                \
    }

#define ROW_MAP(key_, type, member)                                                                \
    {                                                                                              \
        .key = key_, .decode = decode_map,                                                         \
        ROW_MEMBER (type, member, SAME_TYPE (MEMBER (type, member), struct oci_map))               \
    }

/* An object with a table of its own; the member is a pointer, which is NULL where it is absent. */
#define ROW_OBJECT(key_, type, member, table_, ...)                                                \
    {                                                                                              \
        .key = key_, .decode = decode_pointer,                                                     \
        ROW_MEMBER (type, member, SAME_TYPE (*MEMBER (type, member), table_##_struct)),            \
        .table = &table_, __VA_ARGS__                                                              \
    }

/* The same, the member being the struct itself. */
#define ROW_EMBEDDED(key_, type, member, table_)                                                   \
    {                                                                                              \
        .key = key_, .decode = decode_inline,                                                      \
        ROW_MEMBER (type, member, SAME_TYPE (MEMBER (type, member), table_##_struct)),             \
        .table = &table_                                                                           \
    }

/* An object of the document whose properties are members of the struct around it. */
#define ROW_SPREAD(key_, type, table_)                                                             \
    {                                                                                              \
        .key = key_, .decode = decode_inline,                                                      \
        .offset = MUST (__builtin_types_compatible_p (type, table_##_struct), "another struct"),   \
        .table = &table_                                                                           \
    }

/* An array of objects. */
#define ROW_OBJECTS(key_, type, member, table_, ...)                                               \
    {                                                                                              \
        .key = key_, .decode = decode_array,                                                       \
        ROW_MEMBER (type, member,                                                                  \
                    IS_ARRAY (type, member) &&                                                     \
                        SAME_TYPE (*MEMBER (type, member).items, table_##_struct)),                \
        .element = &(const struct decode_row){.decode = decode_inline, .table = &table_},          \
        .element_size = sizeof (*MEMBER (type, member).items), __VA_ARGS__                         \
    }

/* An array of whole numbers. */
#define ROW_INTEGERS(key_, type, member, item, min_, max_)                                         \
    {                                                                                              \
        .key = key_, .decode = decode_array,                                                       \
        ROW_MEMBER (type, member,                                                                  \
                    IS_ARRAY (type, member) && SAME_TYPE (*MEMBER (type, member).items, item)),    \
        .element =                                                                                 \
            &(const struct decode_row){                                                            \
                .decode = decode_integer, .size = sizeof (item), .min = min_, .max = max_},        \
        .element_size = sizeof (item)                                                              \
    }

/* An array of words. */
#define ROW_ENUMS(key_, type, member, item, names_)                                                \
    {                                                                                              \
        .key = key_, .decode = decode_array,                                                       \
        ROW_MEMBER (type, member,                                                                  \
                    IS_ARRAY (type, member) && SAME_TYPE (*MEMBER (type, member).items, item)),    \
        .element =                                                                                 \
            &(const struct decode_row){                                                            \
                .decode = decode_enum, .size = sizeof (item), .names = &names_, REQUIRED},         \
        .element_size = sizeof (item)                                                              \
    }

/* An object with keys of the user's choice and objects as values. key_row says where the key goes.
 */
#define ROW_KEYED(key_, type, member, table_, key_row)                                             \
    {                                                                                              \
        .key = key_, .decode = decode_keyed,                                                       \
        ROW_MEMBER (type, member,                                                                  \
                    IS_ARRAY (type, member) &&                                                     \
                        SAME_TYPE (*MEMBER (type, member).items, table_##_struct)),                \
        .element = &key_row, .element_size = sizeof (*MEMBER (type, member).items),                \
        .table = &table_                                                                           \
    }

/* Anything else: a function of its own. */
#define ROW_FUNCTION(key_, type, member, expected, function, ...)                                  \
    {                                                                                              \
        .key = key_, .decode = function,                                                           \
        ROW_MEMBER (type, member, SAME_TYPE (MEMBER (type, member), expected)), __VA_ARGS__        \
    }

/* ---- tables ---- */

#define DECODE_ROWS_MAX 64 /* decode_object () keeps a bit for each */

#define DECODE_TABLE_FINISHED(id, struct_, rows_, finish_)                                         \
    typedef struct_ id##_struct;                                                                   \
    _Static_assert(sizeof (rows_) / sizeof (*rows_) <= DECODE_ROWS_MAX, "too many rows");          \
    static const struct decode_table id = {.rows = rows_,                                          \
                                           .count = sizeof (rows_) / sizeof (*rows_),              \
                                           .size = sizeof (struct_),                               \
                                           .finish = finish_}
#define DECODE_TABLE(id, struct_, rows_) DECODE_TABLE_FINISHED (id, struct_, rows_, NULL)

/* A table that another file's rows name: declared in a header, defined in the section's file. */
#define DECODE_TABLE_DECLARE(id, struct_)                                                          \
    typedef struct_ id##_struct;                                                                   \
    extern const struct decode_table id
#define DECODE_TABLE_DEFINE(id, rows_, finish_)                                                    \
    _Static_assert(sizeof (rows_) / sizeof (*rows_) <= DECODE_ROWS_MAX, "too many rows");          \
    const struct decode_table id = {.rows = rows_,                                                 \
                                    .count = sizeof (rows_) / sizeof (*rows_),                     \
                                    .size = sizeof (id##_struct),                                  \
                                    .finish = finish_}

#endif
