"""The audit: every byte that left a kernel and every byte sent to a model, in order, in a file of the user's."""

import base64
import json
import os
import threading
import time
from pathlib import Path
from types import TracebackType

from typing_extensions import Self

from crane_agent.errors import ConfigError


class Audit:
    """One run's record: a new file with one JSON object a line.

    Each line has `seconds` since the start, `source` (what was sent, e.g. `kernel control` or `model request`) and the
    bytes: as `text` if they are UTF-8, else in `base64`. A line is in the file before the call returns, so that a
    killed run loses nothing. May be used from several threads.
    """

    def __init__(self, path: Path) -> None:
        """Make the file, readable and writable by its owner alone.

        Raises:
            ConfigError: It exists already, since one file is one run; or it cannot be made.
        """
        self._path = path
        self._started = time.monotonic()
        self._lock = threading.Lock()
        self._size = 0
        try:
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        except FileExistsError:
            raise ConfigError(f"{path}: there is such a file already, and an audit replaces none") from None
        except OSError as error:
            raise ConfigError(f"{path}: the audit cannot be written: {error.strerror}") from None

    def __call__(self, source: str, data: bytes) -> None:
        """Add a line.

        Raises:
            ConfigError: It cannot be written, and nothing may leave unseen.
        """
        with self._lock:
            entry = {"seconds": round(time.monotonic() - self._started, 6), "source": source, **_as_json(data)}
            line = memoryview(json.dumps(entry).encode("ascii") + b"\n")
            self._size += len(line)
            try:
                while line:
                    line = line[os.write(self._file, line) :]
            except OSError as error:
                raise ConfigError(f"{self._path}: the audit cannot be written: {error.strerror}") from None

    def close(self) -> None:
        """Close the file; one without any line is removed. Closing twice is fine."""
        with self._lock:
            if self._file < 0:
                return
            os.close(self._file)
            self._file = -1
            if self._size == 0:
                self._path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _as_json(data: bytes) -> dict[str, str]:
    try:
        return {"text": data.decode("utf-8")}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data).decode("ascii")}
