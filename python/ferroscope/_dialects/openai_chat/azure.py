"""Chat completions at Azure: by the clients of the OpenAI SDK, or by the retired `azure-ai-inference`.

https://learn.microsoft.com/en-us/azure/ai-foundry/openai/latest
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any, Final

from .dialect import OpenAIChat
from .messages import MessageRules

# Any: the SDKs' own objects pass through.

AZURE_RULES: Final = MessageRules(provider="Azure", audio=False)


@dataclass(frozen=True, slots=True)
class AzureChat(OpenAIChat):
    """The chat-completions format as Azure wants it."""

    rules: MessageRules = AZURE_RULES

    def render_params(self, params: Mapping[str, Any]) -> dict[str, Any]:
        rendered = OpenAIChat.render_params(self, params)
        if isinstance(stop := rendered.get("stop"), str):
            rendered["stop"] = [stop]
        return rendered

    def method(self, client: Any) -> Callable[..., Any]:
        complete = getattr(client, "complete", None)
        if complete is not None:
            return _inference_method(complete)
        create = client.chat.completions.create

        def send(*, model_extras: Mapping[str, Any] | None = None, **kwargs: Any) -> Any:
            if model_extras:
                kwargs["extra_body"] = {**model_extras, **(kwargs.get("extra_body") or {})}
            return create(**kwargs)

        return send


def _inference_method(complete: Callable[..., Any]) -> Callable[..., Any]:
    """What sends a request with a `ChatCompletionsClient`, sync or async."""

    def send(
        *,
        model_extras: Mapping[str, Any] | None = None,
        extra_body: Mapping[str, Any] | None = None,
        extra_headers: Mapping[str, str] | None = None,
        extra_query: Mapping[str, str] | None = None,
        timeout: float | None = None,
        **kwargs: Any,
    ) -> Any:
        # The whole body, because the SDK's own parameters leave out half of what the format has.
        body = {**kwargs, **(model_extras or {}), **(extra_body or {})}
        options: dict[str, Any] = {"headers": {"extra-parameters": "pass-through", **(extra_headers or {})}}
        if extra_query:
            options["params"] = dict(extra_query)
        if timeout is not None:
            options |= {"connection_timeout": timeout, "read_timeout": timeout}
        if not body.get("stream"):
            return complete(body=body, **options)
        responses: list[Any] = []
        answer = complete(body=body, raw_response_hook=responses.append, **options)
        if isawaitable(answer):
            return _awaited(answer, responses)
        return InferenceStream(answer, responses[-1].http_response)

    return send


async def _awaited(answer: Any, responses: list[Any]) -> InferenceStream:
    stream = await answer
    # The hook is called for every attempt; the last one is the answer.
    return InferenceStream(stream, responses[-1].http_response)


class InferenceStream:
    """A stream of `azure-ai-inference`, to be read by its bytes: the SDK drops errors and filter results."""

    # Nobody else has to see the objects: the response comes from the SDK's own hook.
    reads_bytes = True

    def __init__(self, sdk_stream: Any, response: Any) -> None:
        self.response = _Body(sdk_stream, response)


class _Body:
    """The response below, with the names that HTTP libraries have for its parts."""

    def __init__(self, sdk_stream: Any, response: Any) -> None:
        self._stream = sdk_stream
        self._response = response
        self.request = getattr(response, "request", None)

    def iter_bytes(self) -> Iterator[bytes]:
        return iter(self._response.iter_bytes())

    def aiter_bytes(self) -> AsyncIterator[bytes]:
        return aiter(self._response.iter_bytes())

    def close(self) -> None:
        self._stream.close()

    async def aclose(self) -> None:
        closing = (getattr(self._stream, "aclose", None) or self._response.close)()
        if isawaitable(closing):
            await closing
