# SPDX-License-Identifier: Apache-2.0
"""Pictures that must not be found: at the hub where it is said, and at its partners."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from federation.operations.payloads import operation_in
from federation.operations.values import Op
from hub.adapters import clock as real
from hub.cli import main
from hub.domain.changes import SYSTEM
from hub.domain.errors import BadInputError, ConflictError, ForbiddenError, NotFoundError
from hub.domain.indicators import Code
from hub.services import exclusions
from hub.services.exchange import partners
from hub.services.office import CONSOLE
from tests.support.codes import flipped, pdq
from tests.support.rows import alarms, carried, in_a_row
from tests.support.saying import (
    contributed,
    matched,
    opined,
    picture,
    standing,
    standings,
    version,
)


def excluded(hub, caller, known, *sets, radius=31, signal="pdq", **changed):
    """Say that a picture must not be found; returns the id."""
    values = {
        "member": caller.member,
        "sets": sets,
        "code": Code(signal, bytes.fromhex(known)),
        "radius": radius,
        "reason": "benign",
        "expires": hub.clock() + timedelta(days=100),
        **changed,
    }
    made = exclusions.add_exclusion(values, by=CONSOLE, hub=hub.hub)
    hub.settle()
    return made.body["id"]


def ended(hub, public_id):
    exclusions.end_exclusion(public_id, by=CONSOLE, hub=hub.hub)
    hub.settle()


def told(a, b):
    """Let one hub say what it has to, and the other hear it."""
    a.publish()
    b.catch_up(a)


def operations(hub):
    with hub.hub.begin.reading() as work:
        log = work.logs.open(hub.voice.log.origin)
        leaves = work.logs.entries(log, 0, log.size)
    return [operation_in(leaf.sealed) for leaf in leaves]


# -- at home -------------------------------------------------------------------------------------


def test_it_is_one_voice_against_what_is_near_and_hides_nothing(b, shared, beta):
    other = b.admit("gamma.example.com", sets=[shared])
    known = pdq()
    near, far = flipped(known, 31), flipped(known, 32)
    ids = [contributed(beta, picture(pdq=one), shared) for one in (near, far)]

    excluded(b, other, known, shared)

    assert [standing(beta, one) for one in ids] == ["disputed", "review"]
    hits = matched(beta, pdq=near)["hits"]
    assert [hit["standing"] for hit in hits] == ["disputed", "review"]


def test_it_speaks_of_what_comes_later_too(b, shared, beta):
    other = b.admit("gamma.example.com", sets=[shared])
    known = pdq()
    excluded(b, other, known, shared, radius=10)

    near = contributed(beta, picture(pdq=flipped(known, 10)), shared)
    far = contributed(beta, picture(pdq=flipped(known, 11)), shared)

    assert (standing(beta, near), standing(beta, far)) == ("disputed", "review")


def test_it_speaks_in_its_set_only(b, shared, beta):
    elsewhere = b.set("elsewhere")
    b.grant(elsewhere, beta.member)
    other = b.admit("gamma.example.com", sets=[shared])
    known = pdq()
    excluded(b, other, known, shared)

    one = contributed(beta, picture(pdq=known), shared, elsewhere)

    assert standings(beta, one)[shared][0] == "disputed"
    assert standings(beta, one)[elsewhere][0] == "review"
    alone = contributed(beta, picture(pdq=flipped(known, 3)), elsewhere)
    assert standing(beta, alone) == "review"
    beta.post(f"/v1/indicators/{alone}/versions", version(shared, elsewhere))
    assert standings(beta, alone)[shared][0] == "disputed"


def test_an_operator_has_one_voice_however_often_it_excludes(b, shared, beta):
    callers = [beta] + [b.admit(f"{n}.example.com", sets=[shared]) for n in ("gamma", "delta")]
    known = pdq()
    one, *_ = [contributed(caller, picture(pdq=known), shared) for caller in callers]
    other = b.admit("epsilon.example.com", sets=[shared])

    for bits in (0, 5, 9):
        excluded(b, other, flipped(known, bits), shared)

    # Three for it and one against it are a quarter.
    b.clock.forward(seconds=4)
    assert standing(beta, one) == "corroborated"


def test_its_word_on_an_entry_replaces_what_it_excludes(b, shared, beta):
    other = b.admit("gamma.example.com", sets=[shared])
    known = pdq()
    one = contributed(beta, picture(pdq=known), shared)
    excluded(b, other, known, shared)
    assert standing(beta, one) == "disputed"

    opined(other, one, shared, "agree", basis="own-service-human", assessed_by=1)
    assert standing(beta, one) == "review"

    excluded(b, other, flipped(known, 4), shared)
    assert standing(beta, one) == "review"


def test_nobody_excludes_what_it_contributed(b, shared, beta):
    known = pdq()
    one = contributed(beta, picture(pdq=known), shared)

    excluded(b, beta, known, shared)

    assert standing(beta, one) == "review"


def test_derived_codes_draw_nothing(b, shared, beta):
    other = b.admit("gamma.example.com", sets=[shared])
    known, derived = pdq(), pdq()
    item = picture(pdq=known)
    item["codes"].append({"signal": "pdq", "code": derived, "derived": "trim:border"})
    one = contributed(beta, item, shared)

    excluded(b, other, derived, shared)

    assert standing(beta, one) == "review"


def test_a_digest_means_what_is_equal(b, shared, beta):
    other = b.admit("gamma.example.com", sets=[shared])
    digest = "ab" * 32
    one = contributed(beta, picture(sha256=digest), shared)
    two = contributed(beta, picture(sha256="ab" * 31 + "aa"), shared)

    excluded(b, other, digest, shared, signal="sha256")

    assert (standing(beta, one), standing(beta, two)) == ("disputed", "review")


def test_it_is_said_no_more(b, shared, beta):
    other = b.admit("gamma.example.com", sets=[shared])
    known = pdq()
    one = contributed(beta, picture(pdq=known), shared)
    name = excluded(b, other, known, shared)
    assert [row["id"] for row in exclusions.list_exclusions(hub=b.hub)] == [name]

    ended(b, name)

    assert standing(beta, one) == "review"
    assert exclusions.list_exclusions(hub=b.hub) == []
    again = contributed(beta, picture(pdq=flipped(known, 2)), shared)
    assert standing(beta, again) == "review"
    with pytest.raises(NotFoundError):
        ended(b, name)


def test_it_is_over_when_its_time_is(b, shared, beta, clock):
    other = b.admit("gamma.example.com", sets=[shared])
    known = pdq()
    one = contributed(beta, picture(pdq=known), shared)
    excluded(b, other, known, shared)
    assert standing(beta, one) == "disputed"

    clock.forward(days=100)
    assert standing(beta, one) == "review"
    assert exclusions.end_over(b.hub) == 1
    assert exclusions.end_over(b.hub) == 0
    assert exclusions.list_exclusions(hub=b.hub) == []


def test_it_disputes_alone_where_a_person_is_seen(b, shared, beta):
    callers = [beta] + [b.admit(f"{n}.example.com", sets=[shared]) for n in ("gamma", "delta")]
    known = pdq()
    one, *_ = [contributed(caller, picture(pdq=known), shared) for caller in callers]
    other = b.admit("epsilon.example.com", sets=[shared])

    excluded(b, other, known, shared, reason="depicted-person")

    assert standing(beta, one) == "disputed"


def test_it_finds_entries_whose_places_for_votes_are_taken(b, shared, beta):
    known = pdq()
    one = contributed(beta, picture(pdq=known), shared)
    for number in range(17):
        speaker = b.admit(f"speaker-{number}.example.com", sets=[shared])
        opined(speaker, one, shared, "disagree", reason="benign")
    other = b.admit("gamma.example.com", sets=[shared])

    excluded(b, other, known, shared, reason="depicted-person")

    assert standing(beta, one) == "disputed"
    with b.hub.begin.reading() as work:
        key = work.indicators.find(one).key
        set_key = b.hub.directory.set_named(shared).key
        links = work.votes.links(key, set_key)
    assert len(links) == 16
    assert sum(exclusion is not None for _, _, exclusion in links) == 1


@pytest.mark.parametrize(
    ("signal", "code"),
    [("pdq", "ff" * 32), ("phash", "0f" * 8), ("pdq", "0f" * 31)],
    ids=["impossible", "weak", "short"],
)
def test_what_can_be_no_picture_excludes_nothing(b, shared, beta, signal, code):
    with pytest.raises(BadInputError):
        excluded(b, beta, code, shared, signal=signal)


def test_who_may_not_look_into_a_set_does_not_speak_of_it(b, shared, beta):
    with pytest.raises(ForbiddenError):
        excluded(b, beta, pdq(), b.set("elsewhere"))
    with pytest.raises(NotFoundError):
        excluded(b, beta, pdq(), "set_" + "z" * 26)


def test_nobody_excludes_the_world(b, shared, beta, monkeypatch):
    monkeypatch.setattr(exclusions, "MOST_OF_AN_OPERATOR", 2)
    for _ in range(2):
        excluded(b, beta, pdq(), shared)

    with pytest.raises(ConflictError):
        excluded(b, beta, pdq(), shared)


# -- between hubs --------------------------------------------------------------------------------


def test_a_partners_is_one_voice_here_and_hides_nothing(a, b, shared, alpha, beta):
    known = pdq()
    mine = contributed(beta, picture(pdq=flipped(known, 20)), shared)

    excluded(a, alpha, known, shared)
    told(a, b)
    later = contributed(beta, picture(pdq=flipped(known, 30)), shared)
    other = contributed(beta, picture(pdq=flipped(known, 32)), shared)

    assert [standing(beta, one) for one in (mine, later, other)] == [
        "disputed", "disputed", "review",
    ]  # fmt: skip
    assert matched(beta, pdq=flipped(known, 20))["answer"] == "hit"


def test_a_partners_is_one_voice_however_often_it_excludes(a, b, shared, alpha, beta, clock):
    callers = [beta] + [b.admit(f"{n}.example.com", sets=[shared]) for n in ("gamma", "delta")]
    known = pdq()
    one, *_ = [contributed(caller, picture(pdq=known), shared) for caller in callers]

    for bits in (0, 5, 9):
        excluded(a, alpha, flipped(known, bits), shared)
    told(a, b)
    clock.forward(seconds=4)

    # Three for it and one against it are a quarter.
    assert standing(beta, one) == "corroborated"


def test_it_speaks_of_what_comes_from_the_partner_as_well(a, b, shared, alpha, beta):
    known = pdq()
    gamma = a.admit("gamma.example.com", sets=[shared])
    with b.hub.begin.writing(SYSTEM) as work:
        work.partners.change(
            b.enrolled(a.name).key, operators=["alpha.example.com", "gamma.example.com"]
        )
        work.commit()
    contributed(gamma, picture(pdq=known), shared)
    excluded(a, alpha, known, shared)
    told(a, b)

    assert matched(beta, pdq=known)["standing"] == "disputed"


def test_a_partner_takes_it_back(a, b, shared, alpha, beta):
    known = pdq()
    mine = contributed(beta, picture(pdq=known), shared)
    name = excluded(a, alpha, known, shared)
    told(a, b)
    assert standing(beta, mine) == "disputed"

    ended(a, name)
    told(a, b)

    assert standing(beta, mine) == "review"
    ops = operations(a)
    assert [(one.op, one.register.kind) for one in ops] == [
        (Op.EXCLUDE, "exclude"), (Op.REVOKE, "exclude"),
    ]  # fmt: skip
    assert {one.register for one in ops} == {ops[0].register}
    assert name in ops[0].target
    a.publish()
    assert len(operations(a)) == 2


def test_it_is_taken_back_ahead_of_the_log(a, b, shared, alpha, beta):
    known = pdq()
    mine = contributed(beta, picture(pdq=known), shared)
    name = excluded(a, alpha, known, shared)
    told(a, b)
    ended(a, name)
    a.publish()

    assert b.take_revokes(a) == 1
    assert standing(beta, mine) == "review"
    b.catch_up(a)
    assert standing(beta, mine) == "review"


def test_whose_word_does_not_count_excludes_nothing(a, b, shared, alpha, beta):
    known = pdq()
    mine = contributed(beta, picture(pdq=known), shared)
    excluded(a, alpha, known, shared)
    told(a, b)
    assert standing(beta, mine) == "disputed"

    with b.hub.begin.writing(SYSTEM) as work:
        work.partners.mark(a.name, partners.STALE)
        work.commit()

    assert standing(beta, mine) == "review"


def test_a_set_that_is_shared_later_brings_what_is_excluded(a, b, shared, alpha, beta):
    later = a.set("later")
    a.grant(later, alpha.member)
    known = pdq()
    name = excluded(a, alpha, known, later)
    a.publish()
    assert operations(a) == []

    for one, other in ((a, b), (b, a)):
        one.share(other.name, later)
    b.grant(later, beta.member)
    mine = contributed(beta, picture(pdq=known), later)
    told(a, b)

    assert [one.target for one in operations(a)] == [name]
    assert standing(beta, mine) == "disputed"


def test_it_outlives_no_operation(a, b, shared, alpha, beta, clock):
    known = pdq()
    mine = contributed(beta, picture(pdq=known), shared)
    excluded(a, alpha, known, shared)
    told(a, b)

    clock.forward(days=100)
    assert exclusions.end_over(a.hub) == exclusions.end_over(b.hub) == 1
    a.publish()

    assert standing(beta, mine) == "review"
    # It said itself until when it holds.
    assert [one.op for one in operations(a)] == [Op.EXCLUDE]


def test_it_is_of_its_author_and_not_of_whoever_uses_its_id(a, b, shared, alpha, beta):
    known = pdq()
    mine = contributed(beta, picture(pdq=known), shared)
    name = excluded(a, alpha, known, shared)
    told(a, b)

    with pytest.raises(NotFoundError):
        ended(b, name)  # another hub's

    assert standing(beta, mine) == "disputed"


def test_one_that_can_be_no_picture_is_held_against_its_hub_and_not_who_passes_it_on(
    a, b, open_hub, monkeypatch
):
    c = open_hub("hub-c.example")
    line = in_a_row(a, b, c, {one.name: f"run.{one.name}" for one in (a, b, c)})
    alpha = a.admit(f"run.{a.name}", sets=[line])
    with monkeypatch.context() as patch:
        patch.setattr(exclusions, "check_code", lambda _: None)
        excluded(a, alpha, "00" * 32, line)
    carried(a, b, c)

    assert alarms(b, a.name) == alarms(c, a.name) == ["content"]
    assert alarms(c, b.name) == []


def test_the_register_says_until_when(a, b, shared, alpha):
    excluded(a, alpha, pdq(), shared)
    told(a, b)

    (said,) = operations(a)
    with b.hub.begin.reading() as work:
        (kept,) = work.exclusions.in_set(b.hub.directory.set_named(shared).key)
    assert kept.expires == datetime.fromtimestamp(said.expires, UTC)
    assert kept.radius == 31
    assert kept.code.signal == "pdq"


def test_it_is_said_at_the_console(b, shared, beta, clock, capsys, monkeypatch):
    clock.now = real.now()  # a command has no other
    monkeypatch.setenv("BREAKWATER_DATA", str(b.settings.data))
    monkeypatch.setenv("BREAKWATER_DATABASE_URL", b.settings.database_url)
    other = b.admit("gamma.example.com", sets=[shared])
    known = pdq()

    def run(*arguments):
        capsys.readouterr()
        with pytest.raises(SystemExit) as done:
            main(["exclusions", *arguments])
        b.settle()
        assert done.value.code == 0
        out = capsys.readouterr().out
        assert known not in out
        return json.loads(out)

    one = contributed(beta, picture(pdq=known), shared)
    made = run("add", other.member, shared, "--code", f"pdq:{known}", "--radius", "3", "--json")

    assert (made["radius"], made["reason"], made["sets"]) == (3, "benign", [shared])
    assert standing(beta, one) == "disputed"
    assert [row["id"] for row in run("list", "--json")] == [made["id"]]
    run("end", made["id"], "--json")
    assert standing(beta, one) == "review"
