"""Threads that ``multiprocessing`` and ``concurrent.futures`` have for other processes.

Such a thread waits for results as long as its pool exists, whether or not there is work.
"""

from types import FrameType

_EXECUTOR = "_ExecutorManagerThread.wait_result_broken_or_wakeup"
_POOL = frozenset({"Pool._handle_results", "Pool._handle_tasks", "Pool._handle_workers"})
_WITHOUT_WORK = frozenset({
    "Server.accepter", "Server.handle_request", "_ResourceSharer._serve", "worker",
})  # fmt: skip
"""What other threads of ``multiprocessing`` run: none waits for what another process does."""


def awaits_processes(frame: FrameType) -> bool | None:
    """Whether a thread waits for the work, or the end, of other processes.

    Args:
        frame: One of the thread's frames; its caller needs ``uncollected`` around.

    Returns:
        None for a frame that does not say it.
    """
    module, name = str(frame.f_globals.get("__name__", "")), frame.f_code.co_qualname
    if module == "concurrent.futures.process" and name == _EXECUTOR:
        manager = frame.f_locals["self"]
        return bool(manager.pending_work_items or manager.is_shutting_down())
    if module.partition(".")[0] != "multiprocessing":
        return None
    if name in _POOL:
        return _has_work(frame)
    return False if name in _WITHOUT_WORK else None


def _has_work(frame: FrameType) -> bool:
    """Whether a pool of processes, and not one of threads, works or ends."""
    own = frame.f_locals
    # The threads of a pool of threads show themselves what they do; it has no pipe.
    ends = getattr(own.get("thread"), "_state", "RUN") != "RUN"
    return hasattr(own["outqueue"], "_reader") and bool(own["cache"] or ends)
