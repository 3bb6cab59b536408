# SPDX-License-Identifier: Apache-2.0
"""Which hub a command talks to, with which key, and in what sentence it tells of a failure."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from hub.cli.exits import CommandError, Exit
from hub.cli.keyrings import key_file_option, required_key
from hub.client import ApiError, Client, ClientError, Retry, UnreachableError
from matching.pictures import HasherError

URL = "http://127.0.0.1:8080"
_MOST_FLAWS = 5  # told in a sentence

_STATUSES: Mapping[int, Exit] = {
    HTTPStatus.UNAUTHORIZED: Exit.DENIED,
    HTTPStatus.FORBIDDEN: Exit.DENIED,
    HTTPStatus.GONE: Exit.BUSY,
    HTTPStatus.TOO_MANY_REQUESTS: Exit.BUSY,
    HTTPStatus.SERVICE_UNAVAILABLE: Exit.BUSY,
}
_SENTENCES: Mapping[int, str] = {
    HTTPStatus.UNAUTHORIZED: "The hub does not accept the key: it is wrong, expired or revoked.",
    HTTPStatus.GONE: "The hub began another history meanwhile; run the command again.",
}


@dataclass(frozen=True)
class Target:
    """A hub and the key to it."""

    url: str
    key: str = field(repr=False)


def calls_hub(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that name a hub, and pass them to it as one ``target``."""

    @click.option(
        "--url", envvar="BREAKWATER_URL", default=URL, show_default=True, show_envvar=True
    )
    @key_file_option
    @wraps(command)
    def wrapped(*, url: str, key_file: Path | None, **given: Any) -> None:
        command(target=Target(_address(url), required_key(key_file)), **given)

    return wrapped


@contextmanager
def calling(
    target: Target, *, timeout_seconds: float = 60.0, retry: Retry | None = None
) -> Iterator[Client]:
    """Open a client, and tell what goes wrong in a sentence.

    Raises:
        CommandError: The hub does not answer, or refuses; or Ctrl-C.
    """
    try:
        with Client(
            target.url, target.key, timeout_seconds=timeout_seconds, retry=retry
        ) as client:
            yield client
    except UnreachableError as error:
        raise CommandError(
            f"No hub answers at {target.url}: start it, or say where it is by BREAKWATER_URL.",
            Exit.UNAVAILABLE,
        ) from error
    except ApiError as error:
        raise _refused(error) from error
    except ClientError as error:
        raise CommandError(f"{error} Is a hub at {target.url}?", Exit.UNAVAILABLE) from error
    except HasherError as error:
        raise CommandError(str(error), Exit.UNAVAILABLE) from error
    except KeyboardInterrupt:
        # Not the 1 that would say that something was found.
        raise CommandError("Stopped.", Exit.STOPPED) from None


def _refused(error: ApiError) -> CommandError:
    default = Exit.FOUND if error.status < HTTPStatus.INTERNAL_SERVER_ERROR else Exit.UNAVAILABLE
    status = _STATUSES.get(error.status, default)
    return CommandError(_SENTENCES.get(error.status) or _sentence(error), status)


def _sentence(error: ApiError) -> str:
    told = [": ".join(filter(None, (one.field, one.detail))) for one in error.errors]
    said = " ".join(told[:_MOST_FLAWS]) or error.detail or error.title
    if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return said or f"The hub failed ({error.status})."
    return f"The hub refused: {said}" if said else f"The hub refused ({error.status})."


def _address(url: str) -> str:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
        plain = not (parts.username or parts.password or parts.query or parts.fragment)
    except ValueError:
        usable = plain = False
    if not (usable and plain):
        raise CommandError(
            "BREAKWATER_URL, or --url, must be an address like https://hub.example.com.",
            Exit.SETTINGS,
        )
    return url.rstrip("/")
