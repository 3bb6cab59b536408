# SPDX-License-Identifier: Apache-2.0
"""What may come in: the shape of an item, and codes that could be a picture's.

Each function returns what is wrong, every flaw with the index of its code, and an empty tuple if
nothing is: a batch must not fail for one bad row.

The guards know codes, not pictures. They stop what is impossible or shows nothing; a meme or a
logo has a code like any other, and needs the benign corpus.
"""

import hashlib
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from functools import partial

from hub.domain.errors import Flaw
from hub.domain.indicators import Code
from matching.degenerate import is_degenerate

PICTURE, VIDEO, ACCOUNT = "picture", "video", "account"
ITEM_KINDS = frozenset({PICTURE, VIDEO, ACCOUNT})

MOST_OF_A_SIGNAL = 32
MOST_CODES = 40
MOST_FRAMES = 5_000
LONGEST_VIDEO_MS = 24 * 3600 * 1000
MOST_ACCOUNT_CODES = 2  # an address has an exact and a canonical form
PLAIN = 0

FRAME = "vpdq"
"""The signal of a frame's PDQ; the API calls it ``pdq``, with the time at which it is shown."""
STRONG_SIGNALS = frozenset({"pdq", "md5", "sha1", "sha256", "account", FRAME})
_PDQ = frozenset({"pdq", FRAME})
LIGHTEST_PDQ, HEAVIEST_PDQ = 120, 136
"""A true PDQ code has exactly 128 ones: its bits say what is above the median."""
DIGESTS_OF_NOTHING = frozenset(
    (name, value)
    for name in ("md5", "sha1", "sha256")
    for nothing in (hashlib.new(name, b"", usedforsecurity=False),)
    for value in (nothing.digest(), bytes(nothing.digest_size))
)
"""Of an empty file, and the zeros of a hasher that failed."""
LEAST_QUALITY = 50


def contribution_flaws(item_kind: str, codes: Sequence[Code]) -> tuple[Flaw, ...]:
    """What is wrong with an item as a contribution."""
    flaws = [*shape_flaws(item_kind, codes)]
    for index, code in enumerate(codes):
        flaws += frame_flaws(code, index) if code.signal == FRAME else picture_flaws(code, index)
    if not any(map(_tells_alone, codes)):
        strong = ", ".join(sorted(STRONG_SIGNALS))
        flaws.append(Flaw("no-strong-code", f"Give a plain code of one of: {strong}."))
    return tuple(flaws)


def query_flaws(item_kind: str, codes: Sequence[Code]) -> tuple[Flaw, ...]:
    """What is wrong with an item as a query.

    A code that no picture can have is refused, for it asks about the boundary of another; one of
    low quality is only not searched.
    """
    flaws = [*shape_flaws(item_kind, codes)]
    for index, code in enumerate(codes):
        flaws += _impossible(code, index)
    return tuple(flaws)


def is_searchable(code: Code) -> bool:
    """Whether a miss of this code says anything: a strong signal, of sufficient quality."""
    return code.signal in STRONG_SIGNALS and not is_blurred(code)


def frame_flaws(code: Code, index: int | None = None) -> Iterator[Flaw]:
    """What is wrong with one frame; that it shows nothing is no flaw, every video has such."""
    if not is_blurred(code):
        yield from _impossible(code, index)


def picture_flaws(code: Code, index: int | None = None) -> Iterator[Flaw]:
    """What is wrong with one code as knowledge about a picture."""
    if (code.signal, code.value) in DIGESTS_OF_NOTHING:
        # Whose upload fails sends the same, and would be told that it is known.
        yield Flaw("low-information-hash", "This is the digest of an empty file.", index)
    if code.signal != "pdq":
        return
    impossible = tuple(_impossible(code, index))
    yield from impossible
    if is_blurred(code):
        detail = f"The picture's quality is below {LEAST_QUALITY}; leave this code out."
        yield Flaw("low-quality", detail, index, "quality")
    if not impossible and is_degenerate(code.value):
        yield Flaw(
            "low-information-hash", "The picture shows nothing; leave this code out.", index
        )


def is_blurred(code: Code) -> bool:
    """Whether the hasher itself says that a PDQ code is not fit to be matched."""
    return code.signal in _PDQ and code.quality is not None and code.quality < LEAST_QUALITY


def has_possible_weight(pdq: bytes) -> bool:
    """Whether a PDQ code has about as many ones as zeros, as every true one."""
    return LIGHTEST_PDQ <= int.from_bytes(pdq, "big").bit_count() <= HEAVIEST_PDQ


def shape_flaws(item_kind: str, codes: Sequence[Code]) -> Iterator[Flaw]:
    """What is wrong with an item whatever its codes say."""
    if item_kind == ACCOUNT:
        yield from _account_shape(codes)
    elif item_kind == VIDEO:
        yield from _video_shape(codes)
    elif item_kind == PICTURE:
        yield from _picture_shape(codes)
    else:
        kinds = ", ".join(sorted(ITEM_KINDS))
        yield Flaw("unknown-item-kind", f"Use one of: {kinds}.", None, "kind")


def _account_shape(codes: Sequence[Code]) -> Iterator[Flaw]:
    for index, code in enumerate(codes):
        if code.signal != ACCOUNT:
            yield Flaw("picture-code-of-account", "An account has no codes of pictures.", index)
    if not 1 <= len(codes) <= MOST_ACCOUNT_CODES:
        yield Flaw("code-count", "An account item is about one account.")


def _picture_shape(codes: Sequence[Code]) -> Iterator[Flaw]:
    for index, code in enumerate(codes):
        if code.at_ms is not None:
            yield Flaw("frame-of-picture", "Only a video has frames.", index, "at_ms")
    yield from _still_shape(codes, range(len(codes)))


def _video_shape(codes: Sequence[Code]) -> Iterator[Flaw]:
    frames = [index for index, code in enumerate(codes) if code.signal == FRAME]
    if len(frames) > MOST_FRAMES:
        detail = f"A video has at most {MOST_FRAMES} frames."
        yield Flaw("too-many-codes", detail, frames[MOST_FRAMES])
    for index, code in enumerate(codes):
        if code.signal in {"pdq", "phash"} and code.at_ms is None:
            yield Flaw("frame-without-time", "Say when the frame is shown.", index, "at_ms")
        elif code.at_ms is not None and (code.signal != FRAME or code.at_ms < 0):
            detail = "A frame has a code of pdq, and a time in ms from the start."
            yield Flaw("malformed-frame", detail, index, "at_ms")
        elif code.signal == FRAME and code.derivation != PLAIN:
            yield Flaw("malformed-frame", "A frame has no derived codes.", index, "derived")
    yield from _still_shape(codes, [i for i, code in enumerate(codes) if code.signal != FRAME])


def _still_shape(codes: Sequence[Code], chosen: Collection[int]) -> Iterator[Flaw]:
    """Look at the codes at the *chosen* indexes: those that are of the item as a whole."""
    seen: Counter[str] = Counter()
    plain: set[str] = set()
    for number, index in enumerate(chosen):
        code = codes[index]
        seen[code.signal] += 1
        at_this = partial(Flaw, index=index)
        if code.signal == ACCOUNT:
            yield at_this("account-of-picture", "An account is an item of its own.")
        if code.derivation == PLAIN and code.signal in plain:
            yield at_this("two-plain-codes", "A picture has one plain code of a signal.")
        if seen[code.signal] == MOST_OF_A_SIGNAL + 1:
            yield at_this("too-many-codes", f"At most {MOST_OF_A_SIGNAL} codes of one signal.")
        if number == MOST_CODES:
            yield at_this("too-many-codes", f"At most {MOST_CODES} codes in all.")
        if code.derivation == PLAIN:
            plain.add(code.signal)
    if not codes:
        yield Flaw("code-count", "An item has at least one code.")


def _impossible(code: Code, index: int | None) -> Iterator[Flaw]:
    if code.signal in _PDQ and not has_possible_weight(code.value):
        yield Flaw("impossible-pdq", "No picture has this PDQ code; check how it is made.", index)


def _tells_alone(code: Code) -> bool:
    if code.signal == FRAME and (is_blurred(code) or is_degenerate(code.value)):
        return False
    return code.signal in STRONG_SIGNALS and code.derivation == PLAIN
