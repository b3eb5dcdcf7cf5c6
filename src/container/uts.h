/* SPDX-License-Identifier: Apache-2.0 */
/*
 * uts: hostname and domainname (config.md).
 *
 * apply   inside, in the container's own UTS namespace (that there is one was checked before: the
 *         host's name is not for us to change), with CAP_SYS_ADMIN in it. NULL = absent.
 *
 * RT-UTS-NAME at /hostname or /domainname.
 */
#ifndef RT_CONTAINER_UTS_H
#define RT_CONTAINER_UTS_H

#include "base/error.h"

int uts_apply (const char *hostname, const char *domainname, struct error *err);

#endif
