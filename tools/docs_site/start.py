"""The page with a first call for each provider."""

from __future__ import annotations

import readme_providers
from ferroscope.core._registry import provider_names, provider_record
from ferroscope.core._servers import SERVERS

# A model for the example of each provider. An id of a local server is that of the loaded model.
MODELS = {
    "anthropic": "claude-haiku-4-5",
    "azure": "gpt-4o-mini",
    "bedrock": "us.anthropic.claude-haiku-4-5-20251001-v1:0",
    "cohere": "command-a-03-2025",
    "gemini": "gemini-2.5-flash",
    "google": "gemini-2.5-flash",
    "groq": "llama-3.3-70b-versatile",
    "litellm": "gpt-4o-mini",
    "mistral": "mistral-small-latest",
    "openai": "gpt-4o-mini",
    "vertex": "gemini-2.5-flash",
    "xai": "grok-4",
}

EXAMPLE = """```python
from ferroscope import llm


@llm.call("{name}/{model}", stream=True)
def recommend(genre: str) -> str:
    return f"Recommend a {{genre}} book"


for chunk, _ in recommend("fantasy"):
    print(chunk.content, end="", flush=True)
```"""


def page() -> str:
    """Return the Markdown of the page."""
    parts = [
        "# First call",
        "",
        "Install the extra of a provider, set its API key, and decorate a function that returns the prompt.",
        "",
        "## Providers",
        "",
        readme_providers.table(),
    ]
    for name in provider_names():
        if name not in SERVERS:
            parts += ["", f"## {name}", "", *_install(name), "", EXAMPLE.format(name=name, model=MODELS[name])]
    return "\n".join([*parts, ""])


def _install(name: str) -> list[str]:
    variables = provider_record(name).clients.environment
    endpoints = [variable for variable in variables if variable.endswith("_ENDPOINT")]
    needed = [*readme_providers.key_variables(name)[:1], *endpoints[:1]]
    extra = readme_providers.extras_of(name)[0]
    return [
        "```console",
        f"pip install 'ferroscope[{extra}]'",
        *(f"export {variable}=..." for variable in needed),
        "```",
    ]
