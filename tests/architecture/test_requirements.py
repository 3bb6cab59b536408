# SPDX-License-Identifier: Apache-2.0
"""What is pinned in requirements/ is what setup.cfg asks for, by hash, wherever it comes from."""

import configparser
import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PINNED = {p.stem: p.read_text(encoding="utf-8") for p in ROOT.glob("requirements/*.txt")}


def asked(section):
    """Read what setup.cfg requires: of the package, of the rivals, or of all other extras."""
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    extras = dict(setup["options.extras_require"])
    rivals = extras.pop("rivals")
    texts = {
        "runtime": [setup["options"]["install_requires"]],
        "rivals": [rivals],
        "extras": extras.values(),
    }[section]
    lines = [line for text in texts for line in text.splitlines() if line.strip()]
    return {Requirement(line).name: Requirement(line) for line in lines}


def pins(name):
    lines = re.findall(r"^([a-z][^\s=;]*)==(\S+)", PINNED[name], re.MULTILINE)
    return {canonicalize_name(package.split("[")[0]): version for package, version in lines}


@pytest.mark.parametrize(
    ("section", "file"), [("runtime", "runtime"), ("extras", "dev"), ("rivals", "rivals")]
)
def test_everything_asked_for_is_pinned_to_a_version_that_fits(section, file):
    pinned = pins(file)

    for name, requirement in asked(section).items():
        assert requirement.specifier.contains(pinned[canonicalize_name(name)]), name


def test_a_developer_runs_the_versions_that_a_hub_runs():
    assert pins("runtime").items() <= pins("dev").items()


def test_rivals_are_measured_beside_the_versions_that_a_hub_runs():
    common = pins("rivals").keys() & pins("dev").keys()

    assert {name: pins("rivals")[name] for name in common} == {
        name: pins("dev")[name] for name in common
    }


@pytest.mark.parametrize("file", PINNED)
def test_every_file_is_taken_by_its_hash(file):
    blocks = re.split(r"^(?=[a-z])", PINNED[file], flags=re.MULTILINE)[1:]

    assert len(blocks) == len(pins(file))
    assert all("--hash=sha256:" in block for block in blocks)


@pytest.mark.parametrize("file", PINNED)
def test_pins_name_no_host_and_no_folder_of_a_machine(file):
    assert not re.search(r"--(index|extra-index|find-links|trusted)|://|(^|\s)/", PINNED[file])
