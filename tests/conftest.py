"""Its place puts this folder on the import path: tests import `kernels`, for example."""
