"""Private modules for media: safe fetching of URLs, and conversion of values to message parts."""
