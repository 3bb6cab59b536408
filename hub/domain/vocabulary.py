# SPDX-License-Identifier: Apache-2.0
"""The closed lists of words, loaded once from ``vocabulary.json``.

Two ways of reading a word:

- what our own members say is checked: a word that is not in its list is refused
- what a partner hub says is kept as it came, and read as a word we do know: its parent if the
  partner named one, else the list's own "unknown"; one new word must never break an old hub
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import resources

from hub.domain.errors import BadInputError, Flaw

COUNTRY = re.compile(r"[A-Z]{2}", re.ASCII)
CLASS_CODE = re.compile(r"[A-Za-z0-9.\-]{1,32}", re.ASCII)


class UnknownWordError(BadInputError):
    """A word is not in its closed list. The word itself is withheld: it may be anything."""

    slug = "unknown-word"

    def __init__(self, list_name: str, terms: Iterable[str], index: int | None = None) -> None:
        self.list_name = list_name
        self.index = index
        detail = f"Not a word of the list {list_name}; use one of: {', '.join(terms)}."
        super().__init__([Flaw(self.slug, detail, index, list_name)])


class WordCountError(BadInputError):
    """More or fewer words than the list allows, or the same word twice."""

    slug = "word-count"

    def __init__(self, list_name: str, least: int, most: int, index: int | None = None) -> None:
        self.list_name = list_name
        detail = f"The list {list_name} takes {least} to {most} different words."
        super().__init__([Flaw(self.slug, detail, index, list_name)])


@dataclass(frozen=True)
class WordList:
    """One closed list.

    ``terms`` maps each word to its parent, None at a root. ``unknown`` is what a word from
    elsewhere is read as; None: as if nothing had been said.
    """

    name: str
    terms: Mapping[str, str | None]
    unknown: str | None
    least: int
    most: int


@dataclass(frozen=True)
class Suggestion:
    """How a harm may be filed with the CyberTipline: a suggestion, never a legal conclusion."""

    incident_type: str
    annotations: tuple[str, ...]


@dataclass(frozen=True)
class Vocabulary:
    """One version of all lists, and what follows from single words."""

    version: str
    lists: Mapping[str, WordList]
    counting_bases: frozenset[str]
    state_kinds: frozenset[str]
    shareable_subjects: frozenset[str]
    one_voice_reasons: frozenset[str]
    no_vote_reasons: frozenset[str]
    answer_within_hours: Mapping[str, int]
    class_schemes: Mapping[str, tuple[str, ...] | None]
    cybertipline: Mapping[str, Suggestion]

    def check(self, list_name: str, term: str, index: int | None = None) -> str:
        """Return the term if it is a word of the list.

        Raises:
            UnknownWordError: It is not.
        """
        words = self.lists[list_name]
        if term not in words.terms:
            raise UnknownWordError(list_name, words.terms, index)
        return term

    def check_all(
        self, list_name: str, terms: Iterable[str], index: int | None = None
    ) -> tuple[str, ...]:
        """Return the terms if all are words of the list, none twice, and as many as it takes.

        Raises:
            UnknownWordError: One of them is not a word of the list.
            WordCountError: There are too few, too many, or one twice.
        """
        words = self.lists[list_name]
        checked = tuple(self.check(list_name, term, index) for term in terms)
        if len(set(checked)) != len(checked) or not words.least <= len(checked) <= words.most:
            raise WordCountError(list_name, words.least, words.most, index)
        return checked

    def parent(self, list_name: str, term: str) -> str | None:
        """The next wider word: a known term's parent (None at a root), else the "unknown"."""
        words = self.lists[list_name]
        return words.terms.get(term, words.unknown)

    def read_as(self, list_name: str, term: str, parent: str | None = None) -> str | None:
        """What a word from another hub means here; *parent* is the one that hub named for it."""
        words = self.lists[list_name]
        known = (word for word in (term, parent) if word in words.terms)
        return next(known, words.unknown)

    def counts(self, basis: str) -> bool:
        """Whether what rests on this basis may count towards corroboration."""
        return basis in self.counting_bases

    def check_class_ref(self, ref: str, index: int | None = None) -> str:
        """Return a reference ``scheme:code`` if the scheme is known and may have the code.

        A scheme that is reserved by name carries any code that an assessor gives.

        Raises:
            UnknownWordError: It is not such a reference.
        """
        scheme, _, code = ref.partition(":")
        codes = self.class_schemes.get(scheme, ())
        if CLASS_CODE.fullmatch(code) and (codes is None or code in codes):
            return ref
        forms = (f"{name}:<code>" for name in self.class_schemes)
        raise UnknownWordError("class_refs", forms, index)

    def check_country(self, country: str, index: int | None = None) -> str:
        """Return a country if it has the form of an ISO 3166-1 alpha-2 code.

        Raises:
            UnknownWordError: It has not.
        """
        if not COUNTRY.fullmatch(country):
            raise UnknownWordError("countries", ["two capital letters (ISO 3166-1)"], index)
        return country


def _load() -> Vocabulary:
    text = resources.files(__package__).joinpath("vocabulary.json").read_text(encoding="utf-8")
    data = json.loads(text)
    types = data["cybertipline"]["incident_types"]
    return Vocabulary(
        version=data["version"],
        lists={
            name: WordList(name, words["terms"], words["unknown"], words["least"], words["most"])
            for name, words in data["lists"].items()
        },
        counting_bases=frozenset(data["counting_bases"]),
        state_kinds=frozenset(data["state_kinds"]),
        shareable_subjects=frozenset(data["shareable_subjects"]),
        one_voice_reasons=frozenset(data["one_voice_reasons"]),
        no_vote_reasons=frozenset(data["no_vote_reasons"]),
        answer_within_hours=data["answer_within_hours"],
        class_schemes={
            scheme: None if codes is None else tuple(codes)
            for scheme, codes in data["class_schemes"].items()
        },
        cybertipline={
            harm: Suggestion(types[entry["incident_type"]], tuple(entry["annotations"]))
            for harm, entry in data["cybertipline"]["harm"].items()
        },
    )


VOCABULARY = _load()
