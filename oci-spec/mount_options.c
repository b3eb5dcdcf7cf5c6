/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mount_options: see mount_options.h and mounts.h.
 *
 * `acl` and `noacl` are not here: since the file systems read them themselves (ext4, xfs), they are
 * data like any other word that is not known.
 */
#include "oci-spec/mount_options.h"

#include "base/text.h"
#include "oci-spec/names.h"

#include <string.h>
#include <sys/mount.h>

/* What the headers of older C libraries lack. */
#ifndef MOUNT_ATTR_RDONLY
#define MOUNT_ATTR_RDONLY 0x00000001
#define MOUNT_ATTR_NOSUID 0x00000002
#define MOUNT_ATTR_NODEV 0x00000004
#define MOUNT_ATTR_NOEXEC 0x00000008
#define MOUNT_ATTR__ATIME 0x00000070
#define MOUNT_ATTR_RELATIME 0x00000000
#define MOUNT_ATTR_NOATIME 0x00000010
#define MOUNT_ATTR_STRICTATIME 0x00000020
#define MOUNT_ATTR_NODIRATIME 0x00000080
#endif
#ifndef MOUNT_ATTR_NOSYMFOLLOW
#define MOUNT_ATTR_NOSYMFOLLOW 0x00200000
#endif

enum option_kind {
    NO_EFFECT,
    ATTRIBUTE,   /* sets or clears bits of this mount */
    ATIME,       /* sets the mode in which access times are kept */
    NOT_ATIME,   /* leaves that mode for the kernel's default, relatime */
    SUPERBLOCK,  /* sets or clears MS_* of the file system */
    READONLY,    /* the mount and, where it is new, the file system */
    PROPAGATION, /* its bits are in oci_propagations */
    SWITCH,      /* a bool of struct oci_mount */
    IDMAPPED,
};

struct option {
    const char *word;
    enum option_kind kind;
    bool recursive; /* for rec_set and rec_clear (AT_RECURSIVE) */
    bool clears;
    uint64_t bits;    /* MOUNT_ATTR_*, MS_* or enum oci_idmap */
    size_t switch_at; /* offset of the bool */
};

#define WORD(word_, kind_, ...)                                                                    \
    {                                                                                              \
        .word = word_, .kind = kind_, __VA_ARGS__                                                  \
    }
#define SETS(word, attribute) WORD (word, ATTRIBUTE, .bits = attribute)
#define CLEARS(word, attribute) WORD (word, ATTRIBUTE, .clears = true, .bits = attribute)
#define SETS_ALL(word, attribute) WORD (word, ATTRIBUTE, .recursive = true, .bits = attribute)
#define CLEARS_ALL(word, attribute)                                                                \
    WORD (word, ATTRIBUTE, .recursive = true, .clears = true, .bits = attribute)
#define SWITCHES(word, member) WORD (word, SWITCH, .switch_at = offsetof (struct oci_mount, member))

/* clang-format off */
static const struct option options[] = {
    WORD ("defaults", NO_EFFECT),

    WORD ("ro", READONLY),
    WORD ("rw", READONLY, .clears = true),
    SETS ("nosuid", MOUNT_ATTR_NOSUID),            CLEARS ("suid", MOUNT_ATTR_NOSUID),
    SETS ("nodev", MOUNT_ATTR_NODEV),              CLEARS ("dev", MOUNT_ATTR_NODEV),
    SETS ("noexec", MOUNT_ATTR_NOEXEC),            CLEARS ("exec", MOUNT_ATTR_NOEXEC),
    SETS ("nodiratime", MOUNT_ATTR_NODIRATIME),    CLEARS ("diratime", MOUNT_ATTR_NODIRATIME),
    SETS ("nosymfollow", MOUNT_ATTR_NOSYMFOLLOW),  CLEARS ("symfollow", MOUNT_ATTR_NOSYMFOLLOW),

    WORD ("noatime", ATIME, .bits = MOUNT_ATTR_NOATIME),
    WORD ("relatime", ATIME, .bits = MOUNT_ATTR_RELATIME),
    WORD ("strictatime", ATIME, .bits = MOUNT_ATTR_STRICTATIME),
    WORD ("atime", NOT_ATIME, .bits = MOUNT_ATTR_NOATIME),
    WORD ("norelatime", NOT_ATIME, .bits = MOUNT_ATTR_RELATIME),
    WORD ("nostrictatime", NOT_ATIME, .bits = MOUNT_ATTR_STRICTATIME),

    WORD ("sync", SUPERBLOCK, .bits = MS_SYNCHRONOUS),
    WORD ("async", SUPERBLOCK, .clears = true, .bits = MS_SYNCHRONOUS),
    WORD ("dirsync", SUPERBLOCK, .bits = MS_DIRSYNC),
    WORD ("mand", SUPERBLOCK, .bits = MS_MANDLOCK),
    WORD ("nomand", SUPERBLOCK, .clears = true, .bits = MS_MANDLOCK),
    WORD ("silent", SUPERBLOCK, .bits = MS_SILENT),
    WORD ("loud", SUPERBLOCK, .clears = true, .bits = MS_SILENT),
    WORD ("iversion", SUPERBLOCK, .bits = MS_I_VERSION),
    WORD ("noiversion", SUPERBLOCK, .clears = true, .bits = MS_I_VERSION),
    WORD ("lazytime", SUPERBLOCK, .bits = MS_LAZYTIME),
    WORD ("nolazytime", SUPERBLOCK, .clears = true, .bits = MS_LAZYTIME),

    SWITCHES ("bind", bind),
    SWITCHES ("rbind", recursive), /* a bind too: see mount_options_read () */
    SWITCHES ("remount", remount),
    WORD ("private", PROPAGATION),
    WORD ("rprivate", PROPAGATION),
    WORD ("slave", PROPAGATION),
    WORD ("rslave", PROPAGATION),
    WORD ("shared", PROPAGATION),
    WORD ("rshared", PROPAGATION),
    WORD ("unbindable", PROPAGATION),
    WORD ("runbindable", PROPAGATION),

    SETS_ALL ("rro", MOUNT_ATTR_RDONLY),           CLEARS_ALL ("rrw", MOUNT_ATTR_RDONLY),
    SETS_ALL ("rnosuid", MOUNT_ATTR_NOSUID),       CLEARS_ALL ("rsuid", MOUNT_ATTR_NOSUID),
    SETS_ALL ("rnodev", MOUNT_ATTR_NODEV),         CLEARS_ALL ("rdev", MOUNT_ATTR_NODEV),
    SETS_ALL ("rnoexec", MOUNT_ATTR_NOEXEC),       CLEARS_ALL ("rexec", MOUNT_ATTR_NOEXEC),
    SETS_ALL ("rnodiratime", MOUNT_ATTR_NODIRATIME), CLEARS_ALL ("rdiratime", MOUNT_ATTR_NODIRATIME),
    SETS_ALL ("rnosymfollow", MOUNT_ATTR_NOSYMFOLLOW),
    CLEARS_ALL ("rsymfollow", MOUNT_ATTR_NOSYMFOLLOW),
    WORD ("rnoatime", ATIME, .recursive = true, .bits = MOUNT_ATTR_NOATIME),
    WORD ("rrelatime", ATIME, .recursive = true, .bits = MOUNT_ATTR_RELATIME),
    WORD ("rstrictatime", ATIME, .recursive = true, .bits = MOUNT_ATTR_STRICTATIME),
    WORD ("ratime", NOT_ATIME, .recursive = true, .bits = MOUNT_ATTR_NOATIME),
    WORD ("rnorelatime", NOT_ATIME, .recursive = true, .bits = MOUNT_ATTR_RELATIME),
    WORD ("rnostrictatime", NOT_ATIME, .recursive = true, .bits = MOUNT_ATTR_STRICTATIME),

    WORD ("idmap", IDMAPPED, .bits = OCI_IDMAP),
    WORD ("ridmap", IDMAPPED, .bits = OCI_RIDMAP),
    SWITCHES ("tmpcopyup", tmpcopyup),
    SWITCHES ("copy-symlink", copy_symlink),
    SWITCHES ("src-nofollow", src_nofollow),
    SWITCHES ("dest-nofollow", dest_nofollow),
};
/* clang-format on */

#define OPTION_COUNT (sizeof (options) / sizeof (*options))

const char *oci_mount_option_at (size_t index)
{
    return index < OPTION_COUNT ? options[index].word : NULL;
}

static const struct option *find_option (const char *word)
{
    for (size_t i = 0; i < OPTION_COUNT; i++)
        if (text_equal (options[i].word, word))
            return &options[i];
    return NULL;
}

/* The last word about a bit wins. */
static void move_bits (uint64_t *to, uint64_t *from, uint64_t bits)
{
    *to |= bits;
    *from &= ~bits;
}

static void set_attribute (struct oci_mount *mount, const struct option *option)
{
    uint64_t *set = option->recursive ? &mount->rec_set : &mount->attr_set;
    uint64_t *clear = option->recursive ? &mount->rec_clear : &mount->attr_clear;

    if (option->clears)
        move_bits (clear, set, option->bits);
    else
        move_bits (set, clear, option->bits);
}

/* The modes are one field of the kernel's mask, not bits: mount_setattr (2) wants the whole field
 * cleared where a mode is set, and relatime is the mode 0. */
static void set_atime (struct oci_mount *mount, const struct option *option)
{
    uint64_t *set = option->recursive ? &mount->rec_set : &mount->attr_set;
    uint64_t *clear = option->recursive ? &mount->rec_clear : &mount->attr_clear;
    bool chosen = *clear & MOUNT_ATTR__ATIME;
    uint64_t mode = option->bits;

    if (option->kind == NOT_ATIME) {
        /* `strictatime,atime` stays strict: `atime` only takes noatime back. */
        if (chosen && (*set & MOUNT_ATTR__ATIME) != option->bits)
            return;
        mode = MOUNT_ATTR_RELATIME;
    }
    *clear |= MOUNT_ATTR__ATIME;
    *set = (*set & ~(uint64_t)MOUNT_ATTR__ATIME) | mode;
}

static void set_superblock (struct oci_mount *mount, bool clears, unsigned long bits)
{
    unsigned long *to = clears ? &mount->sb_clear : &mount->sb_set;
    unsigned long *from = clears ? &mount->sb_set : &mount->sb_clear;

    *to |= bits;
    *from &= ~bits;
}

static void apply_option (struct oci_mount *mount, const struct option *option)
{
    static const struct option readonly = SETS ("ro", MOUNT_ATTR_RDONLY);
    static const struct option writable = CLEARS ("rw", MOUNT_ATTR_RDONLY);
    uint64_t bits = 0;

    switch (option->kind) {
    case NO_EFFECT:
        break;
    case ATTRIBUTE:
        set_attribute (mount, option);
        break;
    case ATIME:
    case NOT_ATIME:
        set_atime (mount, option);
        break;
    case SUPERBLOCK:
        set_superblock (mount, option->clears, option->bits);
        break;
    case READONLY:
        set_attribute (mount, option->clears ? &writable : &readonly);
        set_superblock (mount, option->clears, MS_RDONLY);
        break;
    case PROPAGATION:
        (void)oci_names_find (&oci_propagations, option->word, &bits);
        mount->propagation.items[mount->propagation.count++] = bits;
        mount->propagation.present = true;
        break;
    case SWITCH:
        *((bool *)((char *)mount + option->switch_at)) = true;
        break;
    case IDMAPPED:
        mount->idmap = (enum oci_idmap)option->bits;
        break;
    }
}

void mount_options_read (struct arena *arena, struct oci_mount *mount)
{
    size_t count = mount->options.count;
    size_t length = 0;

    for (size_t i = 0; i < count; i++)
        length += strlen (mount->options.items[i] ? mount->options.items[i] : "") + 1;
    if (count == 0)
        return;
    mount->propagation.items = arena_array (arena, count, sizeof (*mount->propagation.items));
    char *data = arena_alloc (arena, length);
    char *end = data;

    for (size_t i = 0; i < count; i++) {
        const char *word = mount->options.items[i];
        const struct option *option = word ? find_option (word) : NULL;
        if (option) {
            apply_option (mount, option);
        } else if (word && word[0] != '\0' && !mount_idmap_read (arena, word, mount)) {
            if (end != data)
                *end++ = ',';
            end = mempcpy (end, word, strlen (word));
        }
    }
    mount->data = end != data ? data : NULL;
    if (mount->recursive)
        mount->bind = true;
    if (mount->propagation.count == 0)
        mount->propagation.items = NULL;
}

const char *mount_options_find (const struct oci_mount *mount, const char *start)
{
    for (const char *at = mount->data; at; at = strchr (at, ',')) {
        at += *at == ',';
        if (text_starts_with (at, start))
            return at;
    }
    return NULL;
}

void mount_options_drop (struct arena *arena, struct oci_mount *mount, const char *start)
{
    const char *word = mount_options_find (mount, start);

    if (!word)
        return;
    size_t before = (size_t)(word - mount->data);
    const char *after = word + strcspn (word, ",");
    if (*after == ',')
        after++;
    else if (before > 0)
        before--; /* the last one takes the comma before it */
    char *left = arena_alloc (arena, before + strlen (after) + 1);
    memcpy (left, mount->data, before);
    memcpy (left + before, after, strlen (after) + 1);
    mount->data = left[0] ? left : NULL;
}
