-- Where idempotency keys are kept. It may be run again, and by several at once; nothing is lost by it. It is to
-- be one transaction: `psql -1 -f`.
--
-- The functions are the protocol, for each client and for who sits at psql. Times are those of
-- steadfast.clock(), and of no client. A guarded write answers whether it was made: false says that the
-- record is no longer that of the token.

-- Held until the end of the transaction, so that of two who run this at once one waits.
DO $$ BEGIN PERFORM pg_advisory_xact_lock(7526411569205340003); END $$;

-- Who owns the schema need not have the right to make one.
DO $$ BEGIN
    IF to_regnamespace('steadfast') IS NULL THEN
        CREATE SCHEMA steadfast;
    END IF;
END $$;

CREATE TABLE IF NOT EXISTS steadfast.version (
    version integer PRIMARY KEY,
    -- The oldest clients that get on with it are those that were made for this version.
    compatible_from integer NOT NULL,
    installed_at timestamptz NOT NULL DEFAULT now()
);

DO $$ BEGIN
    IF (SELECT max(v.version) FROM steadfast.version AS v) > 1 THEN
        RAISE EXCEPTION 'a later release has made this schema: its functions are not to be replaced by older ones';
    END IF;
END $$;

-- Fencing tokens. A larger cache would hand out blocks of them to sessions, and a takeover could get a
-- smaller token than the run that it takes over from.
CREATE SEQUENCE IF NOT EXISTS steadfast.tokens AS bigint CACHE 1;

CREATE TABLE IF NOT EXISTS steadfast.keys (
    key bytea PRIMARY KEY,
    -- 'in progress', 'done', 'failed', 'interrupted' or 'released'. It is the functions that see to what is in a
    -- row: checks here would be made with each write again, and take a tenth of its time.
    state text NOT NULL,
    -- That of the latest claim; greater than that of any before.
    token bigint NOT NULL,
    -- Who made the latest claim: sixteen bytes, made before it was sent.
    owner bytea NOT NULL,
    -- What the key stands for: 32 bytes; 32 times 0xFF where the client does not say.
    fingerprint bytea NOT NULL,
    -- Until when the owner is believed to be alive, while it runs.
    lease_until timestamptz NOT NULL,
    -- From when on the row may be deleted, unless it runs.
    expires_at timestamptz NOT NULL,
    ttl interval NOT NULL,
    attempts integer NOT NULL,
    interruptions integer NOT NULL,
    -- Of what is done or has failed: JSON, or nothing but its size where it was too large, or neither
    -- where it could not be serialised.
    result bytea,
    result_size bigint,
    created_at timestamptz NOT NULL
) WITH (
    -- A page has room for the claims of its rows and for as many results of 100 bytes, so that an update
    -- stays in its page and touches no index, also while some old transaction keeps all versions alive.
    fillfactor = 40,
    autovacuum_vacuum_scale_factor = 0.02,
    autovacuum_vacuum_threshold = 1000,
    autovacuum_analyze_scale_factor = 0.05
);

-- It is JSON of a few bytes, or what a client has encrypted or packed: trying to compress it is for nothing.
-- Done once, as it waits for all who read the table, and all who come wait for it.
DO $$ BEGIN
    IF EXISTS (
        SELECT FROM pg_attribute
        WHERE attrelid = 'steadfast.keys'::regclass AND attname = 'result' AND attstorage <> 'e'
    ) THEN
        ALTER TABLE steadfast.keys ALTER COLUMN result SET STORAGE EXTERNAL;
    END IF;
END $$;

-- The only one beside the primary key. An index on the state or on the lease would have to be changed
-- with each renewal and each result.
DO $$ BEGIN
    IF to_regclass('steadfast.keys_expires_at') IS NULL THEN
        CREATE INDEX keys_expires_at ON steadfast.keys (expires_at);
    END IF;
END $$;

-- The time. It goes on within a transaction, unlike now().
CREATE OR REPLACE FUNCTION steadfast.clock() RETURNS timestamptz
LANGUAGE sql VOLATILE AS $$ SELECT clock_timestamp() $$;

-- Whether a row may be deleted: its time is over, and nobody runs it.
CREATE OR REPLACE FUNCTION steadfast.is_expired(
    state text, lease_until timestamptz, expires_at timestamptz, at timestamptz
) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT $3 <= $4 AND NOT ($1 = 'in progress' AND $2 > $4)
$$;

-- Until when a row is kept of which at least half of the ttl is to be left from a time on. Mostly it is,
-- and nothing changes.
CREATE OR REPLACE FUNCTION steadfast.keep_from(
    expires_at timestamptz, ttl interval, at timestamptz
) RETURNS timestamptz
LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN ($1 - $3) * 2 < $2 THEN $3 + $2 ELSE $1 END
$$;

CREATE OR REPLACE FUNCTION steadfast.micros(span interval) RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$ SELECT (extract(epoch FROM $1) * 1000000)::bigint $$;

-- What has not expired, as it is now.
CREATE OR REPLACE VIEW steadfast.live AS
SELECT
    k.key, k.state, k.token, k.owner, k.fingerprint, k.lease_until, k.expires_at, k.ttl,
    k.attempts, k.interruptions, k.result, k.result_size, k.created_at,
    -- Whether a run was cut off, and nobody has found out how far it came.
    k.state = 'interrupted' OR (k.state = 'in progress' AND k.lease_until <= c.at) AS is_interrupted,
    c.at AS seen_at
FROM steadfast.keys AS k
CROSS JOIN steadfast.clock() AS c(at)
WHERE NOT steadfast.is_expired(k.state, k.lease_until, k.expires_at, c.at);

-- Claims a key, or says what has come of it: always one row, whose outcome is
--   'acquired'     the caller is to run it: token, attempts, interruptions, took_over
--   'done'         it has succeeded before: result, result_size
--   'failed'       it has failed for good before: result, result_size
--   'in progress'  somebody runs it: remaining, microseconds until the lease is dead
--   'interrupted'  a run was cut off, and it may not be run again: attempts, interruptions
--   'mismatch'     the key stands for something else
-- Meant for READ COMMITTED; a stricter transaction may be refused with 40001.
CREATE OR REPLACE FUNCTION steadfast.claim(
    key bytea, owner bytea, fingerprint bytea, lease interval, ttl interval,
    max_interruptions bigint
) RETURNS TABLE (
    outcome text, token bigint, attempts integer, interruptions integer, took_over boolean,
    remaining bigint, result bytea, result_size bigint
)
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    unknown CONSTANT bytea := decode(repeat('ff', 32), 'hex');
    at timestamptz;
    found_row steadfast.keys;
    next_attempts integer;
    next_interruptions integer;
BEGIN
    LOOP
        at := steadfast.clock();
        -- A replay writes nothing, and takes no lock and no token.
        SELECT * INTO found_row FROM steadfast.keys AS k WHERE k.key = claim.key;

        IF NOT FOUND THEN
            INSERT INTO steadfast.keys AS k (
                key, state, token, owner, fingerprint, lease_until, expires_at, ttl,
                attempts, interruptions, created_at
            ) VALUES (
                claim.key, 'in progress', nextval('steadfast.tokens'), claim.owner,
                claim.fingerprint, at + claim.lease,
                steadfast.keep_from(at + claim.ttl, claim.ttl, at + claim.lease), claim.ttl,
                1, 0, at
            )
            ON CONFLICT DO NOTHING
            RETURNING k.token, k.attempts, k.interruptions
            INTO claim.token, claim.attempts, claim.interruptions;
            -- Somebody else was faster: what of, is to be seen.
            CONTINUE WHEN NOT FOUND;
            outcome := 'acquired';
            took_over := false;
            RETURN NEXT;
            RETURN;
        END IF;

        next_attempts := least(found_row.attempts, 2147483646) + 1;
        next_interruptions := found_row.interruptions;
        took_over := false;

        IF steadfast.is_expired(
            found_row.state, found_row.lease_until, found_row.expires_at, at
        ) THEN
            next_attempts := 1;
            next_interruptions := 0;

        ELSIF found_row.owner = claim.owner AND found_row.state IN ('released', 'interrupted') THEN
            -- This claim has come after its call was over, and must not hold the key for nobody.
            outcome := 'in progress';
            remaining := 0;
            RETURN NEXT;
            RETURN;

        ELSIF found_row.owner = claim.owner AND found_row.state = 'in progress' THEN
            -- The reply was lost. The caller counts its lease from when it sent this one.
            at := greatest(found_row.lease_until, at + claim.lease);
            UPDATE steadfast.keys AS k
            SET lease_until = at, expires_at = steadfast.keep_from(k.expires_at, k.ttl, at)
            WHERE k.key = claim.key AND k.token = found_row.token
                AND k.state = found_row.state AND k.lease_until = found_row.lease_until;
            CONTINUE WHEN NOT FOUND;
            outcome := 'acquired';
            token := found_row.token;
            attempts := found_row.attempts;
            interruptions := found_row.interruptions;
            -- It may be the takeover whose reply was lost: told too often does less harm than never.
            took_over := found_row.interruptions > 0;
            RETURN NEXT;
            RETURN;

        ELSIF found_row.state <> 'released' THEN
            IF found_row.fingerprint <> claim.fingerprint
                AND found_row.fingerprint <> unknown AND claim.fingerprint <> unknown
            THEN
                outcome := 'mismatch';
                RETURN NEXT;
                RETURN;
            END IF;
            IF found_row.state IN ('done', 'failed') THEN
                outcome := found_row.state;
                result := found_row.result;
                result_size := found_row.result_size;
                RETURN NEXT;
                RETURN;
            END IF;
            IF found_row.state = 'in progress' THEN
                IF found_row.lease_until > at THEN
                    outcome := 'in progress';
                    remaining := steadfast.micros(found_row.lease_until - at);
                    RETURN NEXT;
                    RETURN;
                END IF;
                next_interruptions := least(found_row.interruptions, 2147483646) + 1;
            END IF;
            IF next_interruptions >= claim.max_interruptions THEN
                outcome := 'interrupted';
                attempts := found_row.attempts;
                interruptions := next_interruptions;
                RETURN NEXT;
                RETURN;
            END IF;
            took_over := true;
        END IF;

        -- Only if it is still what was decided upon.
        UPDATE steadfast.keys AS k
        SET state = 'in progress',
            token = greatest(nextval('steadfast.tokens'), found_row.token + 1),
            owner = claim.owner,
            fingerprint = claim.fingerprint,
            lease_until = at + claim.lease,
            expires_at = steadfast.keep_from(at + claim.ttl, claim.ttl, at + claim.lease),
            ttl = claim.ttl,
            attempts = next_attempts,
            interruptions = next_interruptions,
            result = NULL,
            result_size = NULL
        WHERE k.key = claim.key AND k.token = found_row.token
            AND k.state = found_row.state AND k.lease_until = found_row.lease_until
        RETURNING k.token, k.attempts, k.interruptions
        INTO claim.token, claim.attempts, claim.interruptions;
        CONTINUE WHEN NOT FOUND;
        outcome := 'acquired';
        RETURN NEXT;
        RETURN;
    END LOOP;
END $$;

-- As claim, in a transaction that goes on: where another one has claimed the key and has not ended, it
-- waits for so long at most, and says 'in progress' then. How long that one still takes is not known: a
-- lease stands for it.
CREATE OR REPLACE FUNCTION steadfast.claim_within(
    key bytea, owner bytea, fingerprint bytea, lease interval, ttl interval,
    max_interruptions bigint, patience interval
) RETURNS TABLE (
    outcome text, token bigint, attempts integer, interruptions integer, took_over boolean,
    remaining bigint, result bytea, result_size bigint
)
-- What the caller has set is there again when the function ends, however it does.
LANGUAGE plpgsql VOLATILE SET lock_timeout = 0 AS $$
DECLARE
    millis numeric := ceil(extract(epoch FROM claim_within.patience) * 1000);
    -- With which a statement that takes longer would fail, and the transaction with it.
    most numeric := extract(epoch FROM current_setting('statement_timeout')::interval) * 1000;
BEGIN
    IF most > 0 THEN
        millis := least(millis, floor(most / 2));
    END IF;
    PERFORM set_config('lock_timeout', least(greatest(millis, 1), 2147483647)::integer::text, true);
    RETURN QUERY SELECT * FROM steadfast.claim(
        claim_within.key, claim_within.owner, claim_within.fingerprint, claim_within.lease,
        claim_within.ttl, claim_within.max_interruptions
    );
EXCEPTION WHEN lock_not_available THEN
    outcome := 'in progress';
    remaining := steadfast.micros(claim_within.lease);
    RETURN NEXT;
END $$;

-- The owner is alive: its lease begins anew. Accepted too where it has run out, unless somebody else has
-- taken over.
CREATE OR REPLACE FUNCTION steadfast.renew(key bytea, token bigint, lease interval)
RETURNS boolean
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    until timestamptz := steadfast.clock() + renew.lease;
BEGIN
    UPDATE steadfast.keys AS k
    SET lease_until = until, expires_at = steadfast.keep_from(k.expires_at, k.ttl, until)
    WHERE k.key = renew.key AND k.token = renew.token AND k.state = 'in progress';
    RETURN FOUND;
END $$;

-- The owner has a result, which is kept for at least half of its ttl from now on. True too when it says
-- so twice: the first time counts.
CREATE OR REPLACE FUNCTION steadfast.complete(
    key bytea, token bigint, succeeded boolean, result bytea, result_size bigint DEFAULT NULL
) RETURNS boolean
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    at timestamptz := steadfast.clock();
BEGIN
    UPDATE steadfast.keys AS k
    SET state = CASE WHEN complete.succeeded THEN 'done' ELSE 'failed' END,
        result = complete.result,
        result_size = complete.result_size,
        expires_at = steadfast.keep_from(k.expires_at, k.ttl, at)
    WHERE k.key = complete.key AND k.token = complete.token AND k.state = 'in progress';
    -- A statement of its own: it sees what the first has waited for.
    RETURN FOUND OR EXISTS (
        SELECT FROM steadfast.keys AS k
        WHERE k.key = complete.key AND k.token = complete.token AND k.state IN ('done', 'failed')
    );
END $$;

-- It did not happen, says the owner: the next claim runs it. What is left keeps the count of attempts for
-- ten minutes, and that of interruptions as long as a result.
CREATE OR REPLACE FUNCTION steadfast.release(key bytea, token bigint) RETURNS boolean
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    at timestamptz := steadfast.clock();
BEGIN
    UPDATE steadfast.keys AS k
    SET state = 'released',
        expires_at = CASE
            WHEN k.interruptions = 0 THEN least(k.expires_at, at + interval '10 minutes')
            ELSE k.expires_at
        END
    WHERE k.key = release.key AND k.token = release.token AND k.state = 'in progress';
    RETURN FOUND OR EXISTS (
        SELECT FROM steadfast.keys AS k
        WHERE k.key = release.key AND k.token = release.token AND k.state = 'released'
    );
END $$;

-- The run was cut off, and nobody knows how far it came. "ran" is false where it has not run at all, and
-- only the outcome of the run before could not be found out.
CREATE OR REPLACE FUNCTION steadfast.interrupt(key bytea, token bigint, ran boolean)
RETURNS boolean
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    UPDATE steadfast.keys AS k
    SET state = 'interrupted',
        interruptions = CASE
            WHEN interrupt.ran THEN least(k.interruptions, 2147483646) + 1
            ELSE k.interruptions
        END
    WHERE k.key = interrupt.key AND k.token = interrupt.token AND k.state = 'in progress';
    RETURN FOUND OR EXISTS (
        SELECT FROM steadfast.keys AS k
        WHERE k.key = interrupt.key AND k.token = interrupt.token AND k.state = 'interrupted'
    );
END $$;

-- Somebody knows what has come of an interrupted run: 'did not happen', and the next call runs it; 'done'
-- or 'failed', and the next call gets the result, which is JSON: convert_to('"a text"', 'UTF8'). False if
-- the key was not interrupted; it is not while its owner's lease lives. The token changes, so that an
-- owner who comes back is refused.
CREATE OR REPLACE FUNCTION steadfast.resolve(
    key bytea, outcome text, result bytea DEFAULT NULL, result_size bigint DEFAULT NULL
) RETURNS boolean
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    at timestamptz := steadfast.clock();
BEGIN
    IF resolve.outcome IS NULL OR resolve.outcome NOT IN ('did not happen', 'done', 'failed') THEN
        RAISE EXCEPTION 'the outcome is ''did not happen'', ''done'' or ''failed'', not %',
            coalesce(quote_literal(resolve.outcome), 'null')
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    UPDATE steadfast.keys AS k
    SET token = greatest(nextval('steadfast.tokens'), k.token + 1),
        state = CASE
            WHEN resolve.outcome = 'did not happen' THEN 'released' ELSE resolve.outcome
        END,
        -- What the runs before did is known then: it was nothing.
        interruptions = CASE
            WHEN resolve.outcome = 'did not happen' THEN 0 ELSE k.interruptions
        END,
        result = CASE WHEN resolve.outcome = 'did not happen' THEN NULL ELSE resolve.result END,
        result_size =
            CASE WHEN resolve.outcome = 'did not happen' THEN NULL ELSE resolve.result_size END
    WHERE k.key = resolve.key
        AND (k.state = 'interrupted' OR (k.state = 'in progress' AND k.lease_until <= at))
        AND NOT steadfast.is_expired(k.state, k.lease_until, k.expires_at, at);
    RETURN FOUND;
END $$;

-- Deletes so many of the rows that have expired, and says how many they were. Several may do it at once:
-- none waits for another, or for who claims one of the keys.
CREATE OR REPLACE FUNCTION steadfast.purge(most bigint DEFAULT 1000) RETURNS bigint
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    at timestamptz := steadfast.clock();
    purged bigint;
BEGIN
    WITH expired AS MATERIALIZED (
        SELECT k.key FROM steadfast.keys AS k
        WHERE k.expires_at <= at AND NOT (k.state = 'in progress' AND k.lease_until > at)
        ORDER BY k.expires_at
        LIMIT purge.most
        FOR UPDATE SKIP LOCKED
    )
    DELETE FROM steadfast.keys AS k USING expired WHERE k.key = expired.key;
    GET DIAGNOSTICS purged = ROW_COUNT;
    RETURN purged;
END $$;

-- What psql says of them.
COMMENT ON TABLE steadfast.keys IS 'Idempotency keys. Read "live", and change them by the functions.';
COMMENT ON VIEW steadfast.live IS 'Keys that have not expired, as they are now.';
COMMENT ON FUNCTION steadfast.clock IS 'The time by which leases and expiry go.';
COMMENT ON FUNCTION steadfast.claim IS
    'Claims a key, or says what has come of it. One row, whose outcome is: acquired, done, failed, in progress, interrupted, mismatch.';
COMMENT ON FUNCTION steadfast.claim_within IS
    'As claim, in a transaction that goes on: waits so long at most for another one that has claimed the key.';
COMMENT ON FUNCTION steadfast.renew IS 'Begins the lease anew. False: somebody else has taken over.';
COMMENT ON FUNCTION steadfast.complete IS 'Keeps the result. False: somebody else has taken over.';
COMMENT ON FUNCTION steadfast.release IS
    'It did not happen: the next claim runs it. False: somebody else has taken over.';
COMMENT ON FUNCTION steadfast.interrupt IS
    'The run was cut off. False: somebody else has taken over.';
COMMENT ON FUNCTION steadfast.resolve IS
    'For operators: what has come of an interrupted key: did not happen, done, failed. False: it was not interrupted.';
COMMENT ON FUNCTION steadfast.purge IS 'Deletes so many expired keys at most; returns how many.';

INSERT INTO steadfast.version (version, compatible_from) VALUES (1, 1) ON CONFLICT DO NOTHING;
