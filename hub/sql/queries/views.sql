-- What API and pages read. Nothing here writes. Each query says its purpose in the line below its
-- name; `hub/store/views.py` calls it by that name and fills in {parts} and {columns of rows}.

-- part: picture
-- What saw an event best, and the newest complete picture of it.
LEFT JOIN LATERAL (
    SELECT agent, stream, kind, label, peak_score FROM detection
    WHERE event = e.id ORDER BY peak_score DESC, raised_at, episode LIMIT 1
) d ON true
LEFT JOIN stream s ON s.agent = d.agent AND s.stream = d.stream
LEFT JOIN sensor n ON n.agent = d.agent AND n.device = d.stream
LEFT JOIN LATERAL (
    SELECT digest FROM (
        SELECT v.digest, de.role, de.captured_at
        FROM detection x JOIN detection_evidence de USING (episode) JOIN evidence v USING (digest)
        WHERE x.event = e.id AND v.complete_at IS NOT NULL AND v.erased_at IS NULL
          AND starts_with(v.media_type, 'image/')
        UNION ALL
        SELECT v.digest, 'photo', v.captured_at
        FROM event_evidence ee JOIN evidence v USING (digest)
        WHERE ee.event = e.id AND v.complete_at IS NOT NULL AND v.erased_at IS NULL
          AND starts_with(v.media_type, 'image/')
    ) AS shown
    ORDER BY (role IN ('box', 'photo')) DESC, captured_at DESC, digest
    LIMIT 1
) p ON true

-- name: queue
-- What waits for an operator: first what was filed by itself and nobody has confirmed, then what
-- waits for a decision; the gravest first, then what must be decided first. The page comes first,
-- and what was seen is read once for all of it. OFFSET 0 keeps that to the indexes: a plan that
-- hashes a whole table is the cheaper one by its estimate alone.
WITH page AS MATERIALIZED (
    (SELECT 0 AS turn, e.id, {queued} FROM grid_event e
     WHERE e.confirmation = 'pending' AND e.ended_at IS NULL
       AND e.state NOT IN ('suspected', 'reported')
       AND (%(cells)s::text[] IS NULL OR e.cell ^@ ANY (%(cells)s::text[]))
     ORDER BY e.severity, e.id LIMIT %(limit)s)
    UNION ALL
    (SELECT 1, e.id, {queued} FROM grid_event e
     WHERE e.state IN ('suspected', 'reported') AND NOT e.test
       AND (%(cells)s::text[] IS NULL OR e.cell ^@ ANY (%(cells)s::text[]))
     ORDER BY e.severity, e.decide_by, e.id LIMIT %(limit)s)
    ORDER BY turn, severity, decide_by, id
    LIMIT %(limit)s
), seen AS MATERIALIZED (
    SELECT d.* FROM page CROSS JOIN LATERAL (
        SELECT event, episode, agent, stream, peak_score, raised_at
        FROM detection WHERE event = page.id OFFSET 0) d
), best AS (
    SELECT DISTINCT ON (event) event, agent, stream, peak_score FROM seen
    ORDER BY event, peak_score DESC, raised_at, episode
), shown AS MATERIALIZED (
    SELECT seen.event, s.* FROM seen CROSS JOIN LATERAL (
        SELECT v.digest, k.role, k.captured_at, v.media_type
        FROM detection_evidence k JOIN evidence v USING (digest)
        WHERE k.episode = seen.episode AND {shown} OFFSET 0) s
    UNION ALL
    SELECT page.id, s.* FROM page CROSS JOIN LATERAL (
        SELECT v.digest, 'photo', v.captured_at, v.media_type
        FROM event_evidence k JOIN evidence v USING (digest)
        WHERE k.event = page.id AND {shown} OFFSET 0) s
), newest AS (
    SELECT DISTINCT ON (event) event, digest FROM shown WHERE starts_with(media_type, 'image/')
    ORDER BY event, (role IN ('box', 'photo')) DESC, captured_at DESC, digest
), played AS (
    SELECT event, count(DISTINCT digest) AS clips FROM shown WHERE role = 'clip' GROUP BY event
)
SELECT {queued}, b.stream, coalesce(s.name, n.name) AS camera, b.peak_score,
    (SELECT count(*) FROM report r WHERE r.event = e.id) AS reports,
    newest.digest AS picture, coalesce(played.clips, 0) AS clips
FROM page e
LEFT JOIN best b ON b.event = e.id
LEFT JOIN stream s ON s.agent = b.agent AND s.stream = b.stream
LEFT JOIN sensor n ON n.agent = b.agent AND n.device = b.stream
LEFT JOIN newest ON newest.event = e.id
LEFT JOIN played ON played.event = e.id
ORDER BY e.turn, e.severity, e.decide_by, e.id;

-- name: queue_size
-- How many wait. It stands on every page: the index alone answers for what waits for a decision.
SELECT count(*) FROM (
    SELECT cell FROM grid_event WHERE state IN ('suspected', 'reported') AND NOT test
    UNION ALL
    SELECT cell FROM grid_event
    WHERE confirmation = 'pending' AND ended_at IS NULL
      AND state NOT IN ('suspected', 'reported')) AS waiting
WHERE %(cells)s::text[] IS NULL OR cell ^@ ANY (%(cells)s::text[]);

-- name: events_named
-- The grid events of these numbers.
SELECT {summary} FROM grid_event e {picture} WHERE e.number = ANY (%(numbers)s);

-- name: events
-- Grid events by state, severity, cell and words, the newest first, tests left out; `before`
-- continues a page.
SELECT {summary}
FROM grid_event e {picture}
WHERE NOT e.test
  AND (%(states)s::text[] IS NULL OR e.state = ANY (%(states)s))
  AND (%(severities)s::text[] IS NULL OR e.severity = ANY (%(severities)s))
  AND (%(cell)s::text IS NULL OR starts_with(e.cell, %(cell)s))
  AND (%(cells)s::text[] IS NULL
       OR EXISTS (SELECT FROM unnest(%(cells)s::text[]) c WHERE starts_with(e.cell, c)))
  AND (%(unit)s::text IS NULL OR e.responsible_unit = %(unit)s
       OR EXISTS (SELECT FROM cohandler h WHERE h.event = e.id AND h.unit = %(unit)s))
  AND (%(before)s::bigint IS NULL OR e.id < %(before)s)
  AND (%(words)s::text IS NULL OR e.title ILIKE %(words)s OR e.number ILIKE %(words)s
       OR e.subcategory ILIKE %(words)s
       OR EXISTS (SELECT FROM detection t LEFT JOIN stream u USING (agent, stream)
                  WHERE t.event = e.id AND (t.label ILIKE %(words)s OR t.stream ILIKE %(words)s
                                            OR u.name ILIKE %(words)s))
       OR EXISTS (SELECT FROM report r WHERE r.event = e.id AND r.description ILIKE %(words)s))
ORDER BY e.id DESC
LIMIT %(limit)s;

-- name: nearby
-- What is open around a place, the nearest first, of equally near ones the oldest. The box is
-- narrowed by distance in the caller.
SELECT {summary}
FROM grid_event e {picture}
WHERE e.ended_at IS NULL AND e.id <> %(id)s AND NOT e.test
  AND (%(cells)s::text[] IS NULL
       OR EXISTS (SELECT FROM unnest(%(cells)s::text[]) c WHERE starts_with(e.cell, c)))
  AND e.lat BETWEEN %(lat)s - %(reach)s AND %(lat)s + %(reach)s
  AND e.lon BETWEEN %(lon)s - 2 * %(reach)s AND %(lon)s + 2 * %(reach)s
ORDER BY (e.lat - %(lat)s) ^ 2 + ((e.lon - %(lon)s) * cos(radians(%(lat)s))) ^ 2, e.id
LIMIT 20;

-- name: event
-- One grid event.
SELECT {event} FROM grid_event e WHERE e.number = %(number)s;

-- name: event_number
-- The number of a grid event, of a parent for instance.
SELECT number FROM grid_event WHERE id = %(id)s;

-- name: repeats
-- The events that repeat a closed one, the newest first.
SELECT number FROM grid_event WHERE recurrence_of = %(id)s ORDER BY id DESC LIMIT 20;

-- name: merged_into
-- The numbers of the events that were merged into one, at any depth.
SELECT g.number, g.title, g.subcategory, g.state, p.number AS parent
FROM event_family(%(id)s) AS f (event) JOIN grid_event g ON g.id = f.event
JOIN grid_event p ON p.id = g.parent
WHERE g.id <> %(id)s ORDER BY g.id LIMIT 100;

-- name: root_of
-- The event that stands for a merged one now.
WITH RECURSIVE up (id, parent) AS (
    SELECT id, parent FROM grid_event WHERE id = %(id)s
    UNION
    SELECT g.id, g.parent FROM up JOIN grid_event g ON g.id = up.parent
)
SELECT {event} FROM up JOIN grid_event e USING (id) WHERE up.parent IS NULL;

-- name: detections_of
-- The episodes that feed an event, by what was merged into it too: those that still go on first, of
-- them the strongest.
SELECT {detection} FROM detection d WHERE d.event IN (SELECT event_family(%(id)s))
ORDER BY d.phase = 'cleared', d.peak_score DESC, d.raised_at, d.episode
LIMIT 50;

-- name: detections
-- Episodes by kind, camera and time, the newest first; (at, episode) continues a page.
SELECT {detection} FROM detection d
WHERE (%(kind)s::text IS NULL OR d.kind = %(kind)s)
  AND (%(agent)s::text IS NULL OR d.agent = %(agent)s)
  AND (%(stream)s::text IS NULL OR d.stream = %(stream)s)
  AND (%(cells)s::text[] IS NULL
       OR EXISTS (SELECT FROM unnest(%(cells)s::text[]) c WHERE starts_with(d.cell, c)))
  AND (%(unit)s::text IS NULL
       OR EXISTS (SELECT FROM grid_event g WHERE g.id = d.event AND g.responsible_unit = %(unit)s))
  AND (%(at)s::timestamptz IS NULL OR (d.raised_at, d.episode) < (%(at)s, %(episode)s::uuid))
ORDER BY d.raised_at DESC, d.episode DESC
LIMIT %(limit)s;

-- name: detection
-- One episode.
SELECT {detection} FROM detection d WHERE d.episode = %(episode)s;

-- name: number_of
-- The number of the event that an episode feeds.
SELECT e.number FROM detection d JOIN grid_event e ON e.id = d.event WHERE d.episode = %(episode)s;

-- name: pictures
-- What shows an event: the pictures of its detections and the photos of people. Where only the
-- reference has arrived, total is NULL and nothing may be shown.
SELECT * FROM (
    SELECT e.digest, e.role, e.captured_at, d.agent, d.stream, d.episode,
           v.media_type, v.total, {shown} AS complete,
           coalesce((SELECT sum(upper(r) - lower(r)) FROM unnest(v.received) r), 0)::bigint
               AS received, v.erased_at, v.erased_by, v.erased_why
    FROM detection d
    JOIN detection_evidence e USING (episode)
    LEFT JOIN evidence v USING (digest)
    WHERE d.event IN (SELECT event_family(%(id)s))
    UNION ALL
    SELECT v.digest, 'photo', v.captured_at, NULL, NULL, NULL,
           v.media_type, v.total, {shown}, v.total,
           v.erased_at, v.erased_by, v.erased_why
    FROM event_evidence p JOIN evidence v USING (digest)
    WHERE p.event IN (SELECT event_family(%(id)s))
) AS picture
ORDER BY (role IN ('box', 'photo')) DESC, captured_at DESC, digest
LIMIT 100;

-- name: pictures_of_episode
-- What shows one episode.
SELECT e.digest, e.role, e.captured_at, d.agent, d.stream, d.episode,
       v.media_type, v.total, {shown} AS complete,
       coalesce((SELECT sum(upper(r) - lower(r)) FROM unnest(v.received) r), 0)::bigint AS received,
       v.erased_at, v.erased_by, v.erased_why
FROM detection d
JOIN detection_evidence e USING (episode)
LEFT JOIN evidence v USING (digest)
WHERE d.episode = %(episode)s
ORDER BY e.captured_at, e.digest;

-- name: evidence
-- What is known of a piece of evidence.
SELECT {evidence} FROM evidence v WHERE v.digest = %(digest)s;

-- name: history
-- Every entry of an event's history, oldest first.
SELECT {history} FROM grid_event_history h WHERE h.event = %(id)s ORDER BY h.n;

-- name: reports
-- What people reported of an event and of what was merged into it, oldest first.
SELECT {report} FROM report r WHERE r.event IN (SELECT event_family(%(id)s)) ORDER BY r.reported_at, r.id LIMIT 100;

-- name: verdict
-- The verdict that stands.
SELECT {verdict} FROM verdict v WHERE v.event = %(id)s AND v.undone_at IS NULL;

-- name: last_decision
-- The last change an actor made since a moment, if it is still the latest of its event: what can
-- be undone.
SELECT e.number, e.title, e.subcategory, h.name, h.reason, h.at
FROM grid_event_history h JOIN grid_event e ON e.id = h.event AND e.version = h.n
WHERE h.actor = %(actor)s AND h.at >= %(since)s
  AND h.name = ANY (%(names)s)
ORDER BY h.at DESC
LIMIT 1;

-- name: agents
-- Every agent, with what its last heartbeat said of its spool.
SELECT {agent}, h.captured_at AS heard_at, h.body AS heartbeat
FROM agent a
LEFT JOIN LATERAL (SELECT captured_at, body FROM health WHERE health.agent = a.agent
                   ORDER BY received_at DESC, captured_at DESC LIMIT 1) h ON true
WHERE %(agent)s::text IS NULL OR a.agent = %(agent)s
ORDER BY a.agent
LIMIT %(limit)s OFFSET %(skip)s;

-- name: streams
-- Every camera that its agent's manifest still names.
SELECT {stream} FROM stream s
WHERE s.retired_at IS NULL AND (%(agent)s::text IS NULL OR s.agent = %(agent)s)
ORDER BY s.agent, s.stream
LIMIT %(limit)s OFFSET %(skip)s;

-- name: names
-- What people call cameras and sensors.
SELECT agent, stream, coalesce(nullif(name, ''), stream) FROM stream WHERE retired_at IS NULL
UNION ALL
SELECT agent, device, coalesce(nullif(name, ''), device) FROM sensor WHERE retired_at IS NULL;

-- name: ledger
-- What the hub has of every lane, the current boot of each agent first.
SELECT l.agent, l.boot, l.lane, l.watermark, l.received, l.lost, l.updated_at, l.closed_at,
       (SELECT count(*) FROM quarantine q
        WHERE q.agent = l.agent AND q.boot = l.boot AND q.lane = l.lane
          AND q.counted AND q.outcome IS DISTINCT FROM 'stored'),
       coalesce((SELECT sum(d.n) FROM discarded d
                 WHERE d.agent = l.agent AND d.boot = l.boot AND d.lane = l.lane), 0)::bigint
FROM ledger l LEFT JOIN agent a USING (agent)
WHERE (%(agent)s::text IS NULL OR l.agent = %(agent)s)
  AND (NOT %(present)s OR a.boot IS NULL OR l.boot = a.boot)
ORDER BY l.agent, (l.boot = a.boot) DESC, l.updated_at DESC, l.boot, l.lane
LIMIT %(limit)s OFFSET %(skip)s;

-- name: totals
-- Sums of measured values by source, label and period, exact for late data.
SELECT bucket, agent, device, metric, label, place, n, total, low, high
FROM reading_rollup
WHERE width = %(width)s AND bucket >= %(since)s AND bucket < %(until)s
  AND (%(metric)s::text IS NULL OR metric = %(metric)s)
  AND (%(device)s::text IS NULL OR device = %(device)s)
ORDER BY bucket, agent, device, metric, label, place
LIMIT %(limit)s OFFSET %(skip)s;

-- name: counts
-- How much of one metric each source measured since a moment, by label.
SELECT agent, device, label, sum(n)::bigint AS n, sum(total) AS total
FROM reading_rollup
WHERE width = '1h' AND metric = %(metric)s AND bucket >= %(since)s
GROUP BY agent, device, label
ORDER BY agent, device, label;

-- name: quarantine
-- What could not be taken, the newest first, without its bytes; `before` continues a page.
SELECT {refused}
FROM quarantine q
WHERE (%(before)s::bigint IS NULL OR q.id < %(before)s)
  AND (%(agent)s::text IS NULL OR q.agent = %(agent)s)
  AND (%(fault)s::text IS NULL OR q.fault = %(fault)s)
  AND (%(waiting)s::bool IS NULL OR (q.settled_at IS NULL) = %(waiting)s)
ORDER BY q.id DESC
LIMIT %(limit)s;

-- name: quarantine_counts
-- How many wait, by whose fault it is.
SELECT fault, count(*) AS n, min(received_at) AS oldest_at
FROM quarantine WHERE settled_at IS NULL GROUP BY fault ORDER BY fault;

-- name: flooding
-- Devices that had records discarded since a moment, the latest first.
SELECT agent, boot, lane, device, n, per_minute, first_at, last_at
FROM discarded WHERE last_at >= %(since)s ORDER BY last_at DESC, agent, boot, lane, device
LIMIT %(limit)s OFFSET %(skip)s;

-- name: quarantined
-- One of them, with its bytes.
SELECT {refused}, translate(encode(q.payload, 'base64'), E'\n', '') AS payload_base64,
       translate(encode(q.chunk, 'base64'), E'\n', '') AS chunk_base64
FROM quarantine q WHERE q.id = %(id)s;

-- name: commands
-- The parameter versions of an agent, the newest first.
SELECT {command} FROM command c WHERE c.agent = %(agent)s ORDER BY c.version DESC LIMIT %(limit)s;

-- name: stations_ingested
-- How many stations some hub ingests now: each holds an advisory lock for every one of its own.
SELECT count(*)
FROM pg_locks l JOIN pg_stat_activity a USING (pid)
WHERE l.locktype = 'advisory' AND l.granted
  AND a.application_name = 'station-locks' AND a.datname = current_database();

-- name: scores_of
-- The scores that came with the first changes of an episode: what it saw when it fired.
SELECT body -> 'scores' FROM detection_change
WHERE episode = %(episode)s ORDER BY revision LIMIT 8;

-- name: curves_of
-- The readings around a sensor's detection: as it fired, and as its latest change has them.
(SELECT body -> 'readings' FROM detection_change
 WHERE episode = %(episode)s ORDER BY revision LIMIT 1)
UNION ALL
(SELECT body -> 'readings' FROM detection_change
 WHERE episode = %(episode)s ORDER BY revision DESC LIMIT 1);

-- name: reason_of
-- Why an episode was raised; its later changes tell why it goes on or ended.
SELECT body #>> '{{rule,reason}}' FROM detection_change
WHERE episode = %(episode)s ORDER BY revision LIMIT 1;
