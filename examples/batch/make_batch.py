"""Makes a list of prompts into videos under a spending cap; leaves them, and batch.csv: what became of each, its cost.

Run it where `veo-mcp` is on the PATH: `python make_batch.py`. Ten prompts at 40 credits are 400; the cap is 120, so
three are made and the others are refused by the server, whatever this program does. No model is involved.
"""

import csv
import os
from pathlib import Path
from typing import Any

import anyio
from mcp import Client, StdioServerParameters

CAP = "120"
PROMPTS = [f"A paper boat on a pond in {month}, soft light, birds" for month in (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
)]  # fmt: skip


def write(rows: list[dict[str, Any]]) -> None:
    """The table that is left."""
    columns = ["prompt", "task_id", "status", "charged", "credits", "file", "url", "why_not"]
    with Path("batch.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, columns, restval="")
        table.writeheader()
        table.writerows(rows)


async def main() -> None:
    server = StdioServerParameters(command="veo-mcp", env={**os.environ, "VEO_MAX_CREDITS": CAP})
    rows: list[dict[str, Any]] = []
    async with Client(server) as client:
        for prompt in PROMPTS:
            made = await client.call_tool("create_video", {"prompt": prompt})
            task: dict[str, Any] = made.structured_content or {}
            # A refusal is an error in words; "Not charged." stands in it.
            why = "" if task else " ".join(getattr(part, "text", "") for part in made.content)
            rows.append({"prompt": prompt, "task_id": task.get("task_id", ""), "why_not": why})
            print(f"{prompt}: {task.get('status') or why}")
        for row in rows:
            while row["task_id"]:
                seen = await client.call_tool("get_task", {"task_id": row["task_id"], "wait_seconds": 45})
                task = seen.structured_content or {}
                if task.get("status") in ("completed", "failed", "unknown"):
                    row |= {name: task.get(name, "") for name in ("status", "charged", "credits")}
                    row["url"] = (task.get("video_urls") or [""])[0]
                    if row["status"] == "completed":
                        # While the server runs: a sandbox's links end with it.
                        await anyio.run_process(["veo-mcp", "download", row["task_id"], "--out", "videos"], stderr=None)
                        row["file"] = f"videos/{row['task_id']}.mp4"
                    break
    write(rows)
    done = sum(row.get("status") == "completed" for row in rows)
    print(f"{done} of {len(rows)} were made under a cap of {CAP} credits; batch.csv says the rest.")


if __name__ == "__main__":
    anyio.run(main)
