"""Trees of files as values, and what differs between two of them."""

from benchdog.trees.values import Change, Entry, Mode, TreeView

__all__ = ["Change", "Entry", "Mode", "TreeView"]
