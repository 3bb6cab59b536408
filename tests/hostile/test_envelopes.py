# SPDX-License-Identifier: Apache-2.0
"""Group A: envelopes, signatures and keys that are not what they should be."""

import pytest

from tests.hostile.envelopes import GROUP


@pytest.mark.parametrize("behaviour", GROUP.behaviours, ids=lambda one: one.id)
def test_the_envelope_is_refused_and_nothing_else(played, behaviour):
    played(behaviour)
