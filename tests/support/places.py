"""The folders in which a person's settings, journal and videos lie, moved elsewhere on every system.

Used by conftest.py for the whole suite, and by whoever starts the program in a home of its own.
"""

from pathlib import Path

__all__ = ["places"]


def places(home: Path) -> dict[str, str]:
    """The variables that move them below this folder; platformdirs reads the first on Linux and macOS."""
    return {
        "XDG_CONFIG_HOME": str(home / ".config"),
        "XDG_STATE_HOME": str(home / ".local" / "state"),
        "XDG_DATA_HOME": str(home / ".local" / "share"),
        "WIN_PD_OVERRIDE_APPDATA": str(home / "Roaming"),
        "WIN_PD_OVERRIDE_LOCAL_APPDATA": str(home / "Local"),
        # A keyring belongs to the person, not to a folder.
        "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
    }
