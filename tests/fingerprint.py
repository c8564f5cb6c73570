"""A fingerprint of a kernel's state, taken inside the kernel, and tripwires for what a probe does meanwhile.

An execute request is itself a trace, so the kernel is watched past its channels: one setup cell (`Watch.__init__`)
starts an `Observer` on a thread of its own that listens on a unix socket. Asked for the changes, it takes a new
fingerprint and returns what differs from the one before. It reads the user's objects as the garbage collector does,
`gc.get_referents`, and a few exact types by their own C functions, so that it runs no user code either.

The setup must run before our modules are installed: it makes `sys.setprofile` record each function that our worker
thread calls, and an audit hook records what that thread opens, imports, compiles, connects to.

This file runs on both sides: in the kernel as text, without a place in `sys.modules`.
"""

import array
import functools
import gc
import hashlib
import itertools
import json
import operator
import os
import random
import signal
import socket
import sys
import threading
import types
import weakref
import zlib

WORKER = "crane_agent"
OURS = "<crane_agent>"
MOST_NODES = 400_000
MOST_BYTES = 16_000_000
MOST_ELEMENTS = 1000
MOST_RECORDED = 2000

# Nothing is opened, loaded or run by these.
HARMLESS_EVENTS = frozenset(
    (
        "builtins.id",
        "code.__new__",
        "function.__new__",
        "gc.get_referents",
        "object.__getattr__",
        "object.__setattr__",
        "sys._current_frames",
        "sys._getframe",
        # Of this observer: a worker that starts is taken over, and one whose time ends in the middle of that is let go.
        "sys.setprofile",
    )
)

# Packages whose code a probe may run: ours needs them, or a probe's manual names the calls.
LIBRARIES = frozenset(
    (
        *("IPython", "abc", "ast", "asyncio", "codecs", "collections", "contextlib", "dis", "encodings", "enum"),
        *("genericpath", "importlib", "inspect", "json", "numpy", "os", "pandas", "posixpath", "queue", "re", "shutil"),
        "pyarrow",  # pandas' own, for columns of text
        *("sre_compile", "sre_parse", "threading", "torch", "tornado", "traitlets", "types", "typing"),
        # What the checker has libraries do, and what these lean on.
        *("_strptime", "calendar", "copy", "copyreg", "datetime", "dateutil", "decimal", "functools", "joblib"),
        *(
            "linecache",
            "locale",
            "matplotlib",
            "numbers",
            "operator",
            "pathlib",
            "random",
            "scipy",
            "seaborn",
            "sklearn",
        ),
        *("statistics", "string", "textwrap", "warnings", "weakref", "zoneinfo"),
    )
)


class Watch:
    """The host's end: asks the observer in a kernel."""

    def __init__(self, channel, folder):
        """Start the observer in an idle kernel, before our modules are installed there."""
        self._path = os.path.join(str(folder), "observer")
        with open(__file__) as file:
            source = file.read()
        code = (
            f"(lambda space: (exec(compile({source!r}, 'observer.py', 'exec'), space), "
            f"space['start']({self._path!r}, get_ipython())))({{'__name__': 'observer'}})[1]"
        )
        reply = channel.execute(code, limit_s=30)
        assert reply.status == "ok", reply.traceback

    def changes(self):
        """Return what changed in the kernel since the last call, as lines of text."""
        return self._ask("changes")

    def forget(self):
        """Let go of the objects that the last fingerprint is about."""
        self._ask("forget")

    def start(self):
        """Forget what was recorded, and take the state as it is now for unchanged."""
        self._ask("changes")
        self._ask("events")
        self._ask("calls")

    def events(self):
        """Return the audit events that our worker thread raised since the last call."""
        return self._ask("events")

    def calls(self):
        """Return the functions outside our modules and `LIBRARIES` that our worker ran since the last call.

        Each is ``file:function``.
        """
        return self._ask("calls")

    def worker_calls(self):
        """Return how many calls of any function our worker made since the last call."""
        return self._ask("count")

    def _ask(self, word):
        with socket.socket(socket.AF_UNIX) as link:
            link.settimeout(60)
            link.connect(self._path)
            link.sendall(word.encode() + b"\n")
            with link.makefile() as answer:
                found = json.loads(answer.read())
        assert "answer" in found, found
        return found["answer"]


# -- In the kernel ----------------------------------------------------------------------------------------------------


def start(path, shell):
    """Start the observer on its thread, and the tripwires."""
    Observer(path, shell).start()


class Observer(threading.Thread):
    """Answers one word per connection."""

    def __init__(self, path, shell):
        super().__init__(name="observer", daemon=True)
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(path)
        self._server.listen()
        self._shell = shell
        self._before = None
        self._events = []
        self._calls = {}
        self._count = 0
        # The worker starts later, and takes this over; no other thread that starts meanwhile is recorded.
        threading.setprofile(self._on_call)
        sys.addaudithook(self._on_event)

    def run(self):
        """Serve."""
        global _OWN_CONNECTION  # noqa: PLW0603 - one observer in a process
        sys.setprofile(None)
        while True:
            link, _ = self._server.accept()
            _OWN_CONNECTION = str(link.fileno())
            with link, link.makefile("rw") as file:
                word = file.readline().strip()
                try:
                    answer = {"answer": getattr(self, "_say_" + word)()}
                except Exception as error:  # noqa: BLE001 - told to the test
                    answer = {"fault": repr(error), "lines": _lines(error)}
                file.write(json.dumps(answer))

    def _say_changes(self):
        now = Fingerprint(self._shell, self).take()
        before, self._before = self._before, now
        return [] if before is None else now.differences(before)

    def _say_forget(self):
        self._before = None

    def _say_events(self):
        found, self._events = self._events, []
        return found

    def _say_calls(self):
        found, self._calls = self._calls, {}
        return sorted(found)

    def _say_count(self):
        found, self._count = self._count, 0
        return found

    def _on_event(self, event, arguments):
        if event in HARMLESS_EVENTS:
            return
        thread = threading._active.get(threading.get_ident())
        if thread is not None and thread.name == WORKER and len(self._events) < MOST_RECORDED:
            shown = [each if type(each) in (str, int) else type(each).__name__ for each in arguments]
            self._events.append(f"{event} {shown}"[:300])

    def _on_call(self, frame, event, argument):
        thread = threading._active.get(threading.get_ident())
        is_worker = thread is not None and thread.name == WORKER
        sys.setprofile(self._on_worker_call if is_worker else None)

    def _on_worker_call(self, frame, event, argument):
        if event != "call":
            return
        self._count += 1
        code = frame.f_code
        if code.co_filename.startswith(OURS) or len(self._calls) >= MOST_RECORDED:
            return
        home = frame.f_globals.get("__name__", "")
        # What the standard library makes of a text for named tuples and data classes.
        if code.co_filename == "<string>" and (home.startswith("namedtuple_") or home.partition(".")[0] in LIBRARIES):
            return
        # numpy's own wrappers before 1.25, and what ipykernel 6 has the garbage collector call in any thread.
        if code.co_filename == "<__array_function__ internals>" or home == "ipykernel.ipkernel":
            return
        if home.partition(".")[0] in LIBRARIES and code.co_filename.startswith(
            (sys.prefix, sys.base_prefix, "<frozen ")
        ):
            return
        self._calls[f"{code.co_filename}:{code.co_name}"] = None


def _lines(error):
    found, trace = [], error.__traceback__
    while trace is not None:
        found.append(f"{trace.tb_frame.f_code.co_name}:{trace.tb_lineno}")
        trace = trace.tb_next
    return found


class Fingerprint:
    """The state of a kernel at one moment: records by place, and the objects they are about."""

    def __init__(self, shell, observer):
        self._shell = shell
        self._observer = observer
        self.records = {}
        # Kept alive until the next fingerprint, so that no address is used again in between.
        self._seen = {}

    def take(self):
        """Read everything."""
        for place, read in _GLOBALS.items():
            self.records[place] = _text(read(self._shell))
        self._walk_names()
        return self

    def differences(self, before):
        """Return what differs from an earlier fingerprint, as lines of text."""
        found = []
        for place in dict.fromkeys([*before.records, *self.records]):
            old, new = before.records.get(place), self.records.get(place)
            if old != new:
                found.extend(_difference(place, old, new))
        return found[:MOST_RECORDED]

    def take_names(self):
        """Read what the user's names lead to, and nothing else."""
        self._walk_names()
        return self

    def _walk_names(self):
        names = self._shell.user_ns
        self.records["names"] = _text(
            [(_key(name), _identity(value), _name(type(value))) for name, value in names.items()]
        )
        self._seen[_identity(names)] = names
        for name, value in list(names.items()):
            lines = []
            self._walk(value, lines)
            self.records[f"name {_key(name)}"] = lines

    def _walk(self, value, lines):
        waiting = [value]
        while waiting and len(self._seen) < MOST_NODES:
            value = waiting.pop()
            if _identity(value) in self._seen or _identity(type(value)) in _LEAF_KINDS:
                continue
            self._seen[_identity(value)] = value
            lines.append(f"{_name(type(value))} {_state(value)}")
            parts = list(_parts(value))
            kinds = map(_LEAF_KINDS.__contains__, map(_identity, map(type, parts)))
            waiting.extend(reversed(list(itertools.compress(parts, map(operator.not_, kinds)))))


def _difference(place, old, new):
    if type(old) is not list or type(new) is not list:
        return [f"{place}: {_cut(old, new)}"]
    changed = [(a, b) for a, b in zip(old, new) if a != b][:3]  # noqa: B905 - for old Pythons, too
    if not changed:
        changed = [(f"{len(old)} objects", f"{len(new)} objects")]
    return [f"{place}: {_cut(a, b)}" for a, b in changed]


def _cut(old, new):
    old, new = str(old), str(new)
    equal = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(old, new))  # noqa: B905
    start = max(0, sum(1 for _ in equal) - 40)
    return f"{old[start : start + 160]!r} -> {new[start : start + 160]!r}"


def _text(value):
    return value if type(value) is str else repr(value)


# Objects without parts that change, or whose parts belong to everybody.
_LEAVES = (
    *(int, float, complex, bool, str, bytes, type(None), type(...), range, slice, types.CodeType, types.FrameType),
    *(types.BuiltinFunctionType, type(str.join), type(object.__init__), type(dict.__dict__["fromkeys"])),
    *(types.GetSetDescriptorType, types.MemberDescriptorType, weakref.ref),
)

_LEAF_KINDS = frozenset(map(object.__hash__, _LEAVES))

# As good as `id`, which every call of would tell the audit hook.
_identity = object.__hash__

_DICT = type.__dict__["__dict__"].__get__
_MRO = type.__dict__["__mro__"].__get__
_NAME = type.__dict__["__name__"].__get__
_MODULE = type.__dict__["__module__"].__get__


def _name(kind):
    return str(_NAME(kind))


def _inherits(kind, base):
    return base is not None and any(each is base for each in _MRO(kind))


def _loaded(module, name):
    return vars(sys.modules[module]).get(name) if module in sys.modules else None


def _home(kind):
    try:
        module = _MODULE(kind)
    except AttributeError:
        return ""
    return module if type(module) is str else ""


def _own(value):
    """Return the dictionary of an instance, None if it has none; reading it makes it a dictionary once and for all."""
    for base in _MRO(type(value)):
        entry = _DICT(base).get("__dict__")
        if type(entry) is types.GetSetDescriptorType:
            return entry.__get__(value, type(value))
    return None


def _parts(value):
    """Return the objects that belong to `value`, in order."""
    kind = type(value)
    if kind is types.ModuleType:
        return []
    if _inherits(kind, types.ModuleType):
        return [_own(value)]
    if _inherits(kind, type):
        return [] if _is_of_library(value) else list(_DICT(value).values())
    if kind is types.FunctionType:
        return [value.__defaults__, value.__kwdefaults__, value.__closure__, value.__dict__]
    if _home(kind) == "pandas._libs.internals" and _NAME(kind) == "BlockPlacement":
        return []
    if kind is types.MethodType:
        return [value.__self__, value.__func__]
    if _inherits(kind, threading.Thread) or _home(kind).partition(".")[0] in ("IPython", "ipykernel", "traitlets"):
        return []
    if _inherits(kind, _loaded("numpy", "ndarray")):
        # The garbage collector is not told of what an array holds.
        return [_own(value), *_array_parts(value)]
    own = _own(value)
    referents = [each for each in gc.get_referents(value) if not _inherits(type(each), type)]
    if own is not None and all(each is not own for each in referents):
        referents.insert(0, own)
    return referents


def _array_parts(value):
    numpy = sys.modules["numpy"]
    plain = numpy.ndarray.view(value, numpy.ndarray)
    elements = plain.flat[:MOST_ELEMENTS].tolist() if plain.dtype == object else []
    return [plain.base, *elements]


def _is_of_library(cls):
    module = sys.modules.get(_home(cls))
    home = vars(module).get("__file__") if type(module) is types.ModuleType else None
    return type(home) is str and home.startswith((sys.prefix, sys.base_prefix))


def _state(value):
    """Return what there is to say of one object beside its parts, and the identities of the parts in order."""
    kind = type(value)
    extra = ""
    for test, read in _STATES:
        if test(kind):
            extra = read(value)
            break
    return f"{extra} {_identities(value)}"


def _identities(value):
    kind = type(value)
    if _inherits(kind, type):
        return _digest([(_key(name), _identity(each)) for name, each in _DICT(value).items()])
    if kind is types.ModuleType:
        return _digest([(_key(name), _identity(each)) for name, each in vars(value).items()])
    if _home(kind) == "pandas._libs.internals" and _NAME(kind) == "BlockPlacement":
        return ""  # the same places as a slice or an array, whichever was asked for
    if kind is list and value and all(type(each) is weakref.ref for each in value):
        # pandas notes the views of its data so, and throws the dead notes away now and then.
        return str(sum(each() is not None for each in value))
    if _inherits(kind, dict):
        keys, values = list(dict.keys(value)), list(dict.values(value))
        return f"{len(keys)} {_digest_of_ids(keys)} {_digest_of_ids(values)}"
    own = _own(value)
    return _digest_of_ids([each for each in gc.get_referents(value) if each is not own])


def _digest_of_ids(values):
    return hashlib.blake2b(array.array("q", map(_identity, values)).tobytes(), digest_size=8).hexdigest()


def _digest(value):
    return hashlib.blake2b(repr(value).encode(), digest_size=8).hexdigest()


def _array_state(value):
    numpy = sys.modules["numpy"]
    plain = numpy.ndarray.view(value, numpy.ndarray)  # past the methods of a subclass
    flags = [plain.flags[each] for each in ("C", "F", "O", "W", "A", "X")]
    return f"{plain.shape} {plain.strides} {plain.dtype} {flags} {_checksum(plain, numpy)}"


def _checksum(plain, numpy):
    """Return a checksum of an array's bytes: of all, or of the two ends and a sample between them."""
    whole = plain.flags.c_contiguous and plain.ndim and plain.size and not plain.dtype.hasobject
    if not whole:
        return zlib.crc32(plain.tobytes())
    data = plain.reshape(-1).view(numpy.uint8)
    if data.size <= MOST_BYTES:
        return zlib.crc32(data)
    ends = zlib.crc32(data[: MOST_BYTES // 4]), zlib.crc32(data[-MOST_BYTES // 4 :])
    return (*ends, zlib.crc32(data[:: data.size // 50_000].copy()))


def _tensor_state(value):
    torch = sys.modules["torch"]
    with torch._C.DisableTorchFunctionSubclass():
        grad = torch._C.TensorBase.grad.__get__(value)
        if _inherits(type(value), _loaded("torch.nn.parameter", "UninitializedTensorMixin")):
            return f"v{value._version} {value.requires_grad}"
        head = f"v{value._version} {value.requires_grad} {_identity(grad)} {value.dtype} {value.layout}"
        if value.is_nested or value.layout is not torch.strided:
            return head
        if value.device.type == "meta":
            return f"{head} {tuple(value.shape)}"
        data = value.detach().cpu().contiguous().numpy()
        return f"{head} {tuple(value.shape)} {_checksum(data, sys.modules['numpy'])}"


def _engine_state(value):
    return f"{value.is_mapping_populated}"


def _manager_state(value):
    names = ("_known_consolidated", "_is_consolidated")
    return str([getattr(value, name, None) for name in names])


def _generator_state(value):
    frame = value.gi_frame
    return f"{value.gi_running} {None if frame is None else (frame.f_lasti, frame.f_lineno)}"


def _iterator_state(value):
    parts = value.__reduce__()
    return str([each if type(each) is int else type(each).__name__ for each in parts[1:]]) + str(
        getattr(value, "__length_hint__", lambda: None)()
    )


def _file_state(value):
    try:
        return str((value.closed, value.closed or not value.seekable() or value.tell()))
    except OSError as error:  # a pipe may say that it can be sought
        return type(error).__name__


def _abc_state(value):
    registry, cache, negative, _ = _loaded("_abc", "_get_dump")(value)
    return f"{len(registry)} {len(cache)} {len(negative)}"


_ITERATORS = tuple(
    map(
        type,
        (iter([]), iter(()), iter(range(0)), iter(""), iter(b""), reversed([]), enumerate([]), iter({}), iter(set())),
    )
)

# How the state of a type that `gc` does not see is read; the first that fits counts.
_STATES = (
    (lambda kind: _inherits(kind, _loaded("numpy", "ndarray")), _array_state),
    (lambda kind: _inherits(kind, _loaded("torch", "Tensor")), _tensor_state),
    (lambda kind: _inherits(kind, _loaded("pandas._libs.index", "IndexEngine")), _engine_state),
    (lambda kind: _inherits(kind, _loaded("pandas.core.internals.managers", "BaseBlockManager")), _manager_state),
    (lambda kind: kind is types.GeneratorType, _generator_state),
    (lambda kind: any(kind is each for each in _ITERATORS), _iterator_state),
    (lambda kind: kind is _loaded("_io", "TextIOWrapper"), _file_state),
    (lambda kind: kind is functools._lru_cache_wrapper, lambda value: str(value.cache_info())),
    (lambda kind: kind is random.Random, lambda value: _digest(value.getstate())),
    (lambda kind: kind is _loaded("numpy.random", "Generator"), lambda value: _digest(value.bit_generator.state)),
    (lambda kind: kind is _loaded("torch", "Generator"), lambda value: _digest(value.get_state().tolist())),
    (lambda kind: kind is _loaded("abc", "ABCMeta"), _abc_state),
)


# -- What is not reached from the user's names ----------------------------------------------------------------------


def _modules(shell):
    return _digest([(name, _identity(module)) for name, module in sys.modules.items()]) + f" {len(sys.modules)}"


def _module_names(shell):
    modules = [(name, module) for name, module in list(sys.modules.items()) if type(module) is types.ModuleType]
    return {name: _hash_of_names(tuple(vars(module))) for name, module in modules if name != "__main__"}


def _hash_of_names(names):
    is_plain = all(map(operator.is_, map(type, names), itertools.repeat(str)))
    return hash(names if is_plain else tuple(map(_key, names)))


def _key(name):
    return name if type(name) is str else _identity(name)


def _randomness(shell):
    found = [random.getstate()]
    if "numpy.random" in sys.modules:
        found.append(sys.modules["numpy.random"].mtrand._rand._bit_generator.state)
    if "torch" in sys.modules:
        found.append(sys.modules["torch"].random.default_generator.get_state().tolist())
    return " ".join(map(_digest, found))


_OWN_CONNECTION = ""
"""The observer's own connection, by its number among the open files."""


def _open_files(shell):
    found = []
    for name in sorted(os.listdir("/proc/self/fd"), key=int):
        try:
            target = os.readlink("/proc/self/fd/" + name)
            with open("/proc/self/fdinfo/" + name) as info:
                place = info.readline().strip()
        except FileNotFoundError:
            continue
        if not target.startswith("/proc/") and "history.sqlite" not in target and name != _OWN_CONNECTION:
            found.append((name, target, place if target.startswith("/") else ""))
    return found


def _children(shell):
    found = []
    for task in os.listdir("/proc/self/task"):
        try:
            with open(f"/proc/self/task/{task}/children") as file:
                found.extend(file.read().split())
        except FileNotFoundError:
            continue
    return sorted(found)


def _warnings(shell):
    warnings = sys.modules["warnings"]
    registries = {
        name: [str(key) for key in vars(module).get("__warningregistry__", ())]
        for name, module in list(sys.modules.items())
        if type(module) is types.ModuleType and "__warningregistry__" in vars(module)
    }
    return (list(map(str, warnings.filters)), _identity(warnings.showwarning), registries)


def _system(shell):
    names = ("last_type", "last_value", "last_traceback", "excepthook", "displayhook", "stdin", "stdout", "stderr")
    found = [_identity(getattr(sys, name, None)) for name in names]
    return (*found, sys.getrecursionlimit(), sys.getswitchinterval(), sys.flags, gc.isenabled(), gc.get_threshold())


def _logging(shell):
    logging = sys.modules["logging"]
    loggers = {"": logging.root, **logging.root.manager.loggerDict}
    return {
        name: (logger.level, list(map(_identity, logger.handlers)), logger.disabled, sorted(logger._cache))
        for name, logger in loggers.items()
        if isinstance(logger, logging.Logger)
    }


def _printing(shell):
    found = {}
    if "numpy" in sys.modules:
        found["numpy"] = str(sorted(sys.modules["numpy"].get_printoptions().items()))
        found["numpy errors"] = str(sys.modules["numpy"].geterr())
    if "pandas" in sys.modules:
        found["pandas"] = str(sys.modules["pandas._config.config"]._global_config)
    if "torch" in sys.modules:
        torch = sys.modules["torch"]
        found["torch"] = str((torch._tensor_str.PRINT_OPTS, torch.get_default_dtype(), torch.get_num_threads()))
    return found


def _figures(shell):
    if "matplotlib" not in sys.modules:
        return ""
    helpers = sys.modules.get("matplotlib._pylab_helpers")
    figures = [] if helpers is None else [(number, _identity(each)) for number, each in helpers.Gcf.figs.items()]
    return (figures, _digest(str(dict.items(sys.modules["matplotlib"].rcParams))))


def _ipython(shell):
    history = shell.history_manager
    return (
        shell.execution_count,
        (
            len(history.input_hist_raw),
            len(history.input_hist_parsed),
            list(history.output_hist),
            history.session_number,
        ),
        {name: list(map(_identity, each)) for name, each in shell.events.callbacks.items()},
        list(map(_identity, shell.payload_manager.read_payload())),
        [(name, _identity(value)) for name, value in shell.user_ns_hidden.items()],
        [(name, _identity(value)) for name, value in vars(shell).items()],
        [(name, _identity(value)) for name, value in shell._trait_values.items() if name != "parent"],
    )


def _folder(shell):
    found = []
    for each in os.scandir("."):
        state = each.stat(follow_symlinks=False)
        found.append((each.name, state.st_mtime_ns, state.st_size))
    return sorted(found)


_GLOBALS = {
    "modules": _modules,
    "names in modules": _module_names,
    "import path": lambda shell: (
        sys.path,
        sorted(sys.path_importer_cache),
        list(map(_identity, sys.meta_path + sys.path_hooks)),
    ),
    "randomness": _randomness,
    "environment": lambda shell: sorted(os.environ.items()),
    "working folder": lambda shell: os.readlink("/proc/self/cwd"),
    "files there": _folder,
    "open files": _open_files,
    "children": _children,
    "threads": lambda shell: sorted(each.name + str(ident) for ident, each in threading._active.items()),
    "signals": lambda shell: [
        (int(each), _identity(signal.getsignal(each))) for each in sorted(signal.valid_signals())
    ],
    "warnings": _warnings,
    "system": _system,
    "builtins": lambda shell: [(name, _identity(value)) for name, value in vars(sys.modules["builtins"]).items()],
    "line cache": lambda shell: sorted(map(str, sys.modules["linecache"].cache)) if "linecache" in sys.modules else "",
    "logging": _logging,
    "printing": _printing,
    "figures": _figures,
    "IPython": _ipython,
}
