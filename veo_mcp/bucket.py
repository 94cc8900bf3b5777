"""A bucket of an S3-compatible service that hands pictures to the API: put, link for 24 h, delete.

Used by tasks/pictures.py and `veo-mcp check`; the only file that imports obstore (extra `uploads`). Credentials, region
and endpoint are the usual AWS_* variables, read by obstore itself. Everything here blocks, for seconds at most: call it
in a thread. Failures are worded here, without keys or links.
"""

import os
import re
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from veo_mcp.text import clean

if TYPE_CHECKING:
    from obstore.store import ClientConfig, S3Store

__all__ = ["LINK_SECONDS", "Bucket", "BucketTrouble", "missing"]

LINK_SECONDS = 86_400.0
REQUEST_SECONDS = 12
CONNECT_SECONDS = 5
TRIES_SECONDS = 8
ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")


class BucketTrouble(Exception):
    """One sentence on why the bucket did not do it.

    Attributes:
        denied: the credentials do not permit it, so that trying again is of no use.
    """

    def __init__(self, words: str, *, denied: bool = False) -> None:
        super().__init__(words)
        self.denied = denied


def missing() -> str | None:
    """What must be installed before a bucket can be used, as a sentence; None where nothing is missing."""
    if all(find_spec(name) is not None for name in ("obstore", "PIL")):
        return None
    return "VEO_UPLOADS needs two libraries that are not installed. Run: pip install 'veo-mcp[uploads]'."


class Bucket:
    """What lies below one address.

    Args:
        address: such as s3://bucket/prefix.
        config: options for obstore beside the environment, such as the endpoint of a test's own service.
    """

    def __init__(
        self, address: str, *, config: Mapping[str, Any] | None = None, environ: Mapping[str, str] = os.environ
    ) -> None:
        self.address = address.rstrip("/")
        self._config = dict(config or {})
        endpoint = self._config.get("endpoint") or next((environ[name] for name in ENDPOINTS if environ.get(name)), "")
        # Unencrypted only where the operator has named an address that is.
        self._plain_http = endpoint.startswith("http://")
        self._stores: dict[str, S3Store] = {}

    def put(self, address: str, data: bytes, kind: str) -> str:
        """Puts a file there; a link that opens it for 24 h. Raises BucketTrouble."""
        import obstore

        store, key = self._store(address)
        with _explained(self._bucket(address)):
            obstore.put(store, key, data, attributes={"Content-Type": kind}, use_multipart=False)
            return obstore.sign(store, "GET", key, timedelta(seconds=LINK_SECONDS))

    def delete(self, address: str) -> None:
        """Takes a file away; one that is not there is no trouble. Raises BucketTrouble."""
        import obstore

        store, key = self._store(address)
        with _explained(self._bucket(address)):
            try:
                obstore.delete(store, key)
            except FileNotFoundError as gone:
                if "NoSuchBucket" in str(gone):
                    raise

    @staticmethod
    def _bucket(address: str) -> str:
        return address.removeprefix("s3://").partition("/")[0]

    def _store(self, address: str) -> "tuple[S3Store, str]":
        """The bucket that an address lies in, which may be another one than it was when the file was put there."""
        from obstore.store import S3Store

        name, _, key = address.removeprefix("s3://").partition("/")
        if name not in self._stores:
            client: ClientConfig = {
                "timeout": f"{REQUEST_SECONDS}s",
                "connect_timeout": f"{CONNECT_SECONDS}s",
                "allow_http": self._plain_http,
            }
            with _explained(name):
                self._stores[name] = S3Store(
                    name,
                    client_options=client,
                    retry_config={"max_retries": 2, "retry_timeout": timedelta(seconds=TRIES_SECONDS)},
                    **self._config,
                )
        return self._stores[name], key


@contextmanager
def _explained(bucket: str) -> Generator[None]:
    """Turns what obstore raises into BucketTrouble. Its own words hold whole URLs and answers, and stay inside."""
    from obstore import exceptions

    where = f"The bucket {clean(bucket, 63)}"
    try:
        yield
    except (exceptions.BaseError, FileNotFoundError) as error:
        words = str(error)
        found = re.search(r"<Code>(\w{1,60})</Code>|\(code: (\w{1,60})\)", words)
        code = found[1] or found[2] if found else ""
        said = f" ({code})" if code else ""
        match error:
            case _ if code == "AccessDenied" or isinstance(
                error, (exceptions.PermissionDeniedError, exceptions.UnauthenticatedError)
            ):
                # One that may not be deleted comes in an answer of status 200.
                trouble = BucketTrouble(
                    f"{where} does not permit that with these credentials{said}: see AWS_ACCESS_KEY_ID and its rights.",
                    denied=True,
                )
            case FileNotFoundError():
                trouble = BucketTrouble(f"{where} is not there{said}: see VEO_UPLOADS and AWS_ENDPOINT_URL.")
            case _ if "169.254.169.254" in words:
                # Without a key, the address that hands one out to machines of a cloud was asked.
                trouble = BucketTrouble(
                    f"{where} needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, which are not set."
                )
            case _ if "redirect" in words.lower():
                trouble = BucketTrouble(f"{where} lies in another region{said}: set AWS_REGION.")
            case _:
                trouble = BucketTrouble(f"{where} could not be reached, or did not take it{said}.")
        raise trouble from None
