"""The parameters of a call of Google.

https://ai.google.dev/api/generate-content#v1beta.GenerationConfig
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NotRequired

from ..base.call_params import BaseCallParams

if TYPE_CHECKING:
    from google.genai.types import GenerateContentConfigOrDict


class GoogleCallParams(BaseCallParams):
    """The parameters of a call of Google; those that are None are left out.

    The members of `config` can also be given beside it, such as `{"thinking_config": {"thinking_budget": 0}}`. Where
    both have one, that of `config` counts.
    """

    config: NotRequired[GenerateContentConfigOrDict]
    extra_body: NotRequired[dict[str, Any] | None]  # Any: JSON of the caller's
    extra_headers: NotRequired[dict[str, str] | None]
    timeout: NotRequired[float | None]
