# SPDX-License-Identifier: Apache-2.0
"""Accounts: which kinds there are, how each is brought to one form, and the code it is matched by.

``acct/1``. Two writings of one account must give one code and two accounts never the same, so what
is ambiguous (a telephone number without its country, an extension, an address in quotes) is
refused rather than guessed. No error carries the value or any part of it.
"""

import hmac
import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources

import idna
import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, ValidationResult

from hub.domain.errors import BadInputError, Flaw
from hub.domain.vocabulary import VOCABULARY

LONGEST_VALUE = 320  # characters; an address has at most 64 + 1 + 255
LONGEST_MAILBOX = 64  # octets, RFC 5321
CODE_BYTES = 16
LEAST_PEPPER = 32  # bytes
PREFIX = b"acct/v1"

# Letters would be read as the keys of a telephone, "ext. 5" as an extension.
_PHONE = re.compile(r"\+?[0-9 ().\-/\u2010-\u2015]{3,40}")
# What may stand in a mailbox without quotes, beyond letters and digits (RFC 5322, RFC 6531).
_MAILBOX = re.compile(r"[\w!#$%&'*+/=?^`{|}~.-]+")


class AccountError(BadInputError):
    """An account cannot be taken; its value is withheld."""

    slug = "malformed-account"

    def __init__(self, detail: str, field_name: str = "value") -> None:
        super().__init__([Flaw(self.slug, detail, None, field_name)])


class MalformedAccountError(AccountError):
    """The value has not the form of its kind, or could mean more than one account."""


class UnknownAccountKindError(AccountError):
    """There is no such kind of account, or no such platform."""

    slug = "unknown-account-kind"

    def __init__(self) -> None:
        detail = "Use phone, email, handle:<platform> or uid:<platform> with a platform of acct/1."
        super().__init__(detail, "kind")


class SharedAccountError(AccountError):
    """Many people answer it, or children call it: it says nothing about a person."""

    slug = "shared-account"

    def __init__(self) -> None:
        super().__init__("Role addresses and helplines are not taken; give a personal account.")


class SubjectError(AccountError):
    """The account's holder may have done nothing: only three kinds of subject may be shared."""

    slug = "subject-not-shareable"

    def __init__(self) -> None:
        shareable = ", ".join(sorted(VOCABULARY.shareable_subjects))
        super().__init__(f"Only accounts of these subjects may be shared: {shareable}.", "subject")


class ChildIdentifierError(AccountError):
    """The account may be a child's. It is never shared, whatever the reason."""

    slug = "child-identifier"

    def __init__(self) -> None:
        detail = "An account that may be a child's is never shared; report it to your hotline."
        super().__init__(detail, "subject")


@dataclass(frozen=True)
class Normalised:
    """One account in its one form."""

    kind: str
    value: str = field(repr=False)


@dataclass(frozen=True)
class Form:
    """How a platform writes its handles or ids; ``fold``: case means nothing there."""

    pattern: re.Pattern[str]
    fold: bool


@dataclass(frozen=True)
class Rules:
    """The data of ``acct/1``. ``forms`` is by kind, ``handle:example``."""

    version: str
    forms: Mapping[str, Form]
    plus_tag_domains: frozenset[str]
    dots_ignored_domains: frozenset[str]
    same_domain: Mapping[str, str]
    refused_mailboxes: frozenset[str]
    refused_domains: frozenset[str]
    refused_phones: frozenset[str]


def normalise(kind: str, value: str, region: str | None = None) -> tuple[Normalised, ...]:
    """Bring an account to its one form; an e-mail address has a second, canonical one.

    Args:
        kind: ``phone``, ``email``, ``handle:<platform>`` or ``uid:<platform>``.
        value: as a person or a platform writes it.
        region: ISO 3166-1 code for a number without ``+`` and country code.

    Raises:
        UnknownAccountKindError: There is no such kind or platform.
        MalformedAccountError: The value has not the form of the kind, or is ambiguous.
        SharedAccountError: It is a role address or a helpline.
    """
    if len(value) > LONGEST_VALUE:
        raise MalformedAccountError(f"Give at most {LONGEST_VALUE} characters.")
    if kind == "phone":
        return (Normalised(kind, _phone(value, region)),)
    if kind == "email":
        mailbox, domain = _address(value)
        canonical = _canonical(mailbox, domain)
        return Normalised(kind, f"{mailbox}@{domain}"), Normalised("email-canon", canonical)
    if kind in RULES.forms:
        return (Normalised(kind, _named(value, RULES.forms[kind])),)
    raise UnknownAccountKindError


def check_shareable(subject: str) -> str:
    """Return the subject if an account of it may be shared.

    Raises:
        UnknownWordError: It is not a word of the list.
        ChildIdentifierError: It may be a child.
        SubjectError: It is somebody who may have done nothing, or nobody knows.
    """
    VOCABULARY.check("subject", subject)
    if subject == "child-possible":
        raise ChildIdentifierError
    if subject not in VOCABULARY.shareable_subjects:
        raise SubjectError
    return subject


def account_code(pepper: bytes, kind: str, value: str) -> bytes:
    """The code an account is matched by: 16 bytes that mean nothing without the pepper."""
    if len(pepper) < LEAST_PEPPER:
        raise ValueError(f"the pepper must have at least {LEAST_PEPPER} bytes")
    return hmac.digest(pepper, digest_input(kind, value), "sha256")[:CODE_BYTES]


def digest_input(kind: str, value: str) -> bytes:
    """What every keyed function of an account covers. No normalised value has a NUL."""
    return b"\0".join((PREFIX, kind.encode(), value.encode()))


def _phone(value: str, region: str | None) -> str:
    text = unicodedata.normalize("NFKC", value).strip()
    if not _PHONE.fullmatch(text):
        raise MalformedAccountError("Write a telephone number with digits, without an extension.")
    if region is None and not text.startswith("+"):
        raise MalformedAccountError(
            "Begin the number with + and country code, or name its region."
        )
    if region is not None and region not in phonenumbers.SUPPORTED_REGIONS:
        raise AccountError("Write the region as two capital letters (ISO 3166-1).", "region")
    written = _e164(text, region)
    # Zeros after the country code are shed as a dialling prefix, each time anew: what is not yet
    # the same when read again could be two numbers.
    if _e164(written, None) != written:
        raise MalformedAccountError(
            "Write the number without the prefix for calls in its country."
        )
    if written in RULES.refused_phones:
        raise SharedAccountError
    return written


def _e164(text: str, region: str | None) -> str:
    # "from None", here and below: what the foreign error says carries the value.
    try:
        number = phonenumbers.parse(text, region)
    except NumberParseException:
        raise MalformedAccountError("This is not a telephone number.") from None
    # A number that only works inside its town is possible too, but means a phone in each town.
    if phonenumbers.is_possible_number_with_reason(number) != ValidationResult.IS_POSSIBLE:
        raise MalformedAccountError("A number of its country cannot have this length.")
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def _address(value: str) -> tuple[str, str]:
    mailbox, at, host = unicodedata.normalize("NFC", value).strip().rpartition("@")
    mailbox = unicodedata.normalize("NFC", mailbox.lower())
    if not at or not _MAILBOX.fullmatch(mailbox) or len(mailbox.encode()) > LONGEST_MAILBOX:
        raise MalformedAccountError("Write an address as mailbox@domain, without quotes or names.")
    domain = _domain(host)
    if _is_refused(mailbox.partition("+")[0], domain):
        raise SharedAccountError
    return mailbox, domain


def _domain(host: str) -> str:
    try:
        domain = idna.encode(host, uts46=True, std3_rules=True).decode().lower().rstrip(".")
    except UnicodeError:
        raise MalformedAccountError("The part after @ is not a domain name.") from None
    if "." not in domain:
        raise MalformedAccountError("The part after @ must be a whole domain name.")
    return domain


def _is_refused(mailbox: str, domain: str) -> bool:
    return mailbox in RULES.refused_mailboxes or any(
        domain == refused or domain.endswith("." + refused) for refused in RULES.refused_domains
    )


def _canonical(mailbox: str, domain: str) -> str:
    """The address all writings of which reach one mailbox, where its provider says so."""
    if domain in RULES.plus_tag_domains:
        # "+tag@" alone has no mailbox before the tag; it stays what it is.
        mailbox = mailbox.partition("+")[0] or mailbox
    if domain in RULES.dots_ignored_domains:
        mailbox = mailbox.replace(".", "") or mailbox
    return f"{mailbox}@{RULES.same_domain.get(domain, domain)}"


def _named(value: str, form: Form) -> str:
    text = unicodedata.normalize("NFKC", value).strip().removeprefix("@")
    if form.fold:
        text = unicodedata.normalize("NFKC", text.casefold())
    if not form.pattern.fullmatch(text):
        raise MalformedAccountError("The platform has no names or ids of this form.")
    return text


def _load() -> Rules:
    text = resources.files(__package__).joinpath("accounts.json").read_text(encoding="utf-8")
    data = json.loads(text)
    refused = data["refused"]
    return Rules(
        version=data["version"],
        forms={
            f"{what}:{platform}": Form(re.compile(form["pattern"]), fold=form["fold"])
            for platform, forms in data["platforms"].items()
            for what, form in forms.items()
        },
        plus_tag_domains=frozenset(data["email"]["plus_tag_domains"]),
        dots_ignored_domains=frozenset(data["email"]["dots_ignored_domains"]),
        same_domain=data["email"]["same_domain"],
        refused_mailboxes=frozenset(refused["mailboxes"]),
        refused_domains=frozenset(refused["domains"]),
        refused_phones=frozenset(refused["phones"]),
    )


RULES = _load()
