"""The compiled core: decoding of streams, parsing of incomplete JSON, and prices of usage.

Private. The package re-exports the public parts. `mypy.stubtest` checks this file against the extension.
"""

from asyncio import AbstractEventLoop, Future
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Literal, Self, TypeAlias, final

__all__ = [
    "ChunkJoiner",
    "DecodeError",
    "Event",
    "EventEmitter",
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
    "plain_json",
    "price_total",
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
    """The chunk joiner of one connection: it merges HTTP/1.1 chunks that arrived together.

    The result is the same response in fewer chunks. Bytes that are not clearly a chunked response pass unchanged.
    """

    def __new__(cls) -> Self: ...
    def sent(self, data: bytes) -> None:
        """Record the start of bytes that are sent on the connection. The first few bytes of each request are enough."""
    def feed(self, data: bytes) -> bytes:
        """Return the bytes to read in place of the next bytes of the connection.

        Empty if the bytes are not complete yet.
        """
    @property
    def in_body(self) -> bool:
        """Whether the next bytes are chunks of a response."""
    def extract_data(self, data: bytes) -> tuple[bytes, bytes]:
        """Return the data in the next bytes of the connection, and the unchanged bytes after it."""

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
    """The connections of one asyncio event loop, watched by one descriptor.

    Args:
        event_loop: The event loop; None for a thread that waits for the descriptor itself.
    """

    def __new__(cls, event_loop: AbstractEventLoop | None) -> Self: ...
    def fileno(self) -> int:
        """Return the descriptor that the event loop watches; `poll` is its callback."""
    def poll(self) -> None:
        """Read and write on the ready connections, and resolve the futures of exchanges that can continue."""
    def expire(self) -> None:
        """End the exchanges whose timeout has passed."""
    def seconds_left(self) -> float | None:
        """Return the seconds until the next call of `expire`; None if there is no timeout.

        Zero if `poll` has work that the descriptor does not show. Only a thread that waits itself needs this.
        """
    def add_pool(
        self,
        max_connections: int | None,
        max_keepalive: int | None,
        keepalive_expiry: float | None,
        tls: TlsSettings | None,
    ) -> int:
        """Return the key of a new pool."""
    def close_pool(self, pool: int) -> None:
        """Close the connections of a pool. Its exchanges fail."""
    def stop(self) -> None:
        """Cancel the timer of an engine that is no longer used."""
    def counts(self, pool: int) -> tuple[int, int, int]:
        """Return the number of open connections of a pool, of idle ones among them, and of requests that wait for
        one.
        """
    def start(
        self,
        pool: int,
        origin: tuple[bool, str, int, str | None, tuple[str, int, list[tuple[bytes, bytes]]] | None],
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
            origin: Whether the connection is encrypted, the host, the port, and the name in the certificate if it
                differs
                from the host.
            method: The method.
            target: The path and the query.
            headers: Names and values.
            body: The whole body.
            timeouts: The timeouts in seconds to connect, to read, to write, and to wait for a connection of the pool.
            make_error: Returns the exception for an error's class name and message.
        """

@final
class HttpExchange:
    """A request and its response."""

    def head(self) -> tuple[int, bytes, bytes, list[tuple[bytes, bytes]]] | Future[None] | Literal[False] | None:
        """Return status, reason, version and headers; a future to await first; None if the engine needs addresses.

        Without an event loop, False in place of a future.
        """
    def take(self) -> bytes | Future[None] | Literal[False]:
        """Return all body data that has arrived, empty bytes at the end, or a future to await first.

        Without an event loop, False in place of a future.
        """
    def hold(self, seconds: float) -> None:
        """Hold back body data for at most `seconds`, so that one wake-up of the event loop serves many responses."""
    def connect(self, addresses: list[tuple[Any, ...]]) -> None:
        """Connect to one of these addresses, as `getaddrinfo` returns them."""
    def close(self) -> None:
        """End the exchange. A connection in the middle of a response is closed."""
    def addresses(self) -> tuple[str, int, str, int] | None:
        """Return the local and the remote host and port; None once the connection serves another request."""
    def tls_names(self) -> tuple[str, str] | None:
        """Return the TLS version and cipher; None without TLS."""

def http_forked() -> None:
    """Tell the core that this process was forked."""

# --- Streams ---------------------------------------------------------------------------------------------------------

class DecodeError(Exception):
    """An error of a stream: it cannot be decoded, or the provider reports an error in it.

    `args` are the kind, the message, the number of the event (from 1; 0 before the first), the offset of its data in
    the body, and for the kind `provider` the provider's error object as JSON text.
    """

    args: tuple[Literal["provider", "limit", "unfinished", "protocol"], str, int, int, str | None]

@final
class ToolCallDelta:
    """A tool call, or the part of it that one event added. Compared by value."""

    __match_args__: ClassVar[tuple[str, str, str, str]]

    @property
    def position(self) -> int:
        """The position among the tool calls of the message."""
    @property
    def id(self) -> str | None:
        """The provider's id of the call; None if it sent none."""
    @property
    def name(self) -> str:
        """The name of the tool."""
    @property
    def arguments(self) -> str:
        """The arguments as JSON text: all of them, or the fragment that was added."""
    def __hash__(self) -> int: ...

@final
class Event:
    """The changes by one event of a stream."""

    @property
    def content(self) -> str:
        """The text that the event added."""
    @property
    def data(self) -> bytes:
        """The event's data as JSON text; empty for calls that only the end of the stream completed."""
    @property
    def tool_calls(self) -> list[ToolCallDelta] | None:
        """The calls that the event completed, with all their arguments."""
    @property
    def fragments(self) -> list[ToolCallDelta] | None:
        """The calls whose arguments the event extended, with the fragments."""

@final
class EventEmitter:
    """Writes one answer as server-sent events of a web format.

    Each method returns the events that are new, and those that an earlier method wrote before it failed.
    """

    def __new__(
        cls,
        format: str,
        *,
        id: str,
        thread: str = "",
        model: str = "",
        created: int = 0,
        runs_tools: bool = False,
        first: int = 1,
    ) -> EventEmitter:
        """Create the emitter of one answer.

        Args:
            format: `vercel`, `openai`, `ag-ui` or `text`.
            id: The id of the answer.
            thread: AG-UI's thread.
            model: The model in the events.
            created: When the answer began, in seconds since the epoch.
            runs_tools: Whether the server runs the tools, so that `openai` leaves their calls out.
            first: The number of the first event.

        Raises:
            ValueError: The format is unknown.
        """

    @property
    def next_number(self) -> int:
        """The number of the next event."""

    @property
    def is_ended(self) -> bool:
        """Whether the last event has been written."""

    @property
    def incomplete_call(self) -> str | None:
        """The name of the first tool call of the step whose arguments never became complete."""

    def fold(self, decoder: StreamDecoder) -> bytes:
        """Fold all that has been fed to a decoder, and write what it added.

        Raises:
            DecodeError: As from the decoder. The events before the error come with the next method.
        """

    def add(self, event: Event, reasoning: str) -> bytes:
        """Write what an event added that has been folded already."""

    def start_step(self) -> bytes:
        """Begin a model call."""

    def restart_call(self) -> None:
        """Prepare for a stream that starts from nothing: of the next model call, or of another attempt at this one."""

    def finish_step(self) -> bytes:
        """End a model call."""

    def tool_output(self, id: str | None, name: str, output: str, is_error: bool) -> bytes | None:
        """Write the output of a tool, JSON text, or the text of its error; None if there is no such call."""

    def data(self, name: str, json: str) -> bytes:
        """Write data of the program's own, JSON text."""

    def source(self, url: str, title: str) -> bytes:
        """Write a web page that the answer rests on."""

    def file(self, url: str, media_type: str) -> bytes:
        """Write a file, by its URL."""

    def finish(self, reason: str, usage: str | None = None, cost: str | None = None) -> bytes:
        """End the answer with a finish reason, usage (JSON text) and cost (a JSON number, USD)."""

    def error(self, message: str, code: str) -> bytes:
        """End the answer with an error."""

    def abort(self) -> bytes:
        """End an answer that was stopped on request."""

@final
class StreamDecoder:
    """The decoder of one streamed response: feed bytes, iterate over the completed events, and repeat.

    The iterator stops when it needs more bytes, and continues after the next `feed`. The properties of the decoder
    reflect only the events that have been consumed.

    Example:
        ```python
        decoder = StreamDecoder()
        for read in response.iter_bytes():
            decoder.feed(read)
            for event in decoder:
                print(event.content, end="")
        decoder.finish()
        list(decoder)  # events that only the end completes
        ```

    Args:
        dialect: The wire format: `anthropic`, `bedrock_converse`, `cohere`, `gemini`, `openai_chat` or
            `openai_responses`.
        framing: The framing of events in the body: server-sent events, AWS's event stream as Bedrock uses it, or
            JSON objects in one array (`json_lines`: Gemini without `alt=sse`). By default the usual framing of the wire
            format.
        reasoning: Members of a delta with reasoning, in order of preference (`openai_chat`).
        usage_in: A member that contains usage beside or instead of `usage` (`openai_chat`).
        reports_end: Whether a stream reports its end, by a finish reason, by usage or by `[DONE]` (`openai_chat`).
        event_bytes: The maximum size of one event in bytes.
        response_bytes: The maximum size of all events in bytes.
        tool_calls: The maximum number of tool calls in one message.
        choices: The maximum number of choices in one response.
        depth: The maximum nesting depth of JSON.
        begin_with: The text of an earlier response, which this response continues (`anthropic`).
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
        begin_with: str = "",
    ) -> Self: ...
    @property
    def framing(self) -> Literal["sse", "aws_event_stream", "json_lines"]:
        """The framing of events in the body. It can be set before the first bytes."""
    @framing.setter
    def framing(self, value: Literal["sse", "aws_event_stream", "json_lines"], /) -> None: ...
    @property
    def framed(self) -> bool:
        """Whether the input is the body with its terminator, rather than events from a client."""
    @framed.setter
    def framed(self, value: bool, /) -> None: ...
    def feed(self, data: bytes) -> None:
        """Add the next bytes of the body. They may end anywhere."""
    def finish(self) -> None:
        """End the body. The iteration then yields events that only the end completes."""
    def resume(self) -> None:
        """Continue the response with another body, after the previous one was interrupted.

        An incomplete event is dropped. Repeated events are skipped by their sequence number.
        """
    @property
    def sequence_number(self) -> int | None:
        """The sequence number of the latest event with one."""
    def stop(self) -> None:
        """Discard data that has been fed but not consumed."""
    def fold(self) -> None:
        """Process all data that has been fed, without an object for each event.

        Raises:
            DecodeError: As in the iteration.
        """
    @property
    def read(self) -> bytes | None:
        """The read that was fed last; None before the first and after the end of the body."""

    def feed_event(self, data: str) -> Event:
        """Process one event without framing, as JSON text.

        Raises:
            DecodeError: The text is not an event, reports an error, or exceeds a limit.
        """
    def feed_body(self, data: str) -> Event:
        """Process the body of a response without streaming.

        Raises:
            DecodeError: The text is not a response, reports an error, or exceeds a limit.
        """
    def __iter__(self) -> Self: ...
    def __next__(self) -> Event:
        """Return the next event.

        Raises:
            StopIteration: More bytes are needed, or the stream has ended.
            DecodeError: The event cannot be read, reports an error, or exceeds a limit. Earlier events remain readable.
        """
    @property
    def done(self) -> bool:
        """Whether the provider has marked the response as complete. The body may continue."""
    @property
    def events(self) -> int:
        """The number of events so far, including those without content."""
    @property
    def id(self) -> str:
        """The provider's id of the response; empty until it arrives."""
    @property
    def model(self) -> str:
        """The name of the model; empty until it arrives."""
    @property
    def finish_reasons(self) -> list[str]:
        """The finish reason of each choice, in the order of the choices."""
    @property
    def usage(self) -> bytes | None:
        """The provider's usage object as JSON text."""
    def token_counts(self) -> dict[str, int | None]:
        """Return the token counts of the usage so far, as the function `token_counts` does."""
    @property
    def usage_contradiction(self) -> str | None:
        """The contradiction between the counts of different events; None if there is none."""
    @property
    def content(self) -> str:
        """The text so far."""
    @property
    def reasoning(self) -> str:
        """The reasoning so far; empty if the provider shows none."""
    def reasoning_since(self, position: int) -> tuple[str, int]:
        """Return the reasoning since a position, and the position for the next call."""
    @property
    def tool_calls(self) -> list[ToolCallDelta]:
        """The tool calls so far."""
    @property
    def cut_calls(self) -> list[ToolCallDelta]:
        """The tool calls that the end of the response cut off, even if their arguments are complete JSON."""
    def response(self) -> bytes:
        """Return the response so far as JSON text, in the form of the provider's response without streaming."""

# --- Unfinished JSON -------------------------------------------------------------------------------------------------

class JsonError(ValueError):
    """Text that is not JSON, or exceeds a limit."""

    offset: int
    """The offset of the first invalid byte."""

@final
class PartialJson:
    """An incremental parser of a JSON document: feed deltas, and read `value` at any time.

    Example:
        ```python
        document = PartialJson()
        document.feed('{"title": "Pride and Pre')
        assert document.value == {"title": "Pride and Pre"}
        ```

    Args:
        mode: The rules for incomplete values: `default` shows numbers when they are complete, `trailing-strings` is
            like jiter's partial mode of that name.
        root: The required type of the document. Text around an object or container is skipped.
        max_depth: The maximum nesting depth.
        max_bytes: The maximum size of the text in bytes.
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
        """Add a piece of the text. Return whether the value changed.

        Raises:
            JsonError: A byte is invalid at its position.
        """
    def finish(self) -> bool:
        """End the text. Return whether the value changed.

        Raises:
            JsonError: The document is incomplete.
        """
    @property
    def value(self) -> Any:  # Any: JSON
        """The value so far. Its containers grow with the next `feed`. Also `None` while there is no value."""
    @property
    def has_value(self) -> bool:
        """Whether there is a value. It distinguishes a document `null` from no document yet."""
    @property
    def is_complete(self) -> bool:
        """Whether the document is complete. A document that is a number is complete only after `finish`."""
    @property
    def offset(self) -> int:
        """The number of bytes read so far."""
    @property
    def span(self) -> tuple[int | None, int | None]:
        """The start and end offset of the document in the text, each `None` while unknown."""
    @property
    def open_path(self) -> tuple[str | int, ...]:
        """The keys from the root to the current position. Only the values on this path are incomplete."""
    def changes(self) -> list[tuple[tuple[str | int, ...], bool]]:
        """Return the changes of the last `feed`, in order: the path, and whether the value there is complete now."""
    def edits(self) -> list[tuple[int, str | int | None, Any]]:  # Any: JSON
        """Return the edits of the last `feed`, for replaying: code, key and value.

        Codes: a dict opens (0), a list opens (1), the innermost container closes (2), an incomplete value is shown (3),
        the value is complete (4), a shown value is withdrawn (5), the whole document is withdrawn (6).
        """

# --- Prices ----------------------------------------------------------------------------------------------------------

# Item, unit, count, price, per, amount, tier, why, source, checked. Decimals are strings.
_Item: TypeAlias = tuple[str, str | None, str | None, str | None, int | None, str, str, str, str, str]
# Unit, price, per, and pairs of threshold and price for longer prompts.
_Rate: TypeAlias = tuple[str, str, int, list[tuple[str, str]]]

def price_usage(
    provider: str,
    model: str,
    usage: bytes | None,
    api: str | None,
    call: dict[str, Any],  # Any: strings, flags and lists by name
) -> dict[str, Any]:  # Any: the fields of a cost by name
    """Return the cost of a usage object (JSON), as plain values for the records of `ferroscope.prices`."""

def price_total(
    provider: str, host: str, model: str, usage: bytes, at: float | None, tier: str | None, asked_tier: str | None
) -> tuple[float, str, str, str, bool] | None:
    """Return the total of a call; None if it takes the itemised cost to find out.

    The total consists of the nearest double and the exact decimal in USD, the provider and the model in the table, and
    whether its prices are stale.

    `host` is the host that the request went to; empty if that is not known or the prices were named explicitly.
    """

def plain_json(value: object) -> bytes | None:
    """Return a pydantic model or a dict of plain values as JSON; None if it has other values.

    None also for a model with serializers of its own, text that needs escapes, and numbers that JSON has no form for.
    """

def token_counts(usage: bytes | None) -> dict[str, int | None]:
    """Return the token counts of a usage object (JSON) by name.

    A count that the provider did not report is None: missing, null, text, negative, or beyond 10^15. The provider
    defines which tokens a count includes.
    """

def calculate_cost(provider: str, model: str, metadata: object) -> float | None:
    """Return the cost of collected counts in USD; `None` if it is unknown.

    `metadata` has the attributes of `CostMetadata`.
    """

def prices_load(text: str) -> None:
    """Add rows, in the text form of the table, with precedence over all others."""

def prices_alias(provider: str, name: str, model: str, region: str | None) -> None:
    """Register a name as an alias of a provider's model."""

def prices_scale(provider: str, model: str | None, factor: str) -> None:
    """Multiply prices by the factor of a contract, such as `11/10` or `0.78`."""

def prices_reset() -> None:
    """Remove everything that was registered."""

def prices_provider(provider: str) -> tuple[str, bool]:
    """Return the canonical id of a provider, and whether a table has it."""

def prices_billed_by(provider: str, host: str, model: str) -> tuple[str, str | None]:
    """Return the provider whose prices apply to a call to a host, and the assumption made to find it."""

def prices_conditions() -> list[str]:
    """Return the names of the extra conditions in the rows of all tables."""

def prices_known(provider: str, model: str) -> bool:
    """Return whether a provider's name refers to a model with a price."""

def prices_only_api(provider: str, model: str) -> str | None:
    """Return the only API of a model, such as `responses`; `None` if it has several, or if they are unknown."""

def prices_info() -> tuple[str, list[tuple[str, str]], list[str], int, int]:
    """Return the version, sources, providers, and numbers of models and rows of the built-in table."""

def prices_rows(provider: str, model: str) -> tuple[str, str, str, str, list[tuple[str, list[_Rate], str, str]]]:
    """Return the rows of a model, best match first: provider, id, match kind, page, rows.

    Raises:
        LookupError: There is no such model. The message lists similar names.
    """

def prices_where(model: str) -> list[str]:
    """Return the providers that have a model of that name."""
