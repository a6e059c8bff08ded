"""How a call runs, for any provider: planned at decoration, prepared per call, driven sync or async."""
