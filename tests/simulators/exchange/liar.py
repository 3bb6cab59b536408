# SPDX-License-Identifier: Apache-2.0
"""A hub that lies: in how its log grows, in what it says, and in how it answers."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any
from urllib.parse import parse_qs, urlsplit

from federation.errors import Alarm
from federation.log.merkle import Frontier, leaf_hash
from federation.operations.leaves import Kind
from federation.operations.values import Assert, Op, Operation, Opinion, Policy, Revoke, SignalCode
from federation.pages import MAX_BYTES, Page, Record
from federation.ports import Answer
from federation.publishing import LogKeys, Signed, checkpoint, signed
from hub.ports.exchange import Voice
from tests.simulators.exchange.hubs import NAME, Time, new_code
from tests.simulators.exchange.town import EVERYWHERE, LIAR, SOMEWHERE, spoken
from tests.simulators.partner import THIEF, PartnerHub
from tests.simulators.statements import WORDS, operation

DAY = 86_400
ODD = (b"", b"{}", b"[]", b"\xff\xfe", b'{"from":1.5}', b"null", b'{"from":0,"from":0}')
SHAPELESS = frozenset({Alarm.MALFORMED, Alarm.NON_CANONICAL, Alarm.TOO_LARGE})
Lie = tuple[bytes, frozenset[Alarm]]
"""An answer, and the alarms of which it must raise one."""


@dataclass
class Book:
    """A log, and what in it nobody may believe.

    Attributes:
        hub: the log.
        bad: by index, the alarms of which each must raise one.
    """

    hub: PartnerHub
    bad: dict[int, frozenset[Alarm]] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Its entries."""
        return self.hub.frontier.size

    def copy(self, size: int) -> "Book":
        """A log that begins as this one."""
        made = PartnerHub(self.hub.keys)
        for record in self.hub.records[:size]:
            made.log(record)
        return Book(made, {at: alarms for at, alarms in self.bad.items() if at < size})

    def root(self, *entries: bytes, size: int) -> Frontier:
        """Its frontier at a size, or another one with other last entries."""
        records = self.hub.records[: size - len(entries)]
        hashes = [leaf_hash(one.entry(one.id)) for one in records]
        return Frontier().extended([*hashes, *map(leaf_hash, entries)])


class Liar:
    """The hub.

    Args:
        random: of the simulation.
        time: the true one.
        victims: honest hubs, each of which may be shown a log of its own.
    """

    def __init__(self, random: Random, time: Time, victims: list[str]) -> None:
        self._random, self._time = random, time
        self.voice: Voice = spoken(LIAR)
        common = Book(PartnerHub(self.voice.log))
        self.books = {
            one: Book(PartnerHub(self.voice.log)) if random.random() < 0.3 else common
            for one in victims
        }
        self.asserted: list[Operation] = []
        self.stolen: set[str] = set()
        """Names of others' indicators that it gave to its own."""
        self.expected: frozenset[Alarm] | None = None
        """What the last answer must raise; None: it was as it should be."""
        self.lie = ""
        """What kind of lie it was."""

    # -- what it says -------------------------------------------------------------------------

    def speak(self, targets: list[str]) -> str:
        """Say something to everybody, or another thing to each; tells what kind of thing.

        Args:
            targets: public ids of indicators of honest hubs.
        """
        name = self._random.choice(list(_SAYINGS))
        for book in {id(one): one for one in self.books.values()}.values():
            said, alarms, changed = _SAYINGS[name](self, targets)
            signer, key = changed.pop("signer", self.voice.op), changed.pop("key", "")
            (one,) = signed([said], signer, key or self.voice.op_id)
            if alarms:
                book.bad[book.size] = frozenset(alarms)
            book.hub.log(self._record(book, one, **changed))
        return name

    def _record(self, book: Book, one: Signed, **changed: Any) -> Record:
        return book.hub.record(one, **changed)

    def _good(self, _targets: list[str]) -> "Saying":
        said = self._operation()
        self.asserted.append(said)
        return said, (), {}

    def _anew(self, targets: list[str]) -> "Saying":
        if not self.asserted:
            return self._good(targets)
        last = self._random.choice(self.asserted)
        said = self._again(last, n=last.n + 1, previous="0" * 64)
        self.asserted.append(said)
        return said, (), {}

    def _revoke(self, targets: list[str]) -> "Saying":
        said, *_ = self._anew(targets)
        body = Revoke() if said.n > 1 else said.body
        return replace(said, op=Op.REVOKE if said.n > 1 else said.op, body=body), (), {}

    def _twice(self, targets: list[str]) -> "Saying":
        if not self.asserted:
            return self._good(targets)
        return self._again(self._random.choice(self.asserted)), (), {}

    def _stolen_name(self, targets: list[str]) -> "Saying":
        if not targets:
            return self._good(targets)
        target = self._random.choice(targets)
        self.stolen.add(target)
        return self._operation(target=target), (), {}

    def _opinion(self, targets: list[str]) -> "Saying":
        if not targets:
            return self._good(targets)
        # Of whose it is it says one that may be wrong.
        whose = self._random.choice(sorted(self.books))
        target = f"{whose}/{self._random.choice(targets)}/{EVERYWHERE}"
        body = Opinion("disagree", "benign", "own-service-human", 1)
        said = self._operation(op=Op.OPINION, target=target, body=body)
        return replace(said, author=said.author.replace("/m/", "/o/")), (), {}

    def _forged(self, _targets: list[str]) -> "Saying":
        return self._operation(), (Alarm.BAD_SIGNATURE,), {"signer": THIEF}

    def _unknown(self, _targets: list[str]) -> "Saying":
        return self._operation(), (Alarm.UNKNOWN_KEY,), {"key": "another"}

    def _unvouched(self, _targets: list[str]) -> "Saying":
        return self._operation(operator="a-one.example.com"), (Alarm.UNVOUCHED,), {}

    def _elsewhere(self, _targets: list[str]) -> "Saying":
        said = self._operation(policy=Policy("green", (SOMEWHERE,)))
        return said, (Alarm.OUT_OF_AUDIENCE,), {}

    def _victim(self, _targets: list[str]) -> "Saying":
        said = self._operation()
        assert isinstance(said.body, Assert)
        body = replace(said.body, words={**said.body.words, "depicts": "known-victim"})
        return replace(said, body=body), (Alarm.OUT_OF_AUDIENCE,), {}

    def _impersonated(self, targets: list[str]) -> "Saying":
        other = self._random.choice(list(self.books))
        target = self._random.choice(targets) if targets else self._operation().target
        said = self._operation(
            origin=other, author=f"{other}/m/{'k' * 16}", target=target, n=99, previous="0" * 64
        )
        return said, (Alarm.WRONG_ORIGIN,), {"source": LIAR}

    def _relayed(self, targets: list[str]) -> "Saying":
        said, (alarm,), _ = self._impersonated(targets)
        # Nobody needs to hear what it said itself: then it is passed over. And of the hub whose
        # the set is anybody may pass on what the set is, with a proof.
        alarms = (alarm, Alarm.NOT_IN_LOG)
        return said, alarms, {"source": said.origin, "kind": Kind.RELAY}

    def _odd(self, _targets: list[str]) -> "Saying":
        code = SignalCode("pdq", b"\xff" * 32, 90)
        return self._operation(body=Assert("picture", (code,), WORDS)), (), {}

    def _over(self, _targets: list[str]) -> "Saying":
        past = self._time.now - 10 * DAY
        times = {"created": past, "expires": past + DAY, "keep": past + DAY}
        return self._operation(**times), (), {}

    def _again(self, last: Operation, **changed: Any) -> Operation:
        place = {"target": last.target, "author": last.author}
        return self._operation(**{**place, "n": last.n, "previous": last.previous, **changed})

    def _operation(self, **changed: Any) -> Operation:
        random, now = self._random, self._time.now
        code = SignalCode("pdq", bytes.fromhex(new_code(random)), 90)
        life = random.choice((DAY, 30 * DAY, 300 * DAY))
        said = operation(
            origin=LIAR,
            operator=f"liar.{LIAR}",
            author=f"{LIAR}/m/{'k' * 16}",
            target="ind_" + "".join(random.choices(NAME, k=25)) + "a",
            created=now - 600,
            expires=now + life,
            keep=now + life,
            policy=Policy("green", (EVERYWHERE,)),
            body=Assert("picture", (code,), WORDS),
            salt=random.randbytes(16),
        )
        return replace(said, **changed)

    # -- how it answers -----------------------------------------------------------------------

    def serve(self, asker: str, path: str, limit: int, *, truly: bool) -> Answer:
        """Answer a follower; what that must raise is in ``expected``."""
        asked = {name: one[0] for name, one in parse_qs(urlsplit(path).query).items()}
        book, start = self.books[asker], int(asked["from"])
        self.expected, self.lie = None, ""
        if "only" in asked:
            end = book.size
            records = tuple(book.hub.records[start:end])
            page = Page(
                start, max(start, end), max(start, end), records, (EVERYWHERE,), is_sparse=True
            )
            return _answer(page.encoded())
        size = int(asked["size"]) if "size" in asked else None
        if not truly and self._random.random() < 0.5:
            name = self._random.choice(list(_LIES))
            lie = _LIES[name](self, book, start, size, limit)
            if lie is not None:
                (body, self.expected), self.lie = lie, name
                return Answer(409, b"") if name == "short" else _answer(body)
        return _answer(self._page(book, start, size, limit).encoded())

    def _page(self, book: Book, start: int, size: int | None, limit: int) -> Page:
        at = book.size if size is None else size
        end = min(at, start + limit)
        page = book.hub.page(start, end, size=at)
        note = self._note(book.root(size=at)) if size is None else None
        return replace(page, checkpoint=note, sets=(EVERYWHERE,))

    def _note(self, frontier: Frontier, keys: LogKeys | None = None) -> bytes:
        return checkpoint(frontier, keys or self.voice.log, self._time.now).encoded()

    def _garbage(self, book: Book, start: int, size: int | None, limit: int) -> Lie:
        page = self._page(book, start, size, limit).encoded()
        bodies = (*ODD, self._random.randbytes(40), page + b" ", page[:-2])
        return self._random.choice(bodies), SHAPELESS

    def _huge(self, _book: Book, _start: int, _size: int | None, _limit: int) -> Lie:
        return bytes(MAX_BYTES + 1), frozenset({Alarm.TOO_LARGE})

    def _short(self, _book: Book, start: int, size: int | None, _limit: int) -> Lie | None:
        is_known = start > 0 or size is not None
        return (b"", frozenset({Alarm.ROLLBACK})) if is_known else None

    def _rollback(self, book: Book, start: int, size: int | None, _limit: int) -> Lie | None:
        if size is not None or not start:
            return None
        note = self._note(book.root(size=self._random.randrange(start)))
        page = Page(start, start, start, (), (EVERYWHERE,), checkpoint=note)
        return page.encoded(), frozenset({Alarm.ROLLBACK})

    def _fork(self, book: Book, start: int, size: int | None, _limit: int) -> Lie | None:
        if size is not None or not start:
            return None
        note = self._note(book.root(b"another", size=start))
        return Page(start, start, start, (), (EVERYWHERE,), checkpoint=note).encoded(), frozenset(
            {Alarm.FORK}
        )

    def _other_log(self, book: Book, start: int, size: int | None, limit: int) -> Lie | None:
        if not start:
            return None
        other = book.copy(self._random.randrange(start))
        while other.size < max(book.size, start + 1):
            (one,) = signed([self._operation()], self.voice.op, self.voice.op_id)
            other.hub.log(other.hub.record(one))
        return self._page(other, start, size, limit).encoded(), frozenset({Alarm.GAP})

    def _altered(self, book: Book, start: int, size: int | None, limit: int) -> Lie | None:
        page = self._page(book, start, size, limit)
        if not page.records:
            return None
        at = self._random.randrange(len(page.records))
        (one,) = signed([self._operation()], self.voice.op, self.voice.op_id)
        records = list(page.records)
        records[at] = replace(records[at], envelope=one.sealed.told)
        return replace(page, records=tuple(records)).encoded(), frozenset({Alarm.GAP})

    def _left_out(self, book: Book, start: int, size: int | None, limit: int) -> Lie | None:
        page = self._page(book, start, size, limit)
        if len(page.records) < 2:
            return None
        records = list(page.records)
        del records[self._random.randrange(len(records))]
        if self._random.random() < 0.5:
            return replace(page, records=tuple(records)).encoded(), SHAPELESS
        moved = tuple(replace(one, index=at) for at, one in enumerate(records, start))
        shorter = replace(page, records=moved, end=page.end - 1)
        # What was left out at the end of a page is no lie, and comes with the next.
        is_prefix = moved == page.records[:-1]
        alarms = frozenset({Alarm.GAP})
        return None if is_prefix else (shorter.encoded(), alarms)

    def _swapped(self, book: Book, start: int, size: int | None, limit: int) -> Lie | None:
        page = self._page(book, start, size, limit)
        if len(page.records) < 2 or page.records[0].id == page.records[1].id:
            return None
        first, second, *rest = page.records
        records = (replace(second, index=start), replace(first, index=start + 1), *rest)
        return replace(page, records=records).encoded(), frozenset({Alarm.GAP})

    def _strange_key(self, book: Book, start: int, size: int | None, limit: int) -> Lie | None:
        if size is not None:
            return None
        page = self._page(book, start, size, limit)
        note = self._note(book.hub.frontier, replace(self.voice.log, log=THIEF))
        alarms = frozenset({Alarm.UNKNOWN_KEY, Alarm.BAD_SIGNATURE})
        return replace(page, checkpoint=note).encoded(), alarms


Saying = tuple[Operation, tuple[Alarm, ...], dict[str, Any]]
_SAYINGS: dict[str, Callable[[Liar, list[str]], Saying]] = {
    name: getattr(Liar, f"_{name}")
    for name in (
        "good", "anew", "revoke", "twice", "stolen_name", "opinion", "forged",
        "unknown", "unvouched", "elsewhere", "victim", "impersonated", "relayed", "odd", "over",
    )
}  # fmt: skip
_LIES: dict[str, Callable[[Liar, Book, int, int | None, int], Lie | None]] = {
    name: getattr(Liar, f"_{name}")
    for name in (
        "garbage", "huge", "short", "rollback", "fork", "other_log", "altered", "left_out",
        "swapped", "strange_key",
    )
}  # fmt: skip


def _answer(body: bytes) -> Answer:
    return Answer(200, body, "application/json")
