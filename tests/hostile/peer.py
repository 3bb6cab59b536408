# SPDX-License-Identifier: Apache-2.0
"""A partner's whole hub on a loopback port: honest in everything but what a behaviour changes.

It shows a TUF repository, a checkpoint, tiles and pages, and signs its answers. Keys follow from
numbers and its time stands still, so that what it says is the same bytes in every run.
"""

import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from random import Random
from typing import Any, Protocol, Self
from urllib.parse import parse_qs, urlsplit

from federation.identity import repository
from federation.identity.hubfile import write
from federation.identity.metadata import Roles
from federation.identity.pairing import Pairing
from federation.identity.repository import Signers
from federation.identity.values import HubFile, Log, Operator, OpKey, ReqKey
from federation.keys import MemorySigner
from federation.log.cosignatures import Cosigner
from federation.log.tiles import Tile
from federation.log.verifiers import Verifier
from federation.operations.leaves import Kind
from federation.operations.payloads import operation_id
from federation.operations.values import Assert, Op, Operation, Opinion, SignalCode
from federation.pages import MAX_RECORDS, Page, Record
from federation.publishing import signed
from federation.transport.messages import Request, Response
from federation.transport.signatures import Signing, signed_response
from tests.simulators.partner import BEAT, KEY, LOG, OP, OPERATOR, PartnerHub
from tests.simulators.scripted import Connection, Scripted
from tests.simulators.statements import NOW, ORIGIN, SET, WORDS, operation
from tests.support.repositories import MemoryFiles
from tests.support.signing import signer

BASE = "http://127.0.0.1:4608/fed/v1"
"""Where the vectors' peer says that it is; a run may serve it from another port."""
LOG_ORIGIN = f"{ORIGIN}/fed/1"
ROOTS, FIRST = (101, 102, 103), 110
"""Numbers of its root keys, of whom two must sign, and of the first of its other TUF keys."""
REQUESTS = Signing(f"{ORIGIN}#req-1", signer(120))
"""Signs its requests and answers."""
LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
JSON, BYTES, NOTE = "application/json", "application/octet-stream", "text/plain; charset=utf-8"
Lines = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Told:
    """An answer before it is signed."""

    body: bytes
    status: int = 200
    media_type: str = JSON
    lines: Lines = ()


def target(number: int) -> str:
    """The public id of the peer's indicator of a number."""
    return "ind_" + "q" * 22 + "".join(LETTERS[number >> 5 * place & 31] for place in range(4))


def code(number: int) -> bytes:
    """A PDQ hash of a picture that no other number's is near."""
    chosen = Random(number).sample(range(256), 128)  # noqa: S311 - the same in every run
    return sum(1 << bit for bit in chosen).to_bytes(32, "big")


def said(number: int, **changed: Any) -> Operation:
    """What the peer says of its indicator of a number."""
    body = Assert("picture", (SignalCode("pdq", code(number), 90),), WORDS)
    salt = number.to_bytes(16, "big")
    return operation(**{"target": target(number), "body": body, "salt": salt, **changed})


def disagreed(number: int, about: str, **changed: Any) -> Operation:
    """What another organisation that speaks through the peer thinks of an indicator."""
    body = Opinion("disagree", "benign", "own-service-human", 1)
    values = {
        "target": f"{ORIGIN}/{about}/{SET}",
        "body": body,
        "author": f"{ORIGIN}/m/{'o' * 16}",
    }
    salt = number.to_bytes(16, "big")
    return operation(Op.OPINION, **{**values, "operator": SECOND, "salt": salt, **changed})


SECOND = "forum.example"
"""A further organisation that the peer speaks for."""


def op_key(number: int = 1, epoch: int = 1, first: int = 0, until: int | None = None) -> OpKey:
    """The peer's key of operations of a number."""
    public = OP.public if number == 1 else signer(130 + number).public
    return OpKey(f"op-{number}", public, epoch, first, until)


def hub_file(base: str = BASE, **changes: Any) -> HubFile:
    """What the peer says of itself."""
    file = HubFile(
        hub=ORIGIN,
        operator=Operator(OPERATOR, "platform"),
        base=base,
        operators=(OPERATOR, SECOND),
        log=Log(LOG_ORIGIN, (Verifier(LOG_ORIGIN, LOG.public).vkey,)),
        op_keys=(op_key(),),
        req_keys=(ReqKey(REQUESTS.key_id, REQUESTS.signer.public),),
        witness=Cosigner(f"{ORIGIN}/beat", BEAT.public).vkey,
    )
    return replace(file, **changes)


def roles(roots: tuple[int, ...] = ROOTS, threshold: int = 2, first: int = FIRST) -> Roles:
    """Who may sign what in its TUF repository."""
    others = (signer(first + place).public for place in range(3))
    return Roles(tuple(signer(one).public for one in roots), threshold, *others)


def online(first: int = FIRST) -> Signers:
    """Its TUF keys but the roots."""
    return Signers((signer(first),), (signer(first + 1),), (signer(first + 2),))


class Mirrored(Protocol):
    """Another hub, as the peer shows it."""

    log: PartnerHub

    def answer(self, path: str, now: int) -> Told:
        """What the peer has to say to a path under ``/peers``."""
        ...

    def paths(self) -> list[str]:
        """All that there is to ask for."""
        ...


@dataclass
class Peer:
    """The hub, and what a behaviour makes of it.

    Attributes:
        page: what becomes of a page of operations, given what was asked.
        told: what becomes of any answer of ``/ops``, before it is signed.
        script: answers ``/ops`` in the peer's stead, byte for byte.
        scripted: where else, by the beginning of the path.
        last: what it answered last to ``/ops``, as it went over the wire.
        asks: what it was asked, in order.
        sets: public ids of the sets that it says it shares.
        manifests: ids of the manifests by which it says that it goes, by their sets.
        third: the hub that it mirrors, and whose word it passes on; None: none.
    """

    base: str = BASE
    now: int = NOW
    log: PartnerHub = field(default_factory=PartnerHub)
    files: MemoryFiles = field(default_factory=MemoryFiles)
    page: Callable[[Page, dict[str, str]], Page | bytes] | None = None
    told: Callable[[Told], Told] | None = None
    script: Callable[[Connection, "Peer"], None] | None = None
    scripted: str = "/ops"
    last: bytes = b""
    asks: list[str] = field(default_factory=list)
    first: int = FIRST
    voice: tuple[MemorySigner, str] = (OP, KEY)
    epoch: int = 1
    sets: tuple[str, ...] = (SET,)
    manifests: dict[str, str] = field(default_factory=dict)
    third: "Mirrored | None" = None
    pairing: Pairing = field(init=False)

    def __post_init__(self) -> None:
        root = repository.created(
            self.files,
            roles(),
            hub_file(self.base),
            root_signers=[signer(101), signer(102)],
            signers=online(),
            now=self.now,
        )
        self.pairing = Pairing(ORIGIN, self.base, root)

    # -- what it says -------------------------------------------------------------------------

    def say(self, *operations: Operation) -> None:
        """Sign operations and log them."""
        by, key_id = self.voice
        told = [replace(one, epoch=max(one.epoch, self.epoch)) for one in operations]
        self.log.say(*told, signer=by, key_id=key_id)

    def put(self, envelope: dict[str, Any], payload: bytes, **changed: Any) -> None:
        """Log an envelope of any making, around some bytes."""
        record = Record(
            **{
                "index": len(self.log.records),
                "kind": Kind.OWN,
                "source": ORIGIN,
                "id": operation_id(payload),
                "envelope": envelope,
                **changed,
            }
        )
        self.log.log(record)

    def publish(self, **changes: Any) -> None:
        """Show another ``hub.json``."""
        file = hub_file(self.base, **changes)
        repository.published(self.files, file, signers=online(self.first), now=self.now)

    def refresh(self) -> None:
        """Say that what it shows is still meant."""
        keys = online(self.first)
        repository.refreshed(
            self.files, snapshot=keys.snapshot, timestamp=keys.timestamp, now=self.now
        )

    def root(self, version: int) -> bytes:
        """A root that it shows."""
        found: bytes = self.files.held[f"metadata/{version}.root.json"]
        return found

    # -- what it answers ----------------------------------------------------------------------

    def answer(self, path: str) -> Told:
        """What it has to say to a path under its base, not signed yet."""
        parts = urlsplit(path)
        if parts.path.startswith("/tuf/"):
            found = self.files.held.get(parts.path.removeprefix("/tuf/"))
            return Told(b"", 404, BYTES) if found is None else Told(found, media_type=BYTES)
        if parts.path.startswith("/peers/"):
            third = self.third
            return Told(b"", 404) if third is None else third.answer(parts.path, self.now)
        if parts.path == "/log/checkpoint":
            return Told(self.log.note(self.now), media_type=NOTE)
        if parts.path.startswith("/log/"):
            return self._tile(parts.path.removeprefix("/log/"))
        asked = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        told = self._operations(asked)
        return told if self.told is None else self.told(told)

    def _operations(self, asked: dict[str, str]) -> Told:
        size, start = self.log.frontier.size, int(asked["from"])
        if start > size or int(asked.get("size", 0)) > size:
            return Told(b"{}", 409, "application/problem+json")
        if "only" in asked:
            page = self.log.revokes(start)
        else:
            at = int(asked.get("size", size))
            end = min(at, start + int(asked.get("limit", MAX_RECORDS)))
            page = self.log.page(start, end, size=at, checkpoint=self.log.note(self.now))
            if "size" in asked:
                page = replace(page, checkpoint=None)
        if not page.is_sparse:
            notes = self._notes(page)
            page = replace(page, sets=self.sets, manifests=self.manifests, notes=notes)
        made = page if self.page is None else self.page(page, asked)
        return Told(made if isinstance(made, bytes) else made.encoded())

    def _notes(self, page: Page) -> tuple[bytes, ...]:
        """Of the third hub's log, where a page shows what leads there."""
        if self.third is None or all(one.inclusion is None for one in page.records):
            return ()
        return (self.third.log.note(),)

    def _tile(self, name: str) -> Told:
        tile = Tile.parse(name)
        found = self.log.tiles.get((tile.level, tile.index), b"")[: 32 * tile.width]
        return Told(found, media_type=BYTES)

    def serve(self, connection: Connection) -> None:
        """Answer a request."""
        target = connection.head.split(b" ", 2)[1].decode()
        path = target.removeprefix(urlsplit(self.base).path)
        self.asks.append(path)
        if self.script is not None and path.startswith(self.scripted):
            self.script(connection, self)
            return
        said = self.rendered(connection, self.answer(path))
        if path.startswith("/ops"):
            self.last = said
        connection.send(said)

    def rendered(self, connection: Connection, told: Told, signing: Signing = REQUESTS) -> bytes:
        """An answer as it goes over the wire, signed if what it answers was."""
        return encoded(self.signed(connection, told, signing))

    def signed(self, connection: Connection, told: Told, signing: Signing = REQUESTS) -> Response:
        """An answer, signed if what it answers was."""
        response = Response(
            told.status, (("Content-Type", told.media_type), *told.lines), told.body
        )
        if not connection.header("signature"):
            return response
        return signed_response(response, self.asked(connection), signing, created=int(time.time()))

    def asked(self, connection: Connection) -> Request:
        """A request, under the name that the peer has for itself."""
        method, target, _ = connection.head.decode().split(" ", 2)
        parts = urlsplit(self.base)
        return Request(method, f"{parts.scheme}://{parts.netloc}{target}", connection.lines, None)

    def behind(self, tls: ssl.SSLContext | None = None) -> "Served":
        """Serve it, on some port."""
        return Served(self, tls)


class Served:
    """A peer on a port; which peer may change from one request to the next.

    Args:
        peer: the first of them.
        tls: with it, over TLS.
    """

    def __init__(self, peer: Peer, tls: ssl.SSLContext | None = None) -> None:
        self.peer = peer
        self.scripted = Scripted(self._serve, tls=tls)
        self._scheme = "http" if tls is None else "https"

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"{self._scheme}://127.0.0.1:{self.scripted.port}/fed/v1"

    def __enter__(self) -> Self:
        self.scripted.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.scripted.__exit__()

    def _serve(self, connection: Connection) -> None:
        if connection.head:
            self.peer.serve(connection)


def encoded(response: Response, *, length: bool = True) -> bytes:
    """An answer as it goes over the wire."""
    phrase = HTTPStatus(response.status).phrase
    lines = [*response.headers, *([("Content-Length", str(len(response.body)))] * length)]
    head = "".join(f"{name}: {value}\r\n" for name, value in lines)
    return f"HTTP/1.1 {response.status} {phrase}\r\n{head}\r\n".encode() + response.body


def honest(base: str = BASE) -> Peer:
    """The peer as every run begins: four operations of two organisations."""
    peer = Peer(base)
    peer.say(said(1), said(2), said(3), disagreed(4, target(1)))
    return peer


def envelope_of(one: Operation, by: MemorySigner = OP, key_id: str = KEY) -> dict[str, Any]:
    """An operation in its envelope, rightly signed."""
    (found,) = signed([one], by, key_id)
    return found.sealed.told


def written_file(**changes: Any) -> bytes:
    """The peer's ``hub.json`` as bytes."""
    return write(hub_file(**changes))
