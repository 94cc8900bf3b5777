-- Who asks about an entry, until when, and when it was last asked about: a moment that lies ahead means that the clock
-- was set back, and then no waiting time counts.
ALTER TABLE entries ADD COLUMN leased_by TEXT;
ALTER TABLE entries ADD COLUMN leased_until REAL NOT NULL DEFAULT 0;
ALTER TABLE entries ADD COLUMN asked_at REAL NOT NULL DEFAULT 0;
