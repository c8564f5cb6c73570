"""What users start inside a notebook: the magic `%crane`, and the guard before cells."""
