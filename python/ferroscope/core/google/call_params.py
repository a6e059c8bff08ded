"""The parameters of a call to Google.

https://ai.google.dev/api/generate-content#v1beta.GenerationConfig
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NotRequired

from ..base.call_params import BaseCallParams

if TYPE_CHECKING:
    from google.genai.types import GenerateContentConfigDict, GenerateContentConfigOrDict


class ContentCallParams(BaseCallParams):
    """The parameters of a request in Gemini's format, without the members of `config`."""

    config: NotRequired[GenerateContentConfigOrDict]
    extra_body: NotRequired[dict[str, Any] | None]  # Any: the caller's JSON
    extra_headers: NotRequired[dict[str, str] | None]
    timeout: NotRequired[float | None]


if TYPE_CHECKING:

    class _WithMembers(ContentCallParams, GenerateContentConfigDict, total=False):
        """Also the members of `config`."""
else:
    _WithMembers = ContentCallParams  # the SDK is not loaded here


class GoogleCallParams(_WithMembers):
    """The parameters of a call to Google; parameters that are None are not sent.

    The members of `config` may also be passed directly, such as `{"thinking_config": {"thinking_budget": 0}}`. If both
    define a member, `config` wins.
    """
