"""Room for bodies: given in order, never more than there is."""

from __future__ import annotations

import asyncio

from webhooks.room import Room


def test_what_does_not_fit_waits_its_turn() -> None:
    async def main() -> list[str]:
        room, told, done = Room(10), [], asyncio.Event()

        async def stays(name: str, size: int) -> None:
            async with room.of(size):
                told.append(name)
                await done.wait()

        tasks = [asyncio.create_task(stays(name, size)) for name, size in (("a", 8), ("b", 5))]
        tasks.append(asyncio.create_task(stays("c", 1)))  # would fit, but b was first
        await asyncio.sleep(0)
        assert told == ["a"]
        done.set()
        await asyncio.gather(*tasks)
        assert room.taken == 0
        return told

    assert asyncio.run(main()) == ["a", "b", "c"]


def test_who_gives_up_waiting_takes_no_room() -> None:
    async def main() -> None:
        room = Room(10)
        async with room.of(10):
            given_up = asyncio.create_task(_enter(room, 10))
            patient = asyncio.create_task(_enter(room, 10))
            await asyncio.sleep(0)
            given_up.cancel()
        await asyncio.wait_for(patient, 1)
        assert room.taken == 0

    asyncio.run(main())


def test_who_gives_up_just_as_there_is_room_leaves_it_to_the_next() -> None:
    async def main() -> None:
        room = Room(10)
        first = room.of(10)
        await first.__aenter__()
        given_up = asyncio.create_task(_enter(room, 10))
        patient = asyncio.create_task(_enter(room, 10))
        await asyncio.sleep(0)
        await first.__aexit__(None, None, None)
        given_up.cancel()
        await asyncio.wait_for(patient, 1)
        assert room.taken == 0

    asyncio.run(main())


def test_more_than_there_ever_is_takes_all_of_it() -> None:
    async def main() -> None:
        room = Room(10)
        async with room.of(99):
            assert room.taken == 10

    asyncio.run(main())


async def _enter(room: Room, size: int) -> None:
    async with room.of(size):
        await asyncio.sleep(0)
