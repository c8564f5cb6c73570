"""System calls of Linux by name, for x86_64 and aarch64.

Numbers: Linux, `arch/x86/entry/syscalls/syscall_64.tbl` and `include/uapi/asm-generic/unistd.h`. From 424 on they are
the same on both.
"""

from __future__ import annotations

import ctypes
import os
import platform
from typing import Any, Dict, Optional


class SystemCallFailed(Exception):
    """A system call of ours failed; says which, and why."""


class Architecture:
    """A kind of processor.

    Attributes:
        audit: The number that seccomp knows it by (`include/uapi/linux/audit.h`).
        numbers: Number of each system call by name.
    """

    def __init__(self, audit: int, numbers: Dict[str, int]) -> None:
        self.audit = audit
        self.numbers = dict(numbers, **_SAME)


_SAME = {
    "pidfd_send_signal": 424, "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427,
    "open_tree": 428, "move_mount": 429, "fsopen": 430, "fsconfig": 431, "fsmount": 432, "fspick": 433,
    "pidfd_open": 434, "clone3": 435, "close_range": 436, "openat2": 437, "pidfd_getfd": 438, "process_madvise": 440,
    "mount_setattr": 442, "quotactl_fd": 443, "landlock_create_ruleset": 444, "landlock_add_rule": 445,
    "landlock_restrict_self": 446, "process_mrelease": 448, "fchmodat2": 452, "setxattrat": 463, "removexattrat": 466,
    "open_tree_attr": 467, "file_setattr": 469,
}  # fmt: skip

LAST_KNOWN = 469
"""The highest number known here; what is newer is answered as an older Linux would: there is no such call."""

ARCHITECTURES = {
    "x86_64": Architecture(
        0xC000003E,
        {
            "read": 0, "write": 1, "open": 2, "close": 3, "mmap": 9, "munmap": 11, "ioctl": 16, "pread64": 17,
            "pwrite64": 18, "readv": 19, "writev": 20, "mremap": 25, "shmget": 29, "shmat": 30, "shmctl": 31,
            "sendfile": 40, "socket": 41, "connect": 42, "accept": 43, "sendto": 44, "recvfrom": 45, "sendmsg": 46,
            "recvmsg": 47, "shutdown": 48, "bind": 49, "listen": 50, "getsockname": 51, "getpeername": 52,
            "socketpair": 53, "setsockopt": 54, "getsockopt": 55, "clone": 56, "fork": 57, "vfork": 58, "execve": 59,
            "wait4": 61, "kill": 62, "semget": 64, "semop": 65, "semctl": 66, "msgget": 68, "msgsnd": 69,
            "msgrcv": 70, "msgctl": 71, "fcntl": 72, "truncate": 76, "rename": 82, "mkdir": 83, "rmdir": 84,
            "creat": 85, "link": 86, "unlink": 87, "symlink": 88, "chmod": 90, "fchmod": 91, "chown": 92, "fchown": 93,
            "lchown": 94, "ptrace": 101, "syslog": 103, "setpgid": 109, "capget": 125, "capset": 126,
            "rt_sigqueueinfo": 129, "utime": 132, "mknod": 133, "setpriority": 141, "sched_setparam": 142,
            "sched_setscheduler": 144, "vhangup": 153, "pivot_root": 155, "prctl": 157, "adjtimex": 159,
            "chroot": 161, "acct": 163, "settimeofday": 164, "mount": 165, "umount2": 166, "swapon": 167,
            "swapoff": 168, "reboot": 169, "sethostname": 170, "setdomainname": 171, "iopl": 172, "ioperm": 173,
            "init_module": 175, "delete_module": 176, "quotactl": 179, "setxattr": 188, "lsetxattr": 189,
            "fsetxattr": 190, "removexattr": 197, "lremovexattr": 198, "fremovexattr": 199, "tkill": 200,
            "futex": 202, "sched_setaffinity": 203, "semtimedop": 220, "clock_settime": 227, "epoll_wait": 232,
            "epoll_ctl": 233, "tgkill": 234, "utimes": 235, "mq_open": 240, "mq_unlink": 241, "mq_timedsend": 242,
            "mq_timedreceive": 243, "mq_notify": 244, "kexec_load": 246, "waitid": 247, "add_key": 248,
            "request_key": 249, "keyctl": 250, "ioprio_set": 251, "migrate_pages": 256, "openat": 257,
            "mkdirat": 258, "mknodat": 259, "fchownat": 260, "futimesat": 261, "unlinkat": 263, "renameat": 264,
            "linkat": 265, "symlinkat": 266, "fchmodat": 268, "unshare": 272, "splice": 275, "tee": 276,
            "vmsplice": 278, "move_pages": 279, "utimensat": 280, "epoll_pwait": 281, "accept4": 288, "preadv": 295,
            "pwritev": 296, "rt_tgsigqueueinfo": 297, "perf_event_open": 298, "recvmmsg": 299, "fanotify_init": 300,
            "prlimit64": 302, "open_by_handle_at": 304, "clock_adjtime": 305, "sendmmsg": 307, "setns": 308,
            "process_vm_readv": 310, "process_vm_writev": 311, "kcmp": 312, "finit_module": 313, "sched_setattr": 314,
            "renameat2": 316, "seccomp": 317, "kexec_file_load": 320, "bpf": 321, "execveat": 322, "userfaultfd": 323,
            "copy_file_range": 326, "preadv2": 327, "pwritev2": 328,
        },
    ),
    "aarch64": Architecture(
        0xC00000B7,
        {
            "setxattr": 5, "lsetxattr": 6, "fsetxattr": 7, "removexattr": 14, "lremovexattr": 15, "fremovexattr": 16,
            "epoll_ctl": 21, "epoll_pwait": 22, "fcntl": 25, "ioctl": 29, "ioprio_set": 30, "mknodat": 33,
            "mkdirat": 34, "unlinkat": 35, "symlinkat": 36, "linkat": 37, "renameat": 38, "umount2": 39, "mount": 40,
            "pivot_root": 41, "truncate": 45, "chroot": 51, "fchmod": 52, "fchmodat": 53, "fchownat": 54,
            "fchown": 55, "openat": 56, "close": 57, "vhangup": 58, "quotactl": 60, "read": 63, "write": 64,
            "readv": 65, "writev": 66, "pread64": 67, "pwrite64": 68, "preadv": 69, "pwritev": 70, "sendfile": 71,
            "vmsplice": 75, "splice": 76, "tee": 77, "utimensat": 88, "acct": 89, "capget": 90, "capset": 91,
            "waitid": 95, "unshare": 97, "futex": 98, "kexec_load": 104, "init_module": 105, "delete_module": 106,
            "clock_settime": 112, "syslog": 116, "ptrace": 117, "sched_setparam": 118, "sched_setscheduler": 119,
            "sched_setaffinity": 122, "kill": 129, "tkill": 130, "tgkill": 131, "rt_sigqueueinfo": 138,
            "setpriority": 140, "reboot": 142, "setpgid": 154, "sethostname": 161, "setdomainname": 162, "prctl": 167,
            "settimeofday": 170, "adjtimex": 171, "mq_open": 180, "mq_unlink": 181, "mq_timedsend": 182,
            "mq_timedreceive": 183, "mq_notify": 184, "msgget": 186, "msgctl": 187, "msgrcv": 188, "msgsnd": 189,
            "semget": 190, "semctl": 191, "semtimedop": 192, "semop": 193, "shmget": 194, "shmctl": 195, "shmat": 196,
            "socket": 198, "socketpair": 199, "bind": 200, "listen": 201, "accept": 202, "connect": 203,
            "getsockname": 204, "getpeername": 205, "sendto": 206, "recvfrom": 207, "setsockopt": 208,
            "getsockopt": 209, "shutdown": 210, "sendmsg": 211, "recvmsg": 212, "munmap": 215, "mremap": 216,
            "add_key": 217, "request_key": 218, "keyctl": 219, "clone": 220, "execve": 221, "mmap": 222,
            "swapon": 224, "swapoff": 225, "migrate_pages": 238, "move_pages": 239, "rt_tgsigqueueinfo": 240,
            "perf_event_open": 241, "accept4": 242, "recvmmsg": 243, "wait4": 260, "prlimit64": 261,
            "fanotify_init": 262, "open_by_handle_at": 265, "clock_adjtime": 266, "setns": 268, "sendmmsg": 269,
            "process_vm_readv": 270, "process_vm_writev": 271, "kcmp": 272, "finit_module": 273, "sched_setattr": 274,
            "renameat2": 276, "seccomp": 277, "bpf": 280, "execveat": 281, "userfaultfd": 282, "copy_file_range": 285,
            "preadv2": 286, "pwritev2": 287, "kexec_file_load": 294,
        },
    ),
}  # fmt: skip


def architecture() -> Optional[Architecture]:
    """Return this machine's architecture; None if it is not known here, or this is no Linux or no 64-bit Python."""
    if platform.system() != "Linux" or ctypes.sizeof(ctypes.c_void_p) != 8:
        return None
    return ARCHITECTURES.get(platform.machine())


libc: Any = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long


def call(name: str, *arguments: Any) -> int:
    """Make a system call.

    Args:
        name: Its name.
        arguments: Integers, None, or what ctypes passes as a pointer.

    Raises:
        SystemCallFailed: It returned an error, or this machine is not known.
    """
    machine = architecture()
    if machine is None:
        raise SystemCallFailed("this machine's system calls are not known")
    result = libc.syscall(ctypes.c_long(machine.numbers[name]), *map(_passed, arguments))
    return checked(name, result)


def checked(name: str, result: int) -> int:
    """Return the result of a function of libc that reports failure as -1.

    Raises:
        SystemCallFailed: It did.
    """
    if result == -1:
        raise SystemCallFailed("{}: {}".format(name, os.strerror(ctypes.get_errno())))
    return result


def _passed(argument: Any) -> Any:
    return ctypes.c_long(argument) if type(argument) is int else argument


# Options of prctl, from `include/uapi/linux/prctl.h`.
SET_PDEATHSIG = 1
CAPBSET_DROP = 24
SET_NO_NEW_PRIVS = 38
SET_TIMERSLACK = 29


def prctl(option: int, value: int = 0) -> None:
    """Set an option of this process.

    Raises:
        SystemCallFailed: Linux refused.
    """
    call("prctl", option, value, 0, 0, 0)
