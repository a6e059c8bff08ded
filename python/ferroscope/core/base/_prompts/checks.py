"""Checks of what a prompt function returned: the keys of a dynamic config, and the form of its messages."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from pydantic import BaseModel

from .._suggestions import function_name, near_name, shortened, suggestion, with_article
from ..dynamic_config import DynamicConfigFull
from ..message_param import BaseMessageParam
from .callers import callers_level
from .template import Message

ROLES: Final = frozenset({"system", "developer", "user", "assistant", "tool", "function", "model"})
"""The roles of messages in all formats."""

_CONTENT: Final = ("content", "parts")
# Members that a message needs no content beside.
_IN_PLACE_OF_CONTENT: Final = frozenset({"tool_calls", "function_call", "audio", "refusal", "tool_results"})
# Names of the content in other libraries.
_OTHER_CONTENT: Final = frozenset({"body", "message", "msg", "prompt", "text", "value"})
_OTHER_ROLES: Final = {"ai": "assistant", "bot": "assistant", "chatbot": "assistant", "human": "user"}
_CONFIG_KEYS: Final = DynamicConfigFull.__required_keys__ | DynamicConfigFull.__optional_keys__
_OPTIONS: Final = frozenset({"model", "stream", "response_model", "output_parser", "json_mode"})


def check_config(config: Mapping[Any, Any], fn: object) -> None:
    """Check the keys of a dynamic config, and the values that would be read as something else.

    Raises:
        ValueError: A key is unknown; the message names the right one.
        TypeError: A value is of the wrong kind.
    """
    for key in config:
        if key not in _CONFIG_KEYS:
            raise ValueError(
                f"the dict that `{function_name(fn)}` returned has an unknown key {key!r}: {_instead(key)}"
            )
    for key in ("computed_fields", "call_params", "metadata"):
        value = config.get(key)
        if value is not None and not isinstance(value, Mapping):
            raise TypeError(
                f"`{key}` in the dict that `{function_name(fn)}` returned must be a dict, not {shortened(value)}"
            )


def _instead(key: object) -> str:
    if key in _OPTIONS:
        return "it is an option of the call decorator"
    if key in ("role", "content"):
        return "write a list of messages, such as `[Messages.User(...)]`"
    return suggestion(key, sorted(_CONFIG_KEYS))


def check_messages(messages: Iterable[Message], fn: object) -> None:
    """Check the roles of messages, and that each has content; warn of a user message without any.

    Raises:
        ValueError: A role is unknown, or a message lacks its role or content; the message names what to write.
    """
    index = -1
    for index, message in enumerate(messages):
        if type(message) is dict:
            role, content = message.get("role"), message.get("content", message)
            if role not in ROLES or content is message or content is None:
                _check_dict(message, index, fn)
        elif isinstance(message, BaseMessageParam):
            role, content = message.role, message.content
            if role not in ROLES:
                raise ValueError(_unknown_role(role, index, fn))
        else:
            # Messages of an SDK.
            if hasattr(message, "message_param"):
                raise ValueError(
                    f"message {index} of `{function_name(fn)}` is {with_article(type(message).__name__)}: write "
                    "`response.message_param`, or `response.content` for its text alone"
                )
            continue
        is_blank = role == "user" and not (content.strip() if type(content) is str else content)
        # What only its provider understands may be beside the content.
        if is_blank and not getattr(message, "model_extra", None):
            _warn(f"message {index} has the role 'user' and no content", fn)
    if index == -1:
        _warn("it has no messages", fn)


def _check_dict(message: dict[Any, Any], index: int, fn: object) -> None:
    where = f"message {index} of `{function_name(fn)}`"
    if "role" not in message:
        if "type" in message:  # an item that is not a message
            return
        near = next((key for key in message if near_name(key, ("role",))), None)
        instead = f"write `role` in place of {near!r}" if near is not None else 'write `"role": "user"`, for example'
        raise ValueError(f"{where} has no role: {instead}; it is {shortened(message)}")
    if message["role"] not in ROLES:
        raise ValueError(_unknown_role(message["role"], index, fn))
    if "content" in message or "parts" in message or _IN_PLACE_OF_CONTENT & message.keys():
        return
    near = next((key for key in message if key != "role" and near_name(key, _CONTENT)), None)
    if near is not None:
        raise ValueError(f"{where} has the unknown key {near!r}: did you mean `{near_name(near, _CONTENT)}`?")
    if other := _OTHER_CONTENT & message.keys():
        raise ValueError(f"{where} has the unknown key {min(other)!r}: did you mean `content`?")
    if message.keys() <= {"role", "name"}:
        raise ValueError(f'{where} has no content: write `"content": "..."`; it is {shortened(message)}')


def _unknown_role(role: object, index: int, fn: object) -> str:
    other = _OTHER_ROLES.get(role.lower()) if isinstance(role, str) else None
    instead = f"did you mean `{other}`?" if other else suggestion(role, sorted(ROLES))
    return f"message {index} of `{function_name(fn)}` has the unknown role {role!r}: {instead}"


def _warn(why: str, fn: object) -> None:
    warnings.warn(
        f"the prompt of `{function_name(fn)}` is empty: {why}",
        UserWarning,
        stacklevel=callers_level(),
    )


def explain_no_prompt(returned: object, fn: object) -> str | None:
    """Return why a value that a function returned is not a prompt; None if nothing special is known of it.

    A coroutine is closed: the program has no more use for it.
    """
    name = function_name(fn)
    if inspect.iscoroutine(returned):
        returned.close()
        return f"`{name}` returned a coroutine: write `async def`, and `await` in front of `{returned.__name__}(...)`"
    if inspect.isroutine(returned):
        return f"`{name}` returned the function `{function_name(returned)}`: call it"
    if hasattr(returned, "message_param"):
        kind = type(returned).__name__
        return f"`{name}` returned {with_article(kind)}: return a prompt, such as the text `response.content`"
    if isinstance(returned, BaseModel | Sequence | Mapping):
        return None
    return f'`{name}` returned {shortened(returned)}: return text, messages, or a dict such as `{{"messages": [...]}}`'
