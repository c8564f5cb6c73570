"""The cost of facts: the text of two probes' answers beside that of a fixed summary, for the same target."""
