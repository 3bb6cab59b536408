# SPDX-License-Identifier: Apache-2.0
"""Public ids in addresses: a prefix and 128 random bits, as ``<id(op):operator_id>``.

What has not this form is no address of ours, so nothing odd in a path ever reaches a database.
"""

from typing import Any

from werkzeug.routing import BaseConverter, Map


class PublicIdConverter(BaseConverter):
    """Takes exactly the ids of one prefix."""

    def __init__(self, url_map: Map, prefix: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(url_map, *args, **kwargs)
        self.regex = prefix + "_[a-z2-7]{26}"


def documented(converter: PublicIdConverter) -> dict[str, Any]:
    """How OpenAPI shows such a part of a path."""
    return {"type": "string", "pattern": f"^{converter.regex}$"}
