"""Provider-specific content of a message that the common form cannot represent, and where it may go back.

A common message keeps it in one extra field, `provider_data`, beside `role` and `content`. Programs that read parts
never meet it there, and JSON keeps it. A dialect uses three functions: `keep_original` when it parses a message,
`original_of` and `restore_pieces` when it renders one.

The rule of what goes back, for every wire format:

- Provider data goes back only in the wire format that it came in, and only to the provider that it came from.
- Thoughts and signatures go back only to the model that made them. A dated or `latest` name is the same model as the
  name without a version, and a vendor prefix (`anthropic/`, `us.anthropic.`) does not count.
- An origin that is not known (a message written by hand) counts as the same.

Elsewhere the parts alone are sent. The stored message is never changed, so the data is there for the way back.
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
"""One piece of a message's content in a wire format, such as a block or a tool call. Any: JSON of the provider's."""

_UnitT = TypeVar("_UnitT")

_BYTES: Final = "$bytes"
_VENDOR: Final = re.compile(r"^(?:.*/)?(?:[a-z]+\.)*(?=[a-z])")
# A date, a release or `latest` at the end of a name, and behind it the revision that Bedrock adds.
_VERSION: Final = re.compile(
    r"(?:[-@](?P<version>\d{8}|\d{4}-\d{2}-\d{2}|\d{3,4}|latest)(?:-v\d+)?(?::\d+)?|-v\d+:\d+)?$"
)


class ProviderData(TypedDict, total=False):
    """The extra field `provider_data` of a `BaseMessageParam`, as it stands in JSON.

    Attributes:
        format: The wire format of what is kept, such as `"anthropic"`.
        provider: The provider that sent the message, or that it was sent to.
        model: The model, as it was asked for.
        pieces: The content as it came, piece by piece; absent if the parts represent it completely.
        members: Members of the message beside its role and content.
        unsupported: The kinds of content that have no part.
    """

    format: Required[str]
    provider: str
    model: str
    pieces: list[Piece]
    members: dict[str, Any]  # Any: JSON of the provider's
    unsupported: list[str]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A provider and a model: where a message came from, or where it is sent.

    Attributes:
        provider: The provider's name.
        model: The model's name, as it is asked for.
    """

    provider: str
    model: str


@dataclass(frozen=True, slots=True)
class Original:
    """What goes back of a message's provider data.

    Attributes:
        pieces: The content as it came; empty if the parts represent it completely.
        members: Members of the message beside its role and content.
        same_model: Whether it goes to the model that made it; if not, thoughts and signatures must be left out.
    """

    pieces: list[Piece]
    members: dict[str, Any]  # Any: JSON of the provider's
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
    """Keep what a parsed message has beside its parts, and return the message.

    Args:
        message: A message that was just parsed; it is changed.
        wire_format: The wire format that it was parsed from.
        origin: Where it came from, or was sent to, if that is known.
        pieces: The whole content as it came, if the parts do not represent it completely.
        members: Members of the message beside its role and content. Those that are None or `[]` are left out.
        unsupported: The kinds of content that have no part.
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
    """Return what of a message's provider data goes back to a destination; None if nothing does.

    Args:
        message: A common message.
        wire_format: The wire format that the message is sent in.
        destination: The provider and model that it is sent to; None counts as the same.
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
    """Return the content as it came, but for what was edited since.

    Pieces without a part (thoughts, server tools) all stay in their place. A part that was edited is written anew in
    the place of its piece. Where parts were added or removed, the new ones follow what is left there.

    Args:
        pieces: The content as it came.
        units: The parts as they are now, or parts with what belongs to them, such as a cache mark.
        read: Return the unit that a piece is; None if the common form has none.
        write: Return the piece for a unit that is new (the second argument is None) or was edited (it is the old
            piece).
        same: Whether two units are the same, so that the piece stays.
        keep: Return the piece as it goes back, for a unit that is the same.
    """
    old = [(place, unit) for place, unit in enumerate(map(read, pieces)) if unit is not None]
    before = _alike([unit for _, unit in old], units, same)
    after = _alike([unit for _, unit in old[before:][::-1]], units[before:][::-1], same)
    edited, now = old[before : len(old) - after], units[before : len(units) - after]
    written: dict[int, Piece] = {}
    for (place, _), unit in zip(old[:before], units, strict=False):
        written[place] = keep(pieces[place], unit)
    for (place, _), unit in zip(old[len(old) - after :], units[len(units) - after :], strict=True):
        written[place] = keep(pieces[place], unit)
    added: list[Piece] = []
    if len(edited) == len(now):
        written.update((place, write(unit, pieces[place])) for (place, _), unit in zip(edited, now, strict=True))
    else:
        added = [write(unit, None) for unit in now]
    gone = {place for place, _ in edited}.difference(written)
    restored: list[Piece] = []
    for place, piece in enumerate(pieces):
        if after and place == old[-after][0]:
            restored += added
        if place not in gone:
            restored.append(written.get(place, piece))
    return restored if after else restored + added


def _alike(old: Iterable[_UnitT], new: Iterable[_UnitT], same: Callable[[_UnitT, _UnitT], bool]) -> int:
    return sum(1 for _ in takewhile(lambda pair: same(*pair), zip(old, new, strict=False)))


def drop_unsupported(
    messages: Iterable[Any],  # Any: a provider's own messages pass through
    wire_format: str,
    destination: Endpoint | None = None,
) -> list[Any]:
    """Return the messages of which something is left in a wire format and for a destination.

    An assistant message may lose what only its own provider understands; if nothing is left of it, it is left out.

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
        f"a message of the role {message.role!r} has content that only its own provider understands "
        f"({kinds}) and cannot be sent to {where}: use parts that both providers have (text, images, documents), or "
        "leave it out of what this provider is sent"
    )


def is_same_model(one: str, other: str) -> bool:
    """Whether two names are names of one model: a name without a version is the same as any version of it."""
    if one == other:
        return True
    (stem, version), (other_stem, other_version) = _split_name(one), _split_name(other)
    return stem == other_stem and (not version or not other_version or version == other_version)


def _split_name(name: str) -> tuple[str, str]:
    """The name of a model without vendor and version, and the version."""
    name = _VENDOR.sub("", name.lower())
    found = _VERSION.search(name)
    assert found is not None  # it may be empty
    version = found["version"] or ""
    return name[: found.start()], "" if version == "latest" else version


def _to_json(value: Any) -> Any:
    """A JSON value; bytes in it (some SDKs have signatures as bytes) as an object of base64 text."""
    if isinstance(value, bytes):
        return {_BYTES: base64.b64encode(value).decode()}
    if isinstance(value, Mapping):
        return {name: _to_json(inner) for name, inner in value.items()}
    return [_to_json(inner) for inner in value] if isinstance(value, list | tuple) else value


def _from_json(value: Any) -> Any:
    """A copy of a JSON value, with its bytes."""
    if isinstance(value, Mapping):
        if value.keys() == {_BYTES}:
            return base64.b64decode(value[_BYTES])
        return {name: _from_json(inner) for name, inner in value.items()}
    return [_from_json(inner) for inner in value] if isinstance(value, list) else value
