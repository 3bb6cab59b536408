# SPDX-License-Identifier: Apache-2.0
"""What follows from a register that changed: indicators, opinions, and who may see them.

Everything goes the way of a member's word: guards, entries, links, changes.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from federation.errors import RefusedError
from federation.operations.payloads import operation_in
from federation.operations.values import (
    Op,
    Operation,
    Opinion as Stated,
    PolicyChange,
    Purge,
    Register,
)
from hub.domain.changes import INDICATOR, Delta, Event
from hub.domain.indicators import ERASED, WITHDRAWN, Draft, Indicator
from hub.ports import Hub, Work
from hub.ports.exchange import Enrolled, Kept
from hub.ports.manifests import SetHome
from hub.services.exchange import excluding, manifests
from hub.services.exchange.allowing import Allowance
from hub.services.exchange.holding import erase, hold, keep_in, let_go
from hub.services.exchange.narrowing import left, narrowed
from hub.services.exchange.opining import Opinions
from hub.services.exchange.speakers import Speakers

Fresh = tuple[Kept, Operation, Draft]
"""A register, what holds in it, and the indicator that it is to become."""


class Effects:
    """Carries out what a partner's operations call for.

    Args:
        partner: from whom they came.
        who: speaks.
        drafts: what is said of items, by operation; what is missing says nothing.
        hub: ours.
        work: a transaction that writes.
    """

    def __init__(
        self,
        partner: Enrolled,
        who: Speakers,
        drafts: Mapping[str, Draft],
        hub: Hub,
        work: Work,
    ) -> None:
        self._partner = partner
        self._who = who
        self._opinions = Opinions(who, hub, work)
        self._drafts = drafts
        self._hub = hub
        self._work = work
        self._now = hub.clock()
        self._came: set[str] = set()
        self._paces: dict[str, Allowance] = {}
        self.added = 0
        self.lied = 0

    def of_items(
        self, changed: Mapping[Register, tuple[Kept, str, Operation | None]]
    ) -> dict[Register, Kept]:
        """Let indicators say what their registers say now.

        Args:
            changed: registers, each as it is to be kept, with the id of what holds in it and what
                that says; nothing where its author contradicts itself.

        Returns:
            the registers, each with the indicator that came of it.
        """
        kept = {name: one for name, (one, _, _) in changed.items()}
        known = self._work.indicators.by_keys(
            one.indicator for one in kept.values() if one.indicator is not None
        )
        ended = self._ended([name.target for name, (kept, *_) in changed.items()
                             if name.kind == "indicator" and kept.indicator is None])  # fmt: skip
        fresh: list[Fresh] = []
        for name, (one, identifier, said) in changed.items():
            if name.kind != "indicator":
                continue
            draft, indicator = self._drafts.get(identifier), known.get(one.indicator or 0)
            before = indicator or ended.get(name.target)
            if before is not None and before.state == ERASED and self._is_anew(said, before):
                continue  # erased for good, whoever says it once more
            if (said is not None and said.op is Op.REVOKE) or draft is None or said is None:
                self._take_back(indicator, said, name.origin)
            elif indicator is None and self._is_anew(said, ended.get(name.target)):
                kept[name] = replace(one, indicator=ended[name.target].key)
                fresh += self._revise(kept[name], ended[name.target], said, draft)
            elif indicator is None:
                fresh.append((one, said, draft))
            else:
                fresh += self._revise(one, indicator, said, draft)
        kept |= {one.register: one for one in self._added(fresh)}
        return kept

    def lies(self, origin: str, error: RefusedError) -> None:
        """Keep that an author of a hub contradicts itself; it is the fault of no other hub."""
        self._work.partners.accuse(self.key_of(origin), error, self._now)
        self.lied += origin == self._partner.hub

    def of_sets(self, changed: Iterable[Register]) -> None:
        """Let manifests count, each of the hub whose set it is: that is for people to say."""
        for one in self._sets_at_home(changed):
            manifests.settle(one, self._work)

    def _sets_at_home(self, registers: Iterable[Register]) -> list[SetHome]:
        """The sets of whose manifests registers are, and whose hub writes them."""
        about = {(one.target, one.origin) for one in registers if one.kind == manifests.SET}
        homes = self._work.manifests.homes() if about else {}
        return [one for name, one in homes.items() if (name, one.home) in about]

    def of_words(self, said: Iterable[Operation]) -> None:
        """Let the rest be known: narrower audiences and opinions; and those that waited."""
        given, erased = set(), []
        for one in said:
            if isinstance(one.body, PolicyChange):
                self._narrow(one)
            elif isinstance(one.body, Purge):
                erased.append(Register(one.origin, one.author, "indicator", one.target))
            elif isinstance(one.body, Stated):
                self._opinions.give(one, one.body)
                given.add(one.register)
        self._purge(erased)
        self._opinions.give_waiting(self._came, given)

    def of_exclusions(self, changed: Mapping[Register, Operation | None]) -> None:
        """Let exclusions be voices, as their registers say now.

        What is wrong with one is kept against the hub that said it, whoever brought it.

        Args:
            changed: registers, with what holds in each; nothing where its author contradicts
                itself.
        """
        for name, said in changed.items():
            if name.kind != excluding.EXCLUDE:
                continue
            error = excluding.heard(
                name,
                said,
                None if said is None else self._who.party(said),
                self._who.sets_of(name.origin),
                hub=self._hub,
                work=self._work,
            )
            if error is not None:
                self._work.partners.accuse(self.key_of(name.origin), error, self._now)

    def undo(self, void: Sequence[Kept]) -> None:
        """Let indicators and opinions say nothing that was said with a stolen key.

        What a thief had erased cannot come back; what it narrowed, the log says once more.
        """
        sealed = self._work.exchange.sealed(
            one.operation for one in void if one.operation is not None
        )
        for one in void:
            operation = operation_in(sealed.get(one.operation or 0))
            if one.register.kind == "indicator" and one.indicator is not None:
                known = self._work.indicators.by_keys([one.indicator]).get(one.indicator)
                self._take_back(known, None, one.register.origin)
            elif operation is not None and isinstance(operation.body, Stated):
                self._opinions.unsay(operation)
        for manifest in self._sets_at_home(one.register for one in void):
            manifests.forget(manifest, self._work)
        self.of_exclusions({one.register: None for one in void})

    # -- indicators ---------------------------------------------------------------------------

    def _added(self, fresh: Sequence[Fresh]) -> list[Kept]:
        """Keep new indicators, a party's together; returns their registers."""
        by_author: dict[str, list[Fresh]] = {}
        for one in self._within_policy(fresh):
            by_author.setdefault(one[1].author, []).append(one)
        linked: list[Kept] = []
        for some in by_author.values():
            party = self._who.party(some[0][1])
            drafts = [draft for _, _, draft in some]
            interned = {
                sets: self._work.indicators.intern(sets) for sets in {one.sets for one in drafts}
            }
            unseen = {sets for sets, (_, is_new) in interned.items() if is_new}
            added = self._work.indicators.add(
                drafts,
                public_ids=self._names([operation.target for _, operation, _ in some]),
                party=party,
                labels={sets: label for sets, (label, _) in interned.items()},
                at=self._now,
            )
            for (kept, _, draft), (indicator, deltas) in zip(some, added, strict=True):
                self._record(indicator, "assert", deltas, label_is_new=draft.sets in unseen)
                unseen.discard(draft.sets)
                linked.append(replace(kept, indicator=indicator.key))
        self._came |= {one.about for one in linked}
        self.added += len(linked)
        return linked

    def _ended(self, targets: Sequence[str]) -> dict[str, Indicator]:
        """What goes by those public ids: its register was forgotten, or it is another's."""
        taken = self._work.indicators.taken(targets) if targets else set()
        found = (self._work.indicators.find(one, lock=True) for one in sorted(taken))
        return {one.id: one for one in found if one is not None}

    def _is_anew(self, said: Operation | None, ended: Indicator | None) -> bool:
        """Whether its author says again what was forgotten with its register."""
        if said is None or ended is None:
            return False
        return ended.party == self._who.party(said).key

    def _names(self, targets: Sequence[str]) -> list[str]:
        """Public ids: their own, but where somebody took one that was not theirs to take."""
        taken = self._work.indicators.taken(targets)
        used: set[str] = set()
        named: list[str] = []
        for target in targets:
            is_free = target not in taken and target not in used
            named.append(target if is_free else self._hub.new_id("ind_"))
            used.add(target)
        return named

    def _within_policy(self, fresh: Sequence[Fresh]) -> Iterable[Fresh]:
        """Leave out the sets in which something is no longer shared, by what was said before."""
        later = narrowed([operation.target for _, operation, _ in fresh], self._work)
        for kept, operation, draft in fresh:
            sets = left(operation, draft.sets, later, self._who.sets_of(operation.origin))
            if sets:
                yield kept, operation, replace(draft, sets=sets)

    def _revise(self, kept: Kept, known: Indicator, said: Operation, draft: Draft) -> list[Fresh]:
        """Say anew what an indicator says; returns what is to be added instead."""
        later = narrowed([said.target], self._work)
        sets = left(said, draft.sets, later, self._who.sets_of(said.origin))
        if not sets:
            self._take_back(known, said, said.origin)
            return []
        codes = self._work.indicators.codes([known.key]).get(known.key, ())
        plain = {(one.signal, one.value, one.at_ms) for one in codes if not one.derivation}
        if plain != {(c.signal, c.value, c.at_ms) for c in draft.codes if not c.derivation}:
            # Another picture is another indicator: what is here says nothing any more.
            self._take_back(known, said, said.origin)
            return [(kept, said, draft)]
        sets, expires = self._at_once(known, said, sets, draft.expires)
        label, is_new = self._work.indicators.intern(sets)
        fresh, deltas = self._work.indicators.revise(
            known,
            words=draft.words,
            sets=sets,
            expires=expires,
            label=label,
            party=known.party,
            at=self._now,
            derived=[one for one in draft.codes if one.derivation],
        )
        self._record(fresh, "assert", deltas, label_is_new=is_new)
        if not known.is_live or set(sets) - set(known.sets):
            self._came.add(kept.about)
        return []

    def _at_once(
        self, known: Indicator, said: Operation, sets: tuple[int, ...], expires: datetime
    ) -> tuple[tuple[int, ...], datetime]:
        """Where and until when something that is said anew holds at once.

        To be in fewer sets, or for a shorter time, is to be taken back: beyond the usual it stays
        where it was, disputed, for a day.
        """
        may = self._who.sets_of(said.origin).values()
        lost = {one for one in known.sets if one in may and one not in sets}
        is_less = known.is_live and (lost or expires < known.expires)
        if not is_less or self._allowance(said.origin).takes():
            let_go(known, at=self._now, work=self._work)
            return sets, expires
        hold(known, at=self._now, hub=self._hub, work=self._work)
        return tuple(sorted({*sets, *lost})), max(expires, known.expires)

    def _narrow(self, said: Operation) -> None:
        """Share an indicator no more in the sets that its policy names."""
        target = Register(said.origin, said.author, "indicator", said.target)
        kept = self._work.exchange.registers([target]).get(target)
        if kept is None or kept.indicator is None or not isinstance(said.body, PolicyChange):
            return
        if kept.version > (said.epoch, said.body.upto):
            return  # shared anew since
        known = self._work.indicators.by_keys([kept.indicator]).get(kept.indicator)
        if known is None or not known.is_live:
            return
        gone = {self._who.sets_of(said.origin).get(name) for name in said.policy.sets}
        sets = tuple(one for one in known.sets if one not in gone)
        if not sets:
            self._take_back(known, said, said.origin)
        elif sets != known.sets:
            if self._allowance(said.origin).takes():
                keep_in(sets, known, by=self._partner.hub, at=self._now, work=self._work)
            else:
                hold(known, at=self._now, hub=self._hub, work=self._work)

    def _take_back(self, known: Indicator | None, said: Operation | None, origin: str) -> None:
        """End what is taken back; what goes beyond the usual is disputed for a day before."""
        if known is None or not known.is_live:
            return
        if self._allowance(origin).takes():
            self._end(known, said)
        else:
            hold(known, at=self._now, hub=self._hub, work=self._work)

    def _allowance(self, origin: str) -> Allowance:
        """What a hub may take back, which has not been used up."""
        if origin not in self._paces:
            key = self._who.key(origin)
            self._paces[origin] = Allowance(origin, key, self._now, self._work)
        return self._paces[origin]

    def key_of(self, origin: str) -> int | None:
        """Against whom it is kept what a hub did wrong."""
        return self._who.key(origin) or self._partner.key

    def count(self) -> None:
        """Keep how much was changed: what came by the partner, what each hub took back."""
        if self.added:
            self._work.partners.paced(self._partner.key, self._now, added=self.added, revoked=0)
        for one in self._paces.values():
            one.count()

    def _purge(self, targets: Collection[Register]) -> None:
        """Erase what its origin erased: codes, words and the bytes that said them, for good."""
        kept = self._work.exchange.registers(targets)
        known = self._work.indicators.by_keys(
            one.indicator for one in kept.values() if one.indicator is not None
        )
        over: dict[Register, Indicator] = {}
        for name, one in kept.items():
            found = known.get(one.indicator or 0)
            if found is None:
                self._work.exchange.purge(name)  # it was only kept
            elif found.is_live and not self._allowance(name.origin).takes():
                hold(found, at=self._now, hub=self._hub, work=self._work)
            elif found.state != ERASED:
                over[name] = found
        erase(over, hub=self._hub, work=self._work)

    def _end(self, known: Indicator, said: Operation | None) -> None:
        reason = getattr(said.body, "reason", None) if said is not None else None
        gone, deltas = self._work.indicators.end(
            known, kind="withdraw", state=WITHDRAWN, at=self._now, reason=reason
        )
        self._record(gone, "withdraw", deltas)

    def _record(
        self,
        indicator: Indicator,
        what: str,
        deltas: Mapping[str, Delta],
        *,
        label_is_new: bool = False,
    ) -> None:
        details: dict[str, Any] = {"what": what, "partner": self._partner.hub}
        if label_is_new:
            details["label_sets"] = list(indicator.sets)
        self._work.record(Event(INDICATOR, indicator.key, indicator.n, details, deltas))
