# SPDX-License-Identifier: Apache-2.0
import pytest

from hub.domain.vocabulary import VOCABULARY, UnknownWordError, WordCountError

LISTS = {
    "harm": "grooming · solicitation · csam-solicitation · sexual-extortion-imagery ·"
    " sexual-extortion-financial · sadistic-online-exploitation · trafficking · meeting-arranged ·"
    " livestreamed-abuse · csam-distribution · benign · unspecified-csea",
    "use": "profile-picture · first-contact · persona-gallery · offer · normalising · threat ·"
    " payment · invitation · unknown",
    "depicts": "no-person · synthetic-person · third-party-adult · third-party-child ·"
    " known-victim · person-believed-offending · unknown",
    "content_class": "not-assessed · lawful · exploitative-not-illegal · nationally-illegal ·"
    " baseline",
    "synthetic": "yes · no · unknown",
    "priority": "imminent · high · standard · low",
    "confidence": "low · medium · high",
    "basis": "own-service-human · hotline-assessed · expert-list · report-confirmed · self-report"
    " · law-enforcement-referral · automated-unreviewed · matched-shared",
    "assessed_by": "0 · 1 · 2 · 3+",
    "operator_kind": "platform · hotline · ngo · law-enforcement · regulator · research",
    "ground": "legal-obligation · vital-interest · legitimate-interest · public-interest ·"
    " specific-derogation · national-statute",
    "subject": "actor · contact-point · payment-recipient · compromised · impersonated ·"
    " child-possible · unknown",
    "dispute_reason": "different-content · benign · wrong-harm · wrong-class · depicted-person ·"
    " account-compromised · account-recycled · impersonated · subject-child · insufficient-basis ·"
    " unlawful-to-share · outdated · duplicate · appeal-upheld · upstream-withdrawn",
    "opinion": "agree · disagree · seen · stale · want-more-info",
    "outcome": "pending · no-violation · inconclusive · content-removed · account-restricted ·"
    " account-removed · reported · confirmed-no-action · overturned",
    "reported_to": "ncmec · hotline · police · regulator",
    "relation": "same-account-holder-believed · same-campaign · used-with · variant-of",
}


def test_the_lists_are_those_of_vocab_1_word_for_word_and_in_their_order():
    listed = {name: " · ".join(words.terms) for name, words in VOCABULARY.lists.items()}

    assert VOCABULARY.version == "vocab/1"
    assert listed == LISTS


@pytest.mark.parametrize("name", LISTS)
def test_every_word_leads_to_a_root_and_an_unknown_word_to_the_lists_unknown(name):
    words = VOCABULARY.lists[name]

    for term in words.terms:
        path = [term]
        while (wider := VOCABULARY.parent(name, path[-1])) is not None:
            assert wider in words.terms
            assert wider not in path
            path.append(wider)
    assert VOCABULARY.parent(name, "a-word-of-tomorrow") == words.unknown
    assert words.unknown is None or words.terms[words.unknown] is None


def test_a_word_is_read_as_itself_then_as_the_parent_that_came_with_it_then_as_unknown():
    assert VOCABULARY.read_as("harm", "grooming", "solicitation") == "grooming"
    assert VOCABULARY.read_as("harm", "grooming-by-bot", "grooming") == "grooming"
    assert VOCABULARY.read_as("harm", "grooming-by-bot", "by-bot") == "unspecified-csea"
    assert VOCABULARY.read_as("harm", "grooming-by-bot") == "unspecified-csea"
    assert VOCABULARY.read_as("ground", "whim") is None


def test_no_unknown_word_gains_weight():
    basis = VOCABULARY.read_as("basis", "a-word-of-tomorrow", None)
    kind = VOCABULARY.read_as("operator_kind", "a-word-of-tomorrow")
    subject = VOCABULARY.read_as("subject", "a-word-of-tomorrow")
    stance = VOCABULARY.read_as("opinion", "a-word-of-tomorrow")

    assert not VOCABULARY.counts(str(basis))
    assert kind in VOCABULARY.state_kinds
    assert subject not in VOCABULARY.shareable_subjects
    assert stance not in {"agree", "disagree"}


def test_a_wider_word_protects_a_victim_no_less():
    assert VOCABULARY.parent("depicts", "known-victim") == "third-party-child"


def test_only_the_first_four_bases_count():
    counting = [basis for basis in VOCABULARY.lists["basis"].terms if VOCABULARY.counts(basis)]

    assert counting == ["own-service-human", "hotline-assessed", "expert-list", "report-confirmed"]


def test_what_is_said_of_single_words_is_said_of_words_of_their_lists():
    lists = {name: set(words.terms) for name, words in VOCABULARY.lists.items()}

    assert lists["basis"] >= VOCABULARY.counting_bases
    assert lists["operator_kind"] >= VOCABULARY.state_kinds
    assert lists["subject"] >= VOCABULARY.shareable_subjects
    assert lists["dispute_reason"] >= VOCABULARY.one_voice_reasons | VOCABULARY.no_vote_reasons
    assert lists["priority"] == set(VOCABULARY.answer_within_hours)
    assert lists["harm"] - {"benign", "unspecified-csea"} == set(VOCABULARY.cybertipline)


def test_a_known_word_is_returned():
    assert VOCABULARY.check("use", "offer") == "offer"


@pytest.mark.parametrize("term", ["", "Offer", "offer ", "offer\n", "grooming", "o\x00"])
def test_an_unknown_word_is_refused_with_list_and_index_and_without_the_word(term):
    with pytest.raises(UnknownWordError) as caught:
        VOCABULARY.check("use", term, index=3)

    (found,) = caught.value.flaws
    assert (caught.value.list_name, caught.value.index) == ("use", 3)
    assert (found.slug, found.index, found.field) == ("unknown-word", 3, "use")
    assert "first-contact" in found.detail
    assert not term or term in {"Offer", "offer "} or term not in found.detail


@pytest.mark.parametrize(
    "terms", [[], ["grooming"] * 2, ["grooming", "solicitation", "trafficking", "benign"]]
)
def test_one_to_three_different_harms_are_named(terms):
    with pytest.raises(WordCountError) as caught:
        VOCABULARY.check_all("harm", terms, index=2)

    assert (caught.value.flaws[0].index, caught.value.flaws[0].field) == (2, "harm")


def test_harms_keep_their_order_and_each_is_checked():
    assert VOCABULARY.check_all("harm", ["solicitation", "grooming"]) == (
        "solicitation",
        "grooming",
    )
    with pytest.raises(UnknownWordError):
        VOCABULARY.check_all("harm", ["grooming", "other"])


@pytest.mark.parametrize("ref", ["ncmec:A1", "iwf:C", "copine:10", "ucs/3:whatever.1"])
def test_a_class_is_taken_as_its_assessor_gave_it(ref):
    assert VOCABULARY.check_class_ref(ref) == ref


@pytest.mark.parametrize(
    "ref", ["ncmec:A3", "ncmec:", "iwf", "copine:11", "copine:0", "other:A", "ucs/3:", "ucs/3:a b",
            "ucs/3:a\n", "iwf:A:B"],
)  # fmt: skip
def test_a_class_that_no_scheme_has_is_refused(ref):
    with pytest.raises(UnknownWordError) as caught:
        VOCABULARY.check_class_ref(ref, index=1)

    assert caught.value.index == 1


@pytest.mark.parametrize("country", ["us", "USA", "U", "", "U1", "US\n", "\u0410\u0411"])
def test_a_country_has_two_capital_letters(country):
    assert VOCABULARY.check_country("DE") == "DE"
    with pytest.raises(UnknownWordError):
        VOCABULARY.check_country(country)


def test_grooming_solicitation_and_extortion_are_suggested_as_enticement():
    enticement = "Online Enticement of Children for Sexual Acts"
    suggested = VOCABULARY.cybertipline

    assert suggested["grooming"].incident_type == enticement
    assert suggested["solicitation"].incident_type == enticement
    assert suggested["sexual-extortion-financial"].incident_type == enticement
    assert "sextortion" in suggested["sexual-extortion-financial"].annotations
    assert suggested["csam-solicitation"].annotations == ("csamSolicitation",)
