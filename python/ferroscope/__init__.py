"""Language-model calls as decorated Python functions, with a Rust core."""
