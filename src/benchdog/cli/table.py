"""Every command: its name, where it is, what it does. To add one is a row here and a file."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """`place` is module:attribute; it is imported only when the command is used."""

    name: str
    place: str
    help: str
    everyday: bool = False
    moment: str = ""
    """What stands on the screen while the command's modules are imported; for those that need many."""


COMMANDS = {
    row.name: row
    for row in (
        Row("run", "run:run", "Carry out a goal or a contract, up to a verified diff.", True, "looking at the tree …"),
        Row("fix", "fix:fix", "Make a red command green.", True, "looking at the tree …"),
        Row("refine", "refine:refine", "Ask for more from a run's result.", True, "looking at the run …"),
        Row("diff", "look:diff", "Show what a run changed.", everyday=True),
        Row("apply", "land:apply", "Land a verified result in your tree.", True, "looking at the run …"),
        Row("rollback", "land:rollback", "Take back what was applied.", everyday=True),
        Row("doctor", "doctor:doctor", "Look whether this machine is ready, and say how to make it so.", everyday=True),
        Row("demo", "demo:demo", "See a whole run in a small project, with a scripted model.", everyday=True),
        Row("init", "init:init", "Write a benchdog.toml with the checks found here."),
        Row("runs", "look:runs", "List this repository's runs."),
        Row("show", "look:show", "Show a run's report."),
        Row(
            "answer",
            "refine:answer",
            "Answer what a run asks, or widen what it may change.",
            moment="looking at the run …",
        ),
        Row("resume", "refine:resume", "Go on with an interrupted run.", moment="looking at the run …"),
        Row("discard", "land:discard", "Mark a result as not wanted."),
        Row("save", "save:save", "Write the contract that a run used."),
        Row("verify", "verify:verify", "Recompute a run's log and evidence."),
        Row("log", "verify:log", "Print a run's events."),
        Row("config", "config:config", "Show settings, where they come from, and their schema."),
        Row("trust", "config:trust", "Accept what a repository's settings widen."),
        Row("completion", "completion:completion", "Print the completion script of a shell."),
    )
}
