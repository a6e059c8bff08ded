"""The command `ferroscope migrate`: it rewrites programs of Mirascope v1 for this package."""
