"""Wire formats, their Python half: `render_*` makes what is sent, `parse_*` reads what was received."""
