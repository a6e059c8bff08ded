"""Private modules for messages: cache marks and provider-specific content."""
