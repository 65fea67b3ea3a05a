"""Messages that cannot be put together, or do not fit: nobody else's message waits for them."""

from datetime import timedelta

import sqlalchemy as sa

from connector.domain.states import EnvelopeState
from connector.store.tables import Envelope, Notice, Record
from connector.sync import owing
from connector.sync.incoming.intake import scene_for
from connector.sync.live import publishing
from tests.world import World

BROKEN = """- type: text
  text: "{{ add_days(after.display_name, 1) }}"
"""


def publish(world: World, path: str, text: str) -> None:
    with world.system.store.reading() as session:
        texts = publishing.live_texts(session)
    publishing.publish_from_org(
        world.system.store, world.system.gateway, {**texts, path: text}, "an admin", "a slip"
    )


def test_a_message_that_cannot_be_rendered_is_dead_alone(world: World) -> None:
    publish(world, "messages/menu.zh-TW.yaml", BROKEN)
    ann, ben = world.person("安安"), world.person("小班")
    world.follow(ann)
    world.consent(ann)
    world.follow(ben)
    world.run_until_idle()
    assert len(world.texts(ann)) == len(world.texts(ben)) == 2  # both greetings, whole
    with world.system.store.reading() as session:
        rules = session.scalars(sa.select(Notice.rule).where(Notice.state == "dead")).all()
        (envelope,) = session.scalars(sa.select(Envelope).where(Envelope.state == "dead")).all()
    assert rules == ["menu"]
    assert "could not be put together" in (envelope.reason or "")


def test_what_does_not_fit_into_one_message_follows_in_another(world: World) -> None:
    bubbles = "".join(f"- {{type: text, text: '第 {n} 則'}}\n" for n in range(4))
    publish(world, "messages/menu.zh-TW.yaml", bubbles)
    ann = world.person("安安")
    world.follow(ann)
    world.carry()
    world.system.reader.read()
    with world.system.store.transaction() as session:
        scene = scene_for(session, world.system.catalogs, world.now())
        record = session.scalars(sa.select(Record).where(Record.kind == "friend")).one()
        rule = scene.catalog.notices.rule("menu")
        assert rule is not None
        assert rule.max_age > timedelta(0)
        owing.owe(scene, record.person_id, rule, record, record.values, record.values)
    world.run_until_idle()
    assert len(world.texts(ann)) == 6
    with world.system.store.reading() as session:
        states = session.scalars(sa.select(Envelope.state)).all()
    assert states == [EnvelopeState.ACCEPTED, EnvelopeState.ACCEPTED]
