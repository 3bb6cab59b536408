# SPDX-License-Identifier: Apache-2.0
"""What ``breakwater up`` shows when the hub answers: one screen to try it from."""

import json
import shlex
from collections.abc import Mapping
from typing import Any

import click

from hub.settings import Settings

EXAMPLE = "f8f8f0cce0f4e84d0e370a22028f67f0b36e2ed596623e1d33e6b39c4e9c9b22"
"""A PDQ hash with as many ones as zeros, as every true one has."""


def show(settings: Settings, made: Mapping[str, Any] | None) -> None:
    """Print where the hub is, and on its first start how to try it."""
    click.echo(f"\nBreakwater answers on {settings.public_url}")
    click.echo(f"API documentation     {settings.public_url}/docs")
    if made is not None:
        _show_sandbox(settings.public_url, made)
    click.echo("\nCtrl-C ends it.\n")


def _show_sandbox(url: str, made: Mapping[str, Any]) -> None:
    giver, asker = made["operators"]
    click.echo("\nTwo sandbox operators may try it. Their keys are shown only this once:\n")
    for one in (giver, asker):
        click.echo(f"  {one['operator']:<24}{one['key']}")
    click.echo("\nThe first contributes a picture's PDQ hash:\n")
    click.echo(_curl(url, "/v1/indicators", giver["key"], contribution(made["set"]), once=True))
    click.echo("\nThe second asks about it:\n")
    click.echo(_curl(url, "/v1/match", asker["key"], question()))


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
