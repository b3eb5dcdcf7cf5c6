#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# rt for a machine of another architecture: Debian's cross compiler, and the static libraries of that
# architecture, which are taken out of their packages and not installed. What needs no kernel of that
# kind is run by qemu.
#
#   tests/cross.sh DIRECTORY [arm64|armhf|ppc64el|riscv64|s390x]
#
# rows: PKG-06
# Needs: gcc-TRIPLET, libc6-dev-ARCH-cross, qemu-user-static, and a mirror for apt.
set -euo pipefail
top=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "$1"
work=$(cd "$1" && pwd) arch=${2:-arm64}
declare -A triplets=([arm64]=aarch64-linux-gnu [armhf]=arm-linux-gnueabihf
    [ppc64el]=powerpc64le-linux-gnu [riscv64]=riscv64-linux-gnu [s390x]=s390x-linux-gnu)
triplet=${triplets[$arch]}

# An apt of that architecture alone: this machine's own stays as it is.
mkdir -p "$work"/{state/lists/partial,cache/archives/partial,debs,sysroot,build}
touch "$work/status"
export APT_CONFIG="$work/apt.conf"
cat >"$APT_CONFIG" <<END
APT::Architecture "$arch";
APT::Architectures { "$arch"; };
APT::Sandbox::User "root";
Dir::State "$work/state";
Dir::State::status "$work/status";
Dir::Cache "$work/cache";
END
apt-get update -qq
(cd "$work/debs" && apt-get download -qq libyajl-dev libseccomp-dev libcap-dev)
for deb in "$work"/debs/*.deb; do
    dpkg-deb -x "$deb" "$work/sysroot"
done
unset APT_CONFIG

cd "$work/build"
usr=$work/sysroot/usr
"$top/configure" -q --host="$triplet" --enable-werror CC="$triplet-gcc" \
    CPPFLAGS="-I$usr/include -I$usr/include/$triplet" LDFLAGS="-L$usr/lib/$triplet"
make -s -j"$(nproc)"
emulator=qemu-$("$triplet-gcc" -dumpmachine | sed 's/-.*//; s/^powerpc/ppc/')-static
"$emulator" ./rt --version
"$emulator" ./rt features | /usr/bin/python3 -c 'import json, sys
archs = json.load (sys.stdin)["linux"]["seccomp"]["archs"]
sys.exit (0 if len (archs) > 10 else "features: no architectures")'
(mkdir -p "$work/bundle" && cd "$work/bundle" && rm -f config.json && "$emulator" ../build/rt spec &&
    /usr/bin/python3 -m json.tool config.json >/dev/null)
echo "rt for $arch: built and run"
