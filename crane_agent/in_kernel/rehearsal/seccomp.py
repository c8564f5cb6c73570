"""Seccomp: which system calls the copy may not make, and how its keeper learns of each that it tried.

A filter is a program that Linux runs before each system call (`Documentation/userspace-api/seccomp_filter.rst`).
Denied calls are sent to the keeper, which notes the act and lets the call fail with `DENIED`, an errno that no call
has of itself. So an act is known even if the code that tried it swallowed the error.
"""

from __future__ import annotations

import ctypes
import errno
import os
import socket
import struct
import sys
from typing import Any, Dict, Iterable, List, NamedTuple, Optional, Tuple

from .system_calls import LAST_KNOWN, SET_NO_NEW_PRIVS, Architecture, SystemCallFailed, architecture, call, libc, prctl

DENIED = 131
"""The errno of a denied act; it is ENOTRECOVERABLE, of robust mutexes only, which no call here returns."""

NETWORK = "opened a network connection"
PROCESS = "started a process"
OTHERS = "reached for another process"
SHARED = "shared memory with other processes"
MACHINE = "changed the machine"
WRITE = "wrote a file"
DEVICE = "opened a device"
OLD = "used a connection that was opened before"

_ACTS: Dict[str, Tuple[str, ...]] = {
    PROCESS: ("fork", "vfork", "execve", "execveat"),
    OTHERS: (
        "ptrace", "process_vm_readv", "process_vm_writev", "pidfd_getfd", "pidfd_open", "pidfd_send_signal", "kcmp",
        "process_madvise", "process_mrelease", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "move_pages", "migrate_pages",
        "setpgid", "wait4", "waitid",
    ),
    SHARED: (
        "shmget", "shmat", "shmctl", "semget", "semop", "semctl", "semtimedop", "msgget", "msgsnd", "msgrcv", "msgctl",
        "mq_open", "mq_unlink", "mq_timedsend", "mq_timedreceive", "mq_notify",
    ),
    MACHINE: (
        "mount", "umount2", "pivot_root", "chroot", "swapon", "swapoff", "reboot", "sethostname", "setdomainname",
        "init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load", "bpf", "perf_event_open",
        "settimeofday", "clock_settime", "clock_adjtime", "adjtimex", "acct", "quotactl", "quotactl_fd", "add_key",
        "request_key", "keyctl", "unshare", "setns", "open_tree", "move_mount", "fsopen", "fsconfig", "fsmount",
        "fspick", "mount_setattr", "open_tree_attr", "open_by_handle_at", "userfaultfd", "fanotify_init", "iopl",
        "ioperm", "vhangup", "syslog",
    ),
}  # fmt: skip

# In a process namespace of its own these reach nobody else.
_AMONG_PROCESSES = frozenset(
    {
        *_ACTS[PROCESS], "setpgid", "wait4", "waitid", "pidfd_open", "pidfd_send_signal", "rt_sigqueueinfo",
        "rt_tgsigqueueinfo",
    }
)  # fmt: skip

# Where no overlay takes the writes.
_WRITES = (
    "creat", "truncate", "rename", "renameat", "renameat2", "mkdir", "mkdirat", "rmdir", "unlink", "unlinkat", "link",
    "linkat", "symlink", "symlinkat", "mknod", "mknodat", "chmod", "fchmod", "fchmodat", "fchmodat2", "chown", "fchown",
    "lchown", "fchownat", "utime", "utimes", "futimesat", "utimensat", "setxattr", "lsetxattr", "fsetxattr",
    "setxattrat", "removexattr", "lremovexattr", "fremovexattr", "removexattrat", "file_setattr",
)  # fmt: skip
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | 0o20000000  # O_TMPFILE, without its O_DIRECTORY

_HARMLESS = ("/dev/null", "/dev/zero", "/dev/full")
_DEVICES = ("/dev/", "/proc/", "/sys/")
_SHARED_MEMORY = "/dev/shm/"
_MOST_PATH = 4096

# Calls that name an address, and the number of the argument that points to it (`struct sockaddr`).
_TO_ADDRESS = {"connect": 1, "sendto": 4}
_INTERNET = (socket.AF_INET, socket.AF_INET6)
_MOST_ADDRESS = 28
_MAPPED = bytes(10) + b"\xff\xff"  # An old address in the form of a new one.
_NAME_SERVICE = 53

# Of an old connection: whatever moves data, or asks what it is.
_ON_CONNECTIONS = (
    "read", "write", "pread64", "pwrite64", "readv", "writev", "preadv", "pwritev", "preadv2", "pwritev2", "sendto",
    "recvfrom", "sendmsg", "recvmsg", "sendmmsg", "recvmmsg", "connect", "accept", "accept4", "bind", "listen",
    "shutdown", "setsockopt", "getsockopt", "getsockname", "getpeername", "epoll_wait", "epoll_pwait", "epoll_ctl",
    "ioctl",
)  # fmt: skip

# As an older Linux answers; glibc and others then take the older call.
_UNKNOWN = ("clone3", "close_range", "openat2", "io_uring_setup", "io_uring_enter", "io_uring_register")

# Calls whose argument with this number is a process, which may be the caller itself.
_WHOSE = {"kill": 0, "tkill": 0, "tgkill": 0, "prlimit64": 0, "sched_setparam": 0, "sched_setscheduler": 0,
          "sched_setaffinity": 0, "sched_setattr": 0, "setpriority": 1, "ioprio_set": 1}  # fmt: skip
_ZERO_IS_SELF = frozenset(_WHOSE) - {"kill", "tkill", "tgkill"}

_CLONE_THREAD = 0x10000
_DEVICE_KINDS = (0o020000, 0o060000)  # S_IFCHR, S_IFBLK
_KIND = 0o170000  # S_IFMT
_SIGNALS_BY_FILES = (8, 10, 15), (0x8901, 0x8902)  # F_SETOWN, F_SETSIG, F_SETOWN_EX; FIOSETOWN, SIOCSPGRP
_TERMINAL_INPUT = (0x5412, 0x541C)  # TIOCSTI, TIOCLINUX
_DATAGRAM, _SOCKET_KIND = 2, 0xF

# BPF, `include/uapi/linux/bpf_common.h` and `seccomp.h`.
_LOAD, _JUMP_IF_EQUAL, _JUMP_IF_SET, _JUMP, _AND, _RETURN = 0x20, 0x15, 0x45, 0x05, 0x54, 0x06
_JUMP_IF_GREATER, _JUMP_IF_AT_LEAST = 0x25, 0x35
_ALLOW, _ERRNO, _NOTIFY, _KILL = 0x7FFF0000, 0x00050000, 0x7FC00000, 0x80000000
_NUMBER, _AUDIT_ARCHITECTURE, _ARGUMENTS = 0, 4, 16

_MODE_FILTER = 1
_NEW_LISTENER = 1 << 3
_RECEIVE, _SEND = 0xC0502100, 0xC0182101
_CONTINUE = 1


class Policy(NamedTuple):
    """What a filter lets through.

    Attributes:
        writes: Whether files may be written: something else keeps the writes private.
        connections: File descriptors of connections that were open before, which stay untouched.
        processes: Whether processes may be started and signalled, in a namespace of their own.
        families: Address families of the sockets that may be made.
        devices: Paths of devices, and of folders with devices, that may be opened for writing.
    """

    writes: bool
    connections: Tuple[int, ...] = ()
    processes: bool = False
    families: Tuple[int, ...] = ()
    devices: Tuple[str, ...] = ()

    @property
    def reaches_itself(self) -> bool:
        """Whether there are connections over the internet protocols: to this machine's own addresses only."""
        return any(family in self.families for family in _INTERNET)


class _Program:
    """A filter in the making: each instruction is (code, jump if true, jump if false, constant)."""

    def __init__(self, machine: Architecture) -> None:
        self._numbers = machine.numbers
        self._lines: List[Tuple[int, int, int, int]] = [
            (_LOAD, 0, 0, _AUDIT_ARCHITECTURE),
            (_JUMP_IF_EQUAL, 1, 0, machine.audit),
            (_RETURN, 0, 0, _KILL),
            (_LOAD, 0, 0, _NUMBER),
            (_JUMP_IF_GREATER, 0, 1, LAST_KNOWN),
            (_RETURN, 0, 0, _ERRNO | errno.ENOSYS),
        ]

    def deny(self, name: str) -> None:
        """Deny a call."""
        self._when(name, [(_RETURN, 0, 0, _NOTIFY)])

    def unknown(self, name: str) -> None:
        """Answer that there is no such call."""
        self._when(name, [(_RETURN, 0, 0, _ERRNO | errno.ENOSYS)])

    def deny_if(self, name: str, argument: int, tests: Iterable[Tuple[int, int]], mask: int = 0) -> None:
        """Deny a call if one of the tests (code, constant) of the low half of an argument holds, after a mask."""
        body = [(_LOAD, 0, 0, _low(argument))]
        if mask:
            body.append((_AND, 0, 0, mask))
        for code, constant in tests:
            body += [(code, 0, 1, constant), (_RETURN, 0, 0, _NOTIFY)]
        self._when(name, [*body, (_RETURN, 0, 0, _ALLOW)])

    def deny_unless_set(self, name: str, argument: int, bits: int) -> None:
        """Deny a call unless the low half of an argument has one of these bits."""
        body = [(_LOAD, 0, 0, _low(argument)), (_JUMP_IF_SET, 0, 1, bits), (_RETURN, 0, 0, _ALLOW)]
        self._when(name, [*body, (_RETURN, 0, 0, _NOTIFY)])

    def deny_unless(self, name: str, argument: int, allowed: Iterable[int]) -> None:
        """Deny a call unless the low half of an argument is one of these."""
        body = [(_LOAD, 0, 0, _low(argument))]
        for value in allowed:
            body += [(_JUMP_IF_EQUAL, 0, 1, value), (_RETURN, 0, 0, _ALLOW)]
        self._when(name, [*body, (_RETURN, 0, 0, _NOTIFY)])

    def deny_with(self, name: str, argument: int) -> None:
        """Deny a call that is given this pointer."""
        body = []
        for half in (0, 4):
            body += [(_LOAD, 0, 0, _low(argument) + half), (_JUMP_IF_EQUAL, 1, 0, 0), (_RETURN, 0, 0, _NOTIFY)]
        self._when(name, [*body, (_RETURN, 0, 0, _ALLOW)])

    def answer_on(self, names: Iterable[str], descriptors: Iterable[int], answer: int) -> None:
        """Answer calls on these file descriptors, their first argument; the other tests of these calls follow."""
        body = [(_LOAD, 0, 0, _low(0))]
        for first, last in _ranges(descriptors):
            body += [
                (_JUMP_IF_AT_LEAST, 0, 2, first),
                (_JUMP_IF_GREATER, 1, 0, last),
                (_RETURN, 0, 0, answer),
            ]
        body.append((_LOAD, 0, 0, _NUMBER))
        known = [self._numbers[name] for name in names if name in self._numbers]
        # The jumps of one instruction reach 255 lines; an unconditional one reaches all.
        for place, number in enumerate(known):
            self._lines.append((_JUMP_IF_EQUAL, len(known) - place, 0, number))
        self._lines.append((_JUMP, 0, 0, len(body)))
        self._lines += body

    def _when(self, name: str, body: List[Tuple[int, int, int, int]]) -> None:
        if name in self._numbers:
            self._lines += [(_JUMP_IF_EQUAL, 1, 0, self._numbers[name]), (_JUMP, 0, 0, len(body)), *body]

    def compiled(self) -> Tuple[Any, int]:
        """Return the program as bytes that C reads, and its number of instructions."""
        lines = [*self._lines, (_RETURN, 0, 0, _ALLOW)]
        return ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *line) for line in lines)), len(lines)


def _low(argument: int) -> int:
    return _ARGUMENTS + 8 * argument


def _ranges(numbers: Iterable[int]) -> List[Tuple[int, int]]:
    found: List[Tuple[int, int]] = []
    for number in sorted(set(numbers)):
        if found and found[-1][1] == number - 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return found


def _program(policy: Policy) -> _Program:
    machine = architecture()
    if machine is None:
        raise SystemCallFailed("seccomp: this machine's system calls are not known")
    program = _Program(machine)
    if policy.connections:
        program.answer_on(_ON_CONNECTIONS, policy.connections, _NOTIFY)
        # Their numbers stay taken: a file opened later would be mistaken for one of them.
        program.answer_on(("close",), policy.connections, _ERRNO)
    for names in _ACTS.values():
        for name in names:
            if not (policy.processes and name in _AMONG_PROCESSES):
                program.deny(name)
    for name in _UNKNOWN:
        program.unknown(name)
    program.deny_unless("socket", 0, policy.families)
    of_files, of_devices = _SIGNALS_BY_FILES
    program.deny_if("fcntl", 1, ((_JUMP_IF_EQUAL, request) for request in of_files))
    program.deny_if("ioctl", 1, ((_JUMP_IF_EQUAL, request) for request in (*_TERMINAL_INPUT, *of_devices)))
    if policy.reaches_itself:
        program.deny("connect")
        program.deny_with("sendto", 4)
    if not policy.processes:
        _keep_alone(program)
    # Where files are private, the keeper looks which file is to be written.
    for name, argument in (("open", 1), ("openat", 2)):
        program.deny_if(name, argument, ((_JUMP_IF_SET, _WRITING),))
    if policy.writes:
        for name, argument in (("mknod", 1), ("mknodat", 2)):
            program.deny_if(name, argument, ((_JUMP_IF_EQUAL, kind) for kind in _DEVICE_KINDS), mask=_KIND)
    else:
        for name in _WRITES:
            program.deny(name)
    return program


def _keep_alone(program: _Program) -> None:
    """Deny what starts a process or reaches another one; threads, and signals to itself, are its own."""
    me = os.getpid()
    for name, argument in _WHOSE.items():
        program.deny_unless(name, argument, (0, me) if name in _ZERO_IS_SELF else (me,))
    program.deny_unless_set("clone", 0, _CLONE_THREAD)
    # A local socket for datagrams sends to any address.
    program.deny_if("socketpair", 1, ((_JUMP_IF_EQUAL, _DATAGRAM),), mask=_SOCKET_KIND)
    program.deny_with("sendto", 4)


def install(policy: Policy) -> int:
    """Put this thread, and all that it starts, under a filter for good.

    Returns:
        The file descriptor on which the keeper hears of denied acts; the calls wait for its answer.

    Raises:
        SystemCallFailed: Linux refused.
    """
    return _install(_program(policy), _NEW_LISTENER)


def _install(program: _Program, flags: int) -> int:
    lines, number = program.compiled()
    # struct sock_fprog: the length, and a pointer.
    header = ctypes.create_string_buffer(struct.pack("@HxxxxxxP", number, ctypes.addressof(lines)))
    prctl(SET_NO_NEW_PRIVS, 1)
    return call("seccomp", _MODE_FILTER, flags, header)


def hand_over(listener: int, keeper: socket.socket, note: bytes = b"F") -> None:
    """Give the keeper the file descriptor that `install` returned, and close it here.

    Args:
        listener: The file descriptor.
        keeper: A local connection to it.
        note: A byte that goes with it.
    """
    keeper.sendmsg([note], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, listener.to_bytes(4, sys.byteorder))])
    os.close(listener)


def take_over(connection: socket.socket) -> Tuple[Optional[int], bytes]:
    """Take what comes: the file descriptor that was handed over, or None, and bytes; its note is their first."""
    part, extra, _, _ = connection.recvmsg(65536, socket.CMSG_SPACE(4))
    for level, kind, data in extra:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            return int.from_bytes(data[:4], sys.byteorder), part
    return None, part


class Listener:
    """The keeper's end: hears of what the process wants to do, and lets it fail or go on.

    Attributes:
        descriptor: The file descriptor that `install` returned.
        acts: How often each act was denied.
        private: The folders below which writes are private, once they are known.
    """

    def __init__(self, descriptor: int, policy: Policy) -> None:
        self.descriptor = descriptor
        self.private: Tuple[str, ...] = ()
        self.acts: Dict[str, int] = {}
        self._policy = policy
        machine = architecture()
        self._names = {} if machine is None else {number: name for name, number in machine.numbers.items()}

    def answer(self) -> None:
        """Take one call that waits, and answer it; nothing if its process is gone."""
        heard = ctypes.create_string_buffer(80)
        if libc.ioctl(self.descriptor, ctypes.c_ulong(_RECEIVE), heard) == -1:
            return
        token, pid, _, number = struct.unpack_from("=QIIi", heard.raw)
        act = self._act(pid, self._names.get(number, ""), struct.unpack_from("=6Q", heard.raw, 32))
        if act:
            self.acts[act] = self.acts.get(act, 0) + 1
        error, flags = (-DENIED, 0) if act else (0, _CONTINUE)
        libc.ioctl(self.descriptor, ctypes.c_ulong(_SEND), struct.pack("=QqiI", token, 0, error, flags))

    def close(self) -> None:
        """Close it; what is denied from now on fails as if there were no such call."""
        os.close(self.descriptor)

    def _act(self, pid: int, name: str, arguments: Tuple[int, ...]) -> str:
        """Return what a call does that is denied, in words; '' if it may go on."""
        if name in _TO_ADDRESS and self._policy.reaches_itself:
            return NETWORK if _is_elsewhere(_bytes_at(pid, arguments[_TO_ADDRESS[name]], _MOST_ADDRESS)) else ""
        if name not in ("open", "openat"):
            return _act_of(name)
        # Only what is noted depends on the path, which the process may change meanwhile: Landlock decides.
        path = _text_at(pid, arguments[0 if name == "open" else 1])
        if path in _HARMLESS or any(path == each or path.startswith(each + "/") for each in self._policy.devices):
            return ""
        if path.startswith(_DEVICES) and not path.startswith(_SHARED_MEMORY):
            return DEVICE if os.path.exists(path) else ""
        return WRITE if not self._policy.writes or self._is_outside(path) else ""

    def _is_outside(self, path: str) -> bool:
        """Whether a file lies in none of the private folders, so that writing it fails as it might not have."""
        if not self.private or not os.path.isabs(path):
            return False
        real = os.path.realpath(path)
        return not any(real == each or real.startswith(each + "/") for each in self.private)


def _act_of(name: str) -> str:
    for act, names in _ACTS.items():
        if name in names:
            return act
    if name in _WRITES:
        return WRITE
    if name == "clone":
        return PROCESS
    if name in ("socket", "socketpair"):
        return NETWORK
    if name in _WHOSE or name == "fcntl":
        return OTHERS
    return OLD if name in _ON_CONNECTIONS else MACHINE


def _is_elsewhere(address: bytes) -> bool:
    """Whether a socket's address, as C keeps it, is another machine's, or asks what a name's address is."""
    family = int.from_bytes(address[:2], sys.byteorder)
    if family not in _INTERNET:
        return False
    host = address[4:8] if family == socket.AF_INET else address[8:24].replace(_MAPPED, b"")
    is_own = not any(host[:-1]) and host[-1:] <= b"\1" if len(host) == 16 else host[:1] in (b"\0", b"\x7f")
    return not is_own or int.from_bytes(address[2:4], "big") == _NAME_SERVICE


def _text_at(pid: int, address: int) -> str:
    """Return the text at an address of a process; '' if it cannot be read."""
    return _bytes_at(pid, address, _MOST_PATH).partition(b"\0")[0].decode("utf-8", "replace")


def _bytes_at(pid: int, address: int, number: int) -> bytes:
    """Return so many bytes at an address of a process, or those that can be read."""
    try:
        with open("/proc/{}/mem".format(pid), "rb", buffering=0) as memory:
            memory.seek(address)
            return memory.read(number)
    except (OSError, OverflowError, ValueError):
        return b""
