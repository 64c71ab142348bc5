#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Mounts a store made for the purpose and reads it with plink2 and plink 1.9: `make demo`.
set -eu
build=$1
work=$(mktemp -d /tmp/vczfs-demo-XXXXXX)
mounted=
finish() {
    [ -z "$mounted" ] || "$build/vczfs" unmount "$work/mnt" || true
    rm -rf "$work"
}
trap finish EXIT INT TERM

say() {
    printf '\n$ %s\n' "$*"
    "$@"
}

echo "A VCF Zarr store of 2,504 samples and 5,000 variants, as bio2zarr writes them:"
"$build/tools/mkvcz" --samples 2504 --variants 5000 --missing 0.005 --seed 1 "$work/demo.vcz" \
    >"$work/mkvcz.log" 2>&1 || { cat "$work/mkvcz.log"; exit 1; }
mkdir "$work/mnt"
say "$build/vczfs" mount-plink --background "$work/demo.vcz" "$work/mnt"
mounted=yes
say ls -l "$work/mnt"

say plink2 --bfile "$work/mnt/demo" --freq --out "$work/plink2" >"$work/log" 2>&1 ||
    { cat "$work/log"; exit 1; }
printf '\n$ plink2 --bfile %s/mnt/demo --freq\n' "$work"
head -n 5 "$work/plink2.afreq"
plink1.9 --bfile "$work/mnt/demo" --freq --out "$work/plink1" >"$work/log" 2>&1 ||
    { cat "$work/log"; exit 1; }
printf '\n$ plink1.9 --bfile %s/mnt/demo --freq\n' "$work"
head -n 5 "$work/plink1.frq"

# A fresh mount, so that the kernel has nothing of it yet.
"$build/vczfs" unmount "$work/mnt"
"$build/vczfs" mount-plink --background "$work/demo.vcz" "$work/mnt"
begin=$(date +%s%N)
# wc would ask a file for its size, and read nothing.
# shellcheck disable=SC2002
bytes=$(cat "$work/mnt/demo.bed" | wc -c)
end=$(date +%s%N)

cat <<TXT

With a store of your own:

    $build/vczfs mount-plink --background cohort.vcz mnt
    plink2 --bfile mnt/cohort --freq
    $build/vczfs unmount mnt

TXT
printf 'Read demo.bed through a fresh mount: %d bytes in %d ms, %d MB/s.\n' \
    "$bytes" $(((end - begin) / 1000000)) $((bytes * 1000 / (end - begin + 1)))
