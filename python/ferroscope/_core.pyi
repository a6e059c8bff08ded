"""The compiled core: bytes of a stream to what each event added, unfinished JSON to values, usage to cost.

Private: what the package offers of it is re-exported where it belongs. Held by `mypy.stubtest`.
"""

from asyncio import AbstractEventLoop, Future
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Literal, Self, TypeAlias, final

__all__ = [
    "ChunkJoiner",
    "DecodeError",
    "Event",
    "HttpEngine",
    "HttpExchange",
    "JsonError",
    "PartialJson",
    "StreamDecoder",
    "TlsSettings",
    "ToolCallDelta",
    "__version__",
    "calculate_cost",
    "http_forked",
    "price_usage",
    "prices_alias",
    "prices_billed_by",
    "prices_conditions",
    "prices_info",
    "prices_known",
    "prices_load",
    "prices_only_api",
    "prices_provider",
    "prices_reset",
    "prices_rows",
    "prices_scale",
    "prices_where",
    "token_counts",
]

__version__: str

# --- HTTP ------------------------------------------------------------------------------------------------------------

@final
class ChunkJoiner:
    """Joins the chunks of HTTP/1.1 responses that arrived together, of one connection.

    What comes out is the same response in fewer chunks. Bytes that are not plainly a chunked response stay as they are.
    """

    def __new__(cls) -> Self: ...
    def sent(self, data: bytes) -> None:
        """Take note of bytes that are sent on the connection; the first few of a request are enough."""
    def feed(self, data: bytes) -> bytes:
        """Take the next bytes of the connection, and give what is to be read in their place.

        Nothing, if what they say is not complete yet.
        """
    @property
    def in_body(self) -> bool:
        """Whether the chunks of a response are what comes next."""
    def extract_data(self, data: bytes) -> tuple[bytes, bytes]:
        """Take the next bytes of the connection, and give the data in them, and what follows it as it is."""

@final
class TlsSettings:
    """The TLS settings of connections.

    Args:
        cafile: A PEM file of trusted authorities, in place of the platform's trust store.
        certificates: A PEM file with the client's certificate chain.
        key: A PEM file with its private key; the same file if it is left out.

    Raises:
        OSError: A file cannot be read, or there is no trusted authority.
    """

    def __new__(cls, cafile: str | None = None, certificates: str | None = None, key: str | None = None) -> Self: ...

@final
class HttpEngine:
    """The connections of one asyncio event loop, watched by one descriptor."""

    def __new__(cls, event_loop: AbstractEventLoop) -> Self: ...
    def fileno(self) -> int:
        """Return the descriptor that the event loop watches; `poll` is its callback."""
    def poll(self) -> None:
        """Read and write what is ready, and resolve the futures of exchanges that can go on."""
    def expire(self) -> None:
        """End what has waited for too long."""
    def add_pool(
        self,
        max_connections: int | None,
        max_keepalive: int | None,
        keepalive_expiry: float | None,
        tls: TlsSettings | None,
    ) -> int:
        """Return the key of a new pool."""
    def close_pool(self, pool: int) -> None:
        """Close the connections of a pool; its exchanges fail."""
    def stop(self) -> None:
        """Cancel the timer, for an engine that is not used any more."""
    def counts(self, pool: int) -> tuple[int, int, int]:
        """Return the open connections of a pool, the idle ones among them, and the requests that wait for one."""
    def start(
        self,
        pool: int,
        origin: tuple[bool, str, int, str | None],
        method: bytes,
        target: bytes,
        headers: list[tuple[bytes, bytes]],
        body: bytes,
        timeouts: list[float | None],
        make_error: Callable[[str, str], Exception],
    ) -> HttpExchange:
        """Start a request.

        Args:
            pool: The pool's key.
            origin: Whether the connection is encrypted, the host, the port, and the name that the certificate must have
                if that is not the host.
            method: The method.
            target: The path and the query.
            headers: Names and values.
            body: The whole body.
            timeouts: Seconds to connect, to read, to write, and to wait for a connection of the pool.
            make_error: Makes the exception of an error's class name and message.
        """

@final
class HttpExchange:
    """A request and its response."""

    def head(self) -> tuple[int, bytes, bytes, list[tuple[bytes, bytes]]] | Future[None] | None:
        """Return status, reason, version and headers; a future to await first; None if addresses are needed."""
    def take(self) -> bytes | Future[None]:
        """Return all body data that has arrived, no bytes at the end, or a future to await first."""
    def connect(self, addresses: list[tuple[Any, ...]]) -> None:
        """Connect to one of these addresses, as `getaddrinfo` returns them."""
    def close(self) -> None:
        """End the exchange. A connection in the middle of a response is closed."""
    def addresses(self) -> tuple[str, int, str, int] | None:
        """Return the local and the remote host and port; None once the connection serves another request."""
    def tls_names(self) -> tuple[str, str] | None:
        """Return the TLS version and cipher; None without TLS."""

def http_forked() -> None:
    """Take note that this process was forked."""

# --- Streams ---------------------------------------------------------------------------------------------------------

class DecodeError(Exception):
    """A stream that cannot be read on, or an error that the provider reports in it.

    `args` are the kind, the message, the number of the event (from 1; 0 before the first), the offset in the body at
    which its data begins, and for the kind `provider` the provider's own error as JSON text.
    """

    args: tuple[Literal["provider", "limit", "unfinished", "protocol"], str, int, int, str | None]

@final
class ToolCallDelta:
    """A tool call: whole, or as far as it grew with an event. Equal by value."""

    __match_args__: ClassVar[tuple[str, str, str, str]]

    @property
    def position(self) -> int:
        """The position among the tool calls of the message."""
    @property
    def id(self) -> str | None:
        """The provider's id of the call, if it gave one."""
    @property
    def name(self) -> str:
        """The name of the tool."""
    @property
    def arguments(self) -> str:
        """The arguments, JSON text: whole, or the fragment that was added."""
    def __hash__(self) -> int: ...

@final
class Event:
    """What one event of a stream added."""

    @property
    def content(self) -> str:
        """Text that the event added."""
    @property
    def data(self) -> bytes:
        """The event's data, JSON text; empty for what only the end of the stream completed."""
    @property
    def tool_calls(self) -> list[ToolCallDelta] | None:
        """Calls that the event completed, with all their arguments."""
    @property
    def fragments(self) -> list[ToolCallDelta] | None:
        """Calls whose arguments grew, with the fragments that were added."""

@final
class StreamDecoder:
    """Decodes one streamed response: feed bytes, iterate over the events they completed, and go on.

    The iterator stops whenever more bytes are needed and goes on after the next `feed`, so what the decoder says of
    the response is always what has been iterated over, and not more.

    Example:
        ```python
        decoder = StreamDecoder()
        for read in response.iter_bytes():
            decoder.feed(read)
            for event in decoder:
                print(event.content, end="")
        decoder.finish()
        list(decoder)  # what only the end completes
        ```

    Args:
        dialect: The wire format: `anthropic`, `bedrock_converse`, `cohere`, `gemini`, `openai_chat` or
            `openai_responses`.
        framing: How the body is cut into events: as server-sent events, in AWS's event stream as Bedrock sends it, or
            as JSON objects in one array (`json_lines`: Gemini without `alt=sse`). By default as the wire format is
            usually sent.
        reasoning: Members of a delta that hold reasoning, by rank (`openai_chat`).
        usage_in: A member that holds usage beside or instead of `usage` (`openai_chat`).
        reports_end: Whether a stream reports its end, by a finish reason, by usage or by `[DONE]` (`openai_chat`).
        event_bytes: Most bytes of one event.
        response_bytes: Most bytes of all events.
        tool_calls: Most tool calls of one message.
        choices: Most choices of one response.
        depth: Most levels of nested JSON.
    """

    def __new__(
        cls,
        dialect: str = "openai_chat",
        *,
        framing: Literal["sse", "aws_event_stream", "json_lines"] | None = None,
        reasoning: Sequence[str] | None = None,
        usage_in: str | None = None,
        reports_end: bool = True,
        event_bytes: int | None = None,
        response_bytes: int | None = None,
        tool_calls: int | None = None,
        choices: int | None = None,
        depth: int | None = None,
    ) -> Self: ...
    @property
    def framing(self) -> Literal["sse", "aws_event_stream", "json_lines"]:
        """How the body is cut into events; can be set before its first bytes."""
    @framing.setter
    def framing(self, value: Literal["sse", "aws_event_stream", "json_lines"], /) -> None: ...
    @property
    def framed(self) -> bool:
        """Whether the body is fed, and with it the terminator, and not the events that a client hands out."""
    @framed.setter
    def framed(self, value: bool, /) -> None: ...
    def feed(self, data: bytes) -> None:
        """Take the next bytes of the body, cut anywhere."""
    def finish(self) -> None:
        """End the body; what that completes comes with the iteration."""
    def resume(self) -> None:
        """Continue the response with another body, after the one before broke off.

        An event that was cut is dropped, and so are events that come again, by their sequence number.
        """
    @property
    def sequence_number(self) -> int | None:
        """The sequence number of the latest event that has one."""
    def stop(self) -> None:
        """Leave unread what has been fed and not been folded yet: nobody wants the rest."""
    def fold(self) -> None:
        """Fold all that has been fed, without an object for each event.

        Raises:
            DecodeError: As the iteration does.
        """
    def feed_event(self, data: str) -> Event:
        """Fold one event that comes without framing, JSON text.

        Raises:
            DecodeError: If it is no event, reports an error, or passes a limit.
        """
    def feed_body(self, data: str) -> Event:
        """Fold a plain body, as it comes without streaming.

        Raises:
            DecodeError: If it is no answer, reports an error, or passes a limit.
        """
    def __iter__(self) -> Self: ...
    def __next__(self) -> Event:
        """Return the next event.

        Raises:
            StopIteration: When more bytes are needed, or at the end.
            DecodeError: If the event cannot be read, reports an error, or passes a limit. What came before stays.
        """
    @property
    def done(self) -> bool:
        """Whether the provider has said that the response is complete; the body may go on."""
    @property
    def events(self) -> int:
        """How many events have come, those that said nothing included."""
    @property
    def id(self) -> str:
        """The provider's id of the response; empty while it has given none."""
    @property
    def model(self) -> str:
        """The model that answers; empty while the provider has not said."""
    @property
    def finish_reasons(self) -> list[str]:
        """Why each choice ended, in the order of the choices."""
    @property
    def usage(self) -> bytes | None:
        """The provider's account of the tokens, JSON text."""
    def token_counts(self) -> dict[str, int | None]:
        """Return the token counts of the usage so far, as the function `token_counts` does."""
    @property
    def usage_contradiction(self) -> str | None:
        """Why the counts that the events reported contradict each other; None if they do not."""
    @property
    def content(self) -> str:
        """What the model has said so far."""
    @property
    def reasoning(self) -> str:
        """What the model has thought so far, as far as the provider shows it."""
    def reasoning_since(self, position: int) -> tuple[str, int]:
        """What the model has thought since a position, and the position to ask from the next time."""
    @property
    def tool_calls(self) -> list[ToolCallDelta]:
        """The tool calls so far."""
    @property
    def cut_calls(self) -> list[ToolCallDelta]:
        """The tool calls that the end of the response cut off, though their arguments may be closed JSON."""
    def response(self) -> bytes:
        """Return the response so far, in the form of the provider's answer without streaming, JSON text."""

# --- Unfinished JSON -------------------------------------------------------------------------------------------------

class JsonError(ValueError):
    """Text that is not JSON, or exceeds a limit."""

    offset: int
    """The first byte that cannot stand where it stands."""

@final
class PartialJson:
    """Reads a JSON document while it is being written: feed deltas, read `value` at any time.

    Example:
        ```python
        document = PartialJson()
        document.feed('{"title": "Pride and Pre')
        assert document.value == {"title": "Pride and Pre"}
        ```

    Args:
        mode: The rules of what shows: `default` shows numbers when they are complete, `trailing-strings` as jiter's
            partial mode of that name does.
        root: What the document has to be; text around an object or container is skipped.
        max_depth: Most levels of nesting.
        max_bytes: Most bytes of text.
    """

    def __new__(
        cls,
        mode: Literal["default", "trailing-strings"] = "default",
        *,
        root: Literal["value", "container", "object"] | None = None,
        max_depth: int | None = None,
        max_bytes: int | None = None,
    ) -> Self: ...
    def feed(self, data: str | bytes) -> bool:
        """Read more of the text; says whether anything visible changed.

        Raises:
            JsonError: At the first byte that cannot stand where it stands.
        """
    def finish(self) -> bool:
        """Return the text is at its end.

        Raises:
            JsonError: If the document is not complete.
        """
    @property
    def value(self) -> Any:  # Any: whatever JSON the document holds
        """The value so far: containers are live and grow with the next feed. `None` also while nothing shows."""
    @property
    def has_value(self) -> bool:
        """Whether anything shows: tells a document `null` from no document yet."""
    @property
    def is_complete(self) -> bool:
        """Whether the document is complete (one that is only a number is not before `finish`)."""
    @property
    def offset(self) -> int:
        """Bytes read so far."""
    @property
    def span(self) -> tuple[int | None, int | None]:
        """The bytes of the text that are the document: start and end, each `None` while unknown."""
    @property
    def open_path(self) -> tuple[str | int, ...]:
        """Keys from the root to where the text goes on: nothing on this path is complete, all else that shows is."""
    def changes(self) -> list[tuple[tuple[str | int, ...], bool]]:
        """What the last feed touched, in order: the path, and whether it is complete now."""
    def edits(self) -> list[tuple[int, str | int | None, Any]]:  # Any: whatever JSON stands there
        """What the last feed did, for replaying: code, key and value.

        Codes: a dict opens (0), a list opens (1), the innermost container closes (2), an unfinished value shows (3),
        the value is complete (4), what showed is withdrawn (5), nothing shows any more (6).
        """

# --- Prices ----------------------------------------------------------------------------------------------------------

# Item, unit, count, price, per, amount, tier, why, source, checked: decimals as text.
_Item: TypeAlias = tuple[str, str | None, str | None, str | None, int | None, str, str, str, str, str]
# Unit, price, per, and (threshold, price) for longer prompts.
_Rate: TypeAlias = tuple[str, str, int, list[tuple[str, str]]]

def price_usage(
    provider: str,
    model: str,
    usage: bytes | None,
    api: str | None,
    call: dict[str, Any],  # Any: strings, flags and lists by name
) -> dict[str, Any]:  # Any: the fields of a cost by name
    """Return the whole cost of a usage object (JSON), as the plain values that `ferroscope.prices` makes its records
    of.
    """

def token_counts(usage: bytes | None) -> dict[str, int | None]:
    """Return the token counts of a usage object (JSON) by name.

    A count that the provider did not report is None: missing, null, text, negative, or beyond 10^15. What a count
    includes is as the provider reports it.
    """

def calculate_cost(provider: str, model: str, metadata: object) -> float | None:
    """Return the cost of gathered counts in USD; `None` if it is not known.

    `metadata` has the attributes of `CostMetadata`.
    """

def prices_load(text: str) -> None:
    """Put rows, in the text form of the table, on top of all others."""

def prices_alias(provider: str, name: str, model: str, region: str | None) -> None:
    """Let a name stand for a model of a provider."""

def prices_scale(provider: str, model: str | None, factor: str) -> None:
    """Multiply prices by a contract's factor: `11/10`, `0.78`."""

def prices_reset() -> None:
    """Forget what was registered."""

def prices_provider(provider: str) -> tuple[str, bool]:
    """Return the canonical id of a provider, and whether a table has it."""

def prices_billed_by(provider: str, host: str, model: str) -> tuple[str, str | None]:
    """Return the provider by whose prices a call is billed that went to a host, and what was assumed to find it."""

def prices_conditions() -> list[str]:
    """Return the names of the extra conditions that rows of any table ask for."""

def prices_known(provider: str, model: str) -> bool:
    """Return whether a provider's name stands for a model that has a price."""

def prices_only_api(provider: str, model: str) -> str | None:
    """Return the only API of a model, such as `responses`; `None` if it has several, or no table knows."""

def prices_info() -> tuple[str, list[tuple[str, str]], list[str], int, int]:
    """Version, sources, providers, models and rows of the built-in table."""

def prices_rows(provider: str, model: str) -> tuple[str, str, str, str, list[tuple[str, list[_Rate], str, str]]]:
    """Return the rows of a model, best first: provider, id, how it was found, page, rows.

    Raises:
        LookupError: If there is no such model; the message says which are near.
    """

def prices_where(model: str) -> list[str]:
    """Return the providers that have a model of that name."""
