# SPDX-License-Identifier: Apache-2.0
"""Match accounts: a route of their own, few at a time, for a stated purpose."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hub.domain.accounts import account_code, normalise
from hub.domain.errors import BadInputError, Flaw
from hub.domain.sharing import Asker
from hub.ports import Hub
from hub.services.ledger import ACCOUNTS
from hub.services.matches import Query, find_matches
from matching.batches import Batch, Part, words_of
from matching.signals import ACCOUNT

MOST_ACCOUNTS = 50
PURPOSES = ("new-account", "first-contact", "report", "investigation")


def find_accounts(
    accounts: Sequence[Mapping[str, Any]], *, asker: Asker, hub: Hub
) -> dict[str, Any]:
    """Answer every account; one that is malformed is answered ``error``.

    Raises:
        BudgetError: The operator's day for accounts is used up.
    """
    hub.ledger.spend(ACCOUNTS, asker.operator, len(accounts))
    codes: list[bytes] = []
    items: list[int] = []
    flaws: dict[int, Flaw] = {}
    for number, account in enumerate(accounts):
        try:
            forms = normalise(account["kind"], account["value"], account.get("region"))
        except BadInputError as error:
            flaws[number] = error.flaws[0]
            continue
        codes += [account_code(hub.secrets.pepper, form.kind, form.value) for form in forms]
        items += [number] * len(forms)
    part = Part(
        ACCOUNT,
        words_of(ACCOUNT, b"".join(codes)),
        np.array(items, np.uint32),
        np.zeros(len(items), np.uint8),
    )
    asked = frozenset([ACCOUNT.name])
    query = Query(
        batch=Batch((part,), len(accounts)),
        refs=[None] * len(accounts),
        flaws=flaws,
        unsearchable=frozenset(),
        signals=[asked] * len(accounts),
    )
    return find_matches(query, asker=asker, hub=hub)
