"""The itemised cost of a call, and the function that prices a usage object."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from difflib import get_close_matches
from typing import Final, Literal, NamedTuple, TypedDict, cast

import orjson
from pydantic import BaseModel

from .._core import plain_json, price_total, price_usage, prices_billed_by, prices_conditions
from .._repr import html_table
from ..errors import UnknownPriceError

if os.environ.get("FERROSCOPE_PRICES"):
    from . import _book as _book  # loads the price table in that file

_log = logging.getLogger("ferroscope.prices")

Status = Literal["exact", "reported", "estimate", "partial", "free", "unknown_model", "no_usage", "inconsistent_usage"]


FREE: Final = "free"
"""The price provider of models that cost nothing, such as those of a local server."""


class Context(TypedDict, total=False):
    """Conditions of a call that its usage object does not contain; every key is optional.

    A price table may declare further keys (`route`, `search_type`). Keys that no price of the model asks for change
    nothing; a key that no table has is a ValueError.
    """

    timestamp: str | datetime | float
    service_tier: str | None
    """The tier that served the call, as the response reports it."""
    requested_service_tier: str | None
    """The tier that the request asked for; used only if the serving tier is unknown."""
    batch: bool
    speed: str | None
    inference_geo: str | None
    region: str | None
    """The region of the endpoint, where it has a price of its own (`us`, `eu`, `us-east5`)."""
    deployment: str | None
    """The name of a deployment, looked up if the model is unknown (see `prices.alias`)."""
    base_model: str | None
    """The base model of a fine-tuned model, looked up if the model is unknown."""
    tool_calls: Mapping[str, int]
    """Calls of the provider's own tools that the usage object does not count: `{"web_search": 3}`."""
    units: Mapping[str, int | float | Decimal]
    """Counts of any unit of the price table: `{"image": 2}`."""
    estimated: bool
    """Whether the counts are an estimate; the cost is then one too."""


@dataclass(frozen=True, slots=True)
class CostItem:
    """One item of a cost.

    Attributes:
        item: The provider's name for the counted quantity.
        unit: The unit in the price table; None if the amount was reported by the provider.
        count: The number of units; None if the amount was reported.
        price: The price in USD of `per` units; None if the amount was reported.
        per: The number of units that `price` is for; None if the amount was reported.
        amount: The amount in USD.
        tier: The price tier.
        why: The reason for the rate that was applied.
        source: The source of the price.
        checked: The date on which the price was last checked at its source.
    """

    item: str
    unit: str | None
    count: int | Decimal | None
    price: Decimal | None
    per: int | None
    amount: Decimal
    tier: str
    why: str
    source: str
    checked: str

    def to_dict(self) -> dict[str, str | int | None]:
        """Return the item with its numbers as exact plain decimals.

        Example:
            >>> from ferroscope import prices
            >>> usage = {"prompt_tokens": 1000, "completion_tokens": 100}
            >>> prices.cost("openai", "gpt-4o", usage).items[0].to_dict()
            {'item': 'input', 'count': 1000, 'usd_per': '2.5', 'per': 1000000, 'usd': '0.0025'}
        """
        plain: dict[str, str | int | None] = {"item": self.item}
        if self.count is not None and self.price is not None:
            count = int(self.count) if self.count == int(self.count) else format(self.count, "f")
            plain |= {"count": count, "usd_per": format(self.price, "f"), "per": self.per}
        return plain | {"usd": format(self.amount, "f")}


@dataclass(frozen=True, slots=True)
class Provenance:
    """The origin of prices.

    Attributes:
        table: The version of the price table.
        sources: Pairs of a source and the date on which its prices were checked.
        url: The provider's price page.
    """

    table: str
    sources: tuple[tuple[str, str], ...]
    url: str


@dataclass(frozen=True, slots=True, repr=False)
class Cost:
    """The cost of a call, with its items, assumptions and sources.

    `float(cost)` returns the total as the nearest double, and raises ValueError if the total is unknown.

    Attributes:
        status: Whether the total is exact, reported by the provider, an estimate, or the reason it is unknown.
        total: The exact total in USD; None if it is unknown.
        atto: The total in units of 1e-18 USD, or None.
        usd: The total as the nearest double, or None.
        items: The items of the total.
        provider: The provider whose prices apply.
        model: The name of the model as requested or reported.
        model_id: The name of the model in the price table, or None.
        matched_by: The rule that matched the model's name, or None.
        reported: The amount in USD that the provider reported, which is then also the total; or None.
        table_amount: The amount in USD according to the price table, or None.
        assumptions: Sentences about missing data and assumptions.
        provenance: The origin of the prices.
        stale: A warning about an old price table, or None.

    Example:
        >>> from ferroscope import prices
        >>> cost = prices.cost("anthropic", "claude-opus-9", {"input_tokens": 5, "output_tokens": 5})
        >>> cost.total, cost.status
        (None, 'unknown_model')
    """

    status: Status
    total: Decimal | None
    atto: int | None
    usd: float | None
    items: tuple[CostItem, ...]
    provider: str
    model: str
    model_id: str | None
    matched_by: str | None
    reported: Decimal | None
    table_amount: Decimal | None
    assumptions: tuple[str, ...]
    provenance: Provenance
    stale: str | None = field(compare=False)

    @property
    def lower_bound(self) -> Decimal:
        """The sum of the items with a known price, in USD: the total if it is known, otherwise a lower bound."""
        return self.total if self.total is not None else sum((item.amount for item in self.items), Decimal(0))

    def __repr__(self) -> str:
        amount = "unknown" if self.total is None else f"{self.total:f} USD"
        return f"Cost({amount}, status={self.status!r}, provider={self.provider!r}, model={self.model!r})"

    def _repr_html_(self) -> str:
        """Return the items as a table, for notebooks."""
        rows = [
            (item.item, item.count, "" if item.price is None else f"{item.price:f} / {item.per}", f"{item.amount:f}")
            for item in self.items
        ]
        return html_table(("item", "count", "price in USD", "amount in USD"), rows, repr(self))

    def __float__(self) -> float:
        if self.usd is None:
            raise ValueError(f"the cost of {self.model!r} is unknown ({self.status}): {'; '.join(self.assumptions)}")
        return self.usd

    def to_dict(self) -> dict[str, object]:
        """Return the cost as plain data, with amounts as exact decimal strings."""
        text = {name: None if value is None else format(value, "f") for name, value in self._amounts().items()}
        return {
            "status": self.status,
            **text,
            "items": [item.to_dict() for item in self.items],
            "provider": self.provider,
            "model": self.model,
            "model_id": self.model_id,
            "matched_by": self.matched_by,
            "assumptions": list(self.assumptions),
            "table": self.provenance.table,
            "sources": [list(source) for source in self.provenance.sources],
            "url": self.provenance.url,
            "stale": self.stale,
        }

    def _amounts(self) -> dict[str, Decimal | None]:
        return {"total": self.total, "reported": self.reported, "table_amount": self.table_amount}


_CORE_NAMES = {
    "service_tier": "tier",
    "requested_service_tier": "asked_tier",
    "batch": "batch",
    "speed": "speed",
    "inference_geo": "geo",
    "geo": "geo",
    "region": "region",
    "estimated": "estimated",
}
_TOOL_UNITS = {"web_search_preview": "web_search", "code_interpreter": "container_session", "x_search": "social_search"}


def cost(
    provider: str,
    model: str,
    usage: object,
    *,
    api: str | None = None,
    at: datetime | str | float | None = None,
    context: Context | Mapping[str, object] | None = None,
) -> Cost:
    """Return the exact, itemised cost of a usage object in the provider's own wire format.

    Args:
        provider: The name of the called provider, whose prices apply also to models of other vendors.
        model: The name of the model, as the response reports it or as it was requested.
        usage: The usage object: a dict, a pydantic model, JSON, or None if there is none.
        api: The provider's API that the usage comes from (`"responses"`, `"messages"`, ...); by default it is
            detected from the usage.
        at: The time of the call: a datetime, ISO text, or seconds since 1970; by default the current time. A time
            without a zone is UTC.
        context: Other conditions of the call, see `Context`.

    Raises:
        ValueError: A key or a unit in the context is unknown.

    Example:
        >>> from ferroscope import prices
        >>> usage = {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}
        >>> prices.cost("openai", "gpt-4o", usage).total
        Decimal('0.0035')
    """
    return _cost(provider, model, usage_json(usage), api, at, context, {})


def _cost(
    provider: str,
    model: str,
    usage: bytes | None,
    api: str | None,
    at: datetime | str | float | None,
    context: Context | Mapping[str, object] | None,
    call_facts: Mapping[str, str | None],
) -> Cost:
    """Return the cost of a usage object in JSON; `call_facts` contains facts about the call from the engine."""
    if provider == FREE:
        return _free_cost(model)
    given = dict(context) if context else {}
    call = {**_call_conditions(given, at), **call_facts}
    # The remaining keys are conditions that a price may depend on (`route`, `search_type`).
    if given:
        call["extra_conditions"] = _extra_conditions(given)
    return _parse_cost(model, cast(_PricedUsage, price_usage(provider, model, usage, api, call)))


def _extra_conditions(given: Mapping[str, object]) -> list[tuple[str, str]]:
    known = prices_conditions()
    for key in given:
        if key not in known:
            # Without this error, a call with a misspelt key would get the standard price.
            names = sorted({*Context.__annotations__, *known})
            parts = sorted((name for name in names if key in name.split("_")), key=len)
            near = parts or get_close_matches(key, names, n=1)
            hint = f" (did you mean {near[0]!r}?)" if near else ""
            raise ValueError(f"{key!r} is not a key of a price context{hint}; the keys are {', '.join(names)}")
    return [(key, str(value)) for key, value in given.items() if value is not None]


def cached_cost(provider: str, model: str) -> Cost:
    """Return the cost of an answer from a cache: 0 USD."""
    return _free_cost(model, provider, "the answer came from a cache, and no request was sent")


def _free_cost(model: str, provider: str = FREE, reason: str = "the provider bills nothing") -> Cost:
    nothing = Decimal(0)
    return Cost(
        status="free",
        total=nothing,
        atto=0,
        usd=0.0,
        items=(),
        provider=provider,
        model=model,
        model_id=None,
        matched_by=None,
        reported=None,
        table_amount=nothing,
        assumptions=(reason,),
        provenance=Provenance("", (), ""),
        stale=None,
    )


_PricedItem = tuple[str, str | None, str | None, str | None, int | None, str, str, str, str, str]


class _PricedUsage(TypedDict):
    """The result of `price_usage` in the core."""

    status: Status
    total: str | None
    atto: int | None
    usd: float | None
    items: tuple[_PricedItem, ...]
    provider: str
    model_id: str | None
    matched_by: str | None
    reported: str | None
    table_amount: str | None
    assumptions: tuple[str, ...]
    url: str
    version: str
    stale: str | None


def usage_json(usage: object) -> bytes | None:
    """Return a usage object of any kind as JSON."""
    plain = plain_json(usage) if usage is not None else None
    if plain is not None:
        return plain
    if isinstance(usage, BaseModel):
        try:
            return orjson.dumps(usage, default=_members)
        except TypeError:  # a value or a name that has its own form in JSON
            # An SDK's model may hold what its server sent in place of a count: null, or text.
            return usage.model_dump_json(warnings=False).encode()
    match usage:
        case None:
            return None
        case bytes():
            return usage
        case bytearray() | memoryview():
            return bytes(usage)
        case str():
            return usage.encode()
        case Mapping():
            return _dumps(dict(usage))
        case list() | tuple() | int() | float():  # not a usage object, but servers send such values
            return _dumps(usage)
    to_dict = getattr(usage, "to_dict", None)
    return _dumps(to_dict() if to_dict is not None else vars(usage))


def _members(value: object) -> dict[str, object]:
    if not isinstance(value, BaseModel):
        raise TypeError
    decorators = type(value).__pydantic_decorators__
    if decorators.model_serializers or decorators.field_serializers:
        raise TypeError  # some SDKs leave out what was not set
    return {**value.__dict__, **(value.__pydantic_extra__ or {})}


def _dumps(usage: object) -> bytes:
    try:
        return orjson.dumps(usage, default=_jsonable, option=orjson.OPT_NON_STR_KEYS)
    except TypeError:  # an integer of more than 64 bits
        return json.dumps(usage, default=_jsonable).encode()


def _jsonable(value: object) -> object:
    if isinstance(value, Decimal):
        return float(value)
    dump = getattr(value, "model_dump", None)
    return dump(warnings=False) if dump is not None else vars(value)


def _call_conditions(given: dict[str, object], at: datetime | str | float | None) -> dict[str, object]:
    """Remove the keys with a fixed meaning from `given`, and return them."""
    call: dict[str, object] = {}
    timestamp = given.pop("timestamp", None)
    when = at if at is not None else timestamp
    if when is not None:
        call["at"] = _seconds(when)
    for key, name in _CORE_NAMES.items():
        value = given.pop(key, None)
        if value is not None:
            call[name] = bool(value) if name in ("batch", "estimated") else str(value)
    others = [given.pop(key, None) for key in ("deployment", "base_model")]
    call["also"] = [str(other) for other in others if other is not None]
    counts = []
    for key in ("tool_calls", "units"):
        named = given.pop(key, None)
        if isinstance(named, Mapping):
            counts += [(_TOOL_UNITS.get(str(name), str(name)), str(count)) for name, count in named.items()]
    call["counts"] = counts
    return call


def _seconds(when: object) -> int:
    if isinstance(when, str):
        when = datetime.fromisoformat(when)
    if isinstance(when, datetime):
        return int((when if when.tzinfo is not None else when.replace(tzinfo=UTC)).timestamp())
    if isinstance(when, int | float):
        return int(when)
    raise TypeError(f"a time must be a datetime, ISO text or seconds since 1970, not {when!r}")


def _number(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _parse_cost(model: str, answer: _PricedUsage) -> Cost:
    items = tuple(
        CostItem(
            item=item,
            unit=unit,
            count=None if count is None else int(count) if "." not in count else Decimal(count),
            price=_number(price),
            per=per,
            amount=Decimal(amount),
            tier=tier,
            why=why,
            source=source,
            checked=checked,
        )
        for item, unit, count, price, per, amount, tier, why, source, checked in answer["items"]
    )
    sources = tuple(sorted({(item.source, item.checked) for item in items if item.source}))
    return Cost(
        status=answer["status"],
        total=_number(answer["total"]),
        atto=answer["atto"],
        usd=answer["usd"],
        items=items,
        provider=answer["provider"],
        model=model,
        model_id=answer["model_id"],
        matched_by=answer["matched_by"],
        reported=_number(answer["reported"]),
        table_amount=_number(answer["table_amount"]),
        assumptions=answer["assumptions"],
        provenance=Provenance(answer["version"], sources, answer["url"]),
        stale=answer["stale"],
    )


def billed_by(name: str, price_provider: str, host: str, model: str) -> tuple[str, str | None]:
    """Return the provider whose prices apply to a call, and the assumption that this makes, if any.

    A client may have the URL of another vendor's server, whose prices then apply. A provider with an explicit price
    provider keeps it.

    Args:
        name: The name of the provider.
        price_provider: The name of the provider in the price table.
        host: The host of the request; empty if it is unknown.
        model: The model.
    """
    if not host or price_provider != name:
        return price_provider, None
    return prices_billed_by(price_provider, host, model)


_logged: set[tuple[str, str]] = set()
_TIERS: Final = frozenset({"service_tier", "requested_service_tier"})


def _has_only_tiers(context: Mapping[str, object]) -> bool:
    return not any(value for key, value in context.items() if key not in _TIERS)


class Total(NamedTuple):
    """The total of a cost, without its items.

    Attributes:
        usd: The total in USD as the nearest double.
        exact: The exact total in USD, as decimal text.
        provider: The provider whose prices apply.
        model: The name of the model as requested or reported.
        model_id: The name of the model in the price table.
    """

    usd: float
    exact: str
    provider: str
    model: str
    model_id: str

    @property
    def total(self) -> Decimal:
        """The exact total in USD."""
        return Decimal(self.exact)


def quick_total(
    name: str,
    price_provider: str,
    host: str,
    model: str,
    usage_json: bytes | None,
    at: float | None,
    context: Mapping[str, object],
) -> Total | None:
    """Return the total cost of a call, without the records of its items.

    Args:
        name: The provider's name.
        price_provider: Its name in the price table.
        host: The host that the request went to; empty if that is not known.
        model: The model.
        usage_json: The usage object.
        at: When the call was made, in seconds since 1970.
        context: What else the price depends on.

    Returns:
        The total; None if it is not known, or takes `cost_of` to find out.
    """
    tier, asked = context.get("service_tier"), context.get("requested_service_tier")
    if (
        usage_json is None
        or price_provider == FREE
        or not (context.keys() <= _TIERS or _has_only_tiers(context))
        or not (tier is None or isinstance(tier, str))
        or not (asked is None or isinstance(asked, str))
    ):
        return None
    host = host if price_provider == name else ""
    found = price_total(price_provider, host, model, usage_json, at, tier, asked)
    if found is None:
        return None
    usd, exact, provider, model_id, is_stale = found
    # The first stale price is logged.
    return None if is_stale and ("", "") not in _logged else Total(usd, exact, provider, model, model_id)


def cost_of(
    *,
    provider: str,
    model: str,
    usage_json: bytes | None,
    api: str | None = None,
    at: float | None = None,
    context: Mapping[str, object] | None = None,
    contradiction: str | None = None,
    assumed: str | None = None,
    strict: bool = False,
) -> Cost:
    """Return the cost of a call for `response.cost`, and log an unknown cost.

    `contradiction` explains counts that contradict each other in the events of a stream. `assumed` is the assumption
    that was made to find the price provider.

    Raises:
        UnknownPriceError: The cost is unknown, and `strict` is true.
    """
    call_facts = {"contradiction": contradiction, "assumed": assumed}
    found = _cost(provider, model, usage_json, api, at, context, call_facts)
    if found.total is None:
        why = f"the cost of a call of {model!r} is unknown ({found.status}): {'; '.join(found.assumptions)}"
        if strict:
            raise UnknownPriceError(why)
        if (provider, model) not in _logged and found.status in ("unknown_model", "partial"):
            _logged.add((provider, model))
            _log.warning("%s", why)
    elif found.stale is not None and ("", "") not in _logged:
        _logged.add(("", ""))
        _log.warning("%s; update ferroscope or load a newer table", found.stale)
    return found
