# SPDX-License-Identifier: Apache-2.0
"""Rules that count things hold also when two requests come at the same moment."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier


def at_once(*requests):
    """Send all requests at the same moment; returns their answers in order."""
    barrier = Barrier(len(requests))

    def send(caller, path, body):
        barrier.wait()
        return caller.post(path, body, settle=False)

    with ThreadPoolExecutor(len(requests)) as pool:
        sent = [pool.submit(send, *request) for request in requests]
        return [one.result() for one in sent]


def own_key(caller):
    return caller.get("/v1/keys").get_json()["items"][0]["id"]


def test_two_administrators_cannot_end_both_of_the_last_keys(house):
    one = house.admit("one.example.com", role="admin")
    two = house.admit("two.example.com", role="admin")

    answers = at_once(
        (one, f"/v1/keys/{own_key(one)}/revoke", None),
        (two, f"/v1/keys/{own_key(two)}/revoke", None),
    )

    assert sorted(answer.status_code for answer in answers) == [200, 409]


def test_member_gets_no_third_key_by_asking_at_once(admin, house):
    member = house.member(house.operator("new.example.com"))
    wanted = {"member": member, "name": "x", "role": "reader"}

    answers = at_once(*[(admin, "/v1/keys", wanted)] * 6)

    assert sorted(answer.status_code for answer in answers) == [201] * 2 + [409] * 4


def test_name_asked_for_at_once_is_given_once(admin):
    wanted = {"name": "the name", "tlp": "TLP:GREEN"}

    answers = at_once(*[(admin, "/v1/sets", wanted)] * 6)

    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 5


def test_request_sent_twice_at_once_is_carried_out_once(admin):
    wanted = {"name": "the name", "tlp": "TLP:GREEN"}
    barrier = Barrier(4)

    def send(_):
        barrier.wait()
        return admin.post("/v1/sets", wanted, once="the-one", settle=False)

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(send, range(4)))

    assert len({answer.data for answer in answers}) == 1
    assert {answer.status_code for answer in answers} == {201}
