-- What the migrations add up to. Written by `python -m hub.store.schema`; to be read, not run.

CREATE OR REPLACE FUNCTION public.audit_is_append_only()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.outcome IS NULL AND NEW.outcome IS NOT NULL
       AND (NEW.id, NEW.at, NEW.actor, NEW.role, NEW.login, NEW.via, NEW.address, NEW.action,
            NEW.subject)
           IS NOT DISTINCT FROM
           (OLD.id, OLD.at, OLD.actor, OLD.role, OLD.login, OLD.via, OLD.address, OLD.action,
            OLD.subject) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'the audit log is append-only' USING ERRCODE = 'restrict_violation';
END $function$;

CREATE OR REPLACE FUNCTION public.checkpoints_are_append_only()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    RAISE EXCEPTION 'checkpoints of the history are append-only';
END $function$;

CREATE OR REPLACE FUNCTION public.event_family(wanted bigint)
 RETURNS SETOF bigint
 LANGUAGE sql
 STABLE ROWS 2
AS $function$
    WITH RECURSIVE family (event) AS (
        SELECT wanted
        UNION
        SELECT g.id FROM family f JOIN grid_event g ON g.parent = f.event
    )
    SELECT event FROM family
$function$;

CREATE OR REPLACE FUNCTION public.events_of_evidence(wanted text)
 RETURNS SETOF bigint
 LANGUAGE sql
 STABLE
AS $function$
    WITH RECURSIVE found (event) AS (
        SELECT d.event FROM detection_evidence e JOIN detection d USING (episode)
        WHERE e.digest = wanted AND d.event IS NOT NULL
        UNION
        SELECT p.event FROM event_evidence p WHERE p.digest = wanted
        UNION
        SELECT g.parent FROM found f JOIN grid_event g ON g.id = f.event
        WHERE g.parent IS NOT NULL
    )
    SELECT event FROM found
$function$;

CREATE OR REPLACE FUNCTION public.grid_event_has_its_history()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.version = NEW.version AND OLD.state = NEW.state THEN
        RETURN NULL;
    END IF;
    IF NEW.version <> (CASE TG_OP WHEN 'INSERT' THEN 0 ELSE OLD.version END) + 1
       OR NOT EXISTS (SELECT FROM grid_event_history h
                      WHERE h.event = NEW.id AND h.n = NEW.version AND h.to_state = NEW.state
                        AND h.from_state IS NOT DISTINCT FROM
                            CASE TG_OP WHEN 'INSERT' THEN NULL ELSE OLD.state END) THEN
        RAISE EXCEPTION 'grid event % became % without the history entry that tells it',
            NEW.number, NEW.state USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $function$;

CREATE OR REPLACE FUNCTION public.held_evidence_stays()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    IF EXISTS (SELECT FROM evidence_hold h
               WHERE h.released_at IS NULL
                 AND (h.digest = OLD.digest
                      OR h.event IN (SELECT events_of_evidence(OLD.digest)))) THEN
        RAISE EXCEPTION 'evidence % is held and cannot be erased', OLD.digest
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $function$;

CREATE OR REPLACE FUNCTION public.history_has_its_grid_event()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    IF NOT EXISTS (SELECT FROM grid_event e WHERE e.id = NEW.event AND e.version >= NEW.n) THEN
        RAISE EXCEPTION 'history entry % of grid event % tells of nothing that happened',
            NEW.n, NEW.event USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $function$;

CREATE OR REPLACE FUNCTION public.history_is_append_only()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    RAISE EXCEPTION 'the history of grid events is append-only';
END $function$;

CREATE OR REPLACE FUNCTION public.note_finished_case()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    INSERT INTO case_pending (event) VALUES (NEW.id) ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$function$;

CREATE TABLE account (
    id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    login text NOT NULL,
    login_key text NOT NULL,
    person text,
    role text NOT NULL,
    cells text[] DEFAULT '{}'::text[] NOT NULL,
    unit text,
    password_hash text,
    created_at timestamp with time zone NOT NULL,
    created_by text NOT NULL,
    password_at timestamp with time zone,
    disabled_at timestamp with time zone,
    UNIQUE (login_key),
    PRIMARY KEY (id),
    FOREIGN KEY (person) REFERENCES person(code),
    CHECK (((password_hash IS NULL) = (password_at IS NULL))),
    CHECK ((login <> ''::text)),
    CHECK ((role = ANY (ARRAY['assistant'::text, 'leader'::text, 'master'::text, 'dispatcher'::text, 'dept'::text, 'supervisor'::text, 'citizen'::text, 'monitor'::text])))
);
CREATE UNIQUE INDEX account_person ON public.account USING btree (person) WHERE (disabled_at IS NULL);

CREATE TABLE account_session (
    id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    account bigint NOT NULL,
    token_hash text NOT NULL,
    begun_at timestamp with time zone NOT NULL,
    seen_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    address text NOT NULL,
    browser text NOT NULL,
    role text,
    unit text,
    UNIQUE (token_hash),
    PRIMARY KEY (id),
    FOREIGN KEY (account) REFERENCES account(id),
    CHECK (((role IS NOT NULL) OR (unit IS NULL)))
);
CREATE INDEX account_session_account ON public.account_session USING btree (account) WHERE (ended_at IS NULL);

CREATE TABLE agent (
    agent text NOT NULL,
    station text NOT NULL,
    boot text,
    online boolean DEFAULT false NOT NULL,
    born_at timestamp with time zone,
    seen_at timestamp with time zone,
    manifest jsonb,
    clock_offset_s double precision,
    first_seen_at timestamp with time zone DEFAULT now() NOT NULL,
    first_detection bigint,
    PRIMARY KEY (agent)
);

CREATE TABLE api_token (
    id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    account bigint NOT NULL,
    name text NOT NULL,
    token_hash text NOT NULL,
    role text NOT NULL,
    cells text[] DEFAULT '{}'::text[] NOT NULL,
    created_at timestamp with time zone NOT NULL,
    created_by text NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    last_used_at timestamp with time zone,
    last_used_from text,
    revoked_at timestamp with time zone,
    UNIQUE (token_hash),
    PRIMARY KEY (id),
    FOREIGN KEY (account) REFERENCES account(id),
    CHECK ((name <> ''::text))
);
CREATE INDEX api_token_account ON public.api_token USING btree (account);

CREATE TABLE audit (
    id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    at timestamp with time zone NOT NULL,
    actor text NOT NULL,
    role text NOT NULL,
    login text NOT NULL,
    via text NOT NULL,
    address text NOT NULL,
    action text NOT NULL,
    subject text NOT NULL,
    detail text DEFAULT ''::text NOT NULL,
    outcome text,
    PRIMARY KEY (id),
    CHECK ((outcome = ANY (ARRAY['done'::text, 'refused'::text, 'failed'::text]))),
    CHECK ((via = ANY (ARRAY['password'::text, 'link'::text, 'session'::text, 'token'::text, 'command'::text])))
);
CREATE INDEX audit_action ON public.audit USING btree (action, id);
CREATE INDEX audit_actor ON public.audit USING btree (actor, id);
CREATE INDEX audit_at ON public.audit USING btree (at);
CREATE INDEX audit_login ON public.audit USING btree (login, id);
CREATE INDEX audit_subject ON public.audit USING btree (subject, id);
CREATE TRIGGER audit_append_only BEFORE DELETE OR UPDATE ON public.audit FOR EACH ROW EXECUTE FUNCTION audit_is_append_only();
CREATE TRIGGER audit_never_emptied BEFORE TRUNCATE ON public.audit FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();

CREATE TABLE budget_line (
    cell text NOT NULL,
    year smallint NOT NULL,
    amount_fen bigint NOT NULL,
    note text DEFAULT ''::text NOT NULL,
    PRIMARY KEY (cell, year),
    FOREIGN KEY (cell) REFERENCES grid_cell(code),
    CHECK ((amount_fen >= 0)),
    CHECK (((year >= 2000) AND (year <= 2200)))
);

CREATE TABLE camera_look (
    event bigint NOT NULL,
    next_at timestamp with time zone,
    looked_at timestamp with time zone,
    outcome text,
    cameras jsonb DEFAULT '[]'::jsonb NOT NULL,
    begun_at timestamp with time zone NOT NULL,
    PRIMARY KEY (event),
    FOREIGN KEY (event) REFERENCES grid_event(id),
    CHECK ((outcome = ANY (ARRAY['clear'::text, 'still_seen'::text, 'cannot_tell'::text])))
);
CREATE INDEX camera_look_due ON public.camera_look USING btree (next_at) WHERE (next_at IS NOT NULL);

CREATE TABLE camera_state (
    agent text NOT NULL,
    stream text NOT NULL,
    cell text,
    state text NOT NULL,
    begun_at timestamp with time zone NOT NULL,
    heard_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    PRIMARY KEY (agent, stream, begun_at),
    FOREIGN KEY (agent, stream) REFERENCES stream(agent, stream),
    FOREIGN KEY (cell) REFERENCES grid_cell(code),
    CHECK ((ended_at > begun_at))
);
CREATE INDEX camera_state_ended ON public.camera_state USING btree (ended_at);
CREATE UNIQUE INDEX camera_state_open ON public.camera_state USING btree (agent, stream) WHERE (ended_at IS NULL);

CREATE TABLE cap_alert (
    identifier text NOT NULL,
    event bigint NOT NULL,
    number text NOT NULL,
    msg_type text NOT NULL,
    sender text NOT NULL,
    sent text NOT NULL,
    sent_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    severity text NOT NULL,
    title text NOT NULL,
    facts text NOT NULL,
    ended boolean NOT NULL,
    xml text NOT NULL,
    id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    UNIQUE (id),
    PRIMARY KEY (identifier),
    FOREIGN KEY (event) REFERENCES grid_event(id),
    CHECK ((msg_type = ANY (ARRAY['Alert'::text, 'Update'::text, 'Cancel'::text]))),
    CHECK ((sent ~ '[-+][0-9]{2}:[0-9]{2}$'::text))
);
CREATE INDEX cap_alert_event ON public.cap_alert USING btree (event, sent_at);
CREATE INDEX cap_alert_expiring ON public.cap_alert USING btree (expires_at) WHERE ((NOT ended) AND (msg_type <> 'Cancel'::text));
CREATE INDEX cap_alert_sent ON public.cap_alert USING btree (sent_at DESC);
CREATE UNIQUE INDEX cap_alert_standing ON public.cap_alert USING btree (event) WHERE (NOT ended);

CREATE TABLE case_fact (
    event bigint NOT NULL,
    n integer NOT NULL,
    rules text NOT NULL,
    last_at timestamp with time zone NOT NULL,
    span tstzrange NOT NULL,
    facts bytea NOT NULL,
    PRIMARY KEY (event),
    FOREIGN KEY (event) REFERENCES grid_event(id),
    CHECK ((n >= 1))
);
CREATE INDEX case_fact_span ON public.case_fact USING gist (span);

CREATE TABLE case_pending (
    event bigint NOT NULL,
    PRIMARY KEY (event),
    FOREIGN KEY (event) REFERENCES grid_event(id)
);

CREATE TABLE clock_rules (
    one boolean DEFAULT true NOT NULL,
    fingerprint text NOT NULL,
    since timestamp with time zone NOT NULL,
    PRIMARY KEY (one),
    CHECK (one)
);

CREATE TABLE cohandler (
    event bigint NOT NULL,
    unit text NOT NULL,
    part text DEFAULT ''::text NOT NULL,
    added_at timestamp with time zone NOT NULL,
    added_by text NOT NULL,
    done_at timestamp with time zone,
    done_by text,
    note text DEFAULT ''::text NOT NULL,
    PRIMARY KEY (event, unit),
    FOREIGN KEY (event) REFERENCES grid_event(id),
    CHECK (((done_at IS NULL) = (done_by IS NULL)))
);
CREATE INDEX cohandler_unit ON public.cohandler USING btree (unit, event);

CREATE TABLE command (
    agent text NOT NULL,
    version bigint NOT NULL,
    issued_at timestamp with time zone NOT NULL,
    issued_by text NOT NULL,
    note text DEFAULT ''::text NOT NULL,
    parameters jsonb NOT NULL,
    published_at timestamp with time zone,
    answered_at timestamp with time zone,
    errors jsonb DEFAULT '[]'::jsonb NOT NULL,
    PRIMARY KEY (agent, version),
    FOREIGN KEY (agent) REFERENCES agent(agent),
    CHECK ((version >= 1))
);
CREATE INDEX command_unpublished ON public.command USING btree (agent) WHERE (published_at IS NULL);

CREATE TABLE control_window (
    id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    kind text NOT NULL,
    category text,
    subcategory text,
    detector text,
    cells text[] DEFAULT '{}'::text[] NOT NULL,
    agent text,
    stream text,
    from_at timestamp with time zone NOT NULL,
    until_at timestamp with time zone NOT NULL,
    reason text NOT NULL,
    permit text DEFAULT ''::text NOT NULL,
    made_at timestamp with time zone NOT NULL,
    made_by text NOT NULL,
    event bigint,
    ended_at timestamp with time zone,
    ended_by text,
    PRIMARY KEY (id),
    FOREIGN KEY (event) REFERENCES grid_event(id),
    CHECK ((from_at < until_at)),
    CHECK (((cells = '{}'::text[]) <> (stream IS NULL))),
    CHECK (((agent IS NULL) = (stream IS NULL))),
    CHECK (((ended_at IS NULL) = (ended_by IS NULL))),
    CHECK ((kind = ANY (ARRAY['works'::text, 'silence'::text]))),
    CHECK ((reason <> ''::text))
);
CREATE INDEX control_window_standing ON public.control_window USING btree (until_at) WHERE (ended_at IS NULL);

CREATE TABLE detection (
    episode uuid NOT NULL,
    station text NOT NULL,
    agent text NOT NULL,
    boot text NOT NULL,
    stream text NOT NULL,
    kind text NOT NULL,
    label text NOT NULL,
    place text DEFAULT ''::text NOT NULL,
    phase text NOT NULL,
    revision integer NOT NULL,
    started_at timestamp with time zone NOT NULL,
    raised_at timestamp with time zone NOT NULL,
    raised_frame bigint NOT NULL,
    captured_at timestamp with time zone NOT NULL,
    score double precision NOT NULL,
    peak_score double precision NOT NULL,
    box jsonb,
    lon double precision,
    lat double precision,
    cell text,
    rule jsonb NOT NULL,
    scores jsonb DEFAULT '[]'::jsonb NOT NULL,
    detector_version text DEFAULT ''::text NOT NULL,
    event bigint,
    received_at timestamp with time zone NOT NULL,
    late boolean DEFAULT false NOT NULL,
    test boolean DEFAULT false NOT NULL,
    seq bigint DEFAULT 0 NOT NULL,
    lost_sight_at timestamp with time zone,
    PRIMARY KEY (episode),
    FOREIGN KEY (cell) REFERENCES grid_cell(code),
    FOREIGN KEY (event) REFERENCES grid_event(id),
    CHECK (((peak_score >= (0)::double precision) AND (peak_score <= (1)::double precision))),
    CHECK ((phase = ANY (ARRAY['raised'::text, 'updated'::text, 'cleared'::text]))),
    CHECK (((score >= (0)::double precision) AND (score <= (1)::double precision)))
);
CREATE INDEX detection_event ON public.detection USING btree (event);
CREATE INDEX detection_open ON public.detection USING btree (agent) WHERE ((phase <> 'cleared'::text) AND (lost_sight_at IS NULL));
CREATE INDEX detection_stream ON public.detection USING btree (agent, stream, raised_at DESC);
CREATE INDEX detection_test ON public.detection USING btree (agent, stream, received_at DESC) WHERE test;

CREATE TABLE detection_change (
    agent text NOT NULL,
    boot text NOT NULL,
    seq bigint NOT NULL,
    episode uuid NOT NULL,
    revision integer NOT NULL,
    phase text NOT NULL,
    captured_at timestamp with time zone NOT NULL,
    received_at timestamp with time zone NOT NULL,
    committed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    body jsonb NOT NULL,
    CHECK ((phase = ANY (ARRAY['raised'::text, 'updated'::text, 'cleared'::text])))
);
CREATE INDEX detection_change_episode ON public.detection_change USING btree (episode);

CREATE TABLE detection_evidence (
    episode uuid NOT NULL,
    digest text NOT NULL,
    role text NOT NULL,
    captured_at timestamp with time zone NOT NULL,
    PRIMARY KEY (episode, digest)
);
CREATE INDEX detection_evidence_digest ON public.detection_evidence USING btree (digest);

CREATE TABLE discarded (
    agent text NOT NULL,
    boot text NOT NULL,
    lane text NOT NULL,
    device text NOT NULL,
    n bigint NOT NULL,
    per_minute bigint NOT NULL,
    first_at timestamp with time zone NOT NULL,
    last_at timestamp with time zone NOT NULL,
    PRIMARY KEY (agent, boot, lane, device),
    CHECK ((n > 0))
);
CREATE INDEX discarded_last ON public.discarded USING btree (last_at DESC);

CREATE TABLE enrolment (
    agent text NOT NULL,
    station text NOT NULL,
    credential text NOT NULL,
    password_hash text,
    serial text,
    enrolled_at timestamp with time zone NOT NULL,
    issued_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone,
    revoked_at timestamp with time zone,
    login text,
    former_login text,
    former_hash text,
    former_until timestamp with time zone,
    UNIQUE (login),
    UNIQUE (serial),
    PRIMARY KEY (agent),
    CHECK (((password_hash IS NOT NULL) = ((credential = 'password'::text) AND (revoked_at IS NULL)))),
    CHECK (((serial IS NOT NULL) = (credential = 'certificate'::text))),
    CHECK (((serial IS NULL) = (expires_at IS NULL))),
    CHECK (((former_login IS NULL) = (former_hash IS NULL))),
    CHECK (((former_until IS NOT NULL) OR (former_login IS NULL))),
    CHECK ((credential = ANY (ARRAY['password'::text, 'certificate'::text])))
);

CREATE TABLE event_entry (
    id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    event bigint NOT NULL,
    entry bigint NOT NULL,
    relation text NOT NULL,
    linked_at timestamp with time zone NOT NULL,
    linked_by text NOT NULL,
    removed_at timestamp with time zone,
    removed_by text,
    PRIMARY KEY (id),
    FOREIGN KEY (entry) REFERENCES registry_entry(id),
    FOREIGN KEY (event) REFERENCES grid_event(id),
    CHECK (((removed_at IS NULL) = (removed_by IS NULL))),
    CHECK ((relation = ANY (ARRAY['concerns'::text, 'at'::text, 'caused_by'::text, 'reported_by'::text, 'owned_by'::text])))
);
CREATE INDEX event_entry_entry ON public.event_entry USING btree (entry);
CREATE UNIQUE INDEX event_entry_once ON public.event_entry USING btree (event, entry, relation) WHERE (removed_at IS NULL);

CREATE TABLE event_evidence (
    event bigint NOT NULL,
    digest text NOT NULL,
    history_n integer NOT NULL,
    PRIMARY KEY (event, digest),
    FOREIGN KEY (digest) REFERENCES evidence(digest),
    FOREIGN KEY (event) REFERENCES grid_event(id)
);

CREATE TABLE evidence (
    digest text NOT NULL,
    agent text,
    stream text,
    media_type text NOT NULL,
    total bigint NOT NULL,
    received int8multirange DEFAULT '{}'::int8multirange NOT NULL,
    captured_at timestamp with time zone NOT NULL,
    complete_at timestamp with time zone,
    last_at timestamp with time zone DEFAULT now() NOT NULL,
    look_at timestamp with time zone DEFAULT now() NOT NULL,
    erased_at timestamp with time zone,
    erased_by text,
    erased_why text,
    gone_at timestamp with time zone,
    PRIMARY KEY (digest),
    CHECK ((num_nonnulls(erased_at, erased_by, erased_why) = ANY (ARRAY[0, 3]))),
    CHECK (((gone_at IS NULL) OR (erased_at IS NOT NULL))),
    CHECK ((digest ~ '^[0-9a-f]{64}$'::text)),
    CHECK ((total > 0))
);
CREATE INDEX evidence_going ON public.evidence USING btree (digest) WHERE ((erased_at IS NOT NULL) AND (gone_at IS NULL));
CREATE INDEX evidence_look ON public.evidence USING btree (look_at) WHERE (erased_at IS NULL);
CREATE TRIGGER evidence_held BEFORE UPDATE OF erased_at ON public.evidence FOR EACH ROW WHEN (((new.erased_at IS NOT NULL) AND (old.erased_at IS NULL))) EXECUTE FUNCTION held_evidence_stays();

CREATE TABLE evidence_hold (
    id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    event bigint,
    digest text,
    placed_at timestamp with time zone NOT NULL,
    placed_by text NOT NULL,
    reason text NOT NULL,
    released_at timestamp with time zone,
    released_by text,
    release_reason text,
    PRIMARY KEY (id),
    FOREIGN KEY (event) REFERENCES grid_event(id),
    CHECK ((num_nonnulls(event, digest) = 1)),
    CHECK ((num_nonnulls(released_at, released_by, release_reason) = ANY (ARRAY[0, 3]))),
    CHECK ((reason <> ''::text)),
    CHECK ((release_reason <> ''::text))
);
CREATE UNIQUE INDEX evidence_hold_digest ON public.evidence_hold USING btree (digest) WHERE ((released_at IS NULL) AND (digest IS NOT NULL));
CREATE UNIQUE INDEX evidence_hold_event ON public.evidence_hold USING btree (event) WHERE ((released_at IS NULL) AND (event IS NOT NULL));

CREATE TABLE evidence_wanted (
    digest text NOT NULL,
    agent text NOT NULL,
    since timestamp with time zone NOT NULL,
    asked_at timestamp with time zone NOT NULL,
    PRIMARY KEY (digest),
    FOREIGN KEY (agent) REFERENCES agent(agent),
    CHECK ((digest ~ '^[0-9a-f]{64}$'::text))
);
CREATE INDEX evidence_wanted_agent ON public.evidence_wanted USING btree (agent);

CREATE TABLE grid_cell (
    code text NOT NULL,
    level smallint NOT NULL,
    parent text,
    name_en text NOT NULL,
    name_zh text NOT NULL,
    polygon jsonb NOT NULL,
    valid_from timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    valid_to timestamp with time zone DEFAULT 'infinity'::timestamp with time zone NOT NULL,
    PRIMARY KEY (code),
    FOREIGN KEY (parent) REFERENCES grid_cell(code),
    CHECK ((level =
CASE length(code)
    WHEN 6 THEN 3
    WHEN 12 THEN 2
    ELSE 1
END)),
    CHECK (((parent IS NULL) = (level = 3))),
    CHECK (((parent IS NULL) OR starts_with(code, parent))),
    CHECK ((valid_from < valid_to)),
    CHECK ((code ~ '^([0-9]{6}|[0-9]{12}|[0-9]{15})$'::text)),
    CHECK ((level = ANY (ARRAY[1, 2, 3])))
);

CREATE TABLE grid_event (
    id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    number text NOT NULL,
    state text NOT NULL,
    origin text NOT NULL,
    ever_reported boolean NOT NULL,
    category text NOT NULL,
    subcategory text NOT NULL,
    merge_group text NOT NULL,
    severity text NOT NULL,
    title text NOT NULL,
    lon double precision,
    lat double precision,
    cell text,
    occurred_at timestamp with time zone NOT NULL,
    last_seen_at timestamp with time zone NOT NULL,
    opened_at timestamp with time zone NOT NULL,
    decide_by timestamp with time zone,
    due_at timestamp with time zone,
    scene_cleared_at timestamp with time zone,
    confirmation text DEFAULT 'none'::text NOT NULL,
    level smallint DEFAULT 1 NOT NULL,
    urgent boolean DEFAULT false NOT NULL,
    supervised boolean DEFAULT false NOT NULL,
    exempt boolean DEFAULT false NOT NULL,
    forced boolean DEFAULT false NOT NULL,
    extension_count integer DEFAULT 0 NOT NULL,
    rework_count integer DEFAULT 0 NOT NULL,
    reopened_count integer DEFAULT 0 NOT NULL,
    satisfaction smallint,
    parent bigint,
    responsible_unit text,
    assignee text,
    filing_condition text,
    filed_at timestamp with time zone,
    ended_at timestamp with time zone,
    reject_reason text,
    test boolean DEFAULT false NOT NULL,
    version integer NOT NULL,
    close_by timestamp with time zone,
    next_rung_at timestamp with time zone,
    state_ends_at timestamp with time zone,
    sealed integer DEFAULT 0 NOT NULL,
    recurrence_of bigint,
    occurrence smallint DEFAULT 1 NOT NULL,
    corroborated_at timestamp with time zone,
    by_itself jsonb,
    UNIQUE (number),
    TRIGGER DEFERRABLE INITIALLY DEFERRED,
    PRIMARY KEY (id),
    FOREIGN KEY (cell) REFERENCES grid_cell(code),
    FOREIGN KEY (parent) REFERENCES grid_event(id),
    FOREIGN KEY (recurrence_of) REFERENCES grid_event(id),
    CHECK ((category = ANY (ARRAY['public_security'::text, 'urban_management'::text, 'fire_safety'::text, 'traffic_safety'::text, 'environmental_safety'::text, 'letters_and_visits'::text, 'ethnic_and_religious_affairs'::text, 'land_supervision'::text, 'peoples_livelihood'::text]))),
    CHECK (((lon IS NULL) = (lat IS NULL))),
    CHECK ((parent <> id)),
    CHECK (((state <> ALL (ARRAY['filed'::text, 'dispatched'::text, 'disposing'::text, 'suspended'::text, 'disposed'::text, 'checking'::text, 'closed'::text, 'voided'::text])) OR (filed_at IS NOT NULL))),
    CHECK (((state = ANY (ARRAY['closed'::text, 'rejected'::text, 'merged'::text, 'lapsed'::text, 'voided'::text])) = (ended_at IS NOT NULL))),
    CHECK (((state = 'merged'::text) = (parent IS NOT NULL))),
    CHECK (((state <> 'rejected'::text) OR (reject_reason IS NOT NULL))),
    CHECK (((state <> 'dispatched'::text) OR (responsible_unit IS NOT NULL))),
    CHECK ((confirmation = ANY (ARRAY['none'::text, 'pending'::text, 'human'::text, 'waived'::text]))),
    CHECK (((extension_count >= 0) AND (extension_count <= 2))),
    CHECK (((lat >= ('-90'::integer)::double precision) AND (lat <= (90)::double precision))),
    CHECK (((level >= 1) AND (level <= 3))),
    CHECK (((lon >= ('-180'::integer)::double precision) AND (lon <= (180)::double precision))),
    CHECK ((origin = ANY (ARRAY['machine'::text, 'manual'::text]))),
    CHECK (((recurrence_of <> id) AND (occurrence >= 1))),
    CHECK ((reopened_count >= 0)),
    CHECK ((rework_count >= 0)),
    CHECK (((satisfaction >= 1) AND (satisfaction <= 5))),
    CHECK ((severity = ANY (ARRAY['S1'::text, 'S2'::text, 'S3'::text, 'S4'::text]))),
    CHECK ((state = ANY (ARRAY['suspected'::text, 'reported'::text, 'verifying'::text, 'filed'::text, 'dispatched'::text, 'disposing'::text, 'suspended'::text, 'disposed'::text, 'checking'::text, 'closed'::text, 'rejected'::text, 'merged'::text, 'lapsed'::text, 'voided'::text]))),
    CHECK ((version >= 1))
);
CREATE INDEX grid_event_assignee ON public.grid_event USING btree (assignee, id) WHERE ((ended_at IS NULL) AND (assignee IS NOT NULL));
CREATE INDEX grid_event_cleared ON public.grid_event USING btree (merge_group, scene_cleared_at) WHERE (state = 'suspected'::text);
CREATE INDEX grid_event_ended ON public.grid_event USING btree (merge_group, lat, ended_at) WHERE (ended_at IS NOT NULL);
CREATE INDEX grid_event_filed ON public.grid_event USING btree (filed_at, id) WHERE (state = 'filed'::text);
CREATE INDEX grid_event_live ON public.grid_event USING btree (merge_group, lat, lon) WHERE (ended_at IS NULL);
CREATE INDEX grid_event_live_cell ON public.grid_event USING btree (cell, last_seen_at) WHERE (ended_at IS NULL);
CREATE INDEX grid_event_of_unit ON public.grid_event USING btree (responsible_unit, id) WHERE ((ended_at IS NULL) AND (responsible_unit IS NOT NULL));
CREATE INDEX grid_event_parent ON public.grid_event USING btree (parent) WHERE (parent IS NOT NULL);
CREATE INDEX grid_event_pending ON public.grid_event USING btree (severity, id) WHERE ((confirmation = 'pending'::text) AND (ended_at IS NULL));
CREATE INDEX grid_event_queue ON public.grid_event USING btree (severity, decide_by, id) INCLUDE (cell) WHERE ((state = ANY (ARRAY['suspected'::text, 'reported'::text])) AND (NOT test));
CREATE INDEX grid_event_recurrence ON public.grid_event USING btree (recurrence_of) WHERE (recurrence_of IS NOT NULL);
CREATE INDEX grid_event_rung ON public.grid_event USING btree (next_rung_at) WHERE (next_rung_at IS NOT NULL);
CREATE INDEX grid_event_state_ends ON public.grid_event USING btree (state_ends_at) WHERE (state_ends_at IS NOT NULL);
CREATE INDEX grid_event_unsealed ON public.grid_event USING btree (id) WHERE (version > sealed);
CREATE CONSTRAINT TRIGGER grid_event_has_its_history AFTER INSERT OR UPDATE OF state, version ON public.grid_event DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION grid_event_has_its_history();
CREATE TRIGGER grid_event_finished AFTER INSERT OR UPDATE OF version ON public.grid_event FOR EACH ROW WHEN (((new.ended_at IS NOT NULL) AND (NOT new.test))) EXECUTE FUNCTION note_finished_case();

CREATE TABLE grid_event_counter (
    district text NOT NULL,
    day date NOT NULL,
    last integer NOT NULL,
    PRIMARY KEY (district, day),
    CHECK ((last >= 1))
);

CREATE TABLE grid_event_history (
    event bigint NOT NULL,
    n integer NOT NULL,
    at timestamp with time zone NOT NULL,
    name text NOT NULL,
    from_state text,
    to_state text NOT NULL,
    role text NOT NULL,
    actor text NOT NULL,
    reason text,
    facts jsonb DEFAULT '{}'::jsonb NOT NULL,
    prev_hash text NOT NULL,
    hash text NOT NULL,
    TRIGGER DEFERRABLE INITIALLY DEFERRED,
    PRIMARY KEY (event, n),
    FOREIGN KEY (event) REFERENCES grid_event(id),
    CHECK ((n >= 1))
);
CREATE CONSTRAINT TRIGGER history_has_its_grid_event AFTER INSERT ON public.grid_event_history DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION history_has_its_grid_event();
CREATE TRIGGER grid_event_history_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.grid_event_history FOR EACH STATEMENT EXECUTE FUNCTION history_is_append_only();

CREATE TABLE grid_outline (
    cell text NOT NULL,
    name_en text NOT NULL,
    name_zh text NOT NULL,
    polygon jsonb NOT NULL,
    valid_from timestamp with time zone NOT NULL,
    valid_to timestamp with time zone NOT NULL,
    PRIMARY KEY (cell, valid_from),
    FOREIGN KEY (cell) REFERENCES grid_cell(code),
    CHECK ((valid_from < valid_to))
);

CREATE TABLE health (
    captured_at timestamp with time zone NOT NULL,
    received_at timestamp with time zone NOT NULL,
    agent text NOT NULL,
    body jsonb NOT NULL
) PARTITION BY RANGE (received_at);
-- or a hypertable, with TimescaleDB
CREATE INDEX health_agent ON public.health USING btree (agent, received_at DESC);

CREATE TABLE history_checkpoint (
    id bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    heads integer NOT NULL,
    prev_hash text NOT NULL,
    hash text NOT NULL,
    PRIMARY KEY (id),
    CHECK ((heads >= 1)),
    CHECK ((id >= 1))
);
CREATE TRIGGER history_checkpoint_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.history_checkpoint FOR EACH STATEMENT EXECUTE FUNCTION checkpoints_are_append_only();

CREATE TABLE history_head (
    checkpoint bigint NOT NULL,
    event bigint NOT NULL,
    number text NOT NULL,
    n integer NOT NULL,
    hash text NOT NULL,
    PRIMARY KEY (checkpoint, event),
    FOREIGN KEY (checkpoint) REFERENCES history_checkpoint(id),
    CHECK ((n >= 1))
);
CREATE TRIGGER history_head_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.history_head FOR EACH STATEMENT EXECUTE FUNCTION checkpoints_are_append_only();

CREATE TABLE hub (
    only_row boolean DEFAULT true NOT NULL,
    epoch text NOT NULL,
    incarnation text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    PRIMARY KEY (only_row),
    CHECK (only_row)
);

CREATE TABLE judged (
    agent text NOT NULL,
    stream text NOT NULL,
    kind text NOT NULL,
    label text NOT NULL,
    at timestamp with time zone NOT NULL,
    verdict bigint NOT NULL,
    good boolean NOT NULL,
    score double precision NOT NULL,
    PRIMARY KEY (agent, stream, kind, label, at, verdict),
    FOREIGN KEY (verdict) REFERENCES verdict(id),
    CHECK (((score >= (0)::double precision) AND (score <= (1)::double precision)))
);
CREATE INDEX judged_verdict ON public.judged USING btree (verdict);

CREATE TABLE ledger (
    agent text NOT NULL,
    boot text NOT NULL,
    lane text NOT NULL,
    watermark bigint DEFAULT 0 NOT NULL,
    received int8multirange DEFAULT '{}'::int8multirange NOT NULL,
    lost int8multirange DEFAULT '{}'::int8multirange NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    closed_at timestamp with time zone,
    PRIMARY KEY (agent, boot, lane),
    CHECK ((lane = ANY (ARRAY['detection'::text, 'evidence'::text, 'reading'::text, 'score'::text, 'health'::text]))),
    CHECK ((watermark >= 0))
);

CREATE TABLE look (
    id uuid NOT NULL,
    event bigint NOT NULL,
    agent text NOT NULL,
    stream text NOT NULL,
    question jsonb NOT NULL,
    asked_at timestamp with time zone NOT NULL,
    until timestamp with time zone NOT NULL,
    sent_at timestamp with time zone,
    answered_at timestamp with time zone,
    outcome text,
    reason text DEFAULT ''::text NOT NULL,
    score real,
    threshold real,
    frames integer,
    picture text,
    PRIMARY KEY (id),
    FOREIGN KEY (event) REFERENCES grid_event(id),
    CHECK ((until > asked_at)),
    CHECK (((answered_at IS NULL) = (outcome IS NULL))),
    CHECK ((outcome = ANY (ARRAY['seen'::text, 'clear'::text, 'cannot_tell'::text])))
);
CREATE INDEX look_event ON public.look USING btree (event, asked_at);
CREATE INDEX look_unsent ON public.look USING btree (until) WHERE ((sent_at IS NULL) AND (answered_at IS NULL));

CREATE TABLE mail (
    id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    notice bigint,
    person text NOT NULL,
    address text NOT NULL,
    language text NOT NULL,
    severity text,
    state text DEFAULT 'waiting'::text NOT NULL,
    folded_into bigint,
    queued_at timestamp with time zone NOT NULL,
    next_at timestamp with time zone NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    last_error text,
    ended_at timestamp with time zone,
    claimed_until timestamp with time zone,
    report bigint,
    PRIMARY KEY (id),
    FOREIGN KEY (folded_into) REFERENCES mail(id),
    FOREIGN KEY (notice) REFERENCES notice(id),
    FOREIGN KEY (report) REFERENCES report(id),
    CHECK (((state = 'folded'::text) = (folded_into IS NOT NULL))),
    CHECK (((state = 'waiting'::text) = (ended_at IS NULL))),
    CHECK (((notice IS NULL) OR (report IS NULL))),
    CHECK ((language = ANY (ARRAY['zh'::text, 'en'::text]))),
    CHECK ((state = ANY (ARRAY['waiting'::text, 'sent'::text, 'folded'::text, 'dead'::text])))
);
CREATE INDEX mail_due ON public.mail USING btree (next_at) WHERE (state = 'waiting'::text);
CREATE INDEX mail_ended ON public.mail USING btree (ended_at) WHERE ((ended_at IS NOT NULL) AND (folded_into IS NULL));
CREATE INDEX mail_folded ON public.mail USING btree (folded_into) WHERE (folded_into IS NOT NULL);
CREATE INDEX mail_person ON public.mail USING btree (person, queued_at DESC);
CREATE INDEX mail_report ON public.mail USING btree (report) WHERE (report IS NOT NULL);
CREATE UNIQUE INDEX mail_notice ON public.mail USING btree (notice) WHERE (notice IS NOT NULL);

CREATE TABLE notice (
    id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    event bigint,
    kind text NOT NULL,
    person text,
    role text,
    cell text,
    unit text,
    severity text,
    title_en text NOT NULL,
    title_zh text NOT NULL,
    body text DEFAULT ''::text NOT NULL,
    at timestamp with time zone NOT NULL,
    read_at timestamp with time zone,
    read_by text,
    key text NOT NULL,
    UNIQUE (key),
    PRIMARY KEY (id),
    FOREIGN KEY (event) REFERENCES grid_event(id),
    CHECK ((num_nonnulls(person, role, unit) = 1)),
    CHECK (((read_at IS NULL) = (read_by IS NULL))),
    CHECK ((severity = ANY (ARRAY['S1'::text, 'S2'::text, 'S3'::text, 'S4'::text])))
);
CREATE INDEX notice_at ON public.notice USING btree (at);
CREATE INDEX notice_person ON public.notice USING btree (person, id DESC) WHERE (person IS NOT NULL);
CREATE INDEX notice_role ON public.notice USING btree (role, id DESC) WHERE (role IS NOT NULL);
CREATE INDEX notice_unit ON public.notice USING btree (unit, id DESC) WHERE (unit IS NOT NULL);
CREATE INDEX notice_unread ON public.notice USING btree (person) WHERE (read_at IS NULL);
CREATE INDEX notice_unread_role ON public.notice USING btree (role) WHERE ((read_at IS NULL) AND (role IS NOT NULL));
CREATE INDEX notice_unread_unit ON public.notice USING btree (unit) WHERE ((read_at IS NULL) AND (unit IS NOT NULL));

CREATE TABLE notice_preference (
    person text NOT NULL,
    mail boolean NOT NULL,
    quiet_from time without time zone NOT NULL,
    quiet_to time without time zone NOT NULL,
    kinds_off text[] DEFAULT '{}'::text[] NOT NULL,
    PRIMARY KEY (person)
);

CREATE TABLE open311_request (
    digest text NOT NULL,
    event bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    description text NOT NULL,
    address text DEFAULT ''::text NOT NULL,
    photo text,
    first_name text DEFAULT ''::text NOT NULL,
    last_name text DEFAULT ''::text NOT NULL,
    email text DEFAULT ''::text NOT NULL,
    phone text DEFAULT ''::text NOT NULL,
    report bigint,
    PRIMARY KEY (digest),
    FOREIGN KEY (event) REFERENCES grid_event(id),
    FOREIGN KEY (photo) REFERENCES evidence(digest),
    FOREIGN KEY (report) REFERENCES report(id)
);
CREATE INDEX open311_request_event ON public.open311_request USING btree (event, at);
CREATE INDEX open311_request_photo ON public.open311_request USING btree (photo) WHERE (photo IS NOT NULL);
CREATE UNIQUE INDEX open311_request_report ON public.open311_request USING btree (report) WHERE (report IS NOT NULL);

CREATE TABLE outbox (
    id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    event bigint NOT NULL,
    n integer NOT NULL,
    name text NOT NULL,
    at timestamp with time zone NOT NULL,
    data jsonb NOT NULL,
    shared_at timestamp with time zone,
    PRIMARY KEY (id),
    FOREIGN KEY (event) REFERENCES grid_event(id)
);
CREATE INDEX outbox_shared ON public.outbox USING btree (shared_at) WHERE (shared_at IS NOT NULL);
CREATE INDEX outbox_waiting ON public.outbox USING btree (id) WHERE (shared_at IS NULL);

CREATE TABLE outside_alert (
    fingerprint text NOT NULL,
    starts_at timestamp with time zone NOT NULL,
    event bigint NOT NULL,
    resolved_at timestamp with time zone,
    PRIMARY KEY (fingerprint, starts_at),
    FOREIGN KEY (event) REFERENCES grid_event(id)
);
CREATE INDEX outside_alert_event ON public.outside_alert USING btree (event);

CREATE TABLE person (
    code text NOT NULL,
    name text NOT NULL,
    unit text,
    phone text DEFAULT ''::text NOT NULL,
    email text DEFAULT ''::text NOT NULL,
    language text DEFAULT 'zh'::text NOT NULL,
    in_training boolean DEFAULT false NOT NULL,
    left_at timestamp with time zone,
    PRIMARY KEY (code),
    FOREIGN KEY (unit) REFERENCES unit(code),
    CHECK ((code ~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$'::text)),
    CHECK ((language = ANY (ARRAY['zh'::text, 'en'::text]))),
    CHECK ((name <> ''::text))
);
CREATE INDEX person_unit ON public.person USING btree (unit);

CREATE TABLE person_position (
    person text NOT NULL,
    lon double precision NOT NULL,
    lat double precision NOT NULL,
    accuracy_m double precision,
    at timestamp with time zone NOT NULL,
    PRIMARY KEY (person),
    FOREIGN KEY (person) REFERENCES person(code),
    CHECK ((accuracy_m >= (0)::double precision)),
    CHECK (((lat >= ('-90'::integer)::double precision) AND (lat <= (90)::double precision))),
    CHECK (((lon >= ('-180'::integer)::double precision) AND (lon <= (180)::double precision)))
);

CREATE TABLE post (
    id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    person text NOT NULL,
    role text NOT NULL,
    cell text,
    unit text,
    from_at timestamp with time zone NOT NULL,
    to_at timestamp with time zone,
    PRIMARY KEY (id),
    FOREIGN KEY (cell) REFERENCES grid_cell(code),
    FOREIGN KEY (person) REFERENCES person(code),
    FOREIGN KEY (unit) REFERENCES unit(code),
    CHECK ((from_at < to_at)),
    CHECK (((role <> 'assistant'::text) OR (NOT (length(cell) IS DISTINCT FROM 15)))),
    CHECK (((role <> 'leader'::text) OR (NOT (length(cell) IS DISTINCT FROM 12)))),
    CHECK (((role <> 'dept'::text) OR (unit IS NOT NULL))),
    CHECK ((role = ANY (ARRAY['assistant'::text, 'leader'::text, 'master'::text, 'dispatcher'::text, 'dept'::text, 'supervisor'::text])))
);
CREATE INDEX post_area ON public.post USING btree (role, cell);
CREATE UNIQUE INDEX post_once ON public.post USING btree (person, role, COALESCE(cell, ''::text), COALESCE(unit, ''::text)) WHERE (to_at IS NULL);

CREATE TABLE quarantine (
    id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    received_at timestamp with time zone NOT NULL,
    last_at timestamp with time zone NOT NULL,
    topic text NOT NULL,
    station text,
    agent text,
    boot text,
    lane text,
    seq bigint,
    reason text NOT NULL,
    payload bytea NOT NULL,
    hash text NOT NULL,
    times bigint DEFAULT 1 NOT NULL,
    fault text DEFAULT 'sender'::text NOT NULL,
    counted boolean DEFAULT false NOT NULL,
    chunk bytea DEFAULT '\x'::bytea NOT NULL,
    settled_at timestamp with time zone,
    settled_by text,
    outcome text,
    note text DEFAULT ''::text NOT NULL,
    PRIMARY KEY (id),
    CHECK ((((settled_at IS NULL) = (outcome IS NULL)) AND ((settled_at IS NULL) = (settled_by IS NULL)))),
    CHECK (((NOT counted) OR (seq IS NOT NULL))),
    CHECK ((fault = ANY (ARRAY['sender'::text, 'hub'::text]))),
    CHECK ((outcome = ANY (ARRAY['stored'::text, 'here_already'::text, 'given_up'::text])))
);
CREATE INDEX quarantine_lane ON public.quarantine USING btree (agent, boot, lane) WHERE (counted AND (outcome IS DISTINCT FROM 'stored'::text));
CREATE INDEX quarantine_newest ON public.quarantine USING btree (last_at DESC);
CREATE INDEX quarantine_waiting ON public.quarantine USING btree (id DESC) WHERE (settled_at IS NULL);
CREATE UNIQUE INDEX quarantine_once ON public.quarantine USING btree (COALESCE(agent, ''::text), hash) WHERE ((NOT counted) AND (settled_at IS NULL));

CREATE TABLE rating (
    report bigint NOT NULL,
    event bigint NOT NULL,
    ended_at timestamp with time zone NOT NULL,
    score smallint NOT NULL,
    comment text DEFAULT ''::text NOT NULL,
    first_at timestamp with time zone NOT NULL,
    at timestamp with time zone NOT NULL,
    taken_down_at timestamp with time zone,
    PRIMARY KEY (report),
    FOREIGN KEY (event) REFERENCES grid_event(id),
    FOREIGN KEY (report) REFERENCES report(id),
    CHECK ((at >= first_at)),
    CHECK (((taken_down_at IS NULL) OR (comment = ''::text))),
    CHECK (((score >= 1) AND (score <= 5)))
);
CREATE INDEX rating_event ON public.rating USING btree (event, ended_at);

CREATE TABLE reading (
    captured_at timestamp with time zone NOT NULL,
    received_at timestamp with time zone NOT NULL,
    agent text NOT NULL,
    device text NOT NULL,
    metric text NOT NULL,
    label text NOT NULL,
    place text NOT NULL,
    value double precision NOT NULL,
    unit text NOT NULL
) PARTITION BY RANGE (received_at);
-- or a hypertable, with TimescaleDB
CREATE INDEX reading_device ON public.reading USING btree (device, metric, captured_at DESC);

CREATE TABLE reading_rollup (
    width text NOT NULL,
    bucket timestamp with time zone NOT NULL,
    agent text NOT NULL,
    device text NOT NULL,
    metric text NOT NULL,
    label text NOT NULL,
    place text NOT NULL,
    n bigint NOT NULL,
    total double precision NOT NULL,
    low double precision NOT NULL,
    high double precision NOT NULL,
    PRIMARY KEY (width, bucket, agent, device, metric, label, place),
    CHECK ((width = ANY (ARRAY['1m'::text, '1h'::text, '1d'::text])))
);
CREATE INDEX reading_rollup_device ON public.reading_rollup USING btree (device, metric, width, bucket);

CREATE TABLE registry_entry (
    id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    kind text NOT NULL,
    name text NOT NULL,
    cell text,
    lon double precision,
    lat double precision,
    attributes jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_at timestamp with time zone NOT NULL,
    created_by text NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    changed_by text NOT NULL,
    retired_at timestamp with time zone,
    version integer DEFAULT 1 NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY (cell) REFERENCES grid_cell(code),
    CHECK ((jsonb_typeof(attributes) = 'object'::text)),
    CHECK (((lon IS NULL) = (lat IS NULL))),
    CHECK ((kind = ANY (ARRAY['person'::text, 'place'::text, 'thing'::text, 'matter'::text, 'organisation'::text]))),
    CHECK (((lat >= ('-90'::integer)::double precision) AND (lat <= (90)::double precision))),
    CHECK (((lon >= ('-180'::integer)::double precision) AND (lon <= (180)::double precision))),
    CHECK ((name <> ''::text)),
    CHECK ((version >= 1))
);
CREATE INDEX registry_entry_cell ON public.registry_entry USING btree (cell);
CREATE INDEX registry_entry_kind ON public.registry_entry USING btree (kind, id);

CREATE TABLE report (
    id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    event bigint NOT NULL,
    role text NOT NULL,
    reporter text NOT NULL,
    description text NOT NULL,
    lon double precision NOT NULL,
    lat double precision NOT NULL,
    reported_at timestamp with time zone NOT NULL,
    request_key text,
    UNIQUE (request_key),
    PRIMARY KEY (id),
    FOREIGN KEY (event) REFERENCES grid_event(id)
);
CREATE INDEX report_event ON public.report USING btree (event);

CREATE TABLE report_token (
    digest text NOT NULL,
    report bigint NOT NULL,
    made_at timestamp with time zone NOT NULL,
    PRIMARY KEY (digest),
    FOREIGN KEY (report) REFERENCES report(id),
    CHECK ((digest ~ '^[0-9a-f]{64}$'::text))
);
CREATE INDEX report_token_report ON public.report_token USING btree (report);

CREATE TABLE responsibility (
    id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    category text NOT NULL,
    subcategory text,
    cell text NOT NULL,
    unit text NOT NULL,
    from_at timestamp with time zone NOT NULL,
    to_at timestamp with time zone,
    PRIMARY KEY (id),
    FOREIGN KEY (cell) REFERENCES grid_cell(code),
    FOREIGN KEY (unit) REFERENCES unit(code),
    CHECK ((category = ANY (ARRAY['public_security'::text, 'urban_management'::text, 'fire_safety'::text, 'traffic_safety'::text, 'environmental_safety'::text, 'letters_and_visits'::text, 'ethnic_and_religious_affairs'::text, 'land_supervision'::text, 'peoples_livelihood'::text]))),
    CHECK ((from_at < to_at))
);
CREATE UNIQUE INDEX responsibility_once ON public.responsibility USING btree (category, COALESCE(subcategory, ''::text), cell) WHERE (to_at IS NULL);

CREATE TABLE revoked_certificate (
    serial text NOT NULL,
    agent text NOT NULL,
    revoked_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    PRIMARY KEY (serial),
    FOREIGN KEY (agent) REFERENCES enrolment(agent)
);

CREATE TABLE schema_version (
    version integer NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL,
    PRIMARY KEY (version)
);

CREATE TABLE score_block (
    started_at timestamp with time zone NOT NULL,
    received_at timestamp with time zone NOT NULL,
    agent text NOT NULL,
    stream text NOT NULL,
    kind text NOT NULL,
    label text NOT NULL,
    place text NOT NULL,
    offsets_ms integer[] NOT NULL,
    scores real[] NOT NULL
) PARTITION BY RANGE (received_at);
-- or a hypertable, with TimescaleDB
CREATE INDEX score_block_subject ON public.score_block USING btree (agent, stream, kind, started_at DESC);

CREATE TABLE sensor (
    agent text NOT NULL,
    device text NOT NULL,
    source text NOT NULL,
    name text DEFAULT ''::text NOT NULL,
    lon double precision,
    lat double precision,
    cell text,
    retired_at timestamp with time zone,
    PRIMARY KEY (agent, device),
    FOREIGN KEY (agent) REFERENCES agent(agent),
    FOREIGN KEY (cell) REFERENCES grid_cell(code),
    CHECK (((lon IS NULL) = (lat IS NULL)))
);

CREATE TABLE sensor_value (
    agent text NOT NULL,
    device text NOT NULL,
    metric text NOT NULL,
    label text NOT NULL,
    place text NOT NULL,
    unit text NOT NULL,
    value double precision NOT NULL,
    captured_at timestamp with time zone NOT NULL,
    received_at timestamp with time zone NOT NULL,
    interval_s double precision,
    n bigint NOT NULL,
    PRIMARY KEY (agent, device, metric, label, place)
);

CREATE TABLE shift (
    id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    person text NOT NULL,
    cell text,
    begins_at timestamp with time zone NOT NULL,
    ends_at timestamp with time zone NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY (cell) REFERENCES grid_cell(code),
    FOREIGN KEY (person) REFERENCES person(code),
    CHECK ((begins_at < ends_at))
);
CREATE INDEX shift_time ON public.shift USING btree (ends_at, begins_at);
CREATE UNIQUE INDEX shift_once ON public.shift USING btree (person, begins_at, COALESCE(cell, ''::text));

CREATE TABLE sign_in_link (
    token_hash text NOT NULL,
    account bigint NOT NULL,
    made_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone,
    PRIMARY KEY (token_hash),
    FOREIGN KEY (account) REFERENCES account(id)
);

CREATE TABLE sign_in_try (
    id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    at timestamp with time zone NOT NULL,
    login_key text NOT NULL,
    net text NOT NULL,
    succeeded boolean DEFAULT false NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX sign_in_try_login ON public.sign_in_try USING btree (login_key, at);
CREATE INDEX sign_in_try_net ON public.sign_in_try USING btree (net, at);

CREATE TABLE stream (
    agent text NOT NULL,
    stream text NOT NULL,
    name text DEFAULT ''::text NOT NULL,
    lon double precision,
    lat double precision,
    cell text,
    state text DEFAULT 'connecting'::text NOT NULL,
    since timestamp with time zone DEFAULT now() NOT NULL,
    heard_at timestamp with time zone,
    heard_seq bigint DEFAULT 0 NOT NULL,
    frame_age_s double precision,
    frame_hash text DEFAULT ''::text NOT NULL,
    captured bigint DEFAULT 0 NOT NULL,
    observed bigint DEFAULT 0 NOT NULL,
    restarts bigint DEFAULT 0 NOT NULL,
    detail text DEFAULT ''::text NOT NULL,
    retired_at timestamp with time zone,
    footprint jsonb,
    ground jsonb,
    PRIMARY KEY (agent, stream),
    FOREIGN KEY (agent) REFERENCES agent(agent),
    FOREIGN KEY (cell) REFERENCES grid_cell(code),
    CHECK (((lon IS NULL) = (lat IS NULL)))
);

CREATE TABLE task (
    id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    event bigint NOT NULL,
    kind text NOT NULL,
    person text,
    opened_n integer NOT NULL,
    opened_at timestamp with time zone NOT NULL,
    due_at timestamp with time zone,
    ended_at timestamp with time zone,
    ended_n integer,
    outcome text,
    answered_by text,
    found text,
    found_by text,
    found_at timestamp with time zone,
    PRIMARY KEY (id),
    FOREIGN KEY (event) REFERENCES grid_event(id),
    CHECK ((((ended_at IS NULL) = (outcome IS NULL)) AND ((ended_at IS NULL) = (ended_n IS NULL)))),
    CHECK ((((found IS NULL) = (found_by IS NULL)) AND ((found IS NULL) = (found_at IS NULL)))),
    CHECK ((found = 'passed'::text)),
    CHECK ((kind = ANY (ARRAY['verify'::text, 'check'::text]))),
    CHECK ((outcome = ANY (ARRAY['exists'::text, 'absent'::text, 'passed'::text, 'failed'::text, 'expired'::text, 'overtaken'::text])))
);
CREATE INDEX task_event ON public.task USING btree (event, id);
CREATE INDEX task_person ON public.task USING btree (person, id DESC);
CREATE UNIQUE INDEX task_open ON public.task USING btree (event) WHERE (ended_at IS NULL);

CREATE TABLE terminal (
    code text NOT NULL,
    person text,
    model text DEFAULT ''::text NOT NULL,
    phone text DEFAULT ''::text NOT NULL,
    retired_at timestamp with time zone,
    PRIMARY KEY (code),
    FOREIGN KEY (person) REFERENCES person(code),
    CHECK ((code ~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$'::text))
);
CREATE INDEX terminal_person ON public.terminal USING btree (person);

CREATE TABLE training_answer (
    attempt bigint NOT NULL,
    n integer NOT NULL,
    answer text NOT NULL,
    answered_at timestamp with time zone NOT NULL,
    PRIMARY KEY (attempt, n),
    FOREIGN KEY (attempt) REFERENCES training_attempt(id),
    CHECK ((answer = ANY (ARRAY['confirmed'::text, 'false_alarm'::text, 'real_but_not_actionable'::text, 'real_but_authorised'::text])))
);

CREATE TABLE training_attempt (
    id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    training bigint NOT NULL,
    person text NOT NULL,
    begun_at timestamp with time zone NOT NULL,
    finished_at timestamp with time zone,
    score double precision,
    PRIMARY KEY (id),
    FOREIGN KEY (person) REFERENCES person(code),
    FOREIGN KEY (training) REFERENCES training_set(id),
    CHECK (((finished_at IS NULL) = (score IS NULL))),
    CHECK (((score >= (0)::double precision) AND (score <= (1)::double precision)))
);
CREATE INDEX training_attempt_person ON public.training_attempt USING btree (person, id);
CREATE UNIQUE INDEX training_attempt_open ON public.training_attempt USING btree (training, person) WHERE (finished_at IS NULL);

CREATE TABLE training_item (
    training bigint NOT NULL,
    n integer NOT NULL,
    episode uuid NOT NULL,
    answer text NOT NULL,
    UNIQUE (training, episode),
    PRIMARY KEY (training, n),
    FOREIGN KEY (episode) REFERENCES detection(episode),
    FOREIGN KEY (training) REFERENCES training_set(id),
    CHECK ((answer = ANY (ARRAY['confirmed'::text, 'false_alarm'::text, 'real_but_not_actionable'::text, 'real_but_authorised'::text]))),
    CHECK ((n >= 1))
);

CREATE TABLE training_set (
    id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    name text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    created_by text NOT NULL,
    pass_mark double precision NOT NULL,
    retired_at timestamp with time zone,
    UNIQUE (name),
    PRIMARY KEY (id),
    CHECK ((name <> ''::text)),
    CHECK (((pass_mark > (0)::double precision) AND (pass_mark <= (1)::double precision)))
);

CREATE TABLE unit (
    code text NOT NULL,
    kind text NOT NULL,
    name_en text NOT NULL,
    name_zh text NOT NULL,
    parent text,
    phone text DEFAULT ''::text NOT NULL,
    email text DEFAULT ''::text NOT NULL,
    closed_at timestamp with time zone,
    PRIMARY KEY (code),
    FOREIGN KEY (parent) REFERENCES unit(code),
    CHECK ((parent <> code)),
    CHECK ((code ~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$'::text)),
    CHECK ((kind = ANY (ARRAY['department'::text, 'station'::text, 'grid'::text]))),
    CHECK ((name_en <> ''::text)),
    CHECK ((name_zh <> ''::text))
);

CREATE TABLE verdict (
    id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    event bigint NOT NULL,
    verdict text NOT NULL,
    reason text DEFAULT ''::text NOT NULL,
    note text DEFAULT ''::text NOT NULL,
    actor text NOT NULL,
    at timestamp with time zone NOT NULL,
    history_n integer NOT NULL,
    undone_at timestamp with time zone,
    PRIMARY KEY (id),
    FOREIGN KEY (event) REFERENCES grid_event(id),
    CHECK ((verdict = ANY (ARRAY['confirmed'::text, 'false_alarm'::text, 'real_but_not_actionable'::text, 'real_but_authorised'::text, 'duplicate'::text, 'unclear'::text, 'other_kind'::text])))
);
CREATE UNIQUE INDEX verdict_standing ON public.verdict USING btree (event) WHERE (undone_at IS NULL);

CREATE TABLE webhook (
    id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    url text NOT NULL,
    note text DEFAULT ''::text NOT NULL,
    secret text NOT NULL,
    secret_before text,
    secret_before_until timestamp with time zone,
    steps text[] DEFAULT '{}'::text[] NOT NULL,
    severities text[] DEFAULT '{}'::text[] NOT NULL,
    cell text DEFAULT ''::text NOT NULL,
    tests boolean DEFAULT false NOT NULL,
    made_at timestamp with time zone NOT NULL,
    made_by text NOT NULL,
    stopped_at timestamp with time zone,
    stopped_why text,
    failures integer DEFAULT 0 NOT NULL,
    failing_since timestamp with time zone,
    next_at timestamp with time zone NOT NULL,
    claimed_until timestamp with time zone,
    PRIMARY KEY (id),
    CHECK (((secret_before IS NULL) = (secret_before_until IS NULL))),
    CHECK (((stopped_at IS NULL) = (stopped_why IS NULL))),
    CHECK (((failures = 0) = (failing_since IS NULL)))
);

CREATE TABLE webhook_delivery (
    id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    webhook bigint NOT NULL,
    outbox bigint,
    event bigint,
    state text DEFAULT 'waiting'::text NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    queued_at timestamp with time zone NOT NULL,
    next_at timestamp with time zone NOT NULL,
    last_at timestamp with time zone,
    last_status integer,
    last_error text,
    ended_at timestamp with time zone,
    PRIMARY KEY (id),
    FOREIGN KEY (event) REFERENCES grid_event(id),
    FOREIGN KEY (outbox) REFERENCES outbox(id),
    FOREIGN KEY (webhook) REFERENCES webhook(id) ON DELETE CASCADE,
    CHECK (((outbox IS NULL) = (event IS NULL))),
    CHECK (((state = 'waiting'::text) = (ended_at IS NULL))),
    CHECK ((state = ANY (ARRAY['waiting'::text, 'delivered'::text, 'dead'::text])))
);
CREATE INDEX webhook_delivery_due ON public.webhook_delivery USING btree (webhook, next_at, id) WHERE (state = 'waiting'::text);
CREATE INDEX webhook_delivery_list ON public.webhook_delivery USING btree (webhook, id DESC);
CREATE INDEX webhook_delivery_order ON public.webhook_delivery USING btree (webhook, event, outbox) WHERE (state = 'waiting'::text);
CREATE INDEX webhook_delivery_outbox ON public.webhook_delivery USING btree (outbox);
