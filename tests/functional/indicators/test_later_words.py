# SPDX-License-Identifier: Apache-2.0
"""What holds for a first version holds for every later one; a receipt is for its own hit."""

from tests.support.codes import pdq
from tests.support.saying import account, contributed, flaws, matched, picture, said, version

UNTOLD = 999_999
"""An internal key that no indicator has."""


def test_a_version_of_an_account_needs_a_basis_and_a_case_too(alpha, shared):
    indicator = contributed(alpha, account(), shared, case="case-1", basis="own-service-human")

    weak = alpha.post(
        f"/v1/indicators/{indicator}/versions",
        version(shared, basis="automated-unreviewed", case="case-1"),
    )
    caseless = alpha.post(
        f"/v1/indicators/{indicator}/versions", version(shared, basis="own-service-human")
    )

    assert [slug for slug, _ in flaws(weak)] == ["basis-not-enough"]
    assert [slug for slug, _ in flaws(caseless)] == ["case-missing"]


def test_an_account_posted_again_with_another_subject_is_refused(alpha, shared):
    words = {"case": "case-1", "basis": "own-service-human", "external_id": "one"}
    kept = alpha.post("/v1/indicators", said(account(), shared, **words))

    same = alpha.post("/v1/indicators", said(account(), shared, **words))
    other = alpha.post(
        "/v1/indicators", said(account(subject="payment-recipient"), shared, **words)
    )

    assert (same.json["id"], same.json["n"]) == (kept.json["id"], 2)
    assert flaws(other) == [("subject-changed", None)]


def test_a_receipt_of_an_indicator_that_is_not_here_is_unknown_and_harms_no_other(
    house, alpha, beta, shared
):
    known = pdq()
    contributed(alpha, picture(pdq=known), shared)
    [hit] = matched(beta, pdq=known)["hits"]
    own = house.hub.receipts.read(hit["receipt"])
    lost = house.hub.receipts.make(UNTOLD, own.set_key, own.operator, house.hub.clock())
    rows = [{"receipt": receipt, "outcome": "no-violation"} for receipt in (lost, hit["receipt"])]

    answer = beta.post("/v1/outcomes", {"outcomes": rows})

    assert answer.status_code == 200
    first, second = answer.json["results"]
    assert first["error"]["type"].endswith("unknown-receipt")
    assert second["position"] > 0
