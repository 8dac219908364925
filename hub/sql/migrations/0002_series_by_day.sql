-- Readings, score blocks and heartbeats by the day the hub received them: hypertables where this
-- database has TimescaleDB, day partitions of the same name and columns where it has not.
--
-- By reception, not by capture: the hub's clock is one, the agents' clocks are many and some are
-- wrong. No row can ask for a day of 2016 or 2098, a late row never lands in a compressed day, and
-- a day is dropped exactly when all in it was here long enough.

-- the last heartbeat is the last one heard, whatever the agent's clock said
DROP INDEX health_agent;
CREATE INDEX health_agent ON health (agent, received_at DESC);

DO $$
DECLARE
    series  text;
    old     text;
    bound   timestamptz;
    found   record;
BEGIN
    FOREACH series IN ARRAY ARRAY['reading', 'score_block', 'health'] LOOP
        IF EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb') THEN
            PERFORM create_hypertable(series::regclass,
                                      by_range('received_at', INTERVAL '1 day'),
                                      create_default_indexes => false, migrate_data => true);
            CONTINUE;
        END IF;
        old := series || '_before';
        EXECUTE format('ALTER TABLE %I RENAME TO %I', series, old);
        EXECUTE format('CREATE TABLE %I (LIKE %I) PARTITION BY RANGE (received_at)', series, old);
        FOR found IN
            SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS definition
            FROM pg_index WHERE indrelid = old::regclass
        LOOP
            EXECUTE format('ALTER INDEX %I RENAME TO %I', found.name, found.name || '_before');
            EXECUTE replace(found.definition, '.' || old || ' ', '.' || series || ' ');
        END LOOP;
        -- what no other partition takes: the hub was away from its timers, or its clock jumped
        EXECUTE format('CREATE TABLE %I PARTITION OF %I DEFAULT', series || '_default', series);

        EXECUTE format('SELECT min(received_at) FROM %I', old) INTO bound;
        IF bound IS NULL THEN
            EXECUTE format('DROP TABLE %I', old);
            CONTINUE;
        END IF;
        -- what is here stays where it lies, as one partition up to tomorrow
        bound := date_trunc('day', now(), 'UTC') + INTERVAL '1 day';
        EXECUTE format('WITH ahead AS (DELETE FROM %I WHERE received_at >= $1 RETURNING *) '
                       'INSERT INTO %I SELECT * FROM ahead', old, series) USING bound;
        EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (MINVALUE) TO (%L)',
                       series, old, bound);
    END LOOP;
END $$;

INSERT INTO schema_version (version) VALUES (2);
