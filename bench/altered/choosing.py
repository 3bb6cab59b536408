# SPDX-License-Identifier: Apache-2.0
"""``python -m bench.altered.choosing``: choose what codes to derive, by measurement.

Photographs are altered by chance, and every candidate of the asker's side is held against every
candidate of the contributor's: found, or not. Then both sides grow in turn by whatever finds most
of what is not found yet, and each choice is taken back for as long as another finds more. What
goes first must do alone where room is short, so a core is chosen before the rest.

The seed is fixed: the same packages, pdqhash and Pillow give the same table. It prints
``derivations.json``; names that the present table has keep their ids.
"""

import itertools
import json
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bench.altered.alterations import CHOSEN_BY, saved
from bench.altered.photographs import choosing
from matching.derivations import NAMES
from matching.pictures.decoding import decode
from matching.pictures.reduced import Reduced, codes_of_samples
from matching.pictures.shapes import shape
from matching.signals import PDQ

Words = NDArray[np.uint64]
Flags = NDArray[np.bool_]
Floats = NDArray[np.float32]

SEED = 20_240_229
SIZE = 400  # pixels; enough to tell candidates apart
FEW, MANY = (11, 22), (14, 25)
"""How many crops and tilts of either side: where borders and turns take their codes, and at most.
15 derived codes are asked: the mirrored, up to three trimmed; 31 contributed: six turned, too."""
WEIGHTS = {
    "centre": 1.5,
    "one side": 0.8,
    "random to 6 %": 1.0,
    "random to 10 %": 1.2,
    "tilt": 2.5,
}
"""What must be found in more of all cases counts more."""
TURNED = (
    "dihedral:rot90",
    "dihedral:rot180",
    "dihedral:rot270",
    "dihedral:flipy",
    "dihedral:transpose",
    "dihedral:transverse",
)
MIRRORED, TRIMMED, TRIMMED_MIRRORED = "dihedral:flipx", "trim:border", "trim:border+flipx"
_FIXED = 10**9


def contributable() -> list[str]:
    """Crops on a lattice of 2.5 %; deep ones of two sides with any of the others; tilts."""
    lattice = itertools.product((0, 2.5, 5, 7.5, 10), repeat=4)
    deep = itertools.product((8, 10, 12), (0, 2, 4, 6, 8, 10, 12), (0, 2, 4, 6, 8, 10, 12))
    crops = [*lattice, *((k,) * 4 for k in range(1, 13))]
    for cut, one, other in deep:
        crops += [(one, cut, other, cut), (cut, one, cut, other)]
    angles = [sign * half / 2 for half in range(2, 10) for sign in (-1, 1)]
    tilts = itertools.product(angles, (0, 1.5, 3, 5))
    return _names(crops, tilts)


def askable() -> list[str]:
    """Crops all round, of opposite sides, of some sides; tilts."""
    crops: list[Sequence[float]] = [(k,) * 4 for k in (1, 2, 3, 4, 5, 6, 7, 8, 10, 12)]
    for one, other in itertools.product((0, 2, 4, 6, 8, 10), repeat=2):
        crops += [(0, one, 0, other), (one, 0, other, 0)]
    crops += itertools.product((0, 4), repeat=4)
    crops += [cut for cut in itertools.product((0, 3, 6), repeat=4) if cut.count(0) <= 1]
    return _names(crops, itertools.product((-4, -3, -2, 2, 3, 4), (0,)))


def _names(crops: Iterable[Sequence[float]], tilts: Iterable[Sequence[float]]) -> list[str]:
    named = ["crop:" + ",".join(f"{cut:g}" for cut in crop) for crop in crops if any(crop)]
    named += ["tilt:" + ",".join(f"{number:g}" for number in tilt) for tilt in tilts]
    return list(dict.fromkeys(named))


def candidates_of(picture: Image.Image, names: Sequence[str]) -> Words:
    """The plain code of a picture and that of each candidate: ``(1 + n, 4)``."""
    reduced = Reduced.of(picture)
    shapes = [one for name in names if (one := shape(name))]
    samples = [reduced.all_samples(), *(one.samples(reduced) for one in shapes)]
    codes = b"".join(bytes.fromhex(code.pdq) for code in codes_of_samples(np.stack(samples)))
    return np.frombuffer(codes, ">u8").astype(np.uint64).reshape(-1, 4)


def tried(number: int, picture: Image.Image) -> Flags:
    """Which pair of candidates finds which altered copy: ``(copies, 1 + asked, 1 + given)``."""
    chance = np.random.default_rng([SEED, number])
    small = picture.copy()
    small.thumbnail((SIZE, SIZE))
    given = candidates_of(small, contributable())
    alters = [alter for alters in CHOSEN_BY.values() for alter in alters]
    found = []
    for alter in alters:
        copy = decode(saved(alter(small, chance), chance))
        asked = candidates_of(copy, askable())
        bits = np.bitwise_count(asked[:, None] ^ given[None]).sum(axis=-1, dtype=np.uint16)
        found.append(bits <= PDQ.near)
    return np.stack(found)


@dataclass
class Trial:
    """What was found: ``(copies, asked, given)``, and how much each copy counts."""

    found: Flags
    weights: Floats

    def both(
        self, asked: list[int], given: list[int], sizes: tuple[int, int]
    ) -> tuple[list[int], list[int]]:
        """Grow both sides in turn to *sizes* (the plain codes not counted), then exchange."""
        keep_asked, keep_given = len(asked), len(given)
        most_asked, most_given = sizes[0] + 1, sizes[1] + 1
        while len(asked) < most_asked or len(given) < most_given:
            if len(given) * most_asked <= len(asked) * most_given and len(given) < most_given:
                given = self._grown(given, self._by_given(asked), len(given) + 1)
            else:
                asked = self._grown(asked, self._by_asked(given), len(asked) + 1)
        best = 0.0
        while (share := self.share(asked, given)) > best:
            best = share
            given = self._exchanged(given, self._by_given(asked), keep_given)
            asked = self._exchanged(asked, self._by_asked(given), keep_asked)
        return asked, given

    def share(self, asked: list[int], given: list[int]) -> float:
        """How much is found."""
        return float(self.weights @ self.found_by(asked, given))

    def found_by(self, asked: list[int], given: list[int]) -> Flags:
        """Which copies are found."""
        found: Flags = np.any(self._by_given(asked)[:, given], axis=1)
        return found

    def _by_given(self, asked: list[int]) -> Flags:
        finds: Flags = np.any(self.found[:, asked], axis=1)
        return finds

    def _by_asked(self, given: list[int]) -> Flags:
        finds: Flags = np.any(self.found[:, :, given], axis=2)
        return finds

    def _grown(self, chosen: list[int], finds: Flags, size: int) -> list[int]:
        while len(chosen) < size:
            chosen = [*chosen, int(self._gains(chosen, finds).argmax())]
        return chosen

    def _exchanged(self, chosen: list[int], finds: Flags, keep: int) -> list[int]:
        better = True
        while better:
            better = False
            for place in range(keep, len(chosen)):
                others = chosen[:place] + chosen[place + 1 :]
                gains = self._gains(others, finds)
                best = int(gains.argmax())
                if gains[best] > gains[chosen[place]] + 1e-6:
                    chosen, better = [*chosen[:place], best, *chosen[place + 1 :]], True
        return chosen

    def _gains(self, chosen: list[int], finds: Flags) -> Floats:
        missing = ~finds[:, chosen].any(axis=1)
        gains: Floats = (self.weights * missing) @ finds.astype(np.float32)
        return gains


def chosen() -> tuple[list[str], list[str]]:
    """Choose for both sides: the names, the most useful first."""
    pictures = list(choosing().values())
    with ProcessPoolExecutor(2) as processes:
        found = list(processes.map(tried, range(len(pictures)), pictures))
    kinds = [kind for kind, alters in CHOSEN_BY.items() for _ in alters]
    weights = [WEIGHTS[kind] / len(CHOSEN_BY[kind]) / len(pictures) for kind in kinds]
    trial = Trial(np.concatenate(found), np.tile(np.array(weights, np.float32), len(pictures)))
    asked, given = trial.both([0], [0], FEW)
    asked, given = trial.both(asked, given, MANY)
    _tell(trial, kinds * len(pictures), asked, given)
    asks, gives = askable(), contributable()
    return [asks[one - 1] for one in asked[1:]], [gives[one - 1] for one in given[1:]]


def _tell(trial: Trial, kinds: list[str], asked: list[int], given: list[int]) -> None:
    for sizes in (FEW, MANY):
        found = trial.found_by(asked[: sizes[0] + 1], given[: sizes[1] + 1])
        for kind in CHOSEN_BY:
            share = found[np.array(kinds) == kind].mean()
            print(f"{sizes[0]} x {sizes[1]} {kind}: {share:.3f}", file=sys.stderr)


def table(asked: Sequence[str], given: Sequence[str], version: str) -> dict[str, object]:
    """The table as data; ids that are given stay, new names take the next ones."""
    inside = [[f"{TRIMMED}+{name}" for name in names] for names in (asked, given)]
    few_asked, few_given = FEW
    asks = [
        MIRRORED, *asked[:few_asked], TRIMMED, TRIMMED_MIRRORED, *asked[few_asked:], *inside[0],
    ]  # fmt: skip
    gives = [TRIMMED, *TURNED, *given[:few_given], *inside[1][:few_given], *given[few_given:]]
    gives += inside[1][few_given:]
    names = dict(NAMES)
    for name in (*asks, *gives):
        if name not in names.values():
            names[max(names) + 1] = name
    numbered = {str(number): name for number, name in sorted(names.items())}
    return {"version": version, "names": numbered, "asked": asks, "contributed": gives}


if __name__ == "__main__":
    print(json.dumps(table(*chosen(), version=sys.argv[1]), indent=1))
