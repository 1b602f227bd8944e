"""The log, the evidence and the report of a run: what happened, the artefacts that show it, and the account of both.

`log` records events, `evidence` keeps artefacts, `report` and `render` tell of them, `verify` recomputes all of it, and
`runs` finds runs. Import the module that is needed: a run's start pays for no more.
"""
