"""Pools of native threads: a fork has none of their threads, so what would wait for them runs in one thread instead.

OpenMP's runtimes wait for ever for the threads of the process they were forked from, unless they need none. Sources:
the OpenMP API, `omp_set_num_threads`; OpenBLAS, `openblas_set_num_threads`; torch, `torch.set_num_threads`.
"""

from __future__ import annotations

import ctypes
import os
import re
import sys
from typing import Any, Tuple

from .mappings import mappings

_LIBRARIES = re.compile(r"lib(gomp|omp|iomp5|mkl_rt|[a-z_]*openblas[a-z0-9_]*)[-.]")
_SETTERS: Tuple[str, ...] = (
    "omp_set_num_threads",
    "MKL_Set_Num_Threads",
    "openblas_set_num_threads",
    "openblas_set_num_threads64_",
    "scipy_openblas_set_num_threads",
    "scipy_openblas_set_num_threads64_",
)


def use_one_thread() -> None:
    """Tell the pools that are loaded to use the calling thread only."""
    for path in sorted({each.path for each in mappings() if _LIBRARIES.match(os.path.basename(each.path))}):
        try:
            library = ctypes.CDLL(path, mode=os.RTLD_NOLOAD | os.RTLD_NOW)
        except OSError:
            continue
        for name in _SETTERS:
            setter: Any = getattr(library, name, None)
            if setter is not None:
                setter(ctypes.c_int(1))
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(1)
