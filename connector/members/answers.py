"""The answers of a form: read one by one, and refused at once with all that is wrong."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date

import phonenumbers
from phonenumbers import (
    NumberParseException,
    PhoneNumber,
    PhoneNumberFormat,
    PhoneNumberType,
)

from connector.members.refusals import FieldProblem, Refused

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_EMAIL = re.compile(r"[^\s@,;<>()\"]{1,64}@(?:[^\s@.,;<>()\"]+\.)+[^\s@.,;<>()\"]{2,}")
_LONGEST_EMAIL = 80  # of an e-mail field in Salesforce
_LONGEST_PHONE = 40
_MOBILE = {PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE}
_TAIWAN, _TAIWAN_MOBILE = 886, re.compile(r"9\d{8}")


class Answers:
    """One form as it came in; ask for each answer, then `check`."""

    def __init__(self, form: Mapping[str, object]) -> None:
        self._form = form
        self.problems: list[FieldProblem] = []

    def wrong(self, field: str, code: str, **facts: object) -> None:
        """Note that a field is wrong."""
        self.problems.append(FieldProblem(field, code, facts))

    def check(self) -> None:
        """Refuse the form if any answer was wrong."""
        if self.problems:
            raise Refused("invalid", self.problems)

    def given(self, field: str) -> object:
        """An answer as it came, None when it is not there."""
        return self._form.get(field)

    def text(self, field: str, longest: int, *, required: bool = True) -> str | None:
        """A trimmed text of at most `longest` characters; None when it is blank or wrong."""
        given = self.given(field)
        if given is None or (isinstance(given, str) and not given.strip()):
            if required:
                self.wrong(field, "required")
            return None
        if not isinstance(given, str) or _has_control(given):
            self.wrong(field, "text")
            return None
        text = given.strip()
        if len(text) > longest:
            self.wrong(field, "too_long", longest=longest)
            return None
        return text

    def choice(self, field: str, allowed: Collection[str], default: str) -> str:
        """One of a few words, or the default when the answer is not there."""
        given = self.given(field)
        if given is None:
            return default
        if not isinstance(given, str) or given not in allowed:
            self.wrong(field, "choice", allowed=", ".join(allowed))
            return default
        return given

    def flag(self, field: str, *, required: bool = False) -> bool:
        """Yes or no; no when the answer is not there."""
        given = self.given(field)
        if given is None and required:
            self.wrong(field, "required")
        elif given is not None and not isinstance(given, bool):
            self.wrong(field, "flag")
        return given is True

    def mobile(self, field: str, regions: Sequence[str]) -> str | None:
        """A mobile number of these regions (ISO 3166 codes) in E.164."""
        allowed = {phonenumbers.country_code_for_region(region) for region in regions}
        return self._phone(
            field, regions, lambda number: is_mobile(number) and number.country_code in allowed
        )

    def phone(self, field: str, regions: Sequence[str]) -> str | None:
        """Any telephone number in E.164; without a country code it is one of these regions."""
        return self._phone(field, regions, phonenumbers.is_possible_number)

    def _phone(
        self, field: str, regions: Sequence[str], fits: Callable[[PhoneNumber], bool]
    ) -> str | None:
        text = self.text(field, _LONGEST_PHONE)
        if text is None:
            return None
        number = next((one for one in _readings(text, regions) if fits(one)), None)
        if number is None:
            self.wrong(field, "phone")
            return None
        return phonenumbers.format_number(number, PhoneNumberFormat.E164)

    def email(self, field: str) -> str | None:
        """An e-mail address, if there is one."""
        text = self.text(field, _LONGEST_EMAIL, required=False)
        if text is not None and not _EMAIL.fullmatch(text):
            self.wrong(field, "email")
            return None
        return text

    def day(self, field: str, first: date, last: date) -> date | None:
        """A day between two others."""
        text = self.text(field, 10)
        if text is None:
            return None
        day = read_day(text)
        if day is None:
            self.wrong(field, "date")
        elif day > last:
            self.wrong(field, "date_future")
        elif day < first:
            self.wrong(field, "date_past", first=first.isoformat())
        return day


def read_day(text: str) -> date | None:
    """The day behind `YYYY-MM-DD`, if there is such a day."""
    if not _DAY.fullmatch(text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def is_mobile(number: PhoneNumber) -> bool:
    """Whether a number can take a text message, as far as its digits tell."""
    if number.country_code == _TAIWAN:
        # Taiwan opens new blocks under 09 faster than the number plan's data follows.
        return _TAIWAN_MOBILE.fullmatch(str(number.national_number)) is not None
    return phonenumbers.number_type(number) in _MOBILE


def _readings(text: str, regions: Sequence[str]) -> Iterator[PhoneNumber]:
    """What the digits may mean: one number for each region they could be dialled in."""
    plain = unicodedata.normalize("NFKC", text)
    for region in regions:
        with suppress(NumberParseException):
            number = phonenumbers.parse(plain, region)
            if phonenumbers.is_possible_number(number) and not number.extension:
                yield number


def _has_control(text: str) -> bool:
    return any(
        unicodedata.category(letter) in {"Cc", "Cs"} and letter not in "\r\n\t" for letter in text
    )
