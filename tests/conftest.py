"""Its place puts this folder on the import path: tests import `kernels`, for example."""

import signal

# A test run that a script starts in the background ignores Ctrl-C, and what it starts would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
