#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# setup.sh PLACE: brings what Debian lacks and users of vczfs have into a folder of its own, in pinned versions.
#
#   PLACE/venv/bin    bio2zarr (vcf2zarr), vcztools, vczstore, biofuse, zarr, icechunk, pgenlib, bed-reader, bgen
#   PLACE/go/bin      versitygw, an S3 server, and toxiproxy-server
#
# Does nothing that is done already. Where a registry cannot be reached, PLACE/NAME.missing says so for the tests to
# skip with, and that is no failure.
set -u
here=$(cd "$(dirname "$0")" && pwd)
place=$1
mkdir -p "$place"
place=$(cd "$place" && pwd)

GO_VERSION=go1.26.0
VERSITYGW=github.com/versity/versitygw/cmd/versitygw@v1.8.0
TOXIPROXY=github.com/Shopify/toxiproxy/v2/cmd/server@v2.5.0

# The newest of the pythons that are new enough; else Debian's own.
find_python() {
    for version in 3.13 3.12; do
        for python in "python$version" "$HOME/.pyenv/versions/$version".*"/bin/python$version"; do
            if "$python" -c 'import venv, ensurepip' 2>/dev/null; then
                echo "$python"
                return
            fi
        done
    done
    echo python3
}

# Runs a step unless its stamp, which names what it was made from, is there. step NAME STAMP COMMAND...
step() {
    name=$1 stamp=$2
    shift 2
    [ "$(cat "$place/$name.made" 2>/dev/null)" != "$stamp" ] || return 0
    echo "check-world: bringing $name"
    if "$@" >"$place/$name.log" 2>&1; then
        echo "$stamp" >"$place/$name.made"
        rm -f "$place/$name.missing"
    else
        # Where something of an earlier version is there it may not serve the tests of this one.
        tail -n 1 "$place/$name.log" >"$place/$name.missing"
        rm -f "$place/$name.made"
        echo "check-world: no $name: $(cat "$place/$name.missing")"
    fi
}

make_venv() {
    python=$(find_python)
    if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 12))'; then
        # The last icechunk for Python 3.11.
        sed 's/^icechunk==.*/icechunk==1.1.0/; s/^zarr==.*/zarr==3.1.5/' "$here/requirements.txt" >"$place/requirements.txt"
    else
        cp "$here/requirements.txt" "$place/requirements.txt"
    fi
    rm -rf "$place/venv" &&
        "$python" -m venv "$place/venv" &&
        "$place/venv/bin/pip" install --quiet --disable-pip-version-check -r "$place/requirements.txt"
}

# The machine's go if there is one (it brings a newer toolchain by itself where a module wants that); else one from
# the module proxy, where toolchains are modules like others.
find_go() {
    if command -v go >/dev/null; then
        command -v go
        return
    fi
    if [ ! -x "$place/toolchain/bin/go" ]; then
        python3 - "$GO_VERSION" "$place" <<'PYTHON' >&2 || return 1
import io, os, shutil, sys, urllib.request, zipfile
version, place = sys.argv[1:]
proxy = os.environ.get("GOPROXY", "https://proxy.golang.org").split(",")[0]
url = f"{proxy}/golang.org/toolchain/@v/v0.0.1-{version}.linux-amd64.zip"
archive = zipfile.ZipFile(io.BytesIO(urllib.request.urlopen(url, timeout=120).read()))
top = f"golang.org/toolchain@v0.0.1-{version}.linux-amd64/"
for member in archive.infolist():
    if ".." in member.filename.split("/"):
        sys.exit(f"{member.filename} leads out of its folder")
    target = os.path.join(place, "toolchain", member.filename[len(top):])
    os.makedirs(os.path.dirname(target), exist_ok=True)
    with archive.open(member) as source, open(target, "wb") as out:
        shutil.copyfileobj(source, out)
    os.chmod(target, 0o755)
PYTHON
    fi
    echo "$place/toolchain/bin/go"
}

make_go() {
    go=$(find_go) || return 1
    GOFLAGS=-modcacherw GOPATH=$place/go GOBIN=$place/go/bin CGO_ENABLED=0 "$go" install "$VERSITYGW" &&
        GOFLAGS=-modcacherw GOPATH=$place/go GOBIN=$place/go/bin CGO_ENABLED=0 "$go" install "$TOXIPROXY" &&
        mv "$place/go/bin/server" "$place/go/bin/toxiproxy-server"
}

step venv "$(cksum <"$here/requirements.txt")" make_venv
step go "$VERSITYGW $TOXIPROXY" make_go
exit 0
