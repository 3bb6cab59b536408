# SPDX-License-Identifier: Apache-2.0
"""What a hub says of itself, and the keys under which it says everything else.

Keys of notes and the policy of witnesses are text here; what they mean is read above, where notes
are known. How all of it is written is in ``hubfile``.
"""

from dataclasses import dataclass, field, replace

from federation.keys import PublicKey


@dataclass(frozen=True)
class Operator:
    """Who runs a hub.

    Attributes:
        id: a name of the operator's own.
        kind: a term: platform, hotline, police.
    """

    id: str
    kind: str


@dataclass(frozen=True)
class OpKey:
    """A key that signs operations, and for which of its log's entries it speaks.

    Attributes:
        id: what envelopes name it by.
        public: the key.
        epoch: goes up when what an earlier key signed is no longer to be believed.
        first: the index in the hub's own log from which it holds.
        until: the first index at which it no longer does; None while it is in use.
    """

    id: str
    public: PublicKey
    epoch: int
    first: int
    until: int | None

    def holds_at(self, index: int) -> bool:
        """Whether an operation at that index of the hub's own log may be signed by it.

        The log says what came before a theft and what after; a signature's date says nothing.
        """
        return self.first <= index and (self.until is None or index < self.until)


@dataclass(frozen=True)
class ReqKey:
    """A key that signs requests: RFC 9421.

    Attributes:
        id: ``<hub>#req-<n>``.
        public: the key.
    """

    id: str
    public: PublicKey


@dataclass(frozen=True)
class RetiredKey:
    """A key that signed a hub's notes and no longer does.

    Attributes:
        vkey: the key in a line of text.
        size: of the last tree it signed.
        root: that tree's, hex.
    """

    vkey: str
    size: int
    root: str


@dataclass(frozen=True)
class ClosedLog:
    """A log that ended because somebody else could have signed for it.

    Attributes:
        origin: its name.
        size: of the last tree that counts.
        root: that tree's, hex.
        epoch: the highest of its operations; a log begins with a new one.
    """

    origin: str
    size: int
    root: str
    epoch: int


@dataclass(frozen=True)
class Log:
    """The log a hub writes now, and what became of earlier keys and logs.

    Attributes:
        origin: ``<hub>/fed/<k>``.
        vkeys: the keys that sign its notes, each in a line of text.
        retired: those that did.
        closed: the logs before it.
    """

    origin: str
    vkeys: tuple[str, ...]
    retired: tuple[RetiredKey, ...] = ()
    closed: tuple[ClosedLog, ...] = ()


@dataclass(frozen=True)
class HubFile:
    """What a hub says of itself.

    Attributes:
        hub: its name, never used again by another.
        operator: who runs it.
        base: its address; a change of it is for people to confirm.
        operators: the ids of all whom it speaks for.
        log: its log.
        op_keys: every key that ever signed an operation in its log.
        req_keys: those that sign its requests now.
        witness: the key under which it cosigns the logs of others, or None.
        witness_policy: whom it asks to cosign its own, as a tlog-policy; empty if nobody.
        min_version: the least version of this protocol that it speaks.
        extra: canonical bytes of what the member ``x`` holds, which is not read; None without.
    """

    hub: str
    operator: Operator
    base: str
    operators: tuple[str, ...]
    log: Log
    op_keys: tuple[OpKey, ...]
    req_keys: tuple[ReqKey, ...]
    witness: str | None = None
    witness_policy: str = ""
    min_version: int = 1
    extra: bytes | None = field(default=None, repr=False)

    def op_key(self, key_id: str) -> OpKey | None:
        """The key of that id; None if the hub names none so."""
        return next((key for key in self.op_keys if key.id == key_id), None)

    def req_key(self, key_id: str) -> ReqKey | None:
        """The key of that id; None if the hub names none so."""
        return next((key for key in self.req_keys if key.id == key_id), None)

    @property
    def log_op_keys(self) -> tuple[OpKey, ...]:
        """Its keys for operations, as they hold in the log that it writes now.

        Those of a closed log signed nothing in any other.
        """
        return tuple(
            one if one.epoch > self.closed_epoch else replace(one, first=0, until=0)
            for one in self.op_keys
        )

    @property
    def closed_epoch(self) -> int:
        """The highest epoch of the logs before the one of now; 0: there were none."""
        return max((one.epoch for one in self.log.closed), default=0)

    @property
    def epoch(self) -> int:
        """The highest of its keys' epochs: what it says in it beats all it said before."""
        return max(key.epoch for key in self.op_keys)
