# SPDX-License-Identifier: Apache-2.0
"""Bugs to be planted, a line or two each: the simulation must find every one of them."""

import inspect
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from federation import believing, trust
from federation.operations.envelopes import Sealed
from federation.publishing import checkpoint
from federation.registers import joined
from hub.domain.changes import SYSTEM
from hub.services.exchange import (
    effects,
    forgetting,
    joining,
    planning,
    publishing,
    receiving,
    relaying,
    serving,
)
from hub.storage import tables

Patch = pytest.MonkeyPatch
DAY = 86_400


@contextmanager
def planted(name: str) -> Iterator[None]:
    """Plant a bug for as long as the block lasts."""
    with pytest.MonkeyPatch.context() as patch:
        BUGS[name](patch)
        yield


def _rewrite(function: Callable[..., Any], old: str, new: str, **known: Any) -> Any:
    """A function with some words of its source replaced."""
    source = textwrap.dedent(inspect.getsource(function))
    assert source.count(old) == 1, f"{old!r} is not what it was"
    found: dict[str, Any] = {}
    exec(source.replace(old, new), {**function.__globals__, **known}, found)  # noqa: S102 - our own source
    return found[function.__name__]


def keep_ignored(patch: Patch) -> None:
    """The control: each version is kept for as long as it says something, no longer."""
    said = publishing._operation  # noqa: SLF001 - a bug is planted

    def operation(*args: Any) -> Any:
        made = said(*args)
        return replace(made, keep=made.expires)

    patch.setattr(publishing, "_operation", operation)


def last_come_wins(patch: Patch) -> None:
    """What came last holds, whatever its version."""
    late = "replace(max(one, other, key=lambda held: held.version), keep=keep)"
    patch.setattr(joining, "joined", _rewrite(joined, late, "replace(other, keep=keep)"))


def trust_kept_first(patch: Patch) -> None:
    """What is believed of a log is committed before what it says."""
    receive = receiving.receive

    def received(accepted: Any, *, partner: Any, state: str, hub: Any) -> Any:
        with hub.begin.writing(SYSTEM) as work:
            work.partners.keep(partner.key, expected=partner.trust.applied, trust=accepted.trust)
            work.commit()
        known = replace(partner, trust=accepted.trust)
        return receive(accepted, partner=known, state=state, hub=hub)

    patch.setattr(receiving, "receive", received)


def growth_unchecked(patch: Patch) -> None:
    """A page is not held against the checkpoint it comes with."""
    patch.setattr(trust, "_check_growth", lambda *_: None)


def forks_unseen(patch: Patch) -> None:
    """Of two hashes at one size the later is believed."""
    seen = _rewrite(trust.seen, "checkpoint.root != known.root", "False")
    patch.setattr(trust, "seen", seen)


def rollbacks_unseen(patch: Patch) -> None:
    """A log may become shorter."""
    patch.setattr(trust, "seen", _rewrite(trust.seen, "checkpoint.size < known.size", "False"))


def revokes_ignored(patch: Patch) -> None:
    """What is taken back stays."""
    patch.setattr(effects.Effects, "_end", lambda *_: None)


def lies_counted(patch: Patch) -> None:
    """Of two things said with one version the first holds."""
    same = "if one.version == other.version:"
    patch.setattr(joining, "joined", _rewrite(joined, same, f"{same}\n        return one"))


def checkpoint_first(patch: Patch) -> None:
    """A checkpoint leaves before the commit that holds its tree."""

    def show(log: Any, growth: Any, voice: Any, hub: Any, now: int) -> None:
        note = checkpoint(growth.frontier, voice.log, now).encoded()
        with hub.begin.writing(SYSTEM) as work:
            log_table = tables.hub_log
            work._connection.execute(  # noqa: SLF001 - a bug is planted
                log_table.update()
                .where(log_table.c.key == log.key)
                .values(note=note, noted=growth.frontier.size)
            )
            work.commit()

    start = "    with hub.begin.writing(SYSTEM) as work:"
    early = f"    show(log, growth, voice, hub, now)\n{start}"
    patch.setattr(publishing, "_say", _rewrite(publishing._say, start, early, show=show))  # noqa: SLF001 - a bug is planted


def cursor_first(patch: Patch) -> None:
    """How far it was published is committed before what was said."""
    start = "        if not moved(work):\n            return False\n"
    alone = f"{start}        work.commit()\n    with hub.begin.writing(SYSTEM) as work:\n"
    patch.setattr(publishing, "_say", _rewrite(publishing._say, start, alone))  # noqa: SLF001 - a bug is planted


def served_to_all(patch: Patch) -> None:
    """Whoever asks is given everything."""
    patch.setattr(serving, "is_released", lambda *_: True)


def anybody_vouched_for(patch: Patch) -> None:
    """A hub may speak for any organisation."""
    known = "operation.operator not in operators"
    changed = _rewrite(believing.Believing._said, known, "False")  # noqa: SLF001 - a bug is planted
    patch.setattr(believing.Believing, "_said", changed)


def audience_unasked(patch: Patch) -> None:
    """What was not meant for us is taken all the same."""
    patch.setattr(believing, "may_have", lambda *_: True)


def signatures_unchecked(patch: Patch) -> None:
    """An operation is believed whoever signed it."""

    def verified(envelope: Any, _key: Any, key_id: str) -> Sealed:
        signature = bytes.fromhex(envelope.signatures[key_id].signature)
        return Sealed(envelope.payload, key_id, signature)

    patch.setattr(believing, "verified", verified)


def forgotten_early(patch: Patch) -> None:
    """What is to be kept is forgotten a month before."""
    forget = _rewrite(
        forgetting.forget, "forget(now, own=now - GRACE", f"forget(now + {30 * DAY}, own=now"
    )
    patch.setattr(forgetting, "forget", forget)


def shorter_life_unsaid(patch: Patch) -> None:
    """What is over is never taken back, though it was said for longer."""
    over = "if self._is_over(one) and last.operation.expires <= int(self._now.timestamp()):"
    changed = _rewrite(planning.Planner._of_indicator, over, "if self._is_over(one):")  # noqa: SLF001 - a bug is planted
    patch.setattr(planning.Planner, "_of_indicator", changed)


def narrowing_short_lived(patch: Patch) -> None:
    """A statement that narrows is kept for no longer than what is said now."""
    kept = "replace(draft, keep=last.kept.keep)"
    changed = _rewrite(planning.Planner._narrowed, kept, "draft")  # noqa: SLF001 - a bug is planted
    patch.setattr(planning.Planner, "_narrowed", changed)


def opinions_lapse(patch: Patch) -> None:
    """An opinion is not said again when what it is about lives longer."""
    patch.setattr(planning.Planner, "_lapses", lambda *_: False)


def future_passed_over(patch: Patch) -> None:
    """What is said later than now is refused for good."""
    raised = "if error.alarm is Alarm.FUTURE:"
    changed = _rewrite(believing.Believing.all, raised, "if False:")
    patch.setattr(believing.Believing, "all", changed)


def revokes_not_passed_on(patch: Patch) -> None:
    """What others take back goes no further."""
    may = relaying.Terms.may_go_on
    patch.setattr(
        relaying.Terms, "may_go_on", lambda self, one: not one.is_revoke and may(self, one)
    )


def only_the_nearest_heard(patch: Patch) -> None:
    """What came by another hub is passed on by nobody."""
    known = "if source is None or not may_have"
    own = "if source is None or source.relayed or not may_have"
    changed = _rewrite(relaying.Terms.may_go_on, known, own)
    patch.setattr(relaying.Terms, "may_go_on", changed)


BUGS: dict[str, Callable[[Patch], None]] = {
    one.__name__: one
    for one in (
        keep_ignored, last_come_wins, trust_kept_first, growth_unchecked, forks_unseen,
        rollbacks_unseen, revokes_ignored, lies_counted, checkpoint_first, cursor_first,
        served_to_all, anybody_vouched_for, audience_unasked, signatures_unchecked,
        forgotten_early, shorter_life_unsaid, narrowing_short_lived, opinions_lapse,
        future_passed_over, revokes_not_passed_on, only_the_nearest_heard,
    )
}  # fmt: skip
