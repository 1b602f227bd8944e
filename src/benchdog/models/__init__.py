"""Model servers: what is sent, what comes back, and how each is spoken to."""

from benchdog.models.budget import estimate_request, estimate_tokens, room
from benchdog.models.connect import connect
from benchdog.models.discover import discover
from benchdog.models.openai import OpenAIEndpoint
from benchdog.models.transport import Patience, Transport
from benchdog.models.values import (
    Delta,
    DeltaKind,
    Endpoint,
    Facts,
    Finish,
    Message,
    OnDelta,
    RawCall,
    Reply,
    Request,
    Role,
    Sampling,
    Tool,
    ToolCall,
    Usage,
)
from benchdog.models.wire import encode_request

__all__ = [
    "Delta",
    "DeltaKind",
    "Endpoint",
    "Facts",
    "Finish",
    "Message",
    "OnDelta",
    "OpenAIEndpoint",
    "Patience",
    "RawCall",
    "Reply",
    "Request",
    "Role",
    "Sampling",
    "Tool",
    "ToolCall",
    "Transport",
    "Usage",
    "connect",
    "discover",
    "encode_request",
    "estimate_request",
    "estimate_tokens",
    "room",
]
