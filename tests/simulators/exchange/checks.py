# SPDX-License-Identifier: Apache-2.0
"""What must hold in every simulation, by the numbers of the invariants.

- I1: what was acknowledged is in SQL.
- I3: nothing that was taken back is live where its taking back was applied.
- I4: histories and logs are dense and unbroken; no checkpoint covers more than was committed.
- I5: hubs with equal entitlement hold the same, once everything got through.
- I6: nothing is corroborated by fewer than two independent operators.
- I7: one change for each change of state.
- I8: what is refused changes nothing, and is kept as evidence, never too much of it.

The rules are written anew here, from the rows and the logs, and share no code with the hub's.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from federation.log.checkpoints import opened
from federation.log.merkle import Frontier, leaf_hash
from federation.log.notes import Note
from federation.operations.envelopes import payload_of
from federation.operations.leaves import Kind, entry
from federation.operations.payloads import read_operation
from federation.operations.values import Op, Operation, PolicyChange
from hub.domain.standing import CORROBORATED
from tests.faults.wholeness import flaws
from tests.simulators.exchange.hubs import VICTIM, Logged, SimHub
from tests.simulators.exchange.liar import Book
from tests.simulators.exchange.town import LIAR, log_of

MOST_EVIDENCE = 100
CLOCKS_DIFFER = 600  # seconds at most
TWO = 2  # independent operators corroborate
LIES = f"liar.{LIAR}"


class ViolationError(AssertionError):
    """An invariant does not hold.

    Args:
        invariant: its number.
        what: happened.
    """

    def __init__(self, invariant: str, what: str) -> None:
        self.invariant = invariant
        super().__init__(f"{invariant}: {what}")


def acknowledged(hub: SimHub) -> None:
    """I1: every contribution and revision that was answered is there."""
    kept = {(str(name), int(n)) for name, n in hub.disk.ask(
        "SELECT i.id, v.n FROM version v JOIN indicator i ON i.key = v.indicator"
    )}  # fmt: skip
    for one in hub.told:
        if (one.id, one.n) not in kept:
            raise ViolationError("I1", f"{hub.name} acknowledged {one} and lost it")


# -- I3 ------------------------------------------------------------------------------------------


def taken_back(hub: SimHub, origin: SimHub, hubs: Mapping[str, SimHub]) -> None:
    """I3: nothing of an origin is live at a hub against what the hub has heard of it.

    Args:
        hub: where it would be live.
        origin: who said it.
        hubs: all honest ones: each may have passed it on.
    """
    told = {
        one.said.id for name in hub.applied() if name in hubs for one in _heard(hub, hubs[name])
    }
    heard = [one for one in origin.said if one.said.id in told]
    allowed = may_be_live(heard, shared_sets(hub))
    for name, target, set_id in _live_from(hub, origin.name):
        if target is None:
            raise ViolationError("I3", f"{hub.name} has {name} of {origin.name} in no register")
        if set_id not in allowed.get(target, frozenset()):
            raise ViolationError("I3", f"{hub.name} has {target} of {origin.name} in {set_id}")


def _heard(hub: SimHub, host: SimHub) -> list[Logged]:
    """What a hub has heard from another: in order, and what was taken back ahead of that."""
    kept = hub.enrolled(host.name)
    upto = hub.heard[host.name] = max(hub.heard.get(host.name, 0), kept.trust.applied)
    return [
        one
        for one in host.said
        if one.index < upto
        or (one.index < kept.revoked_to and one.said.operation.op in {Op.REVOKE, Op.POLICY})
    ]


def may_be_live(heard: Iterable[Logged], sets: Iterable[str]) -> dict[str, frozenset[str]]:
    """In which sets which indicators of one hub may be live, after some of its operations."""
    shared = frozenset(sets)
    last: dict[str, Operation] = {}
    narrowed: dict[str, Operation] = {}
    for one in heard:
        said = one.said.operation
        places = {Op.ASSERT: last, Op.REVOKE: last, Op.POLICY: narrowed}.get(said.op)
        if places is None or not shared & set(said.policy.sets):
            continue
        before = places.get(said.target)
        # Whoever has forgotten its versions begins anew; the old ones are past their time.
        if before is None or said.previous is None or before.version < said.version:
            places[said.target] = said
    found = {}
    for target, said in last.items():
        allowed = shared & set(said.policy.sets) if said.op is Op.ASSERT else frozenset()
        policy = narrowed.get(target)
        body = policy.body if policy is not None else None
        if policy is not None and isinstance(body, PolicyChange) and said.n <= body.upto:
            allowed -= set(policy.policy.sets)
        found[target] = frozenset(allowed)
    return found


def _live_from(hub: SimHub, origin: str) -> list[tuple[str, str | None, str]]:
    return [
        (str(name), target, str(set_id))
        for name, target, set_id in hub.disk.ask(
            "SELECT i.id, r.target, s.id FROM indicator i JOIN party p ON p.key = i.party"
            " JOIN entry e ON e.indicator = i.key AND e.live"
            " JOIN sharing_set s ON s.key = e.set_key"
            " LEFT JOIN register r ON r.indicator = i.key AND r.kind = 'indicator'"
            " WHERE i.state = 'live' AND p.hub = ? AND i.expires > ?",
            # What is over is no matter, and by whose clock it is over is not asked.
            [origin, (hub.now + CLOCKS_DIFFER) * 1000],
        )
    ]


def over(hub: SimHub) -> None:
    """I3: nothing is live past its time, once the hub has swept."""
    found = hub.disk.ask(
        "SELECT id FROM indicator WHERE state = 'live' AND expires <= ?", [hub.now * 1000]
    )
    if found:
        raise ViolationError("I3", f"{hub.name} has {found} past its time")


# -- I4, I7 --------------------------------------------------------------------------------------


def shown(hub: SimHub) -> None:
    """I4: no checkpoint covers more than was committed, and it is of what was."""
    rows = hub.disk.ask("SELECT size, noted, note, frontier FROM hub_log")
    for size, noted, note, frontier in rows:
        entries = [
            leaf_hash(entry(Kind(kind), bytes(name).hex(), source))
            for kind, name, source in hub.disk.ask(
                "SELECT l.kind, o.id, l.source FROM log_leaf l JOIN operation o"
                " ON o.key = l.operation ORDER BY l.at_index"
            )
        ]
        if len(entries) != size or Frontier().extended(entries).encoded() != bytes(frontier):
            raise ViolationError("I4", f"the log of {hub.name} is not what its entries make")
        if note is None:
            continue
        log, _ = log_of(hub.name)
        said = opened(Note.parse(bytes(note)), log.name, [log])
        if said.size != noted or noted > size:
            raise ViolationError("I4", f"{hub.name} shows {said.size} of {size} entries")
        if Frontier().extended(entries[:noted]).root() != said.root:
            raise ViolationError("I4", f"{hub.name} shows another log than it has")


def whole(hub: SimHub) -> None:
    """I4 and I7: positions dense, the chain unbroken, one change for each version."""
    with hub.disk.database.reader.connect() as connection:
        found = list(flaws(connection))
    if found:
        raise ViolationError("I4", f"{hub.name}: {found[0]}")
    versions = hub.disk.ask("SELECT indicator, n FROM version ORDER BY 1, 2")
    told = hub.disk.ask("SELECT subject, n FROM change WHERE kind = 'indicator' ORDER BY 1, 2")
    if versions != told:
        raise ViolationError("I7", f"{hub.name} has {len(told)} changes, {len(versions)} versions")
    opinions = hub.disk.ask("SELECT count(*) FROM opinion")
    if opinions != hub.disk.ask("SELECT count(*) FROM change WHERE kind = 'opinion'"):
        raise ViolationError("I7", f"{hub.name} has opinions without a change")


# -- I5 ------------------------------------------------------------------------------------------

Held = dict[tuple[str, str], tuple[Any, ...]]
"""What is held, by set and target."""


def alike(hubs: Sequence[SimHub], stolen: Collection[str] = ()) -> None:
    """I5: whoever may have the same has the same.

    Args:
        hubs: all honest ones.
        stolen: names that a liar gave to something of its own as well: an opinion names what it
            is about, and not whose, so what is thought of these differs.
    """
    names = [one.name for one in hubs]
    held = {one.name: {**entries(one, names), **opinions(one, names, stolen)} for one in hubs}
    sets = {one.name: shared_sets(one) for one in hubs}
    for place, one in enumerate(hubs):
        for other in hubs[:place]:
            both = sets[one.name] & sets[other.name]
            mine, theirs = (_within(held[each.name], both) for each in (one, other))
            if mine != theirs:
                first = min(
                    key for key in mine.keys() | theirs.keys() if mine.get(key) != theirs.get(key)
                )
                raise ViolationError(
                    "I5",
                    f"{one.name} and {other.name} differ in {first}: "
                    f"{mine.get(first)} and {theirs.get(first)}",
                )
    for origin in hubs:
        _registers_alike(origin, [one for one in hubs if sets[one.name] == sets[origin.name]])


def _within(held: Held, sets: frozenset[str]) -> Held:
    return {key: value for key, value in held.items() if key[0] in sets}


def _registers_alike(origin: SimHub, hubs: Sequence[SimHub]) -> None:
    own = registers(origin, origin.name)
    for one in hubs:
        theirs = registers(one, origin.name)
        if theirs != own:
            odd = min(set(own.items()) ^ set(theirs.items()))
            raise ViolationError("I5", f"{one.name} and {origin.name} differ in {odd}")


def shared_sets(hub: SimHub) -> frozenset[str]:
    """Public ids of the sets that a hub shares with anybody."""
    return frozenset(
        str(one)
        for (one,) in hub.disk.ask(
            "SELECT DISTINCT s.id FROM sharing_set s JOIN partner_set p ON p.set_key = s.key"
        )
    )


def registers(
    hub: SimHub, origin: str, since: int | None = None
) -> dict[tuple[str, ...], tuple[Any, ...]]:
    """What a hub holds of an origin's registers, but what was past its time by then or now."""
    rows = hub.disk.ask(
        "SELECT r.author, r.kind, r.target, r.epoch, r.n, r.keep, hex(o.id), r.other IS NULL"
        " FROM register r JOIN operation o ON o.key = r.operation"
        " WHERE r.origin = ? AND r.keep > ?",
        [origin, hub.now if since is None else since],
    )
    return {row[:3]: row[3:] for row in rows}


def entries(hub: SimHub, honest: Sequence[str]) -> Held:
    """The live entries of honest hubs' members: words, time, code."""
    rows = hub.disk.ask(
        "SELECT s.id, coalesce(r.target, i.id), coalesce(p.hub, ?), v.words, i.expires,"
        " (SELECT group_concat(hex(c.value)) FROM code c WHERE c.indicator = i.key)"
        " FROM indicator i JOIN entry e ON e.indicator = i.key AND e.live"
        " JOIN sharing_set s ON s.key = e.set_key JOIN party p ON p.key = i.party"
        " JOIN version v ON v.indicator = i.key AND v.n = i.n"
        " LEFT JOIN register r ON r.indicator = i.key AND r.kind = 'indicator'"
        " WHERE i.state = 'live'",
        [hub.name],
    )
    return {
        (str(set_id), str(target)): (origin, words, expires, codes)
        for set_id, target, origin, words, expires, codes in rows
        if origin in honest and VICTIM not in words
    }


def opinions(hub: SimHub, honest: Sequence[str], stolen: Collection[str]) -> Held:
    """What honest hubs' operators think of each other's live entries, at each of those hubs."""
    rows = hub.disk.ask(
        "SELECT s.id, coalesce(r.target, i.id), op.name, coalesce(vp.hub, ?),"
        " coalesce(p.hub, ?), v.words, o.stance, o.reason, o.basis, o.assessed_by, o.reach"
        " FROM opinion o JOIN indicator i ON i.key = o.indicator AND i.state = 'live'"
        " JOIN entry e ON e.indicator = i.key AND e.set_key = o.set_key AND e.live"
        " JOIN version v ON v.indicator = i.key AND v.n = i.n"
        " JOIN sharing_set s ON s.key = o.set_key JOIN operator op ON op.key = o.operator"
        " JOIN party vp ON vp.key = o.party JOIN party p ON p.key = i.party"
        " LEFT JOIN register r ON r.indicator = i.key AND r.kind = 'indicator'"
        " WHERE o.live",
        [hub.name, hub.name],
    )
    return {
        (str(set_id), f"{target} by {name} at {voice}"): tuple(said)
        for set_id, target, name, voice, origin, words, *said in rows
        if voice in honest and origin in honest and VICTIM not in words and target not in stolen
    }


# -- I6 ------------------------------------------------------------------------------------------


def judged_alike(hubs: Sequence[SimHub], stolen: Collection[str]) -> None:
    """I5 and I6: hubs say the same of what they all hold, where no liar has a say."""
    told = {hub.name: standings(hub) for hub in hubs}
    for place, one in enumerate(hubs):
        for other in hubs[:place]:
            mine, theirs = told[one.name], told[other.name]
            for key in sorted(mine.keys() & theirs.keys()):
                if key[1] not in stolen and mine[key] != theirs[key]:
                    raise ViolationError(
                        "I5",
                        f"{one.name} and {other.name} judge {key}: {mine[key]}, {theirs[key]}",
                    )


def standings(hub: SimHub) -> dict[tuple[str, str], tuple[str, int]]:
    """What a hub says of its live entries, with its neighbours linked; and that it may (I6)."""
    link_neighbours(hub)
    rows = hub.disk.ask(
        "SELECT i.key, coalesce(r.target, i.id), s.key, s.id FROM entry e"
        " JOIN indicator i ON i.key = e.indicator JOIN sharing_set s ON s.key = e.set_key"
        " JOIN operator o ON o.key = i.operator AND o.name != ?"
        " LEFT JOIN register r ON r.indicator = i.key AND r.kind = 'indicator' WHERE e.live",
        [LIES],
    )
    named = {(key, set_key): (str(set_id), str(name)) for key, name, set_key, set_id in rows}
    liar = {key for (key,) in hub.disk.ask("SELECT key FROM operator WHERE name = ?", [LIES])}
    with hub.begin.reading() as work:
        found = work.votes.described({key for key, _ in named}, {set_key for _, set_key in named})
    told: dict[tuple[str, str], tuple[str, int]] = {}
    for one in found:
        place = named.get((one.indicator, one.set_key))
        if place is None:
            continue
        said = one.standing(hub.clock())
        behind = {one.operator} | {vote.operator for vote in one.votes if vote.stance == "agree"}
        if said.name == CORROBORATED and len(behind) < TWO:
            raise ViolationError("I6", f"{hub.name}: {place} is corroborated by {behind}")
        # What is never shared is judged by nobody else.
        if not liar & {vote.operator for vote in one.votes} and VICTIM not in str(one.words):
            told[place] = said.name, said.operators
    return told


def link_neighbours(hub: SimHub) -> None:
    """Link what has the same code in the same set: a stand-in for the job that needs an engine.

    What never leaves its hub is left out, for elsewhere it is no neighbour of anything.
    """
    rows = hub.disk.ask(
        "SELECT e.indicator, e.set_key, c.value, i.operator FROM entry e JOIN indicator i"
        " ON i.key = e.indicator JOIN code c ON c.indicator = i.key"
        " JOIN version v ON v.indicator = i.key AND v.n = i.n"
        " WHERE e.live AND instr(v.words, ?) = 0 ORDER BY e.indicator",
        [VICTIM],
    )
    near: defaultdict[tuple[int, bytes], list[tuple[int, int]]] = defaultdict(list)
    for indicator, set_key, value, operator in rows:
        near[set_key, bytes(value)].append((indicator, operator))
    with hub.disk.database.writer.begin() as connection:
        for (set_key, _), some in near.items():
            for indicator, operator in some:
                for voter, by in some:
                    if by != operator:
                        connection.exec_driver_sql(
                            "INSERT OR IGNORE INTO link"
                            " (indicator, set_key, voter, operator, side) VALUES (?, ?, ?, ?, 1)",
                            (indicator, set_key, voter, by),
                        )


# -- I8 ------------------------------------------------------------------------------------------


def unforged(hub: SimHub, origins: Mapping[str, SimHub]) -> None:
    """I8: nobody has spoken for an honest hub but itself."""
    true = {one.said.id for origin in origins.values() for one in origin.said}
    rows = hub.disk.ask(
        "SELECT r.origin, lower(hex(o.id)) FROM register r JOIN operation o"
        " ON o.key IN (r.operation, r.other)"
    )
    for origin, name in rows:
        if origin in origins and name not in true:
            raise ViolationError("I8", f"{hub.name} believes that {origin} said {name}")


def silenced(hub: SimHub, book: Book) -> None:
    """I8: what its author contradicts, and what nobody may vouch for, counts for nothing.

    Args:
        hub: where it must count for nothing.
        book: the log of the liar, as the hub sees it.
    """
    applied = hub.applied()[LIAR]
    live = {target for _, target, _ in _live_from(hub, LIAR)}
    for target, said in _last_said(book, applied, hub.now).items():
        if len(said) > 1 and target in live:
            raise ViolationError("I8", f"{hub.name} counts {target}, which was said in two ways")
    alien = hub.disk.ask(
        "SELECT i.id FROM indicator i JOIN party p ON p.key = i.party"
        " JOIN operator o ON o.key = i.operator WHERE p.hub = ? AND o.name != ?",
        [LIAR, LIES],
    )
    if alien:
        raise ViolationError("I8", f"{hub.name} lets {LIAR} speak for others: {alien}")


def _last_said(book: Book, applied: int, now: int) -> dict[str, set[str]]:
    """Ids of what a liar said last of its indicators, as far as anybody may believe it."""
    last: dict[str, tuple[tuple[int, int], set[str]]] = {}
    for record in book.hub.records[:applied]:
        if record.index in book.bad or record.envelope is None:
            continue
        said = read_operation(payload_of(record.envelope))
        operation = said.operation
        if operation.register.kind != "indicator" or operation.keep <= now + CLOCKS_DIFFER:
            continue
        version, ids = last.get(operation.target, ((0, 0), set()))
        if operation.version > version:
            last[operation.target] = operation.version, {said.id}
        elif operation.version == version:
            ids.add(said.id)
    return {target: ids for target, (_, ids) in last.items()}


def evidence(hub: SimHub) -> None:
    """I8: evidence is bounded."""
    rows = hub.disk.ask("SELECT partner, alarm, count(*) FROM evidence GROUP BY 1, 2")
    if any(number > MOST_EVIDENCE for *_, number in rows):
        raise ViolationError("I8", f"{hub.name} keeps too much evidence")
