# SPDX-License-Identifier: Apache-2.0
"""What all schemas share: nothing unknown passes, nothing is turned into something else.

marshmallow reads "5" as a number, 1 as true, and lets a pattern end before a newline; the fields
here do not. No message repeats what was sent.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Self

from marshmallow import RAISE, Schema, ValidationError, fields
from marshmallow.validate import Length, OneOf, Range, Regexp

ID_LENGTH = 26
MAX_PAGE = 1000


class Sentence(str):
    """A message that carries the slug of its problem type."""

    __slots__ = ("slug",)
    slug: str

    def __new__(cls, slug: str, detail: str) -> Self:
        """Make the message."""
        made = super().__new__(cls, detail)
        made.slug = slug
        return made


def fault(slug: str, detail: str, field: str | None = None) -> ValidationError:
    """The error of a value, with the slug that its problem type ends in."""
    said = Sentence(slug, detail)
    return ValidationError({field: [said]} if field else said)


def slug_of(message: object) -> str:
    """The slug that a message carries, or the general one."""
    return message.slug if isinstance(message, Sentence) else "invalid-value"


class StrictSchema(Schema):
    """A schema that takes what it names and nothing else."""

    class Meta:
        """Refuse unknown fields, which also documents ``additionalProperties: false``."""

        unknown = RAISE

    def handle_error(self, error: ValidationError, data: Any, *, many: bool, **_kw: Any) -> None:
        """Withhold the names of unknown fields: they are input, and may be anything."""
        del data
        known = {field.data_key or name for name, field in self.load_fields.items()}
        error.messages = _withheld(error.messages, known, many=many)


def _withheld(messages: Any, known: Iterable[str], *, many: bool) -> Any:
    if not isinstance(messages, dict):
        return messages
    if many:
        return {
            row: _withheld(inner, known, many=False) if isinstance(row, int) else inner
            for row, inner in messages.items()
        }
    kept = {name: inner for name, inner in messages.items() if name in known or name == "_schema"}
    if len(kept) < len(messages):
        detail = f"Unknown field; this takes {', '.join(sorted(known)) or 'none'}."
        kept["_schema"] = [*kept.get("_schema", []), Sentence("unknown-field", detail)]
    return kept


class FullMatch(Regexp):
    """A pattern that the whole text must match; ``^…$`` alone lets a newline follow."""

    def __call__(self, value: Any) -> Any:
        """Return the value if all of it matches."""
        if self.regex.fullmatch(value) is None:
            raise ValidationError(self.error or "Does not have the right form.")
        return value


class Whole(fields.Integer):
    """A JSON integer; neither a text of digits nor true."""

    def __init__(self, least: int, most: int, **kwargs: Any) -> None:
        super().__init__(strict=True, validate=Range(least, most), **kwargs)

    def _validated(self, value: Any) -> Any:
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.make_error("invalid")
        return super()._validated(value)


class QueryWhole(fields.Integer):
    """An integer in a query string: ASCII digits, since ``int("٣")`` is 3."""

    def __init__(self, least: int, most: int, **kwargs: Any) -> None:
        super().__init__(validate=Range(least, most), **kwargs)

    def _validated(self, value: Any) -> Any:
        if isinstance(value, str) and not re.fullmatch(r"[0-9]{1,9}", value):
            raise self.make_error("invalid")
        return super()._validated(value)


class Flag(fields.Boolean):
    """A JSON boolean; neither 1 nor "yes"."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return super()._deserialize(value, attr, data, **kwargs)


class Text(fields.String):
    """A line of text without control characters, of *least* to *most* characters."""

    def __init__(self, most: int, least: int = 1, **kwargs: Any) -> None:
        # C0, DEL, C1, and the marks that turn the direction of writing.
        pattern = (
            "^[^\\u0000-\\u001f\\u007f-\\u009f\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069]*$"
        )
        super().__init__(
            validate=[Length(least, most), FullMatch(pattern, error="Has control characters.")],
            **kwargs,
        )


class Word(fields.String):
    """One word of a closed list."""

    def __init__(self, words: Iterable[str], **kwargs: Any) -> None:
        super().__init__(validate=OneOf(tuple(words), error="Use one of: {choices}."), **kwargs)


class PublicId(fields.String):
    """A public id with its prefix."""

    def __init__(self, prefix: str, **kwargs: Any) -> None:
        pattern = rf"^{prefix}_[a-z2-7]{{{ID_LENGTH}}}$"
        super().__init__(
            validate=FullMatch(pattern, error=f"Not an id of the form {prefix}_…"), **kwargs
        )


class Moment(fields.AwareDateTime):
    """A point in time, RFC 3339 with its zone; written in UTC, to the second."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format="iso", **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        if not isinstance(value, str) or not _MOMENT.fullmatch(value):
            raise self.make_error("invalid", input=value, obj_type="datetime")
        moment: datetime = super()._deserialize(value, attr, data, **kwargs)
        try:
            return moment.astimezone(UTC)
        except OverflowError:
            raise self.make_error("invalid", input=value, obj_type="datetime") from None


_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?"
    r"([Zz]|[+-][0-9]{2}:[0-9]{2})",
    re.ASCII,
)


class PageArgs(StrictSchema):
    """Where a page begins and how long it is."""

    cursor = fields.String(
        validate=FullMatch(r"^[A-Za-z0-9_\-]{1,512}$"),
        metadata={"description": "Opaque; from the page before."},
    )
    limit = QueryWhole(1, MAX_PAGE, load_default=100)


def shown(moment: datetime | None) -> str | None:
    """A moment as answers write it: RFC 3339, UTC, to the second."""
    return None if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def page_of(item: type[Schema], name: str) -> type[Schema]:
    """The schema of a page of items."""
    members: Mapping[str, fields.Field[Any]] = {
        "items": fields.List(fields.Nested(item), required=True),
        "next_cursor": fields.String(allow_none=True, required=True),
    }
    made: type[Schema] = StrictSchema.from_dict(dict(members), name=name)
    return made
