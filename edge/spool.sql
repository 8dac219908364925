-- The spool of one agent. Times are microseconds since 1970.
CREATE TABLE IF NOT EXISTS identity (
    one     INTEGER PRIMARY KEY CHECK (one = 1),
    boot    TEXT NOT NULL,
    machine TEXT NOT NULL,             -- a copy on another machine must not go on under this boot
    epoch   TEXT NOT NULL DEFAULT ''   -- of the hub whose watermarks are held
) STRICT;

CREATE TABLE IF NOT EXISTS lane (
    lane      TEXT PRIMARY KEY,
    next_seq  INTEGER NOT NULL DEFAULT 1 CHECK (next_seq >= 1),
    watermark INTEGER NOT NULL DEFAULT 0 CHECK (watermark >= 0 AND watermark < next_seq),
    waiting   INTEGER NOT NULL DEFAULT 0 CHECK (waiting >= 0),
    bytes     INTEGER NOT NULL DEFAULT 0 CHECK (bytes >= 0),
    lost      INTEGER NOT NULL DEFAULT 0 CHECK (lost >= 0)
) STRICT;

CREATE TABLE IF NOT EXISTS record (
    lane        TEXT NOT NULL,
    seq         INTEGER NOT NULL,
    captured_us INTEGER NOT NULL,
    size        INTEGER NOT NULL,
    is_lost     INTEGER NOT NULL,      -- 1: a Lost record, which is never evicted
    record      BLOB NOT NULL,
    payload     BLOB NOT NULL,
    PRIMARY KEY (lane, seq)
) STRICT, WITHOUT ROWID;

-- Lost records are few and looked for on every eviction: not by reading the whole lane
CREATE INDEX IF NOT EXISTS lost_record ON record (lane) WHERE is_lost = 1;
