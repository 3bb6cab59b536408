# SPDX-License-Identifier: Apache-2.0
"""How a command ends: a status for scripts, one sentence for people.

The numbers from 64 on are those of BSD's sysexits.h; docs/operate/cli.md lists them.
"""

import os
from enum import IntEnum
from pathlib import Path
from typing import IO, Any

import click

from hub.settings import Settings, SettingsError


class Exit(IntEnum):
    """What a command's exit status says."""

    OK = 0
    """All went well."""
    FOUND = 1
    """It ran, and found or refused something: a match, a failed check, a row of an import."""
    USAGE = 2
    """It was called wrongly."""
    DATA = 65
    """A file that was given cannot be used."""
    UNAVAILABLE = 69
    """Something needed is not there: Redis, the database, the hub, a free address."""
    INTERNAL = 70
    """A fault of Breakwater's own."""
    CANNOT_CREATE = 73
    """A file or folder cannot be made or written."""
    BUSY = 75
    """Another process holds it, or it cannot be said now; try again later."""
    DENIED = 77
    """The key or the files do not allow it."""
    SETTINGS = 78
    """A setting cannot be used."""
    STOPPED = 130
    """Somebody pressed Ctrl-C."""


class CommandError(click.ClickException):
    """Ends a command with one sentence on standard error and a status."""

    def __init__(self, sentence: str, status: Exit) -> None:
        super().__init__(sentence)
        self.exit_code = int(status)  # type: ignore[misc]  # click reads the instance's

    def show(self, file: IO[Any] | None = None) -> None:
        """Write the sentence."""
        click.echo(f"breakwater: {self.message}", file=file, err=file is None)


def read_settings() -> Settings:
    """Read the settings from the environment.

    Raises:
        CommandError: One of them cannot be used.
    """
    try:
        return Settings.read(os.environ)
    except SettingsError as error:
        raise CommandError(str(error), Exit.SETTINGS) from error


def cannot_write(path: Path, error: OSError) -> CommandError:
    """Make the error of a file or folder that cannot be written."""
    why = (error.strerror or "unknown error").lower()
    return CommandError(f"Cannot write {path}: {why}. Choose another place.", Exit.CANNOT_CREATE)
