"""A documented error of the API, as the sandbox raises it and as it is answered.

Raised by the app and by what reads its requests; the table of codes lies in openapi.py. Never holds a key or a prompt.
"""

from starlette.responses import JSONResponse

from veo_mcp.sandbox.openapi import ERRORS

__all__ = ["DocumentedError"]


class DocumentedError(Exception):
    """A documented error: its status and type follow from its code."""

    def __init__(self, code: str, message: str, retry_after: int | None = None, status: int | None = None) -> None:
        super().__init__(message)
        self.status, self.type = ERRORS[code]
        self.status = status or self.status
        self.code, self.message, self.retry_after = code, message, retry_after

    def answer(self) -> JSONResponse:
        """As the API says it."""
        body = {"error": {"code": self.code, "message": self.message, "type": self.type}}
        headers = {"Retry-After": str(self.retry_after)} if self.retry_after is not None else None
        return JSONResponse(body, self.status, headers)
