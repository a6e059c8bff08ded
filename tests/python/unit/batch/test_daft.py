"""The example for Daft: a decorated async function is a column. It runs in a process of its own."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ferroscope.testing import Answer, ProviderServer

if importlib.util.find_spec("daft") is None:
    if os.environ.get("FERROSCOPE_REQUIRE_ALL") == "1":
        raise ImportError("FERROSCOPE_REQUIRE_ALL is set, and daft is not installed")
    pytest.skip("daft is not installed", allow_module_level=True)

PAGE = (Path(__file__).parents[4] / "docs" / "batch.md").read_text()
START = """
from ferroscope.core import openai


@openai.call("gpt-4o-mini")
async def summarize(text: str) -> str:
    return f"Summarize: {text}"

"""


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_the_example_for_daft(tmp_path: Path) -> None:
    parquet, pyarrow = pytest.importorskip("pyarrow.parquet"), pytest.importorskip("pyarrow")
    (example,) = re.findall(r"^```py\n(import daft\n.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    (tmp_path / "program.py").write_text(START + example)
    rows = [{"text": f"row {number}"} for number in range(20)]
    parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "texts.parquet")
    with ProviderServer(default=lambda request: Answer(json.loads(request.body)["messages"][-1]["content"])) as server:
        variables = {
            "OPENAI_API_KEY": "test",
            "OPENAI_BASE_URL": server.base_url("openai"),
            "DAFT_ANALYTICS_ENABLED": "0",
        }
        environment = {**os.environ, **variables, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        subprocess.run([sys.executable, "program.py"], cwd=tmp_path, env=environment, check=True, timeout=100)
        assert len(server.requests) == 20
    found = parquet.read_table(tmp_path / "answers").to_pylist()
    assert sorted(row["answer"] for row in found) == sorted(f"Summarize: row {number}" for number in range(20))
