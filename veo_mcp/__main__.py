"""`python -m veo_mcp` is the same program as the `veo-mcp` command."""

from veo_mcp.cli.main import main

if __name__ == "__main__":
    main()
