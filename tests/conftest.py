"""Its place puts this folder on the import path: tests import `kernels`, for example."""

import os
import signal

# Tests fork this process, and a fork of one that has OpenMP's threads waits for them for ever (torch, scikit-learn).
os.environ["OMP_NUM_THREADS"] = "1"

# A test run that a script starts in the background ignores Ctrl-C, and what it starts would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
