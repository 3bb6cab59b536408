# SPDX-License-Identifier: Apache-2.0
"""``doctor`` finds what is wrong, each thing by its name, and goes on to the next."""

import json
import sqlite3

import pytest

from hub.adapters.secrets import load_keys
from hub.cli.exits import Exit
from hub.demo.running import free_port

pytestmark = pytest.mark.slow


@pytest.fixture
def kept(hub):
    """A hub's folder as its first start leaves it, without starting it."""
    hub.data.mkdir(mode=0o700)
    load_keys(hub.data)
    assert hub.command("db", "upgrade").returncode == Exit.OK
    return hub


def verdicts(hub, **more):
    done = hub.command("doctor", "--json", **more)
    found = {one["check"]: one for one in json.loads(done.stdout)}
    return {name: one["verdict"] for name, one in found.items()}, found, done.returncode


def test_sound_hub_passes_every_check(kept):
    found, _, status = verdicts(kept)

    assert set(found.values()) == {"ok"}
    assert status == Exit.OK


def test_empty_place_is_warned_of_but_sound(hub):
    found, _, status = verdicts(hub)

    assert found["data"] == found["keys"] == found["schema"] == "warning"
    assert "failed" not in found.values()
    assert status == Exit.OK
    assert not hub.data.exists()


def test_key_that_others_may_read_fails(kept):
    (kept.data / "pepper.key").chmod(0o644)

    found, told, status = verdicts(kept)

    assert found["keys"] == "failed"
    assert "chmod 600" in told["keys"]["detail"]
    assert found["schema"] == "ok"
    assert status == Exit.FOUND


def test_folder_that_others_may_read_is_warned_of(kept):
    kept.data.chmod(0o755)

    assert verdicts(kept)[0]["data"] == "warning"


def test_other_schema_fails(kept):
    with sqlite3.connect(kept.data / "hub.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()

    found, told, status = verdicts(kept)

    assert found["schema"] == "failed"
    assert "db upgrade" in told["schema"]["detail"]
    assert status == Exit.FOUND


def test_damaged_database_fails(kept):
    file = kept.data / "hub.db"
    content = bytearray(file.read_bytes())
    content[4096 * 5 : 4096 * 60] = b"\xff" * 4096 * 55
    file.write_bytes(content)

    found, _, status = verdicts(kept)

    assert found["durability"] == "failed"
    assert found["disk"] == "ok"
    assert status == Exit.FOUND


def test_redis_that_is_away_fails_and_hides_nothing(kept):
    found, _, status = verdicts(kept, REDIS_URL=f"redis://127.0.0.1:{free_port()}/0")

    assert found["redis"] == "failed"
    assert found["keys"] == found["durability"] == "ok"
    assert status == Exit.FOUND


def test_redis_of_ones_own_is_asked_for_its_version_and_time(kept, valkey_url):
    found, told, _ = verdicts(kept, REDIS_URL=valkey_url)

    assert found["redis"] == found["clock"] == "ok"
    assert "version" in told["redis"]["detail"]
    assert "from Redis" in told["clock"]["detail"]


@pytest.mark.services
def test_postgresql_that_does_not_sync_fails(kept, postgres_databases, tmp_path):
    # The tests' own server is fast and careless.
    url = postgres_databases.fresh(tmp_path)

    found, told, status = verdicts(kept, BREAKWATER_DATABASE_URL=url)

    assert found["schema"] == "ok"
    assert "fsync=" in told["durability"]["detail"]
    assert (found["durability"] == "ok") == ("fsync=on" in told["durability"]["detail"])
    assert status in {Exit.OK, Exit.FOUND}
    postgres_databases.drop(url)


@pytest.mark.services
def test_postgresql_is_not_copied_by_us(kept, postgres_databases, tmp_path):
    url = postgres_databases.fresh(tmp_path)

    done = kept.command("backup", str(tmp_path / "copy"), BREAKWATER_DATABASE_URL=url)

    assert "PostgreSQL" in done.stderr
    assert done.returncode == Exit.USAGE
    postgres_databases.drop(url)


def test_database_that_is_away_fails_without_its_password(kept):
    url = f"postgresql+psycopg://hub:hush@127.0.0.1:{free_port()}/hub"

    found, told, status = verdicts(kept, BREAKWATER_DATABASE_URL=url)

    assert found["schema"] == found["durability"] == "failed"
    assert "hush" not in json.dumps(told)
    assert status == Exit.FOUND
