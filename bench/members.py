# SPDX-License-Identifier: Apache-2.0
"""Some operators that share some sets, admitted as the console would admit them."""

from dataclasses import dataclass
from typing import Any

from hub.adapters import clock
from hub.adapters.secrets import load_keys
from hub.domain.access import scopes_of
from hub.domain.sharing import CONTRIBUTE, LOOKUP, REPLICA
from hub.ports import BeginWork, Clock, NewId, Secrets
from hub.services.access import add_member, add_operator
from hub.services.keys import add_key
from hub.services.office import CONSOLE
from hub.services.sets import add_set, grant
from hub.settings import Settings
from hub.storage.work import SqlBegin
from hub.wiring import open_database

OPERATORS, SETS = 4, 3
RIGHTS = frozenset({CONTRIBUTE, LOOKUP, REPLICA})


@dataclass(frozen=True)
class Console:
    """What administration needs of a hub."""

    clock: Clock
    new_id: NewId
    secrets: Secrets
    begin: BeginWork


@dataclass(frozen=True)
class Members:
    """Keys of operators, and the sets in which each of them may do everything."""

    keys: list[str]
    sets: list[str]

    @property
    def asker(self) -> str:
        """The key of an operator that contributes nothing."""
        return self.keys[-1]

    @property
    def givers(self) -> list[str]:
        """The keys of the others."""
        return self.keys[:-1]


def admit(settings: Settings) -> Members:
    """Admit the members to the hub of that data folder."""
    secrets = load_keys(settings.data)
    database = open_database(settings)
    begin = SqlBegin(database, clock=clock.now, sealer=secrets.sealer)
    hub = Console(clock.now, clock.new_id, secrets, begin)
    try:
        sets = [_set(number, hub) for number in range(SETS)]
        return Members([_operator(number, sets, hub) for number in range(OPERATORS + 1)], sets)
    finally:
        database.close()


def _set(number: int, hub: Console) -> str:
    wanted = {"name": f"bench {number}", "tlp": "TLP:AMBER", "onward": "none", "sandbox": False}
    return str(add_set(wanted, by=CONSOLE, hub=hub).body["id"])


def _operator(number: int, sets: list[str], hub: Console) -> str:
    wanted: dict[str, Any] = {"kind": "platform", "contacts": (), "sandbox": False}
    name = f"bench-{number}.example.com"
    operator = add_operator({"name": name, **wanted}, by=CONSOLE, hub=hub)
    member = str(add_member(str(operator.body["id"]), "main", by=CONSOLE, hub=hub).body["id"])
    for one in sets:
        grant(one, member, RIGHTS, by=CONSOLE, hub=hub)
    wanted = {"name": "bench", "scopes": scopes_of("contributor")}
    return str(add_key(member, wanted, by=CONSOLE, hub=hub).body["secret"])
