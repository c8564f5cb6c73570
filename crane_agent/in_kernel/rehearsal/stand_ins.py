"""What libraries do with other processes is done in the copy's own process, and noted as a change.

Sources: joblib, `Parallel` and its backends; loky, `loky/backend/context.py`; torch, `torch/utils/data/dataloader.py`.
"""

from __future__ import annotations

import glob
import importlib.abc
import importlib.util
import sys
from typing import Any, Callable, Dict, List

_JOBLIB = "joblib's jobs ran one after the other"
_LOADER = "a DataLoader's workers were replaced by its own process"


def put(changed: List[str]) -> None:
    """Replace what would start processes, also in modules that are imported later.

    Args:
        changed: Each use of a replacement is noted there, once.
    """
    patches: Dict[str, Callable[[Any], None]] = {
        "joblib.externals.loky.backend.context": _count_cores,
        "loky.backend.context": _count_cores,
        "joblib.parallel": lambda module: _run_in_sequence(module, changed),
        "torch.utils.data.dataloader": lambda module: _load_alone(module, changed),
    }
    for name in list(patches):
        module = sys.modules.get(name)
        if module is not None:
            patches.pop(name)(module)
    sys.meta_path.insert(0, _Patching(patches))


class _Patching(importlib.abc.MetaPathFinder):
    """Finds some modules as the others would, and patches them once they are loaded."""

    def __init__(self, patches: Dict[str, Callable[[Any], None]]) -> None:
        self._patches = patches

    def find_spec(self, name: str, path: Any, target: Any = None) -> Any:
        """Return what the other finders find, with a patch to come."""
        patch = self._patches.pop(name, None)
        spec = None if patch is None else importlib.util.find_spec(name)
        if spec is None or spec.loader is None or patch is None:
            return None
        load: Any = spec.loader.exec_module

        def load_and_patch(module: Any) -> None:
            load(module)
            patch(module)

        spec.loader.exec_module = load_and_patch  # type: ignore[method-assign]
        return spec


def _count_cores(module: Any) -> None:
    """Answer what loky asks a program once, and remembers; no change, since the answer is the same."""
    if getattr(module, "physical_cores_cache", 0) is not None:
        return
    cores = set()
    for folder in glob.glob("/sys/devices/system/cpu/cpu[0-9]*/topology"):
        try:
            with open(folder + "/physical_package_id") as package, open(folder + "/core_id") as core:
                cores.add((package.read(), core.read()))
        except OSError:
            return
    if cores:
        module.physical_cores_cache = len(cores)


def _note(changed: List[str], words: str) -> None:
    if words not in changed:
        changed.append(words)


def _run_in_sequence(module: Any, changed: List[str]) -> None:
    parallel = module.Parallel
    initialize = parallel._initialize_backend

    def replaced(self: Any, *arguments: Any, **named: Any) -> Any:
        backend = self._backend
        is_alone = getattr(backend, "supports_sharedmem", False) or backend.effective_n_jobs(self.n_jobs) == 1
        if not is_alone:
            _note(changed, _JOBLIB)
            self._backend = module.SequentialBackend(nesting_level=backend.nesting_level)
            self._backend.parallel = self
            self.n_jobs = 1
        return initialize(self, *arguments, **named)

    parallel._initialize_backend = replaced


def _load_alone(module: Any, changed: List[str]) -> None:
    loader = module.DataLoader
    iterator_of = loader._get_iterator

    def replaced(self: Any) -> Any:
        if self.num_workers == 0:
            return iterator_of(self)
        _note(changed, _LOADER)
        workers, timeout = self.num_workers, self.timeout
        self.num_workers, self.timeout = 0, 0
        try:
            return iterator_of(self)
        finally:
            self.num_workers, self.timeout = workers, timeout

    loader._get_iterator = replaced
