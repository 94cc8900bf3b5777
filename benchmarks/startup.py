"""Spawn to answered `tools/list`: veo-mcp beside a bare MCPServer with one trivial tool, in turns, as a ratio.

Run by hand: `python benchmarks/startup.py [ROUNDS]`. The goal is a median ratio of at most 1.25.
"""

import os
import statistics
import sys
import tempfile
import time

import anyio
from mcp import Client, StdioServerParameters

BARE = """
from mcp.server.mcpserver import MCPServer
server = MCPServer("bare")
@server.tool()
def add(a: int, b: int) -> int:
    return a + b
server.run()
"""


async def once(arguments: list[str], env: dict[str, str]) -> float:
    began = time.perf_counter()
    async with Client(StdioServerParameters(command=sys.executable, args=arguments, env=env)) as client:
        await client.list_tools()
        return time.perf_counter() - began


async def main(rounds: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        env = {
            **os.environ,
            "VEO_JOURNAL": f"{folder}/j.db",
            "VEO_SANDBOX_DIR": f"{folder}/s",
            "VEO_LOG_LEVEL": "ERROR",
        }
        ours: list[float] = []
        bare: list[float] = []
        for number in range(rounds + 1):
            pair = await once(["-m", "veo_mcp"], env), await once(["-c", BARE], env)
            if number:  # the first round warms the file cache
                ours.append(pair[0])
                bare.append(pair[1])
    ratios = [a / b for a, b in zip(ours, bare, strict=True)]
    print(f"veo-mcp {statistics.median(ours):.3f} s, bare {statistics.median(bare):.3f} s")
    print(f"ratio: median {statistics.median(ratios):.3f}, min {min(ratios):.3f}, max {max(ratios):.3f}")


if __name__ == "__main__":
    anyio.run(main, int(sys.argv[1]) if len(sys.argv) > 1 else 15)
