/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keyring: a session keyring of the container's own, "_ses.ID", so that it finds none of the
 * caller's keys. exec finds it by its name and joins it.
 *
 * Any user of the host can have made a keyring of that name, and would own the container's keys.
 * One that belongs to another user, or that others have rights to, is left again: for "_ses.ID:1"
 * and so on, where exec looks too, and at last for one without a name; exec has one of its own
 * then.
 *
 * apply   inside, in the user namespace and with the container's root ids (LSM-13), before ids and
 *         capabilities are dropped and before a filter is loaded: profiles deny keyctl.
 *         selinux_label: the label for the new keyring, process.selinuxLabel; NULL or "" = none
 *         (LSM-10).
 *
 * A kernel without keyrings, or an outer profile that denies them, is a warning (LSM-12): nobody
 * asks for keyrings in config.json, and containers in containers depend on it. RT-KEYRING-JOIN,
 * RT-KEYRING-LABEL otherwise.
 */
#ifndef RT_CONTAINER_KEYRING_H
#define RT_CONTAINER_KEYRING_H

#include "base/error.h"

int keyring_apply (const char *id, const char *selinux_label, struct error *err);

#endif
