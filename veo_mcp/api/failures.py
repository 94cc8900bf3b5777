"""From an exception of the network to its cause: which certificate, which name, which proxy.

Called by transport.py, which alone knows the HTTP library: here an error is classified by the standard library's errors
in its chain. Pure.
"""

import errno
import re
import socket
import ssl
from collections.abc import Iterator
from typing import cast

from veo_mcp.api import causes
from veo_mcp.api.network import Proxy
from veo_mcp.errors import ApiError

__all__ = ["connect_failure", "lost", "proxy_failure"]

# Numbers of OpenSSL's X509_V_ERR_…, which the ssl module has no names for.
_EXPIRED, _NOT_YET, _NAMES = {10}, {9}, {62, 64}
_UNKNOWN = {2, 18, 19, 20, 21}
_UNREACHABLE = {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL}
# What h11 says of an answer that begins with a control character and has no end of line, as an alert of TLS does.
_TLS_ALERT = "illegal request line"
_ENDED = {
    "RemoteProtocolError": "the other side closed it",
    "ReadError": "it was cut while the answer was read",
    "WriteError": "it was cut while the request was sent",
    "CloseError": "it was cut",
}


def connect_failure(error: BaseException, host: str, *, proxy: Proxy | None, tunnelled: bool) -> ApiError:
    """Why no connection came about.

    Args:
        host: the target's, as it may be shown.
        proxy: the one in use, if any.
        tunnelled: whether the proxy had already opened its tunnel, so that what failed is the target's TLS.
    """
    # An unfinished handshake shows as an SSLWantReadError behind the time-out that ended it.
    chain = [fault for fault in _chain(error) if not isinstance(fault, ssl.SSLWantReadError | ssl.SSLWantWriteError)]
    if proxy is not None and not tunnelled:
        return causes.PROXY_DOWN.error(proxy=proxy.host, why=_why(chain))
    for fault in chain:
        if isinstance(fault, ssl.SSLCertVerificationError):
            return _certificate(fault, host)
        if isinstance(fault, ssl.SSLError):
            # Read from the reason, because the class is the same for all.
            if "WRONG_VERSION_NUMBER" in str(fault) or "HTTP_REQUEST" in str(fault) or "RECORD_LAYER" in str(fault):
                return causes.HTTPS_TO_PLAIN_PORT.error(host=host)
            return causes.TLS_FAILED.error(host=host, why=(fault.reason or "no reason given").lower().replace("_", " "))
        if isinstance(fault, socket.gaierror):
            return causes.DNS.error(host=host)
        if isinstance(fault, ConnectionRefusedError):
            return causes.CONNECT_REFUSED.error(host=host)
        if isinstance(fault, TimeoutError):
            return causes.CONNECT_TIMEOUT.error(host=host)
        if isinstance(fault, OSError) and fault.errno in _UNREACHABLE:
            return causes.UNREACHABLE.error(host=host)
    return causes.CONNECT_FAILED.error(host=host)


def proxy_failure(error: BaseException, host: str, proxy: Proxy) -> ApiError:
    """Why a proxy opened no tunnel; the library's words begin with the proxy's status."""
    status = re.match(r"\d{3}", str(error))
    if status and status[0] == "407":
        return causes.PROXY_AUTH.error(proxy=proxy.host)
    return causes.PROXY_REFUSED.error(proxy=proxy.host, host=host, why=status[0] if status else "without a status")


def lost(error: BaseException, host: str, *, plain: bool) -> ApiError:
    """Why a connection that had been opened brought no complete answer; `plain` if it was plain HTTP."""
    if plain and str(error) == _TLS_ALERT:
        return causes.HTTP_TO_TLS_PORT.error(host=host)
    return causes.CONNECTION_LOST.error(
        host=host, why=_ENDED.get(type(error).__name__, "it ended")
    )  # class names mean nothing to a person


def _certificate(fault: ssl.SSLCertVerificationError, host: str) -> ApiError:
    code = fault.verify_code
    if code in _EXPIRED:
        return causes.TLS_EXPIRED.error(host=host)
    if code in _NOT_YET:
        return causes.TLS_NOT_YET_VALID.error(host=host)
    if code in _NAMES:
        return causes.TLS_WRONG_NAME.error(host=host)
    if code in _UNKNOWN:
        return causes.TLS_UNKNOWN_CA.error(host=host)
    return causes.TLS_FAILED.error(host=host, why=f"its certificate was not accepted, reason {code}")


def _why(chain: list[BaseException]) -> str:
    for fault in chain:
        if isinstance(fault, ssl.SSLError):
            return "its TLS failed"
        if isinstance(fault, socket.gaierror):
            return "its name could not be looked up"
        if isinstance(fault, ConnectionRefusedError):
            return "it refused the connection"
        if isinstance(fault, TimeoutError):
            return "it did not answer in time"
    return "the connection failed"


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and all that led to it, groups included; anyio puts one error per address tried into a group."""
    waiting, seen = [error], set[int]()
    while waiting:
        fault = waiting.pop(0)
        if id(fault) in seen:
            continue
        seen.add(id(fault))
        yield fault
        if isinstance(fault, BaseExceptionGroup):
            waiting.extend(cast("BaseExceptionGroup[BaseException]", fault).exceptions)
        waiting.extend(cause for cause in (fault.__cause__, fault.__context__) if cause is not None)
