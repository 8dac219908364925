-- Outlines of cells that were replaced, what cameras see of the ground, training on recorded
-- detections.

-- What a cell was called and where it lay, from when to when. The last one stands in grid_cell.
CREATE TABLE grid_outline (
    cell        text        NOT NULL REFERENCES grid_cell,
    name_en     text        NOT NULL,
    name_zh     text        NOT NULL,
    polygon     jsonb       NOT NULL,
    valid_from  timestamptz NOT NULL,
    valid_to    timestamptz NOT NULL,
    PRIMARY KEY (cell, valid_from),
    CHECK (valid_from < valid_to)
);

-- What a camera sees of the ground, as its agent's settings tell.
ALTER TABLE stream
    ADD COLUMN footprint jsonb,     -- a GeoJSON Polygon
    ADD COLUMN ground    jsonb;     -- [[x, y, lon, lat], ...]: points of the picture on the ground

-- Detections whose answer is known, for people in training.
CREATE TABLE training_set (
    id          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name        text        NOT NULL UNIQUE CHECK (name <> ''),
    created_at  timestamptz NOT NULL,
    created_by  text        NOT NULL,
    pass_mark   double precision NOT NULL CHECK (pass_mark > 0 AND pass_mark <= 1),
    retired_at  timestamptz
);

CREATE TABLE training_item (
    training    bigint      NOT NULL REFERENCES training_set,
    n           integer     NOT NULL CHECK (n >= 1),
    episode     uuid        NOT NULL REFERENCES detection,
    answer      text        NOT NULL CHECK (answer IN
        ('confirmed', 'false_alarm', 'real_but_not_actionable', 'real_but_authorised')),
    PRIMARY KEY (training, n),
    UNIQUE (training, episode)
);

-- One go at a set; nothing of it touches an event.
CREATE TABLE training_attempt (
    id          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    training    bigint      NOT NULL REFERENCES training_set,
    person      text        NOT NULL REFERENCES person,
    begun_at    timestamptz NOT NULL,
    finished_at timestamptz,
    score       double precision CHECK (score BETWEEN 0 AND 1),    -- share of right answers
    CHECK ((finished_at IS NULL) = (score IS NULL))
);
CREATE UNIQUE INDEX training_attempt_open ON training_attempt (training, person)
    WHERE finished_at IS NULL;
CREATE INDEX training_attempt_person ON training_attempt (person, id);

CREATE TABLE training_answer (
    attempt     bigint      NOT NULL REFERENCES training_attempt,
    n           integer     NOT NULL,
    answer      text        NOT NULL CHECK (answer IN
        ('confirmed', 'false_alarm', 'real_but_not_actionable', 'real_but_authorised')),
    answered_at timestamptz NOT NULL,
    PRIMARY KEY (attempt, n)
);

INSERT INTO schema_version (version) VALUES (9);
