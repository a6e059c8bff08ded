"""The chat-completions format of OpenAI, which many servers use."""
