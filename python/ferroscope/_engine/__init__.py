"""The engine that runs calls of every provider: planned at decoration, prepared per call, run sync or async."""
