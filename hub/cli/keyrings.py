# SPDX-License-Identifier: Apache-2.0
"""Where a command finds its key: never among its arguments, which others can see."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from hub.cli.exits import CommandError, Exit

_KEY = re.compile(r"[\x21-\x7e]{1,256}")

key_file_option: Callable[[Callable[..., Any]], Callable[..., Any]] = click.option(
    "--key-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A file with the key, instead of BREAKWATER_KEY; others can see an argument.",
)


def required_key(file: Path | None) -> str:
    """Return the key in the file, else that in BREAKWATER_KEY.

    Raises:
        CommandError: There is none, or what is there is no key.
    """
    key = given_key(file)
    if key is None:
        raise CommandError(
            "There is no key: put it into BREAKWATER_KEY, or name its file with --key-file.",
            Exit.DENIED,
        )
    return key


def given_key(file: Path | None) -> str | None:
    """Return the key in the file, else that in BREAKWATER_KEY; None if neither holds one.

    Raises:
        CommandError: The file cannot be read, or what is given is no key.
    """
    key = os.environ.get("BREAKWATER_KEY", "").strip() if file is None else _read(file)
    if not key:
        return None
    if not _KEY.fullmatch(key):
        raise CommandError("What was given is no key; one begins with bw_.", Exit.DENIED)
    return key


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii").strip()
    except UnicodeDecodeError:
        raise CommandError(f"There is no key in {file}.", Exit.DENIED) from None
    except OSError as error:
        why = (error.strerror or "unknown error").lower()
        raise CommandError(f"Cannot read the key in {file}: {why}.", Exit.DENIED) from error
