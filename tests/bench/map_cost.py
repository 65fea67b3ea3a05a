"""Records a second that one core maps: every outbound line of `repair_request-case`, over generated records.

Run: python -m tests.bench.map_cost [records] [--profile]
"""

from __future__ import annotations

import cProfile
import pstats
import random
import sys
import time
from typing import Any

from connector.domain.values import Values
from connector.mapping.parts.compiled import CompiledMapping
from tests.unit.mapping.building import starter

WANTED = 30_000
_ROUNDS = 5
_WORDS = (
    "冷氣",
    "不冷",
    "漏水",
    "異音",
    "no cooling",
    "drips",
    "E5",
    "遙控器",
    "昨天",
    "🙏",
    "室外機",
)


def records(count: int, seed: int = 1) -> list[Values]:
    """Repair requests as members write them: short and long, with and without a unit."""
    dice = random.Random(seed)
    return [_record(dice, at) for at in range(count)]


def _record(dice: random.Random, at: int) -> dict[str, Any]:
    def words(most: int) -> str:
        return " ".join(dice.choices(_WORDS, k=dice.randint(1, most)))

    return {
        "symptom": words(12),
        "description": words(40) if dice.random() < 0.7 else None,
        "address": f"台北市信義區市府路{at % 300}號" if dice.random() < 0.8 else None,
        "slots": sorted(dice.sample(["am", "pm", "evening", "weekend"], dice.randint(0, 3))),
        "contact_phone": f"+8869{dice.randrange(10**8):08d}",
        "urgency": dice.choice(("low", "normal", "high", None)),
        "product_text": words(4) if dice.random() < 0.3 else None,
        "status": None,
        "case_number": None,
        "work_order_number": None,
        "visit_at": None,
        "created_at": "2026-01-31T08:00:00.000Z",
        "member": {"name": "王小明", "phone": "+886912345678"},
        "registration": {"serial": "S1"},
    }


def mapped(mapping: CompiledMapping, views: list[Values]) -> int:
    """Map every record; the number of fields that came out."""
    fields = 0
    for view in views:
        if mapping.active(view):
            for line in mapping.outbound:
                fields += len(line.forward(view))
    return fields


def measure(mapping: CompiledMapping, views: list[Values]) -> float:
    """Records a second, the best of a few rounds: what the machine does beside it is not ours."""
    best = 0.0
    for _ in range(_ROUNDS):
        began = time.process_time()
        mapped(mapping, views)
        best = max(best, len(views) / (time.process_time() - began))
    return best


def main(words: list[str]) -> None:
    """Measure each starter mapping of repair requests."""
    counts = [int(word) for word in words if word.isdigit()]
    views = records(counts[0] if counts else 20_000)
    mapping = starter().mappings["repair_request-case"]
    mapped(mapping, views[:100])
    if "--profile" in words:
        with cProfile.Profile() as profile:
            mapped(mapping, views)
        pstats.Stats(profile).sort_stats("tottime").print_stats(30)
        return
    rate = measure(mapping, views)
    print(f"{mapping.name}: {rate:,.0f} records/s on one core (wanted {WANTED:,})")


if __name__ == "__main__":
    main(sys.argv[1:])
