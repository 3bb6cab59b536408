# SPDX-License-Identifier: Apache-2.0
"""Group A: envelopes, signatures and keys that are not what they should be."""

import pytest

from federation.errors import Alarm, RefusedError
from hub.services.exchange import pulling
from tests.hostile.contract import Contract, directed, today
from tests.hostile.envelopes import GROUP
from tests.hostile.peer import honest

ROWS = {one.id: one for one in GROUP.behaviours}


@pytest.mark.parametrize("behaviour", GROUP.behaviours, ids=lambda one: one.id)
def test_the_envelope_is_refused_and_nothing_else(played, behaviour):
    played(behaviour)


def test_an_identity_that_is_refused_at_first_sight_is_held_against_it_once(tmp_path):
    peer = honest()
    contract = Contract.init(tmp_path / "hub", str(peer.pairing))
    ROWS["A17"].attack(peer)
    voice = contract.hub.abroad.voice()
    assert voice is not None

    with (
        peer.behind() as served,
        directed(peer.base, served.url, "127.0.0.1"),
        today(contract.now),
        pytest.raises(RefusedError) as refused,
    ):
        pulling.pull(peer.pairing.hub, wait=0, hub=contract.hub, voice=voice)

    assert refused.value.alarm is Alarm.MALFORMED
    with contract.hub.begin.reading() as work:
        told = work.partners.evidence(contract.partner().key)
    contract.close()
    assert [(one["alarm"], one["count"]) for one in told] == [("malformed", 1)]
