/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The words of mounts[].options.
 */
#include "base/arena.h"
#include "base/text.h"
#include "oci-spec/mount_options.h"
#include "oci-spec/names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

#include <cmocka.h>

/* Reads "ro,nosuid,..." as a list of words. */
static void read_words (struct arena *arena, const char *words, struct oci_mount *mount)
{
    char *copy = arena_string (arena, words);
    char *items[32] = {NULL};
    size_t count = 0;

    for (char *word; (word = strsep (&copy, ",")) && count < 31;)
        items[count++] = word;
    *mount = (struct oci_mount){.options = {.count = count, .items = items, .present = true}};
    mount_options_read (arena, mount);
    mount->options = (struct oci_strings){0}; /* items ends here */
}

/* rows: MNT-14 MNT-15 MNT-16 MNT-18 MNT-19 MNT-34 MNT-35 MNT-36 MNT-38 */
static void words_become_flags (void **state)
{
    enum {
        RO = MOUNT_ATTR_RDONLY,
        NOSUID = MOUNT_ATTR_NOSUID,
        MODE = MOUNT_ATTR__ATIME,
        NOATIME = MOUNT_ATTR_NOATIME,
        STRICT = MOUNT_ATTR_STRICTATIME,
        NODIR = MOUNT_ATTR_NODIRATIME,
        NOSYM = MOUNT_ATTR_NOSYMFOLLOW,
    };
    static const struct {
        const char *words;
        uint64_t set, clear, rec_set, rec_clear;
        unsigned long sb_set, sb_clear;
    } cases[] = {
        {"defaults", 0, 0, 0, 0, 0, 0},
        {"ro", RO, 0, 0, 0, MS_RDONLY, 0},
        {"rw", 0, RO, 0, 0, 0, MS_RDONLY},
        {"ro,rw", 0, RO, 0, 0, 0, MS_RDONLY},
        {"rw,ro", RO, 0, 0, 0, MS_RDONLY, 0},
        {"ro,rro", RO, 0, RO, 0, MS_RDONLY, 0},
        {"nosuid,nodev,noexec", NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, 0, 0, 0, 0, 0},
        {"suid,dev,exec", 0, NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, 0, 0, 0, 0},
        {"nosuid,suid", 0, NOSUID, 0, 0, 0, 0},
        {"suid,rnosuid", 0, NOSUID, NOSUID, 0, 0, 0},
        {"rnosuid,rsuid", 0, 0, 0, NOSUID, 0, 0},
        {"rnodev,rnoexec", 0, 0, MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, 0, 0, 0},
        {"rdev,rexec,rrw", 0, 0, 0, MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC | RO, 0, 0},
        {"nosymfollow", NOSYM, 0, 0, 0, 0, 0},
        {"nosymfollow,symfollow", 0, NOSYM, 0, 0, 0, 0},
        {"rnosymfollow", 0, 0, NOSYM, 0, 0, 0},
        {"rsymfollow", 0, 0, 0, NOSYM, 0, 0},
        /* Access times: the mode is a field, so its mask is cleared whenever a mode is set. */
        {"noatime", NOATIME, MODE, 0, 0, 0, 0},
        {"strictatime", STRICT, MODE, 0, 0, 0, 0},
        {"relatime", 0, MODE, 0, 0, 0, 0},
        {"noatime,strictatime", STRICT, MODE, 0, 0, 0, 0},
        {"strictatime,relatime", 0, MODE, 0, 0, 0, 0},
        {"noatime,atime", 0, MODE, 0, 0, 0, 0},
        {"atime", 0, MODE, 0, 0, 0, 0},
        {"strictatime,atime", STRICT, MODE, 0, 0, 0, 0},
        {"strictatime,nostrictatime", 0, MODE, 0, 0, 0, 0},
        {"noatime,nostrictatime", NOATIME, MODE, 0, 0, 0, 0},
        {"nostrictatime", 0, MODE, 0, 0, 0, 0},
        {"norelatime", 0, MODE, 0, 0, 0, 0},
        {"noatime,norelatime", NOATIME, MODE, 0, 0, 0, 0},
        {"nodiratime", NODIR, 0, 0, 0, 0, 0},
        {"nodiratime,diratime", 0, NODIR, 0, 0, 0, 0},
        {"noatime,nodiratime", NOATIME | NODIR, MODE, 0, 0, 0, 0},
        {"rnoatime", 0, 0, NOATIME, MODE, 0, 0},
        {"rstrictatime", 0, 0, STRICT, MODE, 0, 0},
        {"rrelatime", 0, 0, 0, MODE, 0, 0},
        {"rnoatime,ratime", 0, 0, 0, MODE, 0, 0},
        {"rstrictatime,rnostrictatime", 0, 0, 0, MODE, 0, 0},
        {"rnorelatime", 0, 0, 0, MODE, 0, 0},
        {"rnodiratime", 0, 0, NODIR, 0, 0, 0},
        {"rdiratime", 0, 0, 0, NODIR, 0, 0},
        {"noatime,rrelatime", NOATIME, MODE, 0, MODE, 0, 0},
        /* The file system's own. */
        {"sync,dirsync,mand,silent,iversion,lazytime", 0, 0, 0, 0,
         MS_SYNCHRONOUS | MS_DIRSYNC | MS_MANDLOCK | MS_SILENT | MS_I_VERSION | MS_LAZYTIME, 0},
        {"async,nomand,loud,noiversion,nolazytime", 0, 0, 0, 0, 0,
         MS_SYNCHRONOUS | MS_MANDLOCK | MS_SILENT | MS_I_VERSION | MS_LAZYTIME},
        {"sync,async,nolazytime,lazytime", 0, 0, 0, 0, MS_LAZYTIME, MS_SYNCHRONOUS},
    };

    (void)state;
    for (size_t i = 0; i < sizeof (cases) / sizeof (*cases); i++) {
        AUTO_ARENA struct arena arena = ARENA_INIT;
        struct oci_mount mount;
        read_words (&arena, cases[i].words, &mount);
        if (mount.attr_set != cases[i].set || mount.attr_clear != cases[i].clear ||
            mount.rec_set != cases[i].rec_set || mount.rec_clear != cases[i].rec_clear ||
            mount.sb_set != cases[i].sb_set || mount.sb_clear != cases[i].sb_clear)
            fail_msg ("%s: set %#lx clear %#lx, recursive %#lx %#lx, superblock %#lx %#lx",
                      cases[i].words, (unsigned long)mount.attr_set,
                      (unsigned long)mount.attr_clear, (unsigned long)mount.rec_set,
                      (unsigned long)mount.rec_clear, mount.sb_set, mount.sb_clear);
        assert_null (mount.data);
        assert_false (mount.bind);
    }
}

/* rows: MNT-20 MNT-21 */
static void unknown_words_are_data (void **state)
{
    static const struct {
        const char *words;
        const char *data;
    } cases[] = {
        {"nosuid,size=64m,noexec,mode=755", "size=64m,mode=755"},
        {"acl", "acl"},
        {"noacl,ro", "noacl"},
        {"RO", "RO"},
        {"", NULL},
        {",x,,y,", "x,y"},
        {"ro", NULL},
        {"nosuid ", "nosuid "},
        {"rsync", "rsync"}, /* the kernel has no such attribute: the file system will refuse it */
    };

    (void)state;
    for (size_t i = 0; i < sizeof (cases) / sizeof (*cases); i++) {
        AUTO_ARENA struct arena arena = ARENA_INIT;
        struct oci_mount mount;
        read_words (&arena, cases[i].words, &mount);
        if (cases[i].data)
            assert_string_equal (mount.data, cases[i].data);
        else
            assert_null (mount.data);
    }
}

/* rows: MNT-17 MNT-23 */
static void switches_are_set (void **state)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    struct oci_mount mount;

    (void)state;
    read_words (&arena, "bind", &mount);
    assert_true (mount.bind && !mount.recursive && !mount.remount);
    read_words (&arena, "rbind", &mount);
    assert_true (mount.bind && mount.recursive);
    read_words (&arena, "rbind,bind", &mount);
    assert_true (mount.bind && mount.recursive);
    read_words (&arena, "bind,rbind", &mount);
    assert_true (mount.bind && mount.recursive);
    read_words (&arena, "remount", &mount);
    assert_true (mount.remount && !mount.bind);
    read_words (&arena, "tmpcopyup,copy-symlink", &mount);
    assert_true (mount.tmpcopyup && mount.copy_symlink && !mount.src_nofollow);
    read_words (&arena, "src-nofollow,dest-nofollow", &mount);
    assert_true (mount.src_nofollow && mount.dest_nofollow && !mount.copy_symlink);
    read_words (&arena, "idmap", &mount);
    assert_int_equal (mount.idmap, OCI_IDMAP);
    read_words (&arena, "idmap,ridmap", &mount);
    assert_int_equal (mount.idmap, OCI_RIDMAP);
}

/* rows: MNT-46 */
static void mappings_are_read (void **state)
{
    static const char *const wrong[] = {
        "idmap=",
        "idmap=uids=0-1-1",
        "idmap=uids=0-1-1;gids=",
        "idmap=uids=0-1-1;gids=0-1",
        "idmap=uids=0-1-0;gids=0-1-1",
        "idmap=uids=0-1-1-1;gids=0-1-1",
        "idmap=uids=0-1-1#;gids=0-1-1",
        "idmap=uids=0-1-1;uids=0-1-1;gids=0-1-1",
        "idmap=uids=0-1-1;gids=0-1-1;",
        "idmap=uids=0-1-1;gids=0-1-1;sids=0-1-1",
        "idmap=uids=0-+1-1;gids=0-1-1",
        "idmap=uids=0-4294967296-1;gids=0-1-1",
        "idmap=uids=0-@1-1;gids=0-1-1",
        "xidmap=uids=0-1-1;gids=0-1-1",
    };
    AUTO_ARENA struct arena arena = ARENA_INIT;
    struct oci_mount mount;

    (void)state;
    read_words (&arena, "idmap=uids=0-1000-10#@20-30-40;gids=5-6-7", &mount);
    assert_null (mount.data);
    assert_int_equal (mount.idmap, OCI_IDMAP);
    assert_int_equal (mount.uid_mappings.count, 2);
    const struct oci_id_mapping *uids = mount.uid_mappings.items;
    assert_true (uids[0].container_id == 0 && uids[0].host_id == 1000 && uids[0].size == 10);
    assert_true (uids[1].container_id == 20 && uids[1].host_id == 30 && uids[1].size == 40);
    assert_true (!uids[0].relative && uids[1].relative);
    assert_int_equal (mount.gid_mappings.count, 1);
    assert_int_equal (mount.gid_mappings.items[0].host_id, 6);
    read_words (&arena, "ro,ridmap=gids=0-0-1;uids=0-0-1", &mount);
    assert_int_equal (mount.idmap, OCI_RIDMAP);
    for (size_t i = 0; i < sizeof (wrong) / sizeof (wrong[0]); i++) {
        read_words (&arena, wrong[i], &mount);
        assert_string_equal (mount.data, wrong[i]);
        assert_int_equal (mount.idmap, OCI_IDMAP_NONE);
    }
}

/* rows: MNT-32 */
static void propagation_keeps_its_order (void **state)
{
    static const unsigned long wanted[] = {
        MS_SLAVE,          MS_SHARED,          MS_PRIVATE,          MS_UNBINDABLE,
        MS_SLAVE | MS_REC, MS_SHARED | MS_REC, MS_PRIVATE | MS_REC, MS_UNBINDABLE | MS_REC,
    };
    AUTO_ARENA struct arena arena = ARENA_INIT;
    struct oci_mount mount;

    (void)state;
    read_words (&arena, "slave,shared,private,ro,unbindable,rslave,rshared,rprivate,runbindable",
                &mount);
    assert_int_equal (mount.propagation.count, 8);
    for (size_t i = 0; i < 8; i++)
        assert_int_equal (mount.propagation.items[i], wanted[i]);
    read_words (&arena, "ro", &mount);
    assert_int_equal (mount.propagation.count, 0);
    assert_null (mount.propagation.items);
}

/* rows: FEA-03 */
static void every_listed_word_is_known (void **state)
{
    size_t count = 0;
    const char *word;

    (void)state;
    for (; (word = oci_mount_option_at (count)); count++) {
        AUTO_ARENA struct arena arena = ARENA_INIT;
        struct oci_mount mount;
        read_words (&arena, word, &mount);
        assert_null (mount.data);
        for (size_t i = 0; i < count; i++)
            assert_string_not_equal (word, oci_mount_option_at (i));
    }
    assert_true (count > 60);
}

static void words_of_data_are_taken_out (void **state)
{
    static const struct {
        const char *data;
        const char *left;
    } cases[] = {
        {"gid=5", NULL},
        {"gid=5,mode=0620", "mode=0620"},
        {"mode=0620,gid=5", "mode=0620"},
        {"newinstance,gid=5,mode=0620", "newinstance,mode=0620"},
        {"newinstance,xgid=5", "newinstance,xgid=5"},
        {NULL, NULL},
    };
    AUTO_ARENA struct arena arena = ARENA_INIT;

    (void)state;
    for (size_t i = 0; i < sizeof (cases) / sizeof (*cases); i++) {
        struct oci_mount mount = {.data = cases[i].data};
        mount_options_drop (&arena, &mount, "gid=");
        if (cases[i].left)
            assert_string_equal (mount.data, cases[i].left);
        else
            assert_null (mount.data);
        assert_null (mount_options_find (&mount, "gid="));
    }
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (words_become_flags),
        cmocka_unit_test (unknown_words_are_data),
        cmocka_unit_test (words_of_data_are_taken_out),
        cmocka_unit_test (switches_are_set),
        cmocka_unit_test (mappings_are_read),
        cmocka_unit_test (propagation_keeps_its_order),
        cmocka_unit_test (every_listed_word_is_known),
    };

    return cmocka_run_group_tests (tests, NULL, NULL);
}
