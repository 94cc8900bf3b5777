-- When the next question to the API may be asked, by whichever process on this journal.
CREATE TABLE turns (
    api TEXT NOT NULL, principal TEXT NOT NULL, next_at REAL NOT NULL, PRIMARY KEY (api, principal)
) STRICT, WITHOUT ROWID;

-- Every credit that moved: who, what, how much, which entry; no prompt and no key. `was` and `charged` are an entry's
-- `charged` before and after, '' before there was one.
CREATE TABLE movements (
    number INTEGER PRIMARY KEY, moved_at REAL NOT NULL, entry_id TEXT NOT NULL, api TEXT NOT NULL, principal TEXT NOT NULL,
    kind TEXT NOT NULL, mode TEXT, credits INTEGER NOT NULL, estimated INTEGER NOT NULL, was TEXT NOT NULL,
    charged TEXT NOT NULL
) STRICT;
CREATE INDEX movements_newest ON movements (moved_at, number);
-- What was there before this table: as it stood then.
INSERT INTO movements (moved_at, entry_id, api, principal, kind, mode, credits, estimated, was, charged)
    SELECT created_at, id, api, principal, kind, mode, credits, estimated, '', charged FROM entries ORDER BY created_seq;
-- Kept by the file itself, in the transaction of the change: no writer can forget it.
CREATE TRIGGER entries_begin_move AFTER INSERT ON entries BEGIN
    INSERT INTO movements (moved_at, entry_id, api, principal, kind, mode, credits, estimated, was, charged) VALUES
        (NEW.updated_at, NEW.id, NEW.api, NEW.principal, NEW.kind, NEW.mode, NEW.credits, NEW.estimated, '', NEW.charged);
END;
CREATE TRIGGER entries_move AFTER UPDATE OF charged, credits ON entries
    WHEN NEW.charged <> OLD.charged OR NEW.credits <> OLD.credits
BEGIN
    INSERT INTO movements (moved_at, entry_id, api, principal, kind, mode, credits, estimated, was, charged) VALUES
        (NEW.updated_at, NEW.id, NEW.api, NEW.principal, NEW.kind, NEW.mode, NEW.credits, NEW.estimated, OLD.charged,
        NEW.charged);
END;
