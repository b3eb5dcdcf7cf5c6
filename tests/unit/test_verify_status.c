/* SPDX-License-Identifier: Apache-2.0 */
/* verify_status: the kernel's word on a process against its document, without a process. */
#include "lifecycle/verify.h"

#include "document.h"

#include <sched.h>

#define ALL 0x1ffffffffffull /* CAP_CHECKPOINT_RESTORE is the last one */

#define TWO_CAPS "[\"CAP_CHOWN\",\"CAP_KILL\"]"
#define FIVE                                                                                       \
    "\"capabilities\":{\"bounding\":" TWO_CAPS ",\"effective\":" TWO_CAPS                          \
    ",\"permitted\":" TWO_CAPS ",\"inheritable\":" TWO_CAPS ",\"ambient\":" TWO_CAPS "}"

/* What is asked, and what the kernel says. Changed by the cases. */
struct scene {
    struct arena arena;
    size_t row; /* of the case's table, for what fails */
    struct verify verify;
    struct process_status status;
    struct verify_view view;
};

/* Of the document with this process section, exactly as the kernel would say it. `AUTO_ARENA` is
 * the caller's. */
static void set_scene (struct scene *scene, const char *process, const char *linux_)
{
    const struct oci_config *config = accept (&scene->arena, "", process, linux_);

    scene->verify = (struct verify){
        .may_look = true,
        .known_caps = ALL,
        .parent = {
            .known = true,
            .status = {
                .bounding = ALL, .permitted = ALL, .pid_levels = 1, .seccomp = 0, .filters = 0}}};
    verify_document (&scene->verify, config, config->process, config->linux.seccomp ? 1 : 0);
    scene->status = (struct process_status){.state = 'S', .pid_levels = 1};
    scene->view = (struct verify_view){.own_userns = true};
}

static void release (struct scene *scene)
{
    arena_release (&scene->arena);
}

#define AUTO_SCENE __attribute__ ((cleanup (release)))

static void expect (const struct scene *scene, const char *code, const char *pointer,
                    const char *words)
{
    struct error err = {0};
    int failed = verify_status (&scene->verify, &scene->status, &scene->view, &err);

    assert_int_equal (failed != 0, error_is_set (&err));
    if (!text_equal (err.code, code) || !text_equal (err.pointer, pointer) ||
        !strstr (err.text, words))
        fail_msg ("row %zu: %s at %s: %s", scene->row, err.code, err.pointer, err.text);
}

static void expect_right (const struct scene *scene)
{
    expect (scene, "", "", "");
}

#define USER "\"user\":{\"uid\":1000,\"gid\":50,\"additionalGids\":[4,7]}"

static void set_ids (struct process_ids *ids, uint32_t id)
{
    *ids = (struct process_ids){id, id, id, id};
}

static void ids_of_the_same_user_namespace (void **state)
{
    AUTO_SCENE struct scene scene = {.arena = ARENA_INIT};
    static const uint32_t groups[] = {7, 4, 7};
    uint32_t *uids[] = {&scene.status.uid.real, &scene.status.uid.effective,
                        &scene.status.uid.saved, &scene.status.uid.fs};
    uint32_t *gids[] = {&scene.status.gid.real, &scene.status.gid.effective,
                        &scene.status.gid.saved, &scene.status.gid.fs};

    (void)state;
    set_scene (&scene, USER, "");
    set_ids (&scene.status.uid, 1000);
    set_ids (&scene.status.gid, 50);
    scene.status.groups = groups;
    scene.status.group_count = 3;
    expect_right (&scene);
    for (size_t i = 0; i < 4; i++) {
        *uids[i] = 0;
        expect (&scene, "RT-VERIFY-UID", "/process/user/uid", "asked for is 1000");
        *uids[i] = 1000;
        *gids[i] = 0;
        expect (&scene, "RT-VERIFY-GID", "/process/user/gid", "asked for is 50");
        *gids[i] = 50;
    }
    expect_right (&scene);
}

static void ids_of_another_user_namespace (void **state)
{
    AUTO_SCENE struct scene scene = {.arena = ARENA_INIT};
    static const struct process_id_range ranges[] = {{0, 100000, 5}, {50, 200000, 10000}};
    static const uint32_t groups[] = {100004, 4};

    (void)state;
    set_scene (&scene, "\"user\":{\"uid\":1000,\"gid\":50,\"additionalGids\":[4]}", "");
    scene.view = (struct verify_view){.uid = {ranges, 2}, .gid = {ranges, 2}};
    set_ids (&scene.status.uid, 200950);
    set_ids (&scene.status.gid, 200000);
    scene.status.groups = groups;
    scene.status.group_count = 1;
    expect_right (&scene);
    /* What would be right of the parent's own namespace is wrong here. */
    scene.status.groups = groups + 1;
    expect (&scene, "RT-VERIFY-GROUPS", "/process/user/additionalGids", "4; asked for");
    set_ids (&scene.status.uid, 1000);
    expect (&scene, "RT-VERIFY-UID", "/process/user/uid",
            "asked for is 1000, which is 200950 here");
    scene.view.uid.count = 1;
    expect (&scene, "RT-VERIFY-UID", "/process/user/uid", "no user id 1000 that rt can see");
    scene.view.uid.count = 2;
    set_ids (&scene.status.uid, 200950);
    scene.view.gid.count = 0;
    expect (&scene, "RT-VERIFY-GID", "/process/user/gid", "no group id 50");
}

static void groups (void **state)
{
    static const uint32_t few[] = {4};
    static const uint32_t wrong[] = {4, 8};
    static const uint32_t more[] = {4, 7, 0};
    static const uint32_t both[] = {4, 7};
    static const struct {
        const char *process;
        enum verify_groups groups;
        bool denied;
        bool known;
        const uint32_t *has;
        size_t count;
        bool right;
    } table[] = {
        {USER, VERIFY_GROUPS_SET, false, true, both, 2, true},
        {USER, VERIFY_GROUPS_SET, false, true, few, 1, false},
        {USER, VERIFY_GROUPS_SET, false, true, wrong, 2, false},
        {USER, VERIFY_GROUPS_SET, false, true, more, 3, false},
        {USER, VERIFY_GROUPS_SET, false, true, NULL, 0, false},
        {USER, VERIFY_GROUPS_ANY, false, true, more, 3, true},
        /* the parent's own are 4 and 7 */
        {"", VERIFY_GROUPS_SET, false, true, NULL, 0, true},
        {"", VERIFY_GROUPS_SET, false, true, both, 2, false},
        {"", VERIFY_GROUPS_SET, true, true, both, 2, true},
        {"", VERIFY_GROUPS_SET, true, true, more, 3, false},
        {USER, VERIFY_GROUPS_SET, true, true, more, 3, false},
        {"\"user\":{\"uid\":0,\"gid\":0,\"additionalGids\":[4]}", VERIFY_GROUPS_SET, true, true,
         both, 2, false},
        {USER, VERIFY_GROUPS_CALLER, false, true, both, 2, true},
        {"", VERIFY_GROUPS_CALLER, false, true, few, 1, false},
        {"", VERIFY_GROUPS_CALLER, false, false, few, 1, true},
        {USER, VERIFY_GROUPS_SET, false, false, few, 1, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof (table) / sizeof (*table); i++) {
        AUTO_SCENE struct scene scene = {.arena = ARENA_INIT};
        set_scene (&scene, table[i].process, "");
        set_ids (&scene.status.uid, scene.verify.user->uid);
        set_ids (&scene.status.gid, scene.verify.user->gid);
        scene.verify.groups = table[i].groups;
        scene.verify.parent.known = table[i].known;
        scene.verify.parent.status.groups = both;
        scene.verify.parent.status.group_count = 2;
        scene.status.groups = table[i].has;
        scene.status.group_count = table[i].count;
        scene.view.setgroups_denied = table[i].denied;
        scene.row = i;
        if (table[i].right)
            expect_right (&scene);
        else
            expect (&scene, "RT-VERIFY-GROUPS", "/process/user/additionalGids", "groups");
    }
}

static void groups_that_are_many_are_cut_in_words (void **state)
{
    AUTO_SCENE struct scene scene = {.arena = ARENA_INIT};
    uint32_t many[1000];

    (void)state;
    for (uint32_t i = 0; i < 1000; i++)
        many[i] = 4000000000u + i;
    set_scene (&scene, "", "");
    scene.status.groups = many;
    scene.status.group_count = 1000;
    expect (&scene, "RT-VERIFY-GROUPS", "/process/user/additionalGids", "and 984 more; ");
}

/* Gives the process what the document of FIVE asks for. */
static void give_caps (struct scene *scene, uint64_t caps)
{
    scene->status.bounding = scene->status.effective = scene->status.permitted = caps;
    scene->status.inheritable = scene->status.ambient = caps;
}

#define TWO 0x21ull
#define MORE (TWO | 1ull << 21) /* CAP_SYS_ADMIN */
#define LESS 0x1ull

static void each_of_the_five_sets (void **state)
{
    AUTO_SCENE struct scene scene = {.arena = ARENA_INIT};
    const struct {
        const char *pointer;
        uint64_t *set;
    } table[] = {
        {"/process/capabilities/bounding", &scene.status.bounding},
        {"/process/capabilities/effective", &scene.status.effective},
        {"/process/capabilities/permitted", &scene.status.permitted},
        {"/process/capabilities/inheritable", &scene.status.inheritable},
        {"/process/capabilities/ambient", &scene.status.ambient},
    };

    (void)state;
    for (size_t i = 0; i < sizeof (table) / sizeof (*table); i++) {
        set_scene (&scene, FIVE, "");
        give_caps (&scene, TWO);
        expect_right (&scene);
        *table[i].set = MORE;
        expect (&scene, "RT-VERIFY-CAPS", table[i].pointer, "too many: CAP_SYS_ADMIN");
        *table[i].set = LESS;
        expect (&scene, "RT-VERIFY-CAPS", table[i].pointer, "missing: CAP_KILL");
        *table[i].set = 0;
        expect (&scene, "RT-VERIFY-CAPS", table[i].pointer, "missing: CAP_CHOWN CAP_KILL");
    }
}

/* Absent: none at all, in any set. */
static void no_capabilities (void **state)
{
    AUTO_SCENE struct scene scene = {.arena = ARENA_INIT};

    (void)state;
    set_scene (&scene, "", "");
    expect_right (&scene);
    scene.status.bounding = 1;
    expect (&scene, "RT-VERIFY-CAPS", "/process/capabilities/bounding", "CAP_CHOWN");
    scene.status.bounding = 0;
    scene.status.ambient = 1ull << 63;
    expect (&scene, "RT-VERIFY-CAPS", "/process/capabilities/ambient", "too many: 63");
}

static void what_the_kernel_or_the_parent_has_not (void **state)
{
    AUTO_SCENE struct scene scene = {.arena = ARENA_INIT};

    (void)state;
    set_scene (&scene, FIVE, "");
    scene.verify.known_caps = LESS;
    give_caps (&scene, LESS);
    expect_right (&scene);

    /* The parent's bounding set limits that of its children, in its own user namespace. */
    set_scene (&scene, FIVE, "");
    give_caps (&scene, TWO);
    scene.verify.parent.status.bounding = LESS;
    scene.status.bounding = LESS;
    expect_right (&scene);
    scene.status.bounding = TWO;
    expect (&scene, "RT-VERIFY-CAPS", "/process/capabilities/bounding", "too many: CAP_KILL");
    static const struct process_id_range root = {0, 0, 1};
    scene.view = (struct verify_view){.uid = {&root, 1}, .gid = {&root, 1}};
    expect_right (&scene);
    scene.status.bounding = LESS;
    expect (&scene, "RT-VERIFY-CAPS", "/process/capabilities/bounding", "missing: CAP_KILL");

    /* What the parent has not is not granted, in its own user namespace. */
    set_scene (&scene, FIVE, "");
    give_caps (&scene, LESS);
    scene.status.bounding = TWO;
    scene.verify.parent.status.permitted = LESS;
    expect_right (&scene);
    scene.status.permitted = TWO;
    expect (&scene, "RT-VERIFY-CAPS", "/process/capabilities/permitted", "too many: CAP_KILL");
    scene.view = (struct verify_view){.uid = {&root, 1}, .gid = {&root, 1}};
    scene.status.permitted = LESS;
    expect (&scene, "RT-VERIFY-CAPS", "/process/capabilities/effective", "missing: CAP_KILL");

    /* An unknown parent may have had less, but never gives more. */
    set_scene (&scene, FIVE, "");
    give_caps (&scene, LESS);
    scene.verify.parent.known = false;
    expect_right (&scene);
    scene.status.effective = MORE;
    expect (&scene, "RT-VERIFY-CAPS", "/process/capabilities/effective", "too many: CAP_KILL");
    give_caps (&scene, TWO);
    scene.status.bounding = LESS;
    expect_right (&scene);
    scene.status.bounding = MORE;
    expect (&scene, "RT-VERIFY-CAPS", "/process/capabilities/bounding", "too many: CAP_SYS_ADMIN");
}

static void ambient_ones_that_could_not_be_raised (void **state)
{
    AUTO_SCENE struct scene scene = {.arena = ARENA_INIT};

    (void)state;
    set_scene (&scene, "\"capabilities\":{\"permitted\":" TWO_CAPS ",\"ambient\":" TWO_CAPS "}",
               "");
    scene.status.permitted = TWO;
    expect_right (&scene);
    scene.status.ambient = LESS;
    expect (&scene, "RT-VERIFY-CAPS", "/process/capabilities/ambient", "too many: CAP_CHOWN");

    set_scene (&scene, FIVE, "");
    give_caps (&scene, TWO);
    scene.status.ambient = 0;
    scene.verify.parent.no_ambient = true;
    expect_right (&scene);
    scene.status.ambient = LESS;
    expect (&scene, "RT-VERIFY-CAPS", "/process/capabilities/ambient", "missing: CAP_KILL");
}

static void no_new_privs (void **state)
{
    static const struct {
        bool asked, known;
        int parent, has;
        bool right;
    } table[] = {
        {true, true, 0, 1, true},   {true, true, 0, 0, false},  {true, true, 1, 1, true},
        {true, true, 1, 0, false},  {false, true, 0, 0, true},  {false, true, 0, 1, false},
        {false, true, 1, 1, true},  {false, true, 1, 0, false}, {true, false, 0, 0, false},
        {false, false, 0, 1, true}, {false, false, 0, 0, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof (table) / sizeof (*table); i++) {
        AUTO_SCENE struct scene scene = {.arena = ARENA_INIT};
        set_scene (&scene, table[i].asked ? "\"noNewPrivileges\":true" : "", "");
        scene.verify.parent.known = table[i].known;
        scene.verify.parent.status.no_new_privs = table[i].parent;
        scene.status.no_new_privs = table[i].has;
        scene.row = i;
        if (table[i].right)
            expect_right (&scene);
        else
            expect (&scene, "RT-VERIFY-NNP", "/process/noNewPrivileges", "has no_new_privs");
    }
}

static void filters (void **state)
{
    static const struct {
        int asked;
        bool known;
        int parent_mode, parent, mode, has;
        bool right;
    } table[] = {
        {1, true, 0, 0, 2, 1, true},
        {1, true, 0, 0, 2, 2, false},
        {1, true, 0, 0, 0, 0, false},
        {1, true, 0, 0, 1, 0, false},
        {1, true, 2, 3, 2, 4, true},
        {1, true, 2, 3, 2, 3, false},
        {1, true, 2, 3, 2, 5, false},
        {0, true, 0, 0, 0, 0, true},
        {0, true, 0, 0, 2, 1, false},
        {0, true, 0, 0, 1, 0, false},
        {0, true, 2, 1, 2, 1, true},
        {0, true, 2, 1, 2, 2, false},
        {0, true, 2, 1, 0, 0, false},
        {-1, true, 0, 0, 2, 1, true},
        /* the kernel does not tell the number, or has no filters at all */
        {1, true, 0, -1, 2, -1, true},
        {1, true, 0, -1, 0, -1, false},
        {0, true, -1, -1, -1, -1, true},
        {1, true, -1, -1, -1, -1, false},
        {0, true, 2, -1, 2, -1, true},
        /* another parent, which may have been below some as well */
        {1, false, 0, 0, 2, 1, true},
        {1, false, 2, 5, 2, 2, true},
        {1, false, 0, 0, 0, 0, false},
        {1, false, 0, 0, 2, 0, false},
        {0, false, 0, 0, 2, 1, true},
        {0, false, 0, 0, 0, 0, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof (table) / sizeof (*table); i++) {
        AUTO_SCENE struct scene scene = {.arena = ARENA_INIT};
        set_scene (&scene, "", "");
        scene.verify.filters = table[i].asked;
        scene.verify.parent.known = table[i].known;
        scene.verify.parent.status.seccomp = table[i].parent_mode;
        scene.verify.parent.status.filters = table[i].parent;
        scene.status.seccomp = table[i].mode;
        scene.status.filters = table[i].has;
        scene.row = i;
        if (table[i].right)
            expect_right (&scene);
        else
            expect (&scene, "RT-VERIFY-SECCOMP", "/linux/seccomp", "must be");
    }
}

static void the_document_says_whether_there_is_a_filter (void **state)
{
    AUTO_SCENE struct scene scene = {.arena = ARENA_INIT};

    (void)state;
    set_scene (&scene, "", "\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ALLOW\"}");
    expect (&scene, "RT-VERIFY-SECCOMP", "/linux/seccomp", "has no filter, where 1 filter of");
}

static void pid_namespaces (void **state)
{
    static const struct {
        enum verify_is is;
        bool known;
        unsigned int parent, has;
        bool right;
    } table[] = {
        {VERIFY_OTHER, true, 1, 2, true},  {VERIFY_OTHER, true, 2, 4, true},
        {VERIFY_OTHER, true, 1, 1, false}, {VERIFY_OTHER, true, 2, 1, false},
        {VERIFY_OWN, true, 1, 1, true},    {VERIFY_OWN, true, 1, 2, false},
        {VERIFY_EXACT, true, 1, 2, true},  {VERIFY_EXACT, true, 1, 1, true},
        {VERIFY_ANY, true, 1, 2, true},    {VERIFY_OTHER, false, 1, 1, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof (table) / sizeof (*table); i++) {
        AUTO_SCENE struct scene scene = {.arena = ARENA_INIT};
        set_scene (&scene, "", "\"namespaces\":[{\"type\":\"mount\"},{\"type\":\"pid\"}]");
        verify_namespace (&scene.verify, CLONE_NEWPID)->is = table[i].is;
        scene.verify.parent.known = table[i].known;
        scene.verify.parent.status.pid_levels = table[i].parent;
        scene.status.pid_levels = table[i].has;
        scene.row = i;
        if (table[i].right)
            expect_right (&scene);
        else
            expect (&scene, "RT-VERIFY-NAMESPACE", "/linux/namespaces/1", "pid namespaces");
    }
}

/* Zeroed, it has no opinion. */
static void nothing_is_compared (void **state)
{
    static const uint32_t some[] = {1, 2};
    const struct verify verify = {.filters = -1};
    const struct verify_view view = {.own_userns = true};
    const struct process_status status = {.state = 'S',
                                          .uid = {1, 2, 3, 4},
                                          .groups = some,
                                          .group_count = 2,
                                          .pid_levels = 3,
                                          .effective = UINT64_MAX,
                                          .no_new_privs = 1,
                                          .seccomp = 1,
                                          .filters = 7};
    struct error err = {0};

    (void)state;
    assert_int_equal (verify_status (&verify, &status, &view, &err), 0);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (ids_of_the_same_user_namespace),
        cmocka_unit_test (ids_of_another_user_namespace),
        cmocka_unit_test (groups),
        cmocka_unit_test (groups_that_are_many_are_cut_in_words),
        cmocka_unit_test (each_of_the_five_sets),
        cmocka_unit_test (no_capabilities),
        cmocka_unit_test (what_the_kernel_or_the_parent_has_not),
        cmocka_unit_test (ambient_ones_that_could_not_be_raised),
        cmocka_unit_test (no_new_privs),
        cmocka_unit_test (filters),
        cmocka_unit_test (the_document_says_whether_there_is_a_filter),
        cmocka_unit_test (pid_namespaces),
        cmocka_unit_test (nothing_is_compared),
    };

    return cmocka_run_group_tests (tests, NULL, NULL);
}
