"""Takes every scope out of the product, one at a time, and says which test turns red without it.

Run by hand as `python scripts/scope_mutations.py [WORD …]` (those whose name holds every word; all take about half an
hour). Works on a copy in a temporary folder, never on the tree. Exits 1 when something stayed green: then a test is
missing, or nothing needs that scope.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Scope", "scopes"]

ROOT = Path(__file__).resolve().parent.parent
TESTS: Mapping[str, Sequence[str]] = {
    "sqlite": ("tests/journal/test_sqlite.py",),
    "postgres": ("tests/journal/test_postgres.py",),
    "doors": ("tests/tasks/test_scopes.py", "tests/tasks/test_accounts.py"),
    "entries": ("tests/tasks/test_scopes.py", "tests/journal/test_sqlite.py"),
    "limits": ("tests/tasks/test_scopes.py", "tests/web/test_limits.py"),
    "files": ("tests/tasks/test_scopes.py", "tests/tasks/test_saver.py", "tests/tasks/test_films.py"),
}
FILTER = re.compile(r"\b(api|principal) (?:=|<>) (?:ANY\(:principals::text\[\]\)|:\1\b)")
NO_TEST_OF_ANYTHING = re.compile(
    r"(?:Operational|Programming|Syntax|PostgresSyntax|IndeterminateDatatype|Name|Import)Error\b"
)
ABOUT_ACCOUNTS = (
    "(account or person or another or elsewhere or one_api or own or key or waiting or settles or sandbox or limit"
    " or adopted or nobody or 24_hours or total or each or evidence or clock_ahead) and not 100_parallel"
)
ANNAS = 'await engine.accounts.account(__import__("veo_mcp").api.account.Caller(principal="anna"))'
NOBODYS = 'type(account)(account.api, "", account.credential)'

# Per file: which tests to ask, what stands there once, and what stands there with the scope taken out.
IN_CODE: Mapping[str, tuple[str, Sequence[tuple[str, str]]]] = {
    "journal/sqlite/store.py": (
        "sqlite",
        (
            (" or not entry.belongs_to(account)", ""),
            ("if owner[1:] != (account.api, account.principal):", "if False:"),
            ('"own_by_id", scope) or', '"by_id", scope) or'),
        ),
    ),
    "journal/sqlite/spending.py": (
        "sqlite",
        (
            ('QUERIES["oldest_spent_by_principal"]', 'QUERIES["oldest_spent"]'),
            ('(limits.total, "spent",', '(limits.total, "spent_by_principal",'),
            ('(limits.each, "spent_by_principal",', '(limits.each, "spent",'),
            ('"spent", "oldest_spent")', '"spent", "oldest_spent_by_principal")'),
            ('"spent_by_principal", "oldest_spent_by_principal")', '"spent_by_principal", "oldest_spent")'),
            ('_sum(db, "spent", api', '_sum(db, "spent_by_principal", api'),
            ('_sum(db, "spent_by_principal", api', '_sum(db, "spent", api'),
        ),
    ),
    "journal/sqlite/leases.py": (
        "sqlite",
        (("limit, where=where", "limit"), ("    if principals is not None:", "    if principals == ():")),
    ),
    "journal/postgres/store.py": (
        "postgres",
        (
            (" or not entry.belongs_to(account)", ""),
            ("if owner[1:] != (account.api, account.principal):", "if False:"),
            ("(earlier.api, earlier.principal) != (entry.api, entry.principal)", "False"),
        ),
    ),
    "journal/postgres/spending.py": (
        "postgres",
        (
            ('"oldest_spent_by_principal", scope)', '"oldest_spent", scope)'),
            ('(limits.total, "spent",', '(limits.total, "spent_by_principal",'),
            ('(limits.each, "spent_by_principal",', '(limits.each, "spent",'),
            ('"spent", "free_at")', '"spent", "free_at_by_principal")'),
            ('"spent_by_principal", "free_at_by_principal")', '"spent_by_principal", "free_at")'),
            ('_sum(db, "spent", scope)', '_sum(db, "spent_by_principal", scope)'),
            ('_sum(db, "spent_by_principal", scope)', '_sum(db, "spent", scope)'),
        ),
    ),
    "journal/postgres/leases.py": ("postgres", (('if name == "due" and names is not None', "if False"),)),
    "journal/entry.py": (
        "entries",
        (
            ("(self.api, self.principal) == (account.api, account.principal)", "self.principal == account.principal"),
            ("(self.api, self.principal) == (account.api, account.principal)", "self.api == account.api"),
        ),
    ),
    "server/caller.py": (
        "doors",
        (
            ("caller if isinstance(caller, Caller) else Caller", "Caller"),
            ("caller_of(ctx))", 'Caller(principal="anna"))'),
        ),
    ),
    "server/resources.py": (
        "doors",
        (
            ("await account_of(ctx, engine)\n            spent", ANNAS + "\n            spent"),
            ("await account_of(ctx.request_context, engine)", ANNAS),
            ("list(await account_of(ctx, engine)", f"list({ANNAS}"),
        ),
    ),
    "server/tasks_extension.py": (
        "doors",
        (("reader.get(await account_of(ctx, engine)", f"reader.get({ANNAS}"),),
    ),
    "server/tools.py": (
        "doors",
        (
            (
                "await account_of(ctx.request_context, engine)\n            entry = await engine.reader.get",
                ANNAS + "\n            entry = await engine.reader.get",
            ),
            (
                "await account_of(ctx.request_context, engine)\n            entry = await engine.reader.settle",
                ANNAS + "\n            entry = await engine.reader.settle",
            ),
            (
                "await account_of(ctx.request_context, engine)\n            plan",
                ANNAS + "\n            plan",
            ),
            ("standing(await account_of(ctx.request_context, engine))", f"standing({ANNAS})"),
        ),
    ),
    "server/notifications.py": (
        "doors",
        (
            (" if engine.accounts.owns(outbox.caller, entry)", ""),
            ("self._outbox(caller_of(ctx), lambda", 'self._outbox(Caller(principal="anna"), lambda'),
            ("self._outbox(caller_of(ctx), functools", 'self._outbox(Caller(principal="anna"), functools'),
        ),
    ),
    "tasks/accounts.py": (
        "doors",
        (
            ("held is not None and held.key == caller.key and", "held is not None and"),
            ("held.key == caller.key and entry.api == self._api(held.client)", "held.key == caller.key"),
            ("return entry.principal == caller.principal and", "return"),
            ("caller.principal and entry.api == self._api(self._client)", "caller.principal"),
            (
                "key, client = (held.key, held.client) if held is not None else (self._key, self._client)",
                "key, client = self._key, self._client",
            ),
            ("return account if entry.belongs_to(account) else None", "return account"),
            ("client = self.callers.client(account.principal)", "client = self._client"),
            ('account.principal == "" or account.principal in self.callers', "True"),
            ('entry.principal if entry.principal in self.callers else ""', '""'),
            ("(principal,), principal)", "None, principal)"),
            ("(principal,), principal)", '(principal,), "")'),
        ),
    ),
    "tasks/caller_keys.py": (
        "doors",
        (('return "key:" + digest.hexdigest()[:32]', 'return "key:" + digest.name'),),
    ),
    "tasks/budget.py": (
        "limits",
        (
            ("now=self._clock())).own", "now=self._clock())).total"),
            ("self._each(account.principal)", 'self._each("")'),
            ("replace(account, api=self._accounts.client(account).known_identity or account.api)", "replace(account)"),
            ("held = [(limits.total, spent.total),", "held = [(limits.total, spent.own),"),
            ("spent.total), (limits.each, spent.own)]", "spent.total), (limits.each, spent.total)]"),
            ("spent.own if account.principal else spent.total", "spent.total"),
        ),
    ),
    "tasks/reader.py": (
        "doors",
        (
            ("entry = await self._journal.get(account, task_id)", "entry = await self._journal.find(task_id)"),
            ("not self._accounts.alone(account)", "False"),
            (
                "        if account is None:\n            return None\n",
                "        account = account or entry\n",
            ),
            ("if reply.api != entry.api:\n            return None", "if False:\n            return None"),
            ("if owner is not None and owner.id != entry.id:", "if False:"),
            ("if reply.api != entry.api:\n            raise", "if False:\n            raise"),
            ("if reply.api != account.api:", "if False:"),
        ),
    ),
    "tasks/poller.py": (
        "doors",
        (
            ("principals=scope.principals", "principals=None"),
            ("not_before(scope.api, scope.pauser)", 'not_before(scope.api, "")'),
            ("if reply.api != entry.api:", "if False:"),
        ),
    ),
    "tasks/balances.py": (
        "doors",
        (
            ("return account.credential.get_secret_value() in self._known", "return bool(self._known)"),
            ("self._known.setdefault(account.credential.get_secret_value()", 'self._known.setdefault(""'),
        ),
    ),
    "tasks/price_quotes.py": (
        "doors",
        (
            ("await self._journal.quote(account", f"await self._journal.quote({NOBODYS}"),
            ("await self._journal.take_quote(account", f"await self._journal.take_quote({NOBODYS}"),
        ),
    ),
    "tasks/context.py": (
        "doors",
        (
            ("await self._journal.get(account, chain[0].extends)", "await self._journal.find(chain[0].extends)"),
            ("failures_in_a_row(account", f"failures_in_a_row({NOBODYS}"),
        ),
    ),
    "tasks/submit.py": (
        "doors",
        (
            ("if self._accounts.client(account).known_identity != account.api:", "if False:"),
            ("first = await self._reader.get(account, repeat_of)", "first = await self._journal.find(repeat_of)"),
        ),
    ),
    "tasks/saver.py": (
        "files",
        (
            (
                'if account is None:\n            raise FileTrouble("No key',
                'if False:\n            raise FileTrouble("No key',
            ),
            ("api=scope.api,", "api=scope.client.origin,"),
        ),
    ),
    "tasks/films.py": (
        "files",
        (("if reply.api != entry.api or number", "if number"),),
    ),
}


@dataclass(frozen=True, slots=True)
class Scope:
    """One place that holds to an account.

    Attributes:
        name: what it is called in the table.
        path: the file, from the root of the repository.
        text: what stands there; `at` where it stands more than once.
        without: what stands there once the scope is taken out.
        tests: the files in which a test is looked for that turns red.
        at: where in the file the text begins; None: at the only place.
    """

    name: str
    path: str
    text: str
    without: str
    tests: Sequence[str]
    at: int | None = None

    def taken_out(self, source: str) -> str:
        """The file's text without the scope. Raises ValueError when the text does not stand there just once."""
        if self.at is not None:
            return source[: self.at] + self.without + source[self.at + len(self.text) :]
        if source.count(self.text) != 1:
            raise ValueError(f"{self.path} holds this {source.count(self.text)} times: {self.text}")
        return source.replace(self.text, self.without)


def scopes() -> Iterator[Scope]:
    """Every scope: the filters of both stores' queries, and what the code adds to them."""
    for store in ("sqlite", "postgres"):
        yield from _filters(store)
    for path, (tests, pairs) in IN_CODE.items():
        for text, without in pairs:
            shown = " ".join(text.split())
            yield Scope(f"{path}: {shown}", f"veo_mcp/{path}", text, without, TESTS[tests])


def _filters(store: str) -> Iterator[Scope]:
    path = f"veo_mcp/journal/{store}/queries.sql"
    source = (ROOT / path).read_text()
    for block in re.finditer(r"^-- name: (\w+)$(.*?)(?=^-- |\Z)", source, re.MULTILINE | re.DOTALL):
        for number, match in enumerate(FILTER.finditer(block[2]), 1):
            if store == "sqlite":
                without = f"{match[1]} = {match[1]}"
            else:  # the statement goes on naming the value, or it would be called with one too many
                value = re.search(r":[a-z]+", match[0])
                without = f"({value[0] if value else ''}::{'text[]' if 'ANY' in match[0] else 'text'} IS NULL OR true)"
            name = f"{store} {block[1]}: {match[0]} ({number})"
            yield Scope(name, path, match[0], without, TESTS[store], block.start(2) + match.start())


def red_without(scope: Scope, folder: Path) -> str | None:
    """The test that fails without the scope, or None. `folder` holds a copy of the tree."""
    file = folder / scope.path
    whole = file.read_text()
    file.write_text(scope.taken_out(whole))
    try:
        # First the tests that speak of accounts; the others only where those noticed nothing.
        return _failing(folder, [*scope.tests, "-k", ABOUT_ACCOUNTS]) or _failing(folder, scope.tests)
    finally:
        file.write_text(whole)


def _failing(folder: Path, tests: Sequence[str]) -> str | None:
    ran = subprocess.run(  # noqa: S603 - our own tests
        [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    broken = NO_TEST_OF_ANYTHING.search(ran.stdout)
    if broken or ran.returncode not in (0, 1):
        return f"NOT TAKEN OUT CLEANLY ({broken[0] if broken else ran.returncode})"
    failed = re.search(r"^FAILED (.+?)(?: - .*)?$", ran.stdout, re.MULTILINE)
    return failed[1] if failed else None


def main(words: Sequence[str]) -> int:
    """Prints a table in Markdown; how many scopes nothing noticed."""
    missed = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in ("veo_mcp", "tests"):
            shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "pyproject.toml", folder)
        sys.stdout.write("| scope | red without it |\n|---|---|\n")
        for scope in scopes():
            if all(word in scope.name for word in words):
                red = red_without(scope, folder)
                missed += red is None or red.startswith("NOT")
                sys.stdout.write(f"| `{scope.name}` | {red or 'NOTHING'} |\n")
                sys.stdout.flush()
    return missed


if __name__ == "__main__":
    sys.exit(1 if main(sys.argv[1:]) else 0)
