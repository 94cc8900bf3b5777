"""Fifty queued generations in the sandbox: do they end in order, and do the API's answers stay quick meanwhile?

Run by hand: `python benchmarks/fifty_clips.py [WORKERS] [CLIPS]`. The goal is a p95 of at most 50 ms for an answer.
"""

import os
import statistics
import sys
import tempfile
import time

import anyio
import httpx2

PORT = 8799
HEADERS = {"Authorization": "Bearer sk-queue"}


async def main(workers: int, clips: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        options = ["--port", str(PORT), "--dir", folder, "--seconds", "0", "--workers", str(workers)]
        async with (
            await anyio.open_process([sys.executable, "-m", "veo_mcp", "sandbox", *options], stderr=None) as process,
            httpx2.AsyncClient(base_url=f"http://127.0.0.1:{PORT}", headers=HEADERS) as http,
        ):
            while True:
                try:
                    await http.get("/v1/credits")
                    break
                except httpx2.TransportError:
                    await anyio.sleep(0.1)
            began = time.perf_counter()
            ids: list[str] = []
            for number in range(clips):
                body = {
                    "model": "veo-3",
                    "input": {"prompt": f"a calm sea at dawn, number {number}", "seeds": 10000 + number},
                }
                ids.append((await http.post("/v1/videos/generations", json=body)).json()["data"]["taskId"])
            waits: list[float] = []
            ends: dict[str, float] = {}
            while len(ends) < clips:
                for task_id in ids:
                    if task_id in ends:
                        continue
                    asked = time.perf_counter()
                    task = (await http.get(f"/v1/tasks/{task_id}")).json()
                    waits.append(time.perf_counter() - asked)
                    if task["status"] in ("completed", "failed"):
                        ends[task_id] = time.perf_counter() - began
                        if task["status"] != "completed":
                            raise SystemExit(f"A clip failed: {task}")
                    await anyio.sleep(0.02)
            process.terminate()
    order = [ids.index(task_id) for task_id in ends]
    late = max(abs(place - number) for place, number in enumerate(order))
    print(f"{clips} clips by {workers or 'a thread'} in {max(ends.values()):.0f} s; farthest out of order: {late}")
    print(
        f"answers: {len(waits)}, p50 {statistics.median(waits) * 1000:.1f} ms, "
        f"p95 {statistics.quantiles(waits, n=20)[18] * 1000:.1f} ms, max {max(waits) * 1000:.0f} ms"
    )


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[1:3]]
    os.environ.setdefault("VEO_LOG_LEVEL", "ERROR")
    workers, clips = numbers + [2, 50][len(numbers) :]
    anyio.run(main, workers, clips)
