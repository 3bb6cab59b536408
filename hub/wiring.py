# SPDX-License-Identifier: Apache-2.0
"""Assemble a hub: the one place where adapters are chosen."""

import time
from collections.abc import Sequence

from hub.adapters import clock
from hub.adapters.doorbell import RedisDoorbell
from hub.adapters.erasures import ErasureFile
from hub.adapters.metrics import Metrics
from hub.adapters.redis import open_redis
from hub.adapters.secrets import load_keys
from hub.ports import Hub
from hub.services.directory import Directory
from hub.services.following import Waiting
from hub.services.ledger import Budgets, Ledger
from hub.services.receipts import Receipts
from hub.settings import Settings
from hub.storage.controls import slot_delta
from hub.storage.database import Database, connect
from hub.storage.described import SqlDescriber
from hub.storage.feed import SqlFeed
from hub.storage.work import SqlBegin
from matching.engine import Engine
from matching.following import Follower
from matching.ports import Change
from matching.stores.redis import RedisStore, connect as connect_store

LONGEST_BLOCK = 1.0
"""Seconds that reading the stream may wait."""


def open_database(settings: Settings) -> Database:
    """The hub's database."""
    return connect(settings.database_url, readers=settings.threads)


def assemble(settings: Settings) -> Hub:
    """Make the hub of this process; nothing runs yet, see ``hub.jobs``.

    The schema is there already, and ``settings.redis_url`` names a Redis.
    """
    secrets = load_keys(settings.data)
    database = open_database(settings)
    begin = SqlBegin(database, clock=clock.now, sealer=secrets.sealer)
    with begin.reading() as work:
        instance = work.history.instance()
    directory = Directory(begin=begin, pepper=secrets.pepper, clock=clock.now)
    directory.reload()
    url = settings.redis_url or "redis://127.0.0.1:6379"
    store = RedisStore(connect_store(url, wait_seconds=LONGEST_BLOCK), instance)
    doorbell = RedisDoorbell(open_redis(url), instance)
    begin.announce = doorbell.ring
    feed = SqlFeed(database)
    engine = Engine()
    metrics = Metrics()

    def learn(changes: Sequence[Change]) -> None:
        directory.learn(changes)
        now = time.time()
        for change in changes:
            metrics.change_applied(now - change.at_ms / 1000)

    follower = Follower(
        engine,
        store,
        feed,
        clock=time.monotonic,
        on_changes=learn,
        on_reload=directory.reload,
    )
    return Hub(
        clock=clock.now,
        new_id=clock.new_id,
        secrets=secrets,
        begin=begin,
        describer=SqlDescriber(database.reader),
        feed=feed,
        store=store,
        doorbell=doorbell,
        erasures=ErasureFile(settings.data / "erasures.log"),
        engine=engine,
        follower=follower,
        directory=directory,
        ledger=Ledger(begin=begin, clock=clock.now, budgets=Budgets()),
        receipts=Receipts(secrets.receipts),
        waiting=Waiting(follower, settings.threads),
        metrics=metrics,
        control_delta=slot_delta,
    )
