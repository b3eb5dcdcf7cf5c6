/* SPDX-License-Identifier: Apache-2.0 */
/*
 * default_config: see default_config.h.
 */
#include "default_config.h"

#include "base/json_write.h"
#include "oci-spec/state.h"

/* A list of words is one string: what follows a comma is the next word. */
static void put_words (struct json_writer *writer, const char *key, const char *words)
{
    json_open (writer, key, '[');
    while (*words != '\0') {
        size_t length = strcspn (words, ",");
        AUTO_TEXT struct text word = {0};
        text_add (&word, words, length);
        json_string (writer, NULL, word.bytes);
        words += length + (words[length] == ',');
    }
    json_close (writer, ']');
}

static void put_process (struct json_writer *writer)
{
    static const char capabilities[] = "CAP_AUDIT_WRITE,CAP_KILL,CAP_NET_BIND_SERVICE";
    json_open (writer, "process", '{');
    json_bool (writer, "terminal", true);
    json_open (writer, "user", '{');
    json_uint (writer, "uid", 0);
    json_uint (writer, "gid", 0);
    json_close (writer, '}');
    put_words (writer, "args", "sh");
    put_words (writer, "env",
               "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin,TERM=xterm");
    json_string (writer, "cwd", "/");
    json_open (writer, "capabilities", '{');
    put_words (writer, "bounding", capabilities);
    put_words (writer, "effective", capabilities);
    put_words (writer, "permitted", capabilities);
    json_close (writer, '}');
    json_open (writer, "rlimits", '[');
    json_open (writer, NULL, '{');
    json_string (writer, "type", "RLIMIT_NOFILE");
    json_uint (writer, "hard", 1024);
    json_uint (writer, "soft", 1024);
    json_close (writer, '}');
    json_close (writer, ']');
    json_bool (writer, "noNewPrivileges", true);
    json_close (writer, '}');
}

enum audience { FOR_BOTH, FOR_ROOT, FOR_ROOTLESS };

static const struct {
    enum audience audience;
    const char *destination, *type, *source, *options;
} mounts[] = {
    {FOR_BOTH, "/proc", "proc", "proc", "nosuid,noexec,nodev"},
    {FOR_BOTH, "/dev", "tmpfs", "tmpfs", "nosuid,strictatime,mode=755,size=65536k"},
    {FOR_ROOT, "/dev/pts", "devpts", "devpts",
     "nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5"},
    /* Group 5 has no number in a namespace with one group. */
    {FOR_ROOTLESS, "/dev/pts", "devpts", "devpts",
     "nosuid,noexec,newinstance,ptmxmode=0666,mode=0620"},
    {FOR_BOTH, "/dev/shm", "tmpfs", "shm", "nosuid,noexec,nodev,mode=1777,size=65536k"},
    {FOR_BOTH, "/dev/mqueue", "mqueue", "mqueue", "nosuid,noexec,nodev"},
    {FOR_ROOT, "/sys", "sysfs", "sysfs", "nosuid,noexec,nodev,ro"},
    /* sysfs belongs to the network namespace, which is the host's here. */
    {FOR_ROOTLESS, "/sys", "none", "/sys", "rbind,nosuid,noexec,nodev,ro"},
    {FOR_ROOT, "/sys/fs/cgroup", "cgroup", "cgroup", "nosuid,noexec,nodev,relatime,ro"},
};

static bool is_for (enum audience audience, bool rootless)
{
    return audience != (rootless ? FOR_ROOT : FOR_ROOTLESS);
}

static void put_mounts (struct json_writer *writer, bool rootless)
{
    json_open (writer, "mounts", '[');
    for (size_t i = 0; i < sizeof mounts / sizeof mounts[0]; i++) {
        if (!is_for (mounts[i].audience, rootless))
            continue;
        json_open (writer, NULL, '{');
        json_string (writer, "destination", mounts[i].destination);
        json_string (writer, "type", mounts[i].type);
        json_string (writer, "source", mounts[i].source);
        put_words (writer, "options", mounts[i].options);
        json_close (writer, '}');
    }
    json_close (writer, ']');
}

static void put_mapping (struct json_writer *writer, const char *key, unsigned int host_id)
{
    json_open (writer, key, '[');
    json_open (writer, NULL, '{');
    json_uint (writer, "containerID", 0);
    json_uint (writer, "hostID", host_id);
    json_uint (writer, "size", 1);
    json_close (writer, '}');
    json_close (writer, ']');
}

static const struct {
    enum audience audience;
    const char *type;
} namespaces[] = {
    {FOR_BOTH, "pid"},   {FOR_ROOT, "network"}, {FOR_BOTH, "ipc"},      {FOR_BOTH, "uts"},
    {FOR_BOTH, "mount"}, {FOR_BOTH, "cgroup"},  {FOR_ROOTLESS, "user"},
};

static void put_namespaces (struct json_writer *writer, bool rootless)
{
    json_open (writer, "namespaces", '[');
    for (size_t i = 0; i < sizeof namespaces / sizeof namespaces[0]; i++) {
        if (!is_for (namespaces[i].audience, rootless))
            continue;
        json_open (writer, NULL, '{');
        json_string (writer, "type", namespaces[i].type);
        json_close (writer, '}');
    }
    json_close (writer, ']');
}

static void put_no_devices (struct json_writer *writer)
{
    json_open (writer, "resources", '{');
    json_open (writer, "devices", '[');
    json_open (writer, NULL, '{');
    json_bool (writer, "allow", false);
    json_string (writer, "access", "rwm");
    json_close (writer, '}');
    json_close (writer, ']');
    json_close (writer, '}');
}

static void put_linux (struct json_writer *writer, const struct rootless_owner *owner)
{
    json_open (writer, "linux", '{');
    if (owner) {
        put_mapping (writer, "uidMappings", owner->uid);
        put_mapping (writer, "gidMappings", owner->gid);
    } else {
        put_no_devices (writer);
    }
    put_namespaces (writer, owner != NULL);
    /* What Docker and Podman hide: what tells of the host's hardware and kernel, or of what the
     * neighbours do (timers, interrupts, power: CVE-2020-8694). */
    put_words (
        writer, "maskedPaths",
        "/proc/acpi,/proc/asound,/proc/interrupts,/proc/kcore,/proc/keys,/proc/latency_stats,"
        "/proc/sched_debug,/proc/scsi,/proc/timer_list,/proc/timer_stats,/sys/dev/block,"
        "/sys/devices/virtual/powercap,/sys/firmware,/sys/fs/selinux");
    put_words (writer, "readonlyPaths",
               "/proc/bus,/proc/fs,/proc/irq,/proc/sys,/proc/sysrq-trigger");
    json_close (writer, '}');
}

void default_config_write (struct text *out, const struct rootless_owner *owner)
{
    struct json_writer writer = {.out = out, .pretty = true};
    json_open (&writer, NULL, '{');
    json_string (&writer, "ociVersion", OCI_VERSION);
    put_process (&writer);
    json_open (&writer, "root", '{');
    json_string (&writer, "path", "rootfs");
    json_bool (&writer, "readonly", true);
    json_close (&writer, '}');
    json_string (&writer, "hostname", "rt");
    put_mounts (&writer, owner != NULL);
    put_linux (&writer, owner);
    json_close (&writer, '}');
    text_putc (out, '\n');
}
