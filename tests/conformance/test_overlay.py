"""What holds about the conformance runs before they run: the lists of expected failures, and what the overlay adds."""

from collections.abc import Set as AbstractSet

import pytest
from mcp import Client

from tests.conformance.overlay import build
from tests.conformance.suite import REVISIONS, expected
from veo_mcp.server.backend import Backend
from veo_mcp.server.build import VeoServer, build_server
from veo_mcp.server.notifications import Announcer
from veo_mcp.settings import load

pytestmark = pytest.mark.anyio

MAX_EXPECTED = {"2025-11-25": 22, "2026-07-28": 34}
NOT_REQUIRED = {"test_simple_text", "test_error_handling", "test_streaming_elicitation", "test_logging_tool"}
"""Fixtures that the suite passes without: only on the overlay do its checks of them test anything."""


def plain() -> VeoServer:
    return build_server(Backend(), sandbox=True)


def overlay() -> VeoServer:
    return build(Backend(), Announcer(), load({}, transport="http", sandbox=True))


async def offered(server: VeoServer) -> AbstractSet[str]:
    async with Client(server, mode="legacy") as client:
        names = {tool.name for tool in (await client.list_tools()).tools}
        names |= {prompt.name for prompt in (await client.list_prompts()).prompts}
        names |= {resource.uri_template for resource in (await client.list_resource_templates()).resource_templates}
        capabilities = client.server_capabilities
        names |= {"logging/setLevel"} if capabilities and capabilities.logging is not None else set()
    return names | {str(resource.uri) for resource in await server.list_resources()}


@pytest.mark.parametrize("revision", REVISIONS)
def test_the_list_of_expected_failures_does_not_grow(revision: str) -> None:
    assert len(expected(revision)) <= MAX_EXPECTED[revision], (
        "A new failure is fixed, not listed; lower MAX_EXPECTED when lines are removed."
    )


@pytest.mark.parametrize("revision", REVISIONS)
async def test_a_failure_is_expected_only_for_a_fixture_that_the_overlay_has(revision: str) -> None:
    missed = set(expected(revision).values())
    assert missed | NOT_REQUIRED <= await offered(overlay())
    assert not (missed | NOT_REQUIRED) & await offered(plain())


async def test_the_overlay_adds_to_the_server_and_takes_nothing_away() -> None:
    assert await offered(plain()) < await offered(overlay())
