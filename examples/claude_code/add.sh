#!/usr/bin/env bash
# Adds veo-mcp to Claude Code for this project (`-s user` for all of yours) and shows that it answers. The key is taken
# from your environment when Claude Code starts the server; without VEO_API_KEY the sandbox is used.
set -euo pipefail
claude mcp add veo -- veo-mcp
claude mcp list
