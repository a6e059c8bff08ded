"""Private modules for prompts: the template language and the plan of a prompt function."""
