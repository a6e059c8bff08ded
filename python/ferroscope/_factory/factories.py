"""The factories of v1: each returns a decorator for one kind of call."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from .._engine.call import now
from .._engine.decorator import run_steps
from .._engine.drive import Flow
from .._engine.extraction import Extraction, plan_extraction
from .._engine.option_checks import check_function, check_values
from .._engine.structured_chunks import StructuredChunks, instance_of
from ..core.base._prompts.callers import callers_level
from ..core.base._responses.user_message import last_user_message
from ..core.base._utils import (
    GetJsonOutput,
    HandleStream,
    HandleStreamAsync,
    SetupCall,
    dynamic_config_of,
    get_metadata,
    prompt_plan,
)
from ..core.base.call_response import AnyCallResponse
from ..core.base.stream import AnyStream
from ..core.base.structured_stream import BaseStructuredStream
from ..core.base.tool import BaseTool

# Any in this module: the program's own classes, SDK objects and prompt functions.
_Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


@dataclass(frozen=True, slots=True)
class _Setup:
    """A call as the program's `setup_call` prepared it."""

    create: Callable[..., Any]
    fields: dict[str, Any]
    tool_types: list[type[Any]] | None
    kwargs: dict[str, Any]
    fn_args: dict[str, Any]


@dataclass(frozen=True, slots=True, repr=False)  # parameters may contain keys
class _Options:
    """The decorator's options that `setup_call` receives."""

    setup_call: SetupCall
    model: str
    tools: Any
    json_mode: bool
    client: Any
    call_params: Any
    response_model: Any
    stream: Any

    def steps(self, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Flow:
        """Yield the steps up to the request, and return the prepared call."""
        plan = prompt_plan(fn)
        fn_args = plan.bind(args, kwargs)
        returned = yield partial(plan.fn, *args, **kwargs)
        config = dynamic_config_of(plan, fn_args, returned)
        # A dynamic client serves only this call.
        client = (config or {}).get("client") or self.client
        create, template, messages, tool_types, call_kwargs = self.setup_call(
            model=self.model,
            client=client,
            fn=fn,
            fn_args=fn_args,
            dynamic_config=config,
            tools=self.tools,
            json_mode=self.json_mode,
            call_params=self.call_params,
            response_model=self.response_model,
            stream=self.stream,
        )
        fields = {
            "metadata": get_metadata(fn, config),
            "tool_types": tool_types,
            "prompt_template": template,
            "fn_args": fn_args,
            "dynamic_config": config,
            "messages": messages,
            "call_params": self.call_params,
            "call_kwargs": call_kwargs,
        }
        return _Setup(create, fields, tool_types, dict(call_kwargs), fn_args)

    def decorate(self, fn: Callable[..., Any], flow: Callable[..., Flow]) -> Callable[..., Any]:
        """Return a function with the parameters of `fn` that runs a flow."""
        check_function(fn, "call")
        return run_steps(partial(flow, fn), fn, self.model, is_async=prompt_plan(fn).is_async)


def create_factory(*, TCallResponse: type[AnyCallResponse], setup_call: SetupCall) -> Callable[..., Any]:
    """Return a decorator for calls that return the program's response class."""

    def decorator(
        fn: Callable[..., Any],
        model: str,
        tools: Any = None,
        output_parser: Callable[[Any], Any] | None = None,
        json_mode: bool = False,
        client: Any = None,
        call_params: Any = None,
    ) -> Callable[..., Any]:
        options = _Options(setup_call, model, tools, json_mode, client, call_params, None, False)

        def flow(fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Flow:
            _, response = yield from _response(options, TCallResponse, fn, args, kwargs)
            return response if output_parser is None else (yield partial(output_parser, response))

        return options.decorate(fn, flow)

    return decorator


def _response(
    options: _Options,
    response_type: type[AnyCallResponse],
    fn: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Flow:
    """Yield the steps of a call that is not streamed, and return the prepared call and the response."""
    setup = yield from options.steps(fn, args, kwargs)
    start_time = now()
    raw = yield partial(setup.create, stream=False, **setup.kwargs)
    response: Any = response_type(
        response=raw,
        start_time=start_time,
        end_time=now(),
        user_message_param=last_user_message(setup.fields["messages"]),
        **setup.fields,
    )
    response._model = options.model
    return setup, response


def extract_factory(
    *,
    TCallResponse: type[AnyCallResponse],
    TToolType: type[BaseTool],
    setup_call: SetupCall,
    get_json_output: GetJsonOutput,
) -> Callable[..., Any]:
    """Return a decorator for calls with a response model."""

    def decorator(
        fn: Callable[..., Any],
        model: str,
        response_model: Any,
        tools: Any = None,
        output_parser: Callable[[Any], Any] | None = None,
        json_mode: bool = False,
        client: Any = None,
        call_params: Any = None,
    ) -> Callable[..., Any]:
        extraction = _plan(response_model, TToolType, json_mode=json_mode, has_tools=bool(tools))
        asks_json = extraction.mode == "json"
        offered = tools if asks_json else [extraction.tool]
        options = _Options(setup_call, model, offered, asks_json, client, call_params, extraction.model, False)

        def flow(fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Flow:
            setup, response = yield from _response(options, TCallResponse, fn, args, kwargs)
            if tools and response.tools:
                return response
            prefilled = extraction.prefilled_fields(setup.fn_args)
            result = instance_of(extraction, get_json_output(response, asks_json), prefilled, response)
            return result if output_parser is None else (yield partial(output_parser, result))

        return options.decorate(fn, flow)

    return decorator


def stream_factory(
    *,
    TCallResponse: type[AnyCallResponse],
    TStream: type[AnyStream],
    setup_call: SetupCall,
    handle_stream: HandleStream,
    handle_stream_async: HandleStreamAsync,
) -> Callable[..., Any]:
    """Return a decorator for calls that return the program's stream class.

    Args:
        TCallResponse: The class of responses.
        TStream: The class of streams.
        setup_call: The function that prepares a call.
        handle_stream: The generator function that converts the SDK's chunks into pairs of chunk and completed tool.
        handle_stream_async: The same for async streams, as an async generator function.
    """

    def decorator(
        fn: Callable[..., Any],
        model: str,
        tools: Any = None,
        json_mode: bool = False,
        client: Any = None,
        call_params: Any = None,
        partial_tools: bool = False,
    ) -> Callable[..., Any]:
        options = _Options(setup_call, model, tools, json_mode, client, call_params, None, True)
        # Handlers of older programs do not have the parameter.
        extra = {"partial_tools": True} if partial_tools else {}

        def flow(fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Flow:
            setup = yield from options.steps(fn, args, kwargs)
            if prompt_plan(fn).is_async:
                pairs: Any = _asent(setup, lambda sent: handle_stream_async(sent, setup.tool_types, **extra))
            else:
                pairs = _sent(setup, lambda sent: handle_stream(sent, setup.tool_types, **extra))
            return _stream(setup, TStream, TCallResponse, model, pairs)

        return options.decorate(fn, flow)

    return decorator


def structured_stream_factory(
    *,
    TCallResponse: type[AnyCallResponse],
    TCallResponseChunk: type[Any],
    TStream: type[AnyStream],
    TToolType: type[BaseTool],
    setup_call: SetupCall,
    get_json_output: GetJsonOutput,
) -> Callable[..., Any]:
    """Return a decorator for streams of a response model.

    Args:
        TCallResponse: The class of responses.
        TCallResponseChunk: The class of chunks, which is created with `chunk=`.
        TStream: The class of streams.
        TToolType: The base class of tools.
        setup_call: The function that prepares a call.
        get_json_output: The function that returns the part of the JSON in a chunk.
    """

    def decorator(
        fn: Callable[..., Any],
        model: str,
        response_model: Any,
        json_mode: bool = False,
        client: Any = None,
        call_params: Any = None,
    ) -> Callable[..., Any]:
        extraction = _plan(response_model, TToolType, json_mode=json_mode, has_tools=False)
        asks_json = extraction.mode == "json"
        offered = None if asks_json else [extraction.tool]
        options = _Options(setup_call, model, offered, asks_json, client, call_params, extraction.model, True)

        def flow(fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Flow:
            setup = yield from options.steps(fn, args, kwargs)
            if prompt_plan(fn).is_async:
                pairs: Any = _asent(setup, partial(_achunks, TCallResponseChunk))
            else:
                pairs = _sent(setup, partial(_chunks, TCallResponseChunk))
            stream = _stream(setup, TStream, TCallResponse, model, pairs)
            prefilled = extraction.prefilled_fields(setup.fn_args)
            return BaseStructuredStream(
                stream=stream,
                response_model=response_model,
                fields_from_call_args=prefilled,
                run=StructuredChunks(stream, extraction, prefilled, lambda chunk: get_json_output(chunk, asks_json)),
            )

        return options.decorate(fn, flow)

    return decorator


@dataclass(frozen=True, slots=True)
class _Tools:
    tool: type[BaseTool]


def _plan(response_model: Any, tool: type[BaseTool], *, json_mode: bool, has_tools: bool) -> Extraction:
    return plan_extraction(response_model, _Tools(tool), json_mode=json_mode, has_tools=has_tools)


def _sent(setup: _Setup, handle: Callable[[Any], Any]) -> Generator[Any, None, None]:
    yield from handle(setup.create(stream=True, **setup.kwargs))


async def _asent(setup: _Setup, handle: Callable[[Any], Any]) -> AsyncGenerator[Any, None]:
    sent = setup.create(stream=True, **setup.kwargs)
    async for pair in handle(await sent if inspect.isawaitable(sent) else sent):
        yield pair


def _chunks(chunk_type: type[Any], sent: Any) -> Generator[Any, None, None]:
    for chunk in sent:
        yield chunk_type(chunk=chunk), None


async def _achunks(chunk_type: type[Any], sent: Any) -> AsyncGenerator[Any, None]:
    if not hasattr(sent, "__aiter__"):  # of a sync client in an async call
        for pair in _chunks(chunk_type, sent):
            yield pair
        return
    async for chunk in sent:
        yield chunk_type(chunk=chunk), None


def _stream(
    setup: _Setup, stream_type: type[AnyStream], response_type: type[AnyCallResponse], model: str, pairs: Any
) -> AnyStream:
    return stream_type(stream=pairs, call_response_type=response_type, model=model, **setup.fields)


def call_factory(
    *,
    TCallResponse: type[AnyCallResponse],
    TCallResponseChunk: type[Any],
    TToolType: type[BaseTool],
    TStream: type[AnyStream],
    default_call_params: Any,
    setup_call: SetupCall,
    get_json_output: GetJsonOutput,
    handle_stream: HandleStream,
    handle_stream_async: HandleStreamAsync,
) -> Callable[..., _Decorator]:
    """Return a call decorator for a provider of the program's own, from v1's nine parts.

    Args:
        TCallResponse: The class of responses, with the name of the provider in `_provider`.
        TCallResponseChunk: The class of chunks.
        TToolType: The base class of tools.
        TStream: The class of streams.
        default_call_params: The call parameters if the decorator has none.
        setup_call: The function that prepares a call; see `ferroscope.core.base._utils.SetupCall`.
        get_json_output: The function that returns the JSON in a response, or the part of it in a chunk.
        handle_stream: The generator function that converts the SDK's chunks into pairs of chunk and completed tool.
        handle_stream_async: The same for async streams.

    Returns:
        A function of the model and the options, as `openai.call`.

    Example:
        ```python
        acme_call = call_factory(
            TCallResponse=AcmeCallResponse,
            TCallResponseChunk=AcmeCallResponseChunk,
            TToolType=AcmeTool,
            TStream=AcmeStream,
            default_call_params=AcmeCallParams(),
            setup_call=setup_call,
            get_json_output=get_json_output,
            handle_stream=handle_stream,
            handle_stream_async=handle_stream_async,
        )


        @acme_call("acme-1")
        def recommend_book(genre: str) -> str:
            return f"Recommend a {genre} book"
        ```
    """
    name = f"{getattr(TCallResponse, '_provider', TCallResponse.__name__)}.call"
    create = create_factory(TCallResponse=TCallResponse, setup_call=setup_call)
    extract = extract_factory(
        TCallResponse=TCallResponse, TToolType=TToolType, setup_call=setup_call, get_json_output=get_json_output
    )
    stream_of = stream_factory(
        TCallResponse=TCallResponse,
        TStream=TStream,
        setup_call=setup_call,
        handle_stream=handle_stream,
        handle_stream_async=handle_stream_async,
    )
    structured = structured_stream_factory(
        TCallResponse=TCallResponse,
        TCallResponseChunk=TCallResponseChunk,
        TStream=TStream,
        TToolType=TToolType,
        setup_call=setup_call,
        get_json_output=get_json_output,
    )

    def call(
        model: str,
        *,
        stream: Any = False,
        tools: Any = None,
        response_model: Any = None,
        output_parser: Callable[[Any], Any] | None = None,
        json_mode: bool = False,
        client: Any = None,
        call_params: Any = None,
    ) -> _Decorator:
        if stream and output_parser:
            raise ValueError("Cannot use `output_parser` with `stream=True`.")
        check_values({"tools": tools, "output_parser": output_parser, "json_mode": json_mode, "client": client}, name)
        shared = {
            "model": model,
            "json_mode": json_mode,
            "client": client,
            "call_params": default_call_params if call_params is None else call_params,
        }
        if stream and response_model is not None:
            if tools:
                warnings.warn(
                    f"{name}(tools=...) has no effect on a stream with a response model",
                    UserWarning,
                    stacklevel=callers_level(),
                )
            return lambda fn: structured(fn, response_model=response_model, **shared)
        if stream:
            partial_tools = isinstance(stream, Mapping) and bool(stream.get("partial_tools"))
            return lambda fn: stream_of(fn, tools=tools, partial_tools=partial_tools, **shared)
        if response_model is not None:
            options = {"tools": tools, "output_parser": output_parser, "response_model": response_model}
            return lambda fn: extract(fn, **options, **shared)
        return lambda fn: create(fn, tools=tools, output_parser=output_parser, **shared)

    call.__name__ = call.__qualname__ = name.replace(".", "_")
    return call
