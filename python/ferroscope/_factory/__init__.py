"""Mirascope v1's factories for providers of a program's own: call decorators from the program's classes and functions.

A call made with them uses the program's SDK objects directly. It has none of the engine's options (`retry`, deadlines,
replay), and reads no bytes. For a server with a known wire format, `ferroscope.register_provider` is the shorter way.
"""

from .factories import call_factory as call_factory
from .factories import create_factory as create_factory
from .factories import extract_factory as extract_factory
from .factories import stream_factory as stream_factory
from .factories import structured_stream_factory as structured_stream_factory
