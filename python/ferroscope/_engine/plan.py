"""The plan of a call: everything that is known when its function is decorated."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias
from weakref import WeakKeyDictionary

from ..cache import Cache
from ..core.base._prompts.plan import PromptPlan, plan_prompt
from ..core.base._suggestions import function_name, place_error
from ..core.base.retry import RateLimit, Retry
from ..core.base.stream_config import Every, Limits, StreamConfig
from ..core.base.tool import BaseTool, provider_tool_type
from .batching import read_batch
from .caching import plan_cache
from .deadlines import Deadlines, read_deadlines
from .extraction import Extraction, plan_extraction
from .option_checks import check_function
from .options import CallOptions
from .provider import Provider
from .replay_buffer import DEFAULT_BYTES
from .retry_options import check_continuation, plan_retry

if TYPE_CHECKING:
    from .direct.request import DirectRequest


class DirectRequests(WeakKeyDictionary[Any, "DirectRequest"]):  # Any: clients of any SDK
    """The prepared requests of a call, by client. A pickled plan starts without them."""

    def __reduce__(self) -> tuple[type[DirectRequests], tuple[()]]:
        """Return the recipe of an empty one: weak references cannot be pickled."""
        return DirectRequests, ()


@dataclass(frozen=True, slots=True, repr=False)  # parameters may contain keys
class CallPlan:
    """The plan of a decorated function's calls.

    Attributes:
        base: The provider's record, as the decorator has it.
        provider: The record that serves calls with these options.
        model: The model.
        prompt: The prompt function.
        stream: Whether to stream the response.
        partial_tools: Whether a stream yields tools with incomplete arguments.
        limits: The limits for the size of a stream.
        original_tools: The tools as passed by the user.
        tools: The tools as the provider's classes.
        json_mode: Whether to ask for JSON.
        extraction: The structured answer to ask for, if there is a response model.
        every: When a structured stream yields an instance.
        deadlines: The time limits of a stream; None if there are none.
        replay: The number of bytes of a stream to keep for another iteration.
        batch: The longest delay of an event in seconds; 0 if events are not delayed.
        output_parser: The function that converts the response.
        client: The client; None for the default one.
        call_params: The call parameters as passed.
        params: The call parameters under the provider's names.
        retry: When and how often the call is made again; None if the SDK decides.
        rate_limit: How much may be sent in a period.
        cache: The cache of answers; None if there is none.
        direct: The prepared request of each client, for requests that bypass the SDK.
    """

    base: Provider
    provider: Provider
    model: str
    prompt: PromptPlan
    stream: bool
    partial_tools: bool
    limits: Limits
    original_tools: tuple[type[BaseTool] | Callable[..., Any], ...]
    tools: tuple[type[BaseTool], ...]
    json_mode: bool
    extraction: Extraction | None
    every: Every
    deadlines: Deadlines | None
    replay: int
    batch: float
    output_parser: Callable[[Any], Any] | None
    client: object | None
    call_params: Mapping[str, Any]
    params: Mapping[str, Any]
    retry: Retry | None = None
    rate_limit: RateLimit | None = None
    cache: Cache | None = None
    _offers: dict[int, Offer] = field(default_factory=dict, compare=False)
    direct: DirectRequests = field(default_factory=DirectRequests, compare=False)

    def offer(self, provider: Provider) -> Offer:
        """Return the tools and the response model as the classes of another record of the same provider."""
        if provider is self.provider:
            return self.tools, self.extraction
        known = self._offers.get(id(provider))
        if known is None:
            tools, extraction = self.tools, self.extraction
            if provider.tool is not self.provider.tool:
                tools = provider_tools(self.original_tools, provider, self.prompt.fn)
                if extraction is not None:
                    extraction = plan_extraction(
                        extraction.target, provider, json_mode=self.json_mode, has_tools=bool(tools)
                    )
            known = self._offers[id(provider)] = tools, extraction
        return known


Offer: TypeAlias = tuple[tuple[type[BaseTool], ...], Extraction | None]


def plan_call(
    fn: Callable[..., Any],
    base: Provider,
    model: str,
    options: CallOptions,
) -> CallPlan:
    """Plan the calls of a function.

    Raises:
        ValueError: Options exclude each other, or a tool or the template is invalid.
    """
    stream, output_parser = options.get("stream", False), options.get("output_parser")
    tools, response_model = options.get("tools"), options.get("response_model")
    json_mode, call_params = bool(options.get("json_mode")), options.get("call_params") or {}
    if stream and output_parser:
        raise ValueError("Cannot use `output_parser` with `stream=True`.")
    check_function(fn, f"{base.name}.call")
    client = options.get("client")
    provider = base.for_call(client, model, call_params)
    config: StreamConfig = stream if isinstance(stream, dict) else {}
    every = config.get("every", "delta")
    if "every" in config and response_model is None:
        raise ValueError("`every` needs `stream=True` and a `response_model`: set both, or remove `every`.")
    extraction = None
    if response_model is not None:
        try:
            extraction = plan_extraction(response_model, provider, json_mode=json_mode, has_tools=bool(tools))
        except (TypeError, ValueError) as error:
            place_error(error, f"in the response model of `{function_name(fn)}`")
            raise
    retry, replay = plan_retry(options.get("retry"), options.get("rate_limit")), _replay_bytes(config.get("replay", 0))
    if stream and retry is not None and retry.on_break == "continue":
        check_continuation(provider, model, replay=replay > 0, is_structured=extraction is not None)
    return CallPlan(
        base=base,
        provider=provider,
        model=model,
        prompt=plan_prompt(fn),
        stream=bool(stream),
        partial_tools=bool(config.get("partial_tools")),
        limits=config.get("limits", {}),
        original_tools=tuple(tools or ()),
        tools=provider_tools(tools, provider, fn),
        json_mode=json_mode,
        extraction=extraction,
        every=every,
        deadlines=read_deadlines(config),
        replay=replay,
        batch=read_batch(config),
        output_parser=output_parser,
        client=client,
        call_params=call_params,
        params=render_params(call_params, provider),
        retry=retry,
        rate_limit=options.get("rate_limit"),
        cache=plan_cache(options.get("cache")),
    )


def render_params(call_params: Mapping[str, Any], provider: Provider) -> dict[str, Any]:
    """Return call parameters under the provider's names, without `api`, which is not sent."""
    if "api" in call_params:
        call_params = {name: value for name, value in call_params.items() if name != "api"}
    return provider.dialect.render_params(call_params)


def _replay_bytes(replay: bool | int) -> int:
    return DEFAULT_BYTES if replay is True else int(replay)


def provider_tools(
    tools: Sequence[type[BaseTool] | Callable[..., Any]] | None, provider: Provider, fn: Callable[..., Any]
) -> tuple[type[BaseTool], ...]:
    """Return the tools as the provider's classes, each created once.

    Args:
        tools: The tools.
        provider: The provider.
        fn: The function whose call offers them, for error messages.

    Raises:
        TypeError: One of them is not a tool.
        ValueError: Two tools have the same name, or a tool has a parameter without an annotation.
    """
    tools_by_name: dict[str, type[BaseTool]] = {}
    originals: dict[str, object] = {}
    for tool in tools or ():
        try:
            tool_type = provider_tool_type(tool, provider.tool)
        except (TypeError, ValueError) as error:
            place_error(error, f"in the tools of `{function_name(fn)}`")
            raise
        name = tool_type._name()
        if name in tools_by_name:
            raise ValueError(
                f"two tools have the name {name!r}: {_described(originals[name])} and {_described(tool)}; the model "
                f"tools by name, so rename one of them, in the tools of `{function_name(fn)}`"
            )
        tools_by_name[name], originals[name] = tool_type, tool
    return tuple(tools_by_name.values())


def _described(tool: object) -> str:
    named: Any = tool if hasattr(tool, "__qualname__") else type(tool)
    return f"{named.__module__}.{named.__qualname__}"
