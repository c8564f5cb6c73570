"""A notebook's kernel as a frontend sees it: cells go in, their outputs come out."""

import sys
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from command_line import CHECKOUT
from jupyter_client.kernelspec import KernelSpec

from crane_agent.session.channel import Channel
from crane_agent.session.process import KernelProcess

LIMIT_S = 120


@dataclass
class Ran:
    """What a cell gave back.

    Attributes:
        status: `ok` or `error`.
        number: Its execution count.
        outputs: What it displayed, by MIME type, as it stands at the end: an update takes the place of what it updates.
        updates: How often an output was replaced.
        text: What it printed, both streams.
        error: Class and message of its exception, and the traceback as it is shown.
        next_input: The text put into the next cell.
    """

    status: str = ""
    number: int = 0
    outputs: list[dict[str, str]] = field(default_factory=list)
    updates: int = 0
    text: str = ""
    error: str = ""
    next_input: str = ""

    @property
    def card(self) -> dict[str, str]:
        """The only output, a card."""
        [found] = self.outputs
        return found

    @property
    def traceback(self) -> str:
        """The traceback of its exception."""
        return self.error


class NotebookKernel:
    """A kernel with the checkout on its path, with a home of its own."""

    def __init__(self, folder: Path, cleanup: ExitStack, *, python: str = sys.executable, **env: str) -> None:
        home = folder / "home"
        home.mkdir()
        own = {"HOME": str(home), "XDG_CONFIG_HOME": str(home / "config"), "PYTHONPATH": str(CHECKOUT)}
        spec = KernelSpec(argv=[python, "-m", "ipykernel_launcher", "-f", "{connection_file}"], language="python")
        files = Path(cleanup.enter_context(TemporaryDirectory()))
        work = folder / "work"
        work.mkdir()
        self.folder = work
        self._process = KernelProcess(spec, files, cwd=work, env={**own, **env})
        cleanup.callback(self._process.end)
        self._client = self._process.connect()
        self._process.await_start(Channel(self._process.connect(), alive=self._process.is_alive), limit_s=60)
        self._client.start_channels(stdin=False, hb=False)
        cleanup.callback(self._client.stop_channels)
        self.run("pass")

    def run(self, code: str, *, status: str | None = "ok") -> Ran:
        """Run a cell as a notebook does, and return what it gave; it must end with this status."""
        asked = self._client.execute(code, allow_stdin=False, stop_on_error=False)
        ran, places = Ran(), {}
        while True:
            message = self._client.get_iopub_msg(timeout=LIMIT_S)
            if message["parent_header"].get("msg_id") != asked:
                continue
            kind, content = message["msg_type"], message["content"]
            if kind == "status" and content["execution_state"] == "idle":
                break
            self._take(ran, places, kind, content)
        while (reply := self._client.get_shell_msg(timeout=LIMIT_S))["parent_header"]["msg_id"] != asked:
            pass
        ran.status, ran.number = reply["content"]["status"], reply["content"]["execution_count"]
        for payload in reply["content"].get("payload", ()):
            if payload["source"] == "set_next_input":
                ran.next_input = payload["text"]
        assert status in (None, ran.status), ran.error or ran.text
        return ran

    def execute(self, code: str, *, limit_s: float) -> Ran:
        """Run a cell, as `fingerprint.Watch` wants it."""
        return self.run(code, status=None)

    def value(self, expression: str) -> object:
        """Return the value of an expression, which is a literal, by a silent execution that is no cell."""
        import ast

        asked = self._client.execute("", silent=True, user_expressions={"value": expression})
        while (reply := self._client.get_shell_msg(timeout=LIMIT_S))["parent_header"]["msg_id"] != asked:
            pass
        return ast.literal_eval(reply["content"]["user_expressions"]["value"]["data"]["text/plain"])

    def load(self) -> None:
        """Load the extension."""
        self.run("%load_ext crane_agent")

    @staticmethod
    def _take(ran, places, kind, content):
        if kind == "stream":
            ran.text += content["text"]
        elif kind == "error":
            ran.error = "\n".join([f"{content['ename']}: {content['evalue']}", *content["traceback"]])
        elif kind in ("display_data", "execute_result"):
            places[content.get("transient", {}).get("display_id")] = len(ran.outputs)
            ran.outputs.append(content["data"])
        elif kind == "update_display_data":
            ran.outputs[places[content["transient"]["display_id"]]] = content["data"]
            ran.updates += 1
