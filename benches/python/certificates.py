"""Certificates for the TLS servers of the benches."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import trustme

# The HTTP libraries and AWS's SDKs read one of these.
TRUSTED = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "AWS_CA_BUNDLE")


@contextlib.contextmanager
def certificate() -> Iterator[Path]:
    """Yield the key and certificate of a server on loopback, whose authority this process and its children trust."""
    with tempfile.TemporaryDirectory() as folder:
        authority = trustme.CA()
        trusted, server = Path(folder, "authority.pem"), Path(folder, "server.pem")
        authority.cert_pem.write_to_path(trusted)
        authority.issue_cert("127.0.0.1", "localhost").private_key_and_cert_chain_pem.write_to_path(server)
        with environment(dict.fromkeys(TRUSTED, str(trusted))):
            yield server


@contextlib.contextmanager
def environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables, and restore them at the end."""
    usual = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in usual.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
