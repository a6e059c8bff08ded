"""`ferroscope serve`: a decorated function, or a model, as a chat page and an OpenAI-compatible endpoint."""
