"""Private parts of messages: cache marks and provider-specific content."""
