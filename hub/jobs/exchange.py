# SPDX-License-Identifier: Apache-2.0
"""Loops between hubs: say what is new, say that we are alive, follow each partner.

Every partner has a thread of its own: who is slow, away or lying holds nobody else up.
"""

import random
import secrets
import threading
from collections.abc import Collection, Sequence

import structlog

from federation.errors import FederationError, RefusedError, TransportError
from federation.following import LONGEST_WAIT, records_next
from federation.pages import MAX_RECORDS
from hub.jobs.asking import side_by_side
from hub.ports import Hub
from hub.ports.exchange import ACTIVE, Enrolled, Voice
from hub.services.exchange import (
    being_witnessed,
    comparing,
    healing,
    meeting,
    partners,
    publishing,
    pulling,
    relaying,
    reviewing,
)

log = structlog.get_logger(__name__)

LOOK = 1.0
"""Seconds between two looks at who is a partner."""
NEWS = 0.5
"""Seconds after which is looked, rung or not, whether there is something to say."""
ANNOUNCE_SECONDS = 10.0
"""How often is looked what sets are, where nothing changed here: another hub may have said so."""
DOUBT_SECONDS = 10.0
"""How often a hub that was restored asks whether it may speak."""
WITNESS_SECONDS = 5.0
"""How often is looked whether our newest checkpoint was witnessed."""
GOSSIP_SECONDS = 600.0
"""Rest between two rounds in which each partner is asked what it saw of the others' logs."""
FIRST_PAUSE, LONGEST_PAUSE = 5.0, 900.0
LONGEST_AWAY = 30.0
"""Seconds of pause at most where a partner is only away: once it is back, what it says is late."""
IDENTITY_SECONDS = 1800.0
"""How often a partner is asked who it is: a key that it calls stolen must not hold long."""
MEET_SECONDS = 10.0
"""How often a partner is asked for hubs of which nothing is known yet."""
REST = 2.0
"""Seconds of rest after an answer that came at once and said nothing: no place to wait."""


def publish(hub: Hub, stop: threading.Event) -> None:
    """Say to partners what members said, as soon as it is said."""
    announced: tuple[int, int] | None = None
    while not stop.is_set():
        voice = hub.abroad.voice()
        if voice is None:
            stop.wait(LOOK)
            continue
        if healing.is_doubted(hub) and not _may_speak(hub, voice):
            stop.wait(DOUBT_SECONDS)
            continue
        moment = hub.directory.position, int(hub.clock().timestamp() / ANNOUNCE_SECONDS)
        if moment != announced:
            publishing.announce(hub, voice, secrets.token_bytes)
            announced = moment
        said = publishing.say_anew(hub, voice, secrets.token_bytes)
        said += relaying.pass_on(hub, voice)
        said += reviewing.review(hub)
        said += publishing.publish(hub, voice, secrets.token_bytes)
        said += publishing.backfill(hub, voice, secrets.token_bytes)
        publishing.show_checkpoint(hub, voice)
        if not said:
            hub.follower.wait_for(hub.engine.position + 1, NEWS)


def _may_speak(hub: Hub, voice: Voice) -> bool:
    """Whether witnesses saw no more of our log than there is."""
    known = hub.abroad.known()
    if known is None:
        return False
    health = healing.ask(hub, voice, known, healing.ways(hub))
    if health.is_rolled_back:
        log.error("own_log_rolled_back", entries=health.size, head=health.seen)
        missing = healing.heal(hub, voice, known, health)
        for name in missing:
            log.warning("own_log_waits_for", partner=name)
    elif not health.is_sure:
        log.warning("own_log_unchecked", count=health.answered, wanted=health.asked)
    else:
        hub.abroad.outrun(int(hub.clock().timestamp()))
    return health.is_sure


def be_witnessed(hub: Hub, stop: threading.Event) -> None:
    """Have partners say what they saw of our log."""
    sizes: dict[str, int] = {}
    while not stop.is_set():
        voice = hub.abroad.voice()
        if voice is not None:
            being_witnessed.ask_witnesses(
                hub, voice, hub.abroad.open_wire, sizes, each=side_by_side
            )
        stop.wait(WITNESS_SECONDS)


def compare_views(hub: Hub, stop: threading.Event) -> None:
    """Hold what partners saw of each other's logs against what we saw, in turns, in peace."""
    while not stop.wait(GOSSIP_SECONDS):
        if hub.abroad.voice() is None:
            continue
        comparing.compare_own(hub, hub.abroad.open_wire)
        with hub.begin.reading() as work:
            known = [one.hub for one in work.partners.all()]
        for name in known:
            if stop.is_set():
                return
            try:
                comparing.compare_views(name, hub, hub.abroad.open_wire)
            except FederationError:
                continue  # the others are asked nevertheless; that it is away, its health tells


def be_known(hub: Hub, stop: threading.Event) -> None:
    """Keep what says who we are from growing old."""
    while not stop.is_set():
        hub.abroad.refresh(int(hub.clock().timestamp()))
        stop.wait(LOOK)


def follow_partners(hub: Hub, stop: threading.Event) -> None:
    """Follow everybody who is a partner."""
    threads: dict[str, threading.Thread] = {}
    weights: dict[str, str] = {}
    while not stop.is_set():
        if hub.abroad.voice() is not None:
            with hub.begin.reading() as work:
                known = work.partners.all()
            _show(known, hub)
            _weigh(known, weights, hub)
            for name in {one.hub for one in known if one.state == ACTIVE and one.is_asked}:
                thread = threads.get(name)
                if thread is None or not thread.is_alive():
                    threads[name] = threading.Thread(
                        target=_follow, args=(name, hub, stop), name=f"partner-{name}", daemon=True
                    )
                    threads[name].start()
        stop.wait(LOOK)


def _show(known: Sequence[Enrolled], hub: Hub) -> None:
    for one in known:
        told = partners.told(one, hub.clock())
        hub.metrics.partner(
            one.hub,
            behind=told["behind"],
            alive_seconds=told["alive_seconds_ago"],
            weight={name: told["weight"] == name for name in partners.WEIGHTS},
            witnessed=told["witnessed"],
            failing=told["error"] is not None,
        )


def _weigh(known: Sequence[Enrolled], weights: dict[str, str], hub: Hub) -> None:
    """Let the word of partners that nobody asks weigh less when they were not heard for long."""
    now = int(hub.clock().timestamp())
    for one in (one for one in known if not one.is_asked):
        weight = partners.weight(one, now)
        if weights.get(one.hub) != weight:
            partners.weigh(one, hub)
            weights[one.hub] = weight


def _follow(name: str, hub: Hub, stop: threading.Event) -> None:
    """Follow one partner until it is none any more."""
    pause, asked_at, met_at, limit = FIRST_PAUSE, 0.0, 0.0, MAX_RECORDS
    strangers: set[str] = set()
    while not stop.is_set():
        try:
            voice = hub.abroad.voice()
            if voice is None:
                return
            now = hub.clock().timestamp()
            if now - asked_at > IDENTITY_SECONDS:
                if not _ask_identity(name, hub):
                    return
                asked_at = now
                _meet(name, hub, voice, only_new=False)
            elif now - met_at > MEET_SECONDS:
                met_at = now
                _meet(name, hub, voice, only_new=True, strangers=strangers)
                strangers.clear()
            turn = _turn(name, hub, voice, stop, limit)
            if turn is None:
                return
            strangers |= turn.strangers
            limit = records_next(limit, hub.clock().timestamp() - now)
            pause = FIRST_PAUSE
        except FederationError as error:
            told = error.alarm.value if isinstance(error, RefusedError) else "transport"
            log.warning("partner_not_followed", partner=name, alarm=told)
            asked_at = 0.0  # it may have other keys by now
            wait = error.retry_after if isinstance(error, TransportError) else 0.0
            limit = records_next(limit, None)  # perhaps it was too much for the way
            stop.wait(max(pause, wait))
            # Decorrelated: partners that failed together do not come back together.
            longest = LONGEST_AWAY if isinstance(error, TransportError) else LONGEST_PAUSE
            pause = min(longest, random.uniform(FIRST_PAUSE, 3 * pause))  # noqa: S311 - no secret


def _ask_identity(name: str, hub: Hub) -> bool:
    with hub.begin.reading() as work:
        partner = work.partners.named(name)
    if partner is None or partner.state != ACTIVE:
        return False
    pulling.ask_identity(partner, hub)
    return True


def _meet(
    name: str, hub: Hub, voice: Voice, *, only_new: bool, strangers: Collection[str] = ()
) -> None:
    """Learn who they are whose word a partner brings, and that they are alive."""
    with hub.begin.reading() as work:
        partner = work.partners.named(name)
    known = None if partner is None else partners.identity_of(partner)
    if partner is not None and known is not None:
        wire = hub.abroad.wire(partner, known)
        meeting.meet_all(partner, wire, hub, voice, only_new=only_new, strangers=strangers)


def _turn(
    name: str, hub: Hub, voice: Voice, stop: threading.Event, limit: int
) -> pulling.Turn | None:
    """One page; None: nobody follows it now."""
    began = hub.clock().timestamp()
    turn = pulling.pull(name, wait=LONGEST_WAIT, hub=hub, voice=voice, limit=limit)
    if turn is None:
        return None
    if turn.kept:
        log.info("operations_received", partner=name, count=turn.kept, behind=turn.behind)
    if turn.is_idle and hub.clock().timestamp() - began < 1.0:
        stop.wait(REST)
    return turn
