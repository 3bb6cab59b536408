# SPDX-License-Identifier: Apache-2.0
"""The places a hub needs on a machine: its folder, its address, its caches."""

import os
import platform
import re
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import matching
from hub.adapters.embedded import PrivateValkey
from hub.adapters.processes import (
    AddressTakenError,
    AddressUnusableError,
    FolderLock,
    LockedError,
    lock_folder,
    require_free,
)
from hub.cli.exits import CommandError, Exit, cannot_write
from hub.settings import Address, Settings


def hold_data(data: Path) -> FolderLock:
    """Make the data folder and hold it.

    Raises:
        CommandError: It cannot be written, or another process holds it.
    """
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        return lock_folder(data)
    except LockedError as error:
        raise CommandError(
            f"A hub already runs on {data}: stop it, or name another folder by BREAKWATER_DATA.",
            Exit.BUSY,
        ) from error
    except OSError as error:
        raise cannot_write(data, error) from error


def require_address(address: Address) -> None:
    """Make sure that the hub can listen where it should.

    Raises:
        CommandError: It cannot.
    """
    try:
        require_free(address.host, address.port)
    except (AddressTakenError, AddressUnusableError) as error:
        raise CommandError(
            f"{error} Stop it, or set BREAKWATER_LISTEN to another address.", Exit.UNAVAILABLE
        ) from error


def child_environment(settings: Settings, valkey: PrivateValkey | None) -> dict[str, str]:
    """What the processes of this hub find in their environment."""
    environment = {**os.environ, "BREAKWATER_DATA": str(settings.data)}
    environment.setdefault("NUMBA_CACHE_DIR", str(numba_folder(settings.data)))
    if valkey is not None:
        environment["REDIS_URL"] = valkey.url
    return environment


def numba_folder(data: Path) -> Path:
    """Where compiled kernels are kept: apart for each kind of processor, since folders travel.

    Apart for each version of their sources too: numba compiles a kernel anew when its own file
    changes, but not when a kernel that it calls does, and what it kept would then search wrongly.
    """
    name = platform.processor() or platform.machine()
    with suppress(OSError):
        text = Path("/proc/cpuinfo").read_text()
        found = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
        name = found[1] if found else name
    kind = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    return data / "numba" / f"{kind}-{kernels_version(Path(matching.__path__[0]))}"


def kernels_version(package: Path) -> str:
    """What tells the sources of compiled kernels from any others, by the folder of `matching`."""
    sources = sorted((package / "search").glob("*.py"))
    return sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:12]
