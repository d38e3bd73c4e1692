CREATE TABLE account (
    account_id VARCHAR(32) NOT NULL,
    state VARCHAR(8) NOT NULL,
    currency VARCHAR(3) NOT NULL,
    category VARCHAR(40),
    contact VARCHAR(254),
    opened_on DATE,
    version BIGINT NOT NULL,
    CONSTRAINT pk_account PRIMARY KEY (account_id),
    CONSTRAINT ck_account_state CHECK (state IN ('open', 'closed', 'erased'))
);

CREATE TABLE gate (
    gate_id VARCHAR(40) NOT NULL,
    stop_id VARCHAR(200) NOT NULL,
    network_id VARCHAR(200),
    direction VARCHAR(3) NOT NULL,
    state VARCHAR(8) NOT NULL,
    added_us BIGINT NOT NULL,
    CONSTRAINT pk_gate PRIMARY KEY (gate_id),
    CONSTRAINT ck_gate_state CHECK (state IN ('waiting', 'admitted', 'locked')),
    CONSTRAINT ck_gate_direction CHECK (direction IN ('in', 'out'))
);

CREATE TABLE gate_nonce (
    kid VARCHAR(64) NOT NULL,
    nonce VARCHAR(64) NOT NULL,
    expires_us BIGINT NOT NULL,
    CONSTRAINT pk_gate_nonce PRIMARY KEY (kid, nonce)
);

CREATE INDEX ix_gate_nonce_expires_us ON gate_nonce (expires_us);

CREATE TABLE provider_event (
    provider VARCHAR(20) NOT NULL,
    event_id VARCHAR(255) NOT NULL,
    kind VARCHAR(20) NOT NULL,
    received_on DATE NOT NULL,
    CONSTRAINT pk_provider_event PRIMARY KEY (provider, event_id)
);

CREATE INDEX ix_provider_event_received_on ON provider_event (received_on);

CREATE TABLE staff (
    staff_id VARCHAR(32) NOT NULL,
    name VARCHAR(80) NOT NULL,
    role VARCHAR(8) NOT NULL,
    state VARCHAR(8) NOT NULL,
    oidc_issuer VARCHAR(400),
    oidc_subject VARCHAR(255),
    CONSTRAINT pk_staff PRIMARY KEY (staff_id),
    CONSTRAINT uq_staff_oidc_issuer UNIQUE (oidc_issuer, oidc_subject),
    CONSTRAINT ck_staff_role CHECK (role IN ('agent', 'operator', 'auditor')),
    CONSTRAINT ck_staff_state CHECK (state IN ('active', 'removed')),
    CONSTRAINT ck_staff_oidc CHECK ((oidc_issuer IS NULL) = (oidc_subject IS NULL))
);

CREATE TABLE challenge (
    challenge_hash BYTEA NOT NULL,
    purpose VARCHAR(8) NOT NULL,
    bound_hash BYTEA,
    nonce VARCHAR(64),
    verifier VARCHAR(128),
    expires_us BIGINT NOT NULL,
    CONSTRAINT pk_challenge PRIMARY KEY (challenge_hash),
    CONSTRAINT ck_challenge_purpose CHECK (purpose IN ('register', 'sign_in', 'oidc'))
);

CREATE INDEX ix_challenge_expires_us ON challenge (expires_us);

CREATE TABLE audit (
    audit_id BIGSERIAL NOT NULL,
    at_us BIGINT NOT NULL,
    staff_id VARCHAR(32),
    who VARCHAR(80) NOT NULL,
    action VARCHAR(60) NOT NULL,
    target VARCHAR(80),
    CONSTRAINT pk_audit PRIMARY KEY (audit_id)
);

CREATE INDEX ix_audit_at_us ON audit (at_us);

CREATE FUNCTION audit_guard() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'DELETE' AND OLD.at_us <= extract(epoch FROM clock_timestamp())::bigint * 1000000 - 2592000000000 THEN
            RETURN OLD;
        END IF;
        RAISE EXCEPTION 'the audit log is append-only';
    END $$;

CREATE TRIGGER audit_rows BEFORE UPDATE OR DELETE ON audit
    FOR EACH ROW EXECUTE FUNCTION audit_guard();

CREATE TRIGGER audit_whole BEFORE TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_guard();

CREATE TABLE idempotency (
    key_hash BYTEA NOT NULL,
    request_hash BYTEA NOT NULL,
    attempt VARCHAR(32) NOT NULL,
    lease_us BIGINT NOT NULL,
    done BOOLEAN NOT NULL,
    status BIGINT,
    media_type VARCHAR(60),
    body BYTEA,
    expires_us BIGINT NOT NULL,
    CONSTRAINT pk_idempotency PRIMARY KEY (key_hash)
);

CREATE INDEX ix_idempotency_expires_us ON idempotency (expires_us);

CREATE TABLE tap_day (
    day DATE NOT NULL,
    product VARCHAR(48) NOT NULL,
    direction VARCHAR(3) NOT NULL,
    taps BIGINT NOT NULL,
    CONSTRAINT pk_tap_day PRIMARY KEY (day, product, direction)
);

CREATE TABLE tap_hash (
    tap_id BIGINT NOT NULL,
    hash BYTEA NOT NULL,
    day DATE NOT NULL,
    CONSTRAINT pk_tap_hash PRIMARY KEY (tap_id)
);

CREATE INDEX ix_tap_hash_day ON tap_hash (day);

CREATE TABLE pass (
    pass_id BYTEA NOT NULL,
    account_id VARCHAR(32) NOT NULL,
    product VARCHAR(48) NOT NULL,
    category VARCHAR(40),
    reference VARCHAR(8) NOT NULL,
    state VARCHAR(10) NOT NULL,
    not_before_us BIGINT NOT NULL,
    expires_us BIGINT NOT NULL,
    replaced_by BYTEA,
    CONSTRAINT pk_pass PRIMARY KEY (pass_id),
    CONSTRAINT ck_pass_state CHECK (state IN ('valid', 'suspended', 'revoked')),
    CONSTRAINT ck_pass_reference CHECK (reference IN ('face', 'pin')),
    CONSTRAINT fk_pass_account_id FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE INDEX ix_pass_account_id ON pass (account_id);

CREATE INDEX ix_pass_expires_us ON pass (expires_us);

CREATE TABLE period (
    period_id VARCHAR(32) NOT NULL,
    account_id VARCHAR(32) NOT NULL,
    product VARCHAR(200) NOT NULL,
    from_day DATE NOT NULL,
    until_day DATE NOT NULL,
    rides INTEGER,
    price_minor BIGINT NOT NULL,
    state VARCHAR(8) NOT NULL,
    CONSTRAINT pk_period PRIMARY KEY (period_id),
    CONSTRAINT ck_period_state CHECK (state IN ('held', 'refunded')),
    CONSTRAINT fk_period_account_id FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE INDEX ix_period_account_id ON period (account_id);

CREATE TABLE gate_claim (
    token_hash BYTEA NOT NULL,
    gate_id VARCHAR(40) NOT NULL,
    expires_us BIGINT NOT NULL,
    used_by VARCHAR(64),
    CONSTRAINT pk_gate_claim PRIMARY KEY (token_hash),
    CONSTRAINT fk_gate_claim_gate_id FOREIGN KEY(gate_id) REFERENCES gate (gate_id)
);

CREATE TABLE gate_key (
    kid VARCHAR(64) NOT NULL,
    gate_id VARCHAR(40) NOT NULL,
    public_key BYTEA NOT NULL,
    added_us BIGINT NOT NULL,
    retired_us BIGINT,
    CONSTRAINT pk_gate_key PRIMARY KEY (kid),
    CONSTRAINT fk_gate_key_gate_id FOREIGN KEY(gate_id) REFERENCES gate (gate_id)
);

CREATE INDEX ix_gate_key_gate_id ON gate_key (gate_id);

CREATE TABLE gate_epoch (
    epoch_id BIGSERIAL NOT NULL,
    gate_id VARCHAR(40) NOT NULL,
    epoch BYTEA NOT NULL,
    journal_key BYTEA NOT NULL,
    begun_us BIGINT NOT NULL,
    reason VARCHAR(10) NOT NULL,
    after_epoch BYTEA,
    after_seq BIGINT,
    seq BIGINT NOT NULL,
    hash BYTEA NOT NULL,
    forked BOOLEAN NOT NULL,
    gap_us BIGINT,
    CONSTRAINT pk_gate_epoch PRIMARY KEY (epoch_id),
    CONSTRAINT uq_gate_epoch_gate_id UNIQUE (gate_id, epoch),
    CONSTRAINT ck_gate_epoch_reason CHECK (reason IN ('claimed', 'new', 'restored')),
    CONSTRAINT fk_gate_epoch_gate_id FOREIGN KEY(gate_id) REFERENCES gate (gate_id)
);

CREATE INDEX ix_gate_epoch_gate_id ON gate_epoch (gate_id);

CREATE TABLE alarm (
    alarm_id VARCHAR(32) NOT NULL,
    gate_id VARCHAR(40) NOT NULL,
    kind VARCHAR(20) NOT NULL,
    detail VARCHAR(400) NOT NULL,
    raised_us BIGINT NOT NULL,
    cleared_us BIGINT,
    CONSTRAINT pk_alarm PRIMARY KEY (alarm_id),
    CONSTRAINT fk_alarm_gate_id FOREIGN KEY(gate_id) REFERENCES gate (gate_id)
);

CREATE INDEX ix_alarm_gate_id ON alarm (gate_id);

CREATE TABLE journey (
    journey_id VARCHAR(32) NOT NULL,
    account_id VARCHAR(32) NOT NULL,
    day DATE NOT NULL,
    products VARCHAR(400) NOT NULL,
    amount_minor BIGINT NOT NULL,
    currency VARCHAR(3) NOT NULL,
    state VARCHAR(14) NOT NULL,
    posting_id VARCHAR(32),
    counted TEXT,
    key VARCHAR(40),
    taps TEXT,
    started_us BIGINT,
    ended_us BIGINT,
    from_stop VARCHAR(200),
    to_stop VARCHAR(200),
    explanation TEXT,
    CONSTRAINT pk_journey PRIMARY KEY (journey_id),
    CONSTRAINT ck_journey_state CHECK (state IN ('complete', 'open', 'missing_exit', 'missing_entry', 'unknown', 'superseded', 'faded')),
    CONSTRAINT fk_journey_account_id FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE INDEX ix_journey_account_id_day ON journey (account_id, day);

CREATE INDEX ix_journey_unfaded ON journey (account_id) WHERE state <> 'faded';

CREATE TABLE pricing_due (
    account_id VARCHAR(32) NOT NULL,
    due_us BIGINT NOT NULL,
    CONSTRAINT pk_pricing_due PRIMARY KEY (account_id),
    CONSTRAINT fk_pricing_due_account_id FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE INDEX ix_pricing_due_due_us ON pricing_due (due_us);

CREATE TABLE payment (
    payment_id VARCHAR(32) NOT NULL,
    account_id VARCHAR(32) NOT NULL,
    provider VARCHAR(20) NOT NULL,
    provider_ref VARCHAR(255),
    amount_minor BIGINT NOT NULL,
    currency VARCHAR(3) NOT NULL,
    state VARCHAR(10) NOT NULL,
    opened_on DATE NOT NULL,
    posting_id VARCHAR(32),
    CONSTRAINT pk_payment PRIMARY KEY (payment_id),
    CONSTRAINT uq_payment_provider UNIQUE (provider, provider_ref),
    CONSTRAINT ck_payment_state CHECK (state IN ('started', 'succeeded', 'failed', 'mismatch')),
    CONSTRAINT fk_payment_account_id FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE INDEX ix_payment_account_id ON payment (account_id);

CREATE TABLE credential (
    credential_id VARCHAR(32) NOT NULL,
    webauthn_id BYTEA NOT NULL,
    public_key BYTEA NOT NULL,
    sign_count BIGINT NOT NULL,
    staff_id VARCHAR(32),
    account_id VARCHAR(32),
    CONSTRAINT pk_credential PRIMARY KEY (credential_id),
    CONSTRAINT ck_credential_owner CHECK ((staff_id IS NULL) <> (account_id IS NULL)),
    CONSTRAINT uq_credential_webauthn_id UNIQUE (webauthn_id),
    CONSTRAINT fk_credential_staff_id FOREIGN KEY(staff_id) REFERENCES staff (staff_id),
    CONSTRAINT fk_credential_account_id FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE INDEX ix_credential_account_id ON credential (account_id);

CREATE INDEX ix_credential_staff_id ON credential (staff_id);

CREATE TABLE invitation (
    token_hash BYTEA NOT NULL,
    staff_id VARCHAR(32),
    account_id VARCHAR(32),
    expires_us BIGINT NOT NULL,
    CONSTRAINT pk_invitation PRIMARY KEY (token_hash),
    CONSTRAINT ck_invitation_owner CHECK ((staff_id IS NULL) <> (account_id IS NULL)),
    CONSTRAINT fk_invitation_staff_id FOREIGN KEY(staff_id) REFERENCES staff (staff_id),
    CONSTRAINT fk_invitation_account_id FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE INDEX ix_invitation_account_id ON invitation (account_id);

CREATE INDEX ix_invitation_expires_us ON invitation (expires_us);

CREATE INDEX ix_invitation_staff_id ON invitation (staff_id);

CREATE TABLE session (
    token_hash BYTEA NOT NULL,
    staff_id VARCHAR(32),
    account_id VARCHAR(32),
    expires_us BIGINT NOT NULL,
    CONSTRAINT pk_session PRIMARY KEY (token_hash),
    CONSTRAINT ck_session_owner CHECK ((staff_id IS NULL) <> (account_id IS NULL)),
    CONSTRAINT fk_session_staff_id FOREIGN KEY(staff_id) REFERENCES staff (staff_id),
    CONSTRAINT fk_session_account_id FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE INDEX ix_session_account_id ON session (account_id);

CREATE INDEX ix_session_expires_us ON session (expires_us);

CREATE INDEX ix_session_staff_id ON session (staff_id);

CREATE TABLE tap_fresh (
    account_id VARCHAR(32) NOT NULL,
    tap_id BIGINT NOT NULL,
    CONSTRAINT pk_tap_fresh PRIMARY KEY (account_id, tap_id),
    CONSTRAINT fk_tap_fresh_account_id FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE TABLE gate_run (
    epoch_id BIGINT NOT NULL,
    run BIGINT NOT NULL,
    began_us BIGINT NOT NULL,
    received_us BIGINT NOT NULL,
    CONSTRAINT pk_gate_run PRIMARY KEY (epoch_id, run),
    CONSTRAINT fk_gate_run_epoch_id FOREIGN KEY(epoch_id) REFERENCES gate_epoch (epoch_id)
);

CREATE TABLE refund (
    refund_id VARCHAR(32) NOT NULL,
    payment_id VARCHAR(32) NOT NULL,
    provider_ref VARCHAR(255),
    amount_minor BIGINT NOT NULL,
    state VARCHAR(10) NOT NULL,
    posting_id VARCHAR(32),
    CONSTRAINT pk_refund PRIMARY KEY (refund_id),
    CONSTRAINT ck_refund_state CHECK (state IN ('asked', 'succeeded', 'failed')),
    CONSTRAINT fk_refund_payment_id FOREIGN KEY(payment_id) REFERENCES payment (payment_id),
    CONSTRAINT uq_refund_provider_ref UNIQUE (provider_ref)
);

CREATE INDEX ix_refund_payment_id ON refund (payment_id);

CREATE TABLE dispute (
    dispute_ref VARCHAR(255) NOT NULL,
    payment_id VARCHAR(32) NOT NULL,
    amount_minor BIGINT NOT NULL,
    state VARCHAR(10) NOT NULL,
    posting_id VARCHAR(32),
    CONSTRAINT pk_dispute PRIMARY KEY (dispute_ref),
    CONSTRAINT ck_dispute_state CHECK (state IN ('open', 'won', 'lost')),
    CONSTRAINT fk_dispute_payment_id FOREIGN KEY(payment_id) REFERENCES payment (payment_id)
);

CREATE INDEX ix_dispute_payment_id ON dispute (payment_id);

CREATE TABLE tap (
    tap_id BIGINT NOT NULL,
    epoch_id BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    hash BYTEA NOT NULL,
    pass_id BYTEA NOT NULL,
    at_us BIGINT NOT NULL,
    product VARCHAR(48) NOT NULL,
    direction VARCHAR(3) NOT NULL,
    status_unsure BOOLEAN NOT NULL,
    received_us BIGINT NOT NULL,
    offset_us BIGINT,
    review VARCHAR(10) NOT NULL,
    review_reason VARCHAR(20),
    CONSTRAINT pk_tap PRIMARY KEY (tap_id),
    CONSTRAINT ck_tap_review CHECK (review IN ('clear', 'waiting', 'accepted', 'rejected')),
    CONSTRAINT fk_tap_epoch_id FOREIGN KEY(epoch_id) REFERENCES gate_epoch (epoch_id)
);

CREATE INDEX ix_tap_at_us ON tap (at_us);

CREATE INDEX ix_tap_held ON tap (pass_id) WHERE review IN ('waiting', 'rejected');

CREATE TABLE ledger_account (
    account_no BIGSERIAL NOT NULL,
    name VARCHAR(80) NOT NULL,
    kind VARCHAR(9) NOT NULL,
    currency VARCHAR(3) NOT NULL,
    overdraft_minor BIGINT,
    shards SMALLINT NOT NULL,
    opened_on DATE NOT NULL,
    CONSTRAINT pk_ledger_account PRIMARY KEY (account_no),
    CONSTRAINT uq_ledger_account_name UNIQUE (name),
    CONSTRAINT ck_ledger_account_kind CHECK (kind IN ('asset', 'liability', 'equity', 'income', 'expense')),
    CONSTRAINT ck_ledger_account_overdraft CHECK (overdraft_minor BETWEEN 0 AND 1000000000000000),
    CONSTRAINT ck_ledger_account_shards CHECK (shards >= 1 AND (shards = 1 OR overdraft_minor IS NULL))
);

CREATE TABLE ledger_posting (
    posting_id VARCHAR(32) NOT NULL,
    kind VARCHAR(24) NOT NULL,
    day DATE NOT NULL,
    key VARCHAR(100) NOT NULL,
    request_hash BYTEA NOT NULL,
    memo VARCHAR(200) NOT NULL,
    reverses VARCHAR(32),
    entries SMALLINT NOT NULL,
    CONSTRAINT pk_ledger_posting PRIMARY KEY (posting_id),
    CONSTRAINT uq_ledger_posting_key UNIQUE (key),
    CONSTRAINT uq_ledger_posting_reverses UNIQUE (reverses),
    CONSTRAINT fk_ledger_posting_reverses FOREIGN KEY(reverses) REFERENCES ledger_posting (posting_id),
    CONSTRAINT ck_ledger_posting_entries CHECK (entries BETWEEN 2 AND 64)
);

CREATE TABLE ledger_balance (
    account_no BIGINT NOT NULL,
    shard SMALLINT NOT NULL,
    balance_minor BIGINT NOT NULL,
    held_minor BIGINT NOT NULL,
    CONSTRAINT pk_ledger_balance PRIMARY KEY (account_no, shard),
    CONSTRAINT fk_ledger_balance_account_no FOREIGN KEY(account_no) REFERENCES ledger_account (account_no),
    CONSTRAINT ck_ledger_balance_balance CHECK (balance_minor BETWEEN -1000000000000000 AND 1000000000000000),
    CONSTRAINT ck_ledger_balance_held CHECK (held_minor BETWEEN 0 AND 1000000000000000)
);

CREATE TABLE ledger_entry (
    posting_id VARCHAR(32) NOT NULL,
    position SMALLINT NOT NULL,
    account_no BIGINT NOT NULL,
    day DATE NOT NULL,
    amount_minor BIGINT NOT NULL,
    currency VARCHAR(3) NOT NULL,
    CONSTRAINT pk_ledger_entry PRIMARY KEY (posting_id, position),
    CONSTRAINT ck_ledger_entry_amount CHECK (amount_minor <> 0 AND amount_minor BETWEEN -1000000000000000 AND 1000000000000000)
);

CREATE INDEX ix_ledger_entry_account_no_day ON ledger_entry (account_no, day, posting_id, position);

CREATE TABLE ledger_hold (
    hold_id VARCHAR(32) NOT NULL,
    account_no BIGINT NOT NULL,
    payee_no BIGINT NOT NULL,
    amount_minor BIGINT NOT NULL,
    currency VARCHAR(3) NOT NULL,
    state VARCHAR(8) NOT NULL,
    key VARCHAR(100) NOT NULL,
    request_hash BYTEA NOT NULL,
    day DATE NOT NULL,
    memo VARCHAR(200) NOT NULL,
    expires_us BIGINT,
    posting_id VARCHAR(32),
    CONSTRAINT pk_ledger_hold PRIMARY KEY (hold_id),
    CONSTRAINT uq_ledger_hold_key UNIQUE (key),
    CONSTRAINT fk_ledger_hold_account_no FOREIGN KEY(account_no) REFERENCES ledger_account (account_no),
    CONSTRAINT fk_ledger_hold_payee_no FOREIGN KEY(payee_no) REFERENCES ledger_account (account_no),
    CONSTRAINT fk_ledger_hold_posting_id FOREIGN KEY(posting_id) REFERENCES ledger_posting (posting_id),
    CONSTRAINT ck_ledger_hold_state CHECK (state IN ('pending', 'settled', 'voided', 'expired')),
    CONSTRAINT ck_ledger_hold_expires CHECK ((state = 'pending') = (expires_us IS NOT NULL)),
    CONSTRAINT ck_ledger_hold_settled CHECK ((state = 'settled') = (posting_id IS NOT NULL)),
    CONSTRAINT ck_ledger_hold_amount CHECK (amount_minor BETWEEN 1 AND 1000000000000000)
);

CREATE INDEX ix_ledger_hold_expires_us ON ledger_hold (expires_us);

CREATE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION USING ERRCODE = 'integrity_constraint_violation', MESSAGE = 'ledger: ' || TG_ARGV[0];
END $$;

CREATE FUNCTION ledger_complete() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off AS $$
BEGIN
  IF (SELECT CASE WHEN count(*) <> NEW.entries OR bool_or(day <> NEW.day) THEN true
             WHEN min(currency) = max(currency) THEN sum(amount_minor) <> 0
             ELSE EXISTS (SELECT 1 FROM ledger_entry WHERE posting_id = NEW.posting_id
                          GROUP BY currency HAVING sum(amount_minor) <> 0) END
      FROM ledger_entry WHERE posting_id = NEW.posting_id) THEN
    RAISE EXCEPTION USING ERRCODE = 'integrity_constraint_violation',
      MESSAGE = 'ledger: a posting must have all its entries, of its day, that sum to zero in each currency';
  END IF;
  IF NEW.reverses IS NOT NULL THEN
    IF (SELECT count(*) <> NEW.entries FROM ledger_entry AS back JOIN ledger_entry AS forth
          ON forth.posting_id = NEW.reverses AND forth.position = back.position
          AND forth.account_no = back.account_no AND forth.amount_minor = -back.amount_minor
        WHERE back.posting_id = NEW.posting_id)
      OR NOT EXISTS (SELECT 1 FROM ledger_posting
                     WHERE posting_id = NEW.reverses AND reverses IS NULL AND entries = NEW.entries) THEN
      RAISE EXCEPTION USING ERRCODE = 'integrity_constraint_violation',
        MESSAGE = 'ledger: a reversal must undo every entry of one posting that is no reversal';
    END IF;
  END IF;
  RETURN NULL;
END $$;

CREATE FUNCTION ledger_fits() RETURNS trigger LANGUAGE plpgsql
  SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM added AS e
             LEFT JOIN ledger_posting AS p ON p.posting_id = e.posting_id
             LEFT JOIN ledger_account AS a ON a.account_no = e.account_no
             WHERE p.entries IS NULL OR e.position < 0 OR e.position >= p.entries
               OR a.currency IS NULL OR a.currency <> e.currency) THEN
    RAISE EXCEPTION USING ERRCODE = 'integrity_constraint_violation',
      MESSAGE = 'ledger: an entry needs an account of its currency, and a posting that is not complete';
  END IF;
  RETURN NULL;
END $$;

CREATE TRIGGER ledger_account_stays BEFORE DELETE ON ledger_account FOR EACH ROW EXECUTE FUNCTION ledger_refuse('nothing is deleted');

CREATE TRIGGER ledger_balance_stays BEFORE DELETE ON ledger_balance FOR EACH ROW EXECUTE FUNCTION ledger_refuse('nothing is deleted');

CREATE TRIGGER ledger_hold_stays BEFORE DELETE ON ledger_hold FOR EACH ROW EXECUTE FUNCTION ledger_refuse('nothing is deleted');

CREATE TRIGGER ledger_posting_stays BEFORE DELETE ON ledger_posting FOR EACH ROW EXECUTE FUNCTION ledger_refuse('nothing is deleted');

CREATE TRIGGER ledger_entry_stays BEFORE DELETE ON ledger_entry FOR EACH ROW EXECUTE FUNCTION ledger_refuse('nothing is deleted');

CREATE TRIGGER ledger_account_remains BEFORE TRUNCATE ON ledger_account FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse('nothing is deleted');

CREATE TRIGGER ledger_balance_remains BEFORE TRUNCATE ON ledger_balance FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse('nothing is deleted');

CREATE TRIGGER ledger_hold_remains BEFORE TRUNCATE ON ledger_hold FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse('nothing is deleted');

CREATE TRIGGER ledger_posting_remains BEFORE TRUNCATE ON ledger_posting FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse('nothing is deleted');

CREATE TRIGGER ledger_entry_remains BEFORE TRUNCATE ON ledger_entry FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse('nothing is deleted');

CREATE TRIGGER ledger_account_fixed BEFORE UPDATE OF account_no, name, kind, currency, shards, opened_on ON ledger_account FOR EACH ROW EXECUTE FUNCTION ledger_refuse('this is never changed');

CREATE TRIGGER ledger_balance_fixed BEFORE UPDATE OF account_no, shard ON ledger_balance FOR EACH ROW EXECUTE FUNCTION ledger_refuse('this is never changed');

CREATE TRIGGER ledger_hold_fixed BEFORE UPDATE OF hold_id, account_no, payee_no, amount_minor, currency, key, request_hash, day, memo ON ledger_hold FOR EACH ROW EXECUTE FUNCTION ledger_refuse('this is never changed');

CREATE TRIGGER ledger_posting_fixed BEFORE UPDATE OF posting_id, kind, day, key, request_hash, memo, reverses, entries ON ledger_posting FOR EACH ROW EXECUTE FUNCTION ledger_refuse('this is never changed');

CREATE TRIGGER ledger_entry_fixed BEFORE UPDATE OF posting_id, position, account_no, day, amount_minor, currency ON ledger_entry FOR EACH ROW EXECUTE FUNCTION ledger_refuse('this is never changed');

CREATE CONSTRAINT TRIGGER ledger_posting_completes AFTER INSERT ON ledger_posting DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_complete();

CREATE TRIGGER ledger_entry_fits AFTER INSERT ON ledger_entry REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION ledger_fits();

CREATE TRIGGER ledger_balance_begins BEFORE INSERT ON ledger_balance FOR EACH ROW WHEN (NEW.balance_minor <> 0 OR NEW.held_minor <> 0) EXECUTE FUNCTION ledger_refuse('a balance begins at zero');

CREATE TRIGGER ledger_hold_begins BEFORE INSERT ON ledger_hold FOR EACH ROW WHEN (NEW.state <> 'pending') EXECUTE FUNCTION ledger_refuse('a hold begins pending');

CREATE TRIGGER ledger_hold_ends BEFORE UPDATE ON ledger_hold FOR EACH ROW WHEN (OLD.state <> 'pending' OR NEW.state = 'pending') EXECUTE FUNCTION ledger_refuse('a hold ends once');
