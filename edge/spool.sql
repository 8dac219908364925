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
    waiting   INTEGER NOT NULL DEFAULT 0 CHECK (waiting >= 0),  -- above the watermark
    bytes     INTEGER NOT NULL DEFAULT 0 CHECK (bytes >= 0),    -- of these
    lost      INTEGER NOT NULL DEFAULT 0 CHECK (lost >= 0)
) STRICT;

-- One row a record, at id = number of the lane * 2^48 + seq: in one b-tree, a lane after the other,
-- and a row of up to 4 kB within its page. Evidence stays for a short while below the watermark
-- too: the hub may find it broken.
CREATE TABLE IF NOT EXISTS record (
    id          INTEGER PRIMARY KEY,
    captured_us INTEGER NOT NULL,
    stored_s    INTEGER NOT NULL,      -- on the spool's own clock, which no wall clock moves
    size        INTEGER NOT NULL,
    is_lost     INTEGER NOT NULL,      -- 1: a Lost record, which is never evicted
    minor       INTEGER NOT NULL,      -- 1: goes before the others of its lane
    piece       TEXT NOT NULL,         -- digest of the evidence it is a part of, '' for none
    record      BLOB NOT NULL,
    payload     BLOB NOT NULL
) STRICT;

-- Lost records are few and looked for on every loss: not by reading the whole lane
CREATE INDEX IF NOT EXISTS lost_record ON record (id) WHERE is_lost = 1;
-- What goes first of a lane stands among what stays
CREATE INDEX IF NOT EXISTS minor_record ON record (id) WHERE minor = 1;
-- The hub asks for a piece of evidence by its digest
CREATE INDEX IF NOT EXISTS piece_record ON record (piece, id) WHERE piece <> '';

-- Holds pages of the file while room is claimed on a disk that is nearly full; empty otherwise.
CREATE TABLE IF NOT EXISTS claim (filler BLOB NOT NULL) STRICT;
DELETE FROM claim;
