"""Makes a film of four shots, one video and three extensions of it, and leaves it as one MP4 file.

Run it where `veo-mcp` is on the PATH: `python make_film.py`. Each shot repeats the sentences that must not change; the
next one is paid for only once the last is there. `veo-mcp download ID --film` joins the parts.
"""

import os
import subprocess

import anyio
from mcp import Client, StdioServerParameters

ALWAYS = "A lighthouse by the sea, calm music."
SHOTS = ("Sunset, gulls fly past.", "Night falls, the lamp begins to shine.", "Rain begins to fall.", "The sun rises.")


async def shot(client: Client, tool: str, arguments: dict[str, str]) -> str:
    """Starts one shot, waits for its end, returns its task id."""
    made = await client.call_tool(tool, arguments)
    while (task := made.structured_content) is not None:
        if task["status"] == "completed":
            return task["task_id"]
        if task["status"] in ("failed", "refused", "unknown"):
            break
        made = await client.call_tool("get_task", {"task_id": task["task_id"], "wait_seconds": 45})
    raise SystemExit(" ".join(getattr(part, "text", "") for part in made.content))


async def main() -> None:
    async with Client(StdioServerParameters(command="veo-mcp", env=dict(os.environ))) as client:
        task_id = ""
        for number, action in enumerate(SHOTS, 1):
            prompt = f"{ALWAYS} {action}"
            if task_id:
                task_id = await shot(client, "extend_video", {"task_id": task_id, "prompt": prompt})
            else:
                task_id = await shot(client, "create_video", {"prompt": prompt})
            print(f"shot {number} of {len(SHOTS)}: {action}", flush=True)
        # While the server runs: a sandbox's links end with it.
        done = await anyio.run_process(["veo-mcp", "download", task_id, "--film", "--out", "film"], check=False)
    print((done.stdout + done.stderr).decode())
    if done.returncode:
        raise subprocess.CalledProcessError(done.returncode, "veo-mcp download")


if __name__ == "__main__":
    anyio.run(main)
