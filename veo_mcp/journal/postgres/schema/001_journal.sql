-- Names begin with veo_, because the database may be somebody else's too. Texts sort by code point, as in SQLite, whatever
-- the database's own language; so a page of a list is the same from each store.

-- One row. `revision` is the number of the last change: taken and held by an UPDATE until the change is committed, so that
-- numbers become visible in their order (a SEQUENCE lets a later one be seen first, and a reader misses the earlier).
-- `version` is the last script of this folder that was run; a server that knows fewer scripts than `works_with` must not
-- write.
CREATE TABLE veo_counter (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    revision bigint NOT NULL, version integer NOT NULL, works_with integer NOT NULL
);
INSERT INTO veo_counter (revision, version, works_with) VALUES (0, 0, 1);

-- Unix seconds, by the one clock that all servers share. Leases count by it.
CREATE FUNCTION veo_now() RETURNS double precision LANGUAGE sql VOLATILE
    AS $$ SELECT extract(epoch FROM clock_timestamp())::double precision $$;

CREATE TABLE veo_entries (
    id text COLLATE "C" PRIMARY KEY, api text COLLATE "C" NOT NULL, principal text COLLATE "C" NOT NULL, kind text NOT NULL,
    fingerprint text COLLATE "C" NOT NULL, repeat_of text COLLATE "C", body text NOT NULL, prompt text NOT NULL,
    model text NOT NULL, mode text COLLATE "C", aspect_ratio text, extends text, credits bigint NOT NULL,
    estimated boolean NOT NULL, upstream_id text COLLATE "C", status text COLLATE "C" NOT NULL, upstream_status text,
    progress double precision, video_urls text NOT NULL, resolution text,
    duration_seconds double precision, width bigint, height bigint,
    save_wanted boolean NOT NULL, saved_to text, film_saved_to text, file_error text, file_due_at double precision,
    file_tries bigint NOT NULL, error_code text, error_message text, evidence bigint,
    charged text COLLATE "C" NOT NULL, retry_after double precision, created_at double precision NOT NULL,
    updated_at double precision NOT NULL, completed_at double precision, ended_at double precision, worker_id text,
    deadline double precision, next_poll_at double precision NOT NULL, polls bigint NOT NULL,
    revision bigint NOT NULL, created_seq bigint NOT NULL,
    -- The API's id, or its hash where it is too long for an index.
    upstream_key text COLLATE "C",
    -- Who asks about the entry, and until when; the fence grows with every lease, and the answer of an earlier one counts
    -- no more. By which reading of the clock the next look was set: one that lies ahead of now means that it was set back.
    leased_by text COLLATE "C", leased_until double precision NOT NULL DEFAULT 0, fence bigint NOT NULL DEFAULT 0,
    scheduled_at double precision NOT NULL DEFAULT 0,
    -- A lease of its own: the file is dealt with after the last question about the task.
    file_leased_by text COLLATE "C", file_leased_until double precision NOT NULL DEFAULT 0,
    file_fence bigint NOT NULL DEFAULT 0
);
-- The id first: it is also looked for at every API at once.
CREATE UNIQUE INDEX veo_entries_upstream ON veo_entries (upstream_key, api) WHERE upstream_key IS NOT NULL;
CREATE INDEX veo_entries_newest ON veo_entries (api, principal, created_at, id);
CREATE INDEX veo_entries_newest_by_status ON veo_entries (api, principal, status, created_at, id);
CREATE INDEX veo_entries_revision ON veo_entries (revision);
CREATE INDEX veo_entries_unsettled ON veo_entries (api, principal, fingerprint)
    WHERE status NOT IN ('pending', 'processing', 'completed', 'failed', 'refused');
CREATE INDEX veo_entries_repeated ON veo_entries (api, principal, fingerprint, created_at)
    WHERE status IN ('pending', 'processing', 'completed', 'failed') AND charged NOT IN ('no', 'refunded');
CREATE INDEX veo_entries_ended ON veo_entries (api, principal, fingerprint, created_at)
    WHERE status IN ('completed', 'failed');
CREATE INDEX veo_entries_due ON veo_entries (api, next_poll_at)
    WHERE status IN ('pending', 'processing') AND upstream_id IS NOT NULL;
CREATE INDEX veo_entries_due_by_principal ON veo_entries (api, principal, next_poll_at)
    WHERE status IN ('pending', 'processing') AND upstream_id IS NOT NULL;
CREATE INDEX veo_entries_scheduled ON veo_entries (api, scheduled_at)
    WHERE status IN ('pending', 'processing') AND upstream_id IS NOT NULL;
CREATE INDEX veo_entries_leased ON veo_entries (leased_by) WHERE leased_by IS NOT NULL;
CREATE INDEX veo_entries_file_due ON veo_entries (api, file_due_at) WHERE file_due_at IS NOT NULL;
CREATE INDEX veo_entries_file_leased ON veo_entries (file_leased_by) WHERE file_leased_by IS NOT NULL;
CREATE INDEX veo_entries_submitting ON veo_entries (deadline) WHERE status = 'submitting';
-- A mode is a short word, but what the index takes of it is short whatever it is.
CREATE INDEX veo_entries_durations ON veo_entries (api, (coalesce(left(mode, 40), '')), ended_at)
    WHERE status = 'completed' AND ended_at IS NOT NULL;
-- With the credits in it: a sum over 24 h reads the index alone.
CREATE INDEX veo_entries_spent ON veo_entries (api, principal, created_at) INCLUDE (credits)
    WHERE charged NOT IN ('no', 'refunded');
CREATE INDEX veo_entries_spent_by_all ON veo_entries (api, created_at) INCLUDE (credits)
    WHERE charged NOT IN ('no', 'refunded');

CREATE TABLE veo_named_values (name text COLLATE "C" PRIMARY KEY, value text NOT NULL);
CREATE TABLE veo_pauses (
    api text COLLATE "C" NOT NULL, principal text COLLATE "C" NOT NULL, not_before double precision NOT NULL,
    PRIMARY KEY (api, principal)
);
CREATE TABLE veo_quotes (
    api text COLLATE "C" NOT NULL, principal text COLLATE "C" NOT NULL, fingerprint text COLLATE "C" NOT NULL,
    credits bigint NOT NULL, quoted_at double precision NOT NULL, PRIMARY KEY (api, principal, fingerprint)
);
CREATE INDEX veo_quotes_by_age ON veo_quotes (quoted_at);

-- Sent by the database itself, with the commit of the change: no writer can forget it, and nobody is notified of it before it can
-- be read. Journals in two schemas of one database have a channel each.
CREATE FUNCTION veo_tell() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('veo_mcp_' || TG_RELID::text, '');
    RETURN NULL;
END $$;
CREATE TRIGGER veo_entries_tell AFTER INSERT OR UPDATE OF revision ON veo_entries
    FOR EACH STATEMENT EXECUTE FUNCTION veo_tell();
