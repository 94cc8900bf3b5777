"""A client of the sandbox API, as any HTTP client would be. Used by the tests of the sandbox."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx2

from tests.support.stack import sandbox

CREATE = "/v1/videos/generations"


class ApiClient:
    """A client with one base URL and one key."""

    def __init__(self, http: httpx2.AsyncClient, key: str) -> None:
        self.http = http
        self.headers = {"Authorization": f"Bearer {key}"}

    async def create(self, **fields: Any) -> httpx2.Response:
        body = {"model": "veo-3", "input": {"prompt": "x", **fields}}
        return await self.http.post(CREATE, json=body, headers=self.headers)

    async def post(self, body: Any) -> httpx2.Response:
        return await self.http.post(CREATE, json=body, headers=self.headers)

    async def get(self, path: str) -> httpx2.Response:
        return await self.http.get(path, headers=self.headers)

    async def credits(self) -> dict[str, int]:
        return (await self.get("/v1/credits")).json()["data"]

    async def ended(self, task_id: str) -> dict[str, Any]:
        """The task once it has ended; asks every 50 ms until then."""
        with anyio.fail_after(60):
            while True:
                task = (await self.get(f"/v1/tasks/{task_id}")).json()
                if task["status"] in ("completed", "failed"):
                    return task
                await anyio.sleep(0.05)

    async def all_done(self) -> None:
        """Returns once no task is under way and no callback is owed."""
        with anyio.fail_after(60):
            while (await self.get("/healthz")).json()["open_tasks"]:  # noqa: ASYNC110 - HTTP can only be asked
                await anyio.sleep(0.02)


@asynccontextmanager
async def api(folder: Path, key: str = "sk-me", **options: Any) -> AsyncGenerator[ApiClient]:
    async with (
        sandbox(folder, **options) as base_url,
        httpx2.AsyncClient(base_url=base_url, timeout=20) as http,
    ):
        yield ApiClient(http, key)
