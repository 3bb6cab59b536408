# SPDX-License-Identifier: Apache-2.0
"""Which witnesses must have seen a checkpoint before it is believed.

A log that says of itself that it did not fork says nothing: its own cosignature never counts.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from federation.log.cosignatures import Cosigner, times
from federation.log.notes import Note
from federation.log.verifiers import Verifier

NOBODY = "none"


@dataclass(frozen=True)
class Group:
    """Witnesses, and other groups, of which some must have cosigned."""

    name: str
    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True)
class Policy:
    """Who must have cosigned.

    Attributes:
        logs: keys of the logs it is for; none if that is known from elsewhere.
        witnesses: keys of witnesses, by the names that they have in the policy only.
        groups: in an order in which each has only earlier ones as members.
        quorum: the witness or group that is asked for, or NOBODY.
        urls: where logs and witnesses are found, by their keys.
    """

    logs: tuple[Verifier, ...]
    witnesses: Mapping[str, Cosigner]
    groups: tuple[Group, ...]
    quorum: str
    urls: Mapping[Verifier, str]

    def satisfied_by(self, names: Collection[str]) -> bool:
        """Whether the quorum is among the witnesses that cosigned."""
        reached = set(names) & self.witnesses.keys()
        # Members stand before their groups, so one pass settles all of them.
        for group in self.groups:
            if len(reached.intersection(group.members)) >= group.threshold:
                reached.add(group.name)
        return self.quorum == NOBODY or self.quorum in reached

    def witnessed(self, note: Note, log: Iterable[Verifier]) -> dict[str, int]:
        """Say which witnesses cosigned a checkpoint, each with its newest time.

        Args:
            note: the checkpoint, verified to be the log's.
            log: keys of the log, none of which counts as a witness, whatever it is called here.

        Raises:
            RefusedError: BAD_SIGNATURE: a line names a witness, which did not sign.
        """
        own = tuple(log)
        strangers = {who: name for name, who in self.witnesses.items() if not one_of(own, who)}
        return {strangers[who]: time for who, time in times(note, strangers).items()}

    def freshness(self, witnessed: Mapping[str, int]) -> int | None:
        """The latest time at which a quorum stood by a checkpoint.

        Args:
            witnessed: when witnesses cosigned it, by their names.

        Returns:
            seconds since 1970; None if there is no quorum, or none is asked for.
        """
        newest_first = sorted(witnessed, key=lambda name: witnessed[name], reverse=True)
        for count in range(1, len(newest_first) + 1):
            if self.quorum != NOBODY and self.satisfied_by(newest_first[:count]):
                return witnessed[newest_first[count - 1]]
        return None


def one_of(keys: Iterable[Verifier], witness: Cosigner) -> bool:
    """Whether a witness is a log under another name, or with another key."""
    return any(key.public == witness.public or key.name == witness.name for key in keys)
