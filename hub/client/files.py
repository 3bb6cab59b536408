# SPDX-License-Identifier: Apache-2.0
"""Questions about files: hashed here, asked about by their codes, answered file by file."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hub.client.answers import Answer, Matches
from hub.client.values import Item
from matching.pictures import FilePath, Hashed, RefusedPictureError


@dataclass(frozen=True)
class FileMatch:
    """What is known of one file; either it was refused, or hashed and answered."""

    path: Path
    hashed: Hashed | None = None
    answer: Answer | None = None
    refusal: RefusedPictureError | None = None

    @property
    def is_hit(self) -> bool:
        """Whether anything is known of it."""
        return self.answer is not None and self.answer.is_hit

    @property
    def is_clear(self) -> bool:
        """Whether it was hashed, searched completely, and nothing is known."""
        return self.answer is not None and self.answer.is_clear


def items_of(hashed: Sequence[Hashed | RefusedPictureError]) -> list[Item]:
    """Make the question of all that could be hashed."""
    return [
        Item.of(one, ref=str(number))
        for number, one in enumerate(hashed)
        if not isinstance(one, RefusedPictureError)
    ]


def file_matches(
    paths: Sequence[FilePath],
    hashed: Sequence[Hashed | RefusedPictureError],
    matches: Matches | None,
) -> list[FileMatch]:
    """Put each answer to its file."""
    answers = {answer.ref: answer for answer in matches.answers} if matches else {}
    return [
        FileMatch(Path(path), refusal=one)
        if isinstance(one, RefusedPictureError)
        else FileMatch(Path(path), one, answers[str(number)])
        for number, (path, one) in enumerate(zip(paths, hashed, strict=True))
    ]
