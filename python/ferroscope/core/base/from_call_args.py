"""Marks the fields of a response model that the call's own arguments fill."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo


class FromCallArgs:
    """Inside `Annotated`: this field is not asked of the model, it is the argument of the same name.

    ```python
    class Recommendation(BaseModel):
        genre: Annotated[str, FromCallArgs()]
        title: str


    @openai.call("gpt-4o-mini", response_model=Recommendation)
    def recommend(genre: str) -> str:
        return f"Recommend a {genre} book"
    ```
    """


def is_from_call_args(field: FieldInfo) -> bool:
    """Whether a field carries the `FromCallArgs` mark."""
    return any(isinstance(mark, FromCallArgs) for mark in field.metadata)
