"""Private parts of responses, chunks and streams: identity, counts, pickling and secrets."""
