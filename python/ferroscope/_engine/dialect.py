"""The Python half of a wire format: what is sent, and what the SDK's objects for it are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    from ..core.base._messages.provider_data import Endpoint
    from ..core.base._prompts.template import Message
    from ..core.base.tool import BaseTool
    from .extraction import Extraction


@dataclass(frozen=True, slots=True)
class Request:
    """What a call says, before it has the form of a wire format.

    Attributes:
        model: The model that is asked.
        messages: The messages, rendered.
        params: The call parameters, rendered.
        tools: The tools that are offered.
        stream: Whether the answer is streamed.
        json_mode: Whether the answer is to be JSON.
        extraction: What the answer is to be, if there is a response model.
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
    """A wire format. `render_*` makes what is sent, `read_*` what was received."""

    name: ClassVar[str]
    """The core's name of the format."""

    def needs_fetch(self, messages: Sequence[Message]) -> bool:
        """Return whether rendering these messages reads a URL, which blocks."""
        ...

    def render_messages(self, messages: Sequence[Message], destination: Endpoint) -> list[Any]:
        """Messages in the provider's form; those that have it already pass through.

        What a common message keeps of its provider's own form goes back by the rule of `provider_data`.
        """
        ...

    def conversation(self, messages: list[Any]) -> list[Any]:
        """Return the rendered messages without those that a request has another place for."""
        ...

    def render_params(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Call parameters under the provider's names, those that are None left out."""
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
        """Return the error that the SDK's response object holds in place of an answer, or beside one."""
        ...

    def may_force_tool(self, params: Mapping[str, Any]) -> bool:
        """Return whether a request with these parameters, rendered, may ask for the call of a certain tool."""
        ...

    def answer_text(self, response: Any, mode: Literal["tool", "json"]) -> str:
        """Return the JSON text of a structured answer, that came as a tool call or in the text.

        Raises:
            ValueError: The model refused, or there is neither.
        """
        ...

    def estimate_usage(self, response: Any, sent: int, said: int) -> dict[str, Any] | None:
        """Return the usage of a stream that was broken off: what the provider told of it, and guesses, in tokens.

        None if the provider told all of it.
        """
        ...

    def dump_event(self, event: Any) -> str:
        """Return the JSON text of an SDK's event object."""
        ...

    def blank_event(self, identifier: str, model: str) -> bytes:
        """Return the data of an event that says nothing, of a response that is under way."""
        ...


@runtime_checkable
class ResumesStreams(Protocol):
    """A format with runs that go on at the server when the connection of their stream breaks."""

    def is_resumable(self, kwargs: Mapping[str, Any]) -> bool:
        """Return whether a request with these keyword arguments starts such a run."""
        ...

    def resume(self, client: Any, kwargs: Mapping[str, Any], identifier: str, after: int) -> Any:
        """Return the SDK's stream of the events after a sequence number; an awaitable for an async client."""
        ...
