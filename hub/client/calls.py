# SPDX-License-Identifier: Apache-2.0
"""What is sent for each thing a caller may want, and how its answer is read; no I/O.

Both clients send these calls, so that neither knows anything of the API by itself.
"""

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from urllib.parse import quote

import httpx2
import orjson

from hub.client import answers, values
from hub.client.errors import ProtocolError, problem_of

T = TypeVar("T")
V = TypeVar("V")

MOST_CODES = 10_000  # a request
MOST_ROWS = 1_000  # a request
MOST_CODES_OF_A_BATCH = 40_000  # about 5 MB; a hub takes 8
_FIRST_ERROR = 400


@dataclass(frozen=True)
class Call(Generic[T]):
    """One request and how its answer is read.

    Attributes:
        once: its Idempotency-Key, the same however often it is sent; None for what only reads.
        wait: seconds that the hub was asked to wait for news.
    """

    method: str
    path: str
    read: Callable[[Any], T]
    body: Any = field(default=None, repr=False)
    params: Mapping[str, str] = field(default_factory=dict)
    once: str | None = None
    wait: int = 0

    @property
    def content(self) -> bytes | None:
        """Its body as it is sent."""
        return None if self.body is None else orjson.dumps(self.body)

    @property
    def headers(self) -> dict[str, str]:
        """Its own headers."""
        typed = {} if self.body is None else {"Content-Type": "application/json"}
        return typed if self.once is None else {**typed, "Idempotency-Key": self.once}

    def result(self, response: httpx2.Response) -> T:
        """Read the answer.

        Raises:
            ApiError: The hub refused.
            ProtocolError: The answer is not what the API promises.
        """
        try:
            body = orjson.loads(response.content)
        except orjson.JSONDecodeError:
            body = None
        if response.status_code >= _FIRST_ERROR:
            raise problem_of(response.status_code, body)
        if not response.is_success or body is None:
            raise ProtocolError(f"status {response.status_code}")
        try:
            return self.read(body)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ProtocolError(f"{type(error).__name__} in {self.method} {self.path}") from error


# -- matching ------------------------------------------------------------------------------------


def match_items(items: Sequence[values.Item], *, explain: bool) -> list[Call[answers.Matches]]:
    """Ask about items; a long question is asked in parts."""
    if not items:
        raise ValueError("ask about at least one item")
    params = {"explain": "1"} if explain else {}
    return [
        Call(
            "POST",
            "/v1/match",
            _matches_reader([item.ref for item in part]),
            body={"items": [item.body() for item in part]},
            params=params,
        )
        for part in _parts(items)
    ]


def match_codes(codes: Mapping[str, Sequence[str]]) -> Call[answers.Matches]:
    """Ask about plain codes by signal, each an item of its own, in this order."""
    number = sum(map(len, codes.values()))
    body = {"codes": {signal: list(texts) for signal, texts in codes.items()}}
    return Call("POST", "/v1/match", _matches_reader([None] * number), body=body)


def match_accounts(
    accounts: Sequence[values.Account], *, purpose: str, case: str
) -> Call[answers.Matches]:
    """Ask about accounts."""
    body = {"purpose": purpose, "case": case, "accounts": [one.body() for one in accounts]}
    reader = _matches_reader([None] * len(accounts))
    return Call("POST", "/v1/accounts/match", reader, body=body)


# -- contributing --------------------------------------------------------------------------------


def contribute(contribution: values.Contribution, *, once: str | None) -> Call[answers.Kept]:
    """Contribute one indicator."""
    return _write("/v1/indicators", answers.kept_of, contribution.body(), once)


def contribute_many(
    contributions: Sequence[values.Contribution], *, atomic: bool, once: str | None
) -> list[Call[tuple[answers.Row, ...]]]:
    """Contribute indicators; a long batch goes in parts, unless all or none are to be kept."""
    once = once or _new_name()
    batches = list(_batches(contributions))
    if atomic and len(batches) > 1:
        most = f"{MOST_ROWS} contributions of {MOST_CODES_OF_A_BATCH} codes"
        raise ValueError(f"at most {most} can be kept all or none")
    return [
        _write(
            "/v1/indicators",
            answers.rows_of(start),
            {"indicators": [one.body() for one in some], "atomic": atomic},
            f"{once}-{start}",
        )
        for start, some in batches
    ]


def revise(
    indicator: str,
    words: values.Words,
    *,
    derived: Sequence[values.Code] | None,
    once: str | None,
) -> Call[answers.Kept]:
    """Say anew what is known of one's own; *derived* replace its derived codes."""
    codes = {} if derived is None else {"codes": [code.body() for code in derived]}
    path = f"/v1/indicators/{_quoted(indicator)}/versions"
    return _write(path, answers.kept_of, {**words.body(), **codes}, once)


def withdraw(indicator: str, *, reason: str | None, once: str | None) -> Call[answers.Kept]:
    """Withdraw one's own."""
    body = {"reason": reason} if reason else {}
    return _write(f"/v1/indicators/{_quoted(indicator)}/withdraw", answers.kept_of, body, once)


def give_opinion(
    indicator: str, opinion: values.Opinion, *, once: str | None
) -> Call[answers.Kept]:
    """Say what one thinks of another's."""
    path = f"/v1/indicators/{_quoted(indicator)}/opinions"
    return _write(path, answers.kept_of, opinion.body(), once)


def open_appeal(indicator: str, ground: str, *, once: str | None) -> Call[answers.Kept]:
    """Open an appeal."""
    path = f"/v1/indicators/{_quoted(indicator)}/appeals"
    return _write(path, answers.kept_of, {"ground": ground}, once)


def close_appeal(appeal: str, *, upheld: bool, once: str | None) -> Call[answers.Kept]:
    """Close an appeal."""
    return _write(
        f"/v1/appeals/{_quoted(appeal)}/close", answers.kept_of, {"upheld": upheld}, once
    )


def report_outcomes(
    outcomes: Sequence[values.Outcome], *, once: str | None
) -> list[Call[tuple[answers.Row, ...]]]:
    """Send receipts back."""
    once = once or _new_name()
    return [
        _write(
            "/v1/outcomes",
            answers.rows_of(start),
            {"outcomes": [one.body() for one in outcomes[start : start + MOST_ROWS]]},
            f"{once}-{start}",
        )
        for start in range(0, len(outcomes), MOST_ROWS)
    ]


# -- reading -------------------------------------------------------------------------------------


def get(indicator: str) -> Call[answers.Indicator]:
    """Read one indicator."""
    return Call("GET", f"/v1/indicators/{_quoted(indicator)}", answers.indicator_of)


def list_own(*, cursor: str | None, limit: int) -> Call[answers.Page]:
    """Read a page of what one's operator contributed."""
    params = {"limit": str(limit), **_given(cursor=cursor)}
    return Call("GET", "/v1/indicators", answers.page_of, params=params)


def changes(
    *, cursor: str | None, wait: int, sets: Sequence[str], withdrawals: bool
) -> Call[answers.Changes]:
    """Read what changed since a cursor."""
    params = {
        "wait": str(wait),
        **_given(cursor=cursor, sets=",".join(sets), only="withdrawals" if withdrawals else None),
    }
    return Call("GET", "/v1/changes", answers.changes_of, params=params, wait=wait)


def snapshot(set_id: str, *, cursor: str | None) -> Call[answers.Snapshot]:
    """Read a page of a set."""
    path = f"/v1/sets/{_quoted(set_id)}/snapshot"
    return Call("GET", path, answers.snapshot_of, params=_given(cursor=cursor))


def status() -> Call[answers.Status]:
    """Read how fresh the hub's answers are."""
    return Call("GET", "/v1/status", answers.status_of)


def _write(path: str, read: Callable[[Any], V], body: Any, once: str | None) -> Call[V]:
    return Call("POST", path, read, body=body, once=once or _new_name())


def _quoted(name: str) -> str:
    """Keep a name within its place in a path, whatever it is."""
    return quote(name, safe="")


def _new_name() -> str:
    return uuid.uuid4().hex


def _given(**params: str | None) -> dict[str, str]:
    return {name: value for name, value in params.items() if value}


def _matches_reader(refs: Sequence[str | None]) -> Callable[[Any], answers.Matches]:
    return lambda body: answers.matches_of(body, refs)


def _parts(items: Sequence[values.Item]) -> Iterator[list[values.Item]]:
    """Split items so that no request has more codes than a hub takes."""
    part: list[values.Item] = []
    codes = 0
    for item in items:
        if part and codes + len(item.codes) > MOST_CODES:
            yield part
            part, codes = [], 0
        part.append(item)
        codes += len(item.codes)
    if part:
        yield part


def _batches(
    contributions: Sequence[values.Contribution],
) -> Iterator[tuple[int, list[values.Contribution]]]:
    """Split contributions so that no request is larger than a hub takes: videos are long."""
    start, codes = 0, 0
    for number, one in enumerate(contributions):
        more = len(one.item.get("codes", ()))
        is_full = number - start == MOST_ROWS or codes + more > MOST_CODES_OF_A_BATCH
        if is_full and number > start:
            yield start, list(contributions[start:number])
            start, codes = number, 0
        codes += more
    if contributions:
        yield start, list(contributions[start:])
