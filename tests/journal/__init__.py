import pytest

# The cases are no test modules by name; their assertions are to be as telling as any.
pytest.register_assert_rewrite("tests.journal.cases", "tests.journal.stores")
