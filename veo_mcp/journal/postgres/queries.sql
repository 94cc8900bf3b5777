-- Every question that the store asks, by name; :name stands for a value. What is spelled as a condition of an index in
-- schema/ must stay the same, or the index is not used (a test looks at each plan). {entry} stands for the columns of an
-- Entry. No name is qualified: the schema is the first one on the connection's search path.

-- name: by_id
SELECT {entry} FROM veo_entries WHERE id = :id

-- name: by_id_for_update
SELECT {entry} FROM veo_entries WHERE id = :id FOR UPDATE

-- name: own_by_id
SELECT {entry} FROM veo_entries WHERE id = :id AND api = :api AND principal = :principal

-- name: own_by_upstream_id
SELECT {entry} FROM veo_entries WHERE upstream_key = :key AND api = :api AND principal = :principal

-- name: elsewhere_by_id
SELECT {entry} FROM veo_entries WHERE id = :id AND api <> :api AND principal = :principal

-- name: elsewhere_by_upstream_id
SELECT {entry} FROM veo_entries WHERE upstream_key = :key AND api <> :api AND principal = :principal

-- name: upstream_id_owner
SELECT id, api, principal FROM veo_entries WHERE upstream_key = :key AND api = :api

-- Until the transaction ends, no other server begins anything at this API: sums and repeats hold for those who come after.
-- name: one_at_a_time
SELECT pg_advisory_xact_lock(hashtextextended('veo-mcp begin ' || current_schema() || ' ' || :api::text, 0))

-- What `begin` must know while everybody else waits, in one question: the account's own entry of this id, else the one that
-- a repeat gets, else another account's entry of this id.
-- name: begun_before
SELECT {entry} FROM (
    SELECT {entry}, CASE WHEN (api, principal) = (:api, :principal) THEN 0 ELSE 3 END AS place
    FROM veo_entries WHERE id = :id
    UNION ALL (
        SELECT {entry}, 1 FROM veo_entries
        WHERE api = :api AND principal = :principal AND fingerprint = :fingerprint AND fingerprint <> ''
            AND status NOT IN ('pending', 'processing', 'completed', 'failed', 'refused')
            AND (:repeat_of::text IS NULL OR repeat_of = :repeat_of::text)
        ORDER BY created_seq DESC LIMIT 1
    )
    UNION ALL (
        SELECT {entry}, 2 FROM veo_entries
        WHERE api = :api AND principal = :principal AND fingerprint = :fingerprint AND fingerprint <> ''
            AND created_at > :after AND status IN ('pending', 'processing', 'completed', 'failed')
            AND charged NOT IN ('no', 'refunded') AND (:repeat_of::text IS NULL OR repeat_of = :repeat_of::text)
        ORDER BY created_at DESC LIMIT 1
    )
) AS found ORDER BY place LIMIT 1

-- name: list
SELECT {entry} FROM veo_entries
WHERE api = :api AND principal = :principal AND (created_at, id) < (:created_at, :id)
ORDER BY created_at DESC, id DESC

-- name: list_by_status
SELECT {entry} FROM veo_entries
WHERE api = :api AND principal = :principal AND status = :status AND (created_at, id) < (:created_at, :id)
ORDER BY created_at DESC, id DESC

-- name: place
SELECT created_at, id FROM veo_entries WHERE id = :id AND api = :api AND principal = :principal

-- name: spent
SELECT (
    (SELECT coalesce(sum(credits), 0) FROM veo_spending WHERE api = :api AND span = 3600 AND start >= :hour)
    + (SELECT coalesce(sum(credits), 0) FROM veo_spending
        WHERE api = :api AND span = 60 AND start >= :minute AND start < :hour)
    + (SELECT coalesce(sum(credits), 0) FROM veo_entries
        WHERE api = :api AND created_at > :since AND created_at < :minute::bigint AND charged NOT IN ('no', 'refunded'))
)::bigint

-- name: spent_by_principal
SELECT (
    (SELECT coalesce(sum(credits), 0) FROM veo_spending_by_principal
        WHERE api = :api AND principal = :principal AND span = 3600 AND start >= :hour)
    + (SELECT coalesce(sum(credits), 0) FROM veo_spending_by_principal
        WHERE api = :api AND principal = :principal AND span = 60 AND start >= :minute AND start < :hour)
    + (SELECT coalesce(sum(credits), 0) FROM veo_entries
        WHERE api = :api AND principal = :principal AND created_at > :since AND created_at < :minute::bigint
        AND charged NOT IN ('no', 'refunded'))
)::bigint

-- name: oldest_spent_by_principal
SELECT created_at, sum(credits)::bigint FROM veo_entries
WHERE api = :api AND principal = :principal AND created_at > :since AND charged NOT IN ('no', 'refunded')
GROUP BY created_at ORDER BY created_at LIMIT 1

-- When so many of the credits of the last 24 h are older than that.
-- name: free_at
SELECT created_at FROM (
    SELECT created_at, sum(credits) OVER (ORDER BY created_at) AS freed FROM veo_entries
    WHERE api = :api AND created_at > :since AND charged NOT IN ('no', 'refunded')
) AS running WHERE freed >= :needed::bigint ORDER BY created_at LIMIT 1

-- name: free_at_by_principal
SELECT created_at FROM (
    SELECT created_at, sum(credits) OVER (ORDER BY created_at) AS freed FROM veo_entries
    WHERE api = :api AND principal = :principal AND created_at > :since AND charged NOT IN ('no', 'refunded')
) AS running WHERE freed >= :needed::bigint ORDER BY created_at LIMIT 1

-- name: now
SELECT veo_now()

-- SKIP LOCKED: what another server is just taking is not waited for.
-- name: due
SELECT {entry} FROM veo_entries
WHERE status IN ('pending', 'processing') AND upstream_id IS NOT NULL
    AND api = :api AND next_poll_at <= :now AND leased_until <= :now
ORDER BY next_poll_at FOR UPDATE SKIP LOCKED

-- name: due_by_principal
SELECT {entry} FROM veo_entries
WHERE status IN ('pending', 'processing') AND upstream_id IS NOT NULL
    AND api = :api AND principal = ANY(:principals::text[]) AND next_poll_at <= :now AND leased_until <= :now
ORDER BY next_poll_at FOR UPDATE SKIP LOCKED

-- name: scheduled_by_a_later_clock
SELECT {entry} FROM veo_entries
WHERE status IN ('pending', 'processing') AND upstream_id IS NOT NULL AND api = :api AND scheduled_at > :ahead
    AND (:principals::text[] IS NULL OR principal = ANY(:principals::text[]))
ORDER BY scheduled_at FOR UPDATE SKIP LOCKED

-- name: due_after_longer_than_any_wait
SELECT {entry} FROM veo_entries
WHERE status IN ('pending', 'processing') AND upstream_id IS NOT NULL
    AND api = :api AND next_poll_at > :latest AND leased_until <= :now
    AND (:principals::text[] IS NULL OR principal = ANY(:principals::text[]))
ORDER BY next_poll_at FOR UPDATE SKIP LOCKED

-- Whether there is anything to lease: asked every second by every server, it writes nothing and locks nothing.
-- name: anything_due
WITH clock AS MATERIALIZED (SELECT veo_now() AS now)
SELECT EXISTS (
    SELECT 1 FROM veo_entries
    WHERE status IN ('pending', 'processing') AND upstream_id IS NOT NULL AND api = :api
        AND next_poll_at <= (SELECT now FROM clock) AND leased_until <= (SELECT now FROM clock)
) OR EXISTS (
    SELECT 1 FROM veo_entries
    WHERE status IN ('pending', 'processing') AND upstream_id IS NOT NULL AND api = :api
        AND scheduled_at > (SELECT now FROM clock) + :slack
) OR EXISTS (
    SELECT 1 FROM veo_entries
    WHERE status IN ('pending', 'processing') AND upstream_id IS NOT NULL AND api = :api
        AND next_poll_at > (SELECT now FROM clock) + :longest AND leased_until <= (SELECT now FROM clock)
)

-- name: lease
UPDATE veo_entries SET leased_by = :worker_id, leased_until = :until, scheduled_at = :now, fence = fence + 1
WHERE id = ANY(:ids::text[])
RETURNING id, fence

-- Locked until the answer is recorded, so that nobody takes the lease over between the two.
-- name: lease_is_held
SELECT 1 FROM veo_entries WHERE id = :id AND fence = :fence AND leased_by IS NOT NULL FOR UPDATE

-- name: release
UPDATE veo_entries SET leased_by = NULL, leased_until = 0, next_poll_at = :next_poll_at, polls = polls + :asked
WHERE id = :id AND fence = :fence AND leased_by IS NOT NULL

-- name: release_all
UPDATE veo_entries SET leased_by = NULL, leased_until = 0, next_poll_at = 0 WHERE leased_by = :worker_id

-- name: due_later_than
SELECT 1 FROM veo_entries WHERE id = :id AND next_poll_at > :at

-- name: poll_no_later_than
UPDATE veo_entries SET next_poll_at = :at WHERE id = :id AND next_poll_at > :at

-- name: any_overdue_submission
SELECT EXISTS (
    SELECT 1 FROM veo_entries
    WHERE status = 'submitting' AND (deadline IS NULL OR deadline <= :now OR created_at > :ahead)
)

-- name: overdue_submissions
SELECT {entry} FROM veo_entries
WHERE status = 'submitting' AND (deadline IS NULL OR deadline <= :now OR created_at > :ahead)
FOR UPDATE SKIP LOCKED

-- name: durations
SELECT ended_at - created_at FROM veo_entries
WHERE status = 'completed' AND ended_at IS NOT NULL AND api = :api
    AND coalesce(left(mode, 40), '') = coalesce(left(:mode::text, 40), '') AND mode IS NOT DISTINCT FROM :mode::text
    AND ended_at >= created_at
ORDER BY ended_at DESC LIMIT 50

-- name: latest_ends
SELECT status FROM veo_entries
WHERE status IN ('completed', 'failed') AND api = :api AND principal = :principal AND fingerprint = :fingerprint
ORDER BY created_at DESC LIMIT 10

-- name: named_value
SELECT value FROM veo_named_values WHERE name = :name

-- name: set_named_value
INSERT INTO veo_named_values (name, value) VALUES (:name, :value) ON CONFLICT DO NOTHING

-- name: not_before
SELECT not_before FROM veo_pauses WHERE api = :api AND principal = :principal

-- name: set_not_before
INSERT INTO veo_pauses (api, principal, not_before) VALUES (:api, :principal, :at)
ON CONFLICT (api, principal) DO UPDATE SET not_before = excluded.not_before

-- One whole look, not pages of it: an entry that moved on between two pages would pass for an old one.
-- New entries come in the order in which they were created, as Feed promises.
-- name: changed
SELECT {entry} FROM veo_entries WHERE revision > :seen
ORDER BY CASE WHEN created_seq > :seen THEN created_seq ELSE revision END

-- name: state
SELECT revision, version, works_with FROM veo_counter

-- name: next_revision
UPDATE veo_counter SET revision = revision + 1 WHERE works_with <= :known RETURNING revision

-- name: quote
INSERT INTO veo_quotes (api, principal, fingerprint, credits, quoted_at)
VALUES (:api, :principal, :fingerprint, :credits, :now)
ON CONFLICT (api, principal, fingerprint) DO UPDATE SET credits = excluded.credits, quoted_at = excluded.quoted_at

-- name: forget_old_quotes
DELETE FROM veo_quotes WHERE quoted_at < :before

-- name: take_quote
DELETE FROM veo_quotes
WHERE api = :api AND principal = :principal AND fingerprint = :fingerprint AND credits = :credits AND quoted_at > :after
RETURNING 1

-- A moment that lies further ahead than any gap between two tries was set by a clock that was set back since.
-- name: file_due
WITH clock AS MATERIALIZED (SELECT veo_now() AS now)
SELECT {entry} FROM veo_entries
WHERE file_due_at IS NOT NULL AND api = :api
    AND (file_due_at <= (SELECT now FROM clock) OR file_due_at > (SELECT now FROM clock) + :longest)
    AND (file_leased_until <= (SELECT now FROM clock) OR file_leased_until > (SELECT now FROM clock) + :longest)
    AND (:save OR NOT save_wanted)
ORDER BY file_due_at

-- name: file_due_for_update
WITH clock AS MATERIALIZED (SELECT veo_now() AS now)
SELECT {entry} FROM veo_entries
WHERE file_due_at IS NOT NULL AND api = :api
    AND (file_due_at <= (SELECT now FROM clock) OR file_due_at > (SELECT now FROM clock) + :longest)
    AND (file_leased_until <= (SELECT now FROM clock) OR file_leased_until > (SELECT now FROM clock) + :longest)
    AND (:save OR NOT save_wanted)
ORDER BY file_due_at FOR UPDATE OF veo_entries SKIP LOCKED

-- name: lease_file
UPDATE veo_entries SET file_leased_by = :worker_id, file_leased_until = veo_now() + :seconds, file_fence = file_fence + 1
WHERE id = ANY(:ids::text[])
RETURNING id, file_fence

-- name: keep_file
UPDATE veo_entries SET file_leased_until = veo_now() + :seconds
WHERE id = :id AND file_fence = :fence AND file_leased_by IS NOT NULL
RETURNING 1

-- name: release_file
UPDATE veo_entries SET file_leased_by = NULL, file_leased_until = 0
WHERE id = :id AND file_fence = :fence AND file_leased_by IS NOT NULL
RETURNING 1

-- name: release_all_files
UPDATE veo_entries SET file_leased_by = NULL, file_leased_until = 0 WHERE file_leased_by = :worker_id

-- name: note_upload
INSERT INTO veo_uploads (address, entry_id, uploaded_at, due_at, tries) VALUES (:address, :entry_id, :now, :now, 0)
ON CONFLICT DO NOTHING

-- Over is what a task needs no more: it has ended, or its link has.
-- name: uploads_over
SELECT veo_uploads.address, veo_uploads.entry_id, veo_uploads.uploaded_at, veo_uploads.tries
FROM veo_uploads LEFT JOIN veo_entries ON veo_entries.id = veo_uploads.entry_id
WHERE veo_uploads.due_at <= :now
    AND (veo_entries.id IS NULL OR veo_entries.status IN ('completed', 'failed', 'refused')
        OR veo_uploads.uploaded_at <= :expired)
ORDER BY veo_uploads.due_at LIMIT :limit

-- name: postpone_upload
UPDATE veo_uploads SET due_at = :due_at, tries = tries + 1 WHERE address = :address

-- name: forget_upload
DELETE FROM veo_uploads WHERE address = :address

-- A turn that lies further ahead than any queue of servers was taken by a clock that was set back since.
-- name: take_turn
INSERT INTO veo_turns (api, principal, next_at) VALUES (:api, :principal, veo_now() + :seconds::double precision)
ON CONFLICT (api, principal) DO UPDATE SET next_at = :seconds::double precision + CASE
    WHEN veo_turns.next_at > excluded.next_at - :seconds::double precision
        AND veo_turns.next_at < excluded.next_at + :most::double precision
    THEN veo_turns.next_at ELSE excluded.next_at - :seconds::double precision END
RETURNING greatest(0, next_at - :seconds::double precision - veo_now())

-- name: movements
SELECT moved_at, entry_id, api, principal, kind, mode, credits, estimated, was, charged FROM veo_movements
WHERE moved_at >= :since ORDER BY moved_at DESC, number DESC LIMIT :limit
