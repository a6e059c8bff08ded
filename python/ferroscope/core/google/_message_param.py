"""The messages that calls to Google accept."""

from __future__ import annotations

from typing import TypeAlias

from google.genai.types import Content, ContentDict, File, FunctionResponse, Part

from ..base.message_param import BaseMessageParam

GoogleMessageParam: TypeAlias = ContentDict | Content | Part | File | FunctionResponse | str | BaseMessageParam
