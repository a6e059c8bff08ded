"""Tools for web requests and web search."""
