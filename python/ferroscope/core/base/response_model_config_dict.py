"""The configuration of a response model."""

from __future__ import annotations

from pydantic import ConfigDict


class ResponseModelConfigDict(ConfigDict, total=False):
    """Pydantic's `ConfigDict`. With `strict=True`, the request also asks for strict structured output.

    ```python
    class Book(BaseModel):
        model_config = ResponseModelConfigDict(strict=True)

        title: str
    ```
    """

    strict: bool
