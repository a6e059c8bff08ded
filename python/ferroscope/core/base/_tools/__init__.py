"""Private modules for tools: classes from functions, arguments, ids and outputs."""
