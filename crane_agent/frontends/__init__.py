"""What users start: the command line today; magics and chat later."""
