-- Every question that the store asks, by name. What is spelled as a condition of an index in schema/ must stay letter for
-- letter the same, or the index is not used (a test looks at each plan). {entry} stands for the columns of an Entry.

-- name: by_id
SELECT {entry} FROM entries WHERE id = :id

-- name: own_by_id
SELECT {entry} FROM entries WHERE id = :id AND api = :api AND principal = :principal

-- name: own_by_upstream_id
SELECT {entry} FROM entries WHERE upstream_id = :id AND api = :api AND principal = :principal

-- name: elsewhere_by_id
SELECT {entry} FROM entries WHERE id = :id AND api <> :api AND principal = :principal

-- name: elsewhere_by_upstream_id
SELECT {entry} FROM entries WHERE upstream_id = :id AND api <> :api AND principal = :principal

-- name: upstream_id_owner
SELECT id, api, principal FROM entries WHERE upstream_id = :upstream_id AND api = :api

-- name: repeat_unsettled
SELECT {entry} FROM entries
WHERE api = :api AND principal = :principal AND fingerprint = :fingerprint
    AND status NOT IN ('pending', 'processing', 'completed', 'failed', 'refused')
    AND (:repeat_of IS NULL OR repeat_of = :repeat_of)
ORDER BY created_seq DESC

-- name: repeat_accepted
SELECT {entry} FROM entries
WHERE api = :api AND principal = :principal AND fingerprint = :fingerprint AND created_at > :after
    AND status IN ('pending', 'processing', 'completed', 'failed') AND charged NOT IN ('no', 'refunded')
    AND (:repeat_of IS NULL OR repeat_of = :repeat_of)
ORDER BY created_at DESC

-- name: list
SELECT {entry} FROM entries
WHERE api = :api AND principal = :principal AND (created_at, id) < (:created_at, :id)
ORDER BY created_at DESC, id DESC

-- A plain :status would be recompiled at each call (0.08 ms): some conditions of indices speak of a status.
-- name: list_by_status
SELECT {entry} FROM entries
WHERE api = :api AND principal = :principal AND status = +:status AND (created_at, id) < (:created_at, :id)
ORDER BY created_at DESC, id DESC

-- name: place
SELECT created_at, id FROM entries WHERE id = :id AND api = :api AND principal = :principal

-- name: spent
SELECT
    (SELECT COALESCE(SUM(credits), 0) FROM spending WHERE api = :api AND span = 3600 AND start >= :hour)
    + (SELECT COALESCE(SUM(credits), 0) FROM spending
        WHERE api = :api AND span = 60 AND start >= :minute AND start < :hour)
    + (SELECT COALESCE(SUM(credits), 0) FROM entries
        WHERE api = :api AND created_at > :since AND created_at < :minute AND charged NOT IN ('no', 'refunded'))

-- name: spent_by_principal
SELECT
    (SELECT COALESCE(SUM(credits), 0) FROM spending_by_principal
        WHERE api = :api AND principal = :principal AND span = 3600 AND start >= :hour)
    + (SELECT COALESCE(SUM(credits), 0) FROM spending_by_principal
        WHERE api = :api AND principal = :principal AND span = 60 AND start >= :minute AND start < :hour)
    + (SELECT COALESCE(SUM(credits), 0) FROM entries
        WHERE api = :api AND principal = :principal AND created_at > :since AND created_at < :minute
        AND charged NOT IN ('no', 'refunded'))

-- name: oldest_spent
SELECT created_at, credits FROM entries
WHERE api = :api AND created_at > :since AND charged NOT IN ('no', 'refunded')
ORDER BY created_at

-- name: oldest_spent_by_principal
SELECT created_at, credits FROM entries
WHERE api = :api AND principal = :principal AND created_at > :since AND charged NOT IN ('no', 'refunded')
ORDER BY created_at

-- name: due
SELECT {entry} FROM entries
WHERE status IN ('pending', 'processing') AND upstream_id IS NOT NULL
    AND api = :api AND next_poll_at <= :now AND leased_until <= :now
ORDER BY next_poll_at

-- name: due_by_principal
SELECT {entry} FROM entries
WHERE status IN ('pending', 'processing') AND upstream_id IS NOT NULL
    AND api = :api AND principal = :principal AND next_poll_at <= :now AND leased_until <= :now
ORDER BY next_poll_at

-- name: scheduled_by_a_later_clock
SELECT {entry} FROM entries
WHERE status IN ('pending', 'processing') AND upstream_id IS NOT NULL AND api = :api AND scheduled_at > :ahead
ORDER BY scheduled_at

-- name: due_after_longer_than_any_wait
SELECT {entry} FROM entries
WHERE status IN ('pending', 'processing') AND upstream_id IS NOT NULL
    AND api = :api AND next_poll_at > :latest AND leased_until <= :now
ORDER BY next_poll_at

-- name: lease
UPDATE entries SET leased_by = :worker_id, leased_until = :until, scheduled_at = :now, fence = fence + 1
WHERE id = :id
RETURNING fence

-- name: lease_is_held
SELECT 1 FROM entries WHERE id = :id AND fence = :fence AND leased_by IS NOT NULL

-- name: release
UPDATE entries SET leased_by = NULL, leased_until = 0, next_poll_at = :next_poll_at, polls = polls + :asked
WHERE id = :id AND fence = :fence AND leased_by IS NOT NULL

-- name: release_all
UPDATE entries SET leased_by = NULL, leased_until = 0, next_poll_at = 0 WHERE leased_by = :worker_id

-- name: due_later_than
SELECT 1 FROM entries WHERE id = :id AND next_poll_at > :at

-- name: poll_no_later_than
UPDATE entries SET next_poll_at = :at WHERE id = :id AND next_poll_at > :at

-- name: overdue_submissions
SELECT {entry} FROM entries WHERE status = 'submitting' AND (deadline IS NULL OR deadline <= :now OR created_at > :ahead)

-- name: durations
SELECT ended_at - created_at FROM entries
WHERE status = 'completed' AND ended_at IS NOT NULL AND api = :api AND mode IS :mode AND ended_at >= created_at
ORDER BY ended_at DESC LIMIT 50

-- name: named_value
SELECT value FROM named_values WHERE name = :name

-- name: set_named_value
INSERT OR IGNORE INTO named_values VALUES (:name, :value)

-- name: not_before
SELECT not_before FROM pauses WHERE api = :api AND principal = :principal

-- name: set_not_before
INSERT INTO pauses VALUES (:api, :principal, :at) ON CONFLICT DO UPDATE SET not_before = excluded.not_before

-- One whole look, not pages of it: an entry that moved on between two pages would pass for an old one.
-- New entries come in the order in which they were created, as Feed promises.
-- name: changed
SELECT {entry} FROM entries WHERE revision > :seen
ORDER BY CASE WHEN created_seq > :seen THEN created_seq ELSE revision END

-- name: last_revision
SELECT revision FROM counter

-- name: next_revision
UPDATE counter SET revision = revision + 1 RETURNING revision

-- name: latest_ends
SELECT status FROM entries
WHERE status IN ('completed', 'failed') AND api = :api AND principal = :principal AND fingerprint = :fingerprint
ORDER BY created_at DESC LIMIT 10

-- name: quote
INSERT INTO quotes VALUES (:api, :principal, :fingerprint, :credits, :now)
ON CONFLICT DO UPDATE SET credits = excluded.credits, quoted_at = excluded.quoted_at

-- name: forget_old_quotes
DELETE FROM quotes WHERE quoted_at < :before

-- name: take_quote
DELETE FROM quotes
WHERE api = :api AND principal = :principal AND fingerprint = :fingerprint AND credits = :credits AND quoted_at > :after
RETURNING 1

-- A moment that lies further ahead than any gap between two tries was set by a clock that was set back since.
-- name: file_due
SELECT {entry} FROM entries
WHERE file_due_at IS NOT NULL AND api = :api AND (file_due_at <= :now OR file_due_at > :ahead)
    AND (file_leased_until <= :now OR file_leased_until > :ahead)
    AND (:save OR NOT save_wanted)
ORDER BY file_due_at

-- name: lease_file
UPDATE entries SET file_leased_by = :worker_id, file_leased_until = :until, file_fence = file_fence + 1
WHERE id = :id
RETURNING file_fence

-- name: keep_file
UPDATE entries SET file_leased_until = :until
WHERE id = :id AND file_fence = :fence AND file_leased_by IS NOT NULL

-- name: file_lease_is_held
SELECT 1 FROM entries WHERE id = :id AND file_fence = :fence AND file_leased_by IS NOT NULL

-- name: release_file
UPDATE entries SET file_leased_by = NULL, file_leased_until = 0
WHERE id = :id AND file_fence = :fence AND file_leased_by IS NOT NULL

-- name: release_all_files
UPDATE entries SET file_leased_by = NULL, file_leased_until = 0 WHERE file_leased_by = :worker_id

-- name: note_upload
INSERT OR IGNORE INTO uploads VALUES (:address, :entry_id, :now, :now, 0)

-- Over is what a task needs no more: it has ended, or its link has.
-- name: uploads_over
SELECT uploads.address, uploads.entry_id, uploads.uploaded_at, uploads.tries
FROM uploads LEFT JOIN entries ON entries.id = uploads.entry_id
WHERE uploads.due_at <= :now
    AND (entries.id IS NULL OR entries.status IN ('completed', 'failed', 'refused') OR uploads.uploaded_at <= :expired)
ORDER BY uploads.due_at LIMIT :limit

-- name: postpone_upload
UPDATE uploads SET due_at = :due_at, tries = tries + 1 WHERE address = :address

-- name: forget_upload
DELETE FROM uploads WHERE address = :address

-- A turn that lies further ahead than any queue of processes was taken by a clock that was set back since.
-- name: take_turn
INSERT INTO turns (api, principal, next_at) VALUES (:api, :principal, :now + :seconds)
ON CONFLICT DO UPDATE SET
    next_at = CASE WHEN next_at > :now AND next_at < :now + :most THEN next_at ELSE :now END + :seconds
RETURNING next_at - :seconds - :now

-- name: movements
SELECT moved_at, entry_id, api, principal, kind, mode, credits, estimated, was, charged FROM movements
WHERE moved_at >= :since ORDER BY moved_at DESC, number DESC LIMIT :limit
