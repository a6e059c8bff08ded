"""Short programs as v1's documentation has them, run unchanged with `import ferroscope.compat`."""
