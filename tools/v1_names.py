"""Write `tests/python/compat/v1_names.json`: the public names of Mirascope v1 and their parameters.

The input is a generated description of the installed package (modules, classes, signatures). The output has only names
and kinds of parameters, fields and members, on which a program for v1 may depend.

    python tools/v1_names.py path/to/api_surface_v1.json
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

# Modules that v1 does not document, or only warns about.
OUT_OF_SCOPE = ("beta.rag", "experimental", "v0")
PUBLIC: set[str] = set()
TARGET = Path(__file__).parents[1] / "tests/python/compat/v1_names.json"


def kept_names(module: str, names: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """Return the public names of a module, without parametrized classes and names that are only imported."""
    return {
        name: kept_definition(module, entry, definitions)
        for name, entry in sorted(names.items())
        if not entry.get("incidental_import")
        and "[" not in name
        and (not name.startswith("_") or name == "__version__")
    }


def kept_definition(module: str, entry: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    home = entry.get("ref", "").rpartition(".")[0]
    if home in PUBLIC and home != module:
        return {"same_as": entry["ref"]}
    definition = definitions.get(entry.get("ref", ""))
    if definition is None:
        literal = entry.get("repr", "")
        kept: dict[str, Any] = {"kind": entry["kind"]}
        if literal.startswith("typing.Literal["):
            kept["values"] = sorted(eval(literal.removeprefix("typing.Literal"), {}))
        return kept
    match definition["kind"]:
        case "function":
            return {"kind": "function", "params": params(definition)}
        case "typeddict":
            # The other keys of pydantic's config dict depend on the installed pydantic.
            own_keys = ["strict"] if definition["name"] == "ResponseModelConfigDict" else definition["keys"]
            return {"kind": "typeddict", "keys": sorted(own_keys)}
    own = definition["own"]
    kept = {"kind": "class"}
    if properties := sorted(name for name in own["properties"] if not name.startswith("_")):
        kept["properties"] = properties
    methods = {
        name: params(method)
        for name, method in sorted(own["methods"].items())
        if not name.startswith("_") and name != "model_post_init"
    }
    if methods:
        kept["methods"] = methods
    if definition["pydantic"] and definition["fields"]:
        kept["fields"] = {name: field["required"] for name, field in sorted(definition["fields"].items())}
    return kept


def params(definition: dict[str, Any]) -> list[str]:
    """Return parameters in the form of a signature: `name`, `name=` with a default, `*` before keyword-only ones."""
    written: list[str] = []
    for parameter in definition["signature"]["params"]:
        name = parameter["name"] + ("=" if "default" in parameter else "")
        match parameter["kind"]:
            case "VAR_POSITIONAL":
                written.append(f"*{name}")
            case "VAR_KEYWORD":
                written.append(f"**{name}")
            case "KEYWORD_ONLY":
                if not any(one.startswith("*") for one in written):
                    written.append("*")
                written.append(name)
            case _:
                written.append(name)
    return written


def main() -> None:
    surface = json.loads(Path(sys.argv[1]).read_text())
    PUBLIC.update(
        module
        for module in surface["modules"]
        if "._" not in module and not f"{module}.".startswith(tuple(f"mirascope.{name}." for name in OUT_OF_SCOPE))
    )
    modules = {
        module: names
        for module in sorted(PUBLIC)
        if (names := kept_names(module, surface["modules"][module]["names"], surface["definitions"]))
    }
    TARGET.write_text(as_json(f"{surface['package']} {surface['version']}", modules))
    print(f"{TARGET}: {sum(map(len, modules.values()))} names in {len(modules)} modules")


def as_json(source: str, modules: dict[str, Any]) -> str:
    """Return JSON with one name per line, for readable diffs."""
    blocks = [
        f" {json.dumps(module)}: {{\n"
        + ",\n".join(f"  {json.dumps(name)}: {json.dumps(kept)}" for name, kept in names.items())
        + "\n }"
        for module, names in modules.items()
    ]
    return f'{{"source": "{source}, written by tools/v1_names.py", "modules": {{\n' + ",\n".join(blocks) + "\n}}\n"


if __name__ == "__main__":
    main()
