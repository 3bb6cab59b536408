# SPDX-License-Identifier: Apache-2.0
"""A bar on standard error for what takes long, where somebody watches."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

Advance = Callable[[int], None]
"""Tell how much more was done."""


@contextmanager
def progress(what: str, total: int | None, *, shown: bool = True) -> Iterator[Advance]:
    """Show how far something is; with no *total* only how much was done."""
    from rich.console import Console  # noqa: PLC0415  # takes a tenth of a second
    from rich.progress import (  # noqa: PLC0415  # as above
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    far = [BarColumn(), TaskProgressColumn(), TimeRemainingColumn()]
    columns = far if total is not None else [TextColumn("{task.completed:,.0f}")]
    with Progress(
        TextColumn("{task.description}"),
        *columns,
        console=console,
        disable=not shown or not console.is_terminal,
    ) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.advance(task, done)
