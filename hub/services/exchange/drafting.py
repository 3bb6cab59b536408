# SPDX-License-Identifier: Apache-2.0
"""An operation of an item as a draft of the indicator that it is to become here."""

from datetime import UTC, datetime

from federation.operations.values import Assert, Operation
from hub.domain import statements
from hub.domain.indicators import RESEARCH, Draft
from hub.services.exchange.origins import Source


def draft_of(said: Operation, source: Source) -> Draft | None:
    """What an operation says of an item, in the sets in which its hub may speak here.

    Args:
        said: what it says.
        source: its hub.

    Returns:
        the draft; None: nothing is to be found of it here.

    Raises:
        BadInputError: The guards refuse it.
    """
    # What is for research only is kept in its register, and nowhere found.
    if not isinstance(said.body, Assert) or said.policy.act == RESEARCH:
        return None
    return statements.drafted(
        said.body,
        sets=[source.sets[name] for name in said.policy.sets if name in source.sets],
        expires=datetime.fromtimestamp(said.expires, UTC),
        act=said.policy.act,
    )
