# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# debian_tree: root file systems of this machine's own Debian release, from the mirror, the keys and the
# proxy that this machine's apt is set up with. For scripts that source it; needs mmdebstrap and root.

debian_sources () { # what apt's own words call Debian's packages of this release
    local release
    # shellcheck source=/dev/null
    release=$(. /etc/os-release && echo "$VERSION_CODENAME")
    # shellcheck disable=SC2016 # apt's variables
    apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)|$(ORIGIN)' \
        'Created-By: Packages' 2>/dev/null |
        sed -n "s/^\\(deb [^ ]* ${release}[^ ]* [^|]*\\)|Debian\$/\\1/p" | sort -u
}

debian_settings () { # apt's proxy, dates and the like, without what it has by itself
    apt-config dump --format '%F "%v";%n' | grep -E '^Acquire::' |
        grep -vE '^Acquire::(IndexTargets|Changelogs|CompressionTypes|Languages|cdrom)|^[^ ]* "";$'
}

# debian_tree TARGET SETTINGS-FILE SOURCES PACKAGE...: a directory, or a tar where TARGET ends so. In a
# mount namespace of its own: what mmdebstrap mounts ends with it.
debian_tree () {
    local target=$1 settings=$2 sources=$3 format=directory
    shift 3
    [ "${target%.tar}" = "$target" ] || format=tar
    echo "$sources" | unshare --mount mmdebstrap --quiet --mode=root --format="$format" \
        --variant=minbase --include="$(IFS=,; echo "$*")" --aptopt="$settings" '' "$target" -
}
