"""The chat-completions format of OpenAI, spoken by many servers."""
