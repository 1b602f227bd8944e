"""What implements: the built-in agent, as a generator of steps."""

from benchdog.worker.calls import Reading, read_reply
from benchdog.worker.loop import work

__all__ = ["Reading", "read_reply", "work"]
