"""The fence's trial says of each layer whether it holds; and the filter denies what it must, on each machine."""

import ast
import errno
import json
import os
import platform
import re
import shutil
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crane_agent.in_kernel.rehearsal import seccomp, system_calls
from crane_agent.in_kernel.rehearsal.seccomp import Policy
from crane_agent.session.fence_proof import MACHINES, command_of, input_for

LIMIT_S = 60
NOBODY = 65534
CHECKOUT = str(Path(__file__).parents[3])
ALL = {"fork", "overlay", "landlock", "seccomp", "whole"}

on_linux = pytest.mark.skipif(system_calls.architecture() is None, reason="the fence is made for Linux")

PLAIN = os.path.realpath(sys.executable)
"""An interpreter without numpy and torch, of which the trial takes a moment only."""


def tried(folder: Path, *, python: str = PLAIN, before: str = "", user: int | None = None) -> dict[str, Any]:
    """Return what the trial finds behind the filters that `before` puts up; nothing of it is left."""
    scratch = folder / "scratch"
    scratch.mkdir()
    command = command_of(python)
    if before:
        # Filters stay when a process becomes another program.
        command = [PLAIN, "-I", "-c", _BEFORE.format(path=CHECKOUT, before=before, command=command)]
    if user is not None:
        os.chown(scratch, user, user)
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd="/",
        start_new_session=True,
        **become(user),
    ) as process:
        out, err = process.communicate(input_for(str(scratch)), timeout=LIMIT_S)
    assert process.returncode == 0, err
    assert not list(scratch.iterdir())
    assert not processes_of_session(process.pid)
    found = json.loads(out)
    assert set(found) == ALL
    return found


_BEFORE = """
import os, sys
sys.path.insert(0, {path!r})
from crane_agent.in_kernel.rehearsal import seccomp, system_calls

def answer(number, *names, flags=0):
    program = seccomp._Program(system_calls.architecture())
    for name in names:
        program._when(name, [(seccomp._RETURN, 0, 0, seccomp._ERRNO | number)])
    return seccomp._install(program, flags)

{before}
os.execv({command!r}[0], {command!r})
"""


def become(user: int | None) -> dict[str, Any]:
    return {} if user is None else {"user": user, "group": user, "extra_groups": []}


def processes_of_session(session: int) -> list[str]:
    found = []
    for place in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = place.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[0] != "Z" and int(fields[3]) == session:
            found.append(place.parent.name)
    return found


def reasons(found: dict[str, Any]) -> dict[str, str]:
    return {name: trial["why"] for name, trial in found.items() if trial["why"]}


_FORBIDDEN = re.compile(
    r"(unshare|mount|mount_setattr|user namespace|landlock_create_ruleset|seccomp): "
    r"(Operation not permitted|Permission denied|Function not implemented)"
)


def assert_holding(found: dict[str, Any]) -> None:
    for name, why in reasons(found).items():
        if _FORBIDDEN.match(why):
            pytest.skip(f"this machine forbids the layer {name}: {why}")
    assert reasons(found) == {}


def forbids_user_namespaces() -> bool:
    return subprocess.run(["unshare", "--user", "--mount", "true"], capture_output=True, check=False).returncode != 0


@pytest.fixture
def someone() -> Iterator[tuple[str, Path, int | None]]:
    """A user without rights: an interpreter, a folder, and the number, None for this user itself."""
    if system_calls.architecture() is None or shutil.which("unshare") is None or forbids_user_namespaces():
        pytest.skip("this machine has no user namespaces")
    if os.getuid() != 0:
        with tempfile.TemporaryDirectory() as folder:
            yield PLAIN, Path(folder), None
        return
    python = next(filter(_is_open_to_others, (PLAIN, shutil.which("python3", path="/usr/bin") or PLAIN)), None)
    if python is None:
        pytest.skip("no interpreter here, or not this code, is open to other users")
    with tempfile.TemporaryDirectory() as folder:  # pytest's own folders are not
        os.chown(folder, NOBODY, NOBODY)
        yield python, Path(folder), NOBODY


def _is_open_to_others(python: str) -> bool:
    program = "import sys; sys.path.insert(0, sys.argv[1]); import crane_agent.in_kernel.rehearsal"
    command = [python, "-I", "-c", program, CHECKOUT]
    try:
        return subprocess.run(command, cwd="/", capture_output=True, check=False, **become(NOBODY)).returncode == 0
    except PermissionError:
        return False


@on_linux
def test_each_layer_holds_here_with_every_act_tried(tmp_path):
    found = tried(tmp_path)
    assert_holding(found)
    tries = {name: len(trial["tried"]) for name, trial in found.items()}
    assert tries["whole"] > tries["seccomp"] > tries["landlock"] > 10
    assert tries["overlay"] > 10


def test_each_layer_holds_for_a_user_without_rights(someone):
    python, folder, user = someone
    assert_holding(tried(folder, python=python, user=user))


@on_linux
def test_numpy_and_torch_compute_in_a_fork_of_a_process_with_their_threads(tmp_path):
    found = tried(tmp_path, python=sys.executable)
    assert found["fork"]["why"] == ""
    assert [name for name in ("numpy", "torch") if any(name in act for act in found["fork"]["tried"])] == [
        "numpy",
        "torch",
    ]


@on_linux
@pytest.mark.parametrize(
    ("before", "missing"),
    [
        ("answer(38, 'landlock_create_ruleset')", "landlock"),
        ("answer(1, 'unshare')", "overlay"),
        ("answer(1, 'mount')", "overlay"),
        ("answer(22, 'seccomp')", "seccomp"),
        ("os.set_inheritable(answer(0, flags=8), True)", "seccomp"),
    ],
    ids=["no Landlock", "no namespaces", "no mounts", "no filters", "another keeper already"],
)
def test_a_layer_that_the_machine_refuses_is_missing_with_the_reason(tmp_path, before, missing):
    found = tried(tmp_path, before=before)
    why = found[missing]["why"]
    assert any(word in why for word in ("not implemented", "not permitted", "Invalid", "busy")), why
    assert "whole" in reasons(found) or missing == "overlay"
    assert set(reasons(found)) <= {missing, "whole"}


@on_linux
@pytest.mark.parametrize(
    ("before", "missing"),
    [
        ("answer(0, 'landlock_restrict_self')", "landlock"),
        ("answer(0, 'unshare')", "overlay"),
        ("answer(0, 'mount', 'mount_setattr')", "overlay"),
        ("answer(0, 'mount')", "overlay"),
        ("answer(0, 'seccomp')", "seccomp"),
    ],
)
def test_a_layer_that_says_it_is_up_and_is_not_does_not_hold(tmp_path, before, missing):
    found = tried(tmp_path, before=before)
    assert found[missing]["why"]


@on_linux
def test_without_an_overlay_writes_are_denied_and_heard(tmp_path):
    found = tried(tmp_path, before="answer(1, 'unshare')")
    assert set(reasons(found)) == {"overlay"}
    # `whole` holds only if each write failed with the fence's errno, and the keeper heard of each.
    assert "renamed a file" in found["whole"]["tried"]
    assert "wrote to a file opened before" in found["whole"]["tried"]


@on_linux
def test_what_a_container_forbids_already_is_no_fault_of_the_fence(tmp_path):
    names = "mount umount2 unshare setns ptrace process_vm_writev shmget mount_setattr bpf keyctl userfaultfd"
    assert set(reasons(tried(tmp_path, before=f"answer(1, *{names.split()})"))) == {"overlay"}


@on_linux
def test_a_trial_that_hangs_is_killed_and_its_layer_does_not_hold(tmp_path):
    found = tried(tmp_path, before=_NEVER_ANSWERED)
    assert "did not end within" in found["landlock"]["why"]
    assert "whole" in reasons(found)


_NEVER_ANSWERED = """
program = seccomp._Program(system_calls.architecture())
program.deny("landlock_create_ruleset")
os.set_inheritable(seccomp._install(program, 8), True)
"""
"""Whoever asks for Landlock waits for a keeper that says nothing."""


# -- what the overlay leaves open -------------------------------------------------------------------------------------

_ON_MOUNT = """
import sys, os
sys.path.insert(0, sys.argv[1])
from crane_agent.in_kernel.rehearsal import overlay, landlock
landlock.restrict(overlay.make_private(1 << 20))
path = sys.argv[2]
for act in (lambda: os.chmod(path, 0), lambda: open(path + "/new", "w"), lambda: open(path, "w").write("x")):
    try:
        act()
    except OSError:
        pass
"""


@on_linux
@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_is_mounted_is_private_or_read_only(tmp_path, kind):
    """A single file that is mounted, as containers do with /etc/resolv.conf, has no overlay."""
    if os.getuid() != 0:
        pytest.skip("needs root to mount something")
    below, above = tmp_path / "below", tmp_path / "above"
    for path in (below, above):
        path.mkdir() if kind == "folder" else path.write_text("before")
    mount = 'mount --bind "$1" "$2"; shift 2; exec "$@"'
    command = [PLAIN, "-I", "-c", _ON_MOUNT, CHECKOUT, above]
    subprocess.run(["unshare", "--mount", "sh", "-ec", mount, "sh", below, above, *command], check=True)
    assert below.stat().st_mode & 0o777 != 0
    assert not list(below.iterdir()) if kind == "folder" else below.read_text() == "before"


_POSSIBLE = """
import sys, os, json
sys.path.insert(0, sys.argv[1])
from crane_agent.in_kernel.rehearsal import capabilities, overlay
def possible():
    found = []
    for path in sys.argv[2:]:
        try:
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT))
            found.append(path)
        except OSError:
            pass
    return found
outside, held = possible(), capabilities.held()
overlay.make_private(1 << 20)
capabilities.drop(held)
print(json.dumps([outside, possible()]))
"""


def test_nothing_is_possible_in_an_overlay_that_is_not_outside(someone):
    """A user namespace gives its maker every right there, which the fence must take away again."""
    python, folder, user = someone
    own, closed, new = folder / "own", folder / "closed", folder / "open" / "new"
    new.parent.mkdir()
    for path in (own, closed):
        path.write_text("before")
        path.chmod(0o444)
    for path in (own, new.parent):
        if user is not None:
            os.chown(path, user, user)
    command = [python, "-I", "-c", _POSSIBLE, CHECKOUT, "/usr/crane_agent", own, closed, new]
    done = subprocess.run(command, cwd="/", capture_output=True, text=True, check=True, **become(user))
    assert json.loads(done.stdout) == [[str(new)], [str(new)]]


# -- the filter -------------------------------------------------------------------------------------------------------

ABSENT_ON_AARCH64 = set(
    """
    open creat rename mkdir rmdir link unlink symlink chmod chown lchown utime utimes futimesat mknod fork vfork iopl
    ioperm epoll_wait
    """.split()
)
"""Older calls, whose place those take there that name a folder or are more general."""


def names_used() -> set[str]:
    """Return the names of system calls in the source of `seccomp`."""
    named = {name for names in seccomp._ACTS.values() for name in names}
    named |= {*seccomp._WRITES, *seccomp._ON_CONNECTIONS, *seccomp._UNKNOWN, *seccomp._WHOSE}
    tree = ast.parse(Path(seccomp.__file__).read_text())
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        if isinstance(call.func, ast.Attribute) and call.func.attr.startswith(("deny", "unknown")):
            named |= {each.value for each in call.args[:1] if isinstance(each, ast.Constant)}
    return named | {"open", "openat", "mknod", "mknodat", "close", "seccomp", "prctl"}


def test_every_name_has_a_number_on_x86_64():
    assert names_used() - set(system_calls.ARCHITECTURES["x86_64"].numbers) == set()


def test_the_names_without_a_number_on_aarch64_are_those_it_does_not_have():
    assert names_used() - set(system_calls.ARCHITECTURES["aarch64"].numbers) == ABSENT_ON_AARCH64


def test_the_proof_knows_the_same_machines_as_the_fence():
    assert set(MACHINES) == set(system_calls.ARCHITECTURES)


@pytest.mark.parametrize("machine", MACHINES)
def test_the_numbers_are_unique_and_known_to_the_filter(machine):
    numbers = list(system_calls.ARCHITECTURES[machine].numbers.values())
    assert len(set(numbers)) == len(numbers)
    assert max(numbers) <= system_calls.LAST_KNOWN


@pytest.mark.parametrize(
    ("machine", "header"),
    [
        ("x86_64", "/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
        ("aarch64", "/usr/include/asm-generic/unistd.h"),
    ],
)
def test_the_numbers_are_those_of_linux(machine, header):
    if not Path(header).exists():
        pytest.skip("Linux's headers are not installed")
    told = {}
    for line in Path(header).read_text().splitlines():
        words = line.split()
        if len(words) == 3 and words[1].startswith("__NR") and words[2].isdigit():
            told[words[1].removeprefix("__NR3264_").removeprefix("__NR_")] = int(words[2])
    numbers = system_calls.ARCHITECTURES[machine].numbers
    known = {name: number for name, number in numbers.items() if name in told}
    assert len(known) > 100
    assert known == {name: told[name] for name in known}


_CODES = {0x20, 0x15, 0x45, 0x05, 0x54, 0x06, 0x25, 0x35}
_ALLOW, _ERRNO, _NOTIFY, _KILL = 0x7FFF0000, 0x00050000, 0x7FC00000, 0x80000000
_NO_SUCH_CALL = _ERRNO | errno.ENOSYS
_OLD = (3, 4, 5, 9)
_THREAD = 0x10000  # CLONE_THREAD
_TYPE_INTO_TERMINAL, _GET_WINDOW_SIZE = 0x5412, 0x5413
_PIPE, _BLOCK_DEVICE = 0o010600, 0o060600

POLICIES = {
    "files denied": Policy(writes=False, connections=_OLD),
    "files private": Policy(writes=True, connections=_OLD),
    "processes": Policy(writes=True, processes=True, families=(1,)),
}


class Filter:
    """A compiled filter, and an interpreter of it (`Documentation/networking/filter.rst`)."""

    def __init__(self, machine: str, policy: Policy) -> None:
        self.machine = system_calls.ARCHITECTURES[machine]
        lines, self.length = seccomp._program(policy).compiled()
        self.lines = list(struct.iter_unpack("=HBBI", lines.raw[: 8 * self.length]))

    def answer(self, name: str, *arguments: int) -> int:
        return self.run(self.machine.numbers[name], *arguments)

    def run(self, number: int, *arguments: int, audit: int | None = None) -> int:
        passed = [argument & (2**64 - 1) for argument in (*arguments, *[0] * (6 - len(arguments)))]
        data = struct.pack("=IIQ6Q", number, self.machine.audit if audit is None else audit, 0, *passed)
        place = value = 0
        while True:
            code, if_true, if_false, constant = self.lines[place]
            place += 1
            if code == 0x20:
                value = struct.unpack_from("=I", data, constant)[0]
            elif code == 0x54:
                value &= constant
            elif code == 0x05:
                place += constant
            elif code == 0x06:
                return constant
            else:
                holds = {
                    0x15: value == constant,
                    0x25: value > constant,
                    0x35: value >= constant,
                    0x45: value & constant,
                }
                place += if_true if holds[code] else if_false


@pytest.fixture(params=[(machine, policy) for machine in MACHINES for policy in POLICIES], ids=" ".join)
def compiled(request, monkeypatch) -> tuple[Filter, Policy]:
    machine, policy = request.param
    monkeypatch.setattr(platform, "machine", lambda: machine)
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    return Filter(machine, POLICIES[policy]), POLICIES[policy]


def test_linux_takes_the_filter(compiled):
    lines = compiled[0].lines
    assert len(lines) == compiled[0].length < 4096
    for place, (code, if_true, if_false, constant) in enumerate(lines):
        assert code in _CODES
        if code in (0x15, 0x25, 0x35, 0x45):
            assert place + 1 + max(if_true, if_false) < len(lines)
        if code == 0x05:
            assert place + 1 + constant < len(lines)
        if code == 0x20:
            assert constant % 4 == 0
            assert constant < 64
    assert lines[-1][0] == 0x06


def test_calls_of_another_machine_kill_and_unknown_ones_are_not_there(compiled):
    program = compiled[0]
    assert program.run(0, audit=0x40000003) == _KILL  # i386
    assert program.run(system_calls.LAST_KNOWN + 1) == _NO_SUCH_CALL
    assert program.run(0x40000000 | 39) == _NO_SUCH_CALL  # x32
    for name in seccomp._UNKNOWN:
        assert program.answer(name) == _NO_SUCH_CALL


def test_what_is_denied_is_denied_whatever_its_arguments(compiled):
    program, policy = compiled
    for names in seccomp._ACTS.values():
        for name in names:
            if name in program.machine.numbers:
                is_free = policy.processes and name in seccomp._AMONG_PROCESSES
                answers = {program.answer(name, *[value] * 6) for value in (0, 1, 7, 2**31, 2**64 - 1)}
                assert answers == {_ALLOW if is_free else _NOTIFY}, name


def test_files_are_written_only_where_they_are_private(compiled):
    program, policy = compiled
    for name in seccomp._WRITES:
        if name in program.machine.numbers:
            assert program.answer(name, 7, 0, 0o100600) == (_ALLOW if policy.writes else _NOTIFY), name
    for name, flags in (("open", 1), ("openat", 2)):
        if name in program.machine.numbers:
            for writing in (os.O_WRONLY, os.O_RDWR, os.O_CREAT, os.O_RDONLY | os.O_TRUNC, 0o20200000 | os.O_RDWR):
                assert program.answer(name, *[0] * flags, writing) == _NOTIFY
            assert program.answer(name, *[0] * flags, os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECTORY) == _ALLOW
    if policy.writes:
        assert program.answer("mknodat", 0, 0, _PIPE) == _ALLOW
        assert program.answer("mknodat", 0, 0, _BLOCK_DEVICE) == _NOTIFY


def test_processes_are_its_own_only(compiled):
    program, policy = compiled
    otherwise = _ALLOW if policy.processes else _NOTIFY
    assert program.answer("clone", _THREAD | 0x3D0F00) == _ALLOW
    assert program.answer("clone", 17) == otherwise
    for name in ("kill", "tkill", "tgkill"):
        assert program.answer(name, os.getpid()) == _ALLOW
        assert {program.answer(name, whom) for whom in (0, -1, 1, os.getppid(), -os.getpid())} == {otherwise}
    assert program.answer("prlimit64", 0) == program.answer("sched_setaffinity", 0) == _ALLOW
    assert program.answer("prlimit64", os.getppid()) == program.answer("setpriority", 0, os.getppid()) == otherwise


def test_connections_are_its_own_only(compiled):
    program, policy = compiled
    for name in seccomp._ON_CONNECTIONS:
        if name in program.machine.numbers:
            old = {program.answer(name, descriptor) for descriptor in policy.connections}
            assert old <= {_NOTIFY}, name
            assert {program.answer(name, descriptor) for descriptor in (0, 2, 6, 8, 10)} == {_ALLOW}, name
    assert {program.answer("close", descriptor) for descriptor in policy.connections} <= {_ERRNO}
    assert program.answer("close", 6) == _ALLOW
    assert program.answer("socket", 2, 1) == _NOTIFY
    assert program.answer("socket", 1, 1) == (_ALLOW if policy.families else _NOTIFY)
    if not policy.processes:
        assert program.answer("socketpair", 1, 1 | 0o2000000) == _ALLOW
        assert program.answer("socketpair", 1, 2 | 0o2000000) == _NOTIFY
        assert program.answer("sendto", 6, 0, 0, 0, 1 << 32) == program.answer("sendto", 6, 0, 0, 0, 1) == _NOTIFY
    assert program.answer("ioctl", 6, _TYPE_INTO_TERMINAL) == _NOTIFY
    assert program.answer("ioctl", 6, _GET_WINDOW_SIZE) == _ALLOW


def test_all_else_is_allowed(compiled):
    for name in ("mmap", "munmap", "futex", "mremap", "fcntl", "read", "prctl", "capget"):
        assert compiled[0].answer(name, 6, 2, 3, 4, 5) == _ALLOW
