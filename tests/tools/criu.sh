#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# A CRIU that knows the kernels of today, for hosts whose own release has none: that of the Debian
# release below, with the libraries it is linked to and their loader, in one folder and without a root
# of its own. It sees the host's files, mounts and programs as one that is installed does. Prints the
# program's path; what is made once stays as it is.
#
#   tests/tools/criu.sh DIR
#
# Asks the mirror that this machine's apt asks, with its proxy and Debian's keys, and leaves apt's own
# lists alone. Needs: apt, dpkg, the network when DIR is not there yet; no privileges.
set -u
# On Linux 6.18, Debian 12's own CRIU (3.17) cannot read the vDSO, and Debian 13's (4.1.1) dumps no
# socket of TCP or UDP. A release by its codename, which the mirror keeps when it becomes the stable one.
release=forky
top=$(cd "$(dirname "$0")/../.." && pwd)

# shellcheck source=contrib/debian_tree.sh
. "$top/contrib/debian_tree.sh"

failed () { # WHAT [LOG]
    [ $# -lt 2 ] || cat "$2" >&2
    echo "criu.sh: $1" >&2
    exit 1
}

# apt with lists, packages and a status of its own, in $work: it knows of no package that is installed.
apt () { # PROGRAM WORD...
    "$1" -o Dir::State="$work/state" -o Dir::State::status="$work/status" -o Dir::Cache="$work/cache" \
        -o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts=- \
        -o Dir::Etc::preferences=- -o Dir::Etc::preferencesparts=- -o Acquire::Languages=none \
        -o APT::Sandbox::User= "${@:2}"
}

packages () { # into $work/tree
    local list mirror package
    list=$(debian_sources)
    if [ -z "$list" ]; then # nothing has been asked of the mirror yet
        apt-get update -qq >"$work/log" 2>&1 || failed 'apt-get update failed' "$work/log"
        list=$(debian_sources)
    fi
    mirror=$(echo "$list" | sed -n 's/^deb \([^ ]*\) [a-z]* main$/\1/p' | head -n 1)
    [ -n "$mirror" ] || failed 'apt knows no mirror of Debian'

    mkdir -p "$work"/{state/lists,cache/archives}/partial "$work/tree"
    : >"$work/status"
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $release main" \
        >"$work/sources.list"
    apt apt-get update -q >"$work/log" 2>&1 || failed "no list of $release from $mirror" "$work/log"
    apt apt-get install -q -y --no-install-recommends --download-only criu >"$work/log" 2>&1 ||
        failed "no criu of $release from $mirror" "$work/log"
    for package in "$work"/cache/archives/*.deb; do
        dpkg-deb --extract "$package" "$work/tree" || failed "cannot unpack ${package##*/}"
    done
}

# The kernel would take the host's loader, whose libc may be too old: the program names its own.
launcher () { # TREE
    local loader
    loader=$(cd "$1" && echo usr/lib/*/ld-linux*.so.*)
    [ -e "$1/$loader" ] || failed "no loader in libc6 of $release"
    cat <<END
#!/bin/sh
# Beside the tree that tests/tools/criu.sh has unpacked. Works with any PATH; not by a link to it.
tree=\${0%/*}/tree
exec "\$tree/$loader" --library-path "\$tree/${loader%/*}" "\$tree/usr/sbin/criu" "\$@"
END
}

[ $# -eq 1 ] || failed 'usage: criu.sh DIR'
mkdir -p "$(dirname "$1")" || exit 1
folder=$(realpath -m "$1")
kept=$folder/made-by # nothing of another version of this file is taken
if ! cmp -s "$0" "$kept"; then
    work=$(mktemp -d "$folder.XXXXXX") || exit 1
    trap 'rm -rf "$work"' EXIT
    packages
    mkdir -p "$work/new/tree/usr/sbin" || exit 1
    mv "$work/tree/usr/sbin/criu" "$work/new/tree/usr/sbin/" &&
        mv "$work/tree/usr/lib" "$work/new/tree/usr/" || exit 1
    launcher "$work/new/tree" >"$work/new/criu" && chmod 755 "$work/new/criu" || exit 1
    "$work/new/criu" --version >"$work/log" 2>&1 || failed 'criu does not start' "$work/log"
    cp "$0" "$work/new/made-by" || exit 1
    if [ -e "$folder" ]; then
        mv -T "$folder" "$work/old" || exit 1
    fi
    mv -T "$work/new" "$folder" || exit 1
fi
echo "$folder/criu"
