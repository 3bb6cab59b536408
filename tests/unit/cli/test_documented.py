# SPDX-License-Identifier: Apache-2.0
"""What the pages for operators list is what there is: commands, exit status, settings."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from hub.cli import COMMANDS, _breakwater
from hub.cli.exits import CommandError, Exit
from hub.settings import Settings

ROOT = Path(__file__).parents[3]
OPERATE = ROOT / "docs" / "operate"


def first_column(page, heading):
    """The first cells of the table that follows a header row beginning with *heading*."""
    text = (OPERATE / page).read_text()
    table = re.search(rf"^\| {heading} \|.*\n\|[-|]+\n((?:\|.*\n)+)", text, re.MULTILINE)
    assert table is not None
    return [row.split("|")[1].strip().strip("`") for row in table[1].splitlines()]


def test_every_command_is_documented_and_none_more():
    visible = {name for name, (_, text) in COMMANDS.items() if text}

    assert set(first_column("cli.md", "command")) == visible


def test_every_exit_status_is_documented_and_none_more():
    assert first_column("cli.md", "status") == [str(int(status)) for status in Exit]


def test_every_setting_is_documented_and_none_more():
    source = (ROOT / "hub" / "settings.py").read_text()
    read = set(re.findall(r'"((?:BREAKWATER|REDIS)_[A-Z_]+)"', source))
    told = set(re.findall(r'"""((?:BREAKWATER|REDIS)_[A-Z_]+):', source))

    assert set(first_column("running.md", "variable")) == read == told
    assert len(told) == len(Settings.__dataclass_fields__)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_tells_how_it_is_used(name):
    done = CliRunner().invoke(_breakwater, [name, "--help"])

    assert done.exit_code == 0
    assert done.output.startswith("Usage: ")
    assert f" {name} " in done.output.splitlines()[0]


def test_help_lists_commands_in_order_and_hides_the_inner_ones():
    output = CliRunner().invoke(_breakwater, ["--help"]).output

    listed = re.findall(r"^  ([a-z]+)  +\S", output, re.MULTILINE)
    assert [name for name in listed if name in COMMANDS] == [
        name for name, (_, text) in COMMANDS.items() if text
    ]
    assert "prepare" not in output
    assert "renew" not in output


def test_unknown_command_is_a_wrong_call():
    assert CliRunner().invoke(_breakwater, ["nothing"]).exit_code == Exit.USAGE


def test_error_is_one_sentence_on_standard_error(capsys):
    CommandError("Nothing is here: do something.", Exit.BUSY).show()

    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err == "breakwater: Nothing is here: do something.\n"
