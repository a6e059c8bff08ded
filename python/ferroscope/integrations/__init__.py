"""Calls together with other libraries."""
