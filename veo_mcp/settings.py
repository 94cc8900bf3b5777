"""Every knob of veo-mcp: an environment variable `VEO_*` and, secrets aside, a flag.

Called by the command line, which passes flags as overrides. Reads the environment when asked, never at import, and
never raises: a wrong setting becomes a sentence in `problems`, because a stdio server that exits shows its host only
"disconnected".
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import platformdirs
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError

from veo_mcp.validation import requirement

__all__ = ["Settings", "load"]

REAL_API = "https://api.aivideoapi.ai"


def _listed(value: object) -> object:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def _origins(values: tuple[str, ...]) -> tuple[str, ...]:
    # They end up in a content security policy, where a stray space or semicolon would open another door.
    for value in values:
        if not re.fullmatch(r"https?://(\*\.)?[A-Za-z0-9.-]+(:\d{1,5})?", value):
            raise ValueError(f"has “{value[:60]}”, which is not an origin such as https://file.example.com")
    return values


Origins = Annotated[tuple[str, ...], BeforeValidator(_listed), AfterValidator(_origins)]


class Settings(BaseModel):
    """The settings of one process; `problems` holds a sentence for each value that had to be left aside."""

    model_config = ConfigDict(frozen=True)

    api_key: SecretStr | None = None
    base_url: str | None = Field(None, pattern=r"^https?://[^\s/@]+")
    sandbox: bool = False
    video_hosts: Origins = ("https://file.aivideoapi.ai",)
    journal: str = Field(default_factory=lambda: str(platformdirs.user_state_path("veo-mcp") / "journal.db"))
    sandbox_dir: Path = Field(default_factory=lambda: platformdirs.user_data_path("veo-mcp") / "sandbox")
    sandbox_seconds: float = Field(6.0, ge=0, le=3600)
    public_url: str | None = Field(None, pattern=r"^https?://[^\s/@]+")
    read_only: bool = False
    max_credits: int | None = Field(None, ge=0)
    confirm_above: int = Field(100, ge=0)
    transport: Literal["stdio", "http", "sse"] = "stdio"
    host: str = "127.0.0.1"
    port: int = Field(8000, ge=0, le=65535)
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["text", "json"] = "text"
    problems: tuple[str, ...] = ()

    @property
    def embedded(self) -> bool:
        """Whether this process uses the sandbox that it brings along."""
        return self.sandbox or (self.api_key is None and self.base_url is None)


def load(environ: Mapping[str, str] = os.environ, **flags: Any) -> Settings:
    """Settings from flags over environment over defaults. Never raises; see `Settings.problems`."""
    values: dict[str, Any] = {}
    for name in Settings.model_fields:
        raw = environ.get(f"VEO_{name.upper()}")
        if raw not in (None, ""):
            values[name] = raw
    if "api_key" not in values and environ.get("AIVIDEOAPI_API_KEY"):
        values["api_key"] = environ["AIVIDEOAPI_API_KEY"]
    values.pop("problems", None)
    values.pop("sandbox", None)
    values.update({name: value for name, value in flags.items() if value is not None})
    problems: list[str] = []
    while True:
        try:
            settings = Settings(**values, problems=tuple(problems))
            break
        except ValidationError as error:
            for fault in error.errors():
                name = str(fault["loc"][0])
                values.pop(name, None)
                place = f"--{name.replace('_', '-')}" if flags.get(name) is not None else f"VEO_{name.upper()}"
                problems.append(f"{place} is not usable: it {requirement(fault)}.")
    key = settings.api_key
    if key is not None and not settings.sandbox and not key.get_secret_value().startswith("sk-"):
        problems.append("VEO_API_KEY does not start with sk-, so the API would refuse it. Put in the key as issued.")
    return settings.model_copy(update={"problems": tuple(problems)})
