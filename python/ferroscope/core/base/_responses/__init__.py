"""Private modules for responses, chunks and streams: identity, token counts, pickling and secrets."""
