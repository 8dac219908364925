-- Sensors: where they stand, and the last word on each of their series.

-- Devices that an agent's manifest names, with their place.
CREATE TABLE sensor (
    agent       text        NOT NULL REFERENCES agent,
    device      text        NOT NULL,
    source      text        NOT NULL,   -- the [[sensor]] of the agent it is heard through
    name        text        NOT NULL DEFAULT '',
    lon         double precision,       -- of its cell's inside, where only the cell was told
    lat         double precision,
    cell        text        REFERENCES grid_cell,
    retired_at  timestamptz,            -- the agent's manifest no longer names it
    PRIMARY KEY (agent, device),
    CHECK ((lon IS NULL) = (lat IS NULL))
);

-- The newest value of each series and how often one comes, written with the readings themselves:
-- finding it among them would mean a look into every day.
CREATE TABLE sensor_value (
    agent       text        NOT NULL,
    device      text        NOT NULL,
    metric      text        NOT NULL,
    label       text        NOT NULL,
    place       text        NOT NULL,
    unit        text        NOT NULL,
    value       double precision NOT NULL,
    captured_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    interval_s  double precision,       -- usual time between two; NULL: only one came
    n           bigint      NOT NULL,   -- how many came
    PRIMARY KEY (agent, device, metric, label, place)
) WITH (fillfactor = 50);                -- one update for each batch: leave room on the page

-- one device over a time: its chart
CREATE INDEX reading_rollup_device ON reading_rollup (device, metric, width, bucket);

INSERT INTO schema_version (version) VALUES (5);
