# SPDX-License-Identifier: Apache-2.0
"""Whole hubs that are partners, with nothing between them but a wire that a test holds."""

import hashlib
import re
from typing import Any

from federation.believing import Partner
from federation.errors import FederationError, TransportError
from federation.following import early_revokes, next_page
from federation.identity import hubfile
from federation.identity.hubfile import read_hub_file
from federation.identity.values import HubFile, Log, Operator, OpKey
from federation.keys import MemorySigner
from federation.log.cosignatures import Cosigner
from federation.log.verifiers import Verifier
from federation.ports import Answer
from federation.publishing import LogKeys
from hub.adapters.abroad import NetworkAbroad
from hub.adapters.identities import Identity, Introduction
from hub.domain.changes import SYSTEM
from hub.ports.exchange import COUNTS, Enrolled, Voice
from hub.services.exchange import (
    being_witnessed,
    meeting,
    partners,
    publishing,
    receiving,
    relaying,
    serving,
    witnessing,
)
from hub.services.exchange.learning import learn
from tests.simulators.serving import answered
from tests.support.house import House


def voice(name: str) -> Voice:
    """By what a hub of that name speaks; its keys follow from it."""
    op, log, beat = (MemorySigner(f"{what}:{name}".ljust(32)[:32].encode()) for what in "ols")
    keys = LogKeys(f"{name}/fed/1", log, f"{name}/w", beat)
    return Voice(name, op, f"{name}#op-1", 1, keys, f"run.{name}", "ngo", root_of(name))


def root_of(name: str) -> str:
    """The hash of the first root of a hub of that name: there is no repository behind it."""
    return hashlib.sha256(name.encode()).hexdigest()


def hub_file(spoken: Voice) -> HubFile:
    """What a hub says of itself that speaks by some keys."""
    verifier = Verifier(spoken.log.origin, spoken.log.log.public)
    return HubFile(
        hub=spoken.hub,
        operator=Operator(spoken.operator, "ngo"),
        base=f"https://{spoken.hub}/fed/v1",
        operators=(spoken.operator,),
        log=Log(spoken.log.origin, (verifier.vkey,)),
        op_keys=(OpKey(spoken.op_id, spoken.op.public, 1, 0, None),),
        req_keys=(),
        witness=Cosigner(spoken.log.beat_name, spoken.log.beat.public).vkey,
    )


class Wire:
    """From one hub to another, in one process.

    Args:
        house: who is asked.
        asker: the name of the hub that asks.
    """

    def __init__(self, house: "Hub", asker: str) -> None:
        self.house = house
        self.asker = asker
        self.asked: list[str] = []

    def get(self, path: str, *, max_bytes: int, seconds: float) -> Answer:
        """Answer as the hub would."""
        del max_bytes, seconds
        self.asked.append(path)
        if path.startswith("/witness/"):
            note = witnessing.shown(path.split("/")[2], hub=self.house.hub)
            return Answer(404, b"") if note is None else Answer(200, note, "text/plain")
        if path.startswith("/log/tile/"):
            return self._tile(path.removeprefix("/log/"))
        with self.house.hub.begin.reading() as work:
            partner = work.partners.named(self.asker)
        assert partner is not None
        if path.startswith("/yours"):
            start, after = (int(value) for value in re.findall(r"=([0-9]+)", path))
            found = serving.returned(partner, start=start, after=after, hub=self.house.hub)
            return Answer(200, found.encoded(), "application/json")
        return answered(path, partner, limit=None, hub=self.house.hub, voice=self.house.voice)

    def _tile(self, path: str) -> Answer:
        try:
            return Answer(200, serving.tile(path, hub=self.house.hub, voice=self.house.voice))
        except serving.NotSoLongError:
            return Answer(404, b"")

    def post(self, path: str, body: bytes, **_: Any) -> Answer:
        """Witness, as the hub would."""
        assert path == "/witness/add-checkpoint"
        self.asked.append(path)
        try:
            lines = witnessing.cosigned(body, hub=self.house.hub, voice=self.house.voice)
        except FederationError as error:
            status, told, media_type = witnessing.status_of(error)
            return Answer(status, told, media_type)
        return Answer(200, lines, "text/plain")


class Hub(House):
    """A house with a voice."""

    def __init__(self, *args: Any, name: str, **options: Any) -> None:
        super().__init__(*args, **options)
        self.name = name
        self._voice = voice(name)
        self.count = 0
        self.sizes: dict[str, int] = {}

    @property
    def voice(self) -> Voice:
        """By what it speaks: keys that follow from its name, or those of its own identity."""
        return self.hub.abroad.voice() or self._voice

    def introduce(self, operator: str) -> None:
        """Make an identity of its own."""
        said = Introduction(self.name, operator, "platform", f"https://{self.name}", ())
        self.identity.begin(said, self.randomness, int(self.clock().timestamp()))

    @property
    def identity(self) -> Identity:
        """Its keys and its repository."""
        abroad = self.hub.abroad
        assert isinstance(abroad, NetworkAbroad)
        return abroad.identity_here

    def randomness(self, size: int) -> bytes:
        """Random enough, and the same in every run."""
        self.count += 1
        return self.count.to_bytes(size, "big")

    def file(self) -> bytes:
        """What it says of itself."""
        known = self.hub.abroad.known()
        if known is not None:
            return hubfile.write(known)
        return hubfile.write(hub_file(self.voice))

    def pair(self, other: "Hub", *, level: int = COUNTS, operators: tuple[str, ...] = ()) -> None:
        """Enrol another hub."""
        with self.hub.begin.writing(SYSTEM) as work:
            key = work.partners.add(
                hub=other.name,
                base=f"https://{other.name}/fed/v1",
                root=other.voice.root,
                operators=operators,
                level=level,
                at=self.clock(),
            )
            work.partners.change(key, identity=other.file())
            work.commit()

    def share(self, other: str, set_id: str) -> None:
        """Share a set with a partner; one that is not here is made, and is the partner's."""
        with self.hub.begin.writing(SYSTEM) as work:
            partner = work.partners.named(other)
            found = work.access.set(set_id) or work.access.add_set(
                id=set_id, name=set_id, tlp="TLP:GREEN", onward="none", sandbox=False,
                state="active", created_at=self.clock(), home=other,
            )  # fmt: skip
            assert partner is not None
            assert found is not None
            work.partners.share(partner.key, found.key)
            work.commit()
        self.hub.directory.reload()

    def announce(self) -> None:
        """Say what its sets are."""
        publishing.announce(self.hub, self.voice, self.randomness)
        publishing.show_checkpoint(self.hub, self.voice)
        self.hub.directory.reload()

    def publish(self) -> None:
        """Say whatever there is to say."""
        while publishing.say_anew(self.hub, self.voice, self.randomness):
            pass
        while relaying.pass_on(self.hub, self.voice):
            pass
        while publishing.publish(self.hub, self.voice, self.randomness):
            pass
        while publishing.backfill(self.hub, self.voice, self.randomness):
            pass
        publishing.show_checkpoint(self.hub, self.voice)

    def enrolled(self, other: str) -> Enrolled:
        """A partner, as it is kept."""
        with self.hub.begin.reading() as work:
            found = work.partners.named(other)
        assert found is not None
        return found

    def partner(self, other: "Hub") -> Partner:
        """What was settled with another hub."""
        kept = self.enrolled(other.name)
        said = partners.identity_of(kept)
        assert said is not None
        return witnessing.settle(kept, said, self.hub, self.voice)

    def learn_of(self, other: "Hub", by: "Hub") -> None:
        """Learn from a partner who another hub is; there is no repository behind it."""
        with self.hub.begin.reading() as work:
            known, via = work.partners.heard_of(other.name), work.partners.named(by.name)
        assert known is not None
        assert via is not None
        with other.hub.begin.reading() as there:
            note = there.logs.open(other.voice.log.origin).note
        said = read_hub_file(other.file())
        named = meeting.unmet(via, self.hub, self.voice)
        proven = (one for one in named if (one.hub, one.root) == (other.name, other.voice.root))
        if (known := next(proven, None)) is None:
            return  # it cannot prove to be who is named
        meeting.keep(known, said, note, partner=via, hub=self.hub, voice=self.voice)

    def ask_witnesses(self, *others: "Hub") -> int:
        """Have the checkpoint cosigned by others; returns how many did."""
        known = {one.name: one for one in others}

        def wire(one: Enrolled) -> Wire:
            if one.hub not in known:
                raise TransportError("it is away")
            return Wire(known[one.hub], self.name)

        return being_witnessed.ask_witnesses(self.hub, self.voice, wire, self.sizes)

    def follow_partner(
        self, other: "Hub", *, limit: int = 1000, state: str = partners.GOOD
    ) -> int:
        """Take one page of what another hub says; returns how many operations changed a thing."""
        kept = self.enrolled(other.name)
        page = next_page(Wire(other, self.name), kept.trust, limit=limit)

        def anew() -> Partner:
            self.learn(other)
            return self.partner(other)

        _, came = receiving.take(
            page, self.partner(other), anew=anew, partner=kept, state=state, hub=self.hub
        )
        assert came is not None
        return came.kept

    def learn(self, other: "Hub") -> None:
        """Ask another hub who it is by now."""
        learn(self.enrolled(other.name), hubfile.read_hub_file(other.file()), self.hub)

    def catch_up(self, other: "Hub", *, limit: int = 1000) -> int:
        """Take all of what another hub says."""
        total, before = 0, -1
        while self.enrolled(other.name).trust.applied != before:
            before = self.enrolled(other.name).trust.applied
            total += self.follow_partner(other, limit=limit)
        self.settle()
        return total

    def take_revokes(self, other: "Hub") -> int:
        """Take what another hub takes back, ahead of everything else."""
        kept = self.enrolled(other.name)
        start = max(kept.revoked_to, kept.trust.applied)
        found, end = early_revokes(
            Wire(other, self.name),
            self.partner(other),
            kept.trust,
            start=start,
            now=int(self.clock().timestamp()),
        )
        taken = receiving.receive_revokes(
            found, end, partner=kept, state=partners.GOOD, hub=self.hub
        )
        self.settle()
        return taken
