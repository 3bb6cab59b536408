# SPDX-License-Identifier: Apache-2.0
"""The face for partner hubs, under ``/fed/v1``: who we are, our log, and what it holds for them.

Identity, checkpoints and tiles prove themselves and are for anybody; operations are for partners,
whose requests are signed as our answers are. `docs/protocol/federation.md` §6 has every route.
"""

import io
import re

import orjson
from flask import Blueprint, Response, g, request

from federation.errors import FederationError, MalformedError, RefusedError
from federation.following import LONGEST_WAIT, MEDIA_TYPE
from federation.pages import MAX_RECORDS, REVOKES
from federation.witnessing import MAX_REQUEST
from hub.domain.errors import HubError, NotFoundError
from hub.ports import Hub
from hub.ports.exchange import Voice
from hub.services.exchange import serving, witnessing
from hub.services.exchange.bundling import read_bundle
from hub.services.exchange.posting import MAX_POSTED, ZIP
from hub.web import current
from hub.web.bodies import sent_body
from hub.web.partners import partner_asking, partner_asking_still, signed
from hub.web.policy import PARTNER, PUBLIC, policy

blueprint = Blueprint("exchange", __name__, url_prefix="/fed/v1")

FOREVER = "public, max-age=31536000, immutable"
NOTE = "text/plain; charset=utf-8"
BYTES = "application/octet-stream"
_NUMBER = re.compile(r"0|[1-9][0-9]{0,17}", re.ASCII)
_OPERATIONS = frozenset({"from", "size", "limit", "wait", "only"})
_YOURS = frozenset({"from", "after"})


class BundleRefusedError(HubError):
    """A bundle is not to be believed; why is its alarm."""

    slug = "refused"


class OddQueryError(HubError):
    """A query that this protocol does not have."""

    slug = "malformed-request"


@blueprint.get("/tuf/<path:name>")
@policy(PUBLIC)
def tuf(name: str) -> Response:
    """A file of our TUF repository."""
    found = current().abroad.file(name)
    if found is None:
        raise NotFoundError("file")
    return Response(found, mimetype=BYTES)


@blueprint.get("/log/checkpoint")
@policy(PUBLIC)
def checkpoint() -> Response:
    """What our log is by now."""
    hub = current()
    try:
        note = serving.shown_checkpoint(hub=hub, voice=_voice(hub))
    except serving.NotSoLongError as error:
        raise NotFoundError("checkpoint") from error
    return Response(note, content_type=NOTE)


@blueprint.get("/log/<path:name>")
@policy(PUBLIC)
def tile(name: str) -> Response:
    """A tile of hashes or of entries, which never changes."""
    hub = current()
    try:
        data = serving.tile(name, hub=hub, voice=_voice(hub))
    except (MalformedError, serving.NotSoLongError) as error:
        raise NotFoundError("tile") from error
    response = Response(data, mimetype=BYTES)
    response.headers["Cache-Control"] = FOREVER
    return response


@blueprint.get("/ops")
@policy(PARTNER, problems=(409,))
def operations() -> Response:
    """The operations from an index on that the partner may have; may wait for something new."""
    hub, partner = current(), partner_asking()
    voice, asked = _voice(hub), _query(_OPERATIONS)
    start, limit = asked.get("from", 0), asked.get("limit", MAX_RECORDS)
    if request.args.get("only") == REVOKES:
        page = serving.revokes(partner, start=start, limit=limit, hub=hub, voice=voice)
        return Response(page.encoded(), mimetype=MEDIA_TYPE)
    headers: dict[str, str] = {}
    if seconds := min(asked.get("wait", 0), LONGEST_WAIT):

        def is_there() -> bool:
            return serving.has_news(start, hub=hub, voice=voice)

        if not hub.waiting.polled(is_there, seconds):
            headers = {"Retry-After": "1"}
        # Of whoever waited something may have changed: what is shared with it, above all.
        partner = partner_asking_still(hub)
    page = serving.page(
        partner, start=start, size=asked.get("size"), limit=limit, hub=hub, voice=voice
    )
    return Response(page.encoded(), mimetype=MEDIA_TYPE, headers=headers)


@blueprint.get("/peers/<name>/<path:what>")
@policy(PARTNER, problems=(404,))
def peers(name: str, what: str) -> Response:
    """Who another hub is, and how its log is, to a partner that shares a set with it and us."""
    hub = current()
    found = serving.of_peer(name, what, partner_asking(), hub=hub, voice=_voice(hub))
    if found is None:
        raise NotFoundError("file")
    return Response(found, content_type=NOTE if what == serving.CHECKPOINT else BYTES)


@blueprint.get("/yours")
@policy(PARTNER)
def yours() -> Response:
    """What we hold of what the partner said itself: it may have lost it."""
    asked = _query(_YOURS)
    found = serving.returned(
        partner_asking(), start=asked.get("from", 0), after=asked.get("after", 0), hub=current()
    )
    return Response(found.encoded(), mimetype=MEDIA_TYPE)


@blueprint.post("/bundles")
@policy(PARTNER, accepts=(ZIP,), max_bytes=MAX_POSTED, asks=True, problems=(404,))
def bundles() -> Response:
    """Take what a partner says whom nobody asks: a bundle of its log; tell what comes next."""
    hub = current()
    try:
        came = read_bundle(
            io.BytesIO(request.get_data()), hub=hub, voice=_voice(hub), sender=partner_asking().hub
        )
    except RefusedError as error:
        raise BundleRefusedError(error.alarm.value) from error
    told = {
        "applied": came.applied, "size": came.size, "kept": came.kept, "refused": came.refused,
    }  # fmt: skip
    return Response(orjson.dumps(told), mimetype=MEDIA_TYPE)


@blueprint.post("/witness/add-checkpoint")
@policy(PUBLIC, accepts=("text/plain", BYTES), max_bytes=MAX_REQUEST, asks=True)
def add_checkpoint() -> Response:
    """Cosign a checkpoint of a log that we witness: https://c2sp.org/tlog-witness."""
    hub = current()
    try:
        lines = witnessing.cosigned(sent_body(request.environ), hub=hub, voice=_voice(hub))
    except FederationError as error:
        status, body, media_type = witnessing.status_of(error)
        return Response(body, status, content_type=media_type)
    return Response(lines, content_type=NOTE)


@blueprint.get("/witness/<name>/checkpoint")
@policy(PUBLIC)
def witnessed(name: str) -> Response:
    """What we cosigned last of a log."""
    note = witnessing.shown(name, hub=current())
    if note is None:
        raise NotFoundError("checkpoint")
    return Response(note, content_type=NOTE)


@blueprint.after_request
def sign(response: Response) -> Response:
    """Sign whatever a partner is answered, refusals too: nobody on the way can make it another."""
    return signed(response, current()) if "partner" in g else response


def _query(known: frozenset[str]) -> dict[str, int]:
    """The numbers of a query, each said once, in the one way."""
    said: dict[str, int] = {}
    for name, values in request.args.lists():
        if name not in known or len(values) != 1:
            raise OddQueryError("The query has what this protocol does not know.")
        if name == "only":
            if values != [REVOKES]:
                raise OddQueryError("only is revoke, or is not there.")
        elif not _NUMBER.fullmatch(values[0]):
            raise OddQueryError(f"{name} is a whole number.")
        else:
            said[name] = int(values[0])
    return said


def _voice(hub: Hub) -> Voice:
    voice = hub.abroad.voice()
    if voice is None:
        raise NotFoundError("hub")
    return voice
