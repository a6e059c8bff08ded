"""Providers whose chat completions and Responses API are both called with OpenAI's SDK."""
