-- The queue's page is read in its order, ties included, and its size is counted in the index alone.
DROP INDEX grid_event_queue;
CREATE INDEX grid_event_queue ON grid_event (severity, decide_by, id) INCLUDE (cell)
    WHERE state IN ('suspected', 'reported') AND NOT test;

INSERT INTO schema_version (version) VALUES (23);
