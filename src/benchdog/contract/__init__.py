"""The contract: the task as data, the scope rules, and how both are read."""

from benchdog.contract.values import (
    Check,
    Contract,
    Deliverable,
    EndpointSettings,
    Expect,
    Limits,
    PathClass,
    SandboxSettings,
    Scope,
    Settings,
    When,
)

__all__ = [
    "Check",
    "Contract",
    "Deliverable",
    "EndpointSettings",
    "Expect",
    "Limits",
    "PathClass",
    "SandboxSettings",
    "Scope",
    "Settings",
    "When",
]
