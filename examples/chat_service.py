"""A chat service with a page, tools and costs.

    ferroscope serve chat_service:assistant

Then open http://127.0.0.1:8000, or point an OpenAI client at http://127.0.0.1:8000/v1.
"""

from datetime import datetime
from zoneinfo import ZoneInfo

from ferroscope import BaseMessageParam, Messages, llm


def clock(timezone: str) -> str:
    """Return the time of day.

    Args:
        timezone: An IANA name such as `Europe/Oslo`.
    """
    return datetime.now(ZoneInfo(timezone)).strftime("%H:%M")


@llm.call("openai/gpt-4o-mini", tools=[clock])
async def assistant(messages: list[BaseMessageParam]) -> list[BaseMessageParam]:
    return [Messages.System("You are a brief and friendly assistant."), *messages]
