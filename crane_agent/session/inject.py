"""What is sent into a kernel: the sources of `crane_agent.in_kernel`, and the one expression that installs them."""

import hashlib
import json
import zlib
from base64 import b85encode
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable  # not before Python 3.11

# Reached without looking any name up, since the user may have bound `exec` or `__import__` to something else:
# the globals of the function that copies a list are those of `copyreg`, a module of the standard library.
_BUILTINS = "[].__reduce_ex__(2)[0].__globals__['__builtins__']"

_EXPRESSION = (
    "(lambda found: (lambda space: (space['__builtins__']['exec'](space['loader'], space), space['outcome'])[1])"
    "({{'__builtins__': found if found.__class__ is {{}}.__class__ else found.__dict__, "
    "'loader': {loader!r}, 'payload': {payload!r}, 'client': {client!r}, 'lease_s': {lease_s!r}}}))(" + _BUILTINS + ")"
)

# Every error is caught: one that left the expression would make IPython set sys.last_type and its kin.
_LOADER = """
import base64, json, sys, zlib
try:
    if sys.version_info < (3, 8):
        raise RuntimeError('it runs Python %d.%d, and 3.8 is the oldest that can be asked' % sys.version_info[:2])
    bundle = json.loads(zlib.decompress(base64.b85decode(payload)).decode())
    boot = {'__builtins__': __builtins__, '__name__': 'crane_agent.in_kernel.boot'}
    exec(compile(bundle['sources']['boot'], '<crane_agent>/in_kernel/boot.py', 'exec'), boot)
    kernel = getattr(sys.modules['IPython'].get_ipython(), 'kernel', None)
    outcome = boot['start'](bundle['sources'], bundle['digest'], kernel, client, lease_s)
except BaseException as error:
    outcome = type(error).__name__ + ': ' + str(error)
"""


@cache
def package_sources() -> Mapping[str, str]:
    """Return the text of every module of `crane_agent.in_kernel`: ``safe``, ``probes``, ``probes.frames`` ..."""
    return dict(sorted(_modules(files("crane_agent.in_kernel"), ())))


def _modules(folder: "Traversable", path: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for entry in folder.iterdir():
        stem, dot, suffix = entry.name.rpartition(".")
        if entry.is_dir():
            yield from _modules(entry, (*path, entry.name))
        elif dot and suffix == "py" and (stem != "__init__" or path):
            parts = path if stem == "__init__" else (*path, stem)
            yield ".".join(parts), entry.read_text(encoding="utf-8")


def digest_of(sources: Mapping[str, str]) -> str:
    """Return the name of these sources: the same text has the same digest."""
    return hashlib.sha256(json.dumps(sorted(sources.items())).encode()).hexdigest()[:16]


def bootstrap(sources: Mapping[str, str], *, client: str, lease_s: float) -> str:
    """Return an expression that installs `sources` where it is evaluated; its value is ``ready`` or what went wrong.

    It must be evaluated once in an idle kernel, as a user expression. It reads no name of the user's and binds none.

    Args:
        sources: Text of the modules by name.
        client: Identity of the one who installs them: the session that its messages name.
        lease_s: Time after which the kernel forgets that client if it asks nothing [seconds].
    """
    bundle = json.dumps({"sources": dict(sources), "digest": digest_of(sources)})
    payload = b85encode(zlib.compress(bundle.encode(), level=9)).decode("ascii")
    return _EXPRESSION.format(loader=_LOADER, payload=payload, client=client, lease_s=float(lease_s))
