-- Everything by account (API × principal): columns named as the fields of an entry, sums of credits that stay quick, and an
-- index for every question that is asked. No row is lost or renumbered.
ALTER TABLE entries RENAME COLUMN seq TO revision;
ALTER TABLE entries RENAME COLUMN born TO created_seq;
ALTER TABLE entries RENAME COLUMN sender TO worker_id;
-- By which reading of the clock the next look was set: one that lies ahead of now means that the clock was set back.
ALTER TABLE entries RENAME COLUMN asked_at TO scheduled_at;
ALTER TABLE counter RENAME COLUMN seq TO revision;
ALTER TABLE words RENAME TO named_values;
ALTER TABLE entries ADD COLUMN repeat_of TEXT;
ALTER TABLE entries ADD COLUMN evidence INTEGER;
ALTER TABLE entries ADD COLUMN ended_at REAL;
-- Grows with every lease of the entry: the answer of an earlier one counts no more.
ALTER TABLE entries ADD COLUMN fence INTEGER NOT NULL DEFAULT 0;
CREATE TABLE pauses (
    api TEXT NOT NULL, principal TEXT NOT NULL, not_before REAL NOT NULL, PRIMARY KEY (api, principal)
) STRICT, WITHOUT ROWID;

-- Moments and sums that no calendar and no sum can hold were let in by older versions; they broke every list after them.
UPDATE entries SET completed_at = NULL WHERE completed_at NOT BETWEEN 0 AND 253402300799;
UPDATE entries SET deadline = NULL WHERE deadline NOT BETWEEN 0 AND 253402300799;
UPDATE entries SET retry_after = NULL WHERE retry_after NOT BETWEEN 0 AND 253402300799;
UPDATE entries SET progress = NULL WHERE progress NOT BETWEEN -1e300 AND 1e300;
UPDATE entries SET created_at = MIN(MAX(created_at, 0), 253402300799), updated_at = MIN(MAX(updated_at, 0), 253402300799),
    next_poll_at = MIN(MAX(next_poll_at, 0), 253402300799)
    WHERE created_at NOT BETWEEN 0 AND 253402300799 OR updated_at NOT BETWEEN 0 AND 253402300799
    OR next_poll_at NOT BETWEEN 0 AND 253402300799;
UPDATE entries SET credits = MIN(MAX(credits, 0), 1000000000) WHERE credits NOT BETWEEN 0 AND 1000000000;
-- An entry never changes after its end, so its last change is when we saw it come; one that was never asked about came so.
UPDATE entries SET ended_at = updated_at WHERE status IN ('completed', 'failed') AND polls > 0;

DROP INDEX entries_upstream;
DROP INDEX entries_newest;
DROP INDEX entries_open;
DROP INDEX entries_fingerprint;
-- The id first: it is also looked for at every API at once.
CREATE UNIQUE INDEX entries_upstream ON entries (upstream_id, api) WHERE upstream_id IS NOT NULL;
CREATE INDEX entries_newest ON entries (api, principal, created_at, id);
CREATE INDEX entries_newest_by_status ON entries (api, principal, status, created_at, id);
CREATE INDEX entries_unsettled ON entries (api, principal, fingerprint)
    WHERE status NOT IN ('pending', 'processing', 'completed', 'failed', 'refused');
CREATE INDEX entries_repeated ON entries (api, principal, fingerprint, created_at)
    WHERE status IN ('pending', 'processing', 'completed', 'failed') AND charged NOT IN ('no', 'refunded');
CREATE INDEX entries_due ON entries (api, next_poll_at, leased_until)
    WHERE status IN ('pending', 'processing') AND upstream_id IS NOT NULL;
CREATE INDEX entries_due_by_principal ON entries (api, principal, next_poll_at, leased_until)
    WHERE status IN ('pending', 'processing') AND upstream_id IS NOT NULL;
CREATE INDEX entries_scheduled ON entries (api, scheduled_at)
    WHERE status IN ('pending', 'processing') AND upstream_id IS NOT NULL;
CREATE INDEX entries_leased ON entries (leased_by) WHERE leased_by IS NOT NULL;
CREATE INDEX entries_submitting ON entries (deadline) WHERE status = 'submitting';
-- These hold every column that their question reads, the condition's own included: no entry need be fetched for a sum.
CREATE INDEX entries_durations ON entries (api, mode, ended_at, created_at, status)
    WHERE status = 'completed' AND ended_at IS NOT NULL;
CREATE INDEX entries_spent ON entries (api, created_at, credits, charged) WHERE charged NOT IN ('no', 'refunded');
CREATE INDEX entries_spent_by_principal ON entries (api, principal, created_at, credits, charged)
    WHERE charged NOT IN ('no', 'refunded');

-- Credits that were or may have been spent, summed by the minute and by the hour in which they were: a sum over 24 h adds
-- at most 24 hours, 60 minutes and the entries of one minute, however many entries there are.
CREATE TABLE spending (
    api TEXT NOT NULL, span INTEGER NOT NULL, start INTEGER NOT NULL, credits INTEGER NOT NULL,
    PRIMARY KEY (api, span, start)
) STRICT, WITHOUT ROWID;
CREATE TABLE spending_by_principal (
    api TEXT NOT NULL, principal TEXT NOT NULL, span INTEGER NOT NULL, start INTEGER NOT NULL, credits INTEGER NOT NULL,
    PRIMARY KEY (api, principal, span, start)
) STRICT, WITHOUT ROWID;
CREATE TABLE spans (span INTEGER PRIMARY KEY) STRICT;
INSERT INTO spans VALUES (60), (3600);
INSERT INTO spending
    SELECT api, span, CAST(created_at AS INTEGER) / span * span AS start, SUM(credits) FROM entries, spans
    WHERE charged NOT IN ('no', 'refunded') GROUP BY api, span, start;
INSERT INTO spending_by_principal
    SELECT api, principal, span, CAST(created_at AS INTEGER) / span * span AS start, SUM(credits) FROM entries, spans
    WHERE charged NOT IN ('no', 'refunded') GROUP BY api, principal, span, start;
-- Kept by the file itself, in the transaction of the change: no writer can forget them.
CREATE TRIGGER entries_spend AFTER INSERT ON entries WHEN NEW.charged NOT IN ('no', 'refunded') BEGIN
    INSERT INTO spending
        SELECT NEW.api, span, CAST(NEW.created_at AS INTEGER) / span * span, NEW.credits FROM spans WHERE true
        ON CONFLICT DO UPDATE SET credits = credits + excluded.credits;
    INSERT INTO spending_by_principal
        SELECT NEW.api, NEW.principal, span, CAST(NEW.created_at AS INTEGER) / span * span, NEW.credits FROM spans WHERE true
        ON CONFLICT DO UPDATE SET credits = credits + excluded.credits;
END;
CREATE TRIGGER entries_spend_less AFTER UPDATE OF charged, credits, api, principal, created_at ON entries
    WHEN OLD.charged NOT IN ('no', 'refunded')
    AND (NEW.charged NOT IN ('no', 'refunded'), NEW.credits, NEW.api, NEW.principal, NEW.created_at)
    IS NOT (OLD.charged NOT IN ('no', 'refunded'), OLD.credits, OLD.api, OLD.principal, OLD.created_at)
BEGIN
    INSERT INTO spending
        SELECT OLD.api, span, CAST(OLD.created_at AS INTEGER) / span * span, -OLD.credits FROM spans WHERE true
        ON CONFLICT DO UPDATE SET credits = credits + excluded.credits;
    INSERT INTO spending_by_principal
        SELECT OLD.api, OLD.principal, span, CAST(OLD.created_at AS INTEGER) / span * span, -OLD.credits FROM spans WHERE true
        ON CONFLICT DO UPDATE SET credits = credits + excluded.credits;
END;
CREATE TRIGGER entries_spend_more AFTER UPDATE OF charged, credits, api, principal, created_at ON entries
    WHEN NEW.charged NOT IN ('no', 'refunded')
    AND (NEW.charged NOT IN ('no', 'refunded'), NEW.credits, NEW.api, NEW.principal, NEW.created_at)
    IS NOT (OLD.charged NOT IN ('no', 'refunded'), OLD.credits, OLD.api, OLD.principal, OLD.created_at)
BEGIN
    INSERT INTO spending
        SELECT NEW.api, span, CAST(NEW.created_at AS INTEGER) / span * span, NEW.credits FROM spans WHERE true
        ON CONFLICT DO UPDATE SET credits = credits + excluded.credits;
    INSERT INTO spending_by_principal
        SELECT NEW.api, NEW.principal, span, CAST(NEW.created_at AS INTEGER) / span * span, NEW.credits FROM spans WHERE true
        ON CONFLICT DO UPDATE SET credits = credits + excluded.credits;
END;
