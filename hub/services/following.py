# SPDX-License-Identifier: Apache-2.0
"""What a platform with ``replica`` follows to match at home: changes, withdrawals, snapshots.

Codes leave only here and to one's own contributions. Accounts, TLP:AMBER+STRICT sets and pictures
of
victims never leave. What is served is noted before it is sent: it decides what is a copy later.
"""

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from hub.domain.changes import APPEAL, INDICATOR, LINKS, OPINION, SYSTEM
from hub.domain.entries import Described
from hub.domain.errors import GoneError, NotFoundError
from hub.domain.indicators import EXPIRED, WITHDRAWN, Code
from hub.domain.sharing import REPLICA, Asker, SharingSet
from hub.domain.standing import Standing
from hub.ports import Hub, Work
from hub.ports.memory import FollowerPort
from hub.services import cursors
from hub.services.pages import fitting
from hub.services.telling import code_records, told_words

PAGE = 1000
CHANGES = "changes"
KEPT = timedelta(days=400)
AT_REST_MS = 1000
"""How old evidence may be that nothing has changed; older, and SQL is asked."""
STRICT = "TLP:AMBER+STRICT"
VICTIMS = frozenset({"third-party-child", "known-victim"})
_KINDS = frozenset({INDICATOR, LINKS, OPINION, APPEAL})
_GONE = frozenset({WITHDRAWN, EXPIRED})


@dataclass(frozen=True)
class Page:
    """One page of a feed; ``position`` is how far it looked."""

    body: dict[str, Any]
    position: int
    is_empty: bool


LOOK = 0.1
"""Seconds between two looks at what nobody announces."""


class Waiting:
    """At most a quarter of a worker's threads may wait; the rest answer at once."""

    def __init__(self, follower: FollowerPort, threads: int) -> None:
        self._follower = follower
        self._places = threading.BoundedSemaphore(max(1, threads // 4))
        self._ended = threading.Event()

    def until(self, position: int, seconds: float) -> bool:
        """Wait for a change beyond a position; False when there is no place to wait any more."""
        if self._ended.is_set() or not self._places.acquire(blocking=False):
            return False
        try:
            self._follower.wait_for(position + 1, seconds)
        finally:
            self._places.release()
        return not self._ended.is_set()

    def polled(self, is_there: Callable[[], bool], seconds: float) -> bool:
        """Look again and again, until something is there or the time is over; else as above."""
        if self._ended.is_set() or not self._places.acquire(blocking=False):
            return False
        deadline = time.monotonic() + seconds
        try:
            while not is_there() and time.monotonic() < deadline:
                if self._ended.wait(LOOK):
                    return False
        finally:
            self._places.release()
        return True

    def end(self) -> None:
        """Let everybody who waits answer at once, and nobody wait any more.

        A process that is asked to end would be killed with whoever still waits in it.
        """
        self._ended.set()
        self._follower.release()


def replica_sets(asker: Asker, hub: Hub, only: Sequence[str] = ()) -> list[SharingSet]:
    """The sets whose codes may leave to the asker, of those it named (or all)."""
    found = (hub.directory.set_keyed(key) for key in sorted(asker.sets_with(REPLICA)))
    sets = [one for one in found if one is not None and one.tlp != STRICT]
    if only:
        named = {one.id: one for one in sets}
        if any(public_id not in named for public_id in only):
            raise NotFoundError("set")
        return [named[public_id] for public_id in only]
    return sets


def changes_page(
    cursor: str | None,
    *,
    asker: Asker,
    hub: Hub,
    sets: Sequence[str] = (),
    withdrawals: bool = False,
) -> Page:
    """The records that changed after a cursor; without one, from now on.

    Raises:
        GoneError: The cursor is of another timeline, or older than what is kept.
        NotFoundError: A named set is not one whose codes may leave to the asker.
    """
    at_rest = None if cursor is None or sets else _at_rest(cursor, asker, hub)
    if at_rest is not None:
        return at_rest
    with hub.begin.reading() as work:
        head = work.history.head()
        held = _held(cursor, head.timeline, hub)
        start = held.get("position", head.position)
        followed = held.get("sets", ())
        # A named set whose grant was lost since is told as lost, not as unknown.
        lost = set(sets) & set(followed) - {one.id for one in replica_sets(asker, hub)}
        wanted = [one for one in sets if one not in lost]
        allowed = replica_sets(asker, hub, wanted) if wanted or not sets else []
        now_ids = [one.id for one in allowed]
        then = [one for one in followed if not sets or one in sets]
        if cursor is not None and set(then) != set(now_ids):
            return _resync(then, now_ids, start, head.timeline, hub)
        _refuse_old(work, start, hub.clock())
        rows = work.history.after(start, PAGE)
        rows = rows[: fitting([row.subject * (row.kind in _KINDS) for row in rows], work)]
        end = rows[-1].position if rows else start
        changed = {row.subject: row.position for row in rows if row.kind in _KINDS and row.subject}
        records = _records(changed, allowed, work, hub)
    if withdrawals:
        records = [record for record in records if record["gone"]]
    _note_served(asker, allowed, records, end, hub)
    body = {
        "records": sorted(records, key=lambda record: record["position"]),
        "cursor": _cursor(end, now_ids, head.timeline, hub),
        "withheld_to": end,
        "head": head.position,
    }
    return Page(body, end, is_empty=not records and end >= head.position)


def snapshot_page(set_id: str, cursor: str | None, *, asker: Asker, hub: Hub) -> dict[str, Any]:
    """A page of everything live in a set; its last page says where to follow from.

    Its position is read before its first page, so what changes meanwhile comes by following.
    """
    allowed = replica_sets(asker, hub, [set_id])
    with hub.begin.reading() as work:
        head = work.history.head()
        held = _held(cursor, head.timeline, hub, of=set_id)
        # As of the first page: what is granted while the pages are read is told by following.
        position = held.get("position", head.position)
        everything = held.get("sets") or [one.id for one in replica_sets(asker, hub)]
        found = work.indicators.keys_in_set(allowed[0].key, after=held.get("key", 0), limit=PAGE)
        keys = found[: fitting(found, work)]
        records = _records(dict.fromkeys(keys, position), allowed, work, hub)
    live = [record for record in records if not record["gone"]]
    _note_served(asker, allowed, live, head.position, hub)
    more = None
    if len(keys) == PAGE or len(keys) < len(found):
        values = {"position": position, "sets": everything, "key": keys[-1]}
        more = cursors.sealed(values, of=set_id, timeline=head.timeline, sealer=hub.secrets.sealer)
    return {
        "records": live,
        "cursor": more,
        "follow": _cursor(position, everything, head.timeline, hub),
    }


# -- steps ---------------------------------------------------------------------------------------


def _at_rest(cursor: str, asker: Asker, hub: Hub) -> Page | None:
    """The empty page, from memory alone, where this process knows of nothing beyond the cursor.

    So it is for nearly all who wait, and many of them must not slow those who look up. What was
    committed a moment ago is told when they ask again, as it is to those who asked a moment ago.
    """
    known = hub.follower.freshness()
    if not known.complete or (known.lag_ms or 0) > AT_REST_MS:
        return None
    try:
        held = _held(cursor, known.timeline, hub)
    except GoneError:
        return None  # SQL knows the timeline first
    now_ids = [one.id for one in replica_sets(asker, hub)]
    if held.get("position", 0) < max(known.head, known.position) or held.get("sets") != now_ids:
        return None
    position = held["position"]
    body = {"records": [], "cursor": cursor, "withheld_to": position, "head": position}
    return Page(body, position, is_empty=True)


def _held(cursor: str | None, timeline: str, hub: Hub, of: str = CHANGES) -> dict[str, Any]:
    if cursor is None:
        return {}
    return cursors.opened(cursor, of=of, timeline=timeline, sealer=hub.secrets.sealer)


def _cursor(position: int, sets: Sequence[str], timeline: str, hub: Hub) -> str:
    values = {"position": position, "sets": list(sets)}
    return cursors.sealed(values, of=CHANGES, timeline=timeline, sealer=hub.secrets.sealer)


def _resync(
    then: Sequence[str], now: Sequence[str], position: int, timeline: str, hub: Hub
) -> Page:
    """A changed grant: what was gained must be snapshotted, what was lost deleted."""
    resync = [{"set": one, "is": "gained"} for one in now if one not in then]
    resync += [{"set": one, "is": "lost"} for one in then if one not in now]
    body = {
        "records": [],
        "cursor": _cursor(position, now, timeline, hub),
        "withheld_to": position,
        "resync": resync,
    }
    return Page(body, position, is_empty=False)


def _refuse_old(work: Work, position: int, now: datetime) -> None:
    following = work.history.after(position, 1)
    if following and now - following[0].at > KEPT:
        raise GoneError("This cursor is older than 400 days; take the snapshot again.")


def _records(
    changed: Mapping[int, int], allowed: Sequence[SharingSet], work: Work, hub: Hub
) -> list[dict[str, Any]]:
    described = [
        entry
        for entry in work.votes.described(changed, [one.key for one in allowed])
        if _may_be_told(entry)
    ]
    codes = work.indicators.codes(entry.indicator for entry in described)
    ids = {one.key: one.id for one in allowed}
    now = hub.clock()
    return [
        _record(entry, codes.get(entry.indicator, ()), ids, changed[entry.indicator], now)
        for entry in described
    ]


def _may_be_told(entry: Described) -> bool:
    # A victim's picture may have left before anybody knew: then it is to be deleted.
    return entry.item_kind != "account" and (entry.n > 1 or _may_leave(entry))


def _may_leave(entry: Described) -> bool:
    return entry.words.get("depicts") not in VICTIMS


def _record(
    entry: Described, codes: Iterable[Code], ids: Mapping[int, str], position: int, now: datetime
) -> dict[str, Any]:
    standing = entry.standing(now)
    name = standing.name if _may_leave(entry) else WITHDRAWN
    gone = name in _GONE
    return {
        "id": entry.indicator_id,
        "n": entry.n,
        "set": ids[entry.set_key],
        "codes": [] if gone else code_records(codes),
        "words": {} if gone else told_words(entry.words),
        "standing": name,
        "until": None if gone else _until(entry, standing),
        "position": position,
        "gone": gone,
    }


def _until(entry: Described, standing: Standing) -> str | None:
    """When time alone changes the one word that a record tells, however many operators say it."""
    later = standing
    while later.until is not None:
        moment, later = later.until, entry.standing(later.until)
        if later.name != standing.name:
            return moment.isoformat()
    return None


def _note_served(
    asker: Asker,
    sets: Sequence[SharingSet],
    records: Iterable[Mapping[str, Any]],
    position: int,
    hub: Hub,
) -> None:
    """Note in which sets codes are about to be served; a tombstone tells none."""
    served = {record["set"] for record in records if not record["gone"]}
    if not served:
        return
    keys = [one.key for one in sets if one.id in served]
    with hub.begin.writing(SYSTEM) as work:
        work.facts.serve(asker.operator, keys, position, hub.clock())
        work.commit()
