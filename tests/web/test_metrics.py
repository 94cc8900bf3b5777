"""`/metrics` and the log of a real run: every figure an operator needs, and no word of a client's."""

import json
import re
from pathlib import Path

import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from prometheus_client.parser import text_string_to_metric_families
from pydantic import JsonValue

from tests.support.access import ANNA, bearer, token_line
from tests.support.child import http_child
from tests.support.results import structured

pytestmark = pytest.mark.anyio

DASHBOARD = Path(__file__).parents[2] / "docs" / "grafana" / "veo-mcp.json"
SECRETS = ("canary prompt", ANNA, "anna", "canary-tool", "canary/method", "sk-sandbox")


async def test_a_scrape_has_what_the_dashboard_shows_and_nothing_of_a_clients(tmp_path: Path) -> None:
    (tmp_path / "tokens").write_text(token_line("anna", ANNA))
    given = {"VEO_ACCESS_TOKENS": str(tmp_path / "tokens"), "VEO_LOG_FORMAT": "json"}
    async with http_child(tmp_path, **given) as child, httpx2.AsyncClient(headers=bearer(ANNA), timeout=30) as http:
        async with Client(streamable_http_client(child.url + "/mcp", http_client=http)) as client:
            made = await client.call_tool("create_video", {"prompt": "[sandbox:fail] canary prompt"})
            task_id = structured(made)["task_id"]
            await client.call_tool("get_task", {"task_id": task_id, "wait_seconds": 20})
            await client.call_tool("get_task", {"task_id": "nobody"})
            await client.call_tool("canary-tool", {})
        body = {"jsonrpc": "2.0", "id": 1, "method": "canary/method"}
        await http.post(child.url + "/mcp", json=body, headers={"MCP-Protocol-Version": "2026-07-28"})
        await http.post(child.url + "/callbacks/x.0", json={})
        async with httpx2.AsyncClient() as stranger:
            assert (await stranger.get(child.url + "/metrics")).status_code == 401
        scrape = (await http.get(child.url + "/metrics")).text
        samples = {sample.name for family in text_string_to_metric_families(scrape) for sample in family.samples}
        asked = re.findall(r"\b(?:veo|mcp)_[a-z0-9_]+", " ".join(expressions(json.loads(DASHBOARD.read_text()))))
        labels = {"mcp_method_name", "mcp_protocol_version"}
        assert asked
        assert set(asked) - labels <= samples
        for secret in (*SECRETS, task_id):
            assert secret not in scrape, secret
        for line in (
            'gen_ai_tool_name="create_video"',
            'error_type="tool_error"',
            'veo_upstream_request_duration_seconds_count{operation="create",outcome="200"} 1.0',
            'veo_callbacks_total{result="forged"} 1.0',
            'veo_task_changes_total{status="failed"} 1.0',
            "veo_ready 1.0",
        ):
            assert line in scrape, line
        for row in child.err.splitlines():
            assert json.loads(row).keys() & {"message", "audit"}
        assert "canary prompt" not in child.err
        assert ANNA not in child.err


def expressions(found: JsonValue) -> list[str]:
    """Every `expr` in a dashboard."""
    if isinstance(found, list):
        return [text for one in found for text in expressions(one)]
    if isinstance(found, dict):
        expression = found.get("expr")
        own = [expression] if isinstance(expression, str) else []
        return own + [text for one in found.values() for text in expressions(one)]
    return []


async def test_without_tokens_a_loopback_server_may_be_scraped(tmp_path: Path) -> None:
    async with http_child(tmp_path) as child, httpx2.AsyncClient() as http:
        assert "veo_build_info" in (await http.get(child.url + "/metrics")).text
        assert (await http.get(child.url + "/metrics", headers={"Host": "evil.example"})).status_code == 421
