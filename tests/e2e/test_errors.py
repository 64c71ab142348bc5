# SPDX-License-Identifier: Apache-2.0
"""What goes wrong is said before the mount, in words, with exit status 1 (or 2 for the command line)."""

import concurrent.futures
import errno
import json
import os
import pathlib
import shutil
import stat
import subprocess
import time

import pytest

import helpers
import plink_tools
import stores

ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
NOBODY, SOMEBODY_ELSE = 65534, 65533


def as_user(uid):
    return ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"]


@pytest.fixture
def broken(scratch):
    """A copy of the biallelic store that the test may damage."""
    return helpers.copy_store("biallelic.vcz", scratch)


def assert_says(done, *words, status=1):
    """It failed, and the message holds all these words."""
    assert done.returncode == status, done.stderr
    assert done.stdout == ""
    for word in words:
        assert word.lower() in done.stderr.lower(), f"'{word}' is not in: {done.stderr}"


# --- the store -------------------------------------------------------------------------------------------


def test_no_such_store(refused):
    assert_says(refused("/nonexistent/sample.vcz"), "/nonexistent/sample.vcz")


def test_prefix_of_a_plink_fileset(scratch, refused):
    (scratch / "cohort.bed").touch()
    assert_says(refused(scratch / "cohort"), f"no such store: {scratch}/cohort; there is {scratch}/cohort.bed", "plink2zarr")


def test_empty_directory(scratch, refused):
    (scratch / "empty.vcz").mkdir()
    assert_says(refused(scratch / "empty.vcz"), "empty.vcz")


def test_plain_file(scratch, refused):
    (scratch / "file.vcz").write_text("not a store")
    assert_says(refused(scratch / "file.vcz"), "file.vcz")


def test_vcf_given_instead_of_a_store(refused):
    assert_says(refused(helpers.vcf("small.vcf")), "small.vcf")


def test_zarr_group_that_is_no_vcz(broken, refused):
    for path in broken.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
    (broken / ".zattrs").write_text("{}")
    assert_says(refused(broken), "biallelic.vcz")


def test_array_instead_of_a_group(refused):
    assert_says(refused(helpers.store("biallelic.vcz") / "call_genotype"), "call_genotype")


def test_unreadable_store(broken, refused):
    if os.geteuid() == 0:
        pytest.skip("root reads everything")
    (broken / "sample_id" / ".zarray").chmod(0)
    assert_says(refused(broken), "sample_id")


def test_no_genotypes(broken, refused):
    shutil.rmtree(broken / "call_genotype")
    assert_says(refused(broken), "call_genotype")


@pytest.mark.parametrize("array", ["sample_id", "contig_id", "variant_contig", "variant_position", "variant_allele"])
def test_required_array_is_missing(array, broken, refused):
    shutil.rmtree(broken / array)
    assert_says(refused(broken), array)


@pytest.mark.parametrize("ploidy", [3, 4, 0])
def test_ploidy_that_plink_cannot_hold(ploidy, broken, refused):
    stores.edit_zarray(broken / "call_genotype", shape=[257, 41, ploidy], chunks=[50, 8, max(ploidy, 1)])
    assert_says(refused(broken), "ploidy")


@pytest.mark.parametrize("blank", [" ", "\t", "\n"])
def test_white_space_in_a_sample_id(blank, broken, refused):
    names = [f"S{i:02}" for i in range(41)]
    names[17] = f"S{blank}17"
    stores.write_strings(broken / "sample_id", names)
    assert_says(refused(broken), "sample", "white", "17")


def test_multiallelic_sites(refused):
    """How many, the first one, and both cures."""
    records = [line.split("\t") for line in helpers.vcf("small.vcf").read_text().splitlines() if line[0] != "#"]
    sites = [record for record in records if "," in record[4]]
    done = refused(helpers.store("small.vcz"))
    assert_says(done, str(len(sites)), sites[0][0], sites[0][1], "--max-alleles 2", "bcftools norm -m-")


def test_multiallelic_sites_that_are_left_out_are_no_error(mount):
    with mount(helpers.store("small.vcz"), "--max-alleles", "2") as m:
        assert m.read(".bed") == helpers.expected("small-opt00", ".bed")


# --- hostile metadata ------------------------------------------------------------------------------------

GENOTYPE_METADATA = {
    "not JSON": lambda meta: "{ not json",
    "empty": lambda meta: "",
    "a list": lambda meta: [],
    "deeply nested": lambda meta: "[" * 100000,
    "no shape": lambda meta: {k: v for k, v in meta.items() if k != "shape"},
    "no dtype": lambda meta: {k: v for k, v in meta.items() if k != "dtype"},
    "negative shape": lambda meta: {**meta, "shape": [-1, 41, 2]},
    "shape of one axis": lambda meta: {**meta, "shape": [257]},
    "shape of a hundred axes": lambda meta: {**meta, "shape": [1] * 100, "chunks": [1] * 100},
    "more variants than positions": lambda meta: {**meta, "shape": [258, 41, 2]},
    "fewer variants than positions": lambda meta: {**meta, "shape": [256, 41, 2]},
    "more samples than IDs": lambda meta: {**meta, "shape": [257, 42, 2]},
    "huge shape": lambda meta: {**meta, "shape": [1 << 62, 1 << 62, 2]},
    "shape past 64 bits": lambda meta: {**meta, "shape": [1 << 70, 41, 2]},
    "shape of strings": lambda meta: {**meta, "shape": ["257", "41", "2"]},
    "chunks of 0": lambda meta: {**meta, "chunks": [0, 8, 2]},
    "negative chunks": lambda meta: {**meta, "chunks": [-50, 8, 2]},
    "huge chunks": lambda meta: {**meta, "chunks": [1 << 40, 1 << 40, 2]},
    "too few chunks": lambda meta: {**meta, "chunks": [50, 8]},
    "float calls": lambda meta: {**meta, "dtype": "<f4"},
    "string calls": lambda meta: {**meta, "dtype": "|O"},
    "unknown dtype": lambda meta: {**meta, "dtype": "|q3"},
    "unknown compressor": lambda meta: {**meta, "compressor": {"id": "nope"}},
    "unknown filter": lambda meta: {**meta, "filters": [{"id": "nope"}]},
    "unknown order": lambda meta: {**meta, "order": "Z"},
    "unknown version": lambda meta: {**meta, "zarr_format": 9},
}


@pytest.mark.parametrize("damage", GENOTYPE_METADATA)
def test_genotype_metadata(damage, broken, refused):
    array = broken / "call_genotype"
    changed = GENOTYPE_METADATA[damage](stores.read_zarray(array))
    (array / ".zarray").write_text(changed if isinstance(changed, str) else json.dumps(changed))
    assert_says(refused(broken), "call_genotype")


def test_metadata_that_is_a_fifo_does_not_hang(broken, refused):
    path = broken / "variant_position" / ".zarray"
    path.unlink()
    os.mkfifo(path)
    assert_says(refused(broken), "variant_position")


def test_metadata_that_is_a_directory(broken, refused):
    path = broken / "variant_position" / ".zarray"
    path.unlink()
    path.mkdir()
    assert_says(refused(broken), "variant_position")


@pytest.mark.parametrize(
    "array, chunk, spoiler",
    [
        *(("variant_allele", "3.0", spoiler) for spoiler in stores.SPOILERS),
        *(("variant_position", "2", spoiler) for spoiler in stores.SPOILERS_OF_STORED),
        *(("sample_id", "1", spoiler) for spoiler in stores.SPOILERS_OF_STORED),
    ],
)
def test_spoilt_chunk_that_the_sidecars_need(array, chunk, spoiler, broken, refused):
    """`.bim` and `.fam` are made at mount, so this is an error at mount."""
    path = broken / array / chunk
    stores.SPOILERS[spoiler](path)
    assert_says(refused(broken), array, chunk)


@pytest.mark.parametrize("contig", [-1, 99, 127])
def test_contig_index_out_of_range(contig, broken, refused):
    stores.write_ints(broken / "variant_contig", [0] * 256 + [contig])
    assert_says(refused(broken), "variant_contig")


@pytest.mark.parametrize("name", [b"a\0b", b"\xff\xfe", b"a\tb", b"a\nb", b""])
def test_contig_names_that_would_break_the_bim(name, broken, refused):
    stores.write_strings(broken / "contig_id", [name, b"2", b"3", b"4", b"5"])
    stores.write_ints(broken / "variant_contig", [0] * 257)
    assert_says(refused(broken), "contig")


def test_vlen_strings_longer_than_their_chunk(broken, refused):
    stores.write_strings(broken / "sample_id", [f"S{i}" for i in range(41)])
    stores.overwrite(broken / "sample_id" / "0", 4, b"\xff\xff\xff\x7f")
    assert_says(refused(broken), "sample_id")


# --- genotype chunks that are only met while reading -----------------------------------------------------

BAD_ROWS = range(400, 500)  # of chunk 4.x.0


@pytest.fixture
def large(generated, scratch):
    """(copy of a store whose chunks each span several pages, its right .bed)."""
    options = "--samples 2503 --variants 900 --chunk-variants 100 --chunk-samples 501 --density dense --seed 4"
    store, vcf = generated(*options.split())
    due, _, _ = plink_tools.make_bed(vcf, scratch / "oracle")
    return pathlib.Path(shutil.copytree(store, scratch / "large.vcz")), due


def page_outcomes(path, due):
    """For each page of the file: True if right, its errno if not. Wrong bytes are never acceptable."""
    outcomes = []
    with helpers.open_fd(path) as fd:
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_RANDOM)
        for at in range(0, len(due), 4096):
            try:
                assert os.pread(fd, 4096, at) == due[at : at + 4096], f"wrong bytes at {at}"
                outcomes.append(True)
            except OSError as error:
                outcomes.append(error.errno)
    return outcomes


def due_outcomes(due, nsamples=2503):
    row = (nsamples + 3) // 4
    bad = range(3 + BAD_ROWS.start * row, 3 + BAD_ROWS.stop * row)
    return [
        errno.EIO if at < bad.stop and at + 4096 > bad.start else True for at in range(0, len(due), 4096)
    ]


SPECIAL_FILES = {
    "a directory": os.mkdir,
    "a FIFO": os.mkfifo,
    "a link that leads out": lambda path: path.symlink_to("/etc/passwd"),
    "a link to itself": lambda path: path.symlink_to(path.name),
}


@pytest.mark.parametrize("spoiler", [*stores.SPOILERS, *SPECIAL_FILES])
def test_spoilt_genotype_chunk(spoiler, large, mount):
    """EIO for the pages that need it, the right bytes for all others, and a log that names it."""
    store, due = large
    chunk = store / "call_genotype" / "4.2.0"
    if spoiler in stores.SPOILERS:
        stores.SPOILERS[spoiler](chunk)
    else:
        chunk.unlink()
        SPECIAL_FILES[spoiler](chunk)
    with mount(store) as m:
        encoder = m.encoder()
        outcomes = page_outcomes(m.path(".bed"), due)
        assert outcomes == due_outcomes(due)
        assert m.encoder() == encoder, "bad data is no reason for the encoder to die"
        assert "call_genotype" in m.log() and "4.2.0" in m.log()


def test_absent_genotype_chunk_is_its_fill_value(large, mount):
    """Not an error: Zarr says so. v2's null reads as 0, homozygous for REF."""
    store, due = large
    for sample_chunk in range(5):
        (store / "call_genotype" / f"4.{sample_chunk}.0").unlink()
    row = (2503 + 3) // 4
    hom_ref = b"\xff" * (row - 1) + b"\x3f"  # 2503 = 4 × 625 + 3
    start, end = 3 + BAD_ROWS.start * row, 3 + BAD_ROWS.stop * row
    with mount(store) as m:
        assert m.read(".bed") == due[:start] + hom_ref * len(BAD_ROWS) + due[end:]


def test_call_of_an_allele_that_the_site_has_not(broken, mount):
    """Allele 5 in a biallelic site: what a .bed cannot say is not served."""
    stores.remove_chunks(broken / "call_genotype")
    stores.edit_zarray(broken / "call_genotype", chunks=[257, 41, 2], compressor=None)
    (broken / "call_genotype" / "0.0.0").write_bytes(b"\0" * (257 * 41 * 2 - 1) + b"\5")
    with mount(broken) as m:
        assert helpers.read_errno(m.path(".bed"), 0) == errno.EIO
        assert "call_genotype" in m.log() or "variant" in m.log()


# --- the mount point -------------------------------------------------------------------------------------


def test_mount_point_missing(scratch, refused):
    done = refused(helpers.store("biallelic.vcz"), directory=scratch / "nothing")
    assert_says(done, str(scratch / "nothing"))
    assert not (scratch / "nothing").exists()


def test_mount_point_is_a_file(scratch, refused):
    (scratch / "file").write_text("mine")
    assert_says(refused(helpers.store("biallelic.vcz"), directory=scratch / "file"), str(scratch / "file"))
    assert (scratch / "file").read_text() == "mine"


def test_mount_point_not_empty(scratch, refused):
    (scratch / "full").mkdir()
    (scratch / "full" / "thesis.tex").write_text("mine")
    assert_says(refused(helpers.store("biallelic.vcz"), directory=scratch / "full"), "empty")


def test_mount_point_in_use(mount):
    """The first mount goes on as if nothing had happened."""
    with mount(helpers.store("biallelic.vcz")) as m:
        done = helpers.run("mount-plink", helpers.store("small.vcz"), "-M", "2", m.dir)
        assert_says(done, str(m.dir))
        assert m.read(".bed") == helpers.expected("biallelic_vcz-plink", ".bed")


# --- the command line ------------------------------------------------------------------------------------

WRONG_LINES = {
    "nothing": [],
    "unknown verb": ["mount-vcf", "a", "b"],
    "unknown option": ["mount-plink", "--no-such-option", "STORE", "DIR"],
    "unknown short option": ["mount-plink", "-q", "STORE", "DIR"],
    "no directory": ["mount-plink", "STORE"],
    "too many operands": ["mount-plink", "STORE", "DIR", "third"],
    "empty store": ["mount-plink", "", "DIR"],
    "memory in words": ["mount-plink", "--memory", "lots", "STORE", "DIR"],
    "memory below the least": ["mount-plink", "--memory", "4K", "STORE", "DIR"],
    "negative memory": ["mount-plink", "--memory", "-1", "STORE", "DIR"],
    "memory past 64 bits": ["mount-plink", "--memory", "99999999999999999999G", "STORE", "DIR"],
    "no threads": ["mount-plink", "--threads", "0", "STORE", "DIR"],
    "too many threads": ["mount-plink", "--threads", "100000", "STORE", "DIR"],
    "no time to read": ["mount-plink", "--read-timeout", "0", "STORE", "DIR"],
    "time in words": ["mount-plink", "--read-timeout", "soon", "STORE", "DIR"],
    "unknown level": ["mount-plink", "--log-level", "loud", "STORE", "DIR"],
    "base name with a slash": ["mount-plink", "--basename", "a/b", "STORE", "DIR"],
    "empty base name": ["mount-plink", "--basename", "", "STORE", "DIR"],
    "base name of dots": ["mount-plink", "--basename", "..", "STORE", "DIR"],
    "alleles in words": ["mount-plink", "-M", "two", "STORE", "DIR"],
    "option without its value": ["mount-plink", "STORE", "DIR", "--memory"],
    "two encoders": ["mount-plink", "--encoder", "/x", "--encoder-socket", "/y", "STORE", "DIR"],
    "unmount without a directory": ["unmount"],
    "info without a store": ["info"],
}


@pytest.mark.parametrize("line", WRONG_LINES)
def test_wrong_command_line(line, scratch):
    (scratch / "mnt").mkdir()
    words = {"STORE": helpers.store("biallelic.vcz"), "DIR": scratch / "mnt"}
    done = helpers.run(*(words.get(word, word) for word in WRONG_LINES[line]))
    assert_says(done, "vczfs", status=2)
    assert not helpers.is_mounted(scratch / "mnt")


# --- the machine -----------------------------------------------------------------------------------------


def test_encoder_missing(refused):
    assert_says(refused(helpers.store("biallelic.vcz"), "--encoder", "/nope/encoder"), "/nope/encoder")


def test_encoder_that_is_not_a_program(scratch, refused):
    (scratch / "text").write_text("hello")
    assert_says(refused(helpers.store("biallelic.vcz"), "--encoder", scratch / "text"), "encoder")


@pytest.mark.parametrize("program", ["/bin/true", "/bin/false", "/bin/cat"])
def test_encoder_that_is_another_program(program, refused):
    assert_says(refused(helpers.store("biallelic.vcz"), "--encoder", program), "encoder")


OPEN_FILES_LEAST = 64  # common/open_files.h


def test_too_few_open_files(scratch):
    """Refused with the number that is needed, not mounted to fail in most reads."""
    (scratch / "mnt").mkdir()
    for limit in 16, 31, 36, 40, OPEN_FILES_LEAST - 1:
        for line in ("mount", helpers.store("biallelic.vcz"), scratch / "mnt"), ("info", helpers.store("biallelic.vcz")):
            done = subprocess.run(
                ["prlimit", f"--nofile={limit}", helpers.VCZFS, *line],
                capture_output=True,
                text=True,
                timeout=30 * helpers.SLOW,
                check=False,
            )
            assert_says(done, f"{limit} open files", f"{OPEN_FILES_LEAST} are needed", "ulimit -n")


@pytest.mark.parametrize("limit", [f"{OPEN_FILES_LEAST}", "100", f"16:{OPEN_FILES_LEAST}", "8:4096"])
def test_as_few_open_files_as_are_allowed(limit, large, mount):
    """With them all readers of all files are served, by fewer threads if need be; a soft limit is raised."""
    with mount(large[0], verb="mount") as m:
        due = {path.name: path.read_bytes() for path in m.dir.iterdir()}
    with mount(large[0], "--threads", 16, verb="mount", prefix=["prlimit", f"--nofile={limit}"]) as m:
        paths = sorted(m.dir.iterdir()) * 6
        with concurrent.futures.ThreadPoolExecutor(len(paths)) as pool:
            for path, got in zip(paths, pool.map(pathlib.Path.read_bytes, paths)):
                assert got == due[path.name]


def test_access_log_that_cannot_be_written(refused):
    assert_says(refused(helpers.store("biallelic.vcz"), "--access-log", "/nonexistent/log"), "/nonexistent/log")


def test_log_file_that_cannot_be_written(refused):
    assert_says(refused(helpers.store("biallelic.vcz"), "--log-file", "/nonexistent/log"), "/nonexistent/log")


@pytest.mark.parametrize("option", ["--log-file", "--access-log"])
def test_log_to_a_pipe_without_a_reader(option, refused, scratch):
    """Not waited for: whoever started us would wait, too, and not know what for."""
    os.mkfifo(scratch / "pipe")
    start = time.monotonic()
    assert_says(refused(helpers.store("biallelic.vcz"), option, scratch / "pipe"), str(scratch / "pipe"))
    assert time.monotonic() - start < 5 * helpers.SLOW


def in_own_namespace(script, *args):
    """Runs a shell script in a mount namespace of its own (root only)."""
    return subprocess.run(
        ["unshare", "--mount", "--propagation", "private", "sh", "-ec", script, "sh", *map(str, args)],
        capture_output=True,
        text=True,
        timeout=30 * helpers.SLOW,
        env=helpers.test_environment(),
    )


@ROOT_ONLY
def test_no_dev_fuse(scratch):
    (scratch / "mnt").mkdir()
    done = in_own_namespace(
        'mount -t tmpfs none /dev; mknod /dev/null c 1 3; exec "$1" mount-plink "$2" "$3"',
        helpers.VCZFS, helpers.store("biallelic.vcz"), scratch / "mnt",
    )  # fmt: skip
    assert_says(done, "/dev/fuse")


@pytest.fixture
def nobodys(scratch):
    """Programs, a store and a directory for an unprivileged user; (programs, store, directory)."""
    scratch.chmod(0o755)
    programs = scratch / "programs"
    programs.mkdir()
    for program in (helpers.VCZFS, helpers.ENCODERD):
        shutil.copy(program, programs)
    store = helpers.copy_store("biallelic.vcz", scratch)
    (scratch / "mnt").mkdir()
    os.chown(scratch / "mnt", NOBODY, NOBODY)
    return programs, store, scratch / "mnt"


def fusermount_is_setuid():
    path = shutil.which("fusermount3")
    return path is not None and bool(os.stat(path).st_mode & stat.S_ISUID)


def cat(path, uid):
    return subprocess.run([*as_user(uid), "cat", path], capture_output=True)


# A /dev that lets everybody open /dev/fuse, as distributions have it; containers often do not.
OPEN_DEV = """
mount -t tmpfs none /dev
mknod -m 666 /dev/null c 1 3
mknod -m 666 /dev/fuse c 10 229
"""


@ROOT_ONLY
@pytest.mark.skipif(not fusermount_is_setuid(), reason="fusermount3 is not setuid root here")
def test_unprivileged_user(nobodys, scratch):
    """Mounts through fusermount3, and only the user who mounted can look in: not others, not root."""
    programs, store, directory = nobodys
    as_nobody, as_other = " ".join(as_user(NOBODY)), " ".join(as_user(SOMEBODY_ELSE))
    done = in_own_namespace(
        OPEN_DEV + f"""
        {as_nobody} "$1/vczfs" mount-plink --background "$2" "$3"
        {as_nobody} cat "$3/biallelic.bed" > "$4"
        {as_other} ls "$3" && echo "another user got in"
        ls "$3" && echo "root got in"
        {as_nobody} "$1/vczfs" unmount "$3"
        """,
        programs, store, directory, scratch / "copy",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert (scratch / "copy").read_bytes() == helpers.expected("biallelic_vcz-plink", ".bed")
    helpers.assert_no_strays()


@ROOT_ONLY
def test_dev_fuse_closed_to_an_unprivileged_user(nobodys):
    programs, store, directory = nobodys
    done = in_own_namespace(
        OPEN_DEV + 'chmod 600 /dev/fuse; exec "$@"',
        *as_user(NOBODY), programs / "vczfs", "mount-plink", store, directory,
    )  # fmt: skip
    assert_says(done, "/dev/fuse", "permission")


@ROOT_ONLY
def test_no_fusermount3_for_an_unprivileged_user(nobodys, scratch):
    programs, store, directory = nobodys
    (scratch / "nothing").write_text("")
    done = in_own_namespace(
        OPEN_DEV + 'mount --bind "$1" "$(command -v fusermount3)"; shift; exec "$@"',
        scratch / "nothing", *as_user(NOBODY), programs / "vczfs", "mount-plink", store, directory,
    )  # fmt: skip
    assert_says(done, "fusermount3")


@ROOT_ONLY
def test_root_does_not_need_fusermount3(scratch):
    """Root mounts by itself; a mount namespace without fusermount3 shows it."""
    (scratch / "nothing").write_text("")
    (scratch / "mnt").mkdir()
    done = in_own_namespace(
        'mount --bind "$1" "$(command -v fusermount3)"; shift;'
        '"$1" mount-plink --background "$2" "$3"; sha256sum < "$3/biallelic.bed"; "$1" unmount "$3"',
        scratch / "nothing", helpers.VCZFS, helpers.store("biallelic.vcz"), scratch / "mnt",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    helpers.assert_no_strays()


@ROOT_ONLY
@pytest.mark.parametrize("flags", [[], ["--lazy"]])
def test_another_users_mount_is_not_unmounted(flags, nobodys, mount):
    """And the reason is said, which is not that it is in use."""
    programs, store, directory = nobodys
    with mount(store, directory=directory) as m:
        done = subprocess.run(
            [*as_user(NOBODY), programs / "vczfs", "unmount", *flags, directory], capture_output=True, text=True
        )
        assert_says(done, directory.name, "another user")
        assert "in use" not in done.stderr and "fusermount" not in done.stderr
        assert m.read(".bed") == helpers.expected("biallelic_vcz-plink", ".bed")


@ROOT_ONLY
def test_other_users_get_in_only_with_allow_other(scratch, mount):
    scratch.chmod(0o755)
    due = helpers.expected("biallelic_vcz-plink", ".bed")
    for options, readable in ([], False), (["--allow-other"], True):
        (scratch / "mnt").mkdir(exist_ok=True)
        with mount(helpers.store("biallelic.vcz"), *options, directory=scratch / "mnt") as m:
            seen = cat(m.path(".bed"), NOBODY)
            assert (seen.stdout == due) == readable
            assert (seen.returncode == 0) == readable
