"""The messages that calls to Amazon Bedrock accept."""

from __future__ import annotations

from typing import TypeAlias

from ..._dialects.bedrock_converse.type_defs import MessageTypeDef
from ..base.message_param import BaseMessageParam

BedrockMessageParam: TypeAlias = MessageTypeDef | BaseMessageParam
