"""A key has one place: it is asked for unseen, tried, kept for one API, read by host and terminal, deleted again."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import keyring
import pytest
from anyio import to_thread
from keyring.backends import null
from platformdirs.macos import MacOS
from pydantic import SecretStr

from tests.support.person import at_a_terminal, environment
from tests.support.stack import sandbox
from veo_mcp.cli.install.command import InstallRequest, install
from veo_mcp.cli.install.host import System
from veo_mcp.saved_key import KEYRING, KeyPlace, SavedKeyUnusable
from veo_mcp.settings import load

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are a thing of POSIX"),
]

KEY = "sk-of-a-person-4711"


def run(home: Path, *arguments: str, stdin: str = "", **settings: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "veo_mcp", *arguments],
        env=environment(home, **settings),
        cwd=home,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


async def test_a_person_logs_in_and_out(tmp_path: Path) -> None:
    install(
        InstallRequest(host="cursor"),
        System(platform="linux", home=tmp_path, folder=tmp_path, environ={}, which=lambda name: None),
        ["/x/veo-mcp"],
    )
    file = tmp_path / ".config" / "veo-mcp" / "credentials.json"
    async with sandbox(tmp_path / "api") as url:
        env = environment(tmp_path, VEO_BASE_URL=url)

        def at_the_terminal() -> None:
            with at_a_terminal("login", env=env, folder=tmp_path) as person:
                person.reads("Key: ")
                person.types(f"  {KEY}\n")
                person.reads("Save the key? [y/N] ")
                assert "The key works: 10,000 sandbox credits." in person.seen
                assert "real credits with it: Cursor." in " ".join(person.seen.split())
                person.types("y\n")
                assert person.waits() == 0
                assert KEY not in person.seen
                assert "4711" not in person.seen
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
            assert json.loads(file.read_text()) == {url: {"key": KEY}}
            checked = run(tmp_path, "check", VEO_BASE_URL=url)
            assert checked.returncode == 0, checked.stderr
            assert f"sk-…4711, saved by `veo-mcp login` in {file}" in checked.stdout
            assert KEY not in checked.stdout + checked.stderr
            other = run(tmp_path, "check")
            assert "4711" not in other.stdout
            assert "SANDBOX" in other.stdout
            out = run(tmp_path, "logout", VEO_BASE_URL=url)
            assert (out.returncode, file.exists()) == (0, False)
            assert "keep it until they are restarted" in out.stdout
            assert "No key for" in run(tmp_path, "logout", VEO_BASE_URL=url).stdout

        await to_thread.run_sync(at_the_terminal)


async def test_nothing_is_saved_without_a_yes_or_with_a_key_that_is_refused(tmp_path: Path) -> None:
    async with sandbox(tmp_path / "api") as url:
        env = environment(tmp_path, VEO_BASE_URL=url)

        def tries() -> None:
            for typed, words, status in (
                (f"{KEY}\nn\n", "Nothing was saved.", 1),
                (f"{KEY}\n\n", "Nothing was saved.", 1),
                ("sk-sandbox-disabled\n", "Nothing was saved.", 1),
                ("no-key\n", "does not start with sk-", 1),
                ("\n", "No key was given", 1),
                ("\x03", "Nothing was saved.", 130),
            ):
                with at_a_terminal("login", env=env, folder=tmp_path) as person:
                    person.reads("Key: ")
                    for line in typed.splitlines(keepends=True):
                        person.types(line)
                        if line.startswith(KEY):
                            person.reads("[y/N]")
                    assert person.waits() == status, person.seen
                    assert words in person.seen
                    assert "Traceback" not in person.seen
            assert "--yes" in run(tmp_path, "login", stdin=KEY, VEO_BASE_URL=url).stderr
            assert not (tmp_path / ".config" / "veo-mcp").exists()
            assert run(tmp_path, "login", "--yes", stdin=KEY, VEO_BASE_URL=url).returncode == 0
            assert (tmp_path / ".config" / "veo-mcp").exists()

        await to_thread.run_sync(tries)


def test_a_key_is_used_for_its_own_api_only_and_what_is_set_wins(tmp_path: Path) -> None:
    place = KeyPlace(tmp_path / "c.json")
    place.save("https://one.example", SecretStr("sk-one"))
    for environ, key, source in (
        ({"VEO_BASE_URL": "https://one.example"}, "sk-one", "saved by"),
        ({"VEO_BASE_URL": "https://one.example", "VEO_API_KEY": "sk-set"}, "sk-set", "VEO_API_KEY"),
        ({"VEO_BASE_URL": "https://two.example"}, None, ""),
        ({"VEO_BASE_URL": "https://one.example", "VEO_SANDBOX": "1"}, None, ""),
        ({"VEO_BASE_URL": "https://one.example", "VEO_API_KEY": "wrong"}, None, ""),
        ({"VEO_BASE_URL": "https://one.example/v1"}, None, ""),
        ({}, None, ""),
    ):
        settings = load(environ, saved=place)
        found = settings.api_key.get_secret_value() if settings.api_key else None
        assert (environ, found) == (environ, key)
        assert settings.sources.get("api_key", "").startswith(source)
    assert load({"VEO_BASE_URL": "https://one.example"}).api_key is None


def test_a_file_that_is_broken_or_open_to_others_is_reported(tmp_path: Path) -> None:
    place = KeyPlace(tmp_path / "c.json")
    base = {"VEO_BASE_URL": "https://one.example"}
    place.save("https://one.example", SecretStr("sk-one"))
    place.file.chmod(0o644)
    assert any("chmod 600" in warning for warning in load(base, saved=place).warnings)
    for broken in ("{", "[]", '{"https://one.example": 5}'):
        place.file.write_text(broken)
        assert "Delete it and log in again" in load(base, saved=place).problems[0]


BACKEND = """
import json, pathlib
from keyring.backend import KeyringBackend
FILE = pathlib.Path(__file__).with_name("ring.json")
class Ring(KeyringBackend):
    priority = 1
    def get_password(self, service, name):
        return json.loads(FILE.read_text()).get(name) if FILE.exists() else None
    def set_password(self, service, name, value):
        FILE.write_text(json.dumps({name: value}))
    def delete_password(self, service, name):
        FILE.unlink()
class Forgetful(Ring):
    def set_password(self, service, name, value):
        pass
"""


async def test_the_systems_keyring_is_used_where_it_keeps_what_it_is_given(tmp_path: Path) -> None:
    (tmp_path / "ring.py").write_text(BACKEND)
    ring = {"PYTHONPATH": str(tmp_path), "PYTHON_KEYRING_BACKEND": "ring.Ring"}
    file = tmp_path / ".config" / "veo-mcp" / "credentials.json"
    async with sandbox(tmp_path / "api") as url:

        def tries() -> None:
            done = run(tmp_path, "login", "--yes", stdin=KEY, VEO_BASE_URL=url, **ring)
            assert f"Saved in {KEYRING}" in done.stdout, done.stderr
            assert KEY not in file.read_text()
            assert "4711" in run(tmp_path, "check", VEO_BASE_URL=url, **ring).stdout
            # The same person in a shell whose keyring is locked: said, not replaced by the sandbox.
            locked = run(tmp_path, "check", VEO_BASE_URL=url)
            assert (locked.returncode, "veo-mcp login" in locked.stderr) == (1, True)
            assert run(tmp_path, "logout", VEO_BASE_URL=url, **ring).returncode == 0
            assert not (tmp_path / "ring.json").exists()
            ring["PYTHON_KEYRING_BACKEND"] = "ring.Forgetful"
            kept = run(tmp_path, "login", "--yes", stdin=KEY, VEO_BASE_URL=url, **ring)
            assert f"Saved in {file}" in kept.stdout

        await to_thread.run_sync(tries)


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "veo-mcp").write_text("a file")
    with pytest.raises(SavedKeyUnusable, match="cannot be"):
        KeyPlace(tmp_path / "veo-mcp" / "c.json").save("https://one.example", SecretStr("sk-one"))
    assert os.listdir(tmp_path) == ["veo-mcp"]


def test_the_suite_finds_and_leaves_nothing_in_the_developers_own_places(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    ours = tmp_path_factory.getbasetemp()
    here = load({})
    for place in (KeyPlace().file, Path(str(here.journal)), here.sandbox_dir):
        assert place.is_relative_to(ours), place
    elsewhere = MacOS("veo-mcp")  # the variables count there, too
    for folder in (elsewhere.user_config_dir, elsewhere.user_state_dir, elsewhere.user_data_dir):
        assert Path(folder).is_relative_to(ours), folder
    assert isinstance(keyring.get_keyring(), null.Keyring)
