# SPDX-License-Identifier: Apache-2.0
"""Sets between hubs, as people administer them: whose a set is, who shares it, what may go on."""

from typing import Any

from hub.domain.answers import Answer
from hub.domain.errors import ConflictError, NotFoundError
from hub.ports import Work
from hub.ports.exchange import REVIEW
from hub.ports.manifests import Naming, SetHome
from hub.services.exchange import manifests
from hub.services.office import Caller, Office, changed


def set_home(
    set_id: str, home: str | None, root: str | None, *, by: Caller, hub: Office
) -> Answer:
    """Let another hub's manifest count for a set: that hub says which hubs share it.

    Args:
        set_id: public id of the set.
        home: the hub's name; None: the set is ours.
        root: SHA-256 of its first root; None: it is a partner.
        by: who administers.
        hub: ours.

    Raises:
        NotFoundError: There is no such set, or no such partner.
        ConflictError: The hub is known by another root.
    """
    with hub.begin.writing(by.actor) as work:
        one = _known(set_id, work)
        if home is not None:
            _meet(home, root, hub, work)
        manifests.forget(one, work)
        work.manifests.rehome(one.key, home)
        # Its hub may have said of it before people said whose it is.
        manifests.settle(_known(set_id, work), work)
        return changed(work, 200, told(_known(set_id, work)), set=set_id, home=home)


def _meet(home: str, root: str | None, hub: Office, work: Work) -> None:
    if root is not None:
        work.partners.meet(home, root, level=REVIEW, at=hub.clock())
    known = work.partners.heard_of(home)
    if known is None:
        raise NotFoundError("partner")
    if root is not None and known.root != root:
        raise ConflictError(f"{home} is known here by another root.")


def open_onward(set_id: str, onward: str, *, by: Caller, hub: Office) -> Answer:
    """Let the hubs of a set of ours pass on what others said in it, or not.

    Raises:
        NotFoundError: There is no such set.
        ConflictError: It is another hub's, which says so.
    """
    with hub.begin.writing(by.actor) as work:
        one = _own(set_id, work)
        work.manifests.open_onward(one.key, onward)
        # Each thing that was said in it says to whom it may go.
        work.partners.say_again(one.key)
        return changed(work, 200, told(_known(set_id, work)), set=set_id, onward=onward)


def name_hub(
    set_id: str, name: str, root: str | None, *, named: bool, by: Caller, hub: Office
) -> Answer:
    """Name a hub in the manifest of a set of ours, or name it no more.

    Args:
        set_id: public id of the set.
        name: the hub's.
        root: SHA-256 of its first root, if it is no partner.
        named: whether to name it.
        by: who administers.
        hub: ours.

    Raises:
        NotFoundError: There is no such set.
        ConflictError: The set is another hub's; or the hub is known by another root.
    """
    with hub.begin.writing(by.actor) as work:
        one = _own(set_id, work)
        known = work.partners.heard_of(name)
        if root is not None and known is not None and known.root != root:
            raise ConflictError(f"{name} is known here by another root.")
        work.manifests.name(one.key, name, Naming(root, named))
        body = {"set": set_id, "hub": name, "named": named}
        return changed(work, 200, body, set=set_id, partner=name, named=named)


def hubs_of(set_id: str, *, hub: Office) -> dict[str, Any]:
    """A set, and the hubs that share it by the manifest that counts for it.

    Raises:
        NotFoundError: There is no such set.
    """
    with hub.begin.reading() as work:
        one = _known(set_id, work)
        counting = work.manifests.counting(int(hub.clock().timestamp())).get(set_id)
        known = {who.hub: who for who in work.partners.known()}
    found = sorted(counting.hubs.items()) if counting is not None else []
    hubs = [
        {
            "hub": name,
            "root": root,
            "partner": name in known and not known[name].relayed,
            # Of two roots by one name nothing is passed on.
            "agrees": name not in known or known[name].root == root,
        }
        for name, root in found
    ]
    return {**told(one), "hubs": hubs}


def told(one: SetHome) -> dict[str, Any]:
    """A set as answers show it."""
    return {"id": one.id, "name": one.name, "onward": one.onward, "home": one.home}


def _known(set_id: str, work: Work) -> SetHome:
    found = work.manifests.homes().get(set_id)
    if found is None:
        raise NotFoundError("set")
    return found


def _own(set_id: str, work: Work) -> SetHome:
    one = _known(set_id, work)
    if one.home is not None:
        raise ConflictError(f"The set is {one.home}'s, which says who shares it.")
    return one
