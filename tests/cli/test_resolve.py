"""`veo-mcp tasks resolve ID` without an option changes nothing, and says what to check and how to settle it."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import anyio
import pytest
from pydantic import SecretStr

from tests.support.entries import START, add, unfinished
from tests.support.stack import sandbox
from veo_mcp.api.client import VeoClient
from veo_mcp.cli.resolve import what_to_check
from veo_mcp.journal.entry import Status
from veo_mcp.journal.sqlite.store import SqliteJournal

LOST = replace(
    unfinished(1, api="https://api.example.com"),
    upstream_id=None,
    status=Status.UNKNOWN,
    charged="unknown",
    prompt="a boat at dawn",
    error_message="no answer came within 45 s",
)


def test_it_says_what_happened_what_to_check_and_both_ways() -> None:
    words = what_to_check(replace(LOST, evidence=40), START + 7200)
    assert "May have been charged 40 credits." in words
    assert "“a boat at dawn”" in words
    assert "sent 2 h ago (2027-01-15 08:00 UTC). No answer came within 45 s." in words
    assert "40 credits left the account just then" in words
    assert "the provider's website" in words
    assert "resolve vid_1 --task-id ID" in words
    assert "resolve vid_1 --not-charged" in words
    assert max(map(len, words.splitlines())) <= 120


def test_what_is_settled_already_needs_nothing() -> None:
    words = what_to_check(unfinished(1, api="https://api.example.com", status=Status.COMPLETED), START)
    assert words.startswith("Nothing to settle: task task-1 is completed.")


@pytest.mark.anyio
async def test_the_command_explains_and_changes_nothing_until_an_option_says_which(tmp_path: Path) -> None:
    async with sandbox(tmp_path / "sandbox") as url:
        environ = {
            **{name: value for name, value in os.environ.items() if not name.startswith("VEO_")},
            "VEO_API_KEY": "sk-a",
            "VEO_BASE_URL": url,
            "VEO_JOURNAL": str(tmp_path / "journal.db"),
        }
        async with SqliteJournal(tmp_path / "journal.db") as journal:
            await add(journal, replace(LOST, api=await identity(url)))

            async def run(*arguments: str) -> subprocess.CompletedProcess[bytes]:
                command = [sys.executable, "-m", "veo_mcp", "tasks", "resolve", "vid_1", *arguments]
                return await anyio.run_process(command, env=environ, check=False)

            explained = await run()
            assert explained.returncode == 2
            assert "Check first, at the sandbox's own page" in explained.stdout.decode()
            both = await run("--not-charged", "--task-id", "x")
            assert both.returncode == 2
            assert "Nothing was changed." in both.stderr.decode()
            kept = await journal.find("vid_1")
            assert kept is not None
            assert kept.status is Status.UNKNOWN
            settled = await run("--not-charged")
            assert settled.returncode == 0, settled.stderr
            kept = await journal.find("vid_1")
            assert kept is not None
            assert (kept.status, kept.charged) == (Status.REFUSED, "no")


async def identity(url: str) -> str:
    async with VeoClient(url, SecretStr("sk-a")) as client:
        return await client.identity()
