# SPDX-License-Identifier: Apache-2.0
"""Operations joined into the registers that are kept: which change, and what holds in them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from federation.believing import Received
from federation.operations.values import Operation, Register
from federation.registers import Held, is_forgotten, joined
from hub.ports.exchange import Kept


@dataclass(frozen=True)
class Change:
    """A register that changes.

    Attributes:
        held: what holds in it afterwards; None stands for what is kept already.
        before: as it is kept; None: it is not.
    """

    held: Held[Received | None]
    before: Kept | None

    @property
    def came(self) -> dict[str, Received]:
        """What holds and is not kept yet, by id."""
        return {name: one for name, one in self.held.operations.items() if one is not None}

    @property
    def identifier(self) -> str:
        """Of the one thing that holds; empty where there are two."""
        return "" if self.held.is_told_twice else next(iter(self.held.operations))

    @property
    def said(self) -> Operation | None:
        """What holds, if it is one thing and came now."""
        received = self.held.said
        return received.operation if received is not None else None

    def kept(self, register: Register, operations: Mapping[bytes, int]) -> Kept:
        """The register as it is to be kept, with the keys of its operations."""
        before = self.before
        known = {**_keys(before), **{name.hex(): key for name, key in operations.items()}}
        held, other, *_ = (*(known.get(name) for name in self.held.operations), None)
        return Kept(
            key=before.key if before is not None else 0,
            register=register,
            about=about(register),
            version=self.held.version,
            keep=self.held.keep,
            ids=tuple(bytes.fromhex(name) for name in self.held.operations),
            operation=held,
            other=other,
            indicator=before.indicator if before is not None else None,
        )


def about(register: Register) -> str:
    """Public id of the indicator that a register is about, as its origin calls it."""
    parts = register.target.split("/")
    # An entry goes by its hub, its indicator and its set.
    return parts[1] if len(parts) > 1 else parts[0]


def changes(
    operations: Iterable[Received], known: Mapping[Register, Kept], now: int
) -> dict[Register, Change]:
    """Join operations; returns the registers that change.

    What is past its time is as good as forgotten, whether it was swept out yet or not: its author
    may have begun anew.
    """
    found: dict[Register, Change] = {}
    for one in operations:
        name, operation = one.operation.register, one.operation
        came: Held[Received | None] = Held(operation.version, {one.said.id: one}, operation.keep)
        before = known.get(name)
        held = found[name].held if name in found else _held(before, now)
        after = came if held is None else joined(held, came)
        if held is None or _says(after) != _says(held):
            found[name] = Change(after, before)
        elif name in found:
            found[name] = replace(found[name], held=after)
    return found


def _says(held: Held[Received | None]) -> tuple[tuple[int, int], tuple[str, ...]]:
    return held.version, tuple(held.operations)


def _held(kept: Kept | None, now: int) -> Held[Received | None] | None:
    if kept is None or is_forgotten(kept.keep, now):
        return None
    return Held(kept.version, {one.hex(): None for one in kept.ids}, kept.keep)


def _keys(kept: Kept | None) -> dict[str, int]:
    if kept is None:
        return {}
    keys = (kept.operation, kept.other)
    return {one.hex(): key for one, key in zip(kept.ids, keys, strict=False) if key is not None}
