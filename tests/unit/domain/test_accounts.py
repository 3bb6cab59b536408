# SPDX-License-Identifier: Apache-2.0
import hashlib
import hmac
import json
import re
from importlib import resources

import pytest
from hypothesis import assume, example, given, strategies as st

from hub.domain.accounts import (
    RULES,
    AccountError,
    ChildIdentifierError,
    MalformedAccountError,
    Normalised,
    SharedAccountError,
    SubjectError,
    UnknownAccountKindError,
    account_code,
    check_shareable,
    digest_input,
    normalise,
)
from hub.domain.errors import BadInputError
from hub.domain.vocabulary import VOCABULARY, UnknownWordError

PEPPER = bytes(range(32))


def values(kind, value, region=None):
    return [(one.kind, one.value) for one in normalise(kind, value, region)]


# Telephones.


@pytest.mark.parametrize(
    ("written", "region"),
    [
        ("+12025550143", None),
        ("+1 (202) 555-0143", None),
        ("  +1.202.555.0143 ", None),
        ("+1 202\u2013555\u20110143", None),
        ("\uff0b\uff11 202 555 0143", None),  # full width
        ("(202) 555-0143", "US"),
        ("1-202-555-0143", "US"),
        ("011 1 202 555 0143", "US"),
        ("00 1 202 555 0143", "GB"),
        ("+1 202 555 0143", "GB"),
    ],
)
def test_one_telephone_number_has_one_form_however_it_is_written(written, region):
    assert values("phone", written, region) == [("phone", "+12025550143")]


def test_a_national_prefix_belongs_to_the_writing_and_not_to_the_number():
    assert values("phone", "020 7946 0018", "GB") == values("phone", "+44 (0)20 7946 0018")


@pytest.mark.parametrize(
    "written",
    [
        "202 555 0143",  # no region: never guessed
        "+1 202 555 0143 ext. 5",
        "+1 202 555 0143;ext=5",
        "tel:+1-202-555-0143",
        "+1 800 FLOWERS",
        "+1 202\n555 0143",
        "+1 202\x00555 0143",
        "+1 555 0143",  # only inside its town
        "+1 202 555 01434",
        "+999 202 555 0143",
        "+43 0000000",  # one zero is shed each time it is read
        "+",
        "",
        "\u0661\u0662\u0663",
        "1" * 1000,
    ],
)
def test_what_is_no_whole_telephone_number_is_refused(written):
    with pytest.raises(MalformedAccountError):
        normalise("phone", written)


def test_a_number_that_works_only_in_its_town_is_refused_with_a_region_too():
    with pytest.raises(MalformedAccountError):
        normalise("phone", "5550143", "US")


@pytest.mark.parametrize("region", ["us", "XX", "001", "", "USA", "U\x00"])
def test_an_unknown_region_is_refused_and_named_as_the_fault(region):
    with pytest.raises(AccountError) as caught:
        normalise("phone", "202 555 0143", region)

    assert caught.value.flaws[0].field == "region"


# Addresses.


@pytest.mark.parametrize(
    ("written", "exact", "canonical"),
    [
        (" Some.Body@Example.COM ", "some.body@example.com", "some.body@example.com"),
        ("some.body+a@example.com", "some.body+a@example.com", "some.body+a@example.com"),
        ("Some.Body+a+b@gmail.com", "some.body+a+b@gmail.com", "somebody@gmail.com"),
        ("some.body@GoogleMail.com", "some.body@googlemail.com", "somebody@gmail.com"),
        ("some.body+a@outlook.com", "some.body+a@outlook.com", "some.body@outlook.com"),
        ("some.body+a@sub.gmail.com", "some.body+a@sub.gmail.com", "some.body+a@sub.gmail.com"),
        ("+a@outlook.com", "+a@outlook.com", "+a@outlook.com"),
        ("x@B\u00fccher.example.", "x@xn--bcher-kva.example", "x@xn--bcher-kva.example"),
        ("x@xn--bcher-kva.example", "x@xn--bcher-kva.example", "x@xn--bcher-kva.example"),
        ("zoe\u0308@example.com", "zo\u00eb@example.com", "zo\u00eb@example.com"),
    ],
)
def test_an_address_has_an_exact_and_a_canonical_form(written, exact, canonical):
    assert values("email", written) == [("email", exact), ("email-canon", canonical)]


@pytest.mark.parametrize(
    "written",
    [
        "example.com",
        "@example.com",
        "somebody@",
        "somebody@localhost",
        "somebody@-example.com",
        "somebody@exa mple.com",
        "somebody@exa_mple.com",
        "somebody@[192.0.2.1]",
        "some body@example.com",
        '"some body"@example.com',
        "Some Body <somebody@example.com>",
        "a@b@example.com",
        "some\u200bbody@example.com",
        "some\x00body@example.com",
        "somebody@example\x00.com",
        "some\nbody@example.com",
        "\ud800@example.com",
        "somebody@\ud800.com",
        "x" * 65 + "@example.com",
        "somebody@" + "x" * 64 + ".com",
        "x" * 100_000 + "@example.com",
        "",
    ],
)
def test_what_is_no_plain_address_is_refused(written):
    with pytest.raises(MalformedAccountError):
        normalise("email", written)


# Handles and ids.


@pytest.mark.parametrize(
    ("kind", "written", "value"),
    [
        ("handle:example", "@Some.Body", "some.body"),
        ("handle:example", " some.body ", "some.body"),
        ("handle:example", "\uff20\uff33ome.body", "some.body"),
        ("handle:youtube", "@Gr\u00f6\u00dfe", "gr\u00f6sse"),
        ("uid:example", "1234567890", "1234567890"),
        ("uid:youtube", "UCabcdefghijABCDEFGHIJ12", "UCabcdefghijABCDEFGHIJ12"),
    ],
)
def test_a_handle_folds_where_its_platform_ignores_case_and_an_id_does_not(kind, written, value):
    assert values(kind, written) == [(kind, value)]


def test_ids_that_differ_in_case_alone_are_two_accounts():
    assert values("uid:youtube", "UC" + "a" * 22) != values("uid:youtube", "UC" + "A" * 22)


@pytest.mark.parametrize(
    ("kind", "written"),
    [
        ("handle:example", "@@somebody"),
        ("handle:example", "some body"),
        ("handle:example", "somebody\x00"),
        ("handle:example", "s\u043emebody"),  # a Cyrillic letter
        ("handle:example", ""),
        ("handle:example", "x" * 33),
        ("uid:example", "007"),
        ("uid:example", "\u0661\u0662"),
        ("uid:example", "-1"),
        ("uid:youtube", "UC" + "a" * 21),
    ],
)
def test_what_a_platform_cannot_have_is_refused(kind, written):
    with pytest.raises(MalformedAccountError):
        normalise(kind, written)


@pytest.mark.parametrize(
    "kind",
    ["", "handle", "handle:", "handle:nowhere", "uid:playstation", "Phone", "email-canon", "pdq"],
)
def test_an_unknown_kind_or_platform_is_refused(kind):
    with pytest.raises(UnknownAccountKindError):
        normalise(kind, "somebody")


def test_every_platform_pattern_leaves_nothing_before_or_after():
    for form in RULES.forms.values():
        assert not form.pattern.fullmatch("")
        assert not form.pattern.fullmatch("ab12\n")
        assert not re.search(r"\\n|\\s|\.\*|\.\+", form.pattern.pattern)


def test_the_data_file_states_its_version_and_refuses_only_what_is_already_normal():
    text = resources.files("hub.domain").joinpath("accounts.json").read_text(encoding="utf-8")

    assert json.loads(text)["version"] == RULES.version == "acct/1"
    assert all(name == name.casefold().strip() for name in RULES.refused_mailboxes)
    assert all(re.fullmatch(r"\+[1-9][0-9]+", number) for number in RULES.refused_phones)


# What is shared by many.


@pytest.mark.parametrize(
    "written",
    ["abuse@example.com", "PostMaster@example.com", "abuse+x@example.com", "no-reply@gmail.com"],
)
def test_a_role_address_is_refused(written):
    with pytest.raises(SharedAccountError):
        normalise("email", written)


def test_everybody_at_a_hotline_is_refused_and_a_domain_that_ends_alike_is_not():
    for refused in RULES.refused_domains:
        for domain in (refused, f"mail.{refused}", refused.upper()):
            with pytest.raises(SharedAccountError):
                normalise("email", f"somebody@{domain}")
        assert values("email", f"somebody@not{refused}")


def test_a_number_that_children_call_is_refused_in_every_writing():
    for number in RULES.refused_phones:
        with pytest.raises(SharedAccountError):
            normalise("phone", f"{number[:3]} {number[3:6]}-{number[6:]}")


def test_reserved_test_numbers_are_taken():
    for last in range(100):
        assert values("phone", f"+1 202 555 01{last:02}")


# Every kind alike.


letters = st.text(
    st.characters(categories=["Ll", "Lu", "Lt", "Mn", "Nd"]), min_size=3, max_size=12
)
ascii_letters = st.text("abcXYZ0189._-", min_size=3, max_size=12)
written_accounts = st.one_of(
    st.tuples(st.just("phone"), st.from_regex(r"\+[1-9][0-9 ().-]{8,13}", fullmatch=True)),
    st.tuples(st.just("email"), letters.map(lambda mailbox: f" {mailbox}@Example.COM")),
    st.tuples(st.just("email"), ascii_letters.map(lambda label: f"x@{label}.example")),
    st.tuples(st.just("handle:youtube"), letters),
    st.tuples(st.sampled_from(sorted(RULES.forms)), ascii_letters),
)


@given(written_accounts)
@example(("email", "\u0130@x.example"))
@example(("handle:youtube", "\u1e9e\u0390x"))
@example(("phone", "+430000000"))
def test_a_normal_form_is_normal_and_survives_the_digest(account):
    kind, written = account
    try:
        first = normalise(kind, written)
    except AccountError:
        return

    assert normalise(kind, first[0].value) == first
    assert all("\0" not in one.value and one.value.isprintable() for one in first)


@given(st.from_regex(r"[a-z][a-z.]{0,9}(\+[a-z]{1,3})?", fullmatch=True), st.booleans())
def test_the_canonical_form_is_its_own_canonical_form(mailbox, google):
    written = f"{mailbox}@{'googlemail.com' if google else 'outlook.com'}"
    assume(mailbox.partition("+")[0] not in RULES.refused_mailboxes)
    canonical = normalise("email", written)[1].value
    assume(canonical.partition("@")[0] not in RULES.refused_mailboxes)

    assert [one.value for one in normalise("email", canonical)] == [canonical, canonical]


@given(st.sampled_from(["phone", "email", "handle:example", "uid:steam"]), st.text(max_size=30))
def test_no_error_carries_the_value_or_a_cause_that_does(kind, written):
    with pytest.raises(BadInputError) as caught:
        normalise(kind, "Zq\u00e6 " + written)

    error = caught.value
    assert "Zq\u00e6" not in str(error) + repr(error) + repr(error.flaws)
    assert error.__cause__ is None
    assert error.__context__ is None or error.__suppress_context__


def test_a_normalised_account_does_not_show_its_value_by_accident():
    assert "somebody" not in repr(normalise("email", "somebody@example.com"))


# Whose account.


@pytest.mark.parametrize("subject", ["actor", "contact-point", "payment-recipient"])
def test_three_subjects_may_be_shared(subject):
    assert check_shareable(subject) == subject


@pytest.mark.parametrize("subject", ["compromised", "impersonated", "unknown"])
def test_the_account_of_somebody_who_may_have_done_nothing_is_refused(subject):
    with pytest.raises(SubjectError):
        check_shareable(subject)


def test_an_account_that_may_be_a_childs_is_never_shared():
    with pytest.raises(ChildIdentifierError):
        check_shareable("child-possible")


def test_every_subject_of_the_list_is_decided_and_no_other_is():
    for subject in VOCABULARY.lists["subject"].terms:
        if subject not in VOCABULARY.shareable_subjects:
            with pytest.raises(AccountError):
                check_shareable(subject)
    with pytest.raises(UnknownWordError):
        check_shareable("somebody")


# The code.


def test_the_digest_covers_version_kind_and_value_with_nul_between():
    assert digest_input("email", "zo\u00eb@example.com") == (
        b"acct/v1\x00email\x00zo\xc3\xab@example.com"
    )


def test_the_code_is_the_first_half_of_a_keyed_digest():
    whole = hmac.new(PEPPER, b"acct/v1\x00phone\x00+12025550143", hashlib.sha256).digest()

    assert account_code(PEPPER, "phone", "+12025550143") == whole[:16]


def test_kind_value_and_pepper_each_change_the_code():
    codes = {
        account_code(PEPPER, "handle:example", "somebody"),
        account_code(PEPPER, "handle:instagram", "somebody"),
        account_code(PEPPER, "handle:example", "somebody2"),
        account_code(PEPPER[::-1], "handle:example", "somebody"),
    }

    assert len(codes) == 4


def test_the_exact_and_the_canonical_form_have_different_codes_even_where_they_are_equal():
    exact, canonical = normalise("email", "somebody@example.com")

    assert exact.value == canonical.value
    assert account_code(PEPPER, exact.kind, exact.value) != account_code(
        PEPPER, canonical.kind, canonical.value
    )


def test_a_pepper_that_is_too_short_is_refused():
    with pytest.raises(ValueError, match="32 bytes"):
        account_code(PEPPER[:31], "phone", "+12025550143")


def test_values_are_values():
    assert normalise("phone", "+12025550143") == (Normalised("phone", "+12025550143"),)
