#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# units.sh NAME PROGRAM...: runs unit tests, one on each processor, and says which failed, the ten that took longest,
# and how long all of them took. The output of one that fails is shown whole. Exit status 1 if any failed.
# UNITS_UNDER: a command that runs them, such as an emulator with its options.
set -u
tier=$1
shift
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
begun=$(date +%s)

# "SECONDS STATUS PROGRAM" of each.
printf '%s\n' "$@" | xargs -P "$(nproc)" -I {} sh -c '
    log=$1/$(basename "$2").log begun=$(date +%s%N)
    ${UNITS_UNDER:-} "$2" >"$log" 2>&1
    status=$?
    took=$((($(date +%s%N) - begun) / 100000000))
    echo "$((took / 10)).$((took % 10)) $status $2"
' sh "$out" {} >"$out/ran"

while read -r _ status program; do
    if [ "$status" != 0 ]; then
        echo "== $program: exit status $status"
        cat "$out/$(basename "$program").log"
    fi
done <"$out/ran"
# One that left no line did not run to its end.
failed=$(($# - $(awk '$2 == 0' "$out/ran" | wc -l)))
echo "== $tier: the slowest of $#"
sort -rn "$out/ran" | head -n 10 | awk '{ printf "%8s s  %s\n", $1, $3 }'
echo "$tier: $(grep -hc '\[       OK \]' "$out"/*.log | awk '{ n += $1 } END { print n + 0 }') tests in $# programs, $(($(date +%s) - begun)) s"
echo "$(($# - failed)) passed, $failed failed"
[ "$failed" = 0 ]
