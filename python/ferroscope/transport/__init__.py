"""Faster reading of streams, below the clients of the SDKs.

`NativeTransport` is an HTTP transport for async clients, written in Rust. `join_chunks` keeps a client's HTTP library,
and gives it fewer, larger chunks to parse.
"""

from __future__ import annotations

from ._adapt import adapt_client as adapt_client
from ._adapt import adapt_client_if_sdk_made as adapt_client_if_sdk_made
from ._direct import DirectTransport as DirectTransport
from ._direct import is_marked as is_marked
from ._direct import lookups_of_http as lookups_of_http
from ._direct import make_direct as make_direct
from ._direct import reason_of_client as reason_of_client
from ._direct import send_directly
from ._direct import transport_of as transport_of
from ._fallback import Lookup as Lookup
from ._first_attempt import answering as answering
from ._interrupting import Interruptible as Interruptible
from ._joined import aread_body as aread_body
from ._joined import cut_read as cut_read
from ._joined import cuts_reads as cuts_reads
from ._joined import join_chunks
from ._joined import read_body as read_body
from ._native import Library as Library
from ._native import NativeBody as NativeBody
from ._native import NativeTransport
from ._native import library_of as library_of
from ._native import native_body as native_body
from ._received_headers import ReceivedHeaders as ReceivedHeaders
from ._received_headers import received as received
from ._received_headers import report_headers as report_headers
from ._requests import AsyncExchange as AsyncExchange
from ._requests import BlockingExchange as BlockingExchange
from ._requests import Head as Head
from ._requests import RequestHead as RequestHead

__all__ = ["NativeTransport", "join_chunks", "send_directly"]
