"""One prepared call: the plan, the prompt and the dynamic config combined."""

from __future__ import annotations

import inspect
import json
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, NoReturn, cast

from ..core.base._messages.provider_data import Endpoint, drop_unsupported
from ..core.base._prompts.checks import check_messages
from ..core.base._prompts.plan import ResolvedPrompt
from ..core.base._responses.user_message import last_user_message
from ..core.base._suggestions import type_name, with_article
from ..core.base.call_response import AnyCallResponse
from ..core.base.metadata import Metadata
from ..core.base.tool import BaseTool
from ..errors import APIError, ClientError
from ..prices import Cost, Meter, billed_by, cached_cost, check_budgets, cost, open_meters
from ..transport import adapt_client_if_sdk_made, report_headers
from .bodies import begins_with, body_error, json_object, refused_body, successful_body
from .caching import CacheEntry, Recorded
from .clients import account_of, default_client, host_of
from .common_errors import unify_exception
from .dialect import Request, ResumesStreams
from .direct.sending import is_direct, steps
from .drive import Flow, adrive, drive
from .extraction import Extraction
from .observing import Observation, observe
from .option_checks import check_call_params, check_client
from .plan import CallPlan, provider_tools, render_params
from .provider import Provider
from .sdk import SdkErrors
from .send_errors import add_note, is_about_keys, missing_key, suggest_parameter, unknown_parameter

# The types that no SDK uses for a response.
_NO_RESPONSE: Final = (str, bytes, list, int, float)


@dataclass(slots=True, repr=False)  # parameters may contain keys
class Call:
    """A call that is ready to be sent.

    Attributes:
        plan: The plan from decoration.
        provider: The provider's record for the client of this call.
        client: That client; None for the default one.
        fn_args: The arguments, with computed fields.
        config: The dynamic config, if there is one.
        messages: The messages, in the provider's format.
        kwargs: The keyword arguments for the SDK's method.
        tools: The tools of the request.
        extraction: The structured answer to ask for, if there is a response model.
        prefilled_fields: The fields of the response model that the arguments fill.
        metadata: The metadata of the call, such as its tags.
        meters: The meters that count the call.
        prompt: The result of the prompt function.
        observation: The record of the call for telemetry; None if nothing observes it.
        host: The host to which the client sends requests. It is empty until a client is chosen, and for a client
            without a URL.
        used_client: The client that sent the request. The connections of a default client are closed when nothing
            refers to it, which some SDKs' streams do not.
        cache_entry: The place of the answer in the cache; None if the call has no cache.
        received: The response object of the SDK and the body that it was read from, if the direct way received it.
    """

    plan: CallPlan
    provider: Provider
    client: object | None
    fn_args: dict[str, Any]
    config: dict[str, Any] | None
    messages: list[Any]
    kwargs: dict[str, Any]
    tools: tuple[type[BaseTool], ...]
    extraction: Extraction | None
    prefilled_fields: dict[str, Any]
    metadata: Metadata
    meters: tuple[Meter, ...]
    prompt: ResolvedPrompt
    observation: Observation | None
    host: str = ""
    used_client: object | None = None
    cache_entry: CacheEntry | None = None
    received: tuple[object, bytes] | None = None

    def steps(self) -> Flow:
        """Yield the steps of the request. Return what the SDK returns, or what the direct way returns in its place.

        Raises:
            ferroscope.errors.BudgetExceededError: The budget is used up.
            ferroscope.errors.ClientError: The client does not fit the provider, or the kind of the function.
        """
        client, observation = self._open(), self.observation
        if observation is not None:
            return (yield partial(observation.send, self, client, self._request))
        rules = self.provider.direct
        if rules is not None and is_direct(client, self.provider.sdk, rules):
            return (yield from steps(self, client, rules))
        return (yield partial(self.send_by_sdk, client))

    def send(self, observation: Observation | None = None) -> Any:
        """Run the steps of the request, and return their result: an awaitable if the call is async.

        Args:
            observation: The observation of the request; by default that of the call.
        """
        client, observation = self._open(), observation or self.observation
        return self._request(client) if observation is None else observation.send(self, client, self._request)

    def _open(self) -> object:
        """Return the client that sends the request, after a check of the budgets."""
        provider, client, is_async = self.provider, self.client, self.plan.prompt.is_async
        if client is None:
            try:
                client = default_client(provider.clients, asynchronous=is_async)
            except Exception as error:
                self._fail(error, sent=False)
        else:
            adapt_client_if_sdk_made(client)
        self.host, self.used_client = host_of(client, provider.clients), client
        if self.meters:
            check_budgets(self.billed_by(self.plan.model), self.plan.model, self.meters)
        return client

    def _request(self, client: object) -> Any:
        rules = self.provider.direct
        if rules is not None and is_direct(client, self.provider.sdk, rules):
            run = adrive if self.plan.prompt.is_async else drive
            return run(steps(self, client, rules))
        return self.send_by_sdk(client)

    def send_by_sdk(self, client: object) -> Any:
        """Call the SDK with a client. Return an awaitable if the call is async."""
        kwargs = self.kwargs
        if self.plan.retry is not None:
            report_headers(client, is_default=self.client is None)
            client, kwargs = self.provider.once(client, kwargs)
        if self.plan.prompt.is_async:
            return self._asend(client, kwargs)
        method = self._method(client)
        try:
            sent = method(**kwargs)
        except Exception as error:
            self._fail(error)
        if inspect.iscoroutine(sent):
            sent.close()
            raise ClientError(
                f"{self.plan.prompt.name} is a sync function, but its client ({type(client).__name__}) is async: write "
                "`async def`, or pass the sync client"
            )
        return sent

    def _method(self, client: object) -> Callable[..., Any]:
        provider = self.provider
        try:
            return provider.dialect.method(client, asynchronous=self.plan.prompt.is_async)
        except AttributeError as error:
            raise ClientError(
                f"{with_article(type_name(client))} cannot call {provider.name!r} ({error}); pass a client of the SDK "
                f"{provider.sdk!r} for this provider, or omit `client`; {self.where}"
            ) from error

    async def _asend(self, client: object, kwargs: dict[str, Any]) -> Any:
        method = self._method(client)
        try:
            sent = method(**kwargs)
            return await sent if inspect.isawaitable(sent) else sent
        except Exception as error:
            self._fail(error)

    def resume(self) -> Callable[[str, int], Any] | None:
        """Return a function that requests the rest of a stream; None if the stream ends with its connection.

        Its arguments are the id of the response and the last sequence number received.
        """
        dialect = self.provider.dialect
        if not isinstance(dialect, ResumesStreams) or not dialect.is_resumable(self.kwargs):
            return None

        def request(identifier: str, after: int) -> Any:
            client = self._any_client()
            if self.plan.retry is not None:
                client, _ = self.provider.once(client, self.kwargs)
            return dialect.resume(client, self.kwargs, identifier, after)

        return request

    @property
    def where(self) -> str:
        """The function, the provider and the model, for error messages."""
        return f"function `{self.plan.prompt.name}`, provider {self.provider.name!r}, model {self.plan.model!r}"

    def _fail(self, error: Exception, *, sent: bool = True) -> NoReturn:
        """Raise an exception of the SDK as an instance of ours too, with a note of what was called.

        Args:
            error: The exception.
            sent: Whether there was a client to send the request.

        Raises:
            ferroscope.errors.APIError: The exception is about a body that is not JSON, or about a missing key.
        """
        explained = self._explained(error, sent=sent)
        host = f", host {self.host!r}" if self.host else ""
        add_note(explained, f"{self.where}{host}")
        if explained is error:
            raise error
        raise explained from error

    def _explained(self, error: Exception, *, sent: bool) -> Exception:
        if found := body_error(error):
            return APIError(self.place(found))
        if (text := refused_body(error)) is not None:
            return self._no_response(text)
        unify_exception(error, self.provider.sdk)
        # Some SDKs validate a response and refuse one that reports an error.
        body = successful_body(error)
        reported = None if body is None else self.provider.dialect.reported_error(body)
        if reported is not None:
            text = self.place(reported.message)
            error.args = (text,)
            vars(error)["message"] = text
        if (unknown := unknown_parameter(error, self.kwargs)) is not None:
            known = inspect.signature(self._method(self._any_client())).parameters
            error.args = (f"{error}: {suggest_parameter(unknown, known)}",)
        elif is_about_keys(error, self.provider.clients, sent=sent):
            return missing_key(error, self.provider.name, self.provider.clients)
        return error

    def _any_client(self) -> object:
        if self.client is not None:
            return self.client
        return default_client(self.provider.clients, asynchronous=self.plan.prompt.is_async)

    def response_fields(self) -> dict[str, Any]:
        """Return the fields that responses and streams share."""
        tools = list(self.tools)
        if self.extraction is not None and self.extraction.mode == "tool":
            tools = [self.extraction.tool]
        return {
            "metadata": self.metadata,
            "tool_types": tools or None,
            "prompt_template": self.plan.prompt.template,
            "fn_args": self.fn_args,
            "dynamic_config": self.config,
            "messages": self.messages,
            "call_params": self.plan.call_params,
            "call_kwargs": self.kwargs,
            "user_message_param": last_user_message(self.messages),
        }

    def response(self, raw: object, start_time: float, end_time: float) -> AnyCallResponse:
        """Return the provider's response object for the response of the SDK.

        Raises:
            ferroscope.errors.APIError: The SDK returned something other than a response.
        """
        # The SDKs return the answer of a proxy or of a wrong URL as is: a page as its text, JSON as its value.
        if raw is None or isinstance(raw, _NO_RESPONSE):
            raise self._no_response(raw)
        kind = self.provider.response
        response = kind(response=raw, start_time=start_time, end_time=end_time, **self.response_fields())
        response._set_server_host(self.host)
        if self.cached is not None:
            response._set_cached(cached_cost(self.billed_by(response.model or ""), response.model or ""))
        return response

    def known_host(self) -> str:
        """Return the host that the call would be sent to; empty if there is no client for it."""
        try:
            return host_of(self._any_client(), self.provider.clients)
        except Exception:  # such as a missing key, which only a request needs
            return ""

    @property
    def cached(self) -> Recorded | None:
        """The recorded answer of the call; None if a request is sent."""
        return None if self.cache_entry is None else self.cache_entry.found

    def account(self) -> Hashable:
        """Return the provider, the URL and the key of the call, which its limits go by."""
        client = self.client
        if client is None:
            client = default_client(self.provider.clients, asynchronous=self.plan.prompt.is_async)
        return (self.provider.name, *account_of(client, self.provider.clients))

    def billed_by(self, model: str) -> str:
        """Return the provider in the price table whose prices apply to the call."""
        provider = self.provider
        return billed_by(provider.name, provider.price_provider, self.host, model)[0]

    def unknown_cost(self) -> Cost:
        """Return the cost of a request whose usage is not known."""
        return cost(self.billed_by(self.plan.model), self.plan.model, None)

    def reported_error(self, response: AnyCallResponse) -> APIError | None:
        """Return the error that the server reported in the body of a successful response; None for an answer."""
        found = self.provider.dialect.reported_error(response.response)
        if found is None:
            return None
        error = SdkErrors(self.provider, None).of_response(self.place(found.message), found)
        error.partial = response
        add_note(error, self.where)
        return error

    def _no_response(self, body: object) -> APIError:
        inner = json_object(body)
        found = None if inner is None else self.provider.dialect.reported_error(inner)
        if found is not None:
            return SdkErrors(self.provider, None).of_response(self.place(found.message), found)
        text = body if isinstance(body, str) else json.dumps(body, default=repr)
        return APIError(self.place(f"the body is not a response; it {begins_with(text)}"))

    def place(self, message: str) -> str:
        """Return an error message with the provider and the model."""
        return f"{message}; provider {self.provider.name!r}, model {self.plan.model!r}"


def prepare(plan: CallPlan, prompt: ResolvedPrompt) -> Call:
    """Return the call for a prompt. The arguments are not modified."""
    config = prompt.config or {}
    check_messages(prompt.messages, plan.prompt.fn)
    # A dynamic client serves only this call. The next call may belong to another tenant.
    client = config.get("client") or plan.client
    if client is not plan.client:
        check_client(client, f"`client` in the dict that `{plan.prompt.name}` returned")
    added = config.get("call_params") or {}
    if added:
        check_call_params(added, f"the dict that `{plan.prompt.name}` returned")
    provider = plan.base.for_call(client, plan.model, {**plan.call_params, **added} if added else plan.call_params)
    tools, extraction = plan.offer(provider)
    params = plan.params
    if provider.dialect is not plan.provider.dialect:
        params = render_params(plan.call_params, provider)
    if config.get("tools") is not None:
        tools = provider_tools(config["tools"], provider, plan.prompt.fn)
    if added:
        params = {**params, **render_params(added, provider)}
    if extraction is not None and (tools or not provider.dialect.may_force_tool(params)):
        extraction = extraction.as_json_mode()
    prefilled = extraction.prefilled_fields(prompt.fn_args) if extraction is not None else {}
    destination = Endpoint(provider.name, plan.model)
    sent = drop_unsupported(prompt.messages, provider.dialect.name, destination)
    messages = provider.dialect.render_messages(sent, destination)
    request = Request(
        model=plan.model,
        messages=messages,
        params=params,
        tools=tools,
        stream=plan.stream,
        json_mode=plan.json_mode,
        extraction=extraction,
    )
    call = Call(
        plan=plan,
        provider=provider,
        client=client,
        fn_args=prompt.fn_args,
        config=prompt.config,
        messages=provider.dialect.conversation(messages),
        kwargs=provider.dialect.render_request(request),
        tools=tools,
        extraction=extraction,
        prefilled_fields=prefilled,
        metadata=cast("Metadata", config.get("metadata") or plan.prompt.metadata or {}),
        meters=open_meters(),
        prompt=prompt,
        observation=observe(plan),
    )
    if plan.cache is not None:
        call.cache_entry = CacheEntry(plan.cache, call)
    return call


def now() -> float:
    """Return the time in milliseconds since the epoch."""
    return time.time() * 1000
