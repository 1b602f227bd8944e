"""Trees of files as values, and what differs between two of them."""

from benchdog.trees.merge import Both, PathMerge, merge_modes, merge_paths
from benchdog.trees.objects import changed_paths, parse_changes, parse_tree
from benchdog.trees.paths import is_git_name, unsafe_because
from benchdog.trees.values import Change, Entry, Mode, TreeView

__all__ = [
    "Both",
    "Change",
    "Entry",
    "Mode",
    "PathMerge",
    "TreeView",
    "changed_paths",
    "is_git_name",
    "merge_modes",
    "merge_paths",
    "parse_changes",
    "parse_tree",
    "unsafe_because",
]
