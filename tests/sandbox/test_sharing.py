"""Two keyless servers on one machine share one sandbox, and the second takes over when the first goes."""

import os
import signal
import sys
from pathlib import Path

import anyio
import httpx2
import pytest

from veo_mcp.sandbox.embedded import embedded

pytestmark = pytest.mark.anyio

HOST = """
import anyio, sys
from pathlib import Path
from veo_mcp.sandbox.embedded import embedded

async def main():
    async with embedded(Path(sys.argv[1]), 0.0) as url:
        print(url, flush=True)
        await anyio.sleep_forever()

anyio.run(main)
"""


async def credits(url: str) -> httpx2.Response:
    async with httpx2.AsyncClient() as http:
        return await http.get(url + "/v1/credits", headers={"Authorization": "Bearer sk-x"})


async def test_the_next_host_takes_over_on_the_same_port_with_the_same_books(tmp_path: Path) -> None:
    folder = tmp_path / "sandbox"
    first = await anyio.open_process([sys.executable, "-c", HOST, str(folder)], env={**os.environ})
    assert first.stdout is not None
    url = (await first.stdout.receive()).decode().strip()
    ledger = (await credits(url)).headers["x-veo-sandbox"]
    async with embedded(folder, 0.0) as mine:
        assert mine == url
        async with httpx2.AsyncClient() as http:
            body = {"model": "veo-3", "input": {"prompt": "[sandbox:slow] x"}}
            made = await http.post(url + "/v1/videos/generations", json=body, headers={"Authorization": "Bearer sk-x"})
        first.send_signal(signal.SIGKILL)
        await first.aclose()
        with anyio.fail_after(10):
            while True:
                try:
                    again = await credits(url)
                    break
                except httpx2.TransportError:
                    await anyio.sleep(0.05)
        assert again.headers["x-veo-sandbox"] == ledger
        assert again.json()["data"]["total_consumed"] == 40
        assert made.status_code == 200


async def test_the_port_of_a_folder_stays_for_ever(tmp_path: Path) -> None:
    urls: set[str] = set()
    for _ in range(3):
        async with embedded(tmp_path / "sandbox", 0.0) as url:
            urls.add(url)
            assert (await credits(url)).status_code == 200
    assert len(urls) == 1
