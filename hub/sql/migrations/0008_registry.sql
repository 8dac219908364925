-- Who answers for what: units, people and their posts, the responsibility matrix, shifts, positions,
-- what a grid needs to be ready; and the base registry that grid events link to.

CREATE TABLE unit (
    code        text        PRIMARY KEY CHECK (code ~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$'),
    kind        text        NOT NULL CHECK (kind IN ('department', 'station', 'grid')),
    name_en     text        NOT NULL CHECK (name_en <> ''),
    name_zh     text        NOT NULL CHECK (name_zh <> ''),
    parent      text        REFERENCES unit CHECK (parent <> code),
    phone       text        NOT NULL DEFAULT '',
    email       text        NOT NULL DEFAULT '',
    closed_at   timestamptz                      -- it answers for nothing from then on
);

-- The code is the staff number: it is what the histories of events name.
CREATE TABLE person (
    code        text        PRIMARY KEY CHECK (code ~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$'),
    name        text        NOT NULL CHECK (name <> ''),
    unit        text        REFERENCES unit,
    phone       text        NOT NULL DEFAULT '',
    email       text        NOT NULL DEFAULT '',
    language    text        NOT NULL DEFAULT 'zh' CHECK (language IN ('zh', 'en')),
    in_training boolean     NOT NULL DEFAULT false,  -- is given recorded detections, never events
    left_at     timestamptz
);
CREATE INDEX person_unit ON person (unit);

-- What a person is, where and from when to when. An end is set, rows are never deleted: who held a
-- post when an event happened stays known.
CREATE TABLE post (
    id          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    person      text        NOT NULL REFERENCES person,
    role        text        NOT NULL CHECK (role IN
        ('assistant', 'leader', 'master', 'dispatcher', 'dept', 'supervisor')),
    cell        text        REFERENCES grid_cell,    -- NULL: the whole district
    unit        text        REFERENCES unit,         -- of a department: which one
    from_at     timestamptz NOT NULL,
    to_at       timestamptz,
    CHECK (from_at < to_at),
    CHECK (role <> 'assistant' OR length(cell) IS NOT DISTINCT FROM 15),  -- of a basic grid
    CHECK (role <> 'leader' OR length(cell) IS NOT DISTINCT FROM 12),     -- of a secondary grid
    CHECK (role <> 'dept' OR unit IS NOT NULL)
);
-- a person holds the same post once
CREATE UNIQUE INDEX post_once ON post (person, role, coalesce(cell, ''), coalesce(unit, ''))
    WHERE to_at IS NULL;
CREATE INDEX post_area ON post (role, cell);

-- Which unit answers for a category in a cell and everything below it; of several that fit, the one
-- with the most specific cell wins, then the one that names the sub-category.
CREATE TABLE responsibility (
    id          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    category    text        NOT NULL CHECK (category IN
        ('public_security', 'urban_management', 'fire_safety', 'traffic_safety',
         'environmental_safety', 'letters_and_visits', 'ethnic_and_religious_affairs',
         'land_supervision', 'peoples_livelihood')),
    subcategory text,                                -- NULL: every one of the category
    cell        text        NOT NULL REFERENCES grid_cell,
    unit        text        NOT NULL REFERENCES unit,
    from_at     timestamptz NOT NULL,
    to_at       timestamptz,
    CHECK (from_at < to_at)
);
-- one unit answers
CREATE UNIQUE INDEX responsibility_once
    ON responsibility (category, coalesce(subcategory, ''), cell) WHERE to_at IS NULL;

-- Who works when. The cell, where there is one, is what they look after on that shift instead of
-- their post's.
CREATE TABLE shift (
    id          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    person      text        NOT NULL REFERENCES person,
    cell        text        REFERENCES grid_cell,
    begins_at   timestamptz NOT NULL,
    ends_at     timestamptz NOT NULL,
    CHECK (begins_at < ends_at)
);
-- the same shift told again is the same; one shift may cover several cells
CREATE UNIQUE INDEX shift_once ON shift (person, begins_at, coalesce(cell, ''));
CREATE INDEX shift_time ON shift (ends_at, begins_at);

-- The last word on where somebody is.
CREATE TABLE person_position (
    person      text        PRIMARY KEY REFERENCES person,
    lon         double precision NOT NULL CHECK (lon BETWEEN -180 AND 180),
    lat         double precision NOT NULL CHECK (lat BETWEEN -90 AND 90),
    accuracy_m  double precision CHECK (accuracy_m >= 0),   -- NULL: not told
    at          timestamptz NOT NULL
) WITH (fillfactor = 50);

-- The phone or tablet somebody is reached and reports by.
CREATE TABLE terminal (
    code        text        PRIMARY KEY CHECK (code ~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$'),
    person      text        REFERENCES person,       -- NULL: in the cupboard
    model       text        NOT NULL DEFAULT '',
    phone       text        NOT NULL DEFAULT '',
    retired_at  timestamptz
);
CREATE INDEX terminal_person ON terminal (person);

-- What a year's work of a cell may cost.
CREATE TABLE budget_line (
    cell        text        NOT NULL REFERENCES grid_cell,
    year        smallint    NOT NULL CHECK (year BETWEEN 2000 AND 2200),
    amount_fen  bigint      NOT NULL CHECK (amount_fen >= 0),
    note        text        NOT NULL DEFAULT '',
    PRIMARY KEY (cell, year)
);

-- The base registry: persons, places, things, matters and organisations of the district.
CREATE TABLE registry_entry (
    id          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind        text        NOT NULL CHECK (kind IN
        ('person', 'place', 'thing', 'matter', 'organisation')),
    name        text        NOT NULL CHECK (name <> ''),
    cell        text        REFERENCES grid_cell,
    lon         double precision CHECK (lon BETWEEN -180 AND 180),
    lat         double precision CHECK (lat BETWEEN -90 AND 90),
    attributes  jsonb       NOT NULL DEFAULT '{}',   -- text by name
    created_at  timestamptz NOT NULL,
    created_by  text        NOT NULL,
    changed_at  timestamptz NOT NULL,
    changed_by  text        NOT NULL,
    retired_at  timestamptz,                         -- kept, and no longer offered
    version     integer     NOT NULL DEFAULT 1 CHECK (version >= 1),
    CHECK ((lon IS NULL) = (lat IS NULL)),
    CHECK (jsonb_typeof(attributes) = 'object')
);
CREATE INDEX registry_entry_kind ON registry_entry (kind, id);
CREATE INDEX registry_entry_cell ON registry_entry (cell);

-- What an event has to do with an entry. Taking a link back keeps the row: who and when stay.
CREATE TABLE event_entry (
    id          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event       bigint      NOT NULL REFERENCES grid_event,
    entry       bigint      NOT NULL REFERENCES registry_entry,
    relation    text        NOT NULL CHECK (relation IN
        ('concerns', 'at', 'caused_by', 'reported_by', 'owned_by')),
    linked_at   timestamptz NOT NULL,
    linked_by   text        NOT NULL,
    removed_at  timestamptz,
    removed_by  text,
    CHECK ((removed_at IS NULL) = (removed_by IS NULL))
);
CREATE UNIQUE INDEX event_entry_once ON event_entry (event, entry, relation)
    WHERE removed_at IS NULL;
CREATE INDEX event_entry_entry ON event_entry (entry);

INSERT INTO schema_version (version) VALUES (8);
