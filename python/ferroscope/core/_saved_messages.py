"""Message histories as JSON text: common messages, dicts in a provider's format, and SDK objects.

A value without a JSON type is saved as an object with one key that begins with `$`: `$bytes` (base64), `$tuple`,
`$message` (a common message), `$object` (an SDK class and its set members), `$dict` (key-value pairs, for a dict with
keys that are not text or begin with `$`).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from importlib import import_module
from typing import Any, Final

from pydantic import BaseModel

from ..errors import MissingExtraError
from .base._suggestions import shortened, type_name, with_article
from .base.message_param import BaseMessageParam

# Any: messages of any provider, and JSON values.

_FORMAT: Final = "ferroscope-messages"
_VERSION: Final = 1
# The text may come from an untrusted source, so only modules of these packages are imported.
_PACKAGES: Final = (
    "anthropic",
    "azure.ai.inference",
    "cohere",
    "ferroscope",
    "google.genai",
    "groq",
    "litellm",
    "mistralai",
    "openai",
)


def dump_messages(messages: Iterable[Any]) -> str:
    """Return a message history as JSON text, for `load_messages`.

    Args:
        messages: Messages of `llm` or of any provider, in any mix: `BaseMessageParam`, dicts, SDK objects.

    Raises:
        TypeError: It is a single message, or a message contains a value that cannot be restored, such as an open file
            or an object of an unknown class; the error names its position.

    Example:
        ```python
        from ferroscope import Messages, dump_messages, load_messages

        history = [Messages.User("Recommend a book"), {"role": "assistant", "content": "Emma"}]
        assert load_messages(dump_messages(history)) == history
        ```
    """
    if isinstance(messages, str | bytes | Mapping | BaseModel):
        raise TypeError(
            f"dump_messages() takes a list of messages: write `dump_messages([...])`, not {shortened(messages)}"
        )
    saved = [_dump_value(message, f"messages[{place}]") for place, message in enumerate(messages)]
    history = {"format": _FORMAT, "version": _VERSION, "messages": saved}
    text = json.dumps(history, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:  # an unpaired surrogate, which UTF-8 cannot encode
        text = json.dumps(history)
    return text


def load_messages(text: str | bytes) -> list[Any]:
    """Return the message history that `dump_messages` saved, equal to the original.

    Raises:
        ValueError: The text is not a saved history, or was saved in another version of the format.
        ferroscope.errors.MissingExtraError: A message is an object of an SDK that is not installed.
    """
    try:
        found = json.loads(text)
    except ValueError as error:
        raise ValueError(
            f"not a saved message history: {error}; pass the text that `dump_messages` returned"
        ) from error
    if not isinstance(found, dict) or found.get("format") != _FORMAT or not isinstance(found.get("messages"), list):
        raise ValueError(
            f"not a saved message history: its member 'format' is not {_FORMAT!r}; pass the text that `dump_messages` "
            "returned"
        )
    if found.get("version") != _VERSION:
        raise ValueError(
            f"the message history has version {found.get('version')!r} of the format, but this release of ferroscope "
            f"reads version {_VERSION}: update ferroscope"
        )
    return [_load_value(message) for message in found["messages"]]


def _dump_value(value: Any, place: str) -> Any:
    if value is None or isinstance(value, bool | int | float) or type(value) is str:
        return value
    if isinstance(value, bytes):
        return {"$bytes": base64.b64encode(value).decode()}
    if type(value) is BaseMessageParam:
        return {"$message": _dump_value(value.model_dump(exclude_unset=True), place)}
    if isinstance(value, BaseModel):
        return _dump_model(value, place)
    if isinstance(value, Mapping) and (as_dict := getattr(value, "as_dict", None)):
        return _dump_object(value, as_dict(), place)
    if isinstance(value, dict):
        pairs = [(name, _dump_value(inner, f"{place}[{name!r}]")) for name, inner in value.items()]
        if all(isinstance(name, str) and not name.startswith("$") for name in value):
            return dict(pairs)
        return {"$dict": [[_dump_value(name, place), inner] for name, inner in pairs]}
    if isinstance(value, list | tuple):
        items = [_dump_value(inner, f"{place}[{index}]") for index, inner in enumerate(value)]
        return items if isinstance(value, list) else {"$tuple": items}
    if isinstance(value, str):
        return str(value.value) if isinstance(value, Enum) else str(value)  # a member of a `str` enum equals its value
    raise TypeError(
        f"{place} is {with_article(type_name(value))}, which cannot be saved: use JSON values, "
        "bytes, common messages or objects of the providers' SDKs"
    )


def _dump_model(value: BaseModel, place: str) -> dict[str, Any]:
    """Return an SDK object as the members that differ from an empty object.

    SDKs build their objects without validation. So a required member may be None, and a member with a value may not be
    marked as set.
    """
    fields, present, given = type(value).model_fields, vars(value), value.model_fields_set
    members = {
        name: present[name]
        for name, field in fields.items()
        if name in present and (name in given or field.default_factory or present[name] != field.default)
    }
    members |= value.__pydantic_extra__ or {}
    saved = _dump_object(value, members, place)
    unset = [name for name in members if name not in given]
    removed = [name for name in fields if name not in present]
    return {**saved, **({"unset": unset} if unset else {}), **({"removed": removed} if removed else {})}


def _dump_object(value: Any, members: Any, place: str) -> dict[str, Any]:
    kind: Any = type(value)
    # For a parametrised generic class, save the class itself.
    kind = getattr(kind, "__pydantic_generic_metadata__", {}).get("origin") or kind
    name = f"{kind.__module__}:{kind.__qualname__}"
    if not _is_known(kind.__module__) or "<locals>" in name:
        raise TypeError(
            f"{place} is {with_article(type_name(value))}, which cannot be saved: use a common message, an "
            "object of a provider's SDK, or the result of its `model_dump()`"
        )
    return {"$object": name, "members": _dump_value(members, place)}


def _is_known(module: str) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in _PACKAGES)


def _load_value(value: Any) -> Any:
    if isinstance(value, list):
        return [_load_value(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    kind = next(iter(value), "")
    read = _READERS.get(kind)
    return read(value) if read is not None else {name: _load_value(inner) for name, inner in value.items()}


def _load_object(value: dict[str, Any]) -> Any:
    kind, members = _class_of(value["$object"]), _load_value(value["members"])
    if not issubclass(kind, BaseModel):
        return kind(members)
    # Skip validation, as the SDKs do: servers omit required members.
    construct: Any = BaseModel.model_construct.__func__  # type: ignore[attr-defined]  # some SDKs override the method
    made = construct(kind, set(members).difference(value.get("unset", ())), **members)
    for name in value.get("removed", ()):  # LiteLLM removes members that its object does not show
        vars(made).pop(name, None)
    return made


def _class_of(name: str) -> Any:
    module, _, path = name.partition(":")
    if not _is_known(module):
        raise ValueError(f"the message history contains the class {name!r}, which is not part of a provider's SDK")
    try:
        found: Any = import_module(module)
    except ImportError as error:
        raise MissingExtraError(
            f"the message history contains an object of the package {module.partition('.')[0]!r}, which is not "
            f"installed ({error}): install it to load the history",
            name=module,
        ) from error
    for part in path.split("."):
        found = getattr(found, part, None)
    if not isinstance(found, type) or not (issubclass(found, BaseModel) or hasattr(found, "as_dict")):
        raise ValueError(f"the message history contains the class {name!r}, which the installed SDK does not have")
    return found


_READERS: Final[Mapping[str, Callable[[dict[str, Any]], Any]]] = {
    "$bytes": lambda value: base64.b64decode(value["$bytes"]),
    "$tuple": lambda value: tuple(map(_load_value, value["$tuple"])),
    "$dict": lambda value: {_load_value(name): _load_value(inner) for name, inner in value["$dict"]},
    "$message": lambda value: BaseMessageParam.model_validate(_load_value(value["$message"])),
    "$object": _load_object,
}
