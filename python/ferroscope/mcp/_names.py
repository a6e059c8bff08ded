"""The names of tools in requests: valid for every provider, and unique."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

_LONGEST: Final = 64
_NOT_IN_NAMES: Final = re.compile(r"[^a-zA-Z0-9_-]")
# Gemini refuses names that begin with one of them (`FunctionDeclaration.name` in google-genai).
_NOT_FIRST: Final = frozenset("0123456789-")
_DIGEST: Final = 8


def wire_names(tools: Sequence[tuple[str, str]]) -> list[str]:
    """Return a name of letters, digits, `_` and `-` for each tool, at most 64 characters long.

    The first character is a letter or `_`. A name depends only on the set of tools, not on their order. A valid name
    stays unchanged.

    Args:
        tools: The namespace (may be empty) and the name of each tool.

    Raises:
        ValueError: Two tools have the same namespace and name.

    Example:
        ```python
        wire_names([("", "files.read"), ("web", "search")])  # ['files_read', 'web_search']
        ```
    """
    for (namespace, name), times in Counter(tools).items():
        if times > 1:
            raise ValueError(f"two tools are named {name!r}{f' in {namespace!r}' if namespace else ''}")
    plain = [f"{namespace}_{name}" if namespace else name for namespace, name in tools]
    cleaned = [_cleaned(one) for one in plain]
    times_used = Counter(cleaned)
    names: list[str] = []
    for tool, original, name in zip(tools, plain, cleaned, strict=True):
        unchanged = not tool[0] and original == name
        if name and len(name) <= _LONGEST and (unchanged or times_used[name] == 1):
            names.append(name)
        else:
            digest = hashlib.sha256("\0".join(tool).encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST]
            names.append(f"{name[: _LONGEST - _DIGEST - 1]}_{digest}")
    return names


def _cleaned(name: str) -> str:
    replaced = _NOT_IN_NAMES.sub("_", name)
    return f"_{replaced}" if replaced[:1] in _NOT_FIRST else replaced


def class_name(name: str) -> str:
    """Return a tool's name in PascalCase, as the name of its class.

    Example:
        ```python
        class_name("read_file")  # 'ReadFile'
        ```
    """
    words = [word for word in re.split(r"[^a-zA-Z0-9]+", name) if word]
    joined = "".join(word[0].upper() + word[1:] for word in words)
    return joined if joined[:1].isalpha() else f"Tool{joined}"
