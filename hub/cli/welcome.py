# SPDX-License-Identifier: Apache-2.0
"""What ``breakwater up`` shows when the hub answers: one screen to try it from."""

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import click

from hub.settings import Settings

EXAMPLE = "f8f8f0cce0f4e84d0e370a22028f67f0b36e2ed596623e1d33e6b39c4e9c9b22"
"""A PDQ hash with as many ones as zeros, as every true one has."""


@dataclass(frozen=True)
class Welcome:
    """The screen of one start."""

    settings: Settings

    def made(self, made: Mapping[str, Any]) -> None:
        """Show what a first start made, at once: nobody will be told these keys again."""
        url = self.settings.public_url
        giver, asker = made["operators"]
        click.echo(
            "\nTwo sandbox operators may try the hub. Keep their keys, they are shown once:\n"
        )
        for one in (giver, asker):
            click.echo(f"  {one['operator']:<24}{one['key']}")
        click.echo(f"  {'the set they share':<24}{made['set']}")
        click.echo("\nThe first contributes a picture's PDQ hash:\n")
        click.echo(
            _curl(url, "/v1/indicators", giver["key"], contribution(made["set"]), once=True)
        )
        click.echo("\nThe second asks about it:\n")
        click.echo(_curl(url, "/v1/match", asker["key"], question()))

    def ready(self) -> None:
        """Show where the hub is, now that it answers."""
        click.echo(f"\nBreakwater answers on {self.settings.public_url}")
        click.echo(f"API documentation     {self.settings.public_url}/docs")
        click.echo("\nCtrl-C ends it.\n")


def contribution(sharing_set: str) -> dict[str, Any]:
    """An indicator as an operator would contribute it."""
    return {
        "item": {"kind": "picture", "codes": [{"signal": "pdq", "code": EXAMPLE, "quality": 90}]},
        "harm": ["solicitation"],
        "use": "profile-picture",
        "depicts": "no-person",
        "basis": "own-service-human",
        "sets": [sharing_set],
    }


def question() -> dict[str, Any]:
    """A question about the same picture."""
    return {"items": [{"codes": [{"signal": "pdq", "code": EXAMPLE, "quality": 90}]}]}


def _curl(url: str, path: str, key: str, body: Mapping[str, Any], *, once: bool = False) -> str:
    headers = [f"Authorization: Bearer {key}", "Content-Type: application/json"]
    if once:
        headers.append("Idempotency-Key: first-try")
    words = [f"-H {shlex.quote(header)}" for header in headers]
    return f"curl -s {url}{path} {' '.join(words)} -d {shlex.quote(json.dumps(body))}"
