"""Tools for files and for code in a Docker container."""
