# SPDX-License-Identifier: Apache-2.0
"""``index explain``: how the codes are indexed, what that costs, and why so."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from hub.cli.exits import CommandError, Exit, read_settings
from hub.cli.output import json_option, print_json, print_table

if TYPE_CHECKING:
    from matching.search.explaining import Explanation
    from matching.search.plan import Plan
    from matching.search.planning import Considered
    from matching.search.table import State

PDQ_BITS = 256
UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
COLUMNS = ("plan", "bits turned", "lookups", "microseconds", "memory", "a code", "")
HELD = ("signal", "codes", "changed", "plan", "on disk", "a code", "in crowds")


class Memory(click.ParamType[int]):
    """A number of bytes, with K, M, G or T behind it for powers of 1024."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read it."""
        found = re.fullmatch(r"([0-9]+)([KMGT]?)B?", str(value).upper())
        if found is None or not int(found[1]):
            self.fail("write a size such as 800M or 2G.", param, ctx)
        return int(found[1]) * UNITS[found[2]]


@click.command()
@click.option("--codes", type=click.IntRange(1, 4_000_000_000), help="Of so many codes.")
@click.option("--signal", help="Of this signal; pdq if nothing is said.")
@click.option("--bits", type=click.IntRange(64, PDQ_BITS), help="Or of codes of so many bits.")
@click.option("--radius", type=click.IntRange(0, 48), help="For another radius than its own.")
@click.option("--memory", type=Memory(), help="Bytes it may take, such as 2G.")
@json_option
def explain(
    *,
    codes: int | None,
    signal: str | None,
    bits: int | None,
    radius: int | None,
    memory: int | None,
    as_json: bool,
) -> None:
    """Say how codes are indexed, what a lookup then costs, and why it is done so.

    With --codes for so many codes; without, for what lies on this machine. Times are what the cost
    model expects of random codes, on one thread, in batches.
    """
    if signal is not None and bits is not None:
        raise click.UsageError("Give --signal or --bits, not both.")
    settings = read_settings()
    memory = memory or settings.index_memory << 20
    if codes is None:
        if (signal, bits, radius) != (None, None, None):
            raise click.UsageError("--signal, --bits and --radius need --codes.")
        from hub.wiring import open_shelf  # noqa: PLC0415  # loads a compiler

        base = open_shelf(settings).latest()
        if base is None:
            raise CommandError(
                "No index lies on this machine: start the hub, or give --codes.", Exit.DATA
            )
        _tell_held(base, memory, as_json=as_json)
        return
    from matching.search.explaining import explain as explained  # noqa: PLC0415  # as above

    known, near = _asked(signal, bits)
    near = near if radius is None else radius
    found = explained(codes, known, near, budget=memory)
    if as_json:
        print_json(_explanation(found))
    else:
        _tell(found)


def _asked(signal: str | None, bits: int | None) -> tuple[int, int]:
    """Bits of a code, and the radius."""
    from matching.errors import UnknownSignalError  # noqa: PLC0415  # loads numpy
    from matching.signals import PDQ, signal_named  # noqa: PLC0415  # as above

    if bits is not None:
        return bits, PDQ.near
    try:
        known = signal_named(signal or PDQ.name)
    except UnknownSignalError as error:
        raise click.BadParameter(str(error), param_hint="--signal") from None
    return known.bits, known.near


def _tell_held(base: "State", memory: int, *, as_json: bool) -> None:
    from matching.search.explaining import explain as explained  # noqa: PLC0415  # loads a compiler

    held = list(_held(base))
    found = [
        (name, explained(rows, table.signal.bits, table.signal.near, budget=memory))
        for name, table in base.tables.items()
        if (rows := sum(piece.segment.rows for piece in table.pieces))
    ]
    if as_json:
        plans = {name: _explanation(one) for name, one in found}
        print_json({"position": base.position, "segments": held, "plans": plans})
        return
    click.echo(f"What lies on this machine, as of position {base.position}:")
    print_table(HELD, ([_shown(value) for value in one.values()] for one in held))
    for name, one in found:
        click.echo(f"{name}, as it would be indexed now:")
        _tell(one)


def _held(base: "State") -> Iterator[dict[str, object]]:
    for name, table in base.tables.items():
        for piece in table.pieces:
            segment = piece.segment
            yield {
                "signal": name,
                "codes": segment.rows,
                "changed": len(piece.overlay),
                "plan": _plan(segment.plan),
                "bytes": _Bytes(segment.bytes),
                "bytes_a_code": round(segment.bytes / segment.rows),
                "in_crowds": segment.rows - int(segment.bounds[0]),
            }


class _Bytes(int):
    """A number of bytes, shown with a unit."""

    def __str__(self) -> str:
        for unit in ("T", "G", "M", "K"):
            if self >= UNITS[unit]:
                return f"{self / UNITS[unit]:.1f} {unit}B"
        return f"{int(self)} B"


def _shown(value: object) -> str:
    if isinstance(value, _Bytes):
        return str(value)
    return f"{value:,}" if isinstance(value, int) else str(value)


def _tell(found: "Explanation") -> None:
    click.echo(
        f"{found.rows:,} codes of {found.bits} bits, radius {found.radius},"
        f" up to {_Bytes(found.allowed)} of memory."
    )
    print_table(COLUMNS, [_row(one, note, found.rows) for one, note in _noted(found)])
    click.echo(f"Chosen: {_considered(found.chosen, found.rows)['plan']}. {found.reason}")


def _noted(found: "Explanation") -> Iterator[tuple["Considered", str]]:
    """The plans that are shown, each with a word."""
    if found.chosen not in found.fitting:
        yield found.chosen, "chosen"
    for one in found.fitting:
        yield one, "chosen" if one == found.chosen else ""
    if found.lacking is not None:
        yield found.lacking, "does not fit"


def _row(one: "Considered", note: str, rows: int) -> tuple[str, ...]:
    told = _considered(one, rows)
    return (
        str(told["plan"]),
        _turned(one),
        _shown(told["lookups"]),
        f"{one.nanoseconds / 1000:,.1f}",
        str(_Bytes(one.bytes)),
        f"{told['bytes_a_code']} B",
        note,
    )


def _plan(plan: "Plan") -> str:
    riders = ", riders" if plan.riders else ""
    return f"{plan.parts} parts of {plan.width} bits{riders}" if plan.parts > 1 else (
        f"the first {plan.width} bits"
    )  # fmt: skip


def _turned(one: "Considered") -> str:
    if one.spread is None:
        return "all compared"
    counted = Counter(bits for bits in one.spread if bits >= 0)
    return ", ".join(f"{bits} in {parts}" for bits, parts in sorted(counted.items(), reverse=True))


def _considered(one: "Considered", rows: int) -> dict[str, object]:
    return {
        "plan": _plan(one.plan) if one.spread is not None else "none",
        "parts": one.plan.parts,
        "width": one.plan.width,
        "riders": one.plan.riders,
        "turned": one.spread,
        "lookups": 0 if one.spread is None else one.plan.steps(one.spread),
        "microseconds": round(one.nanoseconds / 1000, 3),
        "bytes": one.bytes,
        "bytes_a_code": round(one.bytes / rows),
    }


def _explanation(found: "Explanation") -> dict[str, object]:
    return {
        "codes": found.rows,
        "bits": found.bits,
        "radius": found.radius,
        "allowed_bytes": found.allowed,
        "chosen": _considered(found.chosen, found.rows),
        "reason": found.reason,
        "fitting": [_considered(one, found.rows) for one in found.fitting],
        "does_not_fit": found.lacking and _considered(found.lacking, found.rows),
    }
