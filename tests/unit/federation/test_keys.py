# SPDX-License-Identifier: Apache-2.0
"""Keys under which anybody could sign are refused; nothing about a key is taken on trust."""

import pytest

from federation.errors import MalformedError, WeakKeyError
from federation.keys import SMALL_ORDER, MemorySigner, P, PublicKey

# Edwards' curve of RFC 8032, section 5.1, written anew: the constants of keys.py come from nowhere
# that a reader would have to believe.
D = -121665 * pow(121666, -1, P) % P
ROOT = pow(2, (P - 1) // 4, P)
PRIME_ORDER = 2**252 + 27742317777372353535851937790883648493


def x_of(y):
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    root = pow(square, (P + 3) // 8, P)
    if (root * root - square) % P:
        root = root * ROOT % P
    return root if (root * root - square) % P == 0 else None


def added(one, two):
    (x1, y1), (x2, y2) = one, two
    k = D * x1 * x2 * y1 * y2 % P
    x = (x1 * y2 + x2 * y1) * pow(1 + k, -1, P)
    return x % P, (y1 * y2 + x1 * x2) * pow(1 - k, -1, P) % P


def times(number, point):
    total = (0, 1)
    while number:
        if number & 1:
            total = added(total, point)
        point, number = added(point, point), number >> 1
    return total


def written(y, sign):
    return (y | sign << 255).to_bytes(32, "little")


def test_the_points_of_small_order_are_all_there_are():
    found = set()
    for y in range(2, 200):
        if (x := x_of(y)) is not None:
            found.add(times(PRIME_ORDER, (x, y))[1])

    assert found == SMALL_ORDER


@pytest.mark.parametrize("sign", [0, 1])
@pytest.mark.parametrize("y", sorted(SMALL_ORDER))
def test_a_key_of_small_order_is_refused(y, sign):
    with pytest.raises(WeakKeyError):
        PublicKey(written(y, sign))


@pytest.mark.parametrize("sign", [0, 1])
@pytest.mark.parametrize("beyond", range(19))
def test_a_key_not_written_the_one_way_is_refused(beyond, sign):
    with pytest.raises(WeakKeyError):
        PublicKey(written(P + beyond, sign))


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_key_of_another_length_is_refused(length):
    with pytest.raises(MalformedError):
        PublicKey(bytes(length))


def test_a_signature_is_of_one_message_under_one_key():
    signer, other = MemorySigner(bytes(32)), MemorySigner(bytes(31) + b"\1")
    signature = signer.sign(b"said")

    assert signer.public.verifies(signature, b"said")
    assert not signer.public.verifies(signature, b"Said")
    assert not other.public.verifies(signature, b"said")
    assert not signer.public.verifies(signature + b"\0", b"said")
    assert not signer.public.verifies(b"", b"said")


def test_a_signature_whose_number_is_too_large_is_refused():
    signer = MemorySigner(bytes(32))
    signature = signer.sign(b"said")
    number = int.from_bytes(signature[32:], "little") + PRIME_ORDER

    assert not signer.public.verifies(signature[:32] + number.to_bytes(32, "little"), b"said")
