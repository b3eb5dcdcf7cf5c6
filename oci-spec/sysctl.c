/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sysctl: see sysctl.h; and the rule that a container may only set what is its own. The kernel
 * keeps no list of what belongs to a namespace, so it is kept here.
 */
#include "oci-spec/sysctl.h"

#include "base/text.h"
#include "oci-spec/check.h"

#include <sched.h>
#include <string.h>

static bool is_step (const char *step, size_t length)
{
    if (length == 0 || (length == 1 && step[0] == '.') ||
        (length == 2 && step[0] == '.' && step[1] == '.'))
        return false;
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)step[i] <= ' ' || step[i] == 0x7f)
            return false;
    return true;
}

bool oci_sysctl_path (const char *name, char path[SYSCTL_PATH_SIZE])
{
    size_t length = strnlen (name, SYSCTL_PATH_SIZE);
    bool dotted = name[strcspn (name, "./")] == '.';

    if (length == SYSCTL_PATH_SIZE)
        return false;
    for (size_t i = 0; i <= length; i++)
        path[i] = !dotted ? name[i] : name[i] == '.' ? '/' : name[i] == '/' ? '.' : name[i];
    for (const char *step = path;; step++) {
        size_t end = strcspn (step, "/");
        if (!is_step (step, end))
            return false;
        step += end;
        if (*step == '\0')
            return true;
    }
}

/* What a namespace owns: a file, or with a '/' at the end all below a directory. */
static const struct {
    const char *path;
    int namespace;
} owned[] = {
    {"kernel/msgmax", CLONE_NEWIPC}, {"kernel/msgmnb", CLONE_NEWIPC},
    {"kernel/msgmni", CLONE_NEWIPC}, {"kernel/sem", CLONE_NEWIPC},
    {"kernel/shmall", CLONE_NEWIPC}, {"kernel/shmmax", CLONE_NEWIPC},
    {"kernel/shmmni", CLONE_NEWIPC}, {"kernel/shm_rmid_forced", CLONE_NEWIPC},
    {"fs/mqueue/", CLONE_NEWIPC},    {"net/", CLONE_NEWNET},
    {"user/", CLONE_NEWUSER},        {"kernel/domainname", CLONE_NEWUTS},
};

static int owner_of (const char *path)
{
    for (size_t i = 0; i < sizeof (owned) / sizeof (*owned); i++) {
        size_t length = strlen (owned[i].path);
        if (owned[i].path[length - 1] == '/' ? text_starts_with (path, owned[i].path)
                                             : text_equal (path, owned[i].path))
            return owned[i].namespace;
    }
    return 0;
}

static void check_one (const struct check *check, const struct oci_config *config,
                       const struct oci_pair *sysctl)
{
    const char *pointer = check_pointer (check, "/linux/sysctl/%s", check_key (check, sysctl->key));
    char path[SYSCTL_PATH_SIZE];
    int owner;

    if (!oci_sysctl_path (sysctl->key, path)) {
        check_fail (check, pointer, "sysctl \"%.100s\" is not a valid name", sysctl->key);
        return;
    }
    if (strchr (sysctl->value, '\n'))
        check_fail (check, pointer, "the value must be one line");
    if (text_equal (path, "kernel/hostname")) {
        check_fail (check, pointer, "sysctl \"%s\" is not allowed, use the property hostname",
                    sysctl->key);
        return;
    }
    owner = owner_of (path);
    if (owner == 0)
        check_fail (check, pointer, "sysctl \"%s\" is not in a separate kernel namespace",
                    sysctl->key);
    else if (!oci_config_namespace (config, owner))
        check_fail (check, pointer,
                    "sysctl \"%s\" is not in a separate kernel namespace: it needs a namespace of "
                    "type \"%s\"",
                    sysctl->key, oci_names_of (&oci_namespaces, (uint64_t)owner));
    else if (owner == CLONE_NEWUTS && config->domainname &&
             !text_equal (config->domainname, sysctl->value))
        check_fail (check, pointer, "sysctl \"%s\" contradicts the property domainname",
                    sysctl->key);
}

void check_sysctl (const struct check *check, const void *section)
{
    const struct oci_config *config = section;

    for (size_t i = 0; i < config->linux.sysctl.count; i++)
        check_one (check, config, &config->linux.sysctl.items[i]);
}
