# SPDX-License-Identifier: Apache-2.0
"""What tests say to a hub, and short ways to ask what it says back."""

from typing import Any

from tests.support.house import Caller

WORDS = {
    "harm": ["grooming"],
    "use": "first-contact",
    "depicts": "synthetic-person",
    "basis": "own-service-human",
}


def picture(**codes: str) -> dict[str, Any]:
    """A picture by its plain codes, ``picture(pdq="…", md5="…")``."""
    return {
        "kind": "picture",
        "codes": [{"signal": signal, "code": code} for signal, code in codes.items()],
    }


def account(
    value: str = "+1-212-555-0123", kind: str = "phone", subject: str = "actor"
) -> dict[str, Any]:
    """An account."""
    return {
        "kind": "account",
        "account": {"kind": kind, "value": value},
        "subject": subject,
    }


def said(item: dict[str, Any], *sets: str, **words: Any) -> dict[str, Any]:
    """A contribution of an item into sets; *words* replace the usual ones, None leaves one out."""
    body = {"item": item, "sets": list(sets), **WORDS, **words}
    return {name: value for name, value in body.items() if value is not None}


def version(*sets: str, **words: Any) -> dict[str, Any]:
    """A revision."""
    body = {"sets": list(sets), **WORDS, **words}
    return {name: value for name, value in body.items() if value is not None}


def contributed(caller: Caller, item: dict[str, Any], *sets: str, **words: Any) -> str:
    """Contribute and return the id."""
    settle = words.pop("settle", True)
    answer = caller.post("/v1/indicators", said(item, *sets, **words), settle=settle)
    assert answer.status_code == 201, answer.text
    return str(answer.json["id"])


def opined(caller: Caller, indicator: str, set_id: str, stance: str, **others: Any) -> str:
    """Give an opinion and return its id."""
    settle = others.pop("settle", True)
    body = {"set": set_id, "stance": stance, **others}
    answer = caller.post(f"/v1/indicators/{indicator}/opinions", body, settle=settle)
    assert answer.status_code == 201, answer.text
    return str(answer.json["id"])


def withdrawn(caller: Caller, indicator: str, *, settle: bool = True) -> None:
    """Withdraw."""
    answer = caller.post(f"/v1/indicators/{indicator}/withdraw", {}, settle=settle)
    assert answer.status_code == 201, answer.text


def standings(caller: Caller, indicator: str) -> dict[str, tuple[str, int]]:
    """Standing and number of operators of an indicator, by each set the caller may look up."""
    answer = caller.get(f"/v1/indicators/{indicator}")
    assert answer.status_code == 200, answer.text
    return {
        entry["set"]: (entry["standing"], entry["operators"]) for entry in answer.json["entries"]
    }


def standing(caller: Caller, indicator: str, set_id: str | None = None) -> str:
    """Standing of an indicator in a set, or in the only one."""
    told = standings(caller, indicator)
    name, _ = told[set_id] if set_id else next(iter(told.values()))
    return name


def asked(caller: Caller, *items: dict[str, str], explain: bool = False, **options: Any) -> Any:
    """Match items, each given by its plain codes; returns the whole answer."""
    body = {"items": [{"codes": picture(**codes)["codes"]} for codes in items]}
    path = "/v1/match?explain=1" if explain else "/v1/match"
    answer = caller.post(path, body, **options)
    assert answer.status_code == 200, answer.text
    return answer.json


def matched(caller: Caller, *, settle: bool = True, **codes: str) -> Any:
    """Match one picture; returns the answer for it. By default what it leaves behind is
    settled."""
    (answer,) = asked(caller, codes, settle=settle)["answers"]
    return answer


def problem(answer: Any) -> str:
    """The last word of a problem's type."""
    assert answer.mimetype == "application/problem+json", answer.text
    return str(answer.json["type"]).rpartition(":")[2]


def flaws(answer: Any) -> list[tuple[str, int | None]]:
    """Slug and index of each thing that was wrong."""
    assert answer.mimetype == "application/problem+json", answer.text
    return [
        (one["type"].rpartition(":")[2], one.get("index")) for one in answer.json.get("errors", [])
    ]
