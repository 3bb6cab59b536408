# SPDX-License-Identifier: Apache-2.0
"""Bring contributions to a hub and learn of each what became of it."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from http import HTTPStatus

import orjson

from hub.client import ApiError, Client, Flaw, Row
from hub.client.answers import rows_of
from hub.client.calls import Call

MOST_ROWS = 1_000  # a request
MOST_BYTES = 6 * 1024**2  # a request; a hub takes 8 MiB
_PATH = "/v1/indicators"


def deliver(client: Client, bodies: Sequence[bytes], once: str) -> list[Row]:
    """Contribute at most 1,000, each the JSON of one; a bad one harms no other.

    Where every row is bad the hub refuses the whole and tells of some; the others are sent again,
    until it has told of all.

    Args:
        client: to send by.
        bodies: as they are sent.
        once: names this delivery: another of the same name and bodies changes nothing.

    Raises:
        ClientError: It did not arrive, or was refused for another reason than its rows.
    """
    told: dict[int, Row] = {}
    round_number = 0
    while left := [index for index in range(len(bodies)) if index not in told]:
        try:
            rows = client.send(_call([bodies[index] for index in left], f"{once}-{round_number}"))
        except ApiError as error:
            rows = _refused(error, len(left))
        told |= {left[row.index]: replace(row, index=left[row.index]) for row in rows}
        round_number += 1
    return [told[index] for index in range(len(bodies))]


def parts(bodies: Sequence[bytes]) -> Iterator[tuple[int, Sequence[bytes]]]:
    """Split bodies so that each part fits into a request; with where each begins."""
    start, size = 0, 0
    for number, body in enumerate(bodies):
        if number - start == MOST_ROWS or (number > start and size + len(body) > MOST_BYTES):
            yield start, bodies[start:number]
            start, size = number, 0
        size += len(body)
    if bodies:
        yield start, bodies[start:]


def _call(bodies: Sequence[bytes], once: str) -> Call[tuple[Row, ...]]:
    body = {"indicators": [orjson.Fragment(one) for one in bodies]}
    return Call("POST", _PATH, rows_of(0), body=body, once=once)


def _refused(error: ApiError, number: int) -> tuple[Row, ...]:
    """Read of a refusal which rows it is about; it tells of one at least, or is another."""
    flaws: dict[int, list[Flaw]] = defaultdict(list)
    for flaw in error.errors:
        if flaw.index is not None and 0 <= flaw.index < number:
            flaws[flaw.index].append(flaw)
    if error.status != HTTPStatus.UNPROCESSABLE_ENTITY or not flaws:
        raise error
    return tuple(Row(index, error=some[0]) for index, some in flaws.items())
