"""The worker's tools as a model sees them: names that models were trained to call, schemas as small as they can be.

The list is fixed for a window (a changed list costs the whole prefix); what may be called is narrowed by refusing.
"""

from __future__ import annotations

from typing import Any

from benchdog.models.values import Tool

EXPLORING = frozenset({"read", "search"})
EDITING = frozenset({"edit", "write"})


def _tool(name: str, description: str, required: str, optional: str = "", **types: str) -> Tool:
    properties = {each: {"type": types.get(each, "string")} for each in f"{required} {optional}".split()}
    schema: dict[str, Any] = {"type": "object", "properties": properties, "required": required.split()}
    return Tool(name=name, description=description, parameters=schema)


TOOLS: tuple[Tool, ...] = (
    _tool("read", "Show a file, or its lines", "path", "start end", start="integer", end="integer"),
    _tool("search", "Find text in files", "pattern", "path"),
    _tool("edit", "Replace the one place that reads search", "path search replace"),
    _tool("write", "Create or replace a file", "path content"),
    _tool("done", "The goal is reached", "", "summary"),
    _tool("ask", "Ask the person", "question"),
    _tool("ask_scope", "Ask to change another file", "path reason"),
)

NAME_ALIASES = {
    "read": "readfile view viewfile cat openfile open showfile show getfile getfilecontents filereader",
    "search": "grep rg ripgrep searchfiles find findtext searchcode codesearch searchtext",
    "edit": "editfile strreplace replace searchreplace searchandreplace replaceinfile strreplaceeditor modifyfile "
    "applyedit updatefile strreplacebasededittool",
    "write": "writefile createfile create writetofile savefile newfile overwritefile",
    "done": "finish finished complete submit attemptcompletion taskcomplete completetask taskdone exit end",
    "ask": "askuser askquestion askfollowupquestion askhuman askperson question",
    "ask_scope": "requestscope requestpermission askpermission expandscope",
}
"""By tool, the names without case and separators that models call it by. Never anything fuzzy."""

PARAMETER_ALIASES = {
    "path": "filepath file filename targetfile targetpath absolutepath relativepath pathname relpath",
    "search": "oldstring oldstr oldtext old original oldcontent find searchtext searchstring before oldcode target",
    "replace": "newstring newstr newtext new replacement newcontent replacewith after newcode replacetext "
    "replacestring",
    "content": "contents text filetext filecontent filecontents body data code newcontent",
    "pattern": "query regex text searchterm keyword q searchpattern term",
    "start": "startline offset linestart from viewstart",
    "end": "endline lineend to viewend",
    "summary": "message result answer text reason comment",
    "question": "message text query q",
    "reason": "why message justification explanation",
}
"""By parameter, the names without case and separators that models give it."""


def folded(name: str) -> str:
    """A name without case and separators."""
    return "".join(char for char in name.casefold() if char.isalnum())


def by_alias(table: dict[str, str], name: str) -> str | None:
    """The canonical name of which `name` is a listed alias."""
    key = folded(name)
    return next((canonical for canonical, aliases in table.items() if key in aliases.split()), None)
