"""The scripted model and other stand-ins, for benchdog's own tests, its demo, and whoever wants to play with it."""

from benchdog.testing.policy import (
    Asked,
    Edit,
    Explorer,
    Fixer,
    Policy,
    ScriptedCall,
    ScriptedReply,
    Trick,
    always,
    call,
    play,
)
from benchdog.testing.server import ScriptedServer, Traits

__all__ = [
    "Asked",
    "Edit",
    "Explorer",
    "Fixer",
    "Policy",
    "ScriptedCall",
    "ScriptedReply",
    "ScriptedServer",
    "Traits",
    "Trick",
    "always",
    "call",
    "play",
]
