"""Installed once in the user's kernel: takes requests on the control channel, answers from a thread of its own.

`start` is all the tool calls. It loads the other modules of this package from their sources, without a name in
`sys.modules` or in the user's namespace, and registers one handler of control messages, whose type ends with the digest
of these sources. From then on

    control thread   receives a request and queues it; sends replies; watches the time
    worker thread    runs `entry.answer`, one request at a time

so the main thread, where the user's cells run, is never used. Two things end a question that overruns its limit. If
it is in Python code, `Deadline` is raised inside it. If it is in C code that cannot be interrupted, its worker is
left behind and another one takes its place, at most `MOST_ABANDONED` times. No signal and no interrupt is used:
those would hit the user's cell.

Clients come and go. Whoever asks is a client until the lease that its request names has passed, or until it detaches;
without clients the service removes itself. So a client that was killed leaves nothing for long. The kernel's replies to
`connect_request` name the service, since they hold what is in the kernel's record of its ports: a client can see
whether it is there without sending a message that the kernel may not know, which would be an error in its log.
"""

import builtins
import ctypes
import os
import queue
import sys
import threading
import time
import types
from typing import Any, Dict, List, Optional, Sequence

PACKAGE = "crane_agent.in_kernel"
FILENAME = "<crane_agent>/in_kernel/{}.py"

GRACE_S = 0.25
"""Time a question gets beyond its own limit before it is ended [seconds]."""

ABANDON_AFTER_S = 0.5
"""Time between `Deadline` and giving a worker up [seconds]."""

MOST_ABANDONED = 3
"""Workers left behind before every further question is refused."""

LEASE_S = 300.0
"""Time after which a client is forgotten whose requests do not say [seconds]."""


class Deadline(BaseException):
    """Raised inside a question that overran its limit; no `except Exception` on the way may swallow it."""


class Importer:
    """Imports modules from source text, for themselves only: nothing is added to `sys.modules`."""

    def __init__(self, sources: Dict[str, str]) -> None:
        """Take the sources by name: ``safe``, ``probes.frames``; ``probes`` is the text of its ``__init__``."""
        self._sources = sources
        self._modules: Dict[str, Any] = {"": types.ModuleType(PACKAGE)}
        self._builtins = dict(vars(builtins))
        self._builtins["__import__"] = self._import

    def load(self, name: str) -> Any:
        """Return the module called `name`, run once.

        Raises:
            ImportError: There is no such source.
        """
        if name in self._modules:
            return self._modules[name]
        if name not in self._sources:
            raise ImportError("no module named " + repr(name))
        parent, _, child = name.rpartition(".")
        package = self.load(parent)
        module = types.ModuleType(PACKAGE + "." + name)
        module.__dict__.update(
            __builtins__=self._builtins,
            __file__=FILENAME.format(name.replace(".", "/")),
            __package__=PACKAGE + ("." + name if self._is_package(name) else "." + parent if parent else ""),
        )
        self._modules[name] = module
        # There before it has run, so that two modules may import each other.
        package.__dict__[child] = module
        code = compile(self._sources[name], module.__dict__["__file__"], "exec", dont_inherit=True)
        try:
            exec(code, module.__dict__)
        except BaseException:
            del self._modules[name], package.__dict__[child]
            raise
        return module

    def _is_package(self, name: str) -> bool:
        return any(other.startswith(name + ".") for other in self._sources)

    def _import(
        self,
        name: str,
        globals: Optional[Dict[str, Any]] = None,
        locals: Optional[Dict[str, Any]] = None,
        fromlist: Optional[Sequence[str]] = (),
        level: int = 0,
    ) -> Any:
        """Stand in for ``__import__`` in our modules: relative imports are ours, all others Python's own."""
        if level == 0 or globals is None:
            return builtins.__import__(name, globals, locals, fromlist or (), level)
        parts: List[str] = globals["__package__"][len(PACKAGE) + 1 :].split(".")
        base = ".".join(parts[: len(parts) - (level - 1)])
        full = ".".join(part for part in (base, name) if part)
        module = self.load(full)
        for child in fromlist or ():
            path = full + "." + child if full else child
            if child not in module.__dict__ and path in self._sources:
                self.load(path)
        return module


class Job:
    """One request on its way: queued, being answered, replied to."""

    def __init__(self, ident: Any, parent: Any, request: Dict[str, Any], text: str, limit_s: float) -> None:
        self.ident = ident
        self.parent = parent
        self.request = request
        self.text = text
        self.limit_s = limit_s
        self.timer: Any = None
        self.struck = False
        self.left = False
        self._first = threading.Lock()

    def claim(self) -> bool:
        """Return True to the first caller only: the worker with an answer, or the watchdog at the deadline."""
        return self._first.acquire(blocking=False)


class Worker(threading.Thread):
    """Answers jobs one after the other until it is told to stop or is abandoned."""

    def __init__(self, service: "Service") -> None:
        super().__init__(name="crane_agent", daemon=True)
        self.abandoned = False
        self._service = service

    def run(self) -> None:
        """Take jobs from the queue; None is the order to stop."""
        while not self.abandoned:
            job = self._service.jobs.get()
            if job is None:
                return
            self._work(job)
            del job

    def _work(self, job: Job) -> None:
        # The watchdog raises Deadline here only after it claimed the job, and then exactly once. So whoever
        # loses the claim waits for it, and it can never arrive in the next job or in the queue.
        try:
            self._service.watch(job, self)
            text = self._service.answer(job)
            if job.claim():
                job.left = True
                self._service.reply(job, text)
                return
            while not job.struck:
                time.sleep(0.001)
            time.sleep(0.001)
        except Deadline:
            pass
        job.left = True


class Service:
    """The handler of our control messages, its worker and its watchdog, one per version of our sources.

    Attributes:
        jobs: Requests waiting for the worker; None ends a worker.
    """

    def __init__(self, importer: Importer, digest: str, kernel: Any) -> None:
        self.jobs: "queue.SimpleQueue[Optional[Job]]" = queue.SimpleQueue()
        self._wire = importer.load("wire")
        self._entry = importer.load("entry")
        self._moment = importer.load("moment").moment
        self._digest = digest
        self._name = self._wire.REQUEST_TYPE + "_" + digest
        self._kernel = kernel
        self._loop = kernel.control_thread.io_loop
        self._stream: Any = None
        self._abandoned = 0
        self._clients: Dict[str, float] = {}
        self._next_end: Any = None
        self._retired = False

    def install(self, client: str, lease_s: float) -> None:
        """Register the handler and start the worker; runs in the main thread, once."""
        self._clients[client] = time.monotonic() + lease_s
        Worker(self).start()
        self._kernel.control_handlers[self._name] = self.receive
        self._kernel._recorded_ports[self._name] = self._wire.PROTOCOL
        self._loop.add_callback(self._watch_leases)

    def join(self, client: str, lease_s: float) -> None:
        """Take a client; from any thread. It comes too late if the service is just retiring."""
        self._loop.add_callback(self._renew, client, lease_s)

    # In the control thread.

    def receive(self, stream: Any, ident: Any, parent: Dict[str, Any]) -> None:
        """Handle one message of type `wire.REQUEST_TYPE`; the signature is the kernel's."""
        self._stream = stream
        text = parent["content"]["text"]
        try:
            request = self._wire.loads(text)
        except ValueError:
            request = {}  # `entry.answer` says what is wrong with it
        if type(request) is not dict:
            request = {}
        job = Job(ident, parent, request, text, self._limit_s(request))
        client = parent["header"]["session"]
        ask = request.get("ask")
        if request.get("kernel", self._kernel.session.session) != self._kernel.session.session:
            self._send(job, self._refusal("the kernel was restarted"))
            return
        if ask == "detach":
            self._detach(job, client)
            return
        self._renew(client, _seconds(request.get("lease_s"), LEASE_S))
        if ask == "ping":
            self._send(job, self._ok(self._describe()))
        elif self._abandoned < MOST_ABANDONED:
            self.jobs.put(job)
        else:
            self._send(job, self._refusal(self._why_never()))

    def _limit_s(self, request: Dict[str, Any]) -> float:
        limits = request.get("limits")
        return _seconds(limits.get("seconds") if type(limits) is dict else None, self._wire.DEFAULT_LIMITS["seconds"])

    def _renew(self, client: str, lease_s: float) -> None:
        self._clients[client] = time.monotonic() + lease_s
        self._watch_leases()

    def _detach(self, job: Job, client: str) -> None:
        self._clients.pop(client, None)
        self._send(job, self._ok({"clients": len(self._clients)}))
        self._watch_leases()

    def _watch_leases(self) -> None:
        """Forget the clients whose lease has passed, and come back when the next one will have; retire without any."""
        if self._next_end is not None:
            self._loop.remove_timeout(self._next_end)
            self._next_end = None
        if self._retired:
            return
        now = time.monotonic()
        self._clients = {client: ends for client, ends in self._clients.items() if ends > now}
        if self._clients:
            self._next_end = self._loop.call_later(min(self._clients.values()) - now, self._watch_leases)
        else:
            self._retire()

    def _retire(self) -> None:
        self._retired = True
        self._kernel._recorded_ports.pop(self._name, None)
        self._kernel.control_handlers.pop(self._name, None)
        self.jobs.put(None)

    def _why_never(self) -> str:
        return "{} earlier questions are still stuck in the kernel".format(self._abandoned)

    def _describe(self) -> Dict[str, Any]:
        try:
            cwd = os.getcwd()
        except OSError:
            cwd = ""
        return {
            "python": list(sys.version_info[:3]),
            "ipykernel": _version_of("ipykernel"),
            "ipython": _version_of("IPython"),
            "execution_count": self._moment(self._kernel.shell)["cells"],
            "cwd": cwd,
            "pid": os.getpid(),
            "executable": sys.executable or "",
            "digest": self._digest,
            "clients": len(self._clients),
        }

    def _ok(self, answer: Dict[str, Any]) -> str:
        return str(self._wire.dumps(dict(self._moment(self._kernel.shell), status="ok", answer=answer)))

    def _refusal(self, reason: str) -> str:
        reply = {"status": "refused", "reason": "could not look, because " + reason}
        return str(self._wire.dumps(dict(self._moment(self._kernel.shell), **reply)))

    def _send(self, job: Job, text: str) -> None:
        if job.timer is not None:
            self._loop.remove_timeout(job.timer)
        self._kernel.session.send(
            self._stream, self._wire.REPLY_TYPE, {"text": text}, parent=job.parent, ident=job.ident
        )

    def _arm(self, job: Job, worker: Worker) -> None:
        if not job.left:
            job.timer = self._loop.call_later(job.limit_s + GRACE_S, self._strike, job, worker)

    def _strike(self, job: Job, worker: Worker) -> None:
        if not job.claim():
            return
        job.timer = None
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(worker.ident or 0), ctypes.py_object(Deadline))
        job.struck = True
        self._send(job, self._refusal("the limit of {:g} s passed".format(job.limit_s)))
        self._loop.call_later(ABANDON_AFTER_S, self._abandon, job, worker)

    def _abandon(self, job: Job, worker: Worker) -> None:
        if job.left:
            return
        worker.abandoned = True
        self._abandoned += 1
        if self._abandoned < MOST_ABANDONED:
            Worker(self).start()
            return
        while not self.jobs.empty():
            waiting = self.jobs.get()
            if waiting is not None:
                self._send(waiting, self._refusal(self._why_never()))

    # In the worker thread.

    def watch(self, job: Job, worker: Worker) -> None:
        """Ask the control thread to end `job` when its limit has passed."""
        self._loop.add_callback(self._arm, job, worker)

    def answer(self, job: Job) -> str:
        """Return the reply to a request as JSON text."""
        return str(self._entry.answer(job.text, self._kernel.shell))

    def reply(self, job: Job, text: str) -> None:
        """Ask the control thread to send a reply; the socket belongs to that thread."""
        self._loop.add_callback(self._send, job, text)


def _version_of(name: str) -> str:
    module = sys.modules.get(name)
    return str(getattr(module, "__version__", ""))


def _seconds(value: Any, default: float) -> float:
    return float(value if type(value) in (int, float) else default)


def start(sources: Dict[str, str], digest: str, kernel: Any, client: str, lease_s: float) -> str:
    """Install the service in this kernel, or join the one that is there.

    Args:
        sources: Text of every module of this package by name, see `Importer`.
        digest: Names these sources; services with other digests are left alone.
        kernel: The running ipykernel kernel, or None if there is none.
        client: Identity of the first client: the session that its messages name.
        lease_s: How long it may be silent before it is forgotten [seconds].

    Returns:
        ``ready``, or why this kernel cannot be asked.

    Raises:
        Exception: A source does not compile or run in this Python.

    Touches: `kernel.control_handlers`, `kernel._recorded_ports`, one thread, and a timer of the control thread.
    """
    handlers = getattr(kernel, "control_handlers", None)
    if handlers is None:
        return "it is no ipykernel"
    if getattr(kernel, "control_thread", None) is None:
        version = _version_of("ipykernel")
        return "its ipykernel " + version + " has no control thread to answer while a cell runs (6 and later have one)"
    importer = Importer(sources)
    there = getattr(handlers.get(importer.load("wire").REQUEST_TYPE + "_" + digest), "__self__", None)
    if there is None:
        Service(importer, digest, kernel).install(client, lease_s)
    else:
        there.join(client, lease_s)
    return "ready"
