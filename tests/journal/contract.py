"""What every store of the journal promises, as one suite.

A test module of a store subclasses Contract and gives a `store` fixture (see stores.py); nothing here knows which.
"""

import pytest

from tests.journal.cases.audit import Audit, Turns
from tests.journal.cases.budgets import Budgets
from tests.journal.cases.feeds import Feeds
from tests.journal.cases.files import Files
from tests.journal.cases.leases import Leases
from tests.journal.cases.lists import Lists, OtherVersions, Trouble, Values
from tests.journal.cases.repeats import Repeats
from tests.journal.cases.scopes import Scopes
from tests.journal.cases.transitions import Transitions
from tests.journal.cases.uploads import Uploads

__all__ = ["Contract"]


@pytest.mark.anyio
class Contract(
    Transitions, Budgets, Repeats, Scopes, Leases, Turns, Files, Uploads, Audit, Feeds, Lists, Values, OtherVersions,
    Trouble,
):  # fmt: skip
    """Everything at once."""
