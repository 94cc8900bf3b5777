#!/usr/bin/env bash
# Adds veo-mcp to Claude Code. The key is taken from your environment when Claude Code starts the server.
claude mcp add veo -- veo-mcp
