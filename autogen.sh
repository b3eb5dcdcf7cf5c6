#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes ./configure from a git checkout. What is made stays out of git.
set -eu
cd "$(dirname "$0")"
command -v autoreconf >/dev/null && command -v aclocal >/dev/null || {
    echo "autogen.sh: autoconf and automake are missing:" \
        "apt install autoconf automake / dnf install autoconf automake" >&2
    exit 1
}
exec autoreconf --install --warnings=all "$@"
