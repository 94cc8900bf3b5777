"""Receives the callback of a finished video, and leaves it as callback.json beside the video.

Run it where `veo-mcp` is on the PATH: `python receive.py`. A callback is a hint that anyone could send, so what counts
is what `get_task` answers then. To be reachable on this machine, it stands beside a sandbox that may call private
addresses; a real API needs a public URL.
"""

import json
import os
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
from mcp import Client, StdioServerParameters

CAME = threading.Event()


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        """Keeps the body and answers at once: the sender waits, and would send it again."""
        length = min(int(self.headers.get("Content-Length", 0)), 1_000_000)
        Path("callback.json").write_bytes(self.rfile.read(length))
        self.send_response(204)
        self.end_headers()
        CAME.set()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
        pass


async def reachable(port: int) -> None:
    """Returns once something listens there."""
    with anyio.fail_after(60):
        while True:
            try:
                await (await anyio.connect_tcp("127.0.0.1", port)).aclose()
            except OSError:
                await anyio.sleep(0.1)
            else:
                return


async def main() -> None:
    receiver = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    api = await anyio.open_process(
        ["veo-mcp", "sandbox", "--port", str(port), "--dir", "api", "--allow-private"], stdout=None, stderr=None
    )
    try:
        await reachable(port)
        env = {**os.environ, "VEO_BASE_URL": f"http://127.0.0.1:{port}", "VEO_API_KEY": "sk-sandbox"}
        async with Client(StdioServerParameters(command="veo-mcp", env=env)) as client:
            url = f"http://127.0.0.1:{receiver.server_port}/finished"
            made = await client.call_tool("create_video", {"prompt": "A boat on the sea at dawn", "callback_url": url})
            if made.structured_content is None:
                raise SystemExit(" ".join(getattr(part, "text", "") for part in made.content))
            with anyio.fail_after(120):
                await anyio.to_thread.run_sync(CAME.wait, abandon_on_cancel=True)
            print("callback:", json.loads(await anyio.Path("callback.json").read_text())["status"])
            asked = {"task_id": made.structured_content["task_id"], "wait_seconds": 45}
            seen = await client.call_tool("get_task", asked)
            task: dict[str, Any] = seen.structured_content or {}
            print("the API itself says:", task["status"])
            # While the API runs: this one's links end with it.
            await anyio.run_process(["veo-mcp", "download", task["task_id"]], env=env, stdout=None, stderr=None)
    finally:
        api.terminate()
        await api.wait()


if __name__ == "__main__":
    anyio.run(main)
