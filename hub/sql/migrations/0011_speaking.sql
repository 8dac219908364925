-- Speaking to others: what happened, whom it is told, and how far that has come.

-- One row for each step of an event, written with its history entry in one transaction; what leaves
-- the hub is made of it. Ids of one event grow with its steps: its row is locked by each.
CREATE TABLE outbox (
    id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event      bigint      NOT NULL REFERENCES grid_event,
    n          integer     NOT NULL,              -- its entry in the event's history
    name       text        NOT NULL,              -- of the step
    at         timestamptz NOT NULL,
    data       jsonb       NOT NULL,              -- the event as that step left it
    shared_at  timestamptz                        -- when the queues below were given it
);
-- what is to be shared, in order
CREATE INDEX outbox_waiting ON outbox (id) WHERE shared_at IS NULL;
-- what is thrown away after its time
CREATE INDEX outbox_shared ON outbox (shared_at) WHERE shared_at IS NOT NULL;

-- Who else is told of steps: an address of another system.
CREATE TABLE webhook (
    id                   bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    url                  text        NOT NULL,
    note                 text        NOT NULL DEFAULT '',
    secret               text        NOT NULL,    -- signs; shown once
    secret_before        text,                    -- signs too until then: rotation without a gap
    secret_before_until  timestamptz,
    steps                text[]      NOT NULL DEFAULT '{}',   -- names of steps; none: every one
    severities           text[]      NOT NULL DEFAULT '{}',   -- none: every one
    cell                 text        NOT NULL DEFAULT '',     -- beginning of grid codes
    tests                boolean     NOT NULL DEFAULT false,  -- events of tests too
    made_at              timestamptz NOT NULL,
    made_by              text        NOT NULL,
    stopped_at           timestamptz,             -- nothing is sent; what happens waits
    stopped_why          text,
    failures             integer     NOT NULL DEFAULT 0,      -- in a row, of the receiver as a whole
    failing_since        timestamptz,
    next_at              timestamptz NOT NULL,
    claimed_until        timestamptz,             -- a hub is at it: one at a time keeps the order
    CHECK ((secret_before IS NULL) = (secret_before_until IS NULL)),
    CHECK ((stopped_at IS NULL) = (stopped_why IS NULL)),
    CHECK ((failures = 0) = (failing_since IS NULL))
);

-- One message to one webhook.
CREATE TABLE webhook_delivery (
    id            bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    webhook       bigint      NOT NULL REFERENCES webhook ON DELETE CASCADE,
    outbox        bigint      REFERENCES outbox,  -- NULL: a test message
    event         bigint      REFERENCES grid_event,
    state         text        NOT NULL DEFAULT 'waiting'
                              CHECK (state IN ('waiting', 'delivered', 'dead')),
    attempts      integer     NOT NULL DEFAULT 0,
    queued_at     timestamptz NOT NULL,
    next_at       timestamptz NOT NULL,
    last_at       timestamptz,
    last_status   integer,                        -- of HTTP; NULL: there was no answer
    last_error    text,
    ended_at      timestamptz,
    CHECK ((outbox IS NULL) = (event IS NULL)),
    CHECK ((state = 'waiting') = (ended_at IS NULL))
);
-- what is due
CREATE INDEX webhook_delivery_due ON webhook_delivery (webhook, next_at, id) WHERE state = 'waiting';
-- whether an earlier message of the same event waits
CREATE INDEX webhook_delivery_order ON webhook_delivery (webhook, event, outbox)
    WHERE state = 'waiting';
-- the list of a webhook, the newest first
CREATE INDEX webhook_delivery_list ON webhook_delivery (webhook, id DESC);
CREATE INDEX webhook_delivery_outbox ON webhook_delivery (outbox);

-- What a person, a role in a place, or a unit is told of an event.
CREATE TABLE notice (
    id        bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event     bigint      REFERENCES grid_event,
    kind      text        NOT NULL,
    person    text,                               -- staff number
    role      text,                               -- whoever has that role for `cell`
    cell      text,                               -- NULL: the whole district
    unit      text,
    severity  text        CHECK (severity IN ('S1', 'S2', 'S3', 'S4')),
    title_en  text        NOT NULL,
    title_zh  text        NOT NULL,
    body      text        NOT NULL DEFAULT '',
    at        timestamptz NOT NULL,
    read_at   timestamptz,
    read_by   text,
    key       text        NOT NULL UNIQUE,        -- one notice for each event, kind and addressee
    CHECK (num_nonnulls(person, role, unit) = 1),
    CHECK ((read_at IS NULL) = (read_by IS NULL))
);
CREATE INDEX notice_person ON notice (person, id DESC) WHERE person IS NOT NULL;
CREATE INDEX notice_role ON notice (role, id DESC) WHERE role IS NOT NULL;
CREATE INDEX notice_unit ON notice (unit, id DESC) WHERE unit IS NOT NULL;
-- the number beside the bell
CREATE INDEX notice_unread ON notice (person) WHERE read_at IS NULL;

-- How a person wants to be told; who has no row is told as the settings say.
CREATE TABLE notice_preference (
    person      text        PRIMARY KEY,
    mail        boolean     NOT NULL,
    quiet_from  time        NOT NULL,             -- of the district's clock
    quiet_to    time        NOT NULL,             -- equal: no quiet hours
    kinds_off   text[]      NOT NULL DEFAULT '{}' -- no mail of these
);

-- Mail that waits, was sent, was folded into another, or could not be delivered.
CREATE TABLE mail (
    id             bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    notice         bigint      REFERENCES notice, -- NULL: a digest of several
    person         text        NOT NULL,
    address        text        NOT NULL,
    language       text        NOT NULL CHECK (language IN ('zh', 'en')),
    severity       text,
    state          text        NOT NULL DEFAULT 'waiting'
                               CHECK (state IN ('waiting', 'sent', 'folded', 'dead')),
    folded_into    bigint      REFERENCES mail,
    queued_at      timestamptz NOT NULL,
    next_at        timestamptz NOT NULL,
    attempts       integer     NOT NULL DEFAULT 0,
    last_error     text,
    ended_at       timestamptz,
    claimed_until  timestamptz,
    CHECK ((state = 'folded') = (folded_into IS NOT NULL)),
    CHECK ((state = 'waiting') = (ended_at IS NULL))
);
CREATE INDEX mail_due ON mail (next_at) WHERE state = 'waiting';
CREATE INDEX mail_person ON mail (person, queued_at DESC);
CREATE UNIQUE INDEX mail_notice ON mail (notice) WHERE notice IS NOT NULL;

-- Public alerts as they were issued (CAP 1.2); never changed but for `ended`.
CREATE TABLE cap_alert (
    identifier  text        PRIMARY KEY,
    event       bigint      NOT NULL REFERENCES grid_event,
    number      text        NOT NULL,
    msg_type    text        NOT NULL CHECK (msg_type IN ('Alert', 'Update', 'Cancel')),
    sender      text        NOT NULL,
    sent        text        NOT NULL CHECK (sent ~ '[-+][0-9]{2}:[0-9]{2}$'),
    sent_at     timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL,
    severity    text        NOT NULL,
    title       text        NOT NULL,
    facts       text        NOT NULL,             -- digest of what the public was told
    ended       boolean     NOT NULL,             -- a later message stands in its place
    xml         text        NOT NULL
);
CREATE INDEX cap_alert_event ON cap_alert (event, sent_at);
CREATE INDEX cap_alert_sent ON cap_alert (sent_at DESC);
-- one message of an event stands at a time; those that end soon are renewed
CREATE UNIQUE INDEX cap_alert_standing ON cap_alert (event) WHERE NOT ended;
CREATE INDEX cap_alert_expiring ON cap_alert (expires_at) WHERE NOT ended AND msg_type <> 'Cancel';

-- What came in by the public face (Open311). The reporter's own data is never shown there.
CREATE TABLE open311_request (
    token        text        PRIMARY KEY,         -- unguessable; asks for the number
    event        bigint      NOT NULL REFERENCES grid_event,
    at           timestamptz NOT NULL,
    description  text        NOT NULL,
    address      text        NOT NULL DEFAULT '',
    photo        text        REFERENCES evidence,
    first_name   text        NOT NULL DEFAULT '',
    last_name    text        NOT NULL DEFAULT '',
    email        text        NOT NULL DEFAULT '',
    phone        text        NOT NULL DEFAULT ''
);
CREATE INDEX open311_request_event ON open311_request (event, at);
CREATE INDEX open311_request_photo ON open311_request (photo) WHERE photo IS NOT NULL;

-- Alerts of monitoring systems, by what they call themselves; a repeated one is the same.
CREATE TABLE outside_alert (
    fingerprint  text        NOT NULL,
    starts_at    timestamptz NOT NULL,
    event        bigint      NOT NULL REFERENCES grid_event,
    resolved_at  timestamptz,
    PRIMARY KEY (fingerprint, starts_at)
);
CREATE INDEX outside_alert_event ON outside_alert (event);

INSERT INTO schema_version (version) VALUES (11);
