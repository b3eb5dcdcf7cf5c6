/* SPDX-License-Identifier: Apache-2.0 */
/*
 * notify_socket: where the container's process says READY=1 (sd_notify(3)).
 *
 * A datagram socket in a tmpfs of its own at /run/notify, where runc has it, which holds nothing
 * else and is read-only. So no directory of the host is shown to the container, nothing of the
 * container is left on the host, and it is made alike in a user namespace and without privileges.
 * The host's own socket never comes near a container: who may write to it can have the service
 * manager watch, keep and believe what it wants.
 *
 * apply   inside, after the mounts, before the root file system becomes read-only. `label` is
 *         linux.mountLabel. Any user of the container may send (mode 0777). *socket is the
 *         receiving end, for lifecycle/notify.
 *
 * RT-NOTIFY-SOCKET otherwise.
 */
#ifndef RT_CONTAINER_NOTIFY_SOCKET_H
#define RT_CONTAINER_NOTIFY_SOCKET_H

#include "base/error.h"

#define NOTIFY_SOCKET_DIR "/run/notify"
#define NOTIFY_SOCKET_NAME "notify.sock"

int notify_socket_apply (int root, const char *label, int *socket, struct error *err);

#endif
