# SPDX-License-Identifier: Apache-2.0
"""Whose a set is, and which hubs share it, in SQL."""

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from hub.domain.members import ACTIVE
from hub.ports.manifests import Naming, SetHome, SetManifest
from hub.storage import tables
from hub.storage.dialects import insert

_s, _m, _h = tables.sharing_set, tables.set_manifest, tables.set_hub
_r = tables.set_review


class SqlManifests:
    """The manifests of one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def homes(self) -> dict[str, SetHome]:
        """All sets that are in use, by public id."""
        rows = self._connection.execute(sa.select(_s).where(_s.c.state == ACTIVE))
        return {
            row.id: SetHome(row.key, row.id, row.name, row.tlp, row.onward, row.home)
            for row in rows
        }

    def rehome(self, set_key: int, home: str | None) -> None:
        """Let another hub's manifest count; what counted before does no more."""
        self._connection.execute(_s.update().where(_s.c.key == set_key).values(home=home))
        self.drop(set_key)

    def open_onward(self, set_key: int, onward: str) -> None:
        """Let what is in a set be passed on, or not."""
        self._connection.execute(_s.update().where(_s.c.key == set_key).values(onward=onward))

    def counting(self, now: int) -> dict[str, SetManifest]:
        """The manifests that count now, by the public ids of their sets."""
        rows = self._connection.execute(
            sa.select(_m, _s.c.id)
            .join(_s, _s.c.key == _m.c.set_key)
            .where(_s.c.state == ACTIVE, _m.c.expires > now)
        )
        return {
            row.id: SetManifest(
                row.set_key, row.id, row.operation, row.expires,
                row.name, row.tlp, row.onward, row.hubs,
            )
            for row in rows
        }  # fmt: skip

    def keep(self, manifest: SetManifest) -> None:
        """Let a manifest count, in the place of the one before."""
        values = {
            "operation": manifest.operation,
            "expires": manifest.expires,
            "name": manifest.name,
            "tlp": manifest.tlp,
            "onward": manifest.onward,
            "hubs": dict(manifest.hubs),
        }
        self._connection.execute(
            insert(self._connection, _m)
            .values(set_key=manifest.set_key, **values)
            .on_conflict_do_update(index_elements=["set_key"], set_=values)
        )

    def drop(self, set_key: int) -> None:
        """Let none count for a set."""
        self._connection.execute(_m.delete().where(_m.c.set_key == set_key))

    def namings(self, set_key: int) -> dict[str, Naming]:
        """What was decided of hubs, for a set of ours."""
        rows = self._connection.execute(sa.select(_h).where(_h.c.set_key == set_key))
        return {row.hub: Naming(row.root, row.named) for row in rows}

    def name(self, set_key: int, hub: str, naming: Naming) -> None:
        """Decide it."""
        values = {"root": naming.root, "named": naming.named}
        self._connection.execute(
            insert(self._connection, _h)
            .values(set_key=set_key, hub=hub, **values)
            .on_conflict_do_update(index_elements=["set_key", "hub"], set_=values)
        )

    def review(self, set_key: int) -> None:
        """Look at all that is held in a set, once more: from whom it may come has changed."""
        begun = {"after": 0, "done": False}
        self._connection.execute(
            insert(self._connection, _r)
            .values(set_key=set_key, **begun)
            .on_conflict_do_update(index_elements=["set_key"], set_=begun)
        )

    def reviews(self) -> list[tuple[int, int]]:
        """Sets that are looked at, each with how far that is."""
        rows = self._connection.execute(sa.select(_r).where(~_r.c.done).order_by(_r.c.set_key))
        return [(row.set_key, row.after) for row in rows]

    def reviewed(self, set_key: int, *, expected: int, after: int | None) -> bool:
        """Note how far a set was looked at; None: all of it. False: somebody was quicker."""
        values = {"done": True} if after is None else {"after": after}
        moved = self._connection.execute(
            _r.update().where(_r.c.set_key == set_key, _r.c.after == expected).values(values)
        )
        return moved.rowcount == 1
