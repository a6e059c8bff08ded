"""The Responses API of OpenAI, which Azure, xAI and some other servers have too."""
