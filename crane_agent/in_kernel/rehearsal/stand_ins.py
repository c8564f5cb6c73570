"""What libraries do with other processes is done in the copy's own process, and noted as a change.

Sources: joblib, `Parallel` and its backends; torch, `torch/utils/data/dataloader.py`.
"""

from __future__ import annotations

import sys
from typing import Any, List

_JOBLIB = "joblib's jobs ran one after the other"
_LOADER = "a DataLoader's workers were replaced by its own process"


def put(changed: List[str]) -> None:
    """Replace what would start processes; each use is noted in `changed`, once."""
    for name, replace in (("joblib.parallel", _run_in_sequence), ("torch.utils.data.dataloader", _load_alone)):
        module = sys.modules.get(name)
        if module is not None:
            replace(module, changed)


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
