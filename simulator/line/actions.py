"""Action objects: what a button does, and LINE's limits for it."""

from collections.abc import Callable
from typing import Any

from simulator.line.problems import REQUIRED, Problems, is_uri

DATA_LENGTH = 300
TEXT_LENGTH = 300
URI_LENGTH = 1000
SCHEMES = ("http", "https", "line", "tel")
COMMON = ("postback", "message", "uri", "datetimepicker", "clipboard")
QUICK_REPLY = (*COMMON, "camera", "cameraRoll", "location")
DEFAULT_LABEL = 20


def check_action(
    problems: Problems,
    action: Any,
    where: str,
    *,
    label: int = DEFAULT_LABEL,
    label_required: bool = True,
    kinds: tuple[str, ...] = COMMON,
) -> None:
    """Note what is wrong with an action; `label` is the longest label of its place."""
    if not isinstance(action, dict):
        problems.add(where, REQUIRED)
        return
    kind = problems.one_of(action, "type", where, kinds)
    problems.text(action, "label", where, label, required=label_required, graphemes=True)
    if kind in CHECKS:
        CHECKS[kind](problems, action, where)


def _postback(problems: Problems, action: dict[str, Any], where: str) -> None:
    problems.text(action, "data", where, DATA_LENGTH)
    for name in ("displayText", "fillInText"):
        problems.text(action, name, where, TEXT_LENGTH, required=False, graphemes=True)
    if action.get("inputOption") is not None:
        options = ("closeRichMenu", "openRichMenu", "openKeyboard", "openVoice")
        problems.one_of(action, "inputOption", where, options)


def _message(problems: Problems, action: dict[str, Any], where: str) -> None:
    problems.text(action, "text", where, TEXT_LENGTH, graphemes=True)


def _uri(problems: Problems, action: dict[str, Any], where: str) -> None:
    uri = action.get("uri")
    if uri is None:
        problems.add(f"{where}.uri", REQUIRED)
    elif not is_uri(uri, SCHEMES):
        problems.add(f"{where}.uri", "invalid uri")
    elif len(uri) > URI_LENGTH:
        problems.add(f"{where}.uri", f"Length must be between 0 and {URI_LENGTH}")


def _picker(problems: Problems, action: dict[str, Any], where: str) -> None:
    problems.text(action, "data", where, DATA_LENGTH)
    problems.one_of(action, "mode", where, ("date", "time", "datetime"))


def _clipboard(problems: Problems, action: dict[str, Any], where: str) -> None:
    problems.text(action, "clipboardText", where, URI_LENGTH)


CHECKS: dict[str, Callable[[Problems, dict[str, Any], str], None]] = {
    "postback": _postback,
    "message": _message,
    "uri": _uri,
    "datetimepicker": _picker,
    "clipboard": _clipboard,
}
