"""Which values of a parameter pytest is about to test, for fixtures that prepare all of them at once, side by side.

Used by the tests of the examples and of the hosts, where each value is a program to install and to run.
"""

from typing import Any

import pytest

__all__ = ["selected"]


def selected(request: pytest.FixtureRequest, parameter: str) -> list[Any]:
    """The parameter's values in the selected tests that use the fixture which asks."""
    calls = [
        item.callspec
        for item in request.session.items
        if isinstance(item, pytest.Function) and request.fixturename in item.fixturenames and hasattr(item, "callspec")
    ]
    return [call.params[parameter] for call in calls]
