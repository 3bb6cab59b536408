# SPDX-License-Identifier: Apache-2.0
"""From a contribution as it was sent to a draft that may be kept, or everything wrong with it.

No transaction is open here: parsing, normalising and guarding happen before the writer's turn.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from hub.domain.accounts import account_code, check_shareable, normalise
from hub.domain.errors import BadInputError, Flaw, flaw
from hub.domain.frames import telling
from hub.domain.guards import ACCOUNT, contribution_flaws
from hub.domain.indicators import DEFAULT_LIFE, LONGEST_LIFE, Account, Code, Draft, Words
from hub.domain.sharing import CONTRIBUTE, Asker
from hub.domain.vocabulary import VOCABULARY
from hub.ports import Hub
from matching.derivations import derivation_id
from matching.errors import MalformedHashError, UnknownDerivationError
from matching.signals import SIGNALS, signal_at

CLOCKS_DIFFER = timedelta(minutes=5)
ACCOUNT_BASES = frozenset({"own-service-human", "hotline-assessed"})


def drafted(sent: Mapping[str, Any], *, asker: Asker, hub: Hub) -> Draft:
    """Check a contribution against every rule that needs no look at what is known.

    Raises:
        BadInputError: With every flaw that was found.
    """
    item = sent["item"]
    sets = shared_into(sent["sets"], asker, hub)
    words = said(sent, hub.clock())
    expires = expiry(sent.get("expires"), hub.clock())
    account = None
    if item["kind"] == ACCOUNT:
        account, codes = _account(item, words, hub.secrets.pepper)
    else:
        codes = codes_of(item.get("codes", ()))
        if item.get("account") or item.get("subject"):
            raise flaw("account-of-picture", "An account is an item of its own.", None, "account")
    flaws = contribution_flaws(item["kind"], codes)
    if flaws:
        raise BadInputError(flaws)
    return Draft(
        item_kind=item["kind"],
        codes=telling(codes),
        words=words,
        sets=sets,
        expires=expires,
        external_id=sent.get("external_id"),
        account=account,
        profile=item.get("profile"),
    )


def codes_of(sent: Sequence[Mapping[str, Any]]) -> tuple[Code, ...]:
    """The codes of an item, each read strictly.

    Raises:
        BadInputError: With the index of each code that is none.
    """
    codes: list[Code] = []
    flaws: list[Flaw] = []
    for index, one in enumerate(sent):
        try:
            codes.append(_code(one))
        except MalformedHashError as error:
            flaws.append(Flaw("malformed-code", str(error), index, "code"))
        except UnknownDerivationError as error:
            flaws.append(Flaw("unknown-derivation", str(error), index, "derived"))
    if flaws:
        raise BadInputError(flaws)
    return tuple(codes)


def said(sent: Mapping[str, Any], now: datetime) -> Words:
    """The words of a contribution; each is already one of its closed list.

    Raises:
        BadInputError: They do not fit together.
    """
    words = Words(
        harm=tuple(sent["harm"]),
        use=sent["use"],
        depicts=sent["depicts"],
        basis=sent["basis"],
        assessed_by=sent.get("assessed_by", 0),
        priority=sent.get("priority", "standard"),
        confidence=sent.get("confidence", "low"),
        content_class=sent.get("content_class", "not-assessed"),
        synthetic=sent.get("synthetic", "unknown"),
        countries=tuple(sent.get("countries", ())),
        class_refs=tuple(VOCABULARY.check_class_ref(ref) for ref in sent.get("class_refs", ())),
        refs=tuple(sent.get("refs", ())),
        case=sent.get("case"),
        list_name=sent.get("list"),
        observed_at=sent.get("observed_at"),
    )
    if words.observed_at is not None and words.observed_at > now + CLOCKS_DIFFER:
        raise flaw("observed-in-future", "It was observed in the future.", None, "observed_at")
    if words.basis == "expert-list" and not words.list_name:
        raise flaw("list-missing", "An expert-list basis names its list.", None, "list")
    if words.content_class == "nationally-illegal" and not words.countries:
        raise flaw("countries-missing", "Say in which countries it is illegal.", None, "countries")
    return words


def check_account_words(words: Words) -> None:
    """Whether this is enough to say of an account, in its first version and in every later one.

    Raises:
        BadInputError: The basis is too weak, or no case is named.
    """
    if words.basis not in ACCOUNT_BASES:
        named = " or ".join(sorted(ACCOUNT_BASES))
        raise flaw("basis-not-enough", f"An account needs the basis {named}.", None, "basis")
    if not words.case:
        raise flaw("case-missing", "An account needs a case reference of yours.", None, "case")


def shared_into(public_ids: Sequence[str], asker: Asker, hub: Hub) -> tuple[int, ...]:
    """The internal keys of the sets to share into, each one where the asker may contribute.

    Raises:
        BadInputError: A set is not visible to the asker, or closed to its contributions.
    """
    keys: list[int] = []
    flaws: list[Flaw] = []
    for index, public_id in enumerate(public_ids):
        found = hub.directory.set_named(public_id)
        rights = asker.grants.get(found.key, frozenset()) if found else frozenset()
        if found is None or not rights:
            flaws.append(Flaw("unknown-set", "There is no such set.", index, "sets"))
        elif CONTRIBUTE not in rights:
            flaws.append(Flaw("set-closed", "You may not contribute here.", index, "sets"))
        else:
            keys.append(found.key)
    if flaws:
        raise BadInputError(flaws)
    return tuple(sorted(set(keys)))


def expiry(asked: datetime | None, now: datetime) -> datetime:
    """Until when it is said: a year by default, two at most.

    Raises:
        BadInputError: The time is over already, or too far away.
    """
    if asked is None:
        return now + DEFAULT_LIFE
    if asked <= now:
        raise flaw("expired", "The expiry lies in the past.", None, "expires")
    if asked > now + LONGEST_LIFE:
        raise flaw("expires-too-late", "An indicator lives two years at most.", None, "expires")
    return asked


def _code(sent: Mapping[str, Any]) -> Code:
    at_ms = sent.get("at_ms")
    signal = signal_at(SIGNALS[sent["signal"]], at_ms)
    return Code(
        signal=signal.name,
        value=signal.parse(sent["code"]),
        derivation=derivation_id(sent.get("derived")),
        quality=sent.get("quality"),
        at_ms=at_ms,
    )


def _account(
    item: Mapping[str, Any], words: Words, pepper: bytes
) -> tuple[Account, tuple[Code, ...]]:
    given = item.get("account")
    if given is None or item.get("codes"):
        raise flaw("account-missing", "Give the account, and no codes.", None, "account")
    subject = check_shareable(item.get("subject", "unknown"))
    check_account_words(words)
    forms = normalise(given["kind"], given["value"], given.get("region"))
    codes = tuple(
        Code(ACCOUNT, account_code(pepper, form.kind, form.value)) for form in dict.fromkeys(forms)
    )
    # An address without tags is its own canonical form: two codes all the same, of two kinds.
    return Account(forms[0].kind, forms[0].value, subject), codes
