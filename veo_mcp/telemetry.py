"""Spans around what costs money and what is recorded, and the id of the request that is being handled.

Used by every layer. Spans go through the OpenTelemetry API alone: without an exporter they are
nothing. Never takes a prompt, a key, a principal or the text of an error.
"""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar

from opentelemetry import trace
from opentelemetry.trace import StatusCode

__all__ = ["request_id", "span"]

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
"""Of the HTTP request that is being handled, for the log."""
_tracer = trace.get_tracer("veo_mcp")


@contextmanager
def span(name: str, **attributes: str | int) -> Generator[None]:
    """A span of this name; an exception that passes through it is noted by its kind alone."""
    # The texts of exceptions may be a stranger's, or hold what was asked for.
    with _tracer.start_as_current_span(
        name, attributes=attributes, record_exception=False, set_status_on_exception=False
    ) as current:
        try:
            yield
        except BaseException as error:
            current.set_attribute("error.type", type(error).__qualname__)
            current.set_status(StatusCode.ERROR)
            raise
