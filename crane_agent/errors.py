"""Everything that can go wrong in the world, as one exception tree.

    CraneAgentError
    ├── ConfigError            a setting is missing or cannot be used
    ├── NotebookError
    │   ├── NotANotebook       the file cannot be read as a notebook
    │   ├── NoSuchCell         no cell has that index, id or tag
    │   └── NotACodeCell       the target is Markdown or raw text
    ├── KernelError
    │   ├── NoKernel           no kernelspec, no ipykernel, or the kernel does not start
    │   ├── NotAPythonKernel   the notebook names a kernel of another language
    │   ├── KernelDied         the kernel ended while we needed it
    │   ├── KernelRestarted    another process has taken the kernel's place, and its state is gone
    │   ├── KernelBusy         the kernel did not answer by the deadline
    │   ├── CellFailed         an executed cell raised during the replay
    │   └── CellTimeout        an executed cell outlasted its limit during the replay
    └── ModelUnavailable       the model endpoint cannot be used

Each message is one line that a user can act on. A question that cannot be answered safely is no error but a
`refused` reply, and `unknown` is an answer.
"""


class CraneAgentError(Exception):
    """The world failed: no verdict is guessed, the frontend shows the message."""


class ConfigError(CraneAgentError):
    """A setting is missing or cannot be used."""


class NotebookError(CraneAgentError):
    """The notebook, or the cell asked about, cannot be used."""


class NotANotebook(NotebookError):
    """The file cannot be read as a notebook."""


class NoSuchCell(NotebookError):
    """No cell has that index, id or tag."""


class NotACodeCell(NotebookError):
    """The target is Markdown or raw text."""


class KernelError(CraneAgentError):
    """The kernel cannot be started, reached or trusted to go on."""


class NoKernel(KernelError):
    """No kernelspec, no ipykernel in the interpreter, or the kernel does not start."""


class NotAPythonKernel(KernelError):
    """The notebook names a kernel of another language."""


class KernelDied(KernelError):
    """The kernel ended while we needed it."""


class KernelRestarted(KernelError):
    """Another process has taken the kernel's place: the state that was asked about is gone."""


class KernelBusy(KernelError):
    """The kernel did not answer by the deadline."""


class CellFailed(KernelError):
    """An executed cell raised during the replay."""


class CellTimeout(KernelError):
    """An executed cell outlasted its limit during the replay."""


class ModelUnavailable(CraneAgentError):
    """The model endpoint cannot be used."""
