"""`POST /callbacks/{token}`: where the API's callbacks arrive.

Mounted by routes.py. Checks the token and the size of the body, answers at once, and hands the callback to
tasks/callbacks.py, which reads the task back. Never believes what a body says.
"""

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from veo_mcp.errors import Unavailable
from veo_mcp.server.backend import Backend
from veo_mcp.tasks.callbacks import BODY_LIMIT
from veo_mcp.web.bodies import Bodies, BodyRefused, HungUp
from veo_mcp.web.metrics import Metrics

__all__ = ["callback_route"]

CALLBACK_SECONDS = 10.0


def callback_route(backend: Backend, metrics: Metrics, *, body_seconds: float) -> Route:
    """The route; a body must be there in `body_seconds`, and in 10 s at most."""
    bodies = Bodies()
    seconds = min(body_seconds, CALLBACK_SECONDS)

    async def callback(request: Request) -> Response:
        response = await answer(request)
        metrics.callback(response.status_code)
        return response

    async def answer(request: Request) -> Response:
        engine = backend.engine_now
        if engine is None:
            return PlainTextResponse("not ready", 503, {"Retry-After": "5"})
        try:
            entry_id = engine.callbacks.prove(request.path_params["token"])
        except Unavailable:
            return PlainTextResponse("not ready", 503, {"Retry-After": "5"})
        # Before its body is read: a forger gets no more of this server's time than this.
        if entry_id is None:
            return PlainTextResponse("not found", 404)
        try:
            async with bodies.read(request.receive, request.headers.raw, limit=BODY_LIMIT, seconds=seconds) as body:
                engine.callbacks.take(entry_id, body)
        except BodyRefused as refusal:
            return PlainTextResponse(refusal.words, refusal.status)
        except HungUp:
            return Response(status_code=400)
        return Response(status_code=204)

    return Route("/callbacks/{token}", callback, methods=["POST"])
