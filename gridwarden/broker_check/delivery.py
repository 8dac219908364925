"""What becomes of messages at a broker: their size, order and number, kept or let go."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

from contract.envelope import MAX_MESSAGE
from contract.topics import Up
from gridwarden.broker_check.finding import Finding, Verdict
from gridwarden.broker_check.probing import Place, Session, hears

BACKLOG = 2_000  # messages for a reader that is slow; mosquitto keeps 1000 unless told otherwise
MARGIN = 16  # messages beyond a batch that the window is probed with


def message_size(place: Place, reader: Session) -> Iterator[Finding]:
    """Whether the largest message of the contract gets through."""
    payload = bytes(range(256)) * (MAX_MESSAGE // 256)
    if hears(place, reader, place.topic(Up.READING), payload):
        yield Finding(Verdict.SAFE, f"carries a message of {MAX_MESSAGE // 1024} KiB")
    else:
        yield Finding(
            Verdict.UNSAFE,
            f"does not carry a message of {MAX_MESSAGE // 1024} KiB, so pictures are lost: raise "
            "its packet size (mosquitto: max_packet_size 262144)",
        )


def window_and_order(place: Place, batch: int) -> Iterator[Finding]:
    """How much may be under way, and in which order it is handed over and acknowledged."""
    count = batch + MARGIN
    with place.reader(acks=False) as reader, place.writer() as writer:
        writer.publish_many(place.topic(Up.READING), count)
        under_way = reader.all(count)
        if len(under_way) < min(batch, count):
            yield Finding(
                Verdict.NOTE,
                f"has {len(under_way)} messages under way before it waits for an acknowledgement, "
                f"the hub could take {batch} in a transaction: where it is too slow, raise "
                f"max_inflight_messages to {2 * batch}",
            )
        else:
            more = " or more" if len(under_way) == count else ""
            yield Finding(
                Verdict.SAFE,
                f"has {len(under_way)}{more} messages under way before it waits, the hub takes "
                f"{batch}",
            )
        numbers = [int(m.payload) for m in under_way]
        if numbers == sorted(numbers):
            yield Finding(Verdict.SAFE, "hands messages over in the order they came")
        else:
            yield Finding(
                Verdict.NOTE,
                "hands messages over in another order than they came: the ledger sorts them",
            )
        for message in under_way:
            reader.acknowledge(message)
        rest = count - len(under_way)
        later = reader.all() if rest else []
        for message in later:
            reader.acknowledge(message)
        if len(under_way) + len(later) < count or reader.lost.is_set():
            yield Finding(
                Verdict.UNSAFE,
                f"lost {rest - len(later)} of {count} messages after they were acknowledged in "
                "the order of arrival",
            )
        else:
            yield Finding(Verdict.SAFE, "goes on after acknowledgements in the order of arrival")
    yield from _any_order(place)


def _any_order(place: Place) -> Iterator[Finding]:
    with place.reader(acks=False) as reader, place.writer() as writer:
        writer.publish_many(place.topic(Up.READING), 8)
        for message in reversed(reader.all(8)):
            reader.acknowledge(message)
        writer.publish_many(place.topic(Up.READING), 8, first=8)
        heard = {int(m.payload) for m in reader.all(8)}
        if heard >= set(range(8, 16)) and not reader.lost.is_set():
            yield Finding(Verdict.SAFE, "takes acknowledgements in any order")
        else:
            yield Finding(
                Verdict.NOTE,
                "takes acknowledgements only in the order of arrival, which is how the hub gives "
                "them",
            )


def backlog(place: Place) -> Iterator[Finding]:
    """What becomes of messages that wait for a slow hub."""
    with place.reader(acks=False) as reader, place.writer() as writer:
        taken = writer.publish_many(place.topic(Up.READING), BACKLOG)
        heard = set()
        while (message := reader.next(2.0)) is not None:
            reader.acknowledge(message)
            heard.add(bytes(message.payload))
        if len(heard) < taken:
            yield Finding(
                Verdict.UNSAFE,
                f"dropped {taken - len(heard):,} of {taken:,} messages that waited for a slow hub, "
                "though it had taken them: agents would send them again and again; set "
                "max_queued_messages 0 (no limit) and bound it by max_queued_bytes",
            )
        elif taken < BACKLOG:
            yield Finding(
                Verdict.NOTE,
                f"stops taking after {taken:,} messages that wait for a slow hub, and drops none",
            )
        else:
            yield Finding(Verdict.SAFE, f"keeps {taken:,} messages for a slow hub")


def retained(place: Place) -> Iterator[Finding]:
    """Whether births are kept for a hub that starts later, and let go of when cleared."""
    topic = place.topic(Up.BIRTH)
    with place.writer() as writer:
        writer.publish(topic, b"born", retain=True)
        with place.reader("birth") as reader:
            message = reader.next(2.0)
        writer.publish(topic, b"", retain=True)
        with place.reader("birth") as reader:
            left = reader.next()
    if message is None or not message.retain:
        yield Finding(
            Verdict.UNSAFE,
            "keeps no retained message: a hub that starts would not know the agents; set "
            "retain_available true",
        )
    elif left is not None:
        yield Finding(Verdict.UNSAFE, "does not let go of a retained message that was cleared")
    else:
        yield Finding(Verdict.SAFE, "keeps the last birth for a hub that starts later")


def clean_session(place: Place) -> Iterator[Finding]:
    """Whether anything is kept for a hub that is away."""
    id = f"check-{secrets.token_hex(6)}"
    hub = Session(place.broker, place.hub, client_id=id, quiet_s=place.quiet_s)
    again = Session(place.broker, place.hub, client_id=id, quiet_s=place.quiet_s)
    with place.writer() as writer:
        try:
            hub.open()
            hub.subscribe(f"gw/v1/{place.station}/up/+/reading")
            hub.close()
            writer.publish(place.topic(Up.READING), b"while the hub is away")
            again.open()
            left = again.next()
            kept = again.session_present or left is not None
        finally:
            again.close()
    if kept:
        yield Finding(
            Verdict.UNSAFE,
            "keeps messages of a clean session for a hub that is away, so it grows while agents "
            "send again",
        )
    else:
        yield Finding(Verdict.SAFE, "keeps nothing for a hub that is away")


def last_will(place: Place) -> Iterator[Finding]:
    """Whether an agent that vanishes is told of."""
    with place.reader("death") as reader:
        agent = Session(place.broker, place.writer_account, will=place.topic(Up.DEATH))
        agent.open()
        agent.vanish()
        message = reader.next(8.0)
        agent.close()
    if message is None:
        yield Finding(
            Verdict.UNSAFE, "says nothing when an agent vanishes: it would stay online for ever"
        )
    else:
        yield Finding(Verdict.SAFE, "speaks an agent's last will when it vanishes")
