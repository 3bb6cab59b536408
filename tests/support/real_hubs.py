# SPDX-License-Identifier: Apache-2.0
"""What members of running hubs do, by the client that they would use."""

from hub.client import Client, Contribution, Words
from hub.client.values import Code
from hub.demo.paired import Paired


def contributed(hub: Paired, into: str, *codes: str) -> list[str]:
    """Contribute pictures of those codes to a set; returns their ids."""
    words = Words((into,), ("grooming",), "profile-picture", "no-person", "own-service-human", 1)
    said = [Contribution.of_codes((Code("pdq", one, quality=90),), words) for one in codes]
    with Client(hub.running.url, hub.key) as client:
        rows = client.contribute_many(said)
    assert all(row.error is None for row in rows)
    return [str(row.id) for row in rows]


def answers(hub: Paired, *codes: str) -> list[str]:
    """What a hub answers to each of those codes."""
    with Client(hub.running.url, hub.key) as client:
        return [one.answer for one in client.match_codes({"pdq": codes}).answers]


def answer(hub: Paired, code: str) -> str:
    """What a hub answers to one."""
    return answers(hub, code)[0]
