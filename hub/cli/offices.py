# SPDX-License-Identifier: Apache-2.0
"""The hub as the console administers it: its database and keys, and no more.

It works whether the hub runs or not; a running one hears of each change within a second.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from marshmallow import Schema, ValidationError

from hub.adapters import clock
from hub.adapters.secrets import KeyFileError, load_keys
from hub.api.errors import flaws_of
from hub.cli import preparing
from hub.cli.databases import opened
from hub.cli.exits import CommandError, Exit, read_settings
from hub.domain.errors import BadInputError, Flaw, HubError
from hub.ports import BeginWork, Clock, NewId, Secrets
from hub.storage.work import SqlBegin


@dataclass(frozen=True)
class Console:
    """What the services of administration need."""

    clock: Clock
    new_id: NewId
    secrets: Secrets
    begin: BeginWork


@contextmanager
def office() -> Iterator[Console]:
    """Open the hub of the settings for one command, and tell its refusals in a sentence.

    Raises:
        CommandError: The hub is not there, or it refuses.
    """
    settings = read_settings()
    preparing.require_schema(settings)
    try:
        secrets = load_keys(settings.data)
        with opened(settings) as database:
            begin = SqlBegin(database, clock=clock.now, sealer=secrets.sealer)
            yield Console(clock.now, clock.new_id, secrets, begin)
    except KeyFileError as error:
        raise CommandError(str(error), Exit.DENIED) from error
    except BadInputError as error:
        raise CommandError(_sentences(error.flaws), Exit.USAGE) from error
    except HubError as error:
        raise CommandError(str(error), Exit.FOUND) from error


def checked(schema: Schema, given: Mapping[str, Any]) -> dict[str, Any]:
    """What was typed, by the same rules as over HTTP.

    Raises:
        BadInputError: It breaks one.
    """
    try:
        loaded: dict[str, Any] = schema.load(dict(given))
    except ValidationError as error:
        raise BadInputError(flaws_of(error)) from error
    return loaded


def _sentences(flaws: tuple[Flaw, ...]) -> str:
    return " ".join(": ".join(filter(None, (flaw.field, flaw.detail))) for flaw in flaws)
