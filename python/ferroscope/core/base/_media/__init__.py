"""Private parts of media: safe fetching of URLs, and values turned into message parts."""
