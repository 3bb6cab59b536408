# SPDX-License-Identifier: Apache-2.0
"""What a hub says, carried in a file: believed as far as what is served would be."""

import io
import zipfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from federation.errors import Alarm, RefusedError
from federation.log.checkpoints import Checkpoint
from federation.pages import Page
from federation.ports import Answer
from federation.signers.files import load
from federation.transport import bundle
from federation.trust import MOST_BAD
from hub.adapters.identities import Introduction
from hub.domain.changes import SYSTEM
from hub.domain.errors import NotFoundError
from hub.domain.pace import LEAST_USUAL, TIMES_USUAL
from hub.ports.exchange import ACTIVE, COUNTS, SUSPENDED
from hub.services.exchange import carrying, partners, publishing
from hub.services.exchange.bundling import read_bundle
from hub.services.exchange.carrying import Telling
from hub.services.exchange.pulling import FLOOD
from hub.services.office import CONSOLE
from tests.support.codes import pdq
from tests.support.rows import known as heard_of, opened
from tests.support.saying import contributed, matched, picture, withdrawn

OURS, THEIRS, OTHERS = "alpha.example.com", "beta.example.com", "gamma.example.com"


@pytest.fixture
def clock(clock):
    # TUF's own client asks the machine what time it is.
    clock.now = datetime.now(UTC)
    return clock


@pytest.fixture
def voices(a, b):
    """Two hubs with identities of their own, which share a set."""
    found = []
    for hub, operator in ((a, "alpha.example.com"), (b, "beta.example.com")):
        said = Introduction(hub.name, operator, "platform", f"https://{hub.name}", ())
        identity = hub.hub.abroad.identity_here
        pairing = identity.begin(said, hub.randomness, int(hub.clock().timestamp()))
        found.append((pairing, identity.voice()))
    for hub, (pairing, _), operator in (
        (a, found[1], "beta.example.com"), (b, found[0], "alpha.example.com"),
    ):  # fmt: skip
        partners.enrol(pairing, operators=[operator], level=COUNTS, by=CONSOLE, hub=hub.hub)
    return found[0][1], found[1][1]


@pytest.fixture
def shared(a, b, voices):
    set_id = a.set("lures")
    a.share(b.name, set_id)
    b.share(a.name, set_id)
    return set_id


@pytest.fixture
def written(a, b, voices):
    """Write a bundle of what the first hub says by now."""

    def write(start=0):
        while publishing.publish(a.hub, voices[0], a.randomness):
            pass
        publishing.show_checkpoint(a.hub, voices[0])
        file = io.BytesIO()
        Telling(b.name, start=start, hub=a.hub, voice=voices[0]).write(file)
        return file

    return write


def read(b, voices, file, sender=None):
    came = read_bundle(io.BytesIO(file.getvalue()), hub=b.hub, voice=voices[1], sender=sender)
    b.settle()
    return came


def test_what_is_in_a_bundle_is_matched(a, b, voices, shared, alpha, beta, written):
    known = [pdq() for _ in range(3)]
    for one in known:
        contributed(alpha, picture(pdq=one), shared)

    came = read(b, voices, written())

    assert (came.hub, came.applied, came.kept, came.refused) == (a.name, 3, 3, 0)
    assert [matched(beta, pdq=one)["answer"] for one in known] == ["hit"] * 3


def test_a_later_bundle_goes_on_where_the_first_ended(b, voices, shared, alpha, beta, written):
    known = pdq()
    indicator = contributed(alpha, picture(pdq=known), shared)
    read(b, voices, written())
    withdrawn(alpha, indicator)
    contributed(alpha, picture(pdq=pdq()), shared)

    assert read(b, voices, written(start=1)).kept == 2
    assert read(b, voices, written()).kept == 0
    assert matched(beta, pdq=known)["answer"] == "none"


def test_a_bundle_that_lacks_what_comes_next_is_refused(b, voices, shared, alpha, written):
    for _ in range(2):
        contributed(alpha, picture(pdq=pdq()), shared)

    with pytest.raises(RefusedError) as refused:
        read(b, voices, written(start=1))

    assert refused.value.alarm is Alarm.GAP


def changed(file, name, data):
    """A bundle with one file that is another."""
    told = io.BytesIO()
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(told, "w") as new:
        for info in old.infolist():
            new.writestr(info, data if info.filename == name else old.read(info))
    return told


@pytest.mark.parametrize(
    "name", ["ops/0", "tuf/metadata/1.root.json", "tuf/metadata/timestamp.json"]
)
def test_a_bundle_that_was_changed_is_refused(b, voices, shared, alpha, beta, written, name):
    known = pdq()
    contributed(alpha, picture(pdq=known), shared)
    file = written()
    with zipfile.ZipFile(file) as archive:
        data = archive.read(name)

    with pytest.raises(RefusedError):
        read(b, voices, changed(file, name, data.replace(b'"', b"'", 1)))

    assert matched(beta, pdq=known)["answer"] == "none"
    assert read(b, voices, file).kept == 1


def forked(a, file):
    """A bundle of the same size whose checkpoint has another root, rightly signed."""
    with zipfile.ZipFile(file) as archive:
        page = Page.parse(archive.read("ops/0"))
    other = Checkpoint(f"{a.name}/fed/1", page.size, bytes(32))
    key = load(a.hub.abroad.identity_here.folder / "keys" / "log-1.key")
    told = replace(page, checkpoint=other.signed(key).encoded())
    return changed(file, "ops/0", told.encoded())


def test_two_histories_in_bundles_suspend_whose_they_are(a, b, voices, shared, alpha, written):
    contributed(alpha, picture(pdq=pdq()), shared)
    file = written()
    read(b, voices, file)

    with pytest.raises(RefusedError) as refused:
        read(b, voices, forked(a, file))

    [kept] = partners.evidence(a.name, hub=b.hub)
    assert refused.value.alarm is Alarm.FORK
    assert (kept["alarm"], len(kept["proof"])) == ("fork", 2)
    assert b.enrolled(a.name).state == SUSPENDED


def test_a_bundle_that_somebody_spoilt_suspends_nobody(a, b, voices, shared, alpha, written):
    contributed(alpha, picture(pdq=pdq()), shared)

    with pytest.raises(RefusedError):
        read(b, voices, changed(written(), "ops/0", b"spoilt"))

    assert b.enrolled(a.name).state == ACTIVE


def test_a_bundle_of_a_stranger_is_not_read(a, b, voices, shared, alpha, written):
    contributed(alpha, picture(pdq=pdq()), shared)
    file = written()

    with pytest.raises(NotFoundError):
        read(b, voices, changed(file, "hub", b"hub-x.example"))
    partners.change(a.name, by=CONSOLE, hub=b.hub, state="paused")
    with pytest.raises(NotFoundError):
        read(b, voices, file)


@pytest.mark.parametrize("data", [b"", b"PK", b"no archive at all"])
def test_what_is_no_bundle_is_refused(b, voices, shared, data):
    with pytest.raises(RefusedError) as refused:
        read(b, voices, io.BytesIO(data))

    assert refused.value.alarm is Alarm.MALFORMED


def test_a_bundle_that_unpacks_to_more_than_it_may_is_refused(b, voices, shared, alpha, written):
    contributed(alpha, picture(pdq=pdq()), shared)
    bomb = io.BytesIO()
    with (
        zipfile.ZipFile(written()) as old,
        zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for info in old.infolist():
            data = bytes(20_000_000) if info.filename.startswith("ops/") else old.read(info)
            new.writestr(info.filename, data)

    with pytest.raises(RefusedError) as refused:
        read(b, voices, bomb)

    assert refused.value.alarm is Alarm.TOO_LARGE


# -- how much goes into one ----------------------------------------------------------------------


@pytest.fixture
def many(a, b, voices, shared, alpha):
    """Write bundles of what the first hub says, a page for each entry."""

    def tell(known, **options):
        for one in known:
            contributed(alpha, picture(pdq=one), shared)
        while publishing.publish(a.hub, voices[0], a.randomness):
            pass
        publishing.show_checkpoint(a.hub, voices[0])
        telling = Telling(b.name, start=0, hub=a.hub, voice=voices[0])
        files = []
        while not telling.is_over:
            files.append(io.BytesIO())
            telling.write(files[-1], **options)
        return files

    return tell


@pytest.fixture
def small(monkeypatch):
    """A page for each entry."""
    monkeypatch.setattr(carrying, "MAX_RECORDS", 1)


@pytest.mark.parametrize("cap", ["MAX_FILES", "MAX_BUNDLE"])
def test_what_does_not_fit_goes_on_in_a_next_bundle(
    b, voices, shared, beta, many, small, monkeypatch, cap
):
    whole = many([pdq()])[0]
    with zipfile.ZipFile(whole) as archive:
        caps = {
            "MAX_FILES": len(archive.infolist()) + 1,
            "MAX_BUNDLE": sum(one.file_size for one in archive.infolist()) + 5000,
        }
    monkeypatch.setattr(bundle, cap, caps[cap])
    known = [pdq() for _ in range(4)]

    files = many(known)
    came = [read(b, voices, one) for one in files]

    assert len(files) > 1
    assert (came[-1].applied, sum(one.kept for one in came)) == (5, 5)
    assert {matched(beta, pdq=one)["answer"] for one in known} == {"hit"}


def test_a_bundle_is_never_larger_than_it_may_be(many, small):
    files = many([pdq() for _ in range(20)], max_bytes=12_000)

    assert len(files) > 1
    assert max(len(one.getvalue()) for one in files) <= 12_000


def test_a_page_that_fits_nowhere_is_not_written(many, small):
    with pytest.raises(RefusedError) as refused:
        many([pdq()], max_bytes=1000)

    assert refused.value.alarm is Alarm.TOO_LARGE


def test_what_is_taken_back_is_taken_first(
    b, voices, shared, alpha, beta, many, small, monkeypatch
):
    monkeypatch.setattr(carrying, "FAR", 0)
    known = pdq()
    indicator = contributed(alpha, picture(pdq=known), shared)
    read(b, voices, many([])[0])
    contributed(alpha, picture(pdq=pdq()), shared)
    withdrawn(alpha, indicator)
    [file] = many([])

    with pytest.raises(RefusedError):
        read(b, voices, changed(file, "ops/1", b"spoilt"))

    assert matched(beta, pdq=known)["answer"] == "none"
    assert read(b, voices, file).applied == 3


# -- whose word is passed on ---------------------------------------------------------------------


class Shown:
    """The way to a hub's repository alone."""

    def __init__(self, hub):
        self.hub = hub

    def get(self, path, **_):
        found = self.hub.hub.abroad.file(path.removeprefix("/tuf/"))
        return Answer(404, b"") if found is None else Answer(200, found)


@pytest.fixture
def row(a, b, open_hub):
    """A hub that a partner's partner has never met, and hears of in a bundle only."""
    c = open_hub("hub-c.example")
    for number, (hub, operator) in enumerate(((a, OURS), (b, THEIRS), (c, OTHERS))):
        hub.count = number * 1000  # what is random in one is not in the others
        hub.introduce(operator)
    made = b.set("lures")
    for far, operator in ((a, OURS), (c, OTHERS)):
        far.pair(b, operators=(THEIRS,))
        far.share(b.name, made)
        b.pair(far, operators=(operator,))
        b.share(far.name, made)
    opened(b, made, "set")
    b.announce()
    a.catch_up(b)
    b.hub.abroad.identity_by(b.enrolled(a.name), Shown(a))
    return c, made


def test_who_they_are_whose_word_it_passes_on_comes_along(a, b, row):
    c, made = row
    alpha, gamma = a.admit(OURS, sets=[made]), c.admit(OTHERS, sets=[made])
    known = pdq()
    indicator = contributed(alpha, picture(pdq=known), made)

    def carry():
        a.publish()
        b.catch_up(a)
        b.publish()
        file = io.BytesIO()
        Telling(c.name, start=0, hub=b.hub, voice=b.voice).write(file)
        return read(c, (None, c.voice), file)

    assert carry().refused == 0
    assert matched(gamma, pdq=known)["answer"] == "hit"
    met = heard_of(c, a.name)
    assert met is not None
    assert (met.relayed, partners.identity_of(met)) == (True, a.hub.abroad.known())
    assert met.trust.head is not None

    withdrawn(alpha, indicator)
    carry()

    assert matched(gamma, pdq=known)["answer"] == "none"


# -- what waits, and what is spoilt ---------------------------------------------------------------


def test_what_adds_far_more_than_usual_waits_in_a_bundle_too(
    a, b, voices, shared, alpha, beta, written, clock
):
    known, other = pdq(), pdq()
    indicator = contributed(alpha, picture(pdq=known), shared)
    read(b, voices, written())
    key = b.enrolled(a.name).key
    with b.hub.begin.writing(SYSTEM) as work:
        work.partners.change(key, created_at=clock() - timedelta(days=30))
        work.partners.paced(key, clock(), added=TIMES_USUAL * LEAST_USUAL, revoked=0)
        work.commit()
    contributed(alpha, picture(pdq=other), shared)
    withdrawn(alpha, indicator)

    came = read(b, voices, written())

    assert (came.applied, came.size, came.kept) == (1, 1, 1)
    assert [matched(beta, pdq=one)["answer"] for one in (known, other)] == ["none", "none"]
    assert b.enrolled(a.name).error == FLOOD
    partners.change(a.name, by=CONSOLE, hub=b.hub, released_until=clock() + timedelta(days=1))
    assert read(b, voices, written()).applied == 3
    assert matched(beta, pdq=other)["answer"] == "hit"


@pytest.mark.parametrize(("is_posted", "state"), [(True, SUSPENDED), (False, ACTIVE)])
def test_who_posts_too_much_that_is_bad_is_suspended(
    a, b, voices, shared, alpha, written, is_posted, state
):
    """A file may have been spoilt on its way; what is posted is signed by who posts it."""
    partners.change(a.name, by=CONSOLE, hub=b.hub, operators=["nobody.example"])
    for _ in range(MOST_BAD + 1):
        contributed(alpha, picture(pdq=pdq()), shared)

    with pytest.raises(RefusedError) as refused:
        read(b, voices, written(), sender=a.name if is_posted else None)

    assert refused.value.alarm is Alarm.CONTENT
    assert b.enrolled(a.name).state == state


def test_a_bundle_whose_packing_was_spoilt_is_refused(b, voices, shared, alpha, written):
    contributed(alpha, picture(pdq=pdq()), shared)
    data = bytearray(written().getvalue())
    info = zipfile.ZipFile(io.BytesIO(data)).getinfo("ops/0")
    data[info.header_offset + 30 + len(info.filename)] = 0x07  # a kind of block that is none

    with pytest.raises(RefusedError) as refused:
        read(b, voices, io.BytesIO(data))

    assert refused.value.alarm is Alarm.MALFORMED


def test_after_a_set_is_newly_shared_files_go_on_where_the_last_one_ended(
    a, b, voices, shared, alpha, beta, written
):
    """Nobody may have a whole log any more: what is taken back is not lost for that."""
    known, before, after = pdq(), pdq(), pdq()
    other = a.set("other")
    a.grant(other, alpha.member)
    a.share(b.name, other)
    indicator = contributed(alpha, picture(pdq=known), shared)
    contributed(alpha, picture(pdq=before), other)
    read(b, voices, written())
    b.share(a.name, other)
    reader = b.admit("delta.example.com", sets=[other])

    contributed(alpha, picture(pdq=after), other)
    start = read(b, voices, written(start=b.enrolled(a.name).trust.applied)).applied
    withdrawn(alpha, indicator)
    came = read(b, voices, written(start=start))

    assert came.applied == came.size == start + 1
    assert matched(beta, pdq=known)["answer"] == "none"
    assert [matched(reader, pdq=one)["answer"] for one in (before, after)] == ["none", "hit"]
    read(b, voices, written())
    assert [matched(reader, pdq=one)["answer"] for one in (before, after)] == ["hit", "hit"]
