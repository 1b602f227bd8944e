"""The conductor: the phases of one run, from a contract to a verdict, and what a person does with it afterwards."""

from benchdog.runner.bench import Bench, Nobody, Watcher, open_bench
from benchdog.runner.conduct import answer, begin, carry_out, discard, refine, resume
from benchdog.runner.landing import accept, finish_landing, land, take_back
from benchdog.runner.outlook import propose, red_command
from benchdog.runner.question import Answer, ask_question

__all__ = [
    "Answer",
    "Bench",
    "Nobody",
    "Watcher",
    "accept",
    "answer",
    "ask_question",
    "begin",
    "carry_out",
    "discard",
    "finish_landing",
    "land",
    "open_bench",
    "propose",
    "red_command",
    "refine",
    "resume",
    "take_back",
]
