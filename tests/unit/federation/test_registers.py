# SPDX-License-Identifier: Apache-2.0
"""Joining registers: order, repetition and loops are of no matter, and nothing comes back."""

import itertools

from hypothesis import given, strategies as st

from federation.registers import Held, is_forgotten, joined
from tests.simulators.statements import NOW, operation


def holding(identifier, said):
    return Held(said.version, {identifier: said}, said.keep)


HELD = st.builds(
    # An id is of the content: another keep is another id.
    lambda n, name, keep: holding(f"{n}{name}{keep}", operation(n=n, keep=keep)),
    st.integers(1, 3),
    st.sampled_from("xy"),
    st.integers(NOW, NOW + 3),
)


@given(HELD, HELD, HELD)
def test_joining_is_associative_commutative_and_idempotent(one, two, three):
    assert joined(one, joined(two, three)) == joined(joined(one, two), three)
    assert joined(one, two) == joined(two, one)
    assert joined(one, one) == one


@given(st.lists(HELD, min_size=1, max_size=4))
def test_whatever_the_order_the_highest_version_holds(held):
    ends = set()
    for order in itertools.permutations(held):
        total = order[0]
        for one in order:
            total = joined(total, one)
        ends.add((total.version, tuple(total.operations), total.keep))

    assert len(ends) == 1
    (version, _, keep) = ends.pop()
    assert version == max(one.version for one in held)
    assert keep == max(one.keep for one in held)


def test_two_things_said_with_one_version_count_for_nothing_and_are_both_kept():
    total = joined(holding("x", operation()), holding("y", operation(salt=b"y" * 16)))

    assert total.is_told_twice
    assert total.said is None
    assert set(total.operations) == {"x", "y"}
    assert joined(total, holding("z", operation(salt=b"z" * 16))) == total
    assert joined(total, holding("z", operation(n=2))).said is not None


def test_what_is_past_its_keep_is_forgotten_to_the_second():
    assert is_forgotten(NOW, NOW)
    assert not is_forgotten(NOW + 1, NOW)
