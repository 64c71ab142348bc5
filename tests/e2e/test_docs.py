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


def page_items():
    """{option: what the manual says of it, without macros}"""
    text = section(page("vczfs.1"), "Sh", "OPTIONS")
    items = {}
    for item in re.split(r"^\.It (?=(?:Fl \w , )?Fl -)", text, flags=re.M)[1:]:
        item = item.partition("\n.Ss ")[0]
        plain = re.sub(r"^\.[A-Z][a-z]\b|\b(?:Cm|Ar|Ns|Pa|Fl|No|Ql)\b|\\&", "", item, flags=re.M)
        items[re.search(r"-([a-z][a-z-]+)", item)[1]] = " ".join(plain.split())
    return items


@pytest.mark.parametrize("verb", sorted(help_verbs()))
def test_values_of_options(verb):
    """Words, ranges and defaults, which the help has from the table that the program goes by, stand in the manual."""
    said, values = page_items(), help_values(help_text(helpers.VCZFS, verb))
    missing = {(option, value) for option in values for value in values[option]
               if not re.search(rf"(?<![\w]){re.escape(value)}(?![\w])", said[option])}  # fmt: skip
    assert missing == set()
    assert verb in ("unmount", "status") or sum(map(len, values.values())) > 15


def test_encoder_options():
    due = page_options(section(page("vczfs-encoderd.8"), "Sh", "DESCRIPTION"))
    assert due == help_options(help_text(helpers.ENCODERD))


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("renderer", RENDERERS, ids=lambda command: command[0])
def test_pages_render(name, renderer):
    if shutil.which(renderer[0]) is None:
        pytest.skip(f"{renderer[0]} is not installed")
    command = [*renderer, helpers.ROOT / "man" / name]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    complaints = done.stderr if renderer[0] == "man" else done.stdout + done.stderr
    assert (done.returncode, complaints) == (0, "")


def test_messages():
    names = set(re.findall(r'\[MSG_\w+\] = \{"(\w+)"', (helpers.ROOT / "proto/messages.c").read_text()))
    assert len(names) > 10
    protocol = (helpers.ROOT / "proto/PROTOCOL.md").read_text()
    assert set(re.findall(r"^### (\w+)", protocol, re.M)) == names
    text = page("vczfs-protocol.7")
    parts = [section(text, "Ss", f"Messages of {who}") for who in ("both", "the front", "the encoder")]
    assert set(re.findall(r"^\.It Cm (\w+)", "".join(parts), re.M)) == names
    shown = set(re.findall(r'msg\(\d+, "\\e2\d\d\\e241t\\e2[45]\d([a-z]+)', text))
    assert {"hello", "open", "file", "opened", "read", "span", "return", "release"} <= shown <= names


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
    listed = subprocess.run(["git", "ls-files"], cwd=helpers.ROOT, capture_output=True, text=True)
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
