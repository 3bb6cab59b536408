# SPDX-License-Identifier: Apache-2.0
"""What a hub said itself, as a partner holds it: a hub that lost its data asks for it.

`docs/protocol/federation.md` §6 has every member. Nothing of it is believed for who hands it over:
each operation carries the signature of the hub that asks.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from federation.errors import Alarm, RefusedError, TransportError
from federation.forms.canonical import read, within_bounds, written
from federation.forms.fields import Fields, members, or_null, whole
from federation.identity.values import HubFile
from federation.operations.envelopes import Sealed, opened, verified
from federation.operations.payloads import Written, read_operation
from federation.pages import MAX_BYTES, MAX_RECORDS, note
from federation.ports import Wire

PATH = "/yours"
SECONDS = 30.0
MOST_QUESTIONS = 10_000
"""After which nobody waits for what a partner gives back a little at a time."""
FOUND = 200
MEDIA_TYPE = "application/json"


@dataclass(frozen=True)
class Returned:
    """Some of what a partner holds of a hub's own operations.

    Attributes:
        held: each with the index at which it stood in that hub's log.
        following: what to ask for next; None: this was the rest.
        head: the largest checkpoint of that hub's log that the partner followed; None: none.
    """

    held: Sequence[tuple[int, Mapping[str, Any]]] = field(repr=False)
    following: int | None
    head: bytes | None = None

    @classmethod
    def parse(cls, data: bytes) -> "Returned":
        """Read it; the envelopes are not read yet.

        Raises:
            MalformedError: It is no such thing.
        """
        fields = Fields(read(data, MAX_BYTES), "what was returned")
        held = fields.take("ops", _records)
        following = fields.take("next", or_null(whole(0)))
        head = fields.take("checkpoint", or_null(note))
        fields.end()
        known = None if head is None else head.encode()
        return cls([_record(one) for one in held], following, known)

    def encoded(self) -> bytes:
        """Write it."""
        return written(
            {
                "ops": [{"i": index, "env": dict(envelope)} for index, envelope in self.held],
                "next": self.following,
                "checkpoint": None if self.head is None else self.head.decode(),
            }
        )


@dataclass(frozen=True)
class Own:
    """An operation of ours that came back.

    Attributes:
        index: in our log.
        said: what it says.
        sealed: the bytes that prove it.
    """

    index: int
    said: Written
    sealed: Sealed


def fetch(wire: Wire, *, start: int, after: int = 0) -> Returned:
    """Ask a partner for operations of ours.

    Args:
        wire: to the partner.
        start: index from which on they are missing.
        after: what the answer before this one said comes next; 0: this is the first question.

    Raises:
        TransportError: The partner did not answer.
        RefusedError: It does not answer as this protocol does.
    """
    path = f"{PATH}?from={start}&after={after}"
    answer = wire.get(path, max_bytes=MAX_BYTES, seconds=SECONDS)
    if answer.status != FOUND:
        raise TransportError(f"the partner answered {answer.status}")
    if answer.media_type != MEDIA_TYPE:
        raise RefusedError(Alarm.TRANSPORT, "the answer is of another kind")
    return Returned.parse(answer.body)


def all_own(wire: Wire, known: HubFile, *, start: int) -> Iterator[Own]:
    """Ask a partner for operations of ours until it has no more, or brings nothing new.

    Args:
        wire: to the partner.
        known: what we say of ourselves.
        start: index from which on they are missing.

    Raises:
        TransportError: The partner did not answer.
        RefusedError: It does not answer as this protocol does. FLOOD: it has answered
            MOST_QUESTIONS times, and still does not come to an end.
    """
    after, came = 0, set[str]()
    for _ in range(MOST_QUESTIONS):
        some = fetch(wire, start=start, after=after)
        fresh = [one for one in own(some, known) if one.said.id not in came]
        yield from fresh
        came |= {one.said.id for one in fresh}
        # Whoever sends us in circles, or nowhere, is done.
        if some.following is None or some.following <= after or not fresh:
            return
        after = some.following
    raise RefusedError(Alarm.FLOOD, "it gives back too little at a time")


def own(returned: Returned, known: HubFile) -> list[Own]:
    """What of it is ours: a key of ours signed it, whoever hands it over.

    Args:
        returned: what a partner says that it holds.
        known: what we say of ourselves.
    """
    found = (_own(index, envelope, known) for index, envelope in returned.held)
    return [one for one in found if one is not None]


def _own(index: int, said: Mapping[str, Any], known: HubFile) -> Own | None:
    """An operation, if a key of ours signed it; whoever hands it over may say anything."""
    try:
        envelope = opened(said)
        key = next(filter(None, map(known.op_key, envelope.signatures)), None)
        if key is None:
            return None
        sealed = verified(envelope, key.public, key.id)
        return Own(index, read_operation(sealed.payload), sealed)
    except RefusedError:
        return None


def _records(value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list) or len(value) > MAX_RECORDS:
        raise ValueError(f"a list of at most {MAX_RECORDS}")
    return [members(one) for one in value]


def _record(said: dict[str, Any]) -> tuple[int, Mapping[str, Any]]:
    fields = Fields(said, "an operation that was returned")
    record = fields.take("i", whole(0)), within_bounds(fields.take("env", members))
    fields.end()
    return record
