"""A study for the user's own data: what there is, how it is cut, what learns it, and the file that says so."""
