-- The change with which an entry came into the journal: a reader who was notified of everything up to an earlier one has not
-- seen this entry yet. Entries that are there already are older than every reader to come.
ALTER TABLE entries ADD COLUMN born INTEGER NOT NULL DEFAULT 0;
