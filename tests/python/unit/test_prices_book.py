"""What a program puts on top of the built-in table, and what it can ask of it."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from ferroscope import prices
from ferroscope.prices._cli import main

USAGE = {"prompt_tokens": 1_000_000, "completion_tokens": 1_000_000}
ROW: prices.PriceRow = {
    "provider": "acme",
    "model": "Model-X",
    "names": ["model-x-latest"],
    "rates": {"input": 1, "output": "4.5"},
    "source": "contract 17",
    "checked": "2026-11-01",
}


@pytest.fixture(autouse=True)
def only_the_built_in_table() -> Iterator[None]:
    prices.reset()
    yield
    prices.reset()


def total(provider: str, model: str, **context: object) -> Decimal | None:
    return prices.cost(provider, model, USAGE, context=context).total


def test_registered_rows_have_prices_under_all_their_names() -> None:
    prices.register([ROW])
    cost = prices.cost("acme", "model-x-latest", USAGE)
    assert (cost.total, cost.model_id) == (Decimal("5.5"), "model-x")
    assert cost.provenance.sources == (("contract 17", "2026-11-01"),)


def test_a_registered_rate_replaces_that_rate_alone() -> None:
    prices.register([{"provider": "openai", "model": "gpt-4o", "rates": {"input": Decimal("1.1")}}])
    assert total("openai", "gpt-4o") == Decimal("11.1")


@pytest.mark.parametrize("rates", [{"input": 0.1, "output": 1e-07}, "input=0.1 output=0.0000001"])
def test_rates_may_be_numbers_or_text(rates: dict[str, float] | str) -> None:
    prices.register([{"provider": "acme", "model": "x", "rates": rates}])
    assert total("acme", "x") == Decimal("0.1000001")


def test_registered_rows_may_have_conditions() -> None:
    prices.register([ROW, {"provider": "acme", "model": "model-x", "when": "batch", "rates": {"input": "0.25"}}])
    assert (total("acme", "model-x"), total("acme", "model-x", batch=True)) == (Decimal("5.5"), Decimal("4.75"))


@pytest.mark.parametrize("suffix", [".json", ".toml", ".tsv"])
def test_a_table_may_be_a_file(tmp_path: Path, suffix: str) -> None:
    text = {
        ".json": json.dumps({"rows": [ROW]}),
        ".toml": '[[rows]]\nprovider = "acme"\nmodel = "model-x"\nrates = { input = 1, output = "4.5" }\n',
        ".tsv": "[acme]\nmodel-x\t-\tinput=1 output=4.5\tmine\t2026-11-01\n",
    }[suffix]
    file = tmp_path / f"prices{suffix}"
    file.write_text(text)
    prices.load(file)
    assert total("acme", "model-x") == Decimal("5.5")


def test_a_table_may_be_a_mapping() -> None:
    prices.load({"rows": [ROW]})
    assert total("acme", "model-x") == Decimal("5.5")


def test_a_table_is_fetched_only_with_the_right_digest(tmp_path: Path) -> None:
    file = tmp_path / "prices.json"
    file.write_text(json.dumps([ROW]))
    with pytest.raises(ValueError, match="has the SHA-256 digest"):
        prices.update(file.as_uri(), sha256="0" * 64)
    assert total("acme", "model-x") is None
    prices.update(file.as_uri(), sha256=hashlib.sha256(file.read_bytes()).hexdigest())
    assert total("acme", "model-x") == Decimal("5.5")


def test_a_table_is_not_fetched_in_the_open() -> None:
    with pytest.raises(ValueError, match="can only be fetched over https"):
        prices.update("http://example.com/prices.json")


def test_a_table_may_be_named_by_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "prices.json"
    file.write_text(json.dumps([ROW]))
    code = (
        "from ferroscope.core.costs import calculate_cost\n"
        "from types import SimpleNamespace\n"
        "print(calculate_cost('acme', 'model-x', SimpleNamespace(input_tokens=10**6, output_tokens=0)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "FERROSCOPE_PRICES": str(file)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "1.0\n"


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({**ROW, "rates": {"inputs": 1}}, 'unknown unit "inputs"'),
        ({**ROW, "rates": {"input": -1}}, 'invalid rate "input=-1"'),
        ({**ROW, "when": "sometimes"}, 'invalid condition "sometimes"'),
        ({**ROW, "names": ["a\tb"]}, "must not contain tabs"),
    ],
)
def test_a_row_that_is_not_understood_is_refused(row: prices.PriceRow, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        prices.register([row])
    assert total("acme", "model-x") is None


def test_a_deployment_is_looked_up_if_the_model_is_not_known() -> None:
    assert total("azure", "prod-1", deployment="prod-1") is None
    prices.alias("azure", "prod-1", "gpt-4o-mini")
    assert total("azure", "prod-1") == total("azure", "gpt-4o-mini") == Decimal("0.75")
    # The model that the response names goes before the deployment.
    assert total("azure", "gpt-4o", deployment="prod-1") == Decimal("12.5")
    assert total("azure", "", deployment="prod-1") == Decimal("0.75")


def test_the_base_of_a_tuned_model_may_be_told() -> None:
    assert total("google", "tunedModels/mine") is None
    assert total("google", "tunedModels/mine", base_model="gemini-2.5-flash") == Decimal("2.8")


@pytest.mark.parametrize("factor", ["0.78", Decimal("0.78"), Fraction(39, 50), "39/50"])
def test_a_contract_scales_prices_exactly(factor: str | Decimal | Fraction) -> None:
    prices.scale("openai", factor)
    assert total("openai", "gpt-4o") == Decimal("9.75")


def test_a_contract_may_be_for_one_model() -> None:
    prices.scale("openai", "0.5", model="gpt-4o")
    assert (total("openai", "gpt-4o"), total("openai", "gpt-4o-mini")) == (Decimal("6.25"), Decimal("0.75"))


def test_a_factor_must_be_one() -> None:
    with pytest.raises(ValueError, match='"a fifth" is not a factor'):
        prices.scale("openai", "a fifth")


def test_the_table_tells_what_it_is() -> None:
    info = prices.info()
    assert set(info.sources) == {"own", "genai", "litellm", "litellm-old"}
    assert {"anthropic", "bedrock", "google", "openai", "vertex"} <= set(info.providers)
    assert info.models > 4_000
    assert info.rows > info.models


def test_the_command_shows_rates_tiers_source_and_age(capsys: pytest.CaptureFixture[str]) -> None:
    prices.register([{**ROW, "rates": "input=1,>1000:2"}])
    assert main(["acme/model-x"]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert [line.split() for line in shown[:4]] == [
        ["acme/model-x"],
        ["unit", "price", "per", "when", "source", "age"],
        ["input", "1", "1M", "contract", "17", shown[2].split()[-1]],
        ["input", "2", "1M", "prompt>1000", "contract", "17", shown[2].split()[-1]],
    ]
    assert main(["gpt-4.1-mini", "--provider", "openai"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("openai/gpt-4.1-mini  https://")
    assert "tier=priority" in out


def test_the_command_speaks_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["xai/grok-4.7", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    (model,) = told["models"]
    assert (model["provider"], model["model"]) == ("xai", "grok-4.7")
    assert {"unit": "input", "usd": "2", "per": 1_000_000, "tiers": {">=200000": "4"}} in model["rows"][0]["rates"]


def test_the_command_offers_names_for_one_that_is_unknown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gpt-4.1-mimi"]) == 1
    assert "close names: gpt-4.1-mini" in capsys.readouterr().err
