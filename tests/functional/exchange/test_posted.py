# SPDX-License-Identifier: Apache-2.0
"""A hub that nobody asks brings what it says to a partner, over HTTP as it is signed."""

import os
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from federation.errors import Alarm, RefusedError, TransportError
from federation.ports import Answer
from federation.transport.messages import Request, Response
from federation.transport.signatures import new_nonce, signed_request, verify_response
from hub.adapters.rotations import change_req_key
from hub.domain.changes import SYSTEM
from hub.domain.errors import NotFoundError
from hub.domain.pace import LEAST_USUAL, TIMES_USUAL
from hub.jobs import exchange
from hub.ports.exchange import COUNTS, PAUSED, SUSPENDED
from hub.services.exchange import bundling, carrying, partners, posting, pulling, serving
from hub.services.office import CONSOLE
from hub.storage import tables
from tests.support.codes import pdq
from tests.support.saying import contributed, matched, picture, withdrawn

OURS, THEIRS = "alpha.example.com", "beta.example.com"


@pytest.fixture
def clock(clock):
    # TUF's own client asks the machine what time it is.
    clock.now = datetime.now(UTC)
    return clock


class Way:
    """The way to a hub's application, for another that signs its requests."""

    def __init__(self, asker, asked):
        self.asker, self.asked = asker, asked
        self.bodies = []
        self.spoil = None

    def post(self, path, body, *, media_type, max_bytes, seconds):
        del max_bytes, seconds
        self.bodies.append(body)
        body = body if self.spoil is None else self.spoil
        url = f"{self.asked.hub.abroad.public_url}/fed/v1{path}"
        headers = (("Content-Type", media_type), ("Content-Length", str(len(body))))
        now = int(self.asker.clock().timestamp())
        request = signed_request(
            Request("POST", url, headers, body),
            self.asker.hub.abroad.signing(),
            created=now,
            nonce=new_nonce(os.urandom),
        )
        came = self.asked.app.test_client().post(
            f"/fed/v1{path}", data=body, headers=list(request.headers)
        )
        answer = Response(came.status_code, tuple(came.headers), came.data)
        known = self.asked.hub.abroad.known()
        try:
            verify_response(answer, request, lambda name: known.req_key(name).public, now)
        except RefusedError as error:
            raise RefusedError(Alarm.TRANSPORT, "the partner did not sign its answer") from error
        return Answer(came.status_code, came.data, came.mimetype)


@pytest.fixture
def lines(a, b, clock):
    """What each of two hubs says of itself, that have met nobody."""
    a.introduce(OURS)
    b.introduce(THEIRS)
    # What is signed before a hub had a name may have come already.
    clock.now = datetime.now(UTC) + timedelta(seconds=2)
    return a.identity.pairing(), b.identity.pairing()


@pytest.fixture
def paired(a, b, lines):
    """The first knows the second, by whom it is not asked."""
    partners.enrol(
        lines[1], operators=[THEIRS], level=COUNTS, identity=b.hub.abroad.known(), by=CONSOLE,
        hub=a.hub,
    )  # fmt: skip
    partners.enrol(lines[0], operators=[OURS], level=COUNTS, is_asked=False, by=CONSOLE, hub=b.hub)


@pytest.fixture
def made(a, b, paired):
    set_id = a.set("lures")
    a.share(b.name, set_id)
    b.share(a.name, set_id)
    return set_id


@pytest.fixture
def alpha(a, made):
    return a.admit(OURS, sets=[made])


@pytest.fixture
def beta(b, made):
    return b.admit(THEIRS, sets=[made])


@pytest.fixture
def way(a, b, monkeypatch):
    found = Way(a, b)
    monkeypatch.setattr(a.hub.abroad, "wire", lambda _partner, _known: found)
    return found


def post(a, b):
    a.publish()
    done = posting.post(b.name, hub=a.hub, voice=a.voice)
    b.settle()
    return done


def told(hub, other):
    return partners.told(hub.enrolled(other.name), hub.clock())


def test_a_partner_that_was_never_reached_is_told_of_without_blame(a, b, paired):
    found = told(b, a)

    assert (found["state"], found["asked"], found["error"]) == ("active", False, None)
    assert (found["alive_seconds_ago"], found["weight"]) == (None, "stale")
    assert b.enrolled(a.name).identity is None


def test_nobody_tries_to_ask_it(a, b, paired):
    assert pulling.pull(a.name, wait=0, hub=b.hub, voice=b.voice) is None
    for way in (b.hub.abroad.open_wire, b.hub.abroad.identity):
        with pytest.raises(TransportError):
            way(b.enrolled(a.name))


def test_who_it_is_and_what_it_says_come_with_its_first_bundle(a, b, made, alpha, beta, way):
    known = pdq()
    contributed(alpha, picture(pdq=known), made)

    done = post(a, b)

    assert done == posting.Posted(b.name, 1, 1, 1, 0)
    assert matched(beta, pdq=known)["answer"] == "hit"
    found = told(b, a)
    assert (found["behind"], found["error"], found["alive_seconds_ago"]) == (0, None, 0)


def test_it_goes_on_where_its_partner_is_and_a_withdrawal_arrives(a, b, made, alpha, beta, way):
    known = pdq()
    indicator = contributed(alpha, picture(pdq=known), made)
    post(a, b)
    withdrawn(alpha, indicator)

    assert post(a, b).entries == 1
    assert matched(beta, pdq=known)["answer"] == "none"
    assert post(a, b) == posting.Posted(b.name, 0, 2, 0, 0)


def test_its_heartbeat_comes_along(a, b, made, alpha, clock, way):
    contributed(alpha, picture(pdq=pdq()), made)
    post(a, b)
    clock.now += timedelta(hours=1)
    before = told(b, a)["alive_seconds_ago"]

    post(a, b)

    assert (before, told(b, a)["alive_seconds_ago"]) == (3600, 0)


def test_much_comes_in_many_bundles(a, b, made, alpha, beta, way, monkeypatch):
    monkeypatch.setattr(carrying, "MAX_RECORDS", 1)
    known = [pdq() for _ in range(2 * posting.PAGES + 1)]
    for one in known:
        contributed(alpha, picture(pdq=one), made)

    done = post(a, b)

    # The first asks how far it is, the last says that this is all.
    assert len(way.bodies) == 1 + 3 + 1
    assert (done.entries, done.kept) == (len(known), len(known))
    assert {matched(beta, pdq=one)["answer"] for one in known} == {"hit"}


def test_what_was_begun_goes_on_against_the_same_checkpoint(
    a, b, made, alpha, beta, way, monkeypatch
):
    monkeypatch.setattr(carrying, "MAX_RECORDS", 1)
    known = [pdq() for _ in range(posting.PAGES + 2)]
    for one in known[:-1]:
        contributed(alpha, picture(pdq=one), made)
    a.publish()
    sent = posting._Posting.sent  # noqa: SLF001 - where it is cut off

    def once(posting, telling):
        if way.bodies[1:]:
            raise TransportError("cut off")
        return sent(posting, telling)

    with monkeypatch.context() as cut:
        cut.setattr("hub.services.exchange.posting._Posting.sent", once)
        with pytest.raises(TransportError):
            post(a, b)
    contributed(alpha, picture(pdq=known[-1]), made)

    assert post(a, b).entries == 2
    assert {matched(beta, pdq=one)["answer"] for one in known} == {"hit"}


def test_a_set_that_is_shared_later_is_told_of_from_the_start(a, b, paired, way):
    made = a.set("lures")
    a.share(b.name, made)
    alpha, known = a.admit(OURS, sets=[made]), pdq()
    contributed(alpha, picture(pdq=known), made)
    assert post(a, b).kept == 0
    b.share(a.name, made)
    beta = b.admit(THEIRS, sets=[made])

    done = post(a, b)

    assert (done.applied, done.kept) == (1, 1)
    assert matched(beta, pdq=known)["answer"] == "hit"


def test_another_key_for_its_requests_comes_with_the_bundle(a, b, made, alpha, beta, way, clock):
    contributed(alpha, picture(pdq=pdq()), made)
    post(a, b)
    change_req_key(a.identity, randomness=os.urandom, now=int(clock().timestamp()))
    known = pdq()
    contributed(alpha, picture(pdq=known), made)

    post(a, b)

    assert matched(beta, pdq=known)["answer"] == "hit"


def test_who_brings_the_bundle_of_another_hub_is_not_answered(
    a, b, made, alpha, beta, way, open_hub
):
    known = pdq()
    contributed(alpha, picture(pdq=known), made)
    post(a, b)
    stranger = open_hub("hub-x.example")
    stranger.introduce("other.example.com")
    theirs = Way(stranger, b)

    with pytest.raises(RefusedError) as refused:
        theirs.post(
            "/bundles", way.bodies[-1], media_type="application/zip", max_bytes=1, seconds=1
        )

    assert refused.value.alarm is Alarm.TRANSPORT  # 401, which nobody can sign


@pytest.mark.parametrize("state", [PAUSED, SUSPENDED])
def test_a_partner_that_stopped_it_is_told_of(a, b, made, alpha, way, state):
    contributed(alpha, picture(pdq=pdq()), made)
    post(a, b)
    partners.change(a.name, by=CONSOLE, hub=b.hub, state=state)

    with pytest.raises((RefusedError, TransportError)):
        post(a, b)


def test_a_hub_that_is_not_enrolled_there_is_not_answered(a, b, lines, way):
    partners.enrol(
        lines[1], operators=[THEIRS], level=COUNTS, identity=b.hub.abroad.known(), by=CONSOLE,
        hub=a.hub,
    )  # fmt: skip

    with pytest.raises(RefusedError) as refused:
        posting.post(b.name, hub=a.hub, voice=a.voice)

    assert refused.value.alarm is Alarm.TRANSPORT


def test_nobody_posts_to_a_stranger(a, lines, way):
    with pytest.raises(NotFoundError):
        posting.post("hub-x.example", hub=a.hub, voice=a.voice)


def test_a_log_that_shows_nothing_yet_is_told_of(a, b, paired, way):
    with pytest.raises(serving.NotSoLongError):
        posting.post(b.name, hub=a.hub, voice=a.voice)


def test_the_alarm_of_a_partner_that_does_not_believe_it_is_told(a, b, made, alpha, way):
    contributed(alpha, picture(pdq=pdq()), made)
    post(a, b)
    way.spoil = b"no archive"

    with pytest.raises(RefusedError) as refused:
        posting.post(b.name, hub=a.hub, voice=a.voice)

    assert refused.value.alarm is Alarm.MALFORMED


def test_a_partner_that_takes_nothing_more_ends_it(a, b, made, alpha, way, monkeypatch):
    contributed(alpha, picture(pdq=pdq()), made)
    a.publish()
    idle = bundling.Read(a.name, 0, 0, 0, 0)
    monkeypatch.setattr("hub.api.exchange.read_bundle", lambda _file, **_given: idle)

    with pytest.raises(posting.NotTakenError):
        posting.post(b.name, hub=a.hub, voice=a.voice)
    assert len(way.bodies) < 6


def test_who_adds_far_too_much_is_told_so_and_what_it_takes_back_is_taken(
    a, b, made, alpha, beta, way, clock
):
    known, other = pdq(), pdq()
    indicator = contributed(alpha, picture(pdq=known), made)
    post(a, b)
    with b.hub.begin.writing(SYSTEM) as work:
        key = b.enrolled(a.name).key
        work.partners.change(key, created_at=clock() - timedelta(days=30))
        work.partners.paced(key, clock(), added=TIMES_USUAL * LEAST_USUAL, revoked=0)
        work.commit()
    contributed(alpha, picture(pdq=other), made)
    withdrawn(alpha, indicator)

    with pytest.raises(posting.NotTakenError):
        post(a, b)
    b.settle()

    assert [matched(beta, pdq=one)["answer"] for one in (known, other)] == ["none", "none"]
    partners.change(a.name, by=CONSOLE, hub=b.hub, released_until=clock() + timedelta(days=1))
    assert post(a, b).entries == 2


def test_its_word_grows_old_where_it_is_not_heard(a, b, made, alpha, way, clock, open_hub):
    """A third hub saw its log, so what it says counts; a day later it counts no more."""
    c = open_hub("hub-c.example")
    c.pair(a)
    a.pair(c)
    b.pair(c)
    contributed(alpha, picture(pdq=pdq()), made)
    a.publish()
    assert a.ask_witnesses(c) == 1
    post(a, b)

    def states():
        with b.database.reader.connect() as connection:
            party = tables.party
            return set(connection.scalars(sa.select(party.c.state).where(party.c.hub == a.name)))

    before = states()
    clock.now += timedelta(hours=25)
    with b.hub.begin.reading() as work:
        known = work.partners.all()
    exchange._weigh(known, {}, b.hub)  # noqa: SLF001 - what the worker does each second

    assert (before, states()) == ({"good"}, {"stale"})


def test_a_partner_that_can_be_reached_by_now_is_paired_once_more(a, b, lines, paired, way):
    identity = a.hub.abroad.known()
    partners.enrol(
        lines[0], operators=[OURS], level=COUNTS, identity=identity, by=CONSOLE, hub=b.hub
    )
    assert told(b, a)["asked"]

    partners.enrol(lines[0], operators=[OURS], level=COUNTS, is_asked=False, by=CONSOLE, hub=b.hub)
    assert not told(b, a)["asked"]
