"""Provider-specific content of a message that the common format cannot represent, and the rules for sending it back.

A common message stores it in an extra field, `provider_data`, beside `role` and `content`. Code that reads parts does
not see it, and JSON preserves it. A dialect uses three functions: `keep_original` when it parses a message, and
`original_of` and `restore_pieces` when it renders one.

The rules for every wire format:

- Provider data is only sent back in the wire format and to the provider that it came from.
- Thinking blocks and signatures are only sent back to the model that produced them. A name with a date or `latest`
  denotes the same model as the name without a version. A vendor prefix (`anthropic/`, `us.anthropic.`) is ignored.
- An unknown origin (a message that the program created itself) counts as the same provider and model.

In all other cases, only the parts are sent. The stored message is never changed, so the data is available if the
conversation returns to its provider.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from operator import eq
from typing import Any, Final, Required, TypeAlias, TypedDict, TypeVar, cast

from ..message_param import BaseMessageParam

PROVIDER_DATA: Final = "provider_data"

Piece: TypeAlias = dict[str, Any]
"""One piece of a message's content in a wire format, such as a block or a tool call. Any: the provider's JSON."""

_UnitT = TypeVar("_UnitT")

_BYTES: Final = "$bytes"
_VENDOR: Final = re.compile(r"^(?:.*/)?(?:[a-z]+\.)*(?=[a-z])")
# A date, a release number or `latest` at the end of a name, followed by the revision that Bedrock appends.
_VERSION: Final = re.compile(
    r"(?:[-@](?P<version>\d{8}|\d{4}-\d{2}-\d{2}|\d{3,4}|latest)(?:-v\d+)?(?::\d+)?|-v\d+:\d+)?$"
)


class ProviderData(TypedDict, total=False):
    """The extra field `provider_data` of a `BaseMessageParam`, as JSON.

    Attributes:
        format: The wire format of the data, such as `"anthropic"`.
        provider: The provider that sent or received the message.
        model: The model, as requested.
        pieces: The original content; absent if the parts represent it completely.
        members: Members of the message other than its role and content.
        unsupported: The kinds of content that no part can represent.
    """

    format: Required[str]
    provider: str
    model: str
    pieces: list[Piece]
    members: dict[str, Any]  # Any: the provider's JSON
    unsupported: list[str]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A provider and a model, as the origin or the destination of a message.

    Attributes:
        provider: The name of the provider.
        model: The name of the model, as requested.
    """

    provider: str
    model: str


@dataclass(frozen=True, slots=True)
class Original:
    """The provider data of a message that may be sent back.

    Attributes:
        pieces: The original content; empty if the parts represent it completely.
        members: Members of the message other than its role and content.
        same_model: Whether the destination is the model that produced it. If not, thinking blocks and signatures must
            be dropped.
    """

    pieces: list[Piece]
    members: dict[str, Any]  # Any: the provider's JSON
    same_model: bool = True


def keep_original(
    message: BaseMessageParam,
    wire_format: str,
    origin: Endpoint | None = None,
    *,
    pieces: Iterable[Piece] = (),
    members: Mapping[str, Any] | None = None,
    unsupported: Iterable[str] = (),
) -> BaseMessageParam:
    """Attach the provider data of a parsed message to it, and return the message.

    Args:
        message: A message that was just parsed; it is modified.
        wire_format: The wire format that it was parsed from.
        origin: The provider and model that sent or received it, if known.
        pieces: The complete original content, if the parts do not represent it completely.
        members: Members of the message other than its role and content. Members that are None or `[]` are dropped.
        unsupported: The kinds of content that no part can represent.
    """
    kept = {name: value for name, value in (members or {}).items() if value is not None and value != []}
    blocks, kinds = list(pieces), list(dict.fromkeys(unsupported))
    if not (kept or blocks):
        return message
    data: ProviderData = {"format": wire_format}
    if origin is not None:
        data["provider"], data["model"] = origin.provider, origin.model
    if blocks:
        data["pieces"] = [_to_json(block) for block in blocks]
    if kept:
        data["members"] = _to_json(kept)
    if kinds:
        data["unsupported"] = kinds
    message.__pydantic_extra__ = {**(message.__pydantic_extra__ or {}), PROVIDER_DATA: data}
    return message


def provider_data(message: BaseMessageParam) -> ProviderData | None:
    """Return the provider data of a message; None if it has none."""
    extra = message.__pydantic_extra__
    found = extra.get(PROVIDER_DATA) if extra else None
    return cast("ProviderData", found) if isinstance(found, dict) and "format" in found else None


def original_of(message: BaseMessageParam, wire_format: str, destination: Endpoint | None = None) -> Original | None:
    """Return the provider data of a message that may be sent to a destination; None if there is none.

    Args:
        message: A common message.
        wire_format: The wire format of the request.
        destination: The provider and model of the request; None counts as the origin.
    """
    data = provider_data(message)
    if data is None or data["format"] != wire_format:
        return None
    provider, model = data.get("provider"), data.get("model")
    if destination is not None and provider is not None and provider != destination.provider:
        return None
    same_model = destination is None or model is None or is_same_model(model, destination.model)
    pieces: list[Piece] = _from_json(data.get("pieces", []))
    return Original(pieces, _from_json(data.get("members", {})), same_model)


def restore_pieces(
    pieces: Sequence[Piece],
    units: Sequence[_UnitT],
    *,
    read: Callable[[Piece], _UnitT | None],
    write: Callable[[_UnitT, Piece | None], Piece],
    same: Callable[[_UnitT, _UnitT], bool] = eq,
    keep: Callable[[Piece, _UnitT], Piece] = lambda piece, unit: piece,
) -> list[Piece]:
    """Return the original content, updated with the changes that were made to the parts since.

    Pieces without a part (thinking, server tools) all keep their position. An edited part is rendered again at the
    position of its piece. If parts were added or removed, the new ones follow the remaining pieces at that position.

    Args:
        pieces: The original content.
        units: The current parts, or parts with associated data such as a cache mark.
        read: Return the unit of a piece; None if the common format has none.
        write: Return the piece for a new unit (the second argument is None) or an edited one (it is the old piece).
        same: Return whether two units are equal, so that the piece is kept.
        keep: Return the piece to send for an unchanged unit.
    """
    old = [(place, unit) for place, unit in enumerate(map(read, pieces)) if unit is not None]
    before = _common_prefix_length([unit for _, unit in old], units, same)
    after = _common_prefix_length([unit for _, unit in old[before:][::-1]], units[before:][::-1], same)
    edited, current = old[before : len(old) - after], units[before : len(units) - after]
    written: dict[int, Piece] = {}
    for (place, _), unit in zip(old[:before], units, strict=False):
        written[place] = keep(pieces[place], unit)
    for (place, _), unit in zip(old[len(old) - after :], units[len(units) - after :], strict=True):
        written[place] = keep(pieces[place], unit)
    added: list[Piece] = []
    if len(edited) == len(current):
        written.update((place, write(unit, pieces[place])) for (place, _), unit in zip(edited, current, strict=True))
    else:
        added = [write(unit, None) for unit in current]
    removed = {place for place, _ in edited}.difference(written)
    restored: list[Piece] = []
    for place, piece in enumerate(pieces):
        if after and place == old[-after][0]:
            restored += added
        if place not in removed:
            restored.append(written.get(place, piece))
    return restored if after else restored + added


def _common_prefix_length(old: Iterable[_UnitT], new: Iterable[_UnitT], same: Callable[[_UnitT, _UnitT], bool]) -> int:
    return sum(1 for _ in takewhile(lambda pair: same(*pair), zip(old, new, strict=False)))


def drop_unsupported(
    messages: Iterable[Any],  # Any: a provider's own messages are passed through
    wire_format: str,
    destination: Endpoint | None = None,
) -> list[Any]:
    """Return the messages that still have content in a wire format and for a destination.

    An assistant message may lose content that only its own provider supports; if nothing is left, it is dropped.

    Raises:
        ValueError: A message of another role would lose content.
    """
    return [message for message in messages if not _is_lost(message, wire_format, destination)]


def _is_lost(message: Any, wire_format: str, destination: Endpoint | None) -> bool:
    if not isinstance(message, BaseMessageParam):
        return False
    data = provider_data(message)
    if data is None or not data.get("unsupported") or original_of(message, wire_format, destination) is not None:
        return False
    if message.role == "assistant":
        return not message.content
    where = repr(destination.provider) if destination is not None else f"the format {wire_format!r}"
    kinds = ", ".join(data.get("unsupported", ()))
    raise ValueError(
        f"a message with the role {message.role!r} has content that only its own provider supports "
        f"({kinds}) and cannot be sent to {where}: use parts that both providers support (text, images, documents), or "
        "drop it from the messages for this provider"
    )


def is_same_model(one: str, other: str) -> bool:
    """Return whether two names denote one model; a name without a version matches every version."""
    if one == other:
        return True
    (stem, version), (other_stem, other_version) = _split_name(one), _split_name(other)
    return stem == other_stem and (not version or not other_version or version == other_version)


def _split_name(name: str) -> tuple[str, str]:
    """Return the name of a model without vendor and version, and the version."""
    name = _VENDOR.sub("", name.lower())
    found = _VERSION.search(name)
    assert found is not None  # the expression also matches an empty string
    version = found["version"] or ""
    return name[: found.start()], "" if version == "latest" else version


def _to_json(value: Any) -> Any:
    """Return a value as JSON; bytes (such as signatures in some SDKs) become an object with base64 text."""
    if isinstance(value, bytes):
        return {_BYTES: base64.b64encode(value).decode()}
    if isinstance(value, Mapping):
        return {name: _to_json(inner) for name, inner in value.items()}
    return [_to_json(inner) for inner in value] if isinstance(value, list | tuple) else value


def _from_json(value: Any) -> Any:
    """Return a copy of a JSON value with its bytes restored."""
    if isinstance(value, Mapping):
        if value.keys() == {_BYTES}:
            return base64.b64decode(value[_BYTES])
        return {name: _from_json(inner) for name, inner in value.items()}
    return [_from_json(inner) for inner in value] if isinstance(value, list) else value
