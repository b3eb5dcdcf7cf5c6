#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# From a fresh Debian 12 (or a relative of it) to a running container: installs what the build needs,
# builds rt in build/, makes a bundle from Debian's static busybox, and runs it. Run it as root; it can
# be run again, and touches nothing outside this source tree but packages.
set -eu
top=$(cd "$(dirname "$0")/.." && pwd)
cd "$top"
build=$top/build
bundle=$build/bundle

step () { printf '\n\033[1m==> %s\033[0m\n' "$*"; }
show () { printf '    $ %s\n' "$*"; "$@"; }

[ "$(id -u)" -eq 0 ] || {
    echo "quickstart.sh: packages and a first container need root: sudo $0" >&2
    exit 1
}

step "Packages: a compiler, autotools, musl, yajl, libseccomp, libcap, and busybox for the container"
packages=(gcc make autoconf automake libc6-dev linux-libc-dev libyajl-dev libseccomp-dev libcap-dev
    musl-tools busybox-static)
missing=()
for package in "${packages[@]}"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q ' installed$' ||
        missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
    echo "    installed: ${missing[*]}"
else
    echo "    all there"
fi

step "Build, out of tree, in build/"
if [ ! -x configure ]; then
    echo "    \$ ./autogen.sh"
    ./autogen.sh 2>/dev/null
fi
mkdir -p "$build"
cd "$build"
[ -f Makefile ] || show "$top/configure" -q --with-musl
echo "    \$ make -j$(nproc)"
make -s -j"$(nproc)" >/dev/null
show ./rt --version

step "A bundle: a root file system and a config.json"
rm -rf "$bundle"
mkdir -p "$bundle"/rootfs/{bin,dev,etc,proc,root,sys,tmp}
cp "$(command -v busybox)" "$bundle/rootfs/bin/busybox"
chroot "$bundle/rootfs" /bin/busybox --install -s /bin
echo 'root:x:0:0:root:/root:/bin/sh' >"$bundle/rootfs/etc/passwd"
echo "    $(find "$bundle/rootfs/bin" | wc -l) programs in $bundle/rootfs"
show "$build/rt" spec --bundle "$bundle"

step "A container that tells where it is"
# The config.json of `rt spec` starts a shell on a terminal; hello.json is the same for a script.
cat >"$bundle/rootfs/bin/hello" <<'HELLO'
#!/bin/sh
echo "    hello from $(hostname): process $$ of $(ls -d /proc/[0-9]* | wc -l), $(id)"
HELLO
chmod +x "$bundle/rootfs/bin/hello"
sed -e 's/"terminal": true/"terminal": false/' -e 's/"sh"/"hello"/' \
    "$bundle/config.json" >"$bundle/hello.json"
show "$build/rt" run --bundle "$bundle" --config hello.json hello

step "Done. A shell in a container, whose config.json you can change:"
echo "    ./build/rt run ./build/bundle"
