"""Every knob of veo-mcp: an environment variable `VEO_*` and, except for secrets, a flag; one table, `KNOBS`.

Called by the command line, which passes flags as overrides. Reads the environment when asked, never at import, and
never raises: a wrong value becomes a message. `problems` are those that money or safety hangs on: the tools then answer
with them, because a stdio server that exits shows its host only "disconnected". `warnings` are the others: the default
is taken.
"""

import difflib
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import platformdirs
from pydantic import SecretStr

from veo_mcp import setting_values as parse
from veo_mcp.saved_key import KeyPlace, SavedKeyUnusable
from veo_mcp.text import masked

__all__ = ["KNOBS", "REAL_API", "Knob", "Settings", "load"]

REAL_API = "https://api.aivideoapi.ai"
VIDEO_HOST = "https://file.aivideoapi.ai"
SANDBOX_KEY = "sk-sandbox"
Parse = Callable[[str, Path | None], Any]


@dataclass(frozen=True, slots=True)
class Knob:
    """One setting.

    Attributes:
        name: its attribute in Settings; the variable is VEO_ and this in capitals, the flag -- and this with hyphens.
        parse: from text and the folder that relative paths count from (None: they are refused) to the value.
        help: what it means, for docs and --help.
        default: its default in words.
        serious: whether money or safety hangs on it: a wrong value then stops the tools instead of being ignored.
        secret: whether it has no flag and is never shown whole.
    """

    name: str
    parse: Parse
    help: str
    default: str
    serious: bool = True
    secret: bool = False

    @property
    def variable(self) -> str:
        """The environment variable."""
        return f"VEO_{self.name.upper()}"

    @property
    def flag(self) -> str:
        """The flag of the command line."""
        return f"--{self.name.replace('_', '-')}"


def _plain(parser: Callable[[str], Any]) -> Parse:
    return lambda text, _folder: parser(text)


def _file(text: str, folder: Path | None) -> Path:
    return parse.path(text, relative_to=folder)


KNOBS: tuple[Knob, ...] = (
    Knob(
        "api_key",
        _plain(parse.key),
        "the provider's key, sk-…; AIVIDEOAPI_API_KEY is read too",
        "what `veo-mcp login` saved for this API; else the embedded sandbox, unless VEO_BASE_URL is set",
        secret=True,
    ),
    Knob("base_url", _plain(parse.web_url), "the API", REAL_API),
    Knob("sandbox", _plain(parse.switch), "use the sandbox, whatever key is set", "false"),
    Knob(
        "video_hosts",
        _plain(parse.origins),
        "origins the card may play videos from, separated by commas",
        f"{VIDEO_HOST}, and the sandbox's own",
    ),
    Knob(
        "journal",
        lambda text, folder: parse.store(text, relative_to=folder),
        "what remembers requests and outcomes: a file, or postgresql://… for servers on several machines",
        "journal.db in the user's state folder",
    ),
    Knob("sandbox_dir", _file, "where the sandbox keeps its ledger and videos", "sandbox/ in the user's data folder"),
    Knob(
        "sandbox_seconds",
        _plain(parse.number(0, 3600)),
        "how long a sandbox generation takes at least",
        "6",
        serious=False,
    ),
    Knob(
        "public_url",
        _plain(parse.base_path_url),
        "the URL under which the API can reach this server; turns callbacks on (HTTP only)",
        "none",
    ),
    Knob("read_only", _plain(parse.switch), "hide the tools that spend", "false"),
    Knob("max_credits", _plain(parse.whole(0)), "credits that may be spent in any 24 h", "none"),
    Knob("max_credits_each", _plain(parse.whole(0)), "credits that each principal may spend in any 24 h", "none"),
    Knob("limits", _file, "file of name: credits lines that say otherwise for some principals", "none"),
    Knob("confirm_above", _plain(parse.whole(0)), "ask the person before a call costs more credits than this", "100"),
    Knob(
        "repeat_seconds",
        _plain(parse.number(0, 7 * 86400)),
        "how long an identical call is answered with the first one",
        "600",
    ),
    Knob(
        "save_dir",
        _file,
        "finished videos that were begun while this is set are saved in this folder by the server itself",
        "none",
    ),
    Knob(
        "image_dirs",
        lambda text, folder: parse.folders(text, relative_to=folder),
        "folders, separated as PATH is, whose pictures may be named by path in image_urls; needs VEO_UPLOADS",
        "none",
    ),
    Knob(
        "uploads",
        _plain(parse.bucket),
        "the bucket, s3://bucket/prefix, that hands these pictures to the API (extra `uploads`); needs VEO_IMAGE_DIRS",
        "none",
    ),
    Knob("max_video_mb", _plain(parse.whole(1, 1_000_000)), "the largest video that is fetched, in MB", "2000"),
    Knob(
        "transport",
        _plain(parse.choice("stdio", "http", "sse", streamable_http="http", streamablehttp="http")),
        "stdio, http (streamable HTTP and SSE on one port) or sse",
        "stdio",
    ),
    Knob("host", _plain(parse.host_name), "where http listens", "127.0.0.1"),
    Knob("port", _plain(parse.whole(0, parse.PORTS)), "the port of http", "8000"),
    Knob(
        "access_tokens",
        _file,
        "file of name:sha256:HEX lines that may use the HTTP server; `veo-mcp token add NAME` adds one",
        "none",
    ),
    Knob("oauth_issuer", _plain(parse.issuer), "accept this issuer's JWTs over HTTP", "none"),
    Knob("oauth_audience", _plain(parse.word), "the audience that these JWTs must be meant for", "none"),
    Knob(
        "caller_keys",
        _plain(parse.switch),
        "each caller over HTTP brings their own provider key in X-Veo-Api-Key, and pays with it",
        "false",
    ),
    Knob("allowed_hosts", _plain(parse.hosts), "further names the HTTP server may be asked under", "loopback only"),
    Knob("allowed_origins", _plain(parse.exact_origins), "further origins whose web pages may use it", "loopback only"),
    Knob(
        "trusted_proxies",
        _plain(parse.networks),
        "addresses and networks of proxies whose X-Forwarded-* headers count",
        "none",
    ),
    Knob(
        "http_stateless",
        _plain(parse.switch),
        "no sessions over HTTP: any replica answers any call; what cannot be asked is a quote",
        "false",
    ),
    Knob("rate_limit", _plain(parse.whole(1, 1_000_000)), "calls a minute per principal over HTTP", "600"),
    Knob("max_sessions", _plain(parse.whole(1, 100_000)), "sessions over HTTP in all", "1000"),
    Knob(
        "log_level",
        _plain(parse.choice("DEBUG", "INFO", "WARNING", "ERROR", warn="WARNING", critical="ERROR")),
        "DEBUG, INFO, WARNING or ERROR, to stderr",
        "INFO",
        serious=False,
    ),
    Knob("log_format", _plain(parse.choice("text", "json")), "text or json", "text", serious=False),
)
_BY_NAME = {knob.name: knob for knob in KNOBS}
_DECIDES = frozenset({"api_key", "base_url", "sandbox"})
"""What decides whose key is used where: with one of them wrong, no saved key is taken instead."""
HTTP_ONLY = frozenset(
    {
        *("port", "host", "public_url", "access_tokens", "allowed_hosts", "allowed_origins", "trusted_proxies"),
        *("rate_limit", "max_sessions", "oauth_issuer", "oauth_audience", "http_stateless"),
        "caller_keys",
    }
)
"""What stdio does not use: a wrong value there is only warned about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of one process; see KNOBS for what each means.

    Attributes:
        problems: a message for each value that money or safety hangs on and that is not usable.
        warnings: a message for each other value that was ignored.
        sources: where each value came from: "flag --x", "VEO_X", or "default".
    """

    api_key: SecretStr | None = None
    base_url: str | None = None
    sandbox: bool = False
    video_hosts: tuple[str, ...] = (VIDEO_HOST,)
    journal: str | parse.PostgresAddress = field(
        default_factory=lambda: str(platformdirs.user_state_path("veo-mcp") / "journal.db")
    )
    sandbox_dir: Path = field(default_factory=lambda: platformdirs.user_data_path("veo-mcp") / "sandbox")
    sandbox_seconds: float = 6.0
    public_url: str | None = None
    read_only: bool = False
    max_credits: int | None = None
    max_credits_each: int | None = None
    limits: Path | None = None
    confirm_above: int = 100
    repeat_seconds: float = 600.0
    save_dir: Path | None = None
    image_dirs: tuple[Path, ...] = ()
    uploads: str | None = None
    max_video_mb: int = 2000
    transport: str = "stdio"
    host: str = "127.0.0.1"
    port: int = 8000
    access_tokens: Path | None = None
    oauth_issuer: str | None = None
    oauth_audience: str | None = None
    caller_keys: bool = False
    allowed_hosts: tuple[str, ...] = ()
    allowed_origins: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()
    http_stateless: bool = False
    rate_limit: int = 600
    max_sessions: int = 1000
    log_level: str = "INFO"
    log_format: str = "text"
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    sources: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def embedded(self) -> bool:
        """Whether this process uses its own sandbox."""
        return self.sandbox or (self.api_key is None and self.base_url is None and not self.callers_pay)

    @property
    def callers_pay(self) -> bool:
        """Whether callers bring their own keys; over stdio there is one person and one key."""
        return self.caller_keys and self.transport != "stdio"

    @property
    def asks(self) -> bool:
        """Whether the HTTP server asks its callers who they are."""
        return self.access_tokens is not None or self.oauth_issuer is not None or self.callers_pay

    def shown(self, name: str) -> str:
        """The value in force, as a person may see it: the key by its last four characters."""
        value = getattr(self, name)
        if value is None:
            return "not set"
        if isinstance(value, SecretStr):
            return masked(value.get_secret_value())
        if isinstance(value, tuple):
            return ", ".join(map(str, value)) or "not set"  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
        return str(value).lower() if isinstance(value, bool) else str(value)


def load(environ: Mapping[str, str] = os.environ, *, saved: KeyPlace | None = None, **flags: Any) -> Settings:
    """Settings from flags over environment over defaults. Never raises; see `problems` and `warnings`.

    `saved` is where `veo-mcp login` keeps keys; None: there are none, so that a caller who forgets it gets the sandbox,
    not a key that costs money.
    """
    reading = _Reading()
    for knob in KNOBS:
        flag = flags.get(knob.name)
        if flag is not None:
            text = str(flag).lower() if isinstance(flag, bool) else str(flag)
            reading.take(knob, knob.flag, text, Path.cwd())
            continue
        variable = _variable(knob, environ)
        if variable is not None:
            reading.take(knob, variable, environ[variable], None)
    reading.warnings += _unknown(environ)
    if saved is not None:
        reading.take_saved(saved)
    return _validated(reading)


class _Reading:
    """What was read so far."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.sources: dict[str, str] = {}
        self.problems: dict[str, str] = {}
        self.warnings: list[str] = []

    def take(self, knob: Knob, place: str, raw: str, folder: Path | None) -> None:
        text = raw.strip()
        if not text:
            return
        if re.fullmatch(r"\$\{[^}]*\}|\$\([^)]*\)|%[A-Za-z_]+%", text):
            self.warnings.append(f"{place} is still “{text[:60]}”: its host did not fill it in. It counts as not set.")
            return
        try:
            self.values[knob.name] = knob.parse(text, folder)
        except ValueError as fault:
            words = str(fault)
            said = f"{place} {words}." if knob.secret else f"{place} is not usable: it {words}."
            self.problems[knob.name] = said
        else:
            self.sources[knob.name] = place if folder is None else f"flag {place}"

    def take_saved(self, place: KeyPlace) -> None:
        """The key that was saved for the API in use, unless one was given, even a wrong one, or none is needed."""
        if self.values.get("sandbox") or "api_key" in self.values or _DECIDES & self.problems.keys():
            return
        try:
            found = place.find(self.values.get("base_url", REAL_API))
        except SavedKeyUnusable as fault:
            self.problems["api_key"] = str(fault)
            return
        if found is not None:
            self.values["api_key"] = found.key
            self.sources["api_key"] = f"saved by `veo-mcp login` in {found.where}"
            if found.where == str(place.file) and place.loose():
                self.warnings.append(f"Others on this machine can read your key. Run: chmod 600 '{place.file}'")


def _validated(reading: _Reading) -> Settings:
    values = reading.values
    serious: list[str] = []
    warnings = reading.warnings
    stdio = values.get("transport", "stdio") == "stdio" and "transport" not in reading.problems
    for name, message in reading.problems.items():
        if not _BY_NAME[name].serious or (stdio and name in HTTP_ONLY):
            warnings.append(f"{message} The default is used.")
        elif name == "api_key" and values.get("sandbox"):
            warnings.append(f"{message} The sandbox needs none.")
        else:
            serious.append(message)
    settings = Settings(**values, sources=reading.sources)
    keyless = settings.api_key is None and not settings.callers_pay
    if settings.base_url is not None and not settings.sandbox and keyless and not serious:
        # No key of ours is sent to an API that was named by hand: not even the sandbox's.
        serious.append(
            "VEO_BASE_URL is set, but no key for that API. Set VEO_API_KEY to the key that it wants, or leave both out "
            "to use the sandbox."
        )
    if settings.base_url is not None and settings.base_url.startswith("http://") and not _local(settings.base_url):
        warnings.append("VEO_BASE_URL begins with http://, so the key travels unencrypted. Use https:// if you can.")
    if settings.public_url and stdio:
        warnings.append("VEO_PUBLIC_URL is ignored with stdio: nothing listens for callbacks.")
    if (settings.oauth_issuer is None) is not (settings.oauth_audience is None) and not serious:
        serious.append("VEO_OAUTH_ISSUER and VEO_OAUTH_AUDIENCE are set together or not at all.")
    if settings.oauth_issuer is not None and settings.access_tokens is not None:
        # One name could mean two people.
        serious.append(
            "Set VEO_ACCESS_TOKENS or VEO_OAUTH_ISSUER, not both: tasks belong to a token's name or subject."
        )
    if (
        bool(settings.image_dirs) is not bool(settings.uploads)
        and not {"image_dirs", "uploads"} & reading.problems.keys()
    ):
        alone, other = ("IMAGE_DIRS", "UPLOADS") if settings.image_dirs else ("UPLOADS", "IMAGE_DIRS")
        warnings.append(f"VEO_{alone} changes nothing without VEO_{other}: pictures are not handed over.")
    if settings.callers_pay and (settings.access_tokens is not None or settings.oauth_issuer is not None):
        serious.append("Set VEO_CALLER_KEYS or another way in, not both: tasks then belong to the caller's key.")
    if settings.callers_pay and settings.api_key is not None:
        warnings.append("VEO_API_KEY is not used: with VEO_CALLER_KEYS each caller brings their own key.")
    if settings.sandbox and settings.api_key is not None:
        warnings.append("The sandbox is used although a key is set (--sandbox, VEO_SANDBOX).")
    return replace(settings, problems=tuple(serious), warnings=tuple(warnings))


def _variable(knob: Knob, environ: Mapping[str, str]) -> str | None:
    names = [knob.variable, "AIVIDEOAPI_API_KEY"] if knob.name == "api_key" else [knob.variable]
    return next((name for name in names if environ.get(name, "").strip()), None)


def _unknown(environ: Mapping[str, str]) -> list[str]:
    known = [knob.variable for knob in KNOBS]
    odd = sorted(name for name in environ if name.upper().startswith("VEO_") and name not in known)
    return [_advice(name, difflib.get_close_matches(name.upper(), known, 1)) for name in odd]


def _advice(name: str, near: list[str]) -> str:
    hint = f" Did you mean {near[0]}?" if near else " `veo-mcp check` lists the settings."
    return f"{name} is not a setting of veo-mcp and changes nothing.{hint}"


def _local(url: str) -> bool:
    return bool(re.match(r"http://(127\.|localhost[:/]|localhost$|\[::1\])", url))
