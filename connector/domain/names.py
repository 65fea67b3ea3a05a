"""People's names: one line as people write it, two fields as Salesforce keeps it.

Law: `join_person_name(*split_person_name(x)) == normalised_person_name(x)`.
"""

from __future__ import annotations

import re
import unicodedata

_CJK = re.compile(
    "[\u3005\u3007\u3041-\u3096\u30a1-\u30fa\u30fc\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff"
    "\U00020000-\U0003134f]+"
)
_PAIRS = (
    "歐陽欧阳司馬司马上官諸葛诸葛司徒司空夏侯皇甫尉遲尉迟公孫公孙令狐東方东方南宮南宫西門西门軒轅轩辕端木獨孤独孤慕容長孫长孙"
    "宇文太史申屠鍾離钟离鮮于鲜于呼延百里東郭东郭赫連赫连澹臺澹台公冶宗政濮陽濮阳淳于單于单于張簡范姜張廖"
)
_DOUBLE_SURNAMES = frozenset(
    first + second for first, second in zip(_PAIRS[::2], _PAIRS[1::2], strict=True)
)
_SHORTEST_WITH_DOUBLE = 3


def split_person_name(full: str) -> tuple[str, str | None]:
    """Last and first name: by the CJK order where every letter is CJK, else the last word is the last name."""
    words = unicodedata.normalize("NFC", full).split()
    if not words:
        return "", None
    if not all(_is_cjk(word) for word in words):
        return words[-1], " ".join(words[:-1]) or None
    if len(words) > 1:
        return words[0], "".join(words[1:])
    name = words[0]
    double = len(name) >= _SHORTEST_WITH_DOUBLE and name[:2] in _DOUBLE_SURNAMES
    at = 2 if double else 1
    return name[:at], name[at:] or None


def join_person_name(last: str | None, first: str | None) -> str:
    """The whole name: CJK parts run together, all others read first name, then last name."""
    parts = [" ".join(unicodedata.normalize("NFC", part or "").split()) for part in (first, last)]
    ahead, behind = parts
    if ahead and behind and _is_cjk(ahead.replace(" ", "")) and _is_cjk(behind.replace(" ", "")):
        return (behind + ahead).replace(" ", "")
    return " ".join(part for part in parts if part)


def normalised_person_name(full: str) -> str:
    """A name with its spaces in order: none in a CJK name, one between the words of any other."""
    words = unicodedata.normalize("NFC", full).split()
    if all(_is_cjk(word) for word in words):
        return "".join(words)
    return " ".join(words)


def _is_cjk(text: str) -> bool:
    return _CJK.fullmatch(text) is not None
