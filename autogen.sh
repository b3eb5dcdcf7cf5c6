#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes ./configure from a git checkout. What is made stays out of git.
set -eu
cd "$(dirname "$0")"
for tool in autoreconf aclocal; do
    command -v "$tool" >/dev/null && continue
    echo "autogen.sh: $tool not found:" \
        "apt install autoconf automake / dnf install autoconf automake" >&2
    exit 1
done
exec autoreconf --install --warnings=all "$@"
