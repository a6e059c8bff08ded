"""The documentation site: its sources, generated pages and checks."""
