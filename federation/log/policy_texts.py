# SPDX-License-Identifier: Apache-2.0
"""Policies as the text that two hubs agree on when they pair: https://c2sp.org/tlog-policy.

Names here are UTF-8, which C2SP recommends and does not ask for.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from federation.errors import Alarm, MalformedError
from federation.log.cosignatures import Cosigner
from federation.log.lines import number
from federation.log.policies import NOBODY, Group, Policy, one_of
from federation.log.verifiers import Verifier

MAX_TEXT = 64 * 1024  # bytes
_BLANKS = re.compile(rb"[ \t]+")
_ALLOWED = re.compile(rb"[\t\n\x20-\x7e\x80-\xff]*")


def read_policy(text: bytes) -> Policy:
    """Read a policy.

    Raises:
        MalformedError: It is none, or one that asks for less than it seems to.
        WeakKeyError: Anybody could sign with one of its keys.
    """
    if len(text) > MAX_TEXT:
        raise MalformedError("the policy is too large", Alarm.TOO_LARGE)
    if not _ALLOWED.fullmatch(text) or not text.endswith(b"\n"):
        raise MalformedError("a policy is lines of text")
    policy = Policy((), {}, (), "", {})
    for line in text.splitlines():
        words = [word for word in _BLANKS.split(line) if word]
        if words and not words[0].startswith(b"#"):
            policy = _with_line(policy, words)
    if not policy.quorum:
        raise MalformedError("a policy says what its quorum is")
    if any(one_of(policy.logs, witness) for witness in policy.witnesses.values()):
        raise MalformedError("a log is no witness of itself")
    return policy


def _with_line(policy: Policy, words: list[bytes]) -> Policy:
    try:
        kind, *rest = [word.decode() for word in words]
    except UnicodeDecodeError as error:
        raise MalformedError("names in a policy are UTF-8") from error
    if kind not in _LINES:
        raise MalformedError("a policy has an unknown line")
    read, least, most = _LINES[kind]
    if not least <= len(rest) <= most:
        raise MalformedError("a line of a policy has too few or too many words")
    return read(policy, rest)


def _log(policy: Policy, words: list[str]) -> Policy:
    key = Verifier.parse(words[0])
    if any(key.public == other.public for other in policy.logs):
        raise MalformedError("a policy names a log twice")
    return replace(policy, logs=(*policy.logs, key), urls=_urls(policy, key, words[1:]))


def _witness(policy: Policy, words: list[str]) -> Policy:
    name, key = _new(policy, words[0]), Cosigner.parse(words[1])
    if any(key.public == other.public for other in policy.witnesses.values()):
        raise MalformedError("a policy names a witness twice")
    witnesses = {**policy.witnesses, name: key}
    return replace(policy, witnesses=witnesses, urls=_urls(policy, key, words[2:]))


def _group(policy: Policy, words: list[str]) -> Policy:
    name, asked, *members = words
    taken = {member for group in policy.groups for member in group.members}
    # A witness in two groups would count twice.
    if len(set(members)) < len(members) or taken.intersection(members):
        raise MalformedError("somebody is in two groups")
    threshold = {"any": 1, "all": len(members)}.get(asked) or number(asked.encode())
    if not 1 <= threshold <= len(members):
        raise MalformedError("a group cannot have so many members")
    group = Group(_new(policy, name), threshold, tuple(_old(policy, each) for each in members))
    return replace(policy, groups=(*policy.groups, group))


def _quorum(policy: Policy, words: list[str]) -> Policy:
    if policy.quorum:
        raise MalformedError("a policy says what its quorum is, once")
    return replace(policy, quorum=words[0] if words[0] == NOBODY else _old(policy, words[0]))


def _urls(policy: Policy, key: Verifier, url: list[str]) -> Mapping[Verifier, str]:
    return {**policy.urls, key: url[0]} if url else policy.urls


def _names(policy: Policy) -> set[str]:
    return {*policy.witnesses, *(group.name for group in policy.groups)}


def _new(policy: Policy, name: str) -> str:
    if name == NOBODY or name in _names(policy):
        raise MalformedError("a name in a policy is taken")
    return name


def _old(policy: Policy, name: str) -> str:
    if name not in _names(policy):
        raise MalformedError("a policy names somebody before it says who that is")
    return name


_ANY = 2**31
_Line = tuple[Callable[[Policy, list[str]], Policy], int, int]
# What reads a line, and how many words may follow its first.
_LINES: dict[str, _Line] = {
    "log": (_log, 1, 2),
    "witness": (_witness, 2, 3),
    "group": (_group, 3, _ANY),
    "quorum": (_quorum, 1, 1),
}
