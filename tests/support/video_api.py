"""A Veo API whose tasks are all done, and which hands out the files of a folder as a real host does: ranges and marks.

Used by the tests of saving, where the sandbox would spend its time drawing. `fetched` says what was handed out, and
`refuse` and `pause` make the host misbehave.
"""

from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import anyio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from tests.support.ports import free_port
from veo_mcp.web.runner import serve_app

IDENTITY = "sandbox:film"


@dataclass
class VideoApi:
    folder: Path
    url: str = ""
    #: How often each file was asked for from its beginning, and how often from a later byte.
    fetched: Counter[str] = field(default_factory=Counter[str])
    resumed: Counter[str] = field(default_factory=Counter[str])
    #: The status with which a file is refused.
    refuse: dict[str, int] = field(default_factory=dict[str, int])
    #: What the API says today about a task's video; by its id.
    links: dict[str, str] = field(default_factory=dict[str, str])
    #: The sandbox that it says it is.
    identity: str = "film"
    #: Files that wait for this before they are handed out.
    pause: dict[str, anyio.Event] = field(default_factory=dict[str, anyio.Event])

    def link(self, name: str) -> str:
        return f"{self.url}/videos/{name}"

    async def video(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name in self.refuse:
            return Response(status_code=self.refuse[name])
        if name in self.pause:
            await self.pause[name].wait()
        (self.resumed if "if-range" in request.headers else self.fetched)[name] += 1
        return FileResponse(self.folder / name, media_type="video/mp4")

    async def task(self, request: Request) -> Response:
        task_id = request.path_params["id"]
        if task_id not in self.links:
            error = {"code": "task_not_found", "message": "no such task", "type": "t"}
            return JSONResponse({"error": error}, 404)
        output = {"urls": [self.link(self.links[task_id])]}
        return JSONResponse({"id": task_id, "status": "completed", "created_at": 1, "output": output})

    async def credits(self, _request: Request) -> Response:
        data = {"balance": 9800, "total_purchased": 10000, "total_consumed": 200}
        return JSONResponse({"code": 200, "msg": "success", "data": data})


@asynccontextmanager
async def video_api(folder: Path) -> AsyncGenerator[VideoApi]:
    await anyio.Path(folder).mkdir(parents=True, exist_ok=True)
    port = free_port()
    api = VideoApi(folder, f"http://127.0.0.1:{port}")
    app = Starlette(
        routes=[
            Route("/v1/credits", api.credits),
            Route("/v1/tasks/{id}", api.task),
            Route("/videos/{name}", api.video),
        ]
    )

    async def named(scope: Scope, receive: Receive, send: Send) -> None:
        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"x-veo-sandbox", api.identity.encode())]
            await send(message)

        await app(scope, receive, sent)

    up = anyio.Event()
    async with anyio.create_task_group() as group:
        group.start_soon(partial(serve_app, named, "127.0.0.1", port, ready=up.set))
        await up.wait()
        yield api
        group.cancel_scope.cancel()
