# SPDX-License-Identifier: Apache-2.0
"""Keep what the hub knows: ``backup``, ``restore``, ``db``."""

import json
import shutil
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import click

from hub.cli import backups, preparing
from hub.cli.exits import CommandError, Exit, cannot_write, read_settings
from hub.cli.output import json_option, print_json
from hub.cli.places import child_environment, hold_data
from hub.cli.starting import ITSELF
from hub.settings import HITS, INDEX, Settings

FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("file", type=FILE)
@click.option(
    "--keys",
    type=click.Path(file_okay=False, path_type=Path),
    help="Copy the keys and the list of erasures into this folder too.",
)
@json_option
def backup(*, file: Path, keys: Path | None, as_json: bool) -> None:
    """Copy the database to FILE while the hub runs, and write FILE.json beside it.

    The keys are not in it: keep them elsewhere, without them the copy cannot be used.
    """
    settings = read_settings()
    database = _require_sqlite(settings)
    if file.exists():
        raise CommandError(f"{file} exists: name another file.", Exit.CANNOT_CREATE)
    try:
        with click.progressbar(
            length=database.stat().st_size, label="Copying", file=sys.stderr
        ) as bar:
            manifest = backups.make_copy(
                database,
                file,
                _fingerprints(settings.data),
                lambda done, of: bar.update(min(done, bar.length or of) - bar.pos),
            )
        if keys is not None:
            _copy_keys(settings.data, keys)
    except OSError as error:
        raise cannot_write(Path(error.filename or file), error) from error
    if as_json:
        print_json({"file": str(file), **asdict(manifest)})
    else:
        click.echo(f"{file} holds the history up to position {manifest.position}.")


@click.command()
@click.argument("file", type=FILE, required=False)
@click.option("--force", is_flag=True, help="Move a database that is there aside.")
@click.option(
    "--adopt", is_flag=True, help="The database is back already; begin its new timeline."
)
@json_option
def restore(*, file: Path | None, force: bool, adopt: bool, as_json: bool) -> None:
    """Put the copy FILE in the place of the database, as the beginning of a new timeline.

    Followers, partners and Redis see the new timeline and never mix it with the old one. What was
    erased since the copy was made is erased again. With --adopt, for PostgreSQL, the database was
    put back by its own tools.
    """
    settings = read_settings()
    if (file is None) != adopt:
        raise click.UsageError("Give a FILE, or --adopt without one.")
    lock = hold_data(settings.data)
    try:
        done = _renewed(settings) if file is None else _put_back(settings, file, force=force)
        # Of a history that is over: internal keys may name others now.
        for folder in (HITS, INDEX):
            shutil.rmtree(settings.data / folder, ignore_errors=True)
    except OSError as error:
        raise cannot_write(Path(error.filename or settings.data), error) from error
    finally:
        lock.release()
    if as_json:
        print_json(done)
    else:
        click.echo(
            f"The hub is at position {done['position']} of the new timeline {done['timeline']}.\n"
            "What was withdrawn, disputed, revoked or taken away since the copy was made holds no "
            "more: do it again (docs/operate/backup.md)."
        )


@click.group()
def db() -> None:
    """Look after the database's schema."""


@db.command("upgrade")
@json_option
def upgrade(*, as_json: bool) -> None:
    """Bring the database to this version's schema, making it if there is none."""
    settings = read_settings()
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    preparing.upgrade(settings)
    revision = preparing.newest_revision()
    if as_json:
        print_json({"revision": revision})
    else:
        click.echo(f"The schema is {revision}.")


@db.command("check")
@json_option
def check(*, as_json: bool) -> None:
    """Check that the database has this version's schema; ends with 1 if it has not."""
    from hub.cli import databases  # noqa: PLC0415  # takes seconds to import

    settings = read_settings()
    have, want = databases.versions(settings)
    found = databases.differences(settings) if have == want else []
    if as_json:
        print_json({"have": have, "want": want, "differences": found})
    elif have != want:
        click.echo(f"The schema is {have or 'missing'}, not {want}: run breakwater db upgrade.")
    else:
        click.echo("\n".join(found) or f"The schema is {have}, as it should be.")
    if have != want or found:
        raise SystemExit(Exit.FOUND)


@click.command(hidden=True)
def renew() -> None:
    """Begin a new timeline and erase again what was erased; ``restore`` runs it by itself."""
    from hub.domain.changes import SYSTEM  # noqa: PLC0415  # with what follows, seconds
    from hub.services import restoring, upkeep  # noqa: PLC0415  # same
    from hub.wiring import assemble  # noqa: PLC0415  # same

    settings = read_settings()
    if not preparing.is_current(settings):
        preparing.upgrade(settings)
    hub = assemble(settings)
    restoring.new_timeline(begin=hub.begin, new_id=hub.new_id)
    erased = upkeep.erase_listed(hub.erasures.all(), actor=SYSTEM, hub=hub)
    head = hub.feed.head()
    print_json({"timeline": head.timeline, "position": head.position, "erased": erased})


def _put_back(settings: Settings, file: Path, *, force: bool) -> dict[str, object]:
    database = _require_sqlite(settings)
    if database.exists() and not force:
        raise CommandError(
            f"{database} is there already: give --force to move it aside.", Exit.CANNOT_CREATE
        )
    manifest = backups.checked(file)
    if _fingerprints(settings.data) != manifest.keys:
        raise CommandError(
            f"The keys in {settings.data} are not those of the copy: put the key files of its "
            "time there.",
            Exit.DENIED,
        )
    # All is done on a draft: a hub that started in between would go on with the old timeline.
    draft = database.with_name(database.name + ".part")
    backups.put_draft(file, manifest, draft)
    done = _renewed(replace(settings, database_url=f"sqlite:///{draft}"))
    backups.fold(draft)
    if database.exists():
        done["aside"] = str(backups.move_aside(settings.data, database))
    draft.rename(database)
    backups.sync(database.parent)
    return done


def _renewed(settings: Settings) -> dict[str, object]:
    environment = child_environment(settings, None)
    environment["BREAKWATER_DATABASE_URL"] = settings.database_url
    done = subprocess.run(  # noqa: S603  # our own program, never a shell
        [*ITSELF, "renew"], env=environment, stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode != 0:
        raise SystemExit(done.returncode if done.returncode > 0 else Exit.INTERNAL)
    found: dict[str, object] = json.loads(done.stdout)
    return found


def _require_sqlite(settings: Settings) -> Path:
    if settings.database_file is None:
        raise CommandError(
            "The database is PostgreSQL: use its own tools, as docs/operate/backup.md says.",
            Exit.USAGE,
        )
    return settings.database_file


def _fingerprints(data: Path) -> dict[str, str]:
    from hub.adapters.secrets import KeyFileError, fingerprints  # noqa: PLC0415  # loads numpy

    try:
        return fingerprints(data)
    except FileNotFoundError as error:
        raise CommandError(
            f"{error.filename} is missing: put the hub's key files there.", Exit.DENIED
        ) from error
    except KeyFileError as error:
        raise CommandError(str(error), Exit.DENIED) from error


def _copy_keys(data: Path, folder: Path) -> None:
    from hub.adapters.identities import FOLDER as EXCHANGE  # noqa: PLC0415 - brings TUF along

    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    exchange = (path for path in sorted((data / EXCHANGE).rglob("*")) if path.is_file())
    for path in [*sorted(data.glob("*.key")), data / "erasures.log", *exchange]:
        if path.exists():
            copy = folder / path.relative_to(data)
            copy.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # The mode goes along: a key stays readable by nobody else.
            shutil.copy2(path, copy)
            backups.sync(copy)
