"""The Python half of a wire format: the request, and the objects of the SDK."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    from ..core.base._messages.provider_data import Endpoint
    from ..core.base._prompts.template import Message
    from ..core.base.tool import BaseTool
    from .extraction import Extraction


@dataclass(slots=True)  # frozen ones take longer to create
class Request:
    """The content of a request, before it has the form of a wire format.

    Attributes:
        model: The model.
        messages: The messages, rendered.
        params: The call parameters, rendered.
        tools: The tools of the request.
        stream: Whether to stream the response.
        json_mode: Whether to ask for JSON.
        extraction: The structured answer to ask for, if there is a response model.
    """

    model: str
    messages: list[Any]  # Any: a provider's own messages pass through
    params: Mapping[str, Any]
    tools: Sequence[type[BaseTool]]
    stream: bool
    json_mode: bool
    extraction: Extraction | None


@dataclass(frozen=True, slots=True)
class ReportedError:
    """An error that a server reported in the body of a successful response.

    Attributes:
        message: The server's message.
        body: The error as JSON.
    """

    message: str
    body: Any  # Any: JSON


class Dialect(Protocol):
    """A wire format. The `render_*` methods build requests, the `read_*` methods read responses."""

    name: ClassVar[str]
    """The core's name of the format."""

    def needs_fetch(self, messages: Sequence[Message]) -> bool:
        """Return whether rendering these messages reads a URL, which blocks."""
        ...

    def render_messages(self, messages: Sequence[Message], destination: Endpoint) -> list[Any]:
        """Return the messages in the provider's format. Messages in that format pass through.

        `provider_data` defines which content of the provider's own format is sent back.
        """
        ...

    def conversation(self, messages: list[Any]) -> list[Any]:
        """Return the rendered messages without those that become parameters of the request."""
        ...

    def render_params(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return call parameters under the provider's names; those that are None are left out."""
        ...

    def render_request(self, request: Request) -> dict[str, Any]:
        """Return the keyword arguments for the SDK's method."""
        ...

    def method(self, client: Any, *, asynchronous: bool) -> Callable[..., Any]:
        """Return the SDK's method that sends a request.

        Args:
            client: The client of the call.
            asynchronous: Whether the call is async, for clients that have methods of both kinds.
        """
        ...

    def read_response(self, data: bytes) -> Any:
        """Return the SDK's response object for a body."""
        ...

    def reported_error(self, response: Any) -> ReportedError | None:
        """Return the error in the SDK's response object, in place of an answer or beside one; None if there is none."""
        ...

    def may_force_tool(self, params: Mapping[str, Any]) -> bool:
        """Return whether a request with these rendered parameters may force a tool call."""
        ...

    def answer_text(self, response: Any, mode: Literal["tool", "json"]) -> str:
        """Return the JSON text of a structured answer, from a tool call or from the text.

        Raises:
            ValueError: The model refused, or the response has neither a tool call nor text.
        """
        ...

    def estimate_usage(self, response: Any, input_tokens: int, output_tokens: int) -> dict[str, Any] | None:
        """Estimate the usage of an interrupted stream from what the provider reported and the text received.

        Args:
            response: The response so far.
            input_tokens: The estimated number of input tokens.
            output_tokens: The estimated number of output tokens.

        Returns:
            The provider's usage object as JSON; None if the provider reported all of it.
        """
        ...

    def dump_event(self, event: Any) -> str:
        """Return the JSON text of an SDK's event object."""
        ...

    def blank_event(self, identifier: str, model: str) -> bytes:
        """Return the data of an event without content, for a response in progress."""
        ...


@runtime_checkable
class ResumesStreams(Protocol):
    """A format with server-side runs that continue if the connection of their stream breaks."""

    def is_resumable(self, kwargs: Mapping[str, Any]) -> bool:
        """Return whether a request with these keyword arguments starts such a run."""
        ...

    def resume(self, client: Any, kwargs: Mapping[str, Any], identifier: str, after: int) -> Any:
        """Return the SDK's stream of the events after a sequence number; an awaitable for an async client."""
        ...


@runtime_checkable
class ContinuesText(Protocol):
    """A format with requests whose last message is the beginning of the answer, which the model continues."""

    def continuation(self, kwargs: Mapping[str, Any], text: str) -> dict[str, Any] | None:
        """Return the keyword arguments of a request that continues a text.

        Args:
            kwargs: The keyword arguments of the request whose answer began with the text.
            text: The text.

        Returns:
            None if the API does not accept the beginning of an answer together with the other arguments.
        """
        ...
