"""Real networks: proxies, corporate certificate authorities, broken certificates, IPv6, wrong addresses.

Over real sockets on loopback, where a proxy is never used: so what goes through the proxy is called by another name,
which the proxy resolves to this machine.
"""

import ssl
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest

from tests.api.servers import CREATE, KEY, client, failure, serving
from tests.support.certificates import Authority
from tests.support.ports import free_port
from tests.support.proxy import forward_proxy
from tests.support.raw_api import TASK_ID, answer, success
from veo_mcp.api import network
from veo_mcp.errors import NotSent, Unanswered

pytestmark = pytest.mark.anyio

PASSWORD = "pr0xy-secret"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


async def test_https_goes_through_the_proxy_and_trusts_the_companys_authority(authority: Authority) -> None:
    async with serving(success(), tls=authority.server("api.example")) as server, forward_proxy() as proxy:
        environ = {"HTTPS_PROXY": proxy.url, "SSL_CERT_FILE": str(authority.bundle)}
        async with client(server.url("api.example"), environ=environ) as api:
            assert (await api.send_create(CREATE)).value == TASK_ID
        assert proxy.seen == [f"CONNECT api.example:{server.port} HTTP/1.1"]
        assert KEY.encode() not in proxy.passed


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
async def test_plain_http_is_handed_to_the_proxy_whole(variable: str) -> None:
    async with serving(success()) as server, forward_proxy(password=PASSWORD) as proxy:
        async with client(server.url("api.example"), environ={variable: proxy.url}) as api:
            assert (await api.send_create(CREATE)).value == TASK_ID
        assert proxy.seen == [f"POST http://api.example:{server.port}/v1/videos/generations HTTP/1.1"]
        assert not any("proxy-authorization" in head.lower() for head in server.requests)


async def test_a_proxys_password_opens_the_tunnel_and_is_shown_nowhere(authority: Authority) -> None:
    async with (
        serving(success(), tls=authority.server("api.example")) as server,
        forward_proxy(password=PASSWORD) as proxy,
    ):
        environ = {"https_proxy": proxy.url, "SSL_CERT_FILE": str(authority.bundle)}
        async with client(server.url("api.example"), environ=environ) as api:
            assert (await api.send_create(CREATE)).value == TASK_ID
        wrong = environ | {"https_proxy": proxy.url.replace(PASSWORD, PASSWORD + "x")}
        async with client(server.url("api.example"), environ=wrong) as api:
            error = await failure(api.send_create(CREATE))
        assert (type(error), error.code) == (NotSent, "proxy_auth")
        assert proxy.host in error.explanation
        assert PASSWORD not in error.explanation + str(error) + repr(error)


async def test_the_same_proxy_serves_the_downloads(authority: Authority, tmp_path: Path) -> None:
    video = b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\nContent-Type: video/mp4\r\n\r\n\0\0\0\x08ftyp"
    async with serving(video, tls=authority.server("files.example")) as server, forward_proxy() as proxy:
        environ = {"HTTPS_PROXY": proxy.host, "SSL_CERT_FILE": str(authority.bundle)}
        async with client("https://api.example", environ=environ) as api:
            await api.download(server.url("files.example") + "/a.mp4", tmp_path / "a.mp4")
        assert len(proxy.seen) == 1
        assert (tmp_path / "a.mp4").read_bytes() == b"\0\0\0\x08ftyp"
        assert "authorization" not in server.requests[0].lower()


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_dead_proxy_is_named_and_nothing_was_sent(scheme: str) -> None:
    dead = f"127.0.0.1:{free_port()}"
    environ = {"ALL_PROXY": f"http://me:{PASSWORD}@{dead}"}
    async with client(f"{scheme}://api.example", environ=environ) as api:
        error = await failure(api.send_create(CREATE))
    assert (type(error), error.code) == (NotSent, "proxy_down")
    assert dead in error.explanation
    assert PASSWORD not in error.explanation + str(error)


async def test_what_breaks_behind_a_proxys_tunnel_was_not_sent_either(authority: Authority) -> None:
    expired = authority.server("api.example", starts=-9, ends=-2)
    async with serving(success(), tls=expired) as server, forward_proxy() as proxy:
        environ = {"HTTPS_PROXY": proxy.url, "SSL_CERT_FILE": str(authority.bundle)}
        async with client(server.url("api.example"), environ=environ) as api:
            error = await failure(api.send_create(CREATE))
        assert (type(error), error.code) == (NotSent, "tls_expired")
        # The proxy takes the CONNECT, finds nobody there, and closes the connection.
        async with client(f"https://api.example:{free_port()}", environ=environ) as api:
            error = await failure(api.send_create(CREATE))
        assert (type(error), error.code) == (NotSent, "proxy_down")


async def test_a_proxy_that_refuses_is_distinguished_from_the_api_that_refuses() -> None:
    async with forward_proxy(refuse=403) as proxy:
        async with client("https://api.example", environ={"HTTPS_PROXY": proxy.url}) as api:
            error = await failure(api.send_create(CREATE))
        assert (type(error), error.code) == (NotSent, "proxy_refused")
        assert "403" in error.explanation


@pytest.mark.parametrize(
    "value", ["ftp://proxy:1", "http://", "http://proxy:99999", "http://pröxy:80", "socks5://127.0.0.1:1", "http://a b"]
)
async def test_a_proxy_that_is_none_is_named_by_its_variable(value: str) -> None:
    async with client("https://api.example", environ={"HTTPS_PROXY": value}) as api:
        error = await failure(api.send_create(CREATE))
    assert (type(error), error.code) == (NotSent, "proxy_not_usable")
    assert "HTTPS_PROXY" in error.explanation


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_what_is_meant_for_this_machine_never_goes_to_a_proxy(host: str) -> None:
    async with serving(success()) as server, forward_proxy() as proxy:
        async with client(server.url(host), environ={"HTTP_PROXY": proxy.url, "ALL_PROXY": proxy.url}) as api:
            assert (await api.send_create(CREATE)).value == TASK_ID
        assert proxy.seen == []


PROXIED = {"HTTPS_PROXY": "http://proxy:3128"}


@pytest.mark.parametrize(
    ("url", "rule", "through"),
    [
        ("https://api.example", "", True),
        ("https://api.example", "api.example", False),
        ("https://api.example", "example", False),
        ("https://api.example", ".example", False),
        ("https://api.example", "*.example", False),
        ("https://api.example", " other , API.example ", False),
        ("https://api.example", "*", False),
        ("https://api.example", "pi.example", True),
        ("https://api.example", "api.example:443", False),
        ("https://api.example", "api.example:8443", True),
        ("https://api.example:8443", "api.example:8443", False),
        ("https://10.1.2.3", "10.0.0.0/8", False),
        ("https://10.1.2.3", "192.168.0.0/16", True),
        ("https://10.1.2.3", "10.1.2.3", False),
        ("https://[fd00::1]", "fd00::/8", False),
        ("https://[fd00::1]", "[fd00::1]:443", False),
        ("https://[fd00::1]", "[fd00::2]", True),
        ("https://127.5.5.5", "", False),
        ("https://[::1]", "", False),
        ("https://dev.localhost", "", False),
        ("http://api.example", "", False),
        ("https://api.example", ",,", True),
    ],
)
def test_no_proxy_is_read_as_curl_reads_it(url: str, rule: str, through: bool) -> None:
    found = network.proxy_for(network.address(url), {**PROXIED, "NO_PROXY": rule})
    assert (found is not None) is through


def test_a_header_that_a_web_server_passes_on_is_no_proxy() -> None:
    target = network.address("http://api.example")
    environ = {"HTTP_PROXY": "http://evil:1", "REQUEST_METHOD": "GET"}
    assert network.proxy_for(target, environ) is None
    assert network.proxy_for(target, {"HTTP_PROXY": "http://proxy:1"}) is not None


async def test_a_good_certificate_of_a_private_authority_works_by_file_and_by_folder(authority: Authority) -> None:
    async with serving(success(), tls=authority.server("127.0.0.1")) as server:
        for environ in ({"SSL_CERT_FILE": str(authority.bundle)}, {"SSL_CERT_DIR": str(authority.folder())}):
            async with client(server.url(), environ=environ) as api:
                assert (await api.send_create(CREATE)).value == TASK_ID


BAD_CERTIFICATES: dict[str, tuple[Callable[[Authority], ssl.SSLContext], bool]] = {
    "tls_expired": (lambda authority: authority.server("127.0.0.1", starts=-9, ends=-2), True),
    "tls_not_yet_valid": (lambda authority: authority.server("127.0.0.1", starts=2, ends=9), True),
    "tls_wrong_name": (lambda authority: authority.server("other.example"), True),
    "tls_unknown_ca": (lambda authority: authority.server("127.0.0.1"), False),
}


@pytest.mark.parametrize("code", BAD_CERTIFICATES)
async def test_a_certificate_that_is_not_accepted_is_reported_with_its_reason(authority: Authority, code: str) -> None:
    make, known = BAD_CERTIFICATES[code]
    environ = {"SSL_CERT_FILE": str(authority.bundle)} if known else {}
    async with serving(success(), tls=make(authority)) as server:
        async with client(server.url(), environ=environ) as api:
            error = await failure(api.send_create(CREATE))
        assert (type(error), error.code, error.charged) == (NotSent, code, "no")
        assert "certificate" in error.explanation
        assert server.requests == []


@pytest.mark.parametrize(("file", "words"), [("missing.pem", "no such file"), ("empty.pem", "no certificate")])
async def test_a_bundle_that_cannot_be_used_is_reported_by_its_variable(tmp_path: Path, file: str, words: str) -> None:
    (tmp_path / "empty.pem").write_text("nothing here\n")
    async with client("https://127.0.0.1:1", environ={"SSL_CERT_FILE": str(tmp_path / file)}) as api:
        error = await failure(api.send_create(CREATE))
    assert (type(error), error.code) == (NotSent, "ca_file")
    assert words in error.explanation
    assert "SSL_CERT_FILE" in error.explanation


async def test_https_to_a_port_that_speaks_plain_http() -> None:
    # It answers the ClientHello of TLS in plain HTTP, as nginx does.
    words = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"
    async with _talkative(words) as port, client(f"https://127.0.0.1:{port}") as api:
        error = await failure(api.send_create(CREATE))
    assert (type(error), error.code) == (NotSent, "https_to_plain_port")


@pytest.mark.parametrize("alert", [b"\x15\x03\x03\x00\x02\x02\x46", b"\x15\x03\x01\x00\x02\x02\x0a"])
async def test_http_to_a_port_that_speaks_tls(alert: bytes) -> None:
    async with serving(alert) as server, client(server.url()) as api:
        error = await failure(api.send_create(CREATE))
    assert isinstance(error, Unanswered)
    assert error.code == "http_to_tls_port"
    assert "https://" in error.explanation


async def test_http_to_a_tls_port_that_answers_in_plain_words() -> None:
    page = b"<html><h1>400 Bad Request</h1>The plain HTTP request was sent to HTTPS port</html>"
    async with serving(answer(400, page)) as server, client(server.url()) as api:
        error = await failure(api.send_create(CREATE))
    assert (error.code, error.charged) == ("http_to_tls_port", "no")


async def test_a_server_that_has_only_an_ipv6_address(authority: Authority) -> None:
    trust = {"SSL_CERT_FILE": str(authority.bundle)}
    async with (
        serving(success(), tls=authority.server("::1"), host="::1") as server,
        client(server.url("[::1]"), environ=trust) as api,
    ):
        assert (await api.send_create(CREATE)).value == TASK_ID
        assert api.origin == f"https://[::1]:{server.port}"


NOT_SENT: dict[str, tuple[str, str, str]] = {
    "a key with a letter of no key": ("http://127.0.0.1:9", "sk-ключ", "key_not_sendable"),
    "a key with a non-breaking space": ("http://127.0.0.1:9", "sk-x\u00a0", "key_not_sendable"),
    "a key with a line end": ("http://127.0.0.1:9", "sk-x\n", "key_not_sendable"),
    "a key with a space": ("http://127.0.0.1:9", "sk- x", "key_not_sendable"),
    "no key": ("http://127.0.0.1:9", "", "key_not_sendable"),
    "a port that is none": ("http://127.0.0.1:99999", KEY, "url_not_usable"),
    "port 0": ("http://127.0.0.1:0", KEY, "url_not_usable"),
    "a carriage return": ("https://127.0.0.1:9/\r", KEY, "url_not_usable"),
    "no scheme": ("api.example", KEY, "url_not_usable"),
    "another scheme": ("ftp://api.example", KEY, "url_not_usable"),
    "a password in the URL": ("https://user:pass@api.example", KEY, "url_not_usable"),
    "a space in the URL": ("https://api.example/x y", KEY, "url_not_usable"),
    "half an IPv6 address": ("https://[::1", KEY, "url_not_usable"),
    "a host of dots": ("https://..", KEY, "url_not_usable"),
    "a host of 70,000 letters": ("https://" + "a" * 70_000, KEY, "url_not_usable"),
    "nobody listens": ("http://127.0.0.1:9", KEY, "connect_refused"),
    "a name that does not exist": ("https://nowhere.invalid", KEY, "dns"),
}


@pytest.mark.parametrize("name", NOT_SENT)
async def test_what_never_left_this_machine_is_not_charged_and_says_why(name: str) -> None:
    base_url, key, code = NOT_SENT[name]
    async with client(base_url, key=key) as api:
        error = await failure(api.send_create(CREATE))
        assert (type(error), error.code, error.charged) == (NotSent, code, "no")
        assert "pass" not in error.explanation or "password" in error.explanation
        assert (await failure(api.get_credits())).code == code
        assert "user:pass" not in api.origin + repr(api)


async def test_a_server_that_takes_no_tls_in_time_was_sent_nothing() -> None:
    async with _talkative(b"") as port, client(f"https://127.0.0.1:{port}", seconds=0.4) as api:
        error = await failure(api.send_create(CREATE))
    assert (type(error), error.code) == (NotSent, "connect_timeout")


@asynccontextmanager
async def _talkative(words: bytes) -> AsyncGenerator[int]:
    """A port that answers whatever comes with this text, or never, if there is none."""
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")

    async def serve(stream: anyio.abc.SocketStream) -> None:
        async with stream:
            await stream.receive()
            if words:
                await stream.send(words)
            else:
                await anyio.sleep_forever()

    async with listener, anyio.create_task_group() as group:
        group.start_soon(listener.serve, serve)
        yield listener.extra(anyio.abc.SocketAttribute.local_port)
        group.cancel_scope.cancel()
