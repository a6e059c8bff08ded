"""Private parts of tools: classes from functions, arguments, ids and outputs."""
