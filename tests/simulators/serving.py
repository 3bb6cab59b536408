# SPDX-License-Identifier: Apache-2.0
"""What a hub answers a partner that asks for operations, without HTTP in between."""

from urllib.parse import parse_qs, urlsplit

from federation.ports import Answer
from hub.ports import Hub
from hub.ports.exchange import Enrolled, Voice
from hub.services.exchange import serving


def answered(path: str, partner: Enrolled, *, limit: int | None, hub: Hub, voice: Voice) -> Answer:
    """Answer ``/ops``; *limit*: records at most, if it is not the partner's to say."""
    said = {name: values[0] for name, values in parse_qs(urlsplit(path).query).items()}
    start, most = int(said["from"]), int(said["limit"]) if limit is None else limit
    try:
        if "only" in said:
            page = serving.revokes(partner, start=start, limit=most, hub=hub, voice=voice)
        else:
            size = int(said["size"]) if "size" in said else None
            page = serving.page(partner, start=start, size=size, limit=most, hub=hub, voice=voice)
    except serving.NotSoLongError:
        return Answer(409, b"")
    return Answer(200, page.encoded(), "application/json")
