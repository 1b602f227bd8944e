"""benchdog runs coding agents on local models against a written contract.

The model is a worker, not the authority: a run's verdict rests only on what benchdog verified itself.
"""

__version__ = "0.1.0"
