#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# arm64.sh PLACE PACKAGE... -- TEST...: builds unit tests for arm64 with the libraries of these Debian packages, and runs
# them under qemu. The packages are unpacked in PLACE/root; nothing of them is installed, so neither root nor a second
# architecture of the machine's own dpkg is needed. Where the compiler, qemu or the packages cannot be had, it says why
# and skips (exit status 0). Exit status 1 if the build or a test fails.
set -eu
place=$1
shift
packages=
while [ "$1" != -- ]; do
    packages="$packages $1"
    shift
done
shift
root=$PWD/$place/root
log=$place/packages.log
mkdir -p "$place"

skip() {
    echo "check-arm64: skipped: $1"
    tail -n 2 "$log"
    exit 0
}

# An apt with a state of its own, for which no package is installed.
own_apt() {
    apt-get -qq -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o APT::Sandbox::User="$(id -un)" \
        -o Dir::State="$PWD/$place/apt" -o Dir::Cache="$PWD/$place/apt" -o Dir::State::status="$PWD/$place/apt/status" "$@"
}

# shellcheck disable=SC2086 # the packages are words
unpack() {
    rm -rf "$root" "$place/apt" "$place/made"
    mkdir -p "$root" "$place/apt/lists/partial" "$place/apt/archives/partial"
    : >"$place/apt/status"
    own_apt update || return 1
    own_apt install -y --no-install-recommends --download-only $packages || return 1
    for package in "$place"/apt/archives/*.deb; do
        dpkg-deb -x "$package" "$root" || return 1
    done
    rm -rf "$place/apt"
    echo "$packages" >"$place/made"
}

tools_are_there() {
    command -v aarch64-linux-gnu-gcc && command -v qemu-aarch64
}

if ! tools_are_there >"$log"; then
    make -s deps-arm64 >"$log" 2>&1 || skip 'gcc-aarch64-linux-gnu and qemu-user cannot be installed'
fi
if [ "$(cat "$place/made" 2>/dev/null)" != "$packages" ]; then
    unpack >"$log" 2>&1 || skip 'the packages for arm64 cannot be had'
fi

programs=
for test in "$@"; do
    programs="$programs $place/unit/test_$test"
done
# shellcheck disable=SC2086 # the programs are words
PKG_CONFIG_SYSROOT_DIR=$root PKG_CONFIG_LIBDIR=$root/usr/lib/aarch64-linux-gnu/pkgconfig:$root/usr/share/pkgconfig \
    make -s -j"$(nproc)" BUILD="$place" CC="aarch64-linux-gnu-gcc --sysroot=$root" AR=aarch64-linux-gnu-ar \
    OPT='-O2 -Werror' $programs
# shellcheck disable=SC2086
UNITS_UNDER="qemu-aarch64 -L $root" tests/tools/units.sh check-arm64 $programs
