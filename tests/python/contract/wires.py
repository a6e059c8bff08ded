"""What a test has to know of a wire format to look into its bodies: one class a format, the same questions."""

from __future__ import annotations

import asyncio
import inspect
import json
from importlib import import_module
from typing import Any

import pytest


class OpenAIChat:
    """OpenAI's chat completions."""

    # The name of the format.
    format = "openai_chat"
    # Whose exceptions calls raise.
    sdk = "openai"
    # The oldest version of the SDK with this format, where not all have it.
    oldest: str | None = None
    # Whether the count of input tokens holds those that came from the cache.
    counts_cached = True
    # Whether the SDK warns at once of clients that are left open.
    warns_of_open_clients = True
    # Whether the SDK's async client runs on trio.
    runs_on_trio = True
    # Whether the API takes only its own form of ids of tool calls.
    rewrites_ids = False
    # Whether the API takes messages in some orders only.
    orders_messages = False
    # Whether the SDK's objects have data that is not in the body, such as headers.
    has_head = False
    # Whether there are refusals.
    refuses = True
    # Whether a refusal has a place of its own, beside the text.
    refuses_apart = True
    # Whether arguments are text, and so may be broken in a plain body too.
    arguments_are_text = True
    # Whether streams have arguments as text in pieces.
    cuts_arguments = True
    # Whether an event says that a stream is over, whatever the connection does.
    has_last_event = True
    # Whether an error inside a stream is an event of it.
    counts_errors = True
    # Whether the schema of a tool has default values.
    shows_defaults = True
    # Whether usage counts the tokens that came from the cache.
    reports_cached = True
    # Whether tools and response models may be strict.
    knows_strict = True
    # Whether the SDK's text of an error has the provider's message.
    shows_message = True
    # Whether a stream has usage only if the request asks for it.
    asks_for_usage = True
    # Whether responses name the model that answered.
    names_model = True
    # Whether a call may set its own timeout and headers.
    takes_timeout = True
    takes_headers = True
    # Whether the SDK's clients are on httpx.
    on_httpx = True
    # Whether the SDK has classes: Bedrock's chunks are dicts, and its exceptions are of classes made at run time.
    has_classes = True
    # Whether responses and chunks are of the provider's own classes, and not the common view of `llm`.
    has_own_classes = True
    # Whether the SDK's method returns the stream that a tracer wraps.
    returns_streams = True
    # Whether the SDK passes on an error inside a stream that it did not make itself.
    shows_stream_errors = True
    # Whether the SDK has a class for an error in the body of a successful response.
    makes_errors = True
    # Whether the SDK refuses bodies that its models do not allow.
    validates = False
    # Whether streams of a program's own client are read through the SDK's objects.
    reads_own_clients_by_objects = False
    # The content type of streams.
    stream_type = "text/event-stream"
    # Where the API is below the base URL.
    path = "/chat/completions"
    # Whether the HTTP client that the SDK made can be told from a program's own, and the SDK's client copied with one.
    marks_own_http = True
    # Whether there is a finish reason for filtered content.
    filters = True
    # The type of a text in a message's content, and the name of the parameter `max_tokens`.
    text_type = "text"
    max_tokens = "max_tokens"
    # Whether the library reads the bytes of streams: it knows the place of garbage, and drains the connection.
    reads_bytes = True
    # Whether the SDK shows a body of a successful response that reports an error, or is no response.
    shows_bodies = True
    # Whether the SDK passes on what it finds in a stream: refusals, thoughts in tags, the model, errors on a choice.
    keeps_members = True
    # Whether a stream may end without a finish reason.
    needs_no_finish = True
    # Whether prices come from the price table, and not from the SDK.
    uses_price_table = True
    # How many events come before the first text.
    opening = 1
    # After how many bytes of its stream a short answer has been said in part.
    halfway = 700

    @classmethod
    def client(cls, kind: str, url: str, key: str) -> Any:
        """A client of the SDK."""
        import openai

        return (openai.OpenAI if kind == "sync" else openai.AsyncOpenAI)(api_key=key, base_url=url)

    @staticmethod
    def http(client: Any) -> Any:
        """Return the HTTP client of an SDK's client."""
        return client._client

    async_http = http

    @staticmethod
    def close(client: Any) -> None:
        """Close a client of sync calls."""
        client.close()

    @staticmethod
    async def aclose(client: Any) -> None:
        """Close a client, of whichever calls, in an event loop."""
        if inspect.isawaitable(closing := client.close()):
            await closing

    @classmethod
    def error(cls, name: str) -> Any:
        """The SDK's exception that OpenAI's SDK calls like this."""
        return getattr(import_module(cls.sdk), name)

    @staticmethod
    def finish(reason: str) -> str:
        """A finish reason in the format's own words."""
        return reason

    @staticmethod
    def messages(body: dict[str, Any]) -> list[dict[str, Any]]:
        """The messages in the body of a request."""
        return list(body["messages"])

    @staticmethod
    def tools(request: Any) -> list[Any]:
        """The tools of a request, in its body or its keyword arguments."""
        return list(request["tools"])

    @staticmethod
    def params(request: Any) -> Any:
        """The parameters of a request, in its body or its keyword arguments."""
        return request

    @staticmethod
    def key(headers: Any) -> str:
        """The key of a request, in whichever header the SDK of the day sends it."""
        return str(headers.get("authorization", "").removeprefix("Bearer ") or headers["x-api-key"])

    @staticmethod
    def is_streamed(request: Any) -> bool:
        """Whether a request asks for a stream."""
        return request.json.get("stream") is True

    @staticmethod
    def described(tool: dict[str, Any]) -> tuple[str, str, dict[str, Any]]:
        """Name, description and parameters of a tool."""
        assert tool["type"] == "function"
        function = tool["function"]
        return function["name"], function["description"], function.get("parameters", {})

    @staticmethod
    def calls(message: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
        """Ids and arguments of the tool calls in an assistant's message."""
        return [(call["id"], json.loads(call["function"]["arguments"])) for call in message["tool_calls"]]

    @staticmethod
    def arguments(call: Any) -> Any:
        """The arguments of the SDK's tool call."""
        return call.function.arguments

    @staticmethod
    def text(message: dict[str, Any]) -> str:
        """The text of a message."""
        return str(message["content"])

    @staticmethod
    def results(messages: list[dict[str, Any]]) -> dict[str, str]:
        """What tools answered, by the id of the call."""
        return {one["tool_call_id"]: one["content"] for one in messages if one["role"] == "tool"}


class OpenAIServer(OpenAIChat):
    """The same from another server, which is a row of data and is called through `llm.call`."""

    has_own_classes = False

    @staticmethod
    def calls(message: Any) -> list[tuple[str, dict[str, Any]]]:
        """The calls in a message of a request, or in a common message."""
        if isinstance(message, dict):
            return OpenAIChat.calls(message)
        return [(part.id, part.args) for part in message.content if part.type == "tool_call"]

    @staticmethod
    def results(messages: Any) -> dict[str, str]:
        if isinstance(messages[0], dict):
            return OpenAIChat.results(messages)
        return {part.id: part.content for one in messages for part in one.content if part.type == "tool_result"}


class AzureOpenAI(OpenAIChat):
    """The same from Azure, which says first what its filter makes of the prompt."""

    opening = 2
    halfway = 1300
    path = "/openai/v1/chat/completions"

    @classmethod
    def client(cls, kind: str, url: str, key: str) -> Any:
        return super().client(kind, f"{url}/openai/v1", key)


class Groq(OpenAIChat):
    """The same from Groq, through its own SDK."""

    sdk = "groq"
    asks_for_usage = False
    knows_strict = False

    @classmethod
    def client(cls, kind: str, url: str, key: str) -> Any:
        import groq

        return (groq.Groq if kind == "sync" else groq.AsyncGroq)(api_key=key, base_url=url)


class LiteLLM(OpenAIChat):
    """The same through LiteLLM, which makes clients, chunks, prices and errors of its own."""

    has_head = True
    sdk = "litellm"
    runs_on_trio = False
    warns_of_open_clients = False
    on_httpx = False
    reads_bytes = False
    shows_bodies = False
    keeps_members = False
    needs_no_finish = False
    uses_price_table = False

    @classmethod
    def client(cls, kind: str, url: str, key: str) -> Any:
        pytest.skip("the SDK makes its own clients: see test_litellm")

    @classmethod
    def error(cls, name: str) -> Any:
        return getattr(import_module("litellm"), {"APITimeoutError": "Timeout"}.get(name, name))


class Mistral(OpenAIChat):
    """The same from Mistral, through its own SDK, which has one client for both kinds of calls."""

    sdk = "mistralai"
    validates = True
    shows_stream_errors = False
    asks_for_usage = False
    runs_on_trio = False
    warns_of_open_clients = False
    marks_own_http = False
    rewrites_ids = True
    orders_messages = True
    refuses = False
    refuses_apart = False
    reports_cached = False

    @staticmethod
    def http(client: Any) -> Any:
        return client.sdk_configuration.client

    @staticmethod
    def async_http(client: Any) -> Any:
        return client.sdk_configuration.async_client

    @staticmethod
    def close(client: Any) -> None:
        client.__exit__(None, None, None)

    @staticmethod
    async def aclose(client: Any) -> None:
        await client.__aexit__(None, None, None)

    @classmethod
    def client(cls, kind: str, url: str, key: str) -> Any:
        from ferroscope.core.mistral._sdk import Mistral as Client

        return Client(api_key=key, server_url=url)

    @classmethod
    def error(cls, name: str) -> Any:
        from ferroscope.core.mistral import _sdk

        names = {"APIError": "MistralError", "AuthenticationError": "MistralError"}
        return getattr(_sdk, names.get(name, name))


class Cohere(OpenAIChat):
    """Cohere's v2 chat."""

    format = "cohere"
    makes_errors = False
    sdk = "cohere"
    asks_for_usage = False
    runs_on_trio = True
    warns_of_open_clients = False
    refuses = False
    refuses_apart = False
    names_model = False
    filters = False
    marks_own_http = False
    # `message-start` and `content-start`.
    opening = 2

    @classmethod
    def client(cls, kind: str, url: str, key: str) -> Any:
        import cohere

        return (cohere.ClientV2 if kind == "sync" else cohere.AsyncClientV2)(key, base_url=url)

    @staticmethod
    def http(client: Any) -> Any:
        return client._client_wrapper.httpx_client.httpx_client

    async_http = http

    @staticmethod
    def close(client: Any) -> None:
        client.__exit__(None, None, None)

    @staticmethod
    async def aclose(client: Any) -> None:
        if hasattr(client, "__aexit__"):
            await client.__aexit__(None, None, None)
        else:
            client.__exit__(None, None, None)

    @classmethod
    def error(cls, name: str) -> Any:
        import cohere

        from ferroscope._dialects.cohere import sdk

        names = {"APIError": cohere.core.ApiError, "AuthenticationError": cohere.UnauthorizedError}
        return names.get(name) or getattr(sdk, name)

    @staticmethod
    def finish(reason: str) -> str:
        words = {"stop": "COMPLETE", "length": "MAX_TOKENS", "tool_calls": "TOOL_CALL", "content_filter": "ERROR"}
        return words[reason]

    @staticmethod
    def text(message: dict[str, Any]) -> str:
        content = message["content"]
        return content if isinstance(content, str) else "".join(block.get("text", "") for block in content)

    @staticmethod
    def results(messages: list[dict[str, Any]]) -> dict[str, str]:
        """The outputs: JSON objects as their text, others as the only member of one."""
        found = {one["tool_call_id"]: one["content"] for one in messages if one["role"] == "tool"}
        return {call: json.loads(text).get("output", text) for call, text in found.items()}


class XAI(OpenAIChat):
    """The same from xAI: no chunk opens the stream, and an error is a text."""

    shows_message = False
    opening = 0


class AzureInference(OpenAIChat):
    """The same through azure-ai-inference."""

    asks_for_usage = False
    on_httpx = False
    returns_streams = False
    sdk = "azure"
    runs_on_trio = False
    warns_of_open_clients = False
    opening = 2
    halfway = 1300

    @classmethod
    def client(cls, kind: str, url: str, key: str) -> Any:
        from azure.ai.inference import ChatCompletionsClient
        from azure.ai.inference.aio import ChatCompletionsClient as AsyncChatCompletionsClient
        from azure.core.credentials import AzureKeyCredential

        return (ChatCompletionsClient if kind == "sync" else AsyncChatCompletionsClient)(url, AzureKeyCredential(key))

    @classmethod
    def error(cls, name: str) -> Any:
        from azure.core import exceptions

        names = {
            "APIError": "HttpResponseError",
            "APIConnectionError": "ServiceResponseError",
            "APITimeoutError": "ServiceResponseTimeoutError",
            "AuthenticationError": "ClientAuthenticationError",
        }
        return getattr(exceptions, names[name])


class OpenAIResponses(OpenAIChat):
    """OpenAI's Responses API."""

    format = "openai_responses"
    oldest = "1.66"
    asks_for_usage = False
    text_type = "input_text"
    max_tokens = "max_output_tokens"
    # `created`, `in_progress`, and the beginning of an item and of its part.
    opening = 4
    halfway = 2400

    @staticmethod
    def finish(reason: str) -> str:
        return {"stop": "completed", "tool_calls": "completed", "length": "max_output_tokens"}.get(reason, reason)

    @staticmethod
    def messages(body: dict[str, Any]) -> list[dict[str, Any]]:
        """The items of the input, those of one answer as one message."""
        messages: list[dict[str, Any]] = []
        for item in body["input"]:
            if ("role" in item and item["role"] != "assistant") or item.get("type") == "function_call_output":
                messages.append(item)
            elif messages and "items" in messages[-1]:
                messages[-1]["items"].append(item)
            else:
                messages.append({"role": "assistant", "items": [item]})
        return messages

    @staticmethod
    def described(tool: dict[str, Any]) -> tuple[str, str, dict[str, Any]]:
        assert tool["type"] == "function"
        return tool["name"], tool["description"], tool["parameters"]

    @staticmethod
    def calls(message: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
        items = message.get("items") or message["content"]
        calls = [item for item in items if item["type"] == "function_call"]
        return [(call["call_id"], json.loads(call["arguments"])) for call in calls]

    @staticmethod
    def arguments(call: Any) -> Any:
        return call.arguments

    @staticmethod
    def text(message: dict[str, Any]) -> str:
        contents = [item["content"] for item in message.get("items", [message]) if "content" in item]
        parts = [[{"text": one}] if isinstance(one, str) else one for one in contents]
        return "".join(part["text"] for content in parts for part in content)

    @staticmethod
    def results(messages: list[dict[str, Any]]) -> dict[str, str]:
        return {one["call_id"]: one["output"] for one in messages if one.get("type") == "function_call_output"}


class Anthropic:
    """Anthropic's messages."""

    has_head = False
    format = "anthropic"
    sdk = "anthropic"
    reads_bytes = True
    shows_bodies = True
    keeps_members = True
    needs_no_finish = True
    uses_price_table = True
    has_own_classes = True
    returns_streams = True
    shows_stream_errors = True
    makes_errors = True
    validates = False
    reads_own_clients_by_objects = False
    stream_type = "text/event-stream"
    path = "/v1/messages"
    warns_of_open_clients = True
    runs_on_trio = True
    rewrites_ids = False
    orders_messages = False
    refuses = True
    reports_cached = True
    oldest: str | None = None
    knows_strict = False
    marks_own_http = True
    filters = True
    names_model = True
    shows_message = True
    counts_cached = False
    refuses_apart = False
    asks_for_usage = False
    takes_timeout = True
    takes_headers = True
    on_httpx = True
    has_classes = True
    text_type = "text"
    max_tokens = "max_tokens"
    arguments_are_text = False
    cuts_arguments = True
    has_last_event = True
    counts_errors = True
    shows_defaults = True
    opening = 2
    halfway = 700

    @classmethod
    def client(cls, kind: str, url: str, key: str) -> Any:
        import anthropic

        return (anthropic.Anthropic if kind == "sync" else anthropic.AsyncAnthropic)(api_key=key, base_url=url)

    @staticmethod
    def http(client: Any) -> Any:
        return client._client

    async_http = http

    @staticmethod
    def close(client: Any) -> None:
        client.close()

    @staticmethod
    async def aclose(client: Any) -> None:
        if inspect.isawaitable(closing := client.close()):
            await closing

    @classmethod
    def error(cls, name: str) -> Any:
        return getattr(import_module(cls.sdk), name)

    @staticmethod
    def finish(reason: str) -> str:
        words = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use", "content_filter": "refusal"}
        return words[reason]

    @staticmethod
    def messages(body: dict[str, Any]) -> list[dict[str, Any]]:
        return list(body["messages"])

    @staticmethod
    def tools(request: Any) -> list[Any]:
        return list(request["tools"])

    @staticmethod
    def params(request: Any) -> Any:
        return request

    @staticmethod
    def key(headers: Any) -> str:
        return str(headers.get("authorization", "").removeprefix("Bearer ") or headers["x-api-key"])

    @staticmethod
    def is_streamed(request: Any) -> bool:
        return request.json.get("stream") is True

    @staticmethod
    def described(tool: dict[str, Any]) -> tuple[str, str, dict[str, Any]]:
        return tool["name"], tool["description"], tool["input_schema"]

    @staticmethod
    def calls(message: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
        return [(block["id"], block["input"]) for block in message["content"] if block["type"] == "tool_use"]

    @staticmethod
    def arguments(call: Any) -> Any:
        return call.input

    @staticmethod
    def text(message: dict[str, Any]) -> str:
        content = message["content"]
        if isinstance(content, str):
            return content
        return "".join(block["text"] for block in content if block["type"] == "text")

    @staticmethod
    def results(messages: list[dict[str, Any]]) -> dict[str, str]:
        blocks = [block for one in messages if isinstance(one["content"], list) for block in one["content"]]
        return {block["tool_use_id"]: block["content"][0]["text"] for block in blocks if block["type"] == "tool_result"}


_GEMINI_ROLES = {"user": "user", "model": "assistant"}


def _json_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema of Gemini's as JSON Schema."""
    converted = {name: value for name, value in schema.items() if name not in ("propertyOrdering", "property_ordering")}
    converted["type"] = converted["type"].lower()
    if "properties" in converted:
        converted["properties"] = {name: _json_schema(one) for name, one in converted["properties"].items()}
    return converted


class Gemini:
    """Gemini's contents."""

    has_head = False
    format = "gemini"
    sdk = "google"
    reads_bytes = True
    shows_bodies = True
    keeps_members = True
    needs_no_finish = True
    uses_price_table = True
    has_own_classes = True
    returns_streams = False
    shows_stream_errors = True
    makes_errors = False
    validates = False
    reads_own_clients_by_objects = True
    stream_type = "text/event-stream"
    path = "/chat/completions"  # the test server has it there too
    package = "google.genai"
    warns_of_open_clients = False
    oldest: str | None = None
    asks_for_usage = False
    marks_own_http = True
    filters = True
    names_model = True
    text_type = "text"
    max_tokens = "max_tokens"
    runs_on_trio = False
    rewrites_ids = False
    orders_messages = False
    refuses = True
    reports_cached = True
    knows_strict = True
    shows_message = True
    counts_cached = True
    refuses_apart = False
    arguments_are_text = False
    cuts_arguments = False
    has_last_event = False
    counts_errors = False
    shows_defaults = False
    takes_timeout = True
    takes_headers = True
    on_httpx = True
    has_classes = True
    opening = 0
    halfway = 400

    @classmethod
    def client(cls, kind: str, url: str, key: str) -> Any:
        from google import genai

        return genai.Client(api_key=key, http_options=genai.types.HttpOptions(base_url=url))

    @staticmethod
    def http(client: Any) -> Any:
        return client.http

    @staticmethod
    def async_http(client: Any) -> Any:
        return client.async_http

    @staticmethod
    def close(client: Any) -> None:
        client.close()

    @staticmethod
    async def aclose(client: Any) -> None:
        await client.aio.aclose()
        await asyncio.sleep(0)  # aiohttp leaves the last step to the loop
        client.close()

    @classmethod
    def error(cls, name: str) -> Any:
        from google.genai import errors

        from ferroscope._dialects.gemini import sdk

        return getattr(sdk, name) if name in ("APIConnectionError", "APITimeoutError") else errors.APIError

    @staticmethod
    def finish(reason: str) -> str:
        words = {"stop": "STOP", "length": "MAX_TOKENS", "tool_calls": "STOP", "content_filter": "SAFETY"}
        return words[reason]

    @staticmethod
    def messages(body: dict[str, Any]) -> list[dict[str, Any]]:
        return [{**content, "role": _GEMINI_ROLES[content["role"]]} for content in body["contents"]]

    @staticmethod
    def tools(request: Any) -> list[Any]:
        tools = request["tools"] if "tools" in request else request["config"]["tools"]
        return [one for tool in tools for one in tool.get("functionDeclarations") or tool["function_declarations"]]

    @staticmethod
    def params(request: Any) -> Any:
        params = request.get("generationConfig") or request["config"]
        names = {"maxOutputTokens": "max_tokens"}
        return {names.get(name, name): value for name, value in params.items()}

    @staticmethod
    def key(headers: Any) -> str:
        return str(headers["x-goog-api-key"])

    @staticmethod
    def is_streamed(request: Any) -> bool:
        return ":streamGenerateContent" in request.path

    @staticmethod
    def described(tool: dict[str, Any]) -> tuple[str, str, dict[str, Any]]:
        parameters = _json_schema(tool["parameters"]) if "parameters" in tool else {}
        return tool["name"], tool["description"], parameters

    @staticmethod
    def calls(message: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
        calls = [part.get("functionCall") or part.get("function_call") for part in message["parts"]]
        return [(call.get("id") or call["name"], call.get("args", {})) for call in calls if call]

    @staticmethod
    def arguments(call: Any) -> Any:
        return call.args

    @staticmethod
    def text(message: dict[str, Any]) -> str:
        return "".join(part.get("text", "") for part in message["parts"])

    @staticmethod
    def results(messages: list[dict[str, Any]]) -> dict[str, str]:
        parts = [part for one in messages for part in one["parts"]]
        found = [part.get("functionResponse") or part.get("function_response") for part in parts]
        return {one.get("id") or one["name"]: next(iter(one["response"].values())) for one in found if one}


class Vertex(Gemini):
    """The same from Vertex AI, with a key."""

    @classmethod
    def client(cls, kind: str, url: str, key: str) -> Any:
        from google import genai

        return genai.Client(vertexai=True, api_key=key, http_options=genai.types.HttpOptions(base_url=url))


class BedrockConverse(Anthropic):
    """Bedrock's Converse, through AWS's SDKs."""

    has_head = True
    format = "bedrock_converse"
    makes_errors = False
    stream_type = "application/vnd.amazon.eventstream"
    sdk = "botocore"
    package = "aiobotocore"
    warns_of_open_clients = False
    runs_on_trio = False
    names_model = False
    takes_timeout = False
    takes_headers = False
    on_httpx = False
    has_classes = False
    opening = 1
    halfway = 700

    @classmethod
    def client(cls, kind: str, url: str, key: str) -> Any:
        from ferroscope._dialects.bedrock_converse import clients

        options = {"endpoint_url": url, "aws_access_key_id": key, "aws_secret_access_key": "secret"}
        return clients.sync_client(**options) if kind == "sync" else clients.AsyncClient(**options)

    @staticmethod
    def http(client: Any) -> Any:
        return client._endpoint.http_session

    async_http = http

    @classmethod
    def error(cls, name: str) -> Any:
        from botocore import exceptions

        from ferroscope._dialects.bedrock_converse import sdk

        names = {"AuthenticationError": exceptions.ClientError, "APIError": exceptions.ClientError}
        return names.get(name) or getattr(sdk, name)

    @staticmethod
    def finish(reason: str) -> str:
        words = {
            "stop": "end_turn",
            "length": "max_tokens",
            "tool_calls": "tool_use",
            "content_filter": "content_filtered",
        }
        return words[reason]

    @staticmethod
    def tools(request: Any) -> list[Any]:
        return list(request["toolConfig"]["tools"])

    @staticmethod
    def params(request: Any) -> Any:
        config = request["inferenceConfig"]
        return {{"maxTokens": "max_tokens"}.get(name, name): value for name, value in config.items()}

    @staticmethod
    def key(headers: Any) -> str:
        return str(headers["authorization"].partition("Credential=")[2].partition("/")[0])

    @staticmethod
    def is_streamed(request: Any) -> bool:
        return bool(request.path.endswith("/converse-stream"))

    @staticmethod
    def described(tool: dict[str, Any]) -> tuple[str, str, dict[str, Any]]:
        spec = tool["toolSpec"]
        return spec["name"], spec["description"], spec["inputSchema"]["json"]

    @staticmethod
    def calls(message: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
        uses = [block["toolUse"] for block in message["content"] if "toolUse" in block]
        return [(use["toolUseId"], use["input"]) for use in uses]

    @staticmethod
    def arguments(call: Any) -> Any:
        return call["toolUse"]["input"]

    @staticmethod
    def text(message: dict[str, Any]) -> str:
        return "".join(block.get("text", "") for block in message["content"])

    @staticmethod
    def results(messages: list[dict[str, Any]]) -> dict[str, str]:
        found = [block["toolResult"] for one in messages for block in one["content"] if "toolResult" in block]
        return {one["toolUseId"]: one["content"][0]["text"] for one in found}


Wire = type[OpenAIChat] | type[Gemini] | type[AzureOpenAI] | type[Anthropic]
