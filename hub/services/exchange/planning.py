# SPDX-License-Identifier: Apache-2.0
"""What is to be said to partners: an indicator held against what was said of it last.

Nothing is written here. Where the two agree nothing is to be said, so looking twice does no harm.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from federation.audience import STAYS, VICTIMS
from federation.operations.payloads import operation_in
from federation.operations.values import (
    LIFE,
    Assert,
    Body,
    Op,
    Operation,
    Policy,
    PolicyChange,
    Purge,
    Register,
    Revoke,
)
from hub.domain import statements
from hub.domain.guards import ACCOUNT
from hub.domain.indicators import ERASED, EXPIRED, Code, Indicator, Opinion
from hub.domain.sharing import Speaker
from hub.ports import Hub, Work
from hub.ports.exchange import Kept
from hub.ports.memory import DirectoryPort
from hub.services.exchange.authors import MEMBER, OPERATOR, author_of

INDICATOR, OPINION, POLICY, PURGE = "indicator", "opinion", "policy", "purge"
STRICTNESS = ("clear", "green", "amber", "amber+strict", "red")
NOBODY_ELSE = "none"
ERASURE = "erasure"
"""Why what was said is to be erased: no more is said of it, least of all abroad."""


@dataclass(frozen=True)
class Draft:
    """Something to be said: all of an operation but its version, its times and its salt.

    Attributes:
        kept: the register as it is; None: nothing was ever said there.
        register: its name.
        about: public id of the indicator it is about.
        op: what it does.
        operator: name of the organisation that says it.
        operator_kind: what it was when it said so.
        policy: who may have it.
        body: what it says.
        expires: until when.
        indicator: internal key; None: it is about none.
        said: which version of the indicator, or of the opinion, this is.
        keep: until when it must be kept at least, seconds since 1970.
    """

    kept: Kept | None
    register: Register
    about: str
    op: Op
    operator: str
    operator_kind: str
    policy: Policy
    body: Body
    expires: datetime
    indicator: int | None
    said: int
    keep: int = 0


@dataclass(frozen=True)
class Sets:
    """The sets in which anything may leave, with what holds in them."""

    ids: Mapping[int, str]
    tlp: Mapping[int, str]
    onward: Mapping[int, str]

    @classmethod
    def of(cls, work: Work, directory: DirectoryPort, now: datetime) -> "Sets":
        """Look the shared sets up; what its label keeps inside an organisation is left out.

        Of the label here and that of the set's hub the stricter one holds.
        """
        shared = work.partners.shared_sets()
        manifests = work.manifests.counting(int(now.timestamp()))
        # What is for trying things out stays among those who do.
        known = {
            key: one
            for key in shared
            if (one := directory.set_keyed(key)) is not None and not one.sandbox
        }
        tlp = {key: statements.tlp_of(one.tlp) for key, one in known.items()}
        theirs = {one.set_key: one.tlp for one in manifests.values() if one.tlp in STRICTNESS}
        tlp = {key: max(label, theirs.get(key, label), key=STRICTNESS.index)
               for key, label in tlp.items()}  # fmt: skip
        ids = {key: shared[key] for key, label in tlp.items() if label not in STAYS}
        return cls(ids, tlp, {key: one.onward for key, one in known.items()})

    def policy(self, keys: Iterable[int]) -> Policy:
        """Who may have what is shared in some of them: the strictest of their rules."""
        some = sorted(keys, key=lambda key: self.ids[key])
        tlp = max((self.tlp[key] for key in some), key=STRICTNESS.index)
        onward = all(self.onward[key] != NOBODY_ELSE for key in some)
        return Policy(tlp, tuple(self.ids[key] for key in some), "set" if onward else NOBODY_ELSE)


@dataclass(frozen=True)
class Said:
    """What we said last in a register."""

    kept: Kept
    operation: Operation | None

    @property
    def sets(self) -> frozenset[str]:
        """Public ids of the sets in which it says something still."""
        said = self.operation
        return frozenset(said.policy.sets if said is not None and said.op is Op.ASSERT else ())

    @property
    def is_onward(self) -> bool:
        """Whether other hubs might pass it on."""
        return (
            bool(self.sets)
            and self.operation is not None
            and (self.operation.policy.onward != NOBODY_ELSE)
        )

    @property
    def is_copy(self) -> bool:
        """Whether it was said to be a copy."""
        body = self.operation.body if self.operation is not None else None
        return isinstance(body, Assert) and body.words.get("basis") == statements.COPIED


class Planner:
    """Looks at indicators of one moment.

    Args:
        work: that moment.
        hub: ours.
        name: by which it speaks.
    """

    def __init__(self, work: Work, hub: Hub, name: str) -> None:
        self._work = work
        self._pepper = hub.secrets.pepper
        self._name = name
        self._now = hub.clock()
        self._sets = Sets.of(work, hub.directory, self._now)
        self._codes: Mapping[int, Sequence[Code]] = {}

    def drafts(self, keys: Iterable[int]) -> list[Draft]:
        """What the indicators, and our operators' opinions of them, call for."""
        known = self._work.indicators.by_keys(keys) if self._sets.ids else {}
        if not known:
            return []
        said = self._said([one.id for one in known.values()])
        own = self._of_indicators(known, said)
        told = {one.indicator: one.about for one in own
                if one.op is Op.ASSERT and one.indicator is not None}  # fmt: skip
        return [*own, *self._of_opinions(known, told)]

    # -- indicators ---------------------------------------------------------------------------

    def _of_indicators(
        self, known: Mapping[int, Indicator], said: Mapping[tuple[str, str], Said]
    ) -> list[Draft]:
        speakers = self._work.directory.speakers(one.party for one in known.values())
        own = [one for one in known.values() if speakers[one.party].member_id is not None]
        self._codes = self._work.indicators.codes(one.key for one in own)
        drafts: list[Draft] = []
        for one in own:
            speaker = speakers[one.party]
            last, narrowed = said.get((INDICATOR, one.id)), said.get((POLICY, one.id))
            drafts += self._of_indicator(one, speaker, last, narrowed)
            if one.state == ERASED and last is not None and (PURGE, one.id) not in said:
                drafts += self._purged(one, speaker, last)
        return drafts

    def _of_indicator(
        self, one: Indicator, speaker: Speaker, last: Said | None, narrowed: Said | None
    ) -> list[Draft]:
        before = _left(last, narrowed)
        shared = self._shared(one)
        policy = self._sets.policy(shared) if shared else None
        after = frozenset(policy.sets if policy is not None else ())
        drafts: list[Draft] = []
        if policy is not None and (last is None or before != after or _differs(one, last, policy)):
            drafts.append(self._asserted(one, speaker, last, policy))
        if last is None or last.operation is None:
            return drafts
        # Whoever had it from another hub only will not hear of it any more: to them it is over.
        is_closed = policy is not None and policy.onward == NOBODY_ELSE and last.is_onward
        gone = before if is_closed else before - after
        if not gone:
            return drafts
        # What is over says so itself, at home and abroad, if it was said until when it is.
        if self._is_over(one) and last.operation.expires <= int(self._now.timestamp()):
            return drafts
        if one.is_live and not self._is_over(one) and not self._stays(one):
            said = last.operation.policy
            over = Policy(said.tlp, tuple(sorted(gone)), said.onward)
            return [*drafts, self._narrowed(one, speaker, last, narrowed, over)]
        return [self._revoked(one, speaker, last)]

    def _asserted(
        self, one: Indicator, speaker: Speaker, last: Said | None, policy: Policy
    ) -> Draft:
        body = statements.stated(one, self._codes.get(one.key, ()))
        policy = replace(policy, act=one.words.act)
        register = self._register(INDICATOR, one.id, speaker, last)
        return _draft(one, speaker, (last, register), op=Op.ASSERT, policy=policy, body=body)

    def _revoked(self, one: Indicator, speaker: Speaker, last: Said) -> Draft:
        policy = last.operation.policy if last.operation is not None else Policy("amber", ())
        return _draft(
            one, speaker, (last, last.kept.register), op=Op.REVOKE, policy=policy, body=Revoke()
        )

    def _purged(self, one: Indicator, speaker: Speaker, last: Said) -> list[Draft]:
        """Whoever holds it is asked to erase it as well."""
        if last.operation is None:
            return []
        register = Register(self._name, last.kept.register.author, PURGE, one.id)
        # Whoever may still hold it: what says nothing of it may be passed on.
        policy, body = replace(last.operation.policy, onward="set"), Purge(ERASURE)
        draft = _draft(one, speaker, (None, register), op=Op.PURGE, policy=policy, body=body)
        return [replace(draft, keep=last.kept.keep)]

    def _narrowed(
        self, one: Indicator, speaker: Speaker, last: Said, narrowed: Said | None, gone: Policy
    ) -> Draft:
        """It is shared in fewer sets: who has it by the others is told."""
        # The author is that of the indicator: nobody else may narrow it.
        register = Register(self._name, last.kept.register.author, POLICY, one.id)
        body = PolicyChange(upto=last.kept.version[1])
        draft = _draft(one, speaker, (narrowed, register), op=Op.POLICY, policy=gone, body=body)
        # It outlives all that it takes back, also what was said for longer than is said now.
        return replace(draft, keep=last.kept.keep)

    def _shared(self, one: Indicator) -> list[int]:
        """The sets in which an indicator may leave now."""
        if self._stays(one) or not one.is_live or one.expires <= self._now:
            return []
        return [key for key in one.sets if key in self._sets.ids]

    def _is_over(self, one: Indicator) -> bool:
        return one.state == EXPIRED or one.expires <= self._now

    def _stays(self, one: Indicator) -> bool:
        return one.item_kind == ACCOUNT or one.words.depicts in VICTIMS

    # -- opinions -----------------------------------------------------------------------------

    def _of_opinions(self, known: Mapping[int, Indicator], told: Mapping[int, str]) -> list[Draft]:
        drafts: list[Draft] = []
        for set_key in self._sets.ids:
            there = [key for key, one in known.items() if set_key in one.sets]
            rows = self._work.opinions.of_entries(there, set_key) if there else []
            speakers = self._work.directory.speakers(row.party for row in rows)
            for row in rows:
                speaker, about = speakers[row.party], known[row.indicator]
                if speaker.member_id is not None and (names := self._abroad(about, told)):
                    drafts += self._of_opinion(row, about, names, speaker)
        return drafts

    def _abroad(self, about: Indicator, told: Mapping[int, str]) -> tuple[str, str] | None:
        """Whose an indicator is, and what it is called there; None: nobody else knows of it."""
        source = self._work.exchange.of_indicator(about.key)
        if source is not None:
            return source.register.origin, source.register.target
        return (self._name, told[about.key]) if about.key in told else None

    def _of_opinion(
        self, row: Any, about: Indicator, names: tuple[str, str], speaker: Speaker
    ) -> list[Draft]:
        origin, name = names
        # An id may be used by anybody: whose is meant must be said.
        target = f"{origin}/{name}/{self._sets.ids[row.set_key]}"
        said_by = author_of(self._pepper, self._name, OPERATOR, speaker.operator_id)
        register = Register(self._name, said_by, OPINION, target)
        policy = self._sets.policy([row.set_key])
        kept = self._work.exchange.registers([register]).get(register)
        if (
            kept is not None
            and kept.said == row.n
            and not self._lapses(kept, about)
            and (policy.onward == NOBODY_ELSE or self._is_onward(kept))
        ):
            return []
        opinion = Opinion(
            row.set_key, row.stance, row.reason, row.basis, row.assessed_by, row.reach
        )
        return [
            Draft(
                kept=kept,
                register=register,
                about=name,
                op=Op.OPINION,
                operator=speaker.operator_name,
                operator_kind=row.operator_kind,
                policy=policy,
                body=statements.stated_opinion(opinion),
                expires=about.expires,
                indicator=about.key,
                said=row.n,
            )
        ]

    def _lapses(self, kept: Kept, about: Indicator) -> bool:
        """Whether an opinion would be forgotten before what it is about, which lives longer now.

        Of what nobody else could say for so long it is not asked.
        """
        expires, now = int(about.expires.timestamp()), int(self._now.timestamp())
        return about.is_live and kept.keep < expires <= now + LIFE

    def _is_onward(self, kept: Kept) -> bool:
        """Whether what was said last may be passed on."""
        key = kept.operation or 0
        said = operation_in(self._work.exchange.sealed([key]).get(key))
        return said is not None and said.policy.onward != NOBODY_ELSE

    # -- shared -------------------------------------------------------------------------------

    def _said(self, public_ids: Sequence[str]) -> dict[tuple[str, str], Said]:
        """What we said last, by kind of register and public id."""
        kept = [
            one
            for one in self._work.exchange.about(public_ids, (INDICATOR, POLICY, PURGE))
            if one.register.origin == self._name
        ]
        keys = [one.operation for one in kept if one.operation is not None]
        sealed = self._work.exchange.sealed(keys)
        return {
            (one.register.kind, one.about): Said(one, operation_in(sealed.get(one.operation or 0)))
            for one in kept
        }

    def _register(self, kind: str, target: str, speaker: Speaker, last: Said | None) -> Register:
        """Whoever of an operator wrote in a register first is its author for good."""
        if last is not None:
            return last.kept.register
        said_by = author_of(
            self._pepper, self._name, MEMBER, speaker.member_id or speaker.operator_id
        )
        return Register(self._name, said_by, kind, target)


def _left(last: Said | None, narrowed: Said | None) -> frozenset[str]:
    """The sets in which something was said last, and not taken back by a narrower policy."""
    if last is None:
        return frozenset()
    said = narrowed.operation if narrowed is not None else None
    if said is None or not isinstance(said.body, PolicyChange):
        return last.sets
    if last.kept.version > (said.epoch, said.body.upto):
        return last.sets
    return last.sets - set(said.policy.sets)


def _differs(one: Indicator, last: Said, policy: Policy) -> bool:
    """Whether an indicator says something else than was said of it, or to others."""
    said = last.operation
    if said is None or not last.sets or last.kept.said != one.n:
        return True
    is_other = (said.policy.tlp, said.policy.onward) != (policy.tlp, policy.onward)
    return is_other or (one.copied and not last.is_copy)


def _draft(
    one: Indicator,
    speaker: Speaker,
    place: tuple[Said | None, Register],
    *,
    op: Op,
    policy: Policy,
    body: Body,
) -> Draft:
    last, register = place
    return Draft(
        kept=last.kept if last is not None else None,
        register=register,
        about=one.id,
        op=op,
        operator=speaker.operator_name,
        operator_kind=one.operator_kind,
        policy=policy,
        body=body,
        expires=one.expires,
        indicator=one.key,
        said=one.n,
    )
