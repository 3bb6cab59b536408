# SPDX-License-Identifier: Apache-2.0
"""What is contributed and told: items, words, opinions, outcomes."""

from typing import Any

from marshmallow import fields, validates_schema
from marshmallow.validate import Length

from hub.api.schemas.base import (
    Flag,
    FullMatch,
    Moment,
    PublicId,
    StrictSchema,
    Whole,
    Word,
    fault,
    page_of,
)
from hub.domain.guards import ITEM_KINDS, LONGEST_VIDEO_MS, MOST_CODES, MOST_FRAMES
from hub.domain.vocabulary import VOCABULARY
from matching.signals import SIGNALS

MOST_ROWS = 1000
MOST_SETS = 32
MOST_PEOPLE = 3
_CASE = FullMatch(r"^[A-Za-z0-9._:/\-]{1,64}$", error="1 to 64 letters, digits and . _ : / -")
_PICTURE_SIGNALS = tuple(name for name in SIGNALS if name not in {"account", "vpdq"})


def word(name: str, **kwargs: Any) -> Word:
    """One word of a list of the vocabulary."""
    return Word(sorted(VOCABULARY.lists[name].terms), **kwargs)


class CodeSchema(StrictSchema):
    """One code of an item; without ``derived`` it is the plain one."""

    signal = Word(_PICTURE_SIGNALS, required=True)
    code = fields.String(required=True, metadata={"description": "Lower-case hex."})
    derived = fields.String(metadata={"description": "How it was derived, e.g. trim:border."})
    quality = Whole(0, 100)
    at_ms = Whole(
        0,
        LONGEST_VIDEO_MS,
        metadata={"description": "When the frame of a video is shown; its code is a pdq."},
    )


class AccountSchema(StrictSchema):
    """An account, as a platform writes it."""

    kind = fields.String(required=True, validate=Length(1, 64))
    value = fields.String(required=True, validate=Length(1, 320))
    region = fields.String(validate=FullMatch(r"^[A-Z]{2}$"))


class ItemSchema(StrictSchema):
    """A thing seen: a picture or video by its codes, or an account."""

    kind = Word(sorted(ITEM_KINDS), required=True)
    codes = fields.List(fields.Nested(CodeSchema), validate=Length(1, MOST_FRAMES + MOST_CODES))
    profile = Word(("pdq/1", "vpdq/1"))
    account = fields.Nested(AccountSchema)
    subject = word("subject")


class WordsSchema(StrictSchema):
    """What is said, in the words of the vocabulary."""

    sets = fields.List(PublicId("set"), required=True, validate=Length(1, MOST_SETS))
    harm = fields.List(word("harm"), required=True, validate=Length(1, 3))
    use = word("use", required=True)
    depicts = word("depicts", required=True)
    basis = word("basis", required=True)
    assessed_by = Whole(0, MOST_PEOPLE)
    priority = word("priority")
    confidence = word("confidence")
    content_class = word("content_class")
    synthetic = Word(("yes", "no", "unknown"))
    countries = fields.List(
        fields.String(validate=FullMatch(r"^[A-Z]{2}$")), validate=Length(1, 50)
    )
    class_refs = fields.List(fields.String(validate=Length(1, 64)), validate=Length(1, 16))
    refs = fields.List(
        fields.String(validate=FullMatch(r"^[A-Za-z0-9._:/\-]{1,128}$")), validate=Length(1, 16)
    )
    case = fields.String(validate=_CASE)
    list = fields.String(validate=_CASE)
    observed_at = Moment()
    expires = Moment()

    @validates_schema
    def no_word_twice(self, data: dict[str, Any], **_kwargs: Any) -> None:
        """Refuse a list that says the same twice."""
        for name in ("harm", "sets"):
            said = data.get(name, ())
            if len(set(said)) != len(said):
                raise fault("word-count", "Says the same twice.", name)


class IndicatorSchema(WordsSchema):
    """A contribution."""

    item = fields.Nested(ItemSchema, required=True)
    external_id = fields.String(validate=FullMatch(r"^[\x21-\x7e]{1,128}$"))


class VersionSchema(WordsSchema):
    """A revision; ``codes`` replace the derived codes, plain ones stay as they are."""

    codes = fields.List(fields.Nested(CodeSchema), validate=Length(0, MOST_CODES))

    @validates_schema
    def only_derived(self, data: dict[str, Any], **_kwargs: Any) -> None:
        """Plain codes are fixed at the first version."""
        if any("derived" not in code for code in data.get("codes", ())):
            raise fault("plain-codes-changed", "A revision carries derived codes only.", "codes")


class BatchSchema(StrictSchema):
    """Many contributions; one bad row never fails the good ones unless ``atomic``."""

    indicators = fields.List(
        fields.Nested(IndicatorSchema), required=True, validate=Length(1, MOST_ROWS)
    )
    atomic = Flag(load_default=False)


class KeptSchema(StrictSchema):
    """What was kept, and where in the history."""

    id = fields.String(required=True)
    n = fields.Integer(required=True)
    position = fields.Integer(required=True)


class RowErrorSchema(StrictSchema):
    """Why a row was refused."""

    type = fields.String(required=True)
    detail = fields.String(required=True)
    field = fields.String()


class RowSchema(StrictSchema):
    """What became of one row."""

    index = fields.Integer(required=True)
    id = fields.String()
    n = fields.Integer()
    position = fields.Integer()
    error = fields.Nested(RowErrorSchema)


class ResultsSchema(StrictSchema):
    """What became of each row, in order."""

    results = fields.List(fields.Nested(RowSchema), required=True)


class WithdrawSchema(StrictSchema):
    """Why it is withdrawn."""

    reason = word("dispute_reason")


class OpinionSchema(StrictSchema):
    """What an operator thinks of another's entry."""

    set = PublicId("set", required=True)
    stance = word("opinion", required=True)
    reason = word("dispute_reason")
    basis = word("basis")
    assessed_by = Whole(0, MOST_PEOPLE, load_default=0)
    reach = Word(("this", "near"), load_default="this")

    @validates_schema
    def fits(self, data: dict[str, Any], **_kwargs: Any) -> None:
        """A disagreement says why, an agreement on what basis."""
        stance = data.get("stance")
        if stance == "disagree" and "reason" not in data:
            raise fault("reason-missing", "A disagreement needs a reason.", "reason")
        if stance != "disagree" and "reason" in data:
            raise fault("reason-of-nothing", "Only a disagreement has a reason.", "reason")
        if stance == "agree" and "basis" not in data:
            raise fault("basis-missing", "An agreement needs a basis.", "basis")


class AppealSchema(StrictSchema):
    """On what ground somebody appeals; no free text about people."""

    ground = word("dispute_reason", required=True)


class CloseSchema(StrictSchema):
    """What was decided of an appeal."""

    upheld = Flag(required=True)


class AppealClosedSchema(StrictSchema):
    """A closed appeal."""

    id = fields.String(required=True)
    upheld = Flag(required=True)
    position = fields.Integer(required=True)


class OpenedSchema(StrictSchema):
    """What was opened, and where in the history."""

    id = fields.String(required=True)
    position = fields.Integer(required=True)


class OutcomeSchema(StrictSchema):
    """What became of one hit."""

    receipt = fields.String(required=True, validate=FullMatch(r"^[A-Za-z0-9_=\-]{16,256}$"))
    outcome = word("outcome", required=True)
    reported_to = word("reported_to")


class OutcomesSchema(StrictSchema):
    """Receipts back."""

    outcomes = fields.List(
        fields.Nested(OutcomeSchema), required=True, validate=Length(1, MOST_ROWS)
    )


class EntrySchema(StrictSchema):
    """What the hub says of an indicator in one set."""

    set = fields.String(required=True)
    standing = fields.String(required=True)
    operators = fields.Integer(required=True)
    until = fields.String(required=True, allow_none=True)


class IndicatorAnswerSchema(StrictSchema):
    """An indicator: the whole of one's own, what is told to others else."""

    id = fields.String(required=True)
    n = fields.Integer(required=True)
    state = fields.String(required=True)
    item = fields.Dict(required=True)
    words = fields.Dict(required=True)
    entries = fields.List(fields.Nested(EntrySchema), required=True)
    sets = fields.List(fields.String())
    expires = fields.String()
    external_id = fields.String(allow_none=True)
    versions = fields.List(fields.Dict())
    seen = fields.Dict()
    outcomes = fields.Dict()


IndicatorPageSchema = page_of(IndicatorAnswerSchema, "IndicatorPage")
