# SPDX-License-Identifier: Apache-2.0
"""Forms of operators, members, keys, sets and grants."""

from typing import Any

from marshmallow import fields, post_load, validates_schema
from marshmallow.validate import Length

from hub.api.schemas.base import (
    Flag,
    FullMatch,
    Moment,
    PageArgs,
    PublicId,
    StrictSchema,
    Text,
    Word,
    fault,
    page_of,
)
from hub.domain.access import GRANTS, ROLES, SCOPES, scopes_of
from hub.domain.members import ACTIVE, ONWARD, SUSPENDED, TLP
from hub.domain.vocabulary import VOCABULARY

LABEL = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
DNS_NAME = rf"^({LABEL}\.){{1,8}}[a-z]([a-z0-9-]{{0,61}}[a-z0-9])$"
EMAIL = r"^[A-Za-z0-9._%+\-]{1,64}@([A-Za-z0-9\-]{1,63}\.){1,8}[A-Za-z]{2,63}$"
PURPOSES = ("trust-and-safety", "security", "legal", "technical")
STATES = (ACTIVE, SUSPENDED)


class Made(StrictSchema):
    """What every answer to a change has."""

    position = fields.Integer(
        required=True, metadata={"description": "Where the change stands in the hub's history."}
    )


# -- operators and members -----------------------------------------------------------------------


class Contact(StrictSchema):
    """Whom to reach at an operator, and for what."""

    purpose = Word(PURPOSES, required=True)
    email = fields.String(
        required=True, validate=[Length(max=254), FullMatch(EMAIL, error="Not an e-mail address.")]
    )


class NewOperator(StrictSchema):
    """An operator to be admitted."""

    name = fields.String(
        required=True,
        validate=[Length(3, 253), FullMatch(DNS_NAME, error="Not a DNS name in lower case.")],
        metadata={"description": "A DNS name that the organisation controls."},
    )
    kind = Word(VOCABULARY.lists["operator_kind"].terms, required=True)
    contacts = fields.List(fields.Nested(Contact), required=True, validate=Length(1, 10))
    sandbox = Flag(load_default=False)


class Operator(StrictSchema):
    """An organisation."""

    id = PublicId("op", required=True)
    name = fields.String(required=True)
    kind = fields.String(required=True)
    contacts = fields.List(fields.Nested(Contact), required=True)
    sandbox = fields.Boolean(required=True)
    state = Word(STATES, required=True)
    created_at = Moment(required=True)


class OperatorMade(Operator, Made):
    """An operator after a change."""


class NewMember(StrictSchema):
    """A member to be added."""

    operator = PublicId("op", required=True)
    name = Text(100, required=True)


class MembersArgs(PageArgs):
    """Which members."""

    operator = PublicId("op")


class Member(StrictSchema):
    """A service of an operator."""

    id = PublicId("mem", required=True)
    operator = PublicId("op", required=True)
    name = fields.String(required=True)
    sandbox = fields.Boolean(required=True)
    state = Word(STATES, required=True)
    created_at = Moment(required=True)


class MemberMade(Member, Made):
    """A member after a change."""


# -- keys ----------------------------------------------------------------------------------------


class NewKey(StrictSchema):
    """A key to be made: with the scopes of a role, or with scopes of its own."""

    member = PublicId("mem", required=True)
    name = Text(100, required=True)
    role = Word(ROLES)
    scopes = fields.List(Word(sorted(SCOPES)), validate=Length(1, len(SCOPES)))
    expires = Moment(metadata={"description": "At most 365 days from now, which is the default."})

    @validates_schema
    def _one_of_both(self, data: dict[str, Any], **_kwargs: Any) -> None:
        if ("role" in data) == ("scopes" in data):
            raise fault("role-or-scopes", "Give either role or scopes.", "role")

    @post_load
    def _with_scopes(self, data: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        role = data.pop("role", None)
        data["scopes"] = scopes_of(role) if role else frozenset(data["scopes"])
        return data


class KeysArgs(PageArgs):
    """Whose keys."""

    member = PublicId("mem", metadata={"description": "Your own member is the default."})


class Key(StrictSchema):
    """A key, without its secret."""

    id = PublicId("key", required=True)
    member = PublicId("mem", required=True)
    name = fields.String(required=True)
    role = Word(ROLES, required=True, allow_none=True)
    scopes = fields.List(Word(sorted(SCOPES)), required=True)
    sandbox = fields.Boolean(required=True)
    created_at = Moment(required=True)
    expires = Moment(required=True)
    revoked_at = Moment(required=True, allow_none=True)


class KeyChanged(Key, Made):
    """A key after a change."""


class KeyMade(KeyChanged):
    """A new key with its secret, which is shown once."""

    secret = fields.String(required=True, metadata={"description": "Send it as Bearer."})


# -- sets and grants -----------------------------------------------------------------------------


class NewSet(StrictSchema):
    """A set to be made."""

    name = Text(100, required=True)
    tlp = Word(TLP, required=True)
    onward = Word(ONWARD, load_default="none")
    sandbox = Flag(load_default=False)


class Grant(StrictSchema):
    """What one member may do in a set."""

    member = PublicId("mem", required=True)
    rights = fields.List(Word(sorted(GRANTS)), required=True)
    changed_at = Moment(required=True)


class NewGrant(StrictSchema):
    """The rights of a member in a set, all of them."""

    rights = fields.List(
        Word(sorted(GRANTS)),
        required=True,
        validate=Length(1, len(GRANTS)),
    )


class GrantMade(Grant, Made):
    """A grant after a change."""

    set = PublicId("set", required=True)


class GrantEnded(Made):
    """A grant that is no more."""

    set = PublicId("set", required=True)
    member = PublicId("mem", required=True)
    rights = fields.List(Word(sorted(GRANTS)), required=True, validate=Length(max=0))


class Set(StrictSchema):
    """What is shared with whom."""

    id = PublicId("set", required=True)
    name = fields.String(required=True)
    tlp = Word(TLP, required=True)
    onward = Word(ONWARD, required=True)
    sandbox = fields.Boolean(required=True)
    state = fields.String(required=True)
    rights = fields.List(
        Word(sorted(GRANTS)), required=True, metadata={"description": "Your own in it."}
    )
    created_at = Moment(required=True)


class SetShown(Set):
    """A set with its grants, where the asker administers."""

    grants = fields.List(fields.Nested(Grant))


class SetMade(Set, Made):
    """A set after a change."""


Operators = page_of(Operator, "Operators")
Members = page_of(Member, "Members")
Keys = page_of(Key, "Keys")
Sets = page_of(Set, "Sets")
