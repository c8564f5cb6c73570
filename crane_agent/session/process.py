"""The process of a kernel that we start: its command, its connection, its end.

`jupyter_client.KernelManager` is not used: it leaves an event loop behind in every thread that asks it whether the
kernel is alive, and logs a traceback for each failure.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import zmq
from jupyter_client.connect import write_connection_file
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.launcher import launch_kernel

from crane_agent.errors import KernelBusy, KernelDied, NoKernel
from crane_agent.session.channel import Channel
from crane_agent.session.connection import Connection

# The kernel's work is no work of the user's: it must not appear in their IPython history.
_NO_HISTORY_FILE = "--HistoryManager.hist_file=:memory:"

_LONGEST_IPC_PATH = 90  # characters; the system's limit is 104 or 108

_WAIT_S = 5.0


class KernelProcess:
    """A kernel that runs on this machine and belongs to us; it also ends itself when our process is gone."""

    def __init__(
        self, spec: KernelSpec, files: Path, *, cwd: Path, env: Mapping[str, str], starter: Sequence[str] = ()
    ) -> None:
        """Start it.

        Should an interrupt come before the caller knows about it, it ends itself when our process does.

        Args:
            spec: Its command and environment.
            files: An empty private folder for its connection and its log; the caller removes it.
            cwd: Its working directory.
            env: Environment variables that it gets in addition to ours.
            starter: A command that starts the kernel's, which follows as its last arguments, in a network of its own.
                Asked to by SIGTERM, it ends when all that it started has ended.

        Raises:
            NoKernel: The command cannot be run, or the path of `files` is too long for what is in another network.
        """
        self._name = spec.display_name
        self._log = files / "kernel.log"
        self._connection_file = str(files / "connection.json")
        # Sockets in our own folder: no port that another process may take first, and no other user can connect.
        path = str(files / "socket")
        is_ipc = os.name == "posix" and len(path) < _LONGEST_IPC_PATH
        if starter and not is_ipc:
            raise NoKernel(f"the path of its sockets is too long: {path}")
        write_connection_file(
            self._connection_file,
            key=os.urandom(32).hex().encode(),
            transport="ipc" if is_ipc else "tcp",
            ip=path if is_ipc else "",
        )
        command = self._command(spec)
        if shutil.which(os.path.expanduser(command[0])) is None:
            raise NoKernel(f"the kernel {self._name!r} does not start: there is no command {command[0]!r}")
        self._has_starter = bool(starter)
        try:
            with self._log.open("wb") as log:
                self._process: subprocess.Popen[bytes] = launch_kernel(
                    [*starter, *command],
                    stdout=log.fileno(),
                    stderr=log.fileno(),
                    cwd=str(cwd),
                    env={**os.environ, **spec.env, **env},
                )
        except OSError as error:
            raise NoKernel(f"the kernel {self._name!r} does not start: {error}") from None
        self._context = zmq.Context()

    @property
    def pid(self) -> int:
        """Its process id, which is that of its process group, too."""
        return self._process.pid

    def is_alive(self) -> bool:
        """Return whether it has not ended."""
        return self._process.poll() is None

    def connect(self) -> Connection:
        """Return its ports and key; nothing is opened."""
        connection = Connection(connection_file=self._connection_file, context=self._context)
        connection.load_connection_file()
        return connection

    def await_start(self, channel: Channel, *, limit_s: float) -> None:
        """Wait until it answers on a channel.

        Raises:
            NoKernel: It ended, or did not answer by the limit.
        """
        try:
            channel.ping(limit_s=limit_s)
        except KernelDied:
            raise NoKernel(f"the kernel {self._name!r} does not start: {self.last_words()}") from None
        except KernelBusy:
            raise NoKernel(f"the kernel {self._name!r} did not start within {limit_s:g} s") from None

    def last_words(self) -> str:
        """Return the last line of what the process itself wrote, which says why it did not start."""
        lines = [line.strip() for line in self._log.read_text(errors="replace").splitlines()]
        lines = [line for line in lines if line and "WARNING" not in line]
        return lines[-1] if lines else "it ended without a word"

    def end(self) -> None:
        """Kill it and every process it started, and wait until it is gone."""
        if self._has_starter:
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_WAIT_S)
        if os.name == "posix":
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
        else:
            self._process.kill()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_WAIT_S)
        self._context.destroy(linger=0)

    def _command(self, spec: KernelSpec) -> list[str]:
        command = list(spec.argv)
        if re.fullmatch(r"python(3(\.\d+)?)?", command[0]):
            command[0] = sys.executable  # as Jupyter does: our environment need not be on the PATH
        if any("ipykernel" in word for word in command):
            command.append(_NO_HISTORY_FILE)
        places = {
            "{connection_file}": self._connection_file,
            "{prefix}": sys.prefix,
            "{resource_dir}": spec.resource_dir,
        }
        return [re.sub(r"\{\w+\}", lambda found: places.get(found[0], found[0]), word) for word in command]
