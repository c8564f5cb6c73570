"""What is measured, and with what result."""
