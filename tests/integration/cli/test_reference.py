# SPDX-License-Identifier: Apache-2.0
"""docs/operate/cli.md is a whole reference: each command, option, column and status."""

import re
from pathlib import Path

import click
import pytest

from hub.cli import COMMANDS, _breakwater
from hub.cli.exits import Exit
from hub.cli.spreadsheets import COLUMNS

PAGE = (Path(__file__).parents[3] / "docs" / "operate" / "cli.md").read_text()
SHARED = PAGE.partition("## Talking to a hub")[2].partition("###")[0]


def commands(group=_breakwater, path=()):
    """Every command that is shown, by the words it is typed with."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield " ".join((*path, name)), command


ALL = dict(commands())


@pytest.mark.parametrize("name", ALL)
def test_each_command_is_told_with_its_options(name):
    command = ALL[name]
    _, _, after = PAGE.partition(f"### `{name}`\n")
    section = re.split(r"^##", after, maxsplit=1, flags=re.MULTILINE)[0]

    assert section.strip()
    options = {
        word for one in command.params if isinstance(one, click.Option) for word in one.opts
    }
    told = section + SHARED
    hidden = {word for one in command.params if getattr(one, "hidden", False) for word in one.opts}
    assert {word for word in options - hidden if f"`{word}" not in told} == set()


def test_nothing_is_told_that_is_not_there():
    told = re.findall(r"^### `(.+)`$", PAGE, re.MULTILINE)

    assert sorted(told) == sorted(ALL)
    assert {name.split()[0] for name in told} == {name for name in COMMANDS if COMMANDS[name][1]}


def test_each_status_is_told():
    told = re.findall(r"^\| (\d+) \| (\w+) \|", PAGE, re.MULTILINE)

    assert told == [(str(int(one)), one.name) for one in Exit]


def test_each_column_is_told():
    assert {name for name in COLUMNS if f"`{name}`" not in PAGE} == set()
