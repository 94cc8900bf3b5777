"""Settings as people really write them: every variable in every spelling works, is warned about, or is refused.

`python -m tests.test_settings` prints what becomes of each, as a table in Markdown.
"""

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from veo_mcp.settings import KNOBS, Settings, load

GOOD: dict[str, tuple[str, Any]] = {
    "api_key": ("sk-good-1234", "sk-good-1234"),
    "base_url": ("https://api.example.com", "https://api.example.com"),
    "sandbox": ("true", True),
    "video_hosts": ("https://files.example.com", ("https://files.example.com",)),
    "journal": ("/tmp/veo/j.db", "/tmp/veo/j.db"),  # noqa: S108 - only parsed
    "sandbox_dir": ("/tmp/veo/s", Path("/tmp/veo/s")),  # noqa: S108 - only parsed
    "sandbox_seconds": ("2.5", 2.5),
    "public_url": ("https://veo.example.com", "https://veo.example.com"),
    "read_only": ("true", True),
    "max_credits": ("500", 500),
    "max_credits_each": ("100", 100),
    "limits": ("/tmp/veo/limits", Path("/tmp/veo/limits")),  # noqa: S108 - only parsed
    "confirm_above": ("50", 50),
    "repeat_seconds": ("60", 60.0),
    "save_dir": ("/tmp/veo/v", Path("/tmp/veo/v")),  # noqa: S108 - only parsed
    "image_dirs": (
        os.pathsep.join(("/tmp/veo/a b", "/tmp/veo/c")),  # noqa: S108 - only parsed
        (Path("/tmp/veo/a b"), Path("/tmp/veo/c")),  # noqa: S108 - only parsed
    ),
    "uploads": ("s3://my-films/veo", "s3://my-films/veo"),
    "max_video_mb": ("300", 300),
    "transport": ("http", "http"),
    "host": ("localhost", "localhost"),
    "port": ("9000", 9000),
    "access_tokens": ("/tmp/veo/tokens", Path("/tmp/veo/tokens")),  # noqa: S108 - only parsed
    "oauth_issuer": ("https://id.example.com/realm/", "https://id.example.com/realm/"),
    "oauth_audience": ("veo", "veo"),
    "allowed_hosts": ("veo.example.com", ("veo.example.com",)),
    "allowed_origins": ("https://app.example.com", ("https://app.example.com",)),
    "trusted_proxies": ("10.0.0.0/8", ("10.0.0.0/8",)),
    "http_stateless": ("yes", True),
    "caller_keys": ("yes", True),
    "rate_limit": ("60", 60),
    "max_sessions": ("10", 10),
    "log_level": ("DEBUG", "DEBUG"),
    "log_format": ("json", "json"),
}
ANY_CASE = {
    "caller_keys",
    "sandbox",
    "http_stateless",
    "read_only",
    "transport",
    "host",
    "log_level",
    "log_format",
    "allowed_hosts",
    "allowed_origins",
}
QUOTED = {
    *("api_key", "base_url", "public_url", "video_hosts", "uploads"),
    *("allowed_hosts", "allowed_origins", "trusted_proxies", "oauth_issuer", "oauth_audience"),
}
HTTP_ONLY = {
    *("port", "host", "public_url", "access_tokens", "allowed_hosts", "allowed_origins", "trusted_proxies"),
    *("rate_limit", "max_sessions", "oauth_issuer", "oauth_audience", "http_stateless"),
    "caller_keys",
}
SHOWN = {"image_dirs", "video_hosts", "allowed_hosts", "allowed_origins", "trusted_proxies"}
COSMETIC = {"sandbox_seconds", "log_level", "log_format"}
NONSENSE = "not this; at all"


def read(name: str, text: str) -> Settings:
    environ = {f"VEO_{name.upper()}": text}
    if name in HTTP_ONLY:
        environ["VEO_TRANSPORT"] = "http"
    pairs = (("oauth_issuer", "oauth_audience"), ("image_dirs", "uploads"))
    for one, other in (*pairs, *((other, one) for one, other in pairs)):
        if name == one and text.strip() and not text.startswith("${"):
            environ[f"VEO_{other.upper()}"] = GOOD[other][0]
    if name == "base_url":
        environ["VEO_API_KEY"] = "sk-x"
    return load(environ)


def value(settings: Settings, name: str) -> Any:
    found = getattr(settings, name)
    return found.get_secret_value() if name == "api_key" and found is not None else found


def test_every_setting_stands_in_the_table_once() -> None:
    names = [knob.name for knob in KNOBS]
    assert sorted(names) == sorted(set(names))


def test_every_setting_has_a_row_here() -> None:
    assert set(GOOD) == {knob.name for knob in KNOBS}


SPELLINGS = ("plain", "lower", "upper", "spaces", "quotes", "empty", "unfilled", "nonsense")


def spelt(name: str, spelling: str) -> str:
    plain = GOOD[name][0]
    return {
        "plain": plain,
        "lower": plain.lower(),
        "upper": plain.upper(),
        "spaces": f"  {plain}\t\n",
        "quotes": f'"{plain}"',
        "empty": "   ",
        "unfilled": "${" + name.upper() + "}",
        "nonsense": NONSENSE,
    }[spelling]


def became(name: str, spelling: str) -> str:
    """One word for what the settings make of it."""
    settings = read(name, spelt(name, spelling))
    if any(message.startswith(f"VEO_{name.upper()} ") for message in settings.problems):
        return "refused"
    if any(f"VEO_{name.upper()} " in message for message in settings.warnings):
        return "warned"
    return "works" if value(settings, name) != value(load({}), name) else "default"


def table() -> str:
    lines = ["| variable | " + " | ".join(SPELLINGS) + " |", "|---" * (1 + len(SPELLINGS)) + "|"]
    for name in GOOD:
        cells = [f"`VEO_{name.upper()}`", *(became(name, each) for each in SPELLINGS)]
        lines += ["| " + " | ".join(cells) + " |"]
    return "\n".join(lines) + "\n"


def test_the_table_has_a_word_for_every_variable_in_every_spelling() -> None:
    rows = table().splitlines()[2:]
    assert len(rows) == len(KNOBS)
    for row in rows:
        words = row.split(" | ")[1:]
        assert len(words) == len(SPELLINGS)
        assert words[SPELLINGS.index("nonsense")].strip(" |") in ("refused", "warned"), row
        assert words[SPELLINGS.index("unfilled")] == "warned", row
        assert words[SPELLINGS.index("empty")] == "default", row
        assert words[SPELLINGS.index("spaces")] == words[0], row


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_setting_works_is_warned_about_or_is_refused(name: str, spelling: str) -> None:
    wanted = GOOD[name][1]
    default = value(load({}), name)
    text = spelt(name, spelling)
    settings = read(name, text)
    match spelling:
        case "plain" | "spaces":
            assert (value(settings, name), settings.problems) == (wanted, ())
        case "lower" | "upper" if name in ANY_CASE:
            assert (value(settings, name), settings.problems) == (wanted, ())
        case "quotes" if name in QUOTED:
            assert (value(settings, name), settings.problems) == (wanted, ())
        case "empty":
            assert (value(settings, name), settings.problems) == (default, ())
        case "unfilled":
            assert value(settings, name) == default
            assert settings.problems == ()
            assert any("did not fill it in" in warning for warning in settings.warnings)
        case "nonsense" | "quotes":
            assert value(settings, name) == default
            said = settings.warnings if name in COSMETIC else settings.problems
            assert any(message.startswith(f"VEO_{name.upper()} ") for message in said), (said, settings)
            assert NONSENSE not in " ".join(said) or name in SHOWN
        case _:
            pass  # the case of a key, a path or a number is part of its value


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("sk-go od", "U+0020"),
        ("sk-\u00a0good", "U+00A0"),
        ("sk-good\u200b", "U+200B"),
        ("sk-g\u043e\u043ed", "U+043E"),
        ("Bearer sk-good", "U+0020"),
        ("good", "does not start with sk-"),
    ],
)
def test_a_key_that_no_api_would_take_is_named_without_being_shown(text: str, words: str) -> None:
    problem = " ".join(load({"VEO_API_KEY": text}).problems)
    assert words in problem
    assert "good" not in problem
    assert "od" not in problem.replace("does", "")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("https://api.example.com/v1", "must end after the host, without “/v1”"),
        ("https://user:s3cret@host", "must not contain a user name"),
        ("https://user:s3cret@host/x y", "contains a space"),
        ("https://host:99999", "invalid host or port"),
        ("https://host\r", None),
        ("https://ho\rst", "contains a space"),
        ("ftp://host", "begins with http"),
        ("api.example.com", "begins with http"),
        ("https://", "has no host"),
        ("https://api.example.com/", None),
        ("HTTPS://API.example.com", None),
        ("http://[::1]:8700", None),
    ],
)
def test_a_url_is_parsed_and_not_matched_by_its_beginning(text: str, words: str | None) -> None:
    settings = load({"VEO_BASE_URL": text, "VEO_API_KEY": "sk-x"})
    if words is None:
        assert settings.problems == ()
        assert settings.base_url is not None
        assert not settings.base_url.endswith("/")
    else:
        assert words in " ".join(settings.problems)
        assert "s3cret" not in " ".join(settings.problems)


@pytest.mark.parametrize("text", ["1.000", "1,000", "1e3", "1_000", "²", "ten", "-1", "10 credits", "0x10"])
def test_a_limit_that_could_be_read_two_ways_is_refused(text: str) -> None:
    settings = load({"VEO_MAX_CREDITS": text})
    assert settings.max_credits is None
    assert settings.problems[0].startswith("VEO_MAX_CREDITS is not usable: it must be ")


@pytest.mark.parametrize(
    "text", ["j.db", "./j.db", "$HOME/j.db", "${HOME}/j.db", ":memory:", "~nobody-here/j.db", "a\0b"]
)
def test_a_path_that_would_lie_somewhere_unforeseen_is_refused(text: str) -> None:
    assert load({"VEO_JOURNAL": text}).problems


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://veo:hunter2@db.example:5432/veo", "postgresql://veo@db.example:5432/veo"),
        ("postgres://veo:hunter2@db.example/veo", "postgresql://veo@db.example/veo"),
        ("PostgreSQL://db.example/veo", "postgresql://db.example/veo"),
        ("postgresql://veo@/veo?host=/run/pg&password=hunter2", "postgresql://veo@/veo?host=/run/pg"),
        ("postgresql:///veo?host=/run/pg", "postgresql:///veo?host=/run/pg"),
        ("postgresql://u:hunter2@one:5432,two:5433/veo", "postgresql://u@one:5432,two:5433/veo"),
        ("postgresql://u:hunter2@[::1]:5432/veo", "postgresql://u@[::1]:5432/veo"),
    ],
)
def test_a_journal_in_postgresql_is_shown_without_its_password(text: str, shown: str) -> None:
    settings = load({"VEO_JOURNAL": text})
    assert not settings.problems
    assert settings.shown("journal") == str(settings.journal) == shown
    assert "hunter2" not in repr(settings)


@pytest.mark.parametrize(
    "text",
    [
        "postgresql:veo:hunter2@db.example/veo",
        "postgresql://veo:hunter2 @db.example/veo",
        "postgresql://veo:hun#ter2@db.example/veo",
        "postgresql://veo:hun/ter2@db.example/veo",
        "postgresql://veo:hunter2@db.example:port/veo",
        "mysql://veo:hunter2@db.example/veo",
    ],
)
def test_an_address_that_is_none_is_refused_without_repeating_it(text: str) -> None:
    (problem,) = load({"VEO_JOURNAL": text}).problems
    assert "VEO_JOURNAL is not usable: it " in problem
    assert "hun" not in problem
    assert "ter2" not in problem


def test_a_tilde_is_the_home_folder_and_a_flag_counts_from_the_current_one() -> None:
    assert load({"VEO_JOURNAL": "~/j.db"}).journal == str(Path.home() / "j.db")
    assert load({}, journal="j.db").journal == str(Path.cwd() / "j.db")


def test_a_misspelt_variable_is_warned_about_with_the_nearest_name() -> None:
    assert load({"VEO_MAX_CREDIT": "10"}).warnings == (
        "VEO_MAX_CREDIT is not a setting of veo-mcp and changes nothing. Did you mean VEO_MAX_CREDITS?",
    )


def test_the_sandbox_wins_over_a_key_and_says_so() -> None:
    settings = load({"VEO_SANDBOX": "TRUE", "VEO_API_KEY": "sk-real"})
    assert settings.embedded
    assert any("although a key is set" in warning for warning in settings.warnings)


def test_no_key_of_ours_is_sent_to_an_api_that_was_set_by_hand() -> None:
    settings = load({"VEO_BASE_URL": "https://api.example.com"})
    assert not settings.embedded
    assert "VEO_BASE_URL is set, but no key for that API." in settings.problems[0]


def test_plain_http_to_another_machine_is_warned_about_and_loopback_is_not() -> None:
    assert "unencrypted" in " ".join(load({"VEO_BASE_URL": "http://api.example.com", "VEO_API_KEY": "sk-x"}).warnings)
    for local in ("http://127.0.0.1:8700", "http://localhost:8700", "http://[::1]:8700"):
        assert not load({"VEO_BASE_URL": local, "VEO_API_KEY": "sk-x"}).warnings


@pytest.mark.parametrize("text", ["https://*.com", "https://*", "*", "https://a b", "https://a;b", "javascript:x"])
def test_a_video_host_that_would_let_others_in_is_refused(text: str) -> None:
    assert load({"VEO_VIDEO_HOSTS": text}).problems


def test_a_star_stands_for_names_below_a_domain() -> None:
    assert load({"VEO_VIDEO_HOSTS": "https://*.example.com, https://b.example:8443/"}).video_hosts == (
        "https://*.example.com",
        "https://b.example:8443",
    )


def test_what_stdio_does_not_use_is_only_warned_about() -> None:
    settings = load({"VEO_PORT": "80000", "VEO_HOST": "what is this"})
    assert settings.problems == ()
    assert len(settings.warnings) == 2
    assert load({"VEO_PORT": "80000"}, transport="http").problems


def test_every_value_knows_where_it_came_from() -> None:
    settings = load({"VEO_MAX_CREDITS": "5", "AIVIDEOAPI_API_KEY": "sk-abcdefgh-0123456789"}, port=9)
    assert settings.sources == {
        "max_credits": "VEO_MAX_CREDITS",
        "api_key": "AIVIDEOAPI_API_KEY",
        "port": "flag --port",
    }
    assert settings.shown("api_key") == "sk-…6789"
    assert "abcd" not in repr(settings)


def test_loading_never_raises_whatever_the_environment_holds() -> None:
    for knob in KNOBS:
        for text in ("\ud800", "\0", "~", "[", "https://[", "1" * 400, os.sep * 3, "😀", "https://:0"):
            load({knob.variable: text})


def test_pictures_need_both_settings() -> None:
    for given in ({"VEO_IMAGE_DIRS": "/tmp/veo"}, {"VEO_UPLOADS": "s3://films"}):  # noqa: S108 - only parsed
        settings = load(given)
        assert settings.problems == ()
        assert any("changes nothing without" in warning for warning in settings.warnings)
    assert load({"VEO_IMAGE_DIRS": "/tmp/veo", "VEO_UPLOADS": "s3://films/a/"}).warnings == ()  # noqa: S108


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("IMAGE_DIRS", "/"),
        ("IMAGE_DIRS", f"/home{os.pathsep}pictures"),
        ("IMAGE_DIRS", "/home/../"),
        ("UPLOADS", "films"),
        ("UPLOADS", "https://films.s3.amazonaws.com"),
        ("UPLOADS", "s3://key:secret@films"),
        ("UPLOADS", "s3://films/../others"),
        ("UPLOADS", "s3://films?endpoint=http://elsewhere"),
    ],
)
def test_folders_and_buckets_that_would_open_too_much_stop_the_tools(name: str, text: str) -> None:
    settings = load({"VEO_IMAGE_DIRS": "/home/me", "VEO_UPLOADS": "s3://films", f"VEO_{name}": text})
    assert any(f"VEO_{name}" in problem for problem in settings.problems)
    assert "secret" not in str(settings.problems)


if __name__ == "__main__":
    sys.stdout.write(table())
