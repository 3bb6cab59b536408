# SPDX-License-Identifier: Apache-2.0
"""What a partner passes on of other hubs: whose word it may bring, and what proves whose it is.

A relay is trusted with nothing but to be on the way. The operation is signed by its origin, and
is in its origin's log; who may be passed on, under which first root, and in which sets, says the
manifest of the set.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from federation.errors import Alarm, RefusedError
from federation.identity.values import OpKey
from federation.log.checkpoints import Checkpoint, opened
from federation.log.merkle import leaf_hash, verify_inclusion
from federation.log.notes import Note
from federation.log.verifiers import Verifier
from federation.operations.leaves import Kind, entry
from federation.operations.values import Op, Operation
from federation.pages import Inclusion

TEXT_LINES = 3  # of a checkpoint: its log, its size, its root
SIZE_DIGITS = 18


@dataclass(frozen=True)
class Origin:
    """A hub whose operations a partner may pass on to us.

    Attributes:
        hub: its name.
        log: name of its log.
        keys: that sign the log's checkpoints; none: nobody has told us yet who it is.
        retired: keys that did, each with the size of the last tree that it signed.
        op_keys: keys of operations, by their ids.
        operators: names of the organisations that it may vouch for here.
        sets: public ids of the sets in which it, the partner and we are named together.
        homes: of the sets whose hub it is.
        otherwise: of sets that name it by another first root than it has here: which of the two is
            right, nobody on the way can know.
    """

    hub: str
    log: str = ""
    keys: tuple[Verifier, ...] = ()
    retired: tuple[tuple[Verifier, int], ...] = ()
    op_keys: Mapping[str, OpKey] = field(default_factory=dict)
    operators: frozenset[str] = frozenset()
    sets: frozenset[str] = frozenset()
    homes: frozenset[str] = frozenset()
    otherwise: frozenset[str] = frozenset()

    @property
    def is_known(self) -> bool:
        """Whether it was learnt who it is."""
        return bool(self.keys)

    def signers(self, size: int) -> tuple[Verifier, ...]:
        """The keys that may have signed a checkpoint of that size."""
        return (*self.keys, *(key for key, last in self.retired if size <= last))

    def is_heard(self, operation: Operation) -> bool:
        """Whether its operation may come by another hub."""
        if operation.op is Op.SET:
            return operation.target in self.homes
        return not self.sets.isdisjoint(operation.policy.sets)


class Checkpoints:
    """Checkpoints of other hubs, as a page shows them; each is verified when it is asked for."""

    def __init__(self, notes: Sequence[bytes]) -> None:
        self._notes = {place: one for one in notes if (place := _place(one)) is not None}
        self._opened: dict[tuple[str, int], Checkpoint] = {}

    def note(self, origin: Origin, size: int) -> bytes:
        """The note of that size.

        Raises:
            RefusedError: NOT_IN_LOG: there is none.
        """
        found = self._notes.get((origin.log, size))
        if found is None:
            raise RefusedError(Alarm.NOT_IN_LOG, "no checkpoint of the origin's log")
        return found

    def is_of_another_log(self, origin: Origin, size: int) -> bool:
        """Whether something of that size is shown of another log of the same hub.

        It closed that, and we know; or has begun it, and we do not know yet.
        """
        return any(
            log != origin.log and log.startswith(f"{origin.hub}/") and its == size
            for log, its in self._notes
        )

    def opened(self, origin: Origin, size: int) -> Checkpoint:
        """The checkpoint of that size.

        Raises:
            RefusedError: NOT_IN_LOG: there is none. BAD_SIGNATURE, UNKNOWN_KEY, WRONG_ORIGIN,
                MALFORMED: it is not the origin's log's.
        """
        if (origin.log, size) not in self._opened:
            note = Note.parse(self.note(origin, size))
            self._opened[origin.log, size] = opened(note, origin.log, origin.signers(size))
        return self._opened[origin.log, size]


def check_inclusion(
    operation_id: str, inclusion: Inclusion, origin: Origin, shown: Checkpoints
) -> None:
    """Believe that an operation is in its origin's log.

    Raises:
        RefusedError: NOT_IN_LOG: it is not, as far as is shown; else as with ``opened``.
    """
    checkpoint = shown.opened(origin, inclusion.size)
    leaf = leaf_hash(entry(Kind.OWN, operation_id, origin.hub))
    verify_inclusion(inclusion.index, inclusion.size, leaf, inclusion.path, checkpoint.root)


def _place(note: bytes) -> tuple[str, int] | None:
    """What a note says that it is of; nothing of it is believed."""
    lines = note.split(b"\n", TEXT_LINES - 1)
    if len(lines) < TEXT_LINES or not lines[1].isdigit() or len(lines[1]) > SIZE_DIGITS:
        return None
    return lines[0].decode("utf-8", "replace"), int(lines[1])


def unlike(told: Mapping[str, str], ours: Mapping[str, str], sets: Iterable[str]) -> bool:
    """Whether two hubs go by different manifests in some of these sets."""
    return any(told.get(one) != ours.get(one) for one in sets)
