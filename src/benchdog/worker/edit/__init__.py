"""The edit engine: puts a replacement where the one place is that the model meant, or says why not."""

from benchdog.worker.edit.engine import apply_edit
from benchdog.worker.edit.values import Edited, RefusedEdit

__all__ = ["Edited", "RefusedEdit", "apply_edit"]
