# SPDX-License-Identifier: Apache-2.0
"""What a hostile peer can do, as values: each says what it does, and what must come of it.

The groups are modules of their own: ``envelopes``, ``times``, ``consistency``, ``contents``,
``shapes``, ``transports``, in the order and with the numbers of the 116 behaviours that
`docs/protocol/hostile.md` lists.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from federation.errors import Alarm
from tests.hostile.contract import UNREACHABLE
from tests.hostile.peer import Peer

Change = Callable[[Peer], None]


class State(StrEnum):
    """What must come of what was kept."""

    SAME = "same"
    """Byte for byte what it was."""
    GOES_ON = "goes-on"
    """The same, but the log was followed past what is refused: one bad entry stops nothing."""
    SAID = "said"
    """A register holds it, as every hub's does; nothing follows from it: what is live is the
    same."""
    CONTRADICTED = "contradicted"
    """A register holds two things of one version, and so none of them counts."""
    WARNED = "warned"
    """Byte for byte what it was; nothing false was said, but somebody should know."""
    ACCEPTED = "accepted"
    """It must be taken: nothing about it is false."""


@dataclass(frozen=True)
class Behaviour:
    """Something that a peer does.

    Attributes:
        id: as the page numbers it; a further form of the same has a word after a dot.
        does: what the peer does.
        message: of this protocol, in which it does so.
        alarm: that must be raised, once; ``UNREACHABLE``: nothing is held against it; None: none.
        attack: makes an honest peer do it.
        before: what the peer honestly does first, and is caught up with.
        mended: what the peer honestly does after, for the next attempt to succeed.
        state: what must come of it.
        restarts: whether the hub under test is started anew in between.
        later: seconds that pass before it.
        seconds: that an answer may take.
        wire: described where it is no bytes to store: how it is sent.
        then: alarm that is raised when the peer is honest again, since what had been said is read
            once more, and is void.
        suspends: whether the peer must not be followed any more before somebody has looked.
    """

    id: str
    does: str
    message: str
    alarm: Alarm | str | None
    attack: Change
    before: Change | None = None
    mended: Change | None = None
    state: State = State.GOES_ON
    restarts: bool = False
    later: int = 0
    seconds: float | None = None
    wire: str = ""
    then: Alarm | None = None
    suspends: bool = False

    @property
    def number(self) -> str:
        """Of the behaviour that it is a form of."""
        return self.id.partition(".")[0]

    @property
    def is_accepted(self) -> bool:
        """Whether it must be taken."""
        return self.state is State.ACCEPTED


@dataclass(frozen=True)
class Elsewhere:
    """A behaviour with a test of its own, since it is no answer to a follower.

    Attributes:
        id: as the page numbers it.
        does: what the peer does.
        message: of this protocol, in which it does so.
        alarm: that must be raised.
        test: where.
        state: what must come of it.
    """

    id: str
    does: str
    message: str
    alarm: Alarm | str | None
    test: str
    state: State = State.SAME


@dataclass(frozen=True)
class Inexpressible:
    """A behaviour that this protocol has no words for.

    Attributes:
        id: as the page numbers it.
        does: what the peer would do.
        reason: why it cannot.
    """

    id: str
    does: str
    reason: str


Row = Behaviour | Elsewhere | Inexpressible


@dataclass(frozen=True)
class Group:
    """Behaviours of one kind.

    Attributes:
        letter: of their numbers.
        name: what they are about.
        count: how many there are in reliability's list; forms and controls come on top.
        rows: in order.
    """

    letter: str
    name: str
    count: int
    rows: tuple[Row, ...] = field(repr=False)

    @property
    def behaviours(self) -> list[Behaviour]:
        """Those that the runner plays."""
        return [row for row in self.rows if isinstance(row, Behaviour)]


__all__ = [
    "UNREACHABLE",
    "Behaviour",
    "Change",
    "Elsewhere",
    "Group",
    "Inexpressible",
    "Row",
    "State",
]
