"""The pages of a Bulk job: the next is fetched while one is worked on, and the job outlives the last."""

from threading import Event

import pytest

from connector.domain.faults import FaultKind
from connector.mapping.schema import FieldSchema, ObjectSchema
from connector.salesforce.bulk.query import Page
from connector.salesforce.faults import CallFailed, fault_of
from connector.sync.reading.pages import BulkPages, Wish

WISH = Wish(
    "Contact", ("LastName",), ObjectSchema("Contact", {"LastName": FieldSchema("LastName")})
)
PLACE = {"job": "750", "noted": 7, "at": "2026-11-29T00:00:00Z"}


class Answer:
    """A job's answer of three pages; says which of them were asked for."""

    def __init__(self, breaks_at: int = 0) -> None:
        self.asked = [Event() for _ in range(3)]
        self.ended = Event()
        self.breaks_at = breaks_at

    def wait(self, job_id, heard):
        """It is there."""

    def pages(self, job_id, locator, *, most):
        """One row each."""
        for number, asked in enumerate(self.asked, 1):
            asked.set()
            if number == self.breaks_at:
                raise CallFailed(fault_of("HTTP_500", "no"))
            more = None if number == len(self.asked) else str(number)
            yield Page(("Id", "LastName"), [[f"003{number}", "王"]], more)

    def end(self, job_id):
        """Put away."""
        self.ended.set()


def reading(answer):
    return BulkPages(answer, WISH, lambda: 7, lambda _: None).pages(PLACE, 0)


def test_the_next_page_is_fetched_while_one_is_worked_on():
    answer = Answer()
    pages = reading(answer)
    next(pages)
    assert answer.asked[1].wait(10)
    assert not answer.asked[2].is_set()  # one ahead, no more: pages are large


def test_the_job_is_put_away_when_the_last_page_was_worked_on():
    answer = Answer()
    seen = []
    for page in reading(answer):
        assert not answer.ended.is_set()
        seen.append((page.sheet.lines[0][0], page.place.get("locator"), page.place.get("ended")))
    assert seen == [("0031", "1", None), ("0032", "2", None), ("0033", None, True)]
    assert answer.ended.is_set()


def test_a_page_that_fails_fails_in_its_turn():
    answer = Answer(breaks_at=2)
    pages = reading(answer)
    assert next(pages).sheet.lines[0][0] == "0031"
    with pytest.raises(CallFailed) as failed:
        next(pages)
    assert failed.value.fault.kind is not FaultKind.DATA
    assert not answer.ended.is_set()


def test_who_leaves_early_leaves_the_job_to_the_next_run():
    answer = Answer()
    pages = reading(answer)
    next(pages)
    pages.close()
    assert not answer.asked[2].is_set()
    assert not answer.ended.is_set()
