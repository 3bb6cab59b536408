# SPDX-License-Identifier: Apache-2.0
"""Assemble a hub: the one place where adapters are chosen."""

import time
from collections.abc import Callable, Sequence
from functools import partial

import structlog

from hub.adapters import clock
from hub.adapters.abroad import NetworkAbroad, allowance_of
from hub.adapters.doorbell import RedisDoorbell
from hub.adapters.erasures import ErasureFile
from hub.adapters.hits import HitJournal
from hub.adapters.identities import Identity
from hub.adapters.metrics import Metrics
from hub.adapters.nonces import RedisNonces
from hub.adapters.randomness import RandomPool
from hub.adapters.redis import open_redis
from hub.adapters.secrets import load_keys
from hub.ports import Clock, Hub
from hub.services.directory import Directory
from hub.services.following import Waiting
from hub.services.ledger import Budgets, Ledger
from hub.services.receipts import Receipts
from hub.services.upkeep import last_erasure
from hub.services.walks import WalkWatch
from hub.settings import HITS, INDEX, Settings
from hub.storage.controls import slot_delta
from hub.storage.database import Database, connect
from hub.storage.described import SqlDescriber
from hub.storage.feed import SqlFeed
from hub.storage.history import SqlHistory
from hub.storage.work import SqlBegin
from matching.engine import Engine
from matching.following import BLOCK_MS, Follower
from matching.ports import Change, Head
from matching.search.planning import planned
from matching.shelves.folder import FolderShelf
from matching.stores.redis import RedisStore, connect as connect_store

log = structlog.get_logger(__name__)

DEFAULT_REDIS = "redis://127.0.0.1:6379"
PATIENCE = 10.0
"""Seconds that whoever writes a checkpoint gives Redis to answer."""


def open_database(settings: Settings) -> Database:
    """The hub's database."""
    return connect(settings.database_url, readers=settings.threads)


def open_index(
    settings: Settings, told: Callable[[int], None] = lambda _rows: None
) -> tuple[SqlFeed, RedisStore]:
    """The truth and its shared copy alone, for commands that compare or rewrite them.

    Args:
        settings: of the hub.
        told: told of rows of the truth, as they are read.
    """
    database = open_database(settings)
    with database.reader.connect() as connection, connection.begin():
        instance = SqlHistory(connection).instance()
    return SqlFeed(database, told), _writers_store(settings.redis_url or DEFAULT_REDIS, instance)


def open_shelf(settings: Settings) -> FolderShelf:
    """Where the segments of this machine's processes lie."""
    return FolderShelf(settings.data / INDEX)


def assemble(settings: Settings, *, now: Clock = clock.now, budgets: Budgets | None = None) -> Hub:
    """Make the hub of this process; nothing runs yet, see ``hub.jobs``.

    The schema is there already, and ``settings.redis_url`` names a Redis. *now* tells the time of
    day to everything that asks for it; ages are told by the monotonic clock.
    """
    secrets = load_keys(settings.data)
    database = open_database(settings)
    begin = SqlBegin(database, clock=now, sealer=secrets.sealer)
    with begin.reading() as work:
        instance = work.history.instance()
    directory = Directory(begin=begin, pepper=secrets.pepper, clock=now)
    directory.reload()
    url = settings.redis_url or DEFAULT_REDIS
    store = RedisStore(connect_store(url, wait_seconds=BLOCK_MS / 1000), instance)
    doorbell = RedisDoorbell(open_redis(url), instance)
    begin.announce = doorbell.ring
    feed = SqlFeed(database)
    engine = Engine(
        shelf=open_shelf(settings), planner=partial(planned, memory=settings.index_memory << 20)
    )
    metrics = Metrics()

    def applied(changes: Sequence[Change]) -> None:
        seconds = now().timestamp()
        for change in changes:
            metrics.change_applied(seconds - change.at_ms / 1000)
        erased = last_erasure(changes)
        if erased:
            engine.forget(Head(engine.timeline, erased))

    follower = Follower(
        engine,
        store,
        feed,
        clock=time.monotonic,
        before_changes=directory.learn,
        on_changes=applied,
        on_reload=directory.reload,
    )
    return Hub(
        clock=now,
        new_id=clock.new_id,
        secrets=secrets,
        begin=begin,
        describer=SqlDescriber(database.reader),
        feed=feed,
        store=_writers_store(url, instance),
        doorbell=doorbell,
        erasures=ErasureFile(settings.data / "erasures.log"),
        engine=engine,
        follower=follower,
        directory=directory,
        ledger=Ledger(
            begin=begin,
            clock=now,
            budgets=budgets or Budgets(hits_a_day=settings.hits_a_day),
            journal=HitJournal(settings.data / HITS),
        ),
        receipts=Receipts(secrets.receipts, RandomPool()),
        waiting=Waiting(follower, settings.threads),
        walks=WalkWatch(time.monotonic, _tell_staff),
        metrics=metrics,
        abroad=NetworkAbroad(
            settings.data,
            public_url=settings.public_url,
            nonces=RedisNonces(
                open_redis(url),
                instance,
                clock=now,
                named_since=Identity(settings.data).named_since,
            ),
            allowance=allowance_of(settings.partner_networks),
        ),
        control_delta=slot_delta,
    )


def _tell_staff(operator: int) -> None:
    log.warning("boundary_walk_noticed", operator=operator)


def _writers_store(url: str, instance: str) -> RedisStore:
    return RedisStore(connect_store(url, wait_seconds=PATIENCE), instance)
