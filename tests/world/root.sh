#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# root.sh SUITE PLACE SOURCE: builds vczfs and runs `make demo` in a bare Debian SUITE of its own, PLACE/SUITE, which
# is made once. Root only. Nothing but SOURCE's committed files gets in, and nothing gets out.
#
# Exit status 77: this machine cannot, and the last line says why.
set -eu

cannot() {
    echo "$1"
    exit 77
}

# In namespaces of its own, so that what is mounted in there ends with it.
if [ "${4-}" != inside ]; then
    [ "$(id -u)" = 0 ] || cannot 'a root of its own takes root'
    unshare --mount --pid --fork --kill-child true 2>/dev/null || cannot 'this machine lets nobody make namespaces'
    command -v debootstrap >/dev/null || cannot 'debootstrap is not installed'
    exec unshare --mount --propagation private --pid --fork --kill-child sh "$0" "$1" "$2" "$3" inside
fi

suite=$1 source=$3
root=$2/$suite
mirror=$(sed -n 's/^URIs: //p; s/^deb \(http[^ ]*\) .*/\1/p' /etc/apt/sources.list /etc/apt/sources.list.d/*.sources \
    /etc/apt/sources.list.d/*.list 2>/dev/null | grep -v security | head -n 1)
mirror=${mirror:-http://deb.debian.org/debian}

if [ ! -e "$root/made" ]; then
    rm -rf "$root"
    mkdir -p "$root"
    debootstrap --variant=minbase --include=make,ca-certificates "$suite" "$root" "$mirror" >"$root.log" 2>&1 ||
        cannot "no $suite from $mirror: $(tail -n 1 "$root.log")"
    rm -rf "$root"/var/cache/apt/archives/*.deb
    # debootstrap takes a mirror that stands still (its signature is checked, its date is not), and so does apt then.
    echo 'Acquire::Check-Valid-Until "false";' >"$root/etc/apt/apt.conf.d/stands-still"
    touch "$root/made"
fi

mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
rm -rf "$root/src"
mkdir "$root/src"
git -c safe.directory='*' -C "$source" archive HEAD | tar -x -C "$root/src"
inside() {
    chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root DEBIAN_FRONTEND=noninteractive sh -c "cd /src && $1"
}

# A mirror that goes away is no fault of the build; a package that it does not have is.
if ! inside 'make deps' >"$root.log" 2>&1; then
    gone=$(grep -E 'Failed to fetch|Unable to fetch|Could not (resolve|connect)|Temporary failure' "$root.log" | tail -n 1)
    [ -z "$gone" ] || cannot "the packages of $suite could not be installed: $gone"
    cat "$root.log"
    exit 1
fi
inside 'make -j"$(nproc)" && build/vczfs --version && make demo'
