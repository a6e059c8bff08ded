"""The Responses API of OpenAI, spoken by Azure, xAI and some other servers."""
