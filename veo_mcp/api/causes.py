"""Why a call on the API, or a download, brought no result: each cause with its code, what happened and what to change.

Raised by the rest of this folder; listed in docs/errors.md by scripts/error_table.py. Words on credits are not said
here: the error's class knows them. Holds no foreign text but what is filled in, which must be clean. Pure.
"""

from dataclasses import dataclass

from veo_mcp.errors import ApiError, BadAnswer, DownloadFailed, InternalError, NotSent, Refused

__all__ = ["ALL", "LASTING", "Cause"]


@dataclass(frozen=True, slots=True)
class Cause:
    """One row of the table.

    Attributes:
        code: stable; programs may rely on it.
        kind: the error that it is raised as, unless the answer's status proves another.
        happened: one sentence; `{host}` and the like are filled in.
        change: what a person can do about it.
    """

    code: str
    kind: type[ApiError]
    happened: str
    change: str

    def error(
        self,
        message: str = "",
        *,
        words: str = "",
        kind: type[ApiError] | None = None,
        http_status: int | None = None,
        retry_after: float | None = None,
        **filled: object,
    ) -> ApiError:
        """The error to raise. Its message is `message`, or what happened."""
        happened = self.happened.format(**filled)
        return (kind or self.kind)(
            message or happened.rstrip("."),
            explanation=f"{happened} {self.change.format(**filled)}",
            code=self.code,
            words=words,
            http_status=http_status,
            retry_after=retry_after,
        )


_NETWORK = "Check the network connection, and VEO_BASE_URL if you set it."

# Nothing left this machine.
KEY_NOT_SENDABLE = Cause(
    "key_not_sendable",
    NotSent,
    "The API key cannot be sent: {why}.",
    "Copy the key again into VEO_API_KEY, without quotes, spaces or line ends.",
)
URL_NOT_USABLE = Cause(
    "url_not_usable",
    NotSent,
    "VEO_BASE_URL is not an address that can be called: {why}.",
    "Set it in the form https://api.aivideoapi.ai, or leave it out.",
)
DNS = Cause(
    "dns",
    NotSent,
    "The name {host} could not be looked up (DNS).",
    "Check the network connection, and VEO_BASE_URL for a typo; if the internet is reached only through a proxy, set "
    "HTTPS_PROXY.",
)
CONNECT_REFUSED = Cause(
    "connect_refused",
    NotSent,
    "{host} refused the connection: nothing listens on that port, or a firewall rejects it.",
    "Check VEO_BASE_URL, port included, and that the service is running.",
)
CONNECT_TIMEOUT = Cause(
    "connect_timeout",
    NotSent,
    "{host} did not accept the connection in time.",
    f"{_NETWORK} A firewall may be dropping the packets; if the internet is reached only through a proxy, set "
    "HTTPS_PROXY.",
)
UNREACHABLE = Cause(
    "unreachable",
    NotSent,
    "This machine has no route to {host}.",
    _NETWORK,
)
CONNECT_FAILED = Cause(
    "connect_failed",
    NotSent,
    "The connection to {host} could not be opened.",
    _NETWORK,
)
BUSY = Cause(
    "busy",
    NotSent,
    "Too many requests of this server are under way at once.",
    "Try again in a minute.",
)
TLS_EXPIRED = Cause(
    "tls_expired",
    NotSent,
    "The certificate of {host} has expired, so the connection was not used.",
    "Check this machine's clock; if it is right, the operator of {host} must renew the certificate.",
)
TLS_NOT_YET_VALID = Cause(
    "tls_not_yet_valid",
    NotSent,
    "The certificate of {host} is not valid yet, so the connection was not used.",
    "Check this machine's clock, which is most likely behind.",
)
TLS_UNKNOWN_CA = Cause(
    "tls_unknown_ca",
    NotSent,
    "The certificate of {host} is self-signed, or signed by a certificate authority that this machine does not "
    "trust, so the connection was not used.",
    "Behind a company's inspecting proxy, set SSL_CERT_FILE to the company's CA bundle (PEM); anywhere else, stop: "
    "the connection may be intercepted.",
)
TLS_WRONG_NAME = Cause(
    "tls_wrong_name",
    NotSent,
    "The certificate that {host} showed was issued for another name, so the connection was not used.",
    "Set VEO_BASE_URL to the name in the certificate; the sign-in page of a public network can cause this, too.",
)
TLS_FAILED = Cause(
    "tls_failed",
    NotSent,
    "No secure connection to {host} could be established ({why}).",
    "Check VEO_BASE_URL; something in between, such as a firewall or an old proxy, may be breaking TLS.",
)
HTTPS_TO_PLAIN_PORT = Cause(
    "https_to_plain_port",
    NotSent,
    "{host} was called over https, but speaks plain HTTP on this port.",
    "Correct the port in VEO_BASE_URL, or, for a server on this machine only, the scheme to http.",
)
CA_FILE = Cause(
    "ca_file",
    NotSent,
    "SSL_CERT_FILE or SSL_CERT_DIR cannot be used: {why}.",
    "Point it to a readable bundle of certificates in PEM form, or unset it.",
)
PROXY_NOT_USABLE = Cause(
    "proxy_not_usable",
    NotSent,
    "The proxy in {variable} cannot be used: {why}.",
    "Set it in the form http://host:port, or add the API's host to NO_PROXY.",
)
PROXY_DOWN = Cause(
    "proxy_down",
    NotSent,
    "The proxy {proxy} could not be reached ({why}).",
    "Check HTTPS_PROXY, HTTP_PROXY and ALL_PROXY, or add the API's host to NO_PROXY.",
)
PROXY_AUTH = Cause(
    "proxy_auth",
    NotSent,
    "The proxy {proxy} requires a user name and password (407).",
    "Put them into HTTPS_PROXY, as http://user:password@host:port, with special characters percent-encoded.",
)
PROXY_REFUSED = Cause(
    "proxy_refused",
    NotSent,
    "The proxy {proxy} refused to connect to {host} ({why}).",
    "Ask the proxy's administrator to allow {host}, or add it to NO_PROXY if it can be reached directly.",
)

# It was sent, and what came back is not the API's answer.
TIMEOUT = Cause(
    "timeout",
    BadAnswer,
    "{host} accepted the request, but no complete answer came in time.",
    "The API may be slow or overloaded; check again later.",
)
CONNECTION_LOST = Cause(
    "connection_lost",
    BadAnswer,
    "The connection to {host} broke before the answer was complete ({why}).",
    "Check whether the network is stable.",
)
HTTP_TO_TLS_PORT = Cause(
    "http_to_tls_port",
    BadAnswer,
    "{host} was called over http and did not answer in HTTP: most likely it speaks TLS on this port.",
    "Write https:// in VEO_BASE_URL.",
)
REDIRECT = Cause(
    "redirect",
    BadAnswer,
    "{host} answered with a redirect to {to}; redirects are not followed, because the key would be sent along.",
    "Set VEO_BASE_URL to the address that is redirected to; if that is a sign-in page, sign in first.",
)
LOGIN_PAGE = Cause(
    "login_page",
    BadAnswer,
    "A web page came instead of the API's answer, such as the sign-in page of a network or a company.",
    "Open any website in a browser and sign in, or check VEO_BASE_URL.",
)
BASE_URL_PATH = Cause(
    "base_url_path",
    BadAnswer,
    "{host} has no such address, and VEO_BASE_URL ends in the path {path}.",
    "Leave the path out of VEO_BASE_URL: /v1/… is added to it.",
)
NO_SUCH_PAGE = Cause(
    "no_such_page",
    Refused,
    "{host} has no such address ({status}), and the answer is not in the Veo API's form.",
    "Check VEO_BASE_URL: it most likely names another service.",
)
CLOUDFLARE = Cause(
    "cloudflare",
    BadAnswer,
    "Cloudflare, in front of {host}, blocked the request ({why}); the key is not the cause.",
    "Try from another network, without a VPN; if it persists, ask the provider to let this machine's address through.",
)
FORBIDDEN_PAGE = Cause(
    "forbidden_page",
    Refused,
    "Something in front of {host}, such as a firewall or gateway, refused the request (403), not the Veo API itself.",
    "Ask the network's administrator, or try from another network.",
)
BLOCKED_BY_LAW = Cause(
    "blocked_by_law",
    BadAnswer,
    "{host} may not answer here for legal reasons (451).",
    "The service is blocked in this country or network; ask the provider.",
)
PROXY_AUTH_PAGE = Cause(
    "proxy_auth_page",
    BadAnswer,
    "A proxy on the way to {host} requires a user name and password (407).",
    "Put them into HTTP_PROXY and HTTPS_PROXY, as http://user:password@host:port.",
)
GATEWAY = Cause(
    "gateway",
    BadAnswer,
    "A gateway in front of {host} answered {status}: the API behind it was too slow, down or overloaded.",
    "Check again in a few minutes.",
)
UNEXPECTED_STATUS = Cause(
    "unexpected_status",
    BadAnswer,
    "{host} answered {status}, which the Veo API does not document.",
    "Check VEO_BASE_URL; if it is right, check again later.",
)
COMPRESSED = Cause(
    "compressed",
    BadAnswer,
    "The answer is compressed as {coding}, which was not asked for and cannot be read.",
    "A proxy or gateway modifies the answers; ask its administrator to leave them unchanged.",
)
DAMAGED = Cause(
    "damaged",
    BadAnswer,
    "The compressed answer is truncated or damaged.",
    "A proxy or gateway modifies the answers; check whether the network is stable.",
)
TOO_LARGE = Cause(
    "too_large",
    BadAnswer,
    "The answer is larger than 1 MiB, which no answer of the Veo API is.",
    "Check VEO_BASE_URL: it most likely names another service.",
)
NOT_JSON = Cause(
    "not_json",
    BadAnswer,
    "The answer is not JSON.",
    "Check VEO_BASE_URL; if it is right, something in between modifies the answers.",
)
WRONG_SHAPE = Cause(
    "wrong_shape",
    BadAnswer,
    "The answer is not in the documented shape.",
    "Check VEO_BASE_URL; if it is right, the API has changed: look for a newer version of veo-mcp.",
)
CODE_NOT_200 = Cause(
    "code_not_200",
    InternalError,
    "The API answered HTTP 200 with the code {found} inside.",
    "That is an error of the API itself; check again later.",
)
NO_TASK_ID = Cause(
    "no_task_id",
    BadAnswer,
    "The API accepted the request but named no task.",
    "The provider's website shows whether a video is being made.",
)
ODD_TASK_ID = Cause(
    "odd_task_id",
    BadAnswer,
    "The API gave the task an id that cannot be one ({found}).",
    "The provider's website shows whether a video is being made.",
)
ID_IN_ERROR = Cause(
    "id_in_error",
    BadAnswer,
    "The API answered with an error ({status}) that nevertheless names a task ({found}).",
    "The task may exist; look it up by that id.",
)

# A download.
VIDEO_URL = Cause(
    "video_url",
    DownloadFailed,
    "The video's address is not a secure one that can be fetched ({why}).",
    "Nothing was fetched; ask the provider for an https address.",
)
VIDEO_GONE = Cause(
    "video_gone",
    DownloadFailed,
    "The video's host {host} has no such file ({status}).",
    "The API named a file that does not exist: check again in a few minutes, then ask the provider.",
)
VIDEO_FORBIDDEN = Cause(
    "video_forbidden",
    DownloadFailed,
    "The video's host {host} refuses to serve the file ({status}); it is never sent the API key.",
    "The link may have expired: ask for the task again, and download from the new link.",
)
VIDEO_HOST = Cause(
    "video_host",
    DownloadFailed,
    "The video's host {host} answered {status}.",
    "Run the download again in a few minutes.",
)
VIDEO_REDIRECT = Cause(
    "video_redirect",
    DownloadFailed,
    "The video's host {host} redirects to {to}, which is not followed: {why}.",
    "Ask the provider; the file was not fetched.",
)
VIDEO_UNREACHABLE = Cause(
    "video_unreachable",
    DownloadFailed,
    "The video's host could not be reached. {why}",
    "The task and its link are not affected; run the download again.",
)
VIDEO_CUT = Cause(
    "video_cut",
    DownloadFailed,
    "The download from {host} ended early ({why}).",
    "Run it again to resume from there.",
)
VIDEO_NOT_A_VIDEO = Cause(
    "video_not_a_video",
    DownloadFailed,
    "{host} sent {what} instead of a video.",
    "It was not kept. A network's sign-in page or an expired link can be the cause; open the link in a browser.",
)
VIDEO_TOO_LARGE = Cause(
    "video_too_large",
    DownloadFailed,
    "The video is larger than the limit of {limit} MB for a download.",
    "It was not kept; raise VEO_MAX_VIDEO_MB, or open the link in a browser.",
)
VIDEO_CHANGING = Cause(
    "video_changing",
    DownloadFailed,
    "The file at {host} does not match the part that was downloaded, not even from the beginning.",
    "The part was discarded; run the download again.",
)

ALL: tuple[Cause, ...] = tuple(value for value in list(globals().values()) if isinstance(value, Cause))
"""Every cause, in the order of this file."""

LASTING = frozenset(
    cause.code
    for cause in (
        KEY_NOT_SENDABLE,
        URL_NOT_USABLE,
        TLS_EXPIRED,
        TLS_NOT_YET_VALID,
        TLS_UNKNOWN_CA,
        TLS_WRONG_NAME,
        HTTPS_TO_PLAIN_PORT,
        HTTP_TO_TLS_PORT,
        CA_FILE,
        PROXY_NOT_USABLE,
        PROXY_AUTH,
        PROXY_AUTH_PAGE,
        BASE_URL_PATH,
        REDIRECT,
        BLOCKED_BY_LAW,
    )
)
"""The codes of causes that a retry within seconds would hit again."""
