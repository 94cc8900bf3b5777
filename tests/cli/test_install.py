"""Installing writes one entry, keeps everything else, and never loses a file."""

import json
from pathlib import Path

import pytest

from veo_mcp.cli.install import HOSTS, NotInstalled, config_path, merged


def test_the_entry_is_added_and_everything_else_stays() -> None:
    before = {"theme": "dark", "mcpServers": {"other": {"command": "x"}, "veo": {"env": {"VEO_API_KEY": "sk-mine"}}}}
    after = merged("cursor", before)
    assert after["theme"] == "dark"
    assert after["mcpServers"]["other"] == {"command": "x"}
    assert after["mcpServers"]["veo"]["args"] == ["-m", "veo_mcp"]
    assert after["mcpServers"]["veo"]["env"] == {"VEO_API_KEY": "sk-mine"}


def test_vscode_gets_its_own_shape() -> None:
    assert merged("vscode", {})["servers"]["veo"]["type"] == "stdio"


def test_a_file_of_another_shape_is_refused_and_left_alone() -> None:
    with pytest.raises(NotInstalled, match="Nothing was changed"):
        merged("cursor", {"mcpServers": []})


@pytest.mark.parametrize("host", [host for host in HOSTS if host != "claude-code"])
def test_every_host_has_a_place_for_its_configuration(tmp_path: Path, host: str) -> None:
    for platform in ("linux", "darwin", "win32"):
        path = config_path(host, home=tmp_path, folder=tmp_path, platform=platform, environ={})
        assert path.is_relative_to(tmp_path)
        assert path.suffix == ".json"


def test_an_unknown_host_is_named_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(NotInstalled, match="claude-desktop"):
        config_path("emacs", home=tmp_path, folder=tmp_path, platform="linux", environ={})


def test_the_examples_are_json_and_carry_no_real_key() -> None:
    for path in (Path(__file__).parent.parent / "examples").glob("*.json"):
        assert "sk-your-api-key" in path.read_text() or "${input:" in path.read_text()
        json.loads(path.read_text())
