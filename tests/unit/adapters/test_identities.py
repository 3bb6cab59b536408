# SPDX-License-Identifier: Apache-2.0
"""A hub's identity in its folder: made once, kept from growing old, its keys for nobody else."""

import random
import stat

import pytest

from federation.errors import MalformedError, MissingKeyError
from federation.identity import reading
from hub.adapters.identities import NAMES, Identity, Introduction

NOW = 1_800_000_000
DAY = 86_400
SAID = Introduction("hub-a.example", "a.example", "ngo", "https://hub-a.example", ("b.example",))


@pytest.fixture
def identity(tmp_path):
    chance = random.Random(1)  # noqa: S311 - a test that fails must fail again
    made = Identity(tmp_path)
    made.begin(SAID, chance.randbytes, NOW)
    return made


def newest(identity, role):
    found = (identity.folder / "tuf" / "metadata").glob(f"[0-9]*.{role}.json")
    return max(found, key=lambda path: int(path.name.partition(".")[0])).read_bytes()


def test_an_identity_is_made_once(identity):
    with pytest.raises(FileExistsError):
        identity.begin(SAID, bytes, NOW)

    assert str(identity.pairing()).startswith("breakwater:hub-a.example;https://hub-a.example/fed")
    assert Identity(identity.folder.parent).pairing() == identity.pairing()


def test_it_says_who_it_is_and_speaks(identity):
    known, voice = identity.known(), identity.voice()

    assert known.operators == ("a.example", "b.example")
    assert (voice.hub, voice.epoch, voice.log.origin) == (
        "hub-a.example",
        1,
        "hub-a.example/fed/1",
    )
    assert known.op_key(voice.op_id).public == voice.op.public
    assert known.req_key(identity.signing().key_id).public == identity.signing().signer.public


def test_before_it_is_made_there_is_none(tmp_path):
    identity = Identity(tmp_path)

    assert identity.known() is None
    assert identity.voice() is None
    for ask in (identity.pairing, identity.signing):
        with pytest.raises(MissingKeyError, match="invite"):
            ask()


def test_nobody_else_may_read_its_keys(identity):
    for name in NAMES:
        mode = (identity.folder / "keys" / f"{name}.key").stat().st_mode
        assert stat.S_IMODE(mode) == 0o600


def test_an_attempt_that_failed_is_begun_anew(tmp_path):
    identity, chance = Identity(tmp_path), random.Random(1)  # noqa: S311 - as above
    with pytest.raises(MalformedError):
        identity.begin(
            Introduction("Hub A", "a.example", "ngo", "https://a.example", ()),
            chance.randbytes, NOW,
        )  # fmt: skip

    identity.begin(SAID, chance.randbytes, NOW)

    assert identity.known() is not None


@pytest.mark.parametrize("role", ["targets", "root"])
def test_nothing_of_it_is_ever_over_while_the_hub_lives(identity, role):
    for day in range(0, 900, 5):
        identity.refresh(NOW + day * DAY)

        assert reading.expiry_of(newest(identity, role)) > NOW + (day + 30) * DAY


def test_a_root_key_that_was_carried_away_signs_nothing(identity):
    before = newest(identity, "root")
    (identity.folder / "keys" / "root.key").unlink()
    fresh = Identity(identity.folder.parent)

    fresh.refresh(NOW + 200 * DAY)

    assert newest(identity, "root") == before
    assert reading.expiry_of(newest(identity, "targets")) > NOW + 250 * DAY


@pytest.fixture
def sticks(tmp_path):
    found = tuple(tmp_path / name for name in ("first", "second", "third"))
    for one in found:
        one.mkdir()
    return found


def shared(identity, sticks):
    return identity.share_root(sticks, random.Random(2).randbytes, NOW + DAY)  # noqa: S311 - as above


def test_a_ceremony_gives_the_root_to_three_of_whom_two_count(identity, sticks):
    assert shared(identity, sticks) == 2

    assert not (identity.folder / "keys" / "root.key").exists()
    fresh = Identity(identity.folder.parent)
    with pytest.raises(MissingKeyError):
        fresh.renew_root(sticks[:1], NOW + 2 * DAY)
    assert fresh.renew_root(sticks[1:], NOW + 2 * DAY) == 3
    assert fresh.renew_root((sticks[0], sticks[2]), NOW + 3 * DAY) == 4
    assert reading.expiry_of(newest(identity, "root")) == NOW + 368 * DAY


def test_whoever_was_paired_before_a_ceremony_follows_it(identity, sticks):
    before = identity.pairing()

    shared(identity, sticks)

    assert identity.pairing() == before


def test_a_ceremony_is_held_once(identity, sticks, tmp_path):
    shared(identity, sticks)
    with pytest.raises(MissingKeyError):
        shared(identity, tuple(tmp_path / name for name in ("a", "b", "c")))


@pytest.mark.parametrize("wrong", [(0, 0, 1), (0, 1, 1)])
def test_a_ceremony_in_fewer_places_changes_nothing(identity, sticks, wrong):
    with pytest.raises(ValueError, match="three places"):
        shared(identity, tuple(sticks[at] for at in wrong))

    assert (identity.folder / "keys" / "root.key").exists()
    assert not any(list(one.iterdir()) for one in sticks)
    assert shared(identity, sticks) == 2


def test_the_worker_keeps_what_it_can_after_a_ceremony(identity, sticks):
    shared(identity, sticks)
    fresh = Identity(identity.folder.parent)

    fresh.refresh(NOW + 300 * DAY)

    assert reading.expiry_of(newest(identity, "targets")) > NOW + 380 * DAY
    assert reading.version_of(newest(identity, "root")) == 2
