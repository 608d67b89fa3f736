"""What keeps the loop on time where the system allows it; what it refuses is said.

All threads of the device are in the real-time class, the loop highest: an ordinary thread that
holds the interpreter's lock could be starved by others, and the loop with it. Stacks are small, for
locked memory counts them whole.
"""

from __future__ import annotations

import ctypes
import os
import threading

STACK_BYTES = 512 * 1024  # of each thread made later; 8 MB by default
THREADS, LOOP = 10, 20  # priorities of SCHED_FIFO; interrupts of the kernel have 50

_MCL_CURRENT, _MCL_FUTURE = 1, 2  # mlockall(2)


def small_stacks() -> None:
    threading.stack_size(STACK_BYTES)


def real_time(priority: int) -> str:
    """SCHED_FIFO for the calling thread and those it makes later; empty, or why not."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(priority))
    except OSError as error:
        return f"no real-time scheduling ({error.strerror}): set LimitRTPRIO={LOOP} in the unit"
    return ""


def lock_memory() -> str:
    """No page of this process is ever fetched from the card; empty, or why not."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mlockall(_MCL_CURRENT | _MCL_FUTURE) == 0:
        return ""
    why = os.strerror(ctypes.get_errno())
    return f"memory is not locked ({why}): set LimitMEMLOCK=infinity in the unit"
