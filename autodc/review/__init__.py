"""Views of a study as plain values: no HTML, no terminal."""
