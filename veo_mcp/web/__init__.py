"""ASGI: routes, and the runner under every app. Nothing but the runner is imported for stdio."""
