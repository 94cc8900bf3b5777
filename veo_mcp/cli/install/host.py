"""What is known of one MCP host: where its entries lie, in which form, and which command of its own adds one.

The other files of this folder describe their hosts with it; command.py acts on it. Pure, apart from looking whether
something is there.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

__all__ = ["CannotInstall", "Editor", "Host", "Own", "Shape", "System"]

NAME = "veo"
"""What our entry is called in every host."""


class CannotInstall(Exception):
    """The entry could not be written; the message says why and what to do, and nothing was changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """The machine as far as the places of files hang on it.

    Attributes:
        platform: as sys.platform says it.
        home: the person's folder.
        folder: the current one, for entries of a workspace.
        environ: the environment.
        which: finds a program on the PATH.
    """

    platform: str
    home: Path
    folder: Path
    environ: Mapping[str, str]
    which: Callable[[str], str | None]

    def config(self) -> Path:
        """Where programs keep their settings on Linux."""
        named = self.environ.get("XDG_CONFIG_HOME", "")
        return Path(named) if named.startswith("/") else self.home / ".config"

    def app_data(self) -> Path:
        """Where programs keep their settings: one place a system."""
        if self.platform == "darwin":
            return self.home / "Library" / "Application Support"
        return self.roaming() if self.platform == "win32" else self.config()

    def roaming(self) -> Path:
        """%APPDATA%."""
        named = self.environ.get("APPDATA")
        return Path(named) if named else self.home / "AppData" / "Roaming"

    def local(self) -> Path:
        """%LOCALAPPDATA%."""
        named = self.environ.get("LOCALAPPDATA")
        return Path(named) if named else self.home / "AppData" / "Local"

    def named(self, variable: str, *default: str) -> Path:
        """A folder that a variable may name; else below the person's own."""
        value = self.environ.get(variable)
        return Path(value) if value else self.home.joinpath(*default)


class Editor(Protocol):
    """Changes one place of a text and leaves every other byte alone. All of it raises CannotInstall."""

    def parse(self, text: str) -> dict[str, Any]:
        """What the text says."""
        ...

    def put(self, text: str, path: Sequence[str], value: Any) -> str:
        """The text with this value at that place, whose parents are made if need be."""
        ...

    def drop(self, text: str, path: Sequence[str]) -> str:
        """The text without that place."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The form of an entry.

    Attributes:
        program: the key of the program; of the whole line where `arguments` is None.
        arguments: the key of its arguments.
        env: the key of the environment.
        fixed: what a new entry holds besides.
        time_outs: what is added where it is absent, because the host's own value is too short for us.
    """

    program: str = "command"
    arguments: str | None = "args"
    env: str = "env"
    fixed: Mapping[str, Any] = field(default_factory=dict[str, Any])
    time_outs: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def launcher(self, line: Sequence[str]) -> dict[str, Any]:
        """The keys that start this line."""
        if self.arguments is None:
            return {self.program: list(line)}
        return {self.program: line[0], self.arguments: list(line[1:])}

    def line_of(self, entry: Mapping[str, Any]) -> list[str]:
        """The line that an entry starts; empty if it starts none."""
        program: Any = entry.get(self.program)
        rest: Any = entry.get(self.arguments, []) if self.arguments is not None else []
        words: list[Any] = [*(program if isinstance(program, list) else [program]), *(rest or [])]  # pyright: ignore[reportUnknownVariableType]
        return words if all(isinstance(word, str) for word in words) else []

    def entry(self, line: Sequence[str]) -> dict[str, Any]:
        """A new entry."""
        return {**self.fixed, **self.launcher(line), **self.time_outs}


def _line_after_dashes(line: Sequence[str], _entry: Mapping[str, Any]) -> tuple[list[str], str]:
    """The form that most hosts took over from each other: `mcp add NAME -- LINE`."""
    return ["mcp", "add", NAME, "--", *line], ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """The host's own command.

    Attributes:
        program: its name on the PATH.
        add: its arguments and what it reads from stdin, by our line and our entry. No argument ever holds a key.
        remove: its arguments.
    """

    program: str
    add: Callable[[Sequence[str], Mapping[str, Any]], tuple[list[str], str]] = _line_after_dashes
    remove: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """One host.

    Attributes:
        name: how it is called on our command line.
        title: how people call it.
        editor: for its files.
        section: where in the file the entries stand.
        shape: of an entry.
        files: where the file may lie; the first one that exists is meant, else the first.
        workspace: the file in a project's folder, if it reads one.
        own: its own command, if that can be run unattended.
        programs: what on the PATH shows that it is installed.
        next: how the person goes on.
    """

    name: str
    title: str
    editor: Editor
    section: tuple[str, ...]
    shape: Shape
    files: Callable[[System], Sequence[Path]]
    workspace: tuple[str, ...] | None = None
    own: Own | None = None
    programs: tuple[str, ...] = ()
    next: str

    @property
    def place(self) -> tuple[str, ...]:
        """Where in the file our entry stands."""
        return (*self.section, NAME)

    def file(self, system: System, *, workspace: bool = False) -> Path:
        """The file that it reads. Raises CannotInstall."""
        if workspace:
            if self.workspace is None:
                raise CannotInstall(f"{self.title} reads no file of a project; leave out --workspace.")
            return system.folder.joinpath(*self.workspace)
        candidates = self.files(system)
        return next((path for path in candidates if path.exists()), candidates[0])

    def is_here(self, system: System) -> bool:
        """Whether it seems to be installed."""
        if any(system.which(program) for program in self.programs):
            return True
        return any(
            path.exists() or (path.parent != system.home and path.parent.exists()) for path in self.files(system)
        )
