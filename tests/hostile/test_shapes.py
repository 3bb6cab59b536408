# SPDX-License-Identifier: Apache-2.0
"""Group E: answers that are too much, too slow, or no answers."""

import pytest

from tests.hostile.shapes import GROUP


@pytest.mark.parametrize("behaviour", GROUP.behaviours, ids=lambda one: one.id)
def test_what_is_no_answer_changes_nothing(played, behaviour):
    played(behaviour)
