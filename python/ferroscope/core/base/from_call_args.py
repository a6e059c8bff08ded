"""The mark for fields of a response model that the call's own arguments fill."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo


class FromCallArgs:
    """A mark inside `Annotated`: the model does not generate this field; the call's argument of that name fills it.

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
    """Return whether a field has the `FromCallArgs` mark."""
    return any(isinstance(mark, FromCallArgs) for mark in field.metadata)
