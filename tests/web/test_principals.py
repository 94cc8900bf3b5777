"""Two people at every door, by every way in: what is one person's, the other neither sees nor hears of.

Messages are written by hand, so that whatever comes back is looked at as it is. A door where the owner is answered like
a stranger would prove nothing: each is asked by both.
"""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from mcp.server.apps import APP_MIME_TYPE, EXTENSION_ID

from tests.server.test_slow_listeners import ACCEPT, ENVELOPE, listening, request
from tests.support.access import ANNA, BEN, bearer, guarded
from tests.support.entries import START, whole
from tests.support.late_api import late_api
from tests.support.site import Site, site
from tests.support.tasks_extension import TASKS
from tests.web.test_oauth import AUDIENCE, issuing
from veo_mcp.journal.entry import Change, Entry, Status
from veo_mcp.journal.sqlite.store import SqliteJournal
from veo_mcp.server.backend import Backend
from veo_mcp.settings import load
from veo_mcp.web.access import Access, access_from
from veo_mcp.web.auth import Authenticator
from veo_mcp.web.caller_keys import HEADER, CallerKeyMethod

pytestmark = pytest.mark.anyio

PROMPT = "anna's secret boat"
VIDEO = "https://file.example/annas-film.mp4"
FILE = "/films/annas-film-on-disk.mp4"
EXTENSIONS = {TASKS: {}, EXTENSION_ID: {"mimeTypes": [APP_MIME_TYPE]}}
META = {**ENVELOPE, "io.modelcontextprotocol/clientCapabilities": {"extensions": EXTENSIONS}}


@dataclass
class House:
    """A server, and what the two of them prove themselves with."""

    env: Site
    anna: Mapping[str, str]
    ben: Mapping[str, str]


@asynccontextmanager
async def by_tokens(folder: Path) -> AsyncGenerator[House]:
    async with late_api() as api, site(folder, access=guarded(folder), api=api.base_url) as env:
        yield House(env, bearer(ANNA), bearer(BEN))


@asynccontextmanager
async def by_oauth(folder: Path) -> AsyncGenerator[House]:
    async with late_api() as api, issuing() as issuer:
        given = {"VEO_TRANSPORT": "http", "VEO_OAUTH_ISSUER": issuer.url, "VEO_OAUTH_AUDIENCE": AUDIENCE}
        async with site(folder, access=access_from(load(given)), api=api.base_url) as env:
            yield House(env, bearer(issuer.token(sub="anna")), bearer(issuer.token(sub="ben")))


@asynccontextmanager
async def by_keys(folder: Path) -> AsyncGenerator[House]:
    backend = Backend()
    access = Access(authenticator=Authenticator(CallerKeyMethod(backend, monotonic=anyio.current_time)))
    async with late_api() as api, site(folder, access=access, api=api.base_url, callers_pay=True) as env:
        backend.opened(env.engine)
        yield House(env, {HEADER: "sk-annas-own-key"}, {HEADER: "sk-bens-own-key"})


Way = Callable[[Path], AbstractAsyncContextManager[House]]
WAYS: Mapping[str, Way] = {"tokens": by_tokens, "oauth": by_oauth, "callers' keys": by_keys}
EVERY_WAY = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())


def tool(name: str, **arguments: Any) -> tuple[str, dict[str, Any]]:
    return "tools/call", {"name": name, "arguments": arguments}


def doors(task_id: str) -> Mapping[str, tuple[str, dict[str, Any]]]:
    """Every message that names a task."""
    template = {"type": "ref/resource", "uri": "veo://tasks/{task_id}"}
    return {
        "look": tool("get_task", task_id=task_id),
        "wait": tool("get_task", task_id=task_id, wait_seconds=5),
        "extend": tool("extend_video", task_id=task_id, prompt="go on"),
        "repeat": tool("create_video", prompt="another boat", repeat_of=task_id),
        "settle": tool("resolve_task", task_id=task_id, not_charged=True),
        "page of the list after it": tool("list_tasks", cursor=task_id),
        "resource": ("resources/read", {"uri": f"veo://tasks/{task_id}"}),
        "completion": (
            "completion/complete",
            {"ref": template, "argument": {"name": "task_id", "value": task_id[:-1]}},
        ),
        "task of the extension": ("tasks/get", {"taskId": task_id}),
        "cancelling it": ("tasks/cancel", {"taskId": task_id}),
        "answering it": ("tasks/update", {"taskId": task_id, "inputResponses": {}}),
    }


LISTS: Mapping[str, tuple[str, dict[str, Any]]] = {
    "list": tool("list_tasks"),
    "credits": tool("get_credits"),
    "list of resources": ("resources/list", {}),
    "newest": ("resources/read", {"uri": "veo://tasks"}),
    "every completion": (
        "completion/complete",
        {"ref": {"type": "ref/resource", "uri": "veo://tasks/{task_id}"}, "argument": {"name": "task_id", "value": ""}},
    ),
}


async def ask(http: httpx2.AsyncClient, who: Mapping[str, str], message: tuple[str, dict[str, Any]]) -> str:
    method, params = message
    named = params.get("name") or params.get("uri") or params.get("taskId")
    headers = {**ACCEPT, **who, "MCP-Protocol-Version": "2026-07-28", "Mcp-Method": method}
    body = request(1, method, {**params, "_meta": META})
    answer = await http.post("/mcp", headers=headers | ({"Mcp-Name": named} if named else {}), json=body)
    return f"{answer.status_code} {answer.text}"


async def made_by_anna(house: House, http: httpx2.AsyncClient) -> Entry:
    """A finished, saved video of hers."""
    journal = house.env.engine.journal
    assert isinstance(journal, SqliteJournal)
    await ask(http, house.anna, tool("create_video", prompt=PROMPT))
    (entry,) = await whole(journal)
    await journal.record(entry.id, Change(status=Status.COMPLETED, video_urls=(VIDEO,)), now=START)
    await journal.file.write(lambda db: db.execute("UPDATE entries SET saved_to = ?", (FILE,)))
    (entry,) = await whole(journal)
    return entry


@EVERY_WAY
async def test_no_door_tells_anothers_task_from_one_that_nobody_has(tmp_path: Path, way: Way) -> None:
    async with way(tmp_path) as house, httpx2.AsyncClient(base_url=house.env.url, timeout=30) as http:
        before = {name: await ask(http, house.ben, message) for name, message in LISTS.items()}
        hers = await made_by_anna(house, http)
        assert hers.upstream_id is not None
        told = set[str]()
        pairs = [(hers.id, "vid_" + "x" * 22), (hers.upstream_id, "task-9")]
        if hers.principal.startswith("key:"):
            del pairs[
                1
            ]  # with a key of his own he asks the API itself, which knows whose its tasks are; this one does not
        for task_id, missing in pairs:
            for name, message in doors(task_id).items():
                theirs = await ask(http, house.ben, message)
                none = await ask(http, house.ben, doors(missing)[name])
                assert theirs.replace(task_id, "ID") == none.replace(missing, "ID"), name
                assert not [secret for secret in (PROMPT, VIDEO, FILE) if secret in theirs], name
                own = await ask(http, house.anna, message)
                if own.replace(task_id, "ID") != theirs.replace(task_id, "ID"):
                    told.add(name)
        unshown = {"completion"} if len(pairs) == 1 else set[str]()  # it shows the API's ids alone
        assert doors("").keys() - told <= {"answering it"} | unshown, (
            "where she learns no more than he does, nothing was proven"
        )
        after = {name: await ask(http, house.ben, message) for name, message in LISTS.items()}
        for name, said in after.items():
            assert said == before[name], name
            assert hers.id not in said
            assert await ask(http, house.anna, LISTS[name]) != said, f"{name} shows nobody anything"
        scrape = (await http.get("/metrics", headers=dict(house.ben))).text
        assert "veo_" in scrape
        secrets = (PROMPT, VIDEO, FILE, hers.id, hers.principal, *house.anna.values(), *house.ben.values())
        assert not [secret for secret in secrets if secret in scrape]


@EVERY_WAY
async def test_no_stream_tells_of_anothers_task(tmp_path: Path, way: Way) -> None:
    async with (
        way(tmp_path) as house,
        httpx2.AsyncClient(base_url=house.env.url, timeout=30) as http,
        anyio.create_task_group() as group,
    ):
        hers = await made_by_anna(house, http)
        said: dict[str, str] = {"anna": "", "ben": ""}
        more = anyio.Event()

        async def listen(name: str, who: Mapping[str, str]) -> None:
            nonlocal more
            uris = ["veo://tasks", f"veo://tasks/{hers.id}", f"veo://tasks/{hers.upstream_id}"]
            headers = {**ACCEPT, **who, "MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "subscriptions/listen"}
            async with http.stream("POST", "/mcp", headers=headers, json=listening(uris)) as stream:
                async for line in stream.aiter_lines():
                    said[name] += line + "\n"
                    more.set()
                    more = anyio.Event()

        async def hears(name: str, words: str) -> None:
            with anyio.fail_after(30):
                while words not in said[name]:
                    await more.wait()

        group.start_soon(listen, "anna", house.anna)
        group.start_soon(listen, "ben", house.ben)
        await hears("anna", "acknowledged")
        await hears("ben", "acknowledged")
        said["ben"] = ""  # what he asked for himself is repeated there
        await ask(http, house.anna, tool("create_video", prompt="anna's second boat"))
        await hears("anna", "resources/updated")
        assert said["ben"] == "", "and what is his own comes after it"
        await ask(http, house.ben, tool("create_video", prompt="ben's boat"))
        await hears("ben", "resources/updated")
        assert not [secret for secret in (hers.id, f'{hers.upstream_id}"', PROMPT) if secret in said["ben"]]
        group.cancel_scope.cancel()
