"""The records that travel between edge and hub, strictly typed.

Unknown fields are left out, so that a newer edge talks to an older hub; known fields are checked
for type and range. Times are aware UTC. Fractions are 0..1.

Longer than most modules: it is the whole vocabulary, and a new field is a change of the contract
wherever it stands.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from contract.fields import (
    LARGEST,
    MAX_EPISODES,
    UNSET,
    At,
    CellCode,
    Count,
    Digest,
    EpisodeName,
    EvidenceRole,
    FrameHash,
    Label,
    MediaType,
    MetricName,
    Name,
    OffsetMs,
    Sequence,
    Share,
    Text,
    Unit,
    Word,
    check_time,
)
from contract.geometry import Box, Point
from contract.taxonomy import CameraState, Lane, Phase, SensorState


class EvidenceRef(msgspec.Struct, frozen=True, omit_defaults=True):
    """A picture or clip that shows a detection; its bytes travel in the evidence lane."""

    digest: Digest
    media_type: MediaType
    size: Count  # bytes
    captured_at: At
    role: EvidenceRole = "box"

    def __post_init__(self) -> None:
        check_time("captured_at of evidence", self.captured_at)


class RuleNote(msgspec.Struct, frozen=True):
    """Which rule decided, at what threshold, and why."""

    name: Label
    threshold: Share
    reason: Text


class ReadingCurve(msgspec.Struct, frozen=True, omit_defaults=True):
    """The readings around a detection of a sensor: what the detector saw."""

    metric: MetricName
    unit: Unit = "1"  # UCUM
    values: Annotated[list[tuple[float, float]], msgspec.Meta(max_length=256)] = []
    # (seconds relative to raised_at, value), oldest first
    high: float | None = None  # limits in force, where there are any
    low: float | None = None

    def __post_init__(self) -> None:
        for seconds, value in self.values:
            if not (-LARGEST < seconds < LARGEST and -LARGEST < value < LARGEST):
                raise ValueError(f"the curve of {self.metric} holds no finite number at {seconds}")


class Detection(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One change of one episode. The record with the highest `revision` is the latest word."""

    episode: EpisodeName
    revision: Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]
    phase: Phase
    stream: Name
    kind: Name  # detector kind: "flame"
    label: Label
    place: Label = ""  # zone or line within the picture
    started_at: At
    raised_at: At
    captured_at: At  # of the frame this change was seen in
    frame: Count  # number of that frame in its stream, from 0
    raised_frame: Count
    score: Share
    peak_score: Share
    box: Box | None = None
    position: Point | None = None  # where on the ground; None: where the device stands
    cell: CellCode = ""  # of a device whose position is not known: the grid cell it stands in
    detector_version: Label = ""
    rule: RuleNote
    scores: Annotated[list[tuple[float, Share]], msgspec.Meta(max_length=256)] = []
    # (seconds relative to raised_at, score), oldest first
    evidence: Annotated[list[EvidenceRef], msgspec.Meta(max_length=16)] = []
    readings: ReadingCurve | None = None  # of a sensor: its curve is the evidence
    test: bool = False  # a synthetic detection that checks the way through

    def __post_init__(self) -> None:
        for name in ("started_at", "raised_at", "captured_at"):
            check_time(name, getattr(self, name))


class Looked(
    msgspec.Struct,
    frozen=True,
    omit_defaults=True,
    kw_only=True,
    tag_field="record",
    tag="looked",
):
    """What a detector sees now at a place that the hub asked about; the answer to a `Look`.

    It travels in the detection lane and is no detection: it changes no episode. The picture names
    the episode, in the header of its first chunk.
    """

    look: Name
    stream: Name
    outcome: Literal["seen", "clear", "cannot_tell"]
    reason: Text  # in words
    captured_at: At  # of the last frame; of none: when it was asked
    score: Share = 0.0  # the highest at that place
    threshold: Share = 0.0
    frames: Count = 0  # that the detector looked at
    evidence: EvidenceRef | None = None

    def __post_init__(self) -> None:
        check_time("captured_at", self.captured_at)


class Reading(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One measured value: a sensor's, or what a detector counted."""

    device: Name  # sensor, or the stream it was seen in
    metric: MetricName
    value: float
    unit: Unit = "1"  # UCUM
    captured_at: At
    place: Label = ""
    label: Label = ""  # direction of a crossing, and the like

    def __post_init__(self) -> None:
        check_time("captured_at", self.captured_at)
        if not -LARGEST < self.value < LARGEST:
            raise ValueError(f"value {self.value!r} of {self.metric} is not a finite number")


class ScoreBlock(msgspec.Struct, frozen=True, kw_only=True):
    """The scores of one subject over up to a minute: what a threshold sweep replays."""

    stream: Name
    kind: Name
    label: Label
    place: Label = ""
    started_at: At
    offsets_ms: Annotated[list[OffsetMs], msgspec.Meta(max_length=4096)]
    scores: Annotated[list[Share], msgspec.Meta(max_length=4096)]

    def __post_init__(self) -> None:
        check_time("started_at", self.started_at)
        if len(self.offsets_ms) != len(self.scores):
            raise ValueError(
                f"a score block needs as many offsets as scores, got {len(self.offsets_ms)} "
                f"and {len(self.scores)}"
            )


class StreamHealth(msgspec.Struct, frozen=True, kw_only=True):
    """How one camera fares. The age is that of the last real frame, never of a cached one."""

    stream: Name
    state: CameraState
    since: At
    frame_age_s: float | None = None  # None: no frame yet
    frame_hash: FrameHash = ""
    captured: Count = 0  # frames since the boot of the agent
    observed: Count = 0  # frames that detectors looked at
    restarts: Count = 0
    detail: Text = ""

    def __post_init__(self) -> None:
        check_time("since", self.since)


class SensorHealth(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How one source of readings fares since the agent began; the counts include every device.

    What no mapping takes is named, so that an engineer sees what there is to map.
    """

    sensor: Name
    state: SensorState
    since: At
    messages: Count = 0
    records: Count = 0
    refused: Count = 0  # messages that could not be understood
    retained: Count = 0  # values the broker had kept, not taken as new ones
    overrun: Count = 0  # messages that came faster than they could be read, left out
    devices: Count = 0  # heard of
    last_refusal: Text = ""
    last_example: Text = ""  # the topic and the first bytes of what was refused last
    unmapped: dict[Word, Count] = {}  # names of values that are in no table
    topics: dict[Word, Count] = {}  # topics that no mapping takes
    wrong_clocks: dict[Word, float] = {}  # device: seconds it was off
    detail: Text = ""

    def __post_init__(self) -> None:
        check_time("since", self.since)


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """A heartbeat of an agent."""

    captured_at: At
    uptime_s: float
    streams: list[StreamHealth] = []
    sensors: list[SensorHealth] = []
    spooled: dict[Lane, Count] = {}  # records waiting per lane
    lost: dict[Lane, Count] = {}  # records declared lost per lane
    not_taken: dict[Lane, Count] = {}  # records the spool had no room for: they got no number
    detail: Text = ""  # what is wrong with the agent itself, in words
    clock_offset_s: float | None = None  # hub's clock minus ours, as the last ack showed it

    def __post_init__(self) -> None:
        check_time("captured_at", self.captured_at)


class EvidenceChunk(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The header of a piece of evidence; the bytes follow it in the message.

    A clip is made after the detection was told, so it names the episodes it shows itself, in the
    header of its first chunk.
    """

    digest: Digest
    media_type: MediaType
    offset: Count  # bytes
    total: Annotated[int, msgspec.Meta(ge=1, le=64 * 1024 * 1024)]  # bytes
    captured_at: At  # of a clip: of its first frame
    stream: Name
    role: EvidenceRole = "box"
    episodes: Annotated[list[EpisodeName], msgspec.Meta(max_length=MAX_EPISODES)] = []

    def __post_init__(self) -> None:
        check_time("captured_at", self.captured_at)
        if self.offset >= self.total:
            raise ValueError(f"offset {self.offset} lies beyond the total of {self.total} bytes")


class Lost(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="record", tag="lost", omit_defaults=True
):
    """Stands in the place of records that are gone: a loss is known, never a hole."""

    first: Sequence
    last: Sequence
    reason: Text
    evidence: Digest | None = None  # that the hub asked for again and will not get


class DetectorManifest(msgspec.Struct, frozen=True, kw_only=True):
    """A detector as an agent runs it on one stream."""

    kind: Name
    version: Label
    summary: Text = ""
    schema: dict[str, Any] = {}  # JSON Schema of its parameters, with units and ranges
    parameters: dict[str, Any] = {}  # what is in force


class GroundPoint(msgspec.Struct, frozen=True, array_like=True):
    """A point of a camera's picture whose place on the ground is known."""

    x: Share  # of the width, from the left
    y: Share  # of the height, from the top
    lon: Annotated[float, msgspec.Meta(ge=-180.0, le=180.0)]
    lat: Annotated[float, msgspec.Meta(ge=-90.0, le=90.0)]


class StreamManifest(msgspec.Struct, frozen=True, kw_only=True):
    """A camera as an agent runs it. The source is named without its credentials."""

    stream: Name
    name: Text = ""
    source: Text = ""
    position: Point | None = None
    state: CameraState = CameraState.CONNECTING
    detectors: list[DetectorManifest] = []
    clip_s: Annotated[float, msgspec.Meta(ge=0.0, le=600.0)] = 0.0
    # a clip of so many seconds follows each raised detection; 0: none does
    footprint: Annotated[list[Point], msgspec.Meta(max_length=64)] = []
    # the ground it sees, corner by corner; empty: nobody said
    ground: Annotated[list[GroundPoint], msgspec.Meta(max_length=64)] = []
    # four or more: detections get a place of their own


class DeviceManifest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where a device stands whose readings an agent passes on: a position, or only a cell."""

    device: Name
    name: Text = ""
    position: Point | None = None
    cell: CellCode = ""


class SensorManifest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A source of readings as an agent runs it. The source is named without its credentials.

    watches: a detector over a metric is tuned as one on a stream; the stream's name is that of the
    watch, for example `yard.pm2_5`. schemas: by detector kind, once for all watches: a broker
    takes no birth of any size.
    """

    sensor: Name
    name: Text = ""
    kind: Label
    source: Text = ""
    position: Point | None = None  # of devices that are not in `devices`
    cell: CellCode = ""
    devices: list[DeviceManifest] = []
    watches: list[StreamManifest] = []
    schemas: dict[str, dict[str, Any]] = {}

    def tuned(self) -> list[StreamManifest]:
        """The watches, each detector with its schema."""
        return [
            msgspec.structs.replace(
                watch,
                detectors=[
                    msgspec.structs.replace(d, schema=d.schema or self.schemas.get(d.kind, {}))
                    for d in watch.detectors
                ],
            )
            for watch in self.watches
        ]


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """The birth of an agent (retained): who it is, what it runs, what is in force."""

    boot: Name
    started_at: At
    published_at: At
    software: Label
    streams: list[StreamManifest] = []
    sensors: list[SensorManifest] = []
    daily_test: bool = False  # a test detection comes of each of `streams` every day
    looks: bool = False  # it answers a `Look`
    command_version: Count = 0  # the last command applied, 0 for none
    command_errors: list[Text] = []  # what of it was refused, and why
    # The first number of the detection lane that this run of the agent gives. Episodes told
    # under lower ones, or in another boot, are of a run that is over: nobody will clear them.
    first_detection: Sequence | None = None

    def __post_init__(self) -> None:
        for name in ("started_at", "published_at"):  # an agent is born before its clock is set
            check_time(name, getattr(self, name), UNSET)

    def tuned(self) -> list[StreamManifest]:
        """Everything whose detectors a command may tune: cameras, and watches over readings."""
        return [*self.streams, *(watch for s in self.sensors for watch in s.tuned())]


class Death(msgspec.Struct, frozen=True, kw_only=True):
    """The Last Will of an agent: ends the birth it names, and no later one."""

    boot: Name
    published_at: At  # of the birth


class LaneAck(msgspec.Struct, frozen=True):
    """What the hub has of one lane of one boot."""

    watermark: Count
    ranges: list[tuple[int, int]] = []  # received beyond the watermark


class Ack(msgspec.Struct, frozen=True, kw_only=True):
    """The commit watermark (retained): what may leave the spool."""

    epoch: Label  # renewed when the database is restored or begun anew
    hub_time: At
    boot: Name
    lanes: dict[Lane, LaneAck] = {}


class Nack(msgspec.Struct, frozen=True, kw_only=True):
    """What the hub asks for again."""

    boot: Name
    lanes: dict[Lane, list[tuple[int, int]]] = {}
    # Evidence whose bytes did not add up; the hub has forgotten all of them. Its chunks may come
    # again under the numbers they had or under new ones.
    digests: list[Digest] = []


class Limited(msgspec.Struct, frozen=True, kw_only=True):
    """A device that floods: what it sends beyond its limit is acknowledged and discarded."""

    lane: Lane
    device: Label  # of a reading; stream of the others; "": the agent's lane as a whole
    per_minute: Count  # records that are taken
    discarded: Count  # records that were not, in this boot


class Flow(msgspec.Struct, frozen=True, kw_only=True):
    """How much may be under way, set by the hub by how it keeps up. Not retained.

    Detections have a window of their own of the same size. Told anew with every session and
    whenever it changes; an agent that was told nothing keeps to its own settings.
    """

    records: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
    bytes: Annotated[int, msgspec.Meta(ge=65536)]
    limited: list[Limited] = []  # devices of this agent that send too much at present


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """Look at a place again, now (not retained): what does that detector see there?

    Answered by one `Looked` with the same name; whoever cannot answer in time does not.
    """

    look: Name
    stream: Name
    kind: Name
    label: Label
    place: Label = ""
    box: Box | None = None  # where it was seen; None: anywhere in the picture
    episode: EpisodeName  # it was seen as
    within_s: Annotated[float, msgspec.Meta(gt=0.0, le=3600.0)]  # an answer later than that is late


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """The parameters an engineer set (retained): stream -> detector kind -> parameter -> value.

    Complete, not a difference: what is not in it falls back to the agent's own settings.
    """

    version: Annotated[int, msgspec.Meta(ge=1)]
    issued_at: At
    issued_by: Text
    parameters: dict[str, dict[str, dict[str, Any]]] = {}


RECORDS: dict[Lane, Any] = {
    Lane.DETECTION: Detection,
    Lane.READING: Reading,
    Lane.SCORE: ScoreBlock,
    Lane.HEALTH: Health,
    Lane.EVIDENCE: EvidenceChunk,
}
Record = Detection | Looked | Reading | ScoreBlock | Health | EvidenceChunk
