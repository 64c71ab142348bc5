#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# guest.sh: boots a systemd of its own, for tests/e2e/test_systemd.py.
#
#   guest.sh boot PLACE SOURCE BUILD VECTORS      (root, in a mount namespace that nobody else uses)
#
# PLACE holds the directories root and cgroup, which are empty, and files, which is copied over the root.
# Nothing of the host is shared but /usr beneath an overlay and two directories, read-only: the guest has its own
# /, /etc, /tmp, /run, /var, /dev, network, process ids, and its own part of the cgroup tree. That is checked before
# systemd starts; in an earlier life, a guest that shared / had its systemd-tmpfiles empty the host's /tmp.
#
# Exit status 77: this machine cannot, and the last line says why.
set -eu

# What it takes to bring up services, sockets and mounts, and nothing that sets up a machine.
UNITS='basic.target sysinit.target sockets.target timers.target paths.target slices.target multi-user.target
    local-fs.target local-fs-pre.target remote-fs.target remote-fs-pre.target network.target
    network-online.target swap.target shutdown.target umount.target final.target poweroff.target
    systemd-poweroff.service systemd-journald.service systemd-journald.socket systemd-journald-dev-log.socket'

cannot() {
    echo "$1"
    exit 77
}

# mount, where refusal says something about the machine.
attach() {
    what=$1
    shift
    text=$(mount "$@" 2>&1) || cannot "$what cannot be mounted here: $(echo "$text" | head -n 1)"
}

make_usr() {
    mkdir -p "$root/.usr/upper/lib/systemd/system" "$root/.usr/upper/lib/systemd/system-generators" \
        "$root/.usr/work" "$root/usr"
    for hidden in system system-generators; do # of the host's units nothing shows through
        setfattr -n trusted.overlay.opaque -v y "$root/.usr/upper/lib/systemd/$hidden"
    done
    attach 'an overlay' -t overlay guest "$root/usr" \
        -o "lowerdir=/usr,upperdir=$root/.usr/upper,workdir=$root/.usr/work"
    for unit in $UNITS; do
        cp "/usr/lib/systemd/system/$unit" "$root/usr/lib/systemd/system/"
    done
    cp /usr/lib/systemd/system-generators/systemd-fstab-generator "$root/usr/lib/systemd/system-generators/"
    for dir in bin sbin lib lib32 lib64 libx32; do
        if [ -L "/$dir" ]; then
            cp -a "/$dir" "$root/$dir"
        elif [ -d "/$dir" ]; then
            cannot "/$dir is not in /usr here"
        fi
    done
}

# systemd mounts what it misses, and a devtmpfs is the host's own: every place that it looks at is mounted.
make_dev() {
    for dir in dev run run/lock dev/shm; do
        mkdir -p "$root/$dir"
        attach 'a tmpfs' -t tmpfs -o mode=755 guest "$root/$dir"
    done
    chmod 1777 "$root/dev/shm"
    mkdir "$root/dev/pts"
    attach 'devpts' -t devpts -o newinstance,ptmxmode=0666,mode=620 guest "$root/dev/pts"
    ln -s pts/ptmx "$root/dev/ptmx"
    ln -s /proc/self/fd "$root/dev/fd"
    while read -r name major minor; do
        mknod -m 666 "$root/dev/$name" c "$major" "$minor" || cannot "devices cannot be made here"
    done <<DEVICES
null 1 3
zero 1 5
full 1 7
random 1 8
urandom 1 9
tty 5 0
fuse 10 $((0x$(stat -c %T /dev/fuse)))
DEVICES
    if [ -c /dev/autofs ]; then
        mknod -m 600 "$root/dev/autofs" c 10 $((0x$(stat -c %T /dev/autofs)))
    fi
}

# A read-only view of a directory of the host.
show() {
    mkdir -p "$2"
    mount --bind "$1" "$2"
    mount -o remount,bind,ro "$2"
}

boot() {
    attach 'a tmpfs' -t tmpfs -o mode=755 guest "$root"
    mkdir -p "$root/etc" "$root/proc" "$root/sys" "$root/tmp" "$root/var/tmp" "$root/root" "$root/srv" "$root/.host"
    ln -s /run "$root/var/run"
    chmod 1777 "$root/tmp" "$root/var/tmp"
    make_usr
    make_dev
    show "$build" "$root/srv/build"
    show "$vectors" "$root/srv/vectors"
    make -s -C "$source" -o all "BUILD=$build" "DESTDIR=$root" install
    cp -a "$place/files/." "$root/"

    attach 'cgroup2' -t cgroup2 guest "$place/cgroup"
    cgroup=$place/cgroup$(sed -n 's/^0:://p' /proc/self/cgroup)/vczfs-guest-$$
    mkdir "$cgroup" 2>/dev/null || cannot 'a cgroup cannot be made here'
    # Whoever ends this shell ends the guest.
    (
        echo 0 >"$cgroup/cgroup.procs"
        exec setpriv --pdeathsig KILL unshare --mount --propagation private --cgroup --pid --ipc --uts --net \
            --fork --kill-child sh "$0" enter "$place" "$source" "$build" "$vectors"
    ) &
    status=0
    wait $! || status=$?
    find "$cgroup" -depth -type d -exec rmdir {} +
    exit $status
}

# Every mount is one that was made here, or cannot be written to.
check_isolation() {
    while read -r _ _ _ _ point options rest; do
        case "$options ${rest#*- }" in
        ro* | *' tmpfs guest '* | *' overlay guest '* | *' proc guest '* | *' sysfs guest '* | *' cgroup2 guest '* | \
            *' devpts guest '*) ;;
        *)
            echo "the guest would share $point with the host: $options $rest" >&2
            exit 1
            ;;
        esac
    done </proc/self/mountinfo
}

# In the new namespaces, as process 1.
enter() {
    cd "$root"
    pivot_root . .host
    cd /
    attach 'proc' -t proc guest /proc
    umount -l /.host
    for path in sys sysrq-trigger irq bus; do
        [ ! -e "/proc/$path" ] || show "/proc/$path" "/proc/$path"
    done
    attach 'sysfs' -t sysfs guest /sys
    mount -o remount,bind,ro /sys
    mount --bind /sys/devices/virtual/bdi /sys/devices/virtual/bdi # where a mount's read-ahead is set
    mount -o remount,bind,rw /sys/devices/virtual/bdi
    attach 'cgroup2' -t cgroup2 guest /sys/fs/cgroup
    check_isolation
    mount --make-rshared / # as systemd has it
    exec env -i container=vczfs-test PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin \
        setpriv --bounding-set -sys_time,-sys_module,-sys_rawio,-syslog,-wake_alarm,-mac_admin,-mac_override \
        /usr/lib/systemd/systemd --system --unit=guest.target
}

stage=$1 place=$2 source=$3 build=$4 vectors=$5
root=$place/root
"$stage"
