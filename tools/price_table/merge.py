"""Merges the sources in layers: what is said above is not said again below."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .genai import GENAI_PROVIDERS, genai_providers, genai_rows, matches, rule_names
from .litellm import SEVERAL_APIS, litellm_entries, litellm_place, litellm_rows, only_api, uplift
from .model import (
    GENAI,
    LAYERS,
    LITELLM,
    LITELLM_OLD,
    SOURCES,
    UNITS,
    VERSION,
    Model,
    Provider,
    Rates,
    Row,
    Source,
    plain,
)

FALLBACKS = {
    "azure": ["openai", "anthropic", "deepseek", "xai", "moonshot"],
    "google": ["anthropic"],
    "vertex": ["google", "anthropic"],
}

GEO = re.compile(r"^(us-gov|us|eu|apac|jp|au|in|ca|global)\.")
VERSION_TAIL = re.compile(r"-v\d+(:\d+)?(:\d+k|:mm)?$|:\d+(:\d+k)?$")


def bedrock_name(name: str) -> str:
    """A Bedrock id without its version and its geography; `global.` stays, because it has its own price."""
    name = name.removeprefix("regional.").removesuffix("-v1") if name.startswith("regional.") else name
    name = VERSION_TAIL.sub("", name)
    found = GEO.match(name)
    return name if found is None or found.group(1) == "global" else name[found.end() :]


def keyed(provider: str, name: str) -> str:
    return bedrock_name(name) if provider == "bedrock" else name


@dataclass
class Build:
    providers: dict[str, Provider] = field(default_factory=dict)
    noise: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    report: dict[str, str] = field(default_factory=dict)
    disagreed: list[tuple[str, str]] = field(default_factory=list)
    agreed: Counter[str] = field(default_factory=Counter)
    unexplained: list[str] = field(default_factory=list)

    def provider(self, provider_id: str) -> Provider:
        if provider_id not in self.providers:
            self.providers[provider_id] = Provider(provider_id)
        return self.providers[provider_id]


def add_genai(build: Build, folder: Path) -> None:
    for raw in genai_providers(folder):
        provider = build.provider(GENAI_PROVIDERS.get(raw["id"], raw["id"]))
        provider.url = (raw.get("pricing_urls") or [""])[0]
        taken: set[str] = set()
        for entry in raw["models"]:
            rows = genai_rows(entry, provider.id, build.noise["genai-prices"])
            model_id = entry["id"].lower()
            if not rows:
                if not model_id.endswith(":free"):
                    continue  # no price at all: "unknown" and "free" look the same there, so it says nothing
                rows = [Row("", "free", "genai", GENAI.date)]
            model = provider.model(model_id)
            model.match = entry["match"]
            model.rows += rows
            provider.order.append(model)
            spelled = [*rule_names(entry["match"]), model_id]
            for name in (keyed(provider.id, n) for n in spelled):
                if name not in taken:
                    taken.add(name)
                    model.names.add(name)


def find(build: Build, provider_id: str, name: str) -> tuple[Model, str] | None:
    """(model, how) of a name: exact, loose (a rule of genai-prices), or the provider it falls back to."""
    provider = build.providers.get(provider_id)
    spelled = name
    name = keyed(provider_id, name)
    if provider is not None:
        for model in provider.models.values():
            if name in model.names:
                return model, "exact"
        for model in provider.order:
            if model.match is not None and (matches(model.match, spelled) or matches(model.match, name)):
                return model, "loose"
    for other in FALLBACKS.get(provider_id, []):
        found = find_own(build, other, name)
        if found is not None:
            return found, "fallback"
    return None


def find_own(build: Build, provider_id: str, name: str) -> Model | None:
    provider = build.providers.get(provider_id)
    if provider is None:
        return None
    for model in provider.models.values():
        if name in model.names:
            return model
    return next((m for m in provider.order if m.match is not None and matches(m.match, name)), None)


def today(model: Model, source: str | None = None) -> Rates:
    """The standard rates of a model at the date of the table, off peak."""
    rates: Rates = {}
    for row in model.rows:
        if (source is not None and row.source != source) or isinstance(row.rates, str):
            continue
        start = re.fullmatch(r"(?:from=(\S+))?", row.when)
        if start is not None and (start.group(1) or "") <= VERSION:
            rates.update(row.rates)
    return rates


# A disagreement here is decided by a person (a correction or an acknowledgement), not by the order of the layers.
POPULAR = {"openai", "anthropic", "google", "xai", "deepseek", "mistral"}
CORE_UNITS = ("input", "output", "cache_read", "cache_write", "cache_write_1h")


def agree(ours: Rates, theirs: Rates, units: Iterable[str] = ("input", "output")) -> bool:
    return all(ours[u].price == theirs[u].price for u in units if u in ours and u in theirs)


def add_litellm(build: Build, entries: dict[str, dict[str, Any]], source: Source, known: set[str]) -> None:
    fresh = source is LITELLM
    for key in sorted(entries, key=lambda k: (len(k), k)):
        if key in known:
            continue
        entry = entries[key]
        place = litellm_place(key, entry)
        if place is None:
            continue
        provider_id, name = place
        rows = litellm_rows(entry, provider_id, source, build.noise[source.folder])
        if not rows:
            continue
        standard = next((r.rates for r in rows if not r.when and not isinstance(r.rates, str)), {})
        found = find(build, provider_id, name)
        if found is None:
            if provider_id == "bedrock" and GEO.match(name):
                # A regional listing of a model that only litellm knows: one row under the plain name is enough,
                # unless it has its own price.
                base = build.provider(provider_id).models.get(bedrock_name(name))
                if base is not None and agree(today(base), standard):
                    continue
            model = build.provider(provider_id).model(keyed(provider_id, name))
            if not model.rows:
                model.names.add(keyed(provider_id, name))
                model.rows += with_uplift(rows, entry, source)
            continue
        model, how = found
        ours = today(model, "genai") or today(model)
        differs = not agree(ours, standard)
        if fresh:
            compare(build, provider_id, name, ours, standard)
        geo = GEO.match(name) if provider_id == "bedrock" else None
        if geo is not None and differs and fresh and geo.group() not in str(model.match):
            # AWS charges more in some geographies; genai-prices has one price for all of those it does not name.
            own = build.provider(provider_id).model(name)
            own.names.add(VERSION_TAIL.sub("", name))
            own.rows += rows
            continue
        if how == "fallback" or (how == "loose" and differs and provider_id != "bedrock"):
            if differs and (fresh or how == "loose"):
                own = build.provider(provider_id).model(name)
                own.names.add(name)
                own.rows += with_uplift(rows, entry, source)
            elif how == "fallback":
                model.names.add(name)
                add_uplift(build, provider_id, name, entry, source)
            else:
                model.names.add(keyed(provider_id, name))
            continue
        if how == "loose":
            model.names.add(keyed(provider_id, name))
        if fresh and not differs:
            supplement(model, rows, entry, source, ours)


def add_apis(build: Build, entries: dict[str, dict[str, Any]], source: Source) -> None:
    for key, entry in entries.items():
        place, api = litellm_place(key, entry), only_api(entry)
        found = find(build, *place) if place is not None and api is not None and place[0] in SEVERAL_APIS else None
        if place is not None and api is not None and found is not None:
            model, _ = found
            model.only_apis.setdefault((api, source.key, source.date), set()).add(keyed(*place))


def with_uplift(rows: list[Row], entry: dict[str, Any], source: Source) -> list[Row]:
    return rows + list(uplift(entry, source))


def add_uplift(build: Build, provider_id: str, name: str, entry: dict[str, Any], source: Source) -> None:
    """Vertex lists another provider's prices, and adds a share for a regional endpoint."""
    rows = list(uplift(entry, source))
    if rows and source is LITELLM:
        model = build.provider(provider_id).model(name)
        if not model.rows:
            model.names.add(name)
            model.rows += rows


def supplement(model: Model, rows: list[Row], entry: dict[str, Any], source: Source, ours: Rates) -> None:
    """What litellm knows about a model of genai-prices beyond it: tiers it has no variant for, and the cached rate."""
    have = {re.sub(r"(from|until)=\S+ ?", "", row.when).strip() for row in model.rows if row.source != source.key}
    mine = {row.when for row in model.rows if row.source == source.key}
    for row in rows:
        if isinstance(row.rates, str) or row.when in mine:
            continue
        if row.when:
            if row.when in have or row.when.startswith(("days=", "hours=")):
                continue
            shares = {
                u: row.rates[u].price / ours[u].price
                for u in ("input", "output")
                if u in row.rates and u in ours and ours[u].price
            }
            if row.when == "batch" and len(set(shares.values())) > 1:
                continue  # a discount that differs between input and output has always been a mistake so far
            model.rows.append(row)
        elif "cache_read" in row.rates and "cache_read" not in ours and "input" in ours and model.rows:
            model.rows.append(Row("", {"cache_read": row.rates["cache_read"]}, source.key, source.date))
    for row in uplift(entry, source):
        if row.when not in mine:
            model.rows.append(row)


def compare(build: Build, provider: str, name: str, ours: Rates, theirs: Rates) -> None:
    apart = [u for u in CORE_UNITS if u in ours and u in theirs and ours[u].price != theirs[u].price]
    build.agreed["names"] += 1
    build.agreed["agree"] += not apart
    if apart:
        cells = ", ".join(f"{u} {plain(ours[u].price)} / {plain(theirs[u].price)}" for u in apart)
        build.report[f"{provider}/{name}"] = cells
        build.disagreed.append((provider, name))


TOOLS = Path(__file__).resolve().parent.parent
CORRECTIONS = TOOLS / "price_corrections.toml"


def inputs() -> str:
    """A digest of what the table is made with, apart from the pinned packages: it tells a table that is older."""
    digest = hashlib.sha256()
    for file in [CORRECTIONS, *sorted((TOOLS / "price_table").glob("*.py"))]:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def add_corrections(build: Build) -> None:
    data = tomllib.loads(CORRECTIONS.read_text(encoding="utf-8"))
    for row in data["row"]:
        provider = build.provider(row["provider"])
        for required in ("why", "source", "checked", "rates"):
            if not row.get(required):
                raise ValueError(f"price_corrections.toml: {row['provider']}/{row['model']} has no {required}")
        for model_id in [row["model"]] if isinstance(row["model"], str) else row["model"]:
            model = provider.model(model_id)
            if row.get("replace"):
                model.rows = [r for r in model.rows if r.source == "own"]
            if model_id != "*":
                for name in [model_id, *row.get("names", [])]:
                    for other in provider.models.values():
                        if other is not model:
                            other.names.discard(name)
                            if other.id == name:
                                other.rows = []  # it is a name of this model now
                    model.names.add(name)
            if row["rates"] != "free" and not row["rates"].startswith("*="):
                for item in row["rates"].split():
                    if item.partition("=")[0] not in UNITS:
                        raise ValueError(f"price_corrections.toml: unknown unit in {item!r}")
            when = row.get("when", "")
            for one in [when] if isinstance(when, str) else when:
                model.rows.append(Row(one, row["rates"], "own", str(row["checked"])))
    accepted = {(row["provider"], name) for row in data.get("acknowledged", []) for name in row["models"]}
    for provider_id, name in build.disagreed:
        found = find(build, provider_id, name)
        corrected = found is not None and any(row.source == "own" and row.rates != "free" for row in found[0].rows)
        if provider_id in POPULAR and not corrected and (provider_id, name) not in accepted:
            build.unexplained.append(f"{provider_id}/{name}")


def write(build: Build) -> str:
    """The text of the table. `!body` is the digest of all lines after the head: nobody edits them by hand."""
    body = "\n".join(sections(build)) + "\n"
    head = [
        "# Prices of language models. Generated by tools/build_prices.py from the packages below and",
        "# tools/price_corrections.toml: do not edit. Format: rust/ferroscope-core/src/price/table.rs.",
        f"!version\t{VERSION}",
        "!source\town\tprice_corrections.toml of Ferroscope",
        *(f"!source\t{source.key}\t{source.package} {source.version} (MIT)" for source in SOURCES),
        f"!inputs\t{inputs()}",
        f"!body\t{hashlib.sha256(body.encode()).hexdigest()}",
    ]
    return "\n".join(head) + "\n" + body


def sections(build: Build) -> list[str]:
    lines: list[str] = []
    for provider_id in sorted(build.providers):
        provider = build.providers[provider_id]
        models = [m for m in provider.models.values() if m.rows]
        if not models and not FALLBACKS.get(provider_id):
            continue
        lines.append(
            "\t".join([f"[{provider_id}]", ",".join(FALLBACKS.get(provider_id, [])) or "-", provider.url or "-"])
        )
        for model in sorted(models, key=lambda m: m.id):
            names = sorted(model.names - {model.id})
            lines.append("\t".join([model.id, "=", *names]))
            for (api, source, day), only in sorted(model.only_apis.items()):
                lines.append("\t".join([model.id, "api", api, source, day, *sorted(only)]))
            rows = {f"{model.id}\t{row.text()}": LAYERS[row.source] for row in model.rows}
            lines += sorted(rows, key=lambda text: (rows[text], text))
    return lines


def build_table(sources: Path) -> tuple[str, Build]:
    build = Build()
    add_genai(build, sources / GENAI.folder)
    fresh = litellm_entries(sources / LITELLM.folder)
    add_litellm(build, fresh, LITELLM, set())
    add_litellm(build, litellm_entries(sources / LITELLM_OLD.folder), LITELLM_OLD, set(fresh))
    for name in FALLBACKS:
        build.provider(name)
    add_corrections(build)
    add_apis(build, fresh, LITELLM)
    return write(build), build
