# SPDX-License-Identifier: Apache-2.0
"""All that a peer can have an influence on, at a hub under test, as canonical JSON."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from federation.forms.canonical import written
from hub.ports import Work
from hub.ports.exchange import Enrolled
from hub.storage import tables


@dataclass(frozen=True)
class State:
    """What a hub has from its peer; not in it: evidence, counters, times, and its own reaction."""

    registers: list[dict[str, Any]]
    indicators: list[dict[str, Any]]
    opinions: list[dict[str, Any]]
    manifests: list[dict[str, Any]]
    others: list[dict[str, Any]]
    position: dict[str, Any]
    identity: str

    def encoded(self) -> bytes:
        """The state as canonical JSON."""
        return written({**self.held, "position": self.position, "identity": self.identity})

    @property
    def held(self) -> dict[str, Any]:
        """What is believed of what was said; without how far the log was followed."""
        return {
            "registers": self.registers,
            "indicators": self.indicators,
            "opinions": self.opinions,
            "manifests": self.manifests,
            "others": self.others,
        }


def state_of(partner: Enrolled, now: int, work: Work, connection: sa.Connection) -> State:
    """What a hub has from its peer now.

    Args:
        partner: the peer, as it is kept.
        now: seconds since 1970.
        work: a transaction that reads.
        connection: another.
    """
    others = [one for one in work.partners.known() if one.hub != partner.hub]
    return State(
        registers=_registers(connection),
        indicators=_indicators(connection),
        opinions=_opinions(connection),
        manifests=_manifests(work, now),
        others=[_other(one) for one in others],
        position={
            "applied": partner.trust.applied,
            "frontier": partner.trust.frontier.root().hex(),
            **_seen(partner),
            "revoked_to": partner.revoked_to,
            "others": {one.hub: _seen(one) for one in others},
        },
        identity=(partner.identity or b"").decode(),
    )


def _manifests(work: Work, now: int) -> list[dict[str, Any]]:
    """What is said of the sets by the hubs whose they are."""
    homes = work.manifests.homes()
    return [
        {
            "set": name,
            "home": homes[name].home or "",
            "operation": it.operation,
            "onward": it.onward,
            "tlp": it.tlp,
            "hubs": dict(it.hubs),
        }
        for name, it in sorted(work.manifests.counting(now).items())
    ]


def _other(one: Enrolled) -> dict[str, Any]:
    """A hub whose word the peer passes on."""
    return {"hub": one.hub, "root": one.root, "identity": (one.identity or b"").decode()}


def _seen(one: Enrolled) -> dict[str, Any]:
    """The largest checkpoint of its log that a hub showed."""
    head = one.trust.head
    return {"size": head.size if head else 0, "root": head.root.hex() if head else ""}


def _registers(connection: sa.Connection) -> list[dict[str, Any]]:
    register, one = tables.register, tables.operation
    other = one.alias("other")
    rows = connection.execute(
        sa.select(register, one.c.id.label("first"), other.c.id.label("second"))
        .outerjoin(one, one.c.key == register.c.operation)
        .outerjoin(other, other.c.key == register.c.other)
    )
    found = [
        {
            "origin": row.origin,
            "author": row.author,
            "kind": row.kind,
            "target": row.target,
            "version": [row.epoch, row.n],
            "keep": row.keep,
            "ids": [each.hex() for each in (row.first, row.second) if each is not None],
        }
        for row in rows
    ]
    return sorted(
        found, key=lambda row: [row["origin"], row["author"], row["kind"], row["target"]]
    )


def _indicators(connection: sa.Connection) -> list[dict[str, Any]]:
    indicator, version = tables.indicator, tables.version
    party, code = tables.party, tables.code
    rows = connection.execute(
        sa.select(indicator, version.c.words, version.c.sets, party.c.hub, party.c.author)
        .join(version, sa.and_(
            version.c.indicator == indicator.c.key, version.c.n == indicator.c.n
        ))
        .join(party, party.c.key == indicator.c.party)
        .where(indicator.c.state == "live")
        .order_by(indicator.c.id)
    ).all()  # fmt: skip
    codes: dict[int, list[str]] = {}
    for row in connection.execute(sa.select(code).where(code.c.n_to.is_(None))):
        codes.setdefault(row.indicator, []).append(f"{row.signal}:{row.value.hex()}")
    return [
        {
            "id": row.id,
            "author": row.author,
            "codes": sorted(codes.get(row.key, ())),
            "words": row.words,
            "sets": row.sets,
            "expires": int(row.expires.timestamp()),
        }
        for row in rows
    ]


def _opinions(connection: sa.Connection) -> list[dict[str, Any]]:
    opinion, indicator, party = tables.opinion, tables.indicator, tables.party
    rows = connection.execute(
        sa.select(opinion.c.stance, opinion.c.reason, opinion.c.reach, indicator.c.id,
                  party.c.author)
        .join(indicator, indicator.c.key == opinion.c.indicator)
        .join(party, party.c.key == opinion.c.party)
        .where(opinion.c.live)
    )  # fmt: skip
    found = [
        {"about": row.id, "author": row.author, "stance": row.stance, "reason": row.reason,
         "reach": row.reach}
        for row in rows
    ]  # fmt: skip
    return sorted(found, key=lambda row: [row["about"], row["author"] or ""])
