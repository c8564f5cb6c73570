"""How libraries and the file system keep things: each module reads one kind, past every method of the user's.

They say what is there, in Python values; the probes turn it into answers and the checker into findings.
"""
