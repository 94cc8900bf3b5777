"""The place of a key that `veo-mcp login` saved: one file of mode 0600, or the system's keyring where that keeps it.

Written by cli/login.py, read by every server and command, so that host and terminal find the same key. A
key is kept with the origin of its API and handed out for no other. Never logs, and no message holds any of a key.
"""

import contextlib
import json
import os
import stat
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

import platformdirs
from pydantic import SecretStr

__all__ = ["KeyPlace", "Saved", "SavedKeyUnusable"]

SERVICE = "veo-mcp"
KEYRING = "the system's keyring"


class SavedKeyUnusable(Exception):
    """The saved key cannot be read or written; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Saved:
    """A key, and where it lies in words."""

    key: SecretStr
    where: str


class KeyPlace:
    """The keys that one person saved, by the origin of their API.

    The file says of each origin where its key is, so that the keyring, which may ask for a password or wait for a bus,
    is touched only by those who chose it.
    """

    def __init__(self, file: Path | None = None) -> None:
        self.file = file or platformdirs.user_config_path("veo-mcp") / "credentials.json"

    def find(self, origin: str) -> Saved | None:
        """The key for this API, or None if none was saved. Raises SavedKeyUnusable."""
        kept = self._read().get(origin)
        if kept is None:
            return None
        if isinstance(kept, dict):
            note = cast("dict[str, Any]", kept)
            if isinstance(note.get("key"), str):
                return Saved(SecretStr(note["key"]), str(self.file))
            if note.get("keyring") is True:
                return self._from_keyring(origin)
        raise self._broken()

    def loose(self) -> bool:
        """Whether others on this machine may read the file."""
        try:
            return os.name == "posix" and bool(stat.S_IMODE(self.file.stat().st_mode) & 0o077)
        except OSError:
            return False

    def save(self, origin: str, key: SecretStr) -> str:
        """Keeps the key for this API; where it is now, in words. Raises SavedKeyUnusable."""
        kept = self._read()
        ring = _keyring()
        if ring is not None and _keeps(ring, origin, key.get_secret_value()):
            self._write({**kept, origin: {"keyring": True}})
            return KEYRING
        self._write({**kept, origin: {"key": key.get_secret_value()}})
        return str(self.file)

    def forget(self, origin: str) -> str | None:
        """Deletes the key for this API; where it was, or None if there was none. Raises SavedKeyUnusable."""
        kept = self._read()
        note = kept.pop(origin, None)
        if note is None:
            return None
        where = str(self.file)
        if isinstance(note, dict) and "keyring" in note:
            ring = _keyring()
            if ring is None:
                raise SavedKeyUnusable(
                    "The key is in the system's keyring, which this installation cannot open. Run `pip install "
                    "'veo-mcp[keyring]'` and log out again, or delete the entry “veo-mcp” with the system's own tool."
                )
            with contextlib.suppress(Exception):  # it is gone already: what was wanted
                ring.delete_password(SERVICE, origin)
            where = KEYRING
        if kept:
            self._write(kept)
        else:
            try:
                self.file.unlink(missing_ok=True)
            except OSError as error:
                raise self._unwritable(error) from None
        return where

    def _from_keyring(self, origin: str) -> Saved:
        ring = _keyring()
        value: str | None = None
        if ring is not None:
            with contextlib.suppress(Exception):  # each backend has errors of its own; all mean that there is no key
                value = ring.get_password(SERVICE, origin)
        if value is None:
            reason = "does not give it" if ring is not None else "cannot be opened without the extra `keyring`"
            raise SavedKeyUnusable(
                f"The key that `veo-mcp login` saved is in the system's keyring, which {reason}. Run `veo-mcp login` "
                "again, or set VEO_API_KEY."
            )
        return Saved(SecretStr(value), KEYRING)

    def _read(self) -> dict[str, Any]:
        try:
            kept = json.loads(self.file.read_text("utf-8"))
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise SavedKeyUnusable(
                f"The saved key in {self.file} cannot be read ({error.strerror}). Correct the file's permissions, or "
                "set VEO_API_KEY."
            ) from None
        except ValueError:
            raise self._broken() from None
        if not isinstance(kept, dict):
            raise self._broken()
        return cast("dict[str, Any]", kept)

    def _write(self, kept: dict[str, Any]) -> None:
        scratch: str | None = None
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            # mkstemp makes the file 0600 from the start: there is no moment in which others could read it.
            handle, scratch = tempfile.mkstemp(dir=self.file.parent, prefix=".credentials-")
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(kept, file, indent=2)
                file.flush()
                os.fsync(file.fileno())
            os.replace(scratch, self.file)
        except OSError as error:
            if scratch is not None:
                with contextlib.suppress(OSError):
                    os.unlink(scratch)
            raise self._unwritable(error) from None

    def _broken(self) -> SavedKeyUnusable:
        return SavedKeyUnusable(
            f"{self.file} is not as `veo-mcp login` wrote it. Delete it and log in again, or set VEO_API_KEY."
        )

    def _unwritable(self, error: OSError) -> SavedKeyUnusable:
        return SavedKeyUnusable(
            f"{self.file} cannot be written ({error.strerror}). Nothing was changed. Make its folder writable, or set "
            "VEO_API_KEY instead."
        )


def _keyring() -> Any:
    """The keyring library, if it is installed and has a place to keep things in; else None."""
    if find_spec("keyring") is None:
        return None
    import keyring
    from keyring.backends import fail, null

    return None if isinstance(keyring.get_keyring(), fail.Keyring | null.Keyring) else keyring


def _keeps(ring: Any, origin: str, key: str) -> bool:
    """Whether the keyring gives back what it was given: some take anything and keep nothing."""
    try:
        ring.set_password(SERVICE, origin, key)
        return ring.get_password(SERVICE, origin) == key
    except Exception:  # each backend has errors of its own; all mean that it does not keep it
        return False
