# SPDX-License-Identifier: Apache-2.0
"""The manual pages say what the programs do: the same verbs, options and messages, and they render without warnings."""

import re
import shutil
import subprocess

import pytest

import helpers

RENDERERS = [["man", "--warnings", "-P", "cat", "-l"], ["mandoc", "-T", "lint", "-W", "warning"]]
PAGES = ["vczfs.1", "vczfs-encoderd.8", "vczfs-protocol.7"]


def page(name):
    return (helpers.ROOT / "man" / name).read_text()


def section(text, macro, title):
    """Lines of a section (Sh), with its subsections, or of a subsection (Ss) of an mdoc page."""
    end = r"^\.Sh " if macro == "Sh" else r"^\.S[hs] "
    found = re.search(rf"^\.{macro} {re.escape(title)}\n(.*?)(?={end}|\Z)", text, re.M | re.S)
    assert found, f"no section {title}"
    return found[1]


def help_text(program, *verb):
    command = [program, *verb, "--help"]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout


def help_verbs():
    return set(re.findall(r"^  vczfs ([a-z][a-z-]*)", help_text(helpers.VCZFS), re.M))


def help_options(text):
    """What stands in the left column of a help text; what a description wraps around is further right."""
    columns = re.findall(r"^ {2,6}(-.*?)(?:  |$)", text, re.M)
    return {option for column in columns for option in re.findall(r"(?<![\w-])--?[A-Za-z][\w-]*", column)}


def page_options(text):
    items = re.findall(r"^\.It (Fl .*)", text, re.M)
    return {"-" + option for item in items for option in re.findall(r"Fl (\S+)", item)}


def page_options_of_verbs():
    """Each subsection of OPTIONS names its verbs before its list."""
    options = {}
    for part in re.split(r"^\.Ss .*\n", section(page("vczfs.1"), "Sh", "OPTIONS"), flags=re.M)[1:]:
        head, _, items = part.partition(".Bl ")
        for verb in re.findall(r"^\.Cm (\S+)", head, re.M):
            options.setdefault(verb, set()).update(page_options(items))
    return options


def test_verbs():
    text = page("vczfs.1")
    synopsis = set(re.findall(r"^\.Cm (\S+)", section(text, "Sh", "SYNOPSIS"), re.M))
    described = set(re.findall(r"^\.It Cm (\S+)", section(text, "Sh", "DESCRIPTION"), re.M))
    assert synopsis == described == help_verbs() == set(page_options_of_verbs())


@pytest.mark.parametrize("verb", sorted(help_verbs()))
def test_options(verb):
    assert page_options_of_verbs()[verb] == help_options(help_text(helpers.VCZFS, verb))


def help_values(text):
    """{option: words, numbers and default that stand in square brackets at the end of what the help says of it}"""
    found = {}
    for entry in re.split(r"^ {2,6}(?=-)", text, flags=re.M)[1:]:
        bracket = re.search(r"\[([^][]*)\]$", " ".join(entry.split("\n\n")[0].split()))
        found[re.search(r"--([a-z-]+)", entry)[1]] = values_in(bracket[1]) if bracket else []
    return found


def values_in(text):
    """Of "auto, bed or vcf; default: auto" auto, bed, vcf and auto; of "1 to 64; default: one per CPU" the range alone: a
    default in several words is for people, and may be in other words elsewhere."""
    values, _, default = text.partition("default: ")
    values = values.removesuffix("; ")
    words = [values] if re.search(" to |at least", values) else re.split(", | or ", values)
    return [word for word in words + [default] * (" " not in default) if word]


def page_items(text):
    """{option: what the manual says of it, without macros}"""
    items = {}
    for item in re.split(r"^\.It (?=(?:Fl \w , )?Fl -)", text, flags=re.M)[1:]:
        item = item.partition("\n.Ss ")[0]
        plain = re.sub(r"^\.[A-Z][a-z]\b|\b(?:Cm|Ar|Ns|Pa|Fl|No|Ql)\b|\\&", "", item, flags=re.M)
        items[re.search(r"-([a-z][a-z-]+)", item)[1]] = " ".join(plain.split())
    return items


def values_that_are_missing(said, values):
    """Words, ranges and defaults, which the help has from the table that the program goes by."""
    return {(option, value) for option in values for value in values[option]
            if not re.search(rf"(?<![\w]){re.escape(value)}(?![\w])", said[option])}  # fmt: skip


@pytest.mark.parametrize("verb", sorted(help_verbs()))
def test_values_of_options(verb):
    values = help_values(help_text(helpers.VCZFS, verb))
    assert values_that_are_missing(page_items(section(page("vczfs.1"), "Sh", "OPTIONS")), values) == set()
    assert verb in ("unmount", "status") or sum(map(len, values.values())) > 15


def test_encoder_options():
    due = page_options(section(page("vczfs-encoderd.8"), "Sh", "DESCRIPTION"))
    assert due == help_options(help_text(helpers.ENCODERD))
    values = help_values(help_text(helpers.ENCODERD))
    items = page_items(section(page("vczfs-encoderd.8"), "Sh", "DESCRIPTION"))
    assert values_that_are_missing(items, values) == set() and sum(map(len, values.values())) > 6


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("renderer", RENDERERS, ids=lambda command: command[0])
def test_pages_render(name, renderer):
    if shutil.which(renderer[0]) is None:
        pytest.skip(f"{renderer[0]} is not installed")
    command = [*renderer, helpers.ROOT / "man" / name]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    complaints = done.stderr if renderer[0] == "man" else done.stdout + done.stderr
    assert (done.returncode, complaints) == (0, "")


def protocol_tables():
    """What the programs go by: {message: descriptors that it always brings}, {(record, key): (type, the bool without which
    it is not said, what brings a descriptor, whether there is a rule)}"""
    lines = subprocess.run([helpers.PROTOFIELDS], capture_output=True, text=True, check=True).stdout.splitlines()
    rows = [line.split("\t") for line in lines]
    messages = {row[1]: int(row[2]) for row in rows if row[0] == "message"}
    assert len(messages) > 10
    return messages, {(row[1], row[2]): row[3:] for row in rows if row[0] == "field"}


def keys_of(record, fields):
    return [key for owner, key in fields if owner == record]


def documented_messages():
    """PROTOCOL.md: {message: its heading}, {(record, key): (type, remark)}"""
    text = (helpers.ROOT / "proto/PROTOCOL.md").read_text()
    headings, rows = {}, []
    for part in re.split(r"^### ", text, flags=re.M)[1:]:
        heading = part.partition("\n")[0]
        name = heading.split()[0]
        headings[name] = heading
        tables = re.findall(r"^\| key \|.*\n\|[-|]+\n((?:\|.*\n)+)", part, re.M)
        for record, table in zip([name, "view", "selection"], tables, strict=False):
            rows += [[record, *map(str.strip, row.split("|")[1:4])] for row in table.splitlines()]
    said = [((record, key), (kind, remark)) for record, keys, kind, remark in rows for key in keys.split(", ")]
    assert len(dict(said)) == len(said)
    return headings, dict(said)


def test_protocol_fields():
    """Each message and each field of the tables is in PROTOCOL.md as it is there, and nothing else is."""
    _messages, due = protocol_tables()
    _headings, said = documented_messages()
    assert said.keys() == due.keys()
    codes = re.findall(r"^\| ([a-z-]+) \| .* \| E", (helpers.ROOT / "proto/PROTOCOL.md").read_text(), re.M)
    for field, (kind, condition, _brings, rule) in due.items():
        have, remark = said[field]
        if have == "fp":
            have = "bin, 32 bytes"
        if have == "str" and remark == "from the table below":
            assert re.findall(r'"([^"]+)"', kind) == codes, field
        else:
            assert have == kind or rule and have.startswith(kind + ", "), field
        assert bool(condition) == remark.startswith(f"**only if** `{condition}`"), field


def test_protocol_descriptors():
    messages, fields = protocol_tables()
    headings, _said = documented_messages()
    assert headings.keys() == messages.keys()
    for name, always in messages.items():
        records = {name, "view"} if (name, "view") in fields else {name}
        bringers = {row[2] for (record, _key), row in fields.items() if record in records} - {""}
        if bringers:
            heading = headings[name].partition("(fds: ")[2]
            assert all(bringer in heading for bringer in bringers), name
        else:
            assert re.search(rf"\(fds {always}[;)]", headings[name]), name


def test_protocol_page():
    messages, fields = protocol_tables()
    text = page("vczfs-protocol.7")
    parts = "".join(section(text, "Ss", f"Messages of {who}") for who in ("both", "the front", "the encoder"))
    heads = dict(re.findall(r"^\.It Cm (\w+)(?: Pq Ar (.*))?$", parts, re.M))
    assert {name: keys.split() for name, keys in heads.items()} == {name: keys_of(name, fields) for name in messages}
    maps = [re.findall(r"[a-z_]+", found.replace(".Ar", "")) for found in re.findall(r" map of\n((?:\.Ar .*\n)+)", parts)]
    assert maps == [keys_of("view", fields), keys_of("selection", fields)]
    kinds = set(re.findall(r'"(\w+)"', fields["file", "kind"][0]))
    assert set(re.findall(r"^\.Cm (\w+)", parts, re.M)) <= {*messages, *(key for _record, key in fields), *kinds}
    shown = set(re.findall(r'msg\(\d+, "\\e2\d\d\\e241t\\e2[45]\d([a-z]+)', text))
    assert {"hello", "open", "file", "opened", "read", "span", "return", "release"} <= shown <= messages.keys()


def test_protocol_version():
    """A transcript of another version has to be recorded again."""
    version = re.search(r"#define PROTO_VERSION\s+(\d+)", (helpers.ROOT / "proto/proto.h").read_text())[1]
    text = page("vczfs-protocol.7")
    protocol = (helpers.ROOT / "proto/PROTOCOL.md").read_text()
    assert re.search(r"^Version (\d+)\.", protocol, re.M)[1] == version
    assert re.search(r"protocol version (\d+)", text)[1] == version
    assert set(re.findall(r"version\\e(\d+)", text)) == {oct(int(version))[2:]}


def cited_files(path):
    """Names of files of the project's kinds in a source, but those that are included or are patterns."""
    text = re.sub(r"^#include.*", "", path.read_text(errors="replace"), flags=re.M)
    return set(re.findall(r"(?<![\w./<*-])((?:[\w-]+/)*[\w-]+\.(?:md|c|h|py))\b", text))


def test_no_source_cites_a_file_that_is_not_there():
    """A comment that sends its reader to a file is wrong if there is none, or none in that folder."""
    listed = subprocess.run(["git", "-c", "safe.directory=*", "ls-files"], cwd=helpers.ROOT, capture_output=True, text=True)
    if listed.returncode != 0:
        pytest.skip("not a git checkout: which files belong to the project is not known")
    files = {name for name in listed.stdout.split("\n") if name and (helpers.ROOT / name).is_file()}
    names = {name.rsplit("/", 1)[-1] for name in files}
    sources = [f for f in files if f.endswith((".c", ".h", ".md")) and not f.startswith("tests/data")]
    system = {"linux/magic.h", "fuse_lowlevel.h", "event2/event.h"}
    wrong = []
    for source in sorted(sources):
        for cited in cited_files(helpers.ROOT / source) - system:
            there = cited.rsplit("/", 1)[-1] in names if "/" not in cited else any(f.endswith(cited) for f in files)
            if not there and "NAME" not in cited:
                wrong.append(f"{source}: {cited}")
    assert wrong == []
