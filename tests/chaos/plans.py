"""What each person of a run will do, drawn from a seed: a mix as a busy official account sees it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import date, timedelta

from tests.chaos.diary import CONSENT, Person, Step

SKUS = ("AC-100", "AC-200", "WF-10")
MENU = "選單"
WORDS = ("你好", "請問營業時間", "冷氣有怪聲", "謝謝", "師傅何時會到？", "發票遺失怎麼辦", "👍")
FIRST_LETTER = 0x4E00  # the first of the CJK letters, of which thousands follow
SHOPS = ("台北門市", "高雄門市", "網路商店")
# Of a hundred people so many …
CONSENT_OF_100, BIND_OF_100, WANDER_OF_100, EARLY_OF_100, KNOWN_OF_100 = 96, 88, 12, 8, 20


def crowd(events: int, skus: Sequence[str], rng: random.Random) -> list[Person]:
    """People enough for so many events, each with their steps."""
    number = max(12, min(450, events // 45))
    people = [_person(each) for each in range(number)]
    for each in people:
        each.steps = _steps(each, max(8, events // number), skus, rng)
    return people


def _person(number: int) -> Person:
    return Person(
        number,
        name="林" + letters(number),
        phone=f"09{10_000_000 + number}",
        email=f"p{number}@example.com",
    )


def letters(number: int) -> str:
    """Two CJK letters of their own for each number."""
    return chr(FIRST_LETTER + 1 + number // 90) + chr(FIRST_LETTER + 200 + number % 90)


def _steps(person: Person, count: int, skus: Sequence[str], rng: random.Random) -> list[Step]:
    def of_100(share: int) -> bool:
        return rng.randrange(100) < share

    # the first few do everything, so that a short run has some of all
    sure = person.number < 6
    steps = [Step("follow")]
    binds = False
    if sure or of_100(CONSENT_OF_100):
        steps.append(Step("postback", {"data": CONSENT}))
        binds = sure or of_100(BIND_OF_100)
    wanders = not sure and of_100(WANDER_OF_100)
    acts: list[Step] = []
    if binds:
        if of_100(EARLY_OF_100):
            steps.append(_register(skus, rng))
        steps.append(Step("bind", {"wrong": of_100(5), "email": of_100(60)}))
        person.known_phone = _spaced(person.phone) if of_100(KNOWN_OF_100) else None
        acts += _acts(skus, rng, sure=sure, wanders=wanders)
    acts += [Step("message", {"text": MENU})] * rng.choice((0, 1, 1, 2))
    acts += [Step("postback", {"data": "page=2"})] * rng.choice((0, 0, 1))
    if wanders:
        acts += [Step("leave"), Step("return")] * rng.choice((1, 2))
    room = max(0, count - len(steps) - len(acts) - binds)
    chatter = [Step("message", {"text": rng.choice(WORDS)}) for _ in range(room)]
    return [*steps, *_in_some_order(acts, chatter, rng)]


def _acts(skus: Sequence[str], rng: random.Random, *, sure: bool, wanders: bool) -> list[Step]:
    """What only members do; who comes and goes asks for nothing, for nothing could be told to them."""
    units = [_register(skus, rng) for _ in range(rng.choice((0, 1, 1, 2)) or sure)]
    repairs = [] if wanders else [_repair(rng) for _ in range(rng.choice((0, 1, 2)) or sure)]
    consents = [Step("marketing") for _ in range(rng.choice((0, 1, 2, 3)))]
    return [*units, *repairs, *consents]


def _register(skus: Sequence[str], rng: random.Random) -> Step:
    bought = date.today() - timedelta(days=rng.randrange(1, 300))
    return Step(
        "register",
        {"sku": rng.choice(skus), "bought": bought.isoformat(), "shop": rng.choice(SHOPS)},
    )


def _repair(rng: random.Random) -> Step:
    slot = f"{date.today() + timedelta(days=rng.randrange(2, 9))} {rng.choice(('AM', 'PM'))}"
    return Step("repair", {"slots": [slot], "urgency": rng.choice(("low", "normal", "high"))})


def _in_some_order(acts: list[Step], chatter: list[Step], rng: random.Random) -> list[Step]:
    """Acts keep their order among each other; chatter goes anywhere, but none comes from who has left."""
    mixed = [*acts]
    for each in chatter:
        at = rng.randrange(len(mixed) + 1)
        at += bool(at and mixed[at - 1].kind == "leave")
        mixed.insert(at, each)
    return mixed


def _spaced(phone: str) -> str:
    return f"{phone[:4]} {phone[4:7]} {phone[7:]}"
