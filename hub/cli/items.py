# SPDX-License-Identifier: Apache-2.0
"""What a member does with things seen: ``match``, ``contribute``, ``withdraw``.

Pictures and videos are hashed here and never leave; the hub is asked over HTTP, as by any member.
"""

import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from hub.cli.calling import Target, calling, calls_hub
from hub.cli.contributing import Given, contribute_all, contributions
from hub.cli.exits import Exit
from hub.cli.output import json_option, print_json, print_table
from hub.cli.progress import progress
from hub.cli.questions import Findings, Told, asked, find
from hub.cli.wording import one_of, says_words
from hub.client import Words

FEW = 4  # things for which nobody needs a bar


@click.command()
@click.argument("things", nargs=-1, required=True, metavar="FILE|CODE|-...")
@click.option("--explain", is_flag=True, help="Say also what was searched.")
@json_option
@calls_hub
def match(*, things: Sequence[str], explain: bool, as_json: bool, target: Target) -> None:
    """Ask what is known of pictures, videos and codes.

    A file is hashed here, and only its codes are sent; videos need the extra breakwater[video].
    A CODE is pdq:HEX, phash:HEX, md5:HEX, sha1:HEX or sha256:HEX; md5, sha1 and phash are also
    known by their length. A dash reads more of them from standard input, one a line.

    Ends with 0 when all was searched and nothing is known, 1 when something is, 75 when the hub
    cannot say it for sure now, and 65 when something could not be searched.
    """
    named = list(asked(things, sys.stdin.buffer))
    with (
        progress("Matching", len(named), shown=len(named) > FEW) as advance,
        calling(target) as client,
    ):
        found = find(named, client, explain=explain, advance=advance)
    if as_json:
        _print_findings(found)
    else:
        _show_findings(found)
    _complain((one.name, one.flaw) for one in found.told)
    raise SystemExit(found.status)


@click.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--code",
    "codes",
    multiple=True,
    metavar="SIGNAL:HEX",
    help="A code of one picture, instead of files; say it for each of its codes.",
)
@click.option("--quality", type=click.IntRange(0, 100), help="Of the pdq given by --code.")
@click.option(
    "--account",
    metavar="KIND:VALUE",
    help="phone:, email:, handle:PLATFORM: or uid:PLATFORM: instead of files; - reads it from "
    "standard input, where nobody else sees it.",
)
@click.option("--subject", type=one_of("subject"), help="Whose account it is.")
@click.option("--region", metavar="XX", help="Where a phone number without + is dialled.")
@click.option("--external-id", metavar="ID", help="Your name of it; the same again revises it.")
@click.option(
    "--digests-only", is_flag=True, help="Leave the look out, for pictures of low quality."
)
@says_words
@json_option
@calls_hub
def contribute(*, target: Target, as_json: bool, words: Words, **given: Any) -> None:
    """Contribute pictures and videos, or a picture by its codes, or an account.

    A file is hashed here, and only its codes are sent. Each file is an indicator of its own.
    Ends with 1 if one of them was refused; the others are kept.
    """
    what = Given(**given)
    what.check()
    number = len(what.files)
    with (
        progress("Contributing", number, shown=number > FEW) as advance,
        calling(target) as client,
    ):
        results = contribute_all(contributions(what, words, client, advance), client)
    if as_json:
        print_json([one.body() for one in results])
    else:
        print_table(("name", "result", "id", "n"), [one.cells() for one in results])
    _complain((one.name, one.refusal) for one in results)
    if any(one.refusal for one in results):
        raise SystemExit(Exit.FOUND)


@click.command()
@click.argument("indicator", metavar="ID")
@click.option("--reason", type=one_of("dispute_reason"))
@json_option
@calls_hub
def withdraw(*, indicator: str, reason: str | None, as_json: bool, target: Target) -> None:
    """Withdraw an indicator of your operator: at once, and alone."""
    with calling(target) as client:
        kept = client.withdraw(indicator, reason=reason)
    if as_json:
        print_json({"id": kept.id, "n": kept.n, "position": kept.position})
    else:
        click.echo(f"Withdrawn: {kept.id}, version {kept.n}.")


def _print_findings(found: Findings) -> None:
    matches = found.matches
    print_json(
        {
            "complete": matches.complete if matches else None,
            "index": asdict(matches.index) if matches else None,
            "answers": [one.body() for one in found.told],
        }
    )


def _show_findings(found: Findings) -> None:
    columns = ("name", "answer", "standing", "operators", "band", "signal", "harm")
    print_table(columns, [_cells(one) for one in found.told])
    explained = [one for one in found.told if one.answer and one.answer.explain]
    if explained:
        print_table(("name", "searched", "own"), [_explained(one) for one in explained])


def _cells(one: Told) -> tuple[object, ...]:
    answer = one.answer
    if answer is None:
        return one.name, "refused"
    if not answer.hits:
        return one.name, f"{answer.answer} ({answer.why})" if answer.why else answer.answer
    hit = answer.hits[0]
    least = "at least " if answer.at_least else ""
    harm = " ".join(hit.harm)
    operators = f"{least}{answer.operators}"
    return one.name, answer.answer, answer.standing, operators, hit.band, hit.signal, harm


def _explained(one: Told) -> tuple[str, str, str]:
    explain = one.answer.explain if one.answer and one.answer.explain else {}
    searched = [
        f"{signal}: {how['codes']} within {how['radius']} bits"
        for signal, how in explain["searched"].items()
    ]
    own = [f"{hit['id']}: {hit['signal']}, {hit['distance']} bits" for hit in explain["own"]]
    return one.name, ", ".join(searched), ", ".join(own)


def _complain(flaws: Iterable[tuple[str, str | None]]) -> None:
    for name, flaw in flaws:
        if flaw:
            click.echo(f"breakwater: {name}: {flaw}", err=True)
