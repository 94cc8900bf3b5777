"""A real S3-compatible service on loopback, for the tests of pictures from the disk."""

import json
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx2
import obstore
from moto.server import ThreadedMotoServer
from obstore.store import S3Store

from veo_mcp.bucket import Bucket

if TYPE_CHECKING:
    from obstore.store import S3Config  # in the stubs alone

__all__ = ["ACCESS", "Service", "service"]

ACCESS: "S3Config" = {"access_key_id": "AKIATEST", "secret_access_key": "not-a-secret", "region": "us-east-1"}
BUCKET = "films"


@dataclass(frozen=True)
class Service:
    """The service, with one bucket in it."""

    url: str

    def bucket(self, address: str = f"s3://{BUCKET}/veo", **config: Any) -> Bucket:
        """What the product would use to hand pictures over."""
        return Bucket(address, config={**ACCESS, "endpoint": self.url, **config})

    def environ(self) -> dict[str, str]:
        """The variables by which a server is told of it, with the bucket to use."""
        told = {f"AWS_{name.upper()}": str(value) for name, value in ACCESS.items()}
        return {**told, "AWS_ENDPOINT_URL": self.url, "VEO_UPLOADS": f"s3://{BUCKET}/veo"}

    def names(self) -> list[str]:
        """Every object that is there now."""
        config: S3Config = {"endpoint": self.url, **ACCESS}
        store = S3Store(BUCKET, config=config, client_options={"allow_http": True})
        found = obstore.list(store)  # pyright: ignore[reportUnknownMemberType]  # one overload is of a package not used
        return sorted(entry["path"] for batch in found for entry in batch)

    def deny(self, *actions: str) -> None:
        """The bucket's owner takes a right away from everybody."""
        rule = {"Effect": "Deny", "Principal": "*", "Action": list(actions), "Resource": f"arn:aws:s3:::{BUCKET}/*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [rule]})
        httpx2.put(f"{self.url}/{BUCKET}?policy", content=policy).raise_for_status()


@contextmanager
def service() -> Generator[Service]:
    """The service with an empty bucket."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        url = f"http://{host}:{port}"
        httpx2.post(f"{url}/moto-api/reset").raise_for_status()
        httpx2.put(f"{url}/{BUCKET}").raise_for_status()
        yield Service(url)
    finally:
        server.stop()
