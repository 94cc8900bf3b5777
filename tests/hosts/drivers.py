"""Five real command-line hosts, each in a home of its own, with our server configured and a scripted model behind it.

Used by the host tests. A driver knows where its host keeps its entries, how it names our tools, how it is started
without a person, and where a request body holds the results of tools.
"""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import JsonValue

__all__ = ["HOSTS", "Host"]

Entry = Mapping[str, Any]
ResultsOf = Callable[[dict[str, Any]], list[str]]


@dataclass(frozen=True, slots=True)
class Host:
    """One host.

    Attributes:
        name: its name in the tests; also the program's name.
        tool: how it names one of our tools to its model.
        prepare: writes the configuration into a home folder; returns the environment it needs. Arguments: home, the
            server's entry (command, args, env; all but OpenCode take None too), the model's URL.
        command: the arguments that make the program answer one prompt.
        results: extracts the results of tools from a request body, as the model sees them.
    """

    name: str
    tool: Callable[[str], str]
    prepare: Callable[[Path, Any, str], dict[str, str]]
    command: tuple[str, ...]
    results: ResultsOf


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def _claude(home: Path, entry: Entry | None, model: str) -> dict[str, str]:
    if entry is not None:
        _write(home / "mcp.json", json.dumps({"mcpServers": {"veo": entry}}))
    return {
        "ANTHROPIC_BASE_URL": model,
        "ANTHROPIC_API_KEY": "sk-ant-fake",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    }


def _claude_results(body: dict[str, Any]) -> list[str]:
    blocks = [
        block
        for message in body.get("messages", [])
        if isinstance(message.get("content"), list)
        for block in message["content"]
    ]
    return [_text(block.get("content")) for block in blocks if block.get("type") == "tool_result"]


def _codex(home: Path, entry: Entry | None, model: str) -> dict[str, str]:
    server = ""
    if entry is not None:
        env = "".join(f"{name} = {json.dumps(value)}\n" for name, value in entry["env"].items())
        server = f"""
[mcp_servers.veo]
command = {json.dumps(entry["command"])}
args = {json.dumps(entry["args"])}
required = true

[mcp_servers.veo.env]
{env}"""
    _write(
        home / ".codex" / "config.toml",
        f"""model = "fake-model"
model_provider = "fake"
approval_policy = "never"
sandbox_mode = "danger-full-access"

[model_providers.fake]
name = "fake"
base_url = "{model}/v1"
wire_api = "responses"
request_max_retries = 0
{server}""",
    )
    return {"CODEX_HOME": str(home / ".codex"), "OPENAI_API_KEY": "fake"}


def _codex_results(body: dict[str, Any]) -> list[str]:
    items: list[str | dict[str, Any]] = body.get("input", [])
    return [
        _text(item.get("output"))
        for item in items
        if isinstance(item, dict) and item.get("type") == "function_call_output"
    ]


def _copilot(home: Path, entry: Entry | None, model: str) -> dict[str, str]:
    if entry is not None:
        server = {"type": "local", "tools": ["*"], **entry}
        _write(home / ".copilot" / "mcp-config.json", json.dumps({"mcpServers": {"veo": server}}))
    return {
        "COPILOT_OFFLINE": "true",
        "COPILOT_PROVIDER_TYPE": "openai",
        "COPILOT_PROVIDER_BASE_URL": f"{model}/v1",
        "COPILOT_PROVIDER_API_KEY": "x",
        "COPILOT_MODEL": "fake-model",
        "COPILOT_HOME": str(home / ".copilot"),
    }


def _chat_results(body: dict[str, Any]) -> list[str]:
    return [_text(message.get("content")) for message in body.get("messages", []) if message.get("role") == "tool"]


def _gemini(home: Path, entry: Entry | None, model: str) -> dict[str, str]:
    settings = {
        "mcpServers": {} if entry is None else {"veo": {**entry, "timeout": 60000}},
        "security": {"auth": {"selectedType": "gemini-api-key"}},
        "telemetry": {"enabled": False},
        "privacy": {"usageStatisticsEnabled": False},
    }
    _write(home / ".gemini" / "settings.json", json.dumps(settings))
    return {"GOOGLE_GEMINI_BASE_URL": model, "GEMINI_API_KEY": "fake", "GEMINI_CLI_TRUST_WORKSPACE": "true"}


def _gemini_results(body: dict[str, Any]) -> list[str]:
    parts = [part for content in body.get("contents", []) for part in content.get("parts", [])]
    return [json.dumps(part["functionResponse"]["response"]) for part in parts if "functionResponse" in part]


def _opencode(home: Path, entry: Entry, model: str) -> dict[str, str]:
    config = {
        "$schema": "https://opencode.ai/config.json",
        "model": "fake/fake-model",
        "small_model": "fake/fake-model",
        "autoupdate": False,
        "share": "disabled",
        "permission": {"*": "allow"},
        "provider": {
            "fake": {
                "npm": "@ai-sdk/openai-compatible",
                "options": {"baseURL": f"{model}/v1", "apiKey": "x"},
                "models": {"fake-model": {"name": "fake", "tool_call": True}},
            }
        },
        "mcp": {
            "veo": {
                "type": "local",
                "command": [entry["command"], *entry["args"]],
                "environment": entry["env"],
                "enabled": True,
                "timeout": 60000,
            }
        },
    }
    _write(home / ".config" / "opencode" / "opencode.json", json.dumps(config))
    return {"OPENCODE_DISABLE_AUTOUPDATE": "1", "OPENCODE_DISABLE_MODELS_FETCH": "1"}


def _text(content: JsonValue) -> str:
    """The text of a result: a string, or blocks of text."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "\n".join(_text(block.get("text", "")) if isinstance(block, dict) else str(block) for block in content)
    return json.dumps(content)


HOSTS = (
    Host(
        "claude",
        lambda tool: f"mcp__veo__{tool}",
        _claude,
        (
            "-p",
            "make a video",
            "--mcp-config",
            "mcp.json",
            "--strict-mcp-config",
            "--allowedTools",
            "mcp__veo",
            "--output-format",
            "json",
        ),
        _claude_results,
    ),
    Host(
        "codex",
        lambda tool: f"{tool}@mcp__veo",
        _codex,
        ("exec", "--skip-git-repo-check", "make a video"),
        _codex_results,
    ),
    Host(
        "copilot",
        lambda tool: f"veo-{tool}",
        _copilot,
        ("-p", "make a video", "--allow-all-tools"),
        _chat_results,
    ),
    Host(
        "gemini",
        lambda tool: f"mcp_veo_{tool}",
        _gemini,
        ("-m", "gemini-2.5-flash", "-p", "make a video", "--yolo"),
        _gemini_results,
    ),
    Host("opencode", lambda tool: f"veo_{tool}", _opencode, ("run", "make a video"), _chat_results),
)


def environment(programs: Path, home: Path, extra: Mapping[str, str]) -> dict[str, str]:
    """What a host is started with: its own home, the programs of the tests, and nothing of the person's."""
    return {
        "PATH": f"{programs}{os.pathsep}/usr/bin{os.pathsep}/bin",
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "XDG_DATA_HOME": str(home / ".local" / "share"),
        "XDG_STATE_HOME": str(home / ".local" / "state"),
        "XDG_CACHE_HOME": str(home / ".cache"),
        "TERM": "dumb",
        "CI": "true",
        "NO_COLOR": "1",
        **extra,
    }
