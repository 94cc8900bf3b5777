"""veo-mcp: a Model Context Protocol server with which assistants make Veo 3.1 videos.

The version number lives here and nowhere else; hatchling reads it from this file.
"""

__all__ = ["__version__"]

__version__ = "0.1.0"
