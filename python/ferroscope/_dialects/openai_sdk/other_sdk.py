"""Another SDK for the chat completions of a provider, beside OpenAI's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module

from ..._engine.extras import unusable_reason
from ..._engine.provider import Provider
from ..openai_chat.dialect import OpenAIChat
from ..openai_chat.sdk import UnusableSdk


@dataclass(frozen=True, slots=True)
class OtherSdk:
    """Another SDK for the chat completions of a provider, which need not be installed.

    Attributes:
        module: The module of the SDK.
        extra: The extra that installs it.
        adapter: The module of its adapter. The function `adapted_record` there returns the provider's record for this
            SDK, from the record for OpenAI's SDK.
        accepts_client: Whether the SDK serves a client (None: the default client).
    """

    module: str
    extra: str
    adapter: str
    accepts_client: Callable[[object | None], bool]

    def alternatives(self, record: Provider, dialect: OpenAIChat) -> tuple[Provider, ...]:
        """Return the provider's record for this SDK, if that is installed.

        Args:
            record: The record for OpenAI's SDK.
            dialect: The dialect of that record.
        """
        try:
            adapted: Provider = import_module(self.adapter).adapted_record(record)
        except ImportError as error:
            reason = unusable_reason(error, self.module, extra=self.extra)
            if reason is None:
                return ()
            adapted = replace(record, dialect=replace(dialect, sdk=UnusableSdk(module=self.module, reason=reason)))
        return (replace(adapted, accepts_client=self.accepts_client),)
