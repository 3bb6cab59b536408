# SPDX-License-Identifier: Apache-2.0
"""Routes of operators, members, keys and sets.

An administrator's, but for what concerns oneself: any key sees its own operator, member and sets,
and lists, turns and revokes its own member's keys.
"""

from typing import Any

from flask import g

from hub.api.blueprints import Blueprint
from hub.api.schemas import access as forms
from hub.api.schemas.base import PageArgs
from hub.domain.answers import Answer, Once
from hub.services import access, keys, sets
from hub.services.office import Caller
from hub.web import current
from hub.web.idempotency import writes
from hub.web.policy import ANY_KEY, JSON, policy

operators = Blueprint("operators", __name__, description="Organisations.")
members = Blueprint("members", __name__, description="Services of operators.")
member_keys = Blueprint("keys", __name__, description="Keys of members.")
member_sets = Blueprint("sets", __name__, description="What is shared with whom.")

BLUEPRINTS = (operators, members, member_keys, member_sets)
ADMIN = "admin"


def _by() -> Caller:
    return Caller.of(g.asker)


def _kept(answer: Answer) -> Answer:
    """Let this worker know of the change at once; the others hear of it from the stream."""
    current().directory.reload()
    return answer


# -- operators -----------------------------------------------------------------------------------


@operators.route("/v1/operators", methods=["POST"])
@policy(ADMIN, accepts=(JSON,))
@writes
@operators.arguments(forms.NewOperator)
@operators.answers(201, forms.OperatorMade)
def add_operator(values: dict[str, Any], once: Once) -> Answer:
    """Admit an operator."""
    return _kept(access.add_operator(values, by=_by(), hub=current(), once=once))


@operators.route("/v1/operators", methods=["GET"])
@policy(ADMIN, problems=(410,))
@operators.arguments(PageArgs, location="query")
@operators.answers(200, forms.Operators)
def list_operators(args: dict[str, Any]) -> dict[str, Any]:
    """List all operators."""
    return access.list_operators(args.get("cursor"), args["limit"], hub=current())


@operators.route("/v1/operators/<id(op):operator_id>", methods=["GET"])
@policy(ANY_KEY)
@operators.answers(200, forms.Operator)
def show_operator(operator_id: str) -> dict[str, Any]:
    """Show an operator: your own, or as an administrator any."""
    return access.show_operator(operator_id, by=_by(), hub=current())


@operators.route("/v1/operators/<id(op):operator_id>/suspend", methods=["POST"])
@policy(ADMIN)
@writes
@operators.answers(200, forms.OperatorMade)
def suspend_operator(operator_id: str, once: Once) -> Answer:
    """Shut out an operator with all its members and keys, at once."""
    return _kept(
        access.suspend_operator(operator_id, suspended=True, by=_by(), hub=current(), once=once)
    )


@operators.route("/v1/operators/<id(op):operator_id>/resume", methods=["POST"])
@policy(ADMIN)
@writes
@operators.answers(200, forms.OperatorMade)
def resume_operator(operator_id: str, once: Once) -> Answer:
    """Let an operator in again."""
    return _kept(
        access.suspend_operator(operator_id, suspended=False, by=_by(), hub=current(), once=once)
    )


# -- members -------------------------------------------------------------------------------------


@members.route("/v1/members", methods=["POST"])
@policy(ADMIN, accepts=(JSON,), problems=(404,))
@writes
@members.arguments(forms.NewMember)
@members.answers(201, forms.MemberMade)
def add_member(values: dict[str, Any], once: Once) -> Answer:
    """Add a service of an operator."""
    return _kept(
        access.add_member(values["operator"], values["name"], by=_by(), hub=current(), once=once)
    )


@members.route("/v1/members", methods=["GET"])
@policy(ADMIN, problems=(404, 410))
@members.arguments(forms.MembersArgs, location="query")
@members.answers(200, forms.Members)
def list_members(args: dict[str, Any]) -> dict[str, Any]:
    """List all members, or those of one operator."""
    return access.list_members(
        args.get("cursor"), args["limit"], operator_id=args.get("operator"), hub=current()
    )


@members.route("/v1/members/<id(mem):member_id>", methods=["GET"])
@policy(ANY_KEY)
@members.answers(200, forms.Member)
def show_member(member_id: str) -> dict[str, Any]:
    """Show a member: your own, or as an administrator any."""
    return access.show_member(member_id, by=_by(), hub=current())


@members.route("/v1/members/<id(mem):member_id>/suspend", methods=["POST"])
@policy(ADMIN)
@writes
@members.answers(200, forms.MemberMade)
def suspend_member(member_id: str, once: Once) -> Answer:
    """Shut out a member with all its keys, at once."""
    return _kept(
        access.suspend_member(member_id, suspended=True, by=_by(), hub=current(), once=once)
    )


@members.route("/v1/members/<id(mem):member_id>/resume", methods=["POST"])
@policy(ADMIN)
@writes
@members.answers(200, forms.MemberMade)
def resume_member(member_id: str, once: Once) -> Answer:
    """Let a member in again."""
    return _kept(
        access.suspend_member(member_id, suspended=False, by=_by(), hub=current(), once=once)
    )


# -- keys ----------------------------------------------------------------------------------------


@member_keys.route("/v1/keys", methods=["POST"])
@policy(ADMIN, accepts=(JSON,), problems=(404,))
@writes
@member_keys.arguments(forms.NewKey)
@member_keys.answers(201, forms.KeyMade)
def add_key(values: dict[str, Any], once: Once) -> Answer:
    """Make a key for a member; its secret is shown once."""
    member_id = values.pop("member")
    return _kept(keys.add_key(member_id, values, by=_by(), hub=current(), once=once))


@member_keys.route("/v1/keys", methods=["GET"])
@policy(ANY_KEY, problems=(404, 410))
@member_keys.arguments(forms.KeysArgs, location="query")
@member_keys.answers(200, forms.Keys)
def list_keys(args: dict[str, Any]) -> dict[str, Any]:
    """List the keys of your member, or as an administrator of any."""
    return keys.list_keys(
        args.get("cursor"), args["limit"], member_id=args.get("member"), by=_by(), hub=current()
    )


@member_keys.route("/v1/keys/<id(key):key_id>/rotate", methods=["POST"])
@policy(ANY_KEY, problems=(403,))
@writes
@member_keys.answers(201, forms.KeyMade)
def rotate_key(key_id: str, once: Once) -> Answer:
    """Make the successor of a key; the old one lives on until you revoke it."""
    return _kept(keys.rotate_key(key_id, by=_by(), hub=current(), once=once))


@member_keys.route("/v1/keys/<id(key):key_id>/revoke", methods=["POST"])
@policy(ANY_KEY, problems=(403,))
@writes
@member_keys.answers(200, forms.KeyChanged)
def revoke_key(key_id: str, once: Once) -> Answer:
    """End a key: within a second nobody accepts it."""
    return _kept(keys.revoke_key(key_id, by=_by(), hub=current(), once=once))


# -- sets and grants -----------------------------------------------------------------------------


@member_sets.route("/v1/sets", methods=["POST"])
@policy(ADMIN, accepts=(JSON,))
@writes
@member_sets.arguments(forms.NewSet)
@member_sets.answers(201, forms.SetMade)
def add_set(values: dict[str, Any], once: Once) -> Answer:
    """Make a set; nobody is in it yet."""
    return _kept(sets.add_set(values, by=_by(), hub=current(), once=once))


@member_sets.route("/v1/sets", methods=["GET"])
@policy(ANY_KEY, problems=(410,))
@member_sets.arguments(PageArgs, location="query")
@member_sets.answers(200, forms.Sets)
def list_sets(args: dict[str, Any]) -> dict[str, Any]:
    """List the sets in which you have a grant; as an administrator all."""
    return sets.list_sets(args.get("cursor"), args["limit"], by=_by(), hub=current())


@member_sets.route("/v1/sets/<id(set):set_id>", methods=["GET"])
@policy(ANY_KEY)
@member_sets.answers(200, forms.SetShown)
def show_set(set_id: str) -> dict[str, Any]:
    """Show a set in which you have a grant; as an administrator any, with all grants."""
    return sets.show_set(set_id, by=_by(), hub=current())


@member_sets.route("/v1/sets/<id(set):set_id>/grants/<id(mem):member_id>", methods=["PUT"])
@policy(ADMIN, accepts=(JSON,))
@writes
@member_sets.arguments(forms.NewGrant)
@member_sets.answers(200, forms.GrantMade)
def put_grant(values: dict[str, Any], set_id: str, member_id: str, once: Once) -> Answer:
    """Give a member exactly these rights in a set."""
    rights = frozenset(values["rights"])
    return _kept(sets.grant(set_id, member_id, rights, by=_by(), hub=current(), once=once))


@member_sets.route("/v1/sets/<id(set):set_id>/grants/<id(mem):member_id>", methods=["DELETE"])
@policy(ADMIN)
@writes
@member_sets.answers(200, forms.GrantEnded)
def end_grant(set_id: str, member_id: str, once: Once) -> Answer:
    """Take a member's grant away: it sees nothing of the set any more."""
    return _kept(sets.end_grant(set_id, member_id, by=_by(), hub=current(), once=once))
