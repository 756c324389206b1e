-- The first schema. docs/schema.md explains every table and view. Tables and columns are those of SQLite's schema, so that
-- one reader reads both; every figure is a bigint for the same reason.

CREATE TABLE currencies (
    numeric bigint PRIMARY KEY,
    minor_digits bigint NOT NULL
);

CREATE TABLE requests (number bigint PRIMARY KEY, name text NOT NULL);
CREATE TABLE refusals (number bigint PRIMARY KEY, name text NOT NULL);
CREATE TABLE message_states (number bigint PRIMARY KEY, name text NOT NULL);

CREATE TABLE position (
    one bigint PRIMARY KEY CHECK (one = 1),
    next bigint NOT NULL,
    at_ms bigint NOT NULL,
    day bigint NOT NULL,
    month bigint NOT NULL,
    head bytea NOT NULL,
    replay_from bigint NOT NULL,
    replay_at_ms bigint NOT NULL,
    replay_day bigint NOT NULL,
    replay_month bigint NOT NULL,
    settled bigint NOT NULL,
    restored bigint NOT NULL DEFAULT 0,
    term bigint NOT NULL
);

-- Who may write, and until when; each taking begins a new term. Only the term in position decides whether a commit counts.
CREATE TABLE lease (
    one bigint PRIMARY KEY CHECK (one = 1),
    term bigint NOT NULL,
    holder text NOT NULL,
    address text,
    expires_at timestamptz NOT NULL
);

INSERT INTO lease VALUES (1, 0, 'nobody', NULL, '-infinity');

-- Moves the position on, for the writer whose term it is and who knows what was written last; for anybody else the commit
-- fails here, whatever else it wrote.
CREATE FUNCTION advance(
    writers_term bigint, known_head bytea, next_row bigint, now_ms bigint, now_day bigint, now_month bigint,
    new_head bytea, from_row bigint, then_ms bigint, then_day bigint, then_month bigint, settled_to bigint,
    reopened boolean
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE position SET next = next_row, at_ms = now_ms, day = now_day, month = now_month, head = new_head,
        replay_from = from_row, replay_at_ms = then_ms, replay_day = then_day, replay_month = then_month,
        settled = settled_to, restored = CASE WHEN reopened THEN 0 ELSE restored END
    WHERE one = 1 AND term = writers_term AND head = known_head;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'another writer has the lease' USING ERRCODE = 'WK001';
    END IF;
END
$$;

-- The same without moving anything: whoever passes keeps others from it to the end of the transaction.
CREATE FUNCTION hold(writers_term bigint, known_head bytea) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM position WHERE one = 1 AND term = writers_term AND head = known_head FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'another writer has the lease' USING ERRCODE = 'WK001';
    END IF;
END
$$;

-- In a partition for each month, which the writer makes when the month begins.
CREATE TABLE log (
    sequence bigint NOT NULL,
    at_ms bigint NOT NULL,
    day bigint NOT NULL,
    month bigint NOT NULL,
    request bigint NOT NULL,
    sender bigint,
    staff bigint,
    request_key bytea,
    refusal bigint,
    transfer bigint,
    changes bytea,
    notices bytea,
    chain bytea NOT NULL,
    from_1 bigint,
    to_1 bigint,
    amount_1 bigint,
    currency_1 bigint,
    from_balance_1 bigint,
    to_balance_1 bigint,
    from_previous_1 bigint,
    to_previous_1 bigint,
    from_2 bigint,
    to_2 bigint,
    amount_2 bigint,
    currency_2 bigint,
    from_balance_2 bigint,
    to_balance_2 bigint,
    from_previous_2 bigint,
    to_previous_2 bigint,
    from_3 bigint,
    to_3 bigint,
    amount_3 bigint,
    currency_3 bigint,
    from_balance_3 bigint,
    to_balance_3 bigint,
    from_previous_3 bigint,
    to_previous_3 bigint,
    from_4 bigint,
    to_4 bigint,
    amount_4 bigint,
    currency_4 bigint,
    from_balance_4 bigint,
    to_balance_4 bigint,
    from_previous_4 bigint,
    to_previous_4 bigint,
    from_5 bigint,
    to_5 bigint,
    amount_5 bigint,
    currency_5 bigint,
    from_balance_5 bigint,
    to_balance_5 bigint,
    from_previous_5 bigint,
    to_previous_5 bigint,
    from_6 bigint,
    to_6 bigint,
    amount_6 bigint,
    currency_6 bigint,
    from_balance_6 bigint,
    to_balance_6 bigint,
    from_previous_6 bigint,
    to_previous_6 bigint,
    PRIMARY KEY (sequence, month)
) PARTITION BY LIST (month);

-- The state at the end of each month that was taken out of the log, and whose it is.
CREATE TABLE seals (
    month bigint PRIMARY KEY,
    first bigint NOT NULL,
    last bigint NOT NULL,
    next bigint NOT NULL,
    at_ms bigint NOT NULL,
    day bigint NOT NULL,
    link_before bytea NOT NULL,
    link bytea NOT NULL,
    digest bytea NOT NULL
);

CREATE TABLE sealed (
    month bigint NOT NULL,
    place bigint NOT NULL,
    body bytea NOT NULL,
    balance bigint NOT NULL,
    latest bigint NOT NULL,
    PRIMARY KEY (month, place)
);

CREATE TABLE repeat_keys (
    first bigint PRIMARY KEY,
    at_ms bigint NOT NULL,
    keys bytea NOT NULL
);

-- They are random: trying to make them smaller took a fifth of the server's time.
ALTER TABLE repeat_keys ALTER COLUMN keys SET STORAGE EXTERNAL;

CREATE TABLE codes (
    notice_id bigint PRIMARY KEY,
    sealed bytea NOT NULL,
    sequence bigint GENERATED ALWAYS AS (notice_id >> 6) STORED,
    notice bigint GENERATED ALWAYS AS (notice_id & 63) STORED
);

CREATE TABLE private_texts (
    sequence bigint NOT NULL,
    position bigint NOT NULL,
    msisdn bigint,
    transfer bigint,
    commitment bytea NOT NULL,
    sealed bytea NOT NULL,
    PRIMARY KEY (sequence, position)
);

CREATE TABLE messages (
    notice_id bigint PRIMARY KEY,
    state bigint NOT NULL,
    attempts bigint NOT NULL,
    centre bigint,
    message_id text,
    at_ms bigint NOT NULL,
    sequence bigint GENERATED ALWAYS AS (notice_id >> 6) STORED,
    notice bigint GENERATED ALWAYS AS (notice_id & 63) STORED
);

CREATE TABLE accounts (
    id bigint PRIMARY KEY,
    role bigint,
    tier bigint,
    agent bigint,
    msisdn bigint,
    currency bigint NOT NULL,
    status bigint NOT NULL,
    wrong_pins bigint NOT NULL,
    locked_until_ms bigint,
    one_time_until_ms bigint,
    used_day bigint NOT NULL,
    used_in_day bigint NOT NULL,
    used_month bigint NOT NULL,
    used_in_month bigint NOT NULL,
    opened_at_ms bigint NOT NULL,
    balance bigint NOT NULL,
    latest bigint NOT NULL,
    body bytea NOT NULL,
    as_of bigint NOT NULL
);

CREATE TABLE numbers (
    msisdn bigint PRIMARY KEY,
    language bigint,
    iccid text,
    card_counter bigint,
    wrong_passwords bigint NOT NULL,
    pauses bigint NOT NULL,
    paused_until_ms bigint,
    last_paid bigint,
    body bytea NOT NULL,
    as_of bigint NOT NULL
);

CREATE TABLE transfers (
    id bigint PRIMARY KEY,
    kind bigint NOT NULL,
    made_at_ms bigint NOT NULL,
    sender bigint NOT NULL,
    sender_number bigint,
    payee bigint NOT NULL,
    amount bigint NOT NULL,
    currency bigint NOT NULL,
    tariff bigint,
    payer bigint NOT NULL,
    fee bigint NOT NULL,
    levy bigint NOT NULL,
    state bigint NOT NULL,
    expires_at_ms bigint,
    agent bigint,
    closed_at_ms bigint,
    cash bigint,
    commission bigint,
    cause bigint,
    body bytea NOT NULL,
    as_of bigint NOT NULL
);

CREATE INDEX transfers_waiting ON transfers (id) WHERE state = 1;

CREATE TABLE agents (
    code bigint PRIMARY KEY,
    account bigint NOT NULL,
    own_numbers text NOT NULL,
    body bytea NOT NULL,
    as_of bigint NOT NULL
);

CREATE TABLE dealings (
    agent bigint NOT NULL,
    customer bigint NOT NULL,
    priced bigint NOT NULL,
    day bigint NOT NULL,
    sum bigint NOT NULL,
    earned bigint NOT NULL,
    body bytea NOT NULL,
    as_of bigint NOT NULL,
    PRIMARY KEY (agent, customer, priced)
);

CREATE TABLE failures (
    scope bigint NOT NULL,
    of bigint NOT NULL,
    since_ms bigint NOT NULL,
    count bigint NOT NULL,
    body bytea NOT NULL,
    as_of bigint NOT NULL,
    PRIMARY KEY (scope, of)
);

CREATE TABLE proposals (
    id bigint PRIMARY KEY,
    maker bigint NOT NULL,
    made_at_ms bigint NOT NULL,
    measure bigint NOT NULL,
    state bigint NOT NULL,
    checker bigint,
    checked_at_ms bigint,
    body bytea NOT NULL,
    as_of bigint NOT NULL
);

CREATE TABLE staff (
    id bigint PRIMARY KEY,
    name text NOT NULL,
    active bigint NOT NULL,
    body bytea NOT NULL,
    as_of bigint NOT NULL
);

CREATE TABLE cases (
    id bigint PRIMARY KEY,
    opened_at_ms bigint NOT NULL,
    transfer bigint,
    msisdn bigint NOT NULL,
    amount bigint NOT NULL,
    currency bigint NOT NULL,
    closed_at_ms bigint,
    body bytea NOT NULL,
    as_of bigint NOT NULL
);

CREATE TABLE tariffs (
    id bigint PRIMARY KEY,
    priced bigint NOT NULL,
    currency bigint NOT NULL,
    effective_from_ms bigint NOT NULL,
    payer bigint NOT NULL,
    bands text NOT NULL,
    agent_share_per_mille bigint NOT NULL,
    levy_per_mille_of_fee bigint NOT NULL,
    levy_per_mille_of_amount bigint NOT NULL,
    fee_kept_on_return bigint NOT NULL,
    body bytea NOT NULL,
    as_of bigint NOT NULL
);

CREATE TABLE bank_movements (
    reference text PRIMARY KEY,
    change bigint NOT NULL,
    currency bigint NOT NULL,
    at_ms bigint NOT NULL,
    body bytea NOT NULL,
    as_of bigint NOT NULL
);

CREATE TABLE bank_balances (
    currency bigint PRIMARY KEY,
    balance bigint NOT NULL,
    stated_at_ms bigint NOT NULL,
    statement text NOT NULL,
    entered_at_ms bigint NOT NULL,
    body bytea NOT NULL,
    as_of bigint NOT NULL
);

CREATE VIEW entries AS
SELECT sequence, at_ms, 1 AS posting, 1 AS side, from_1 AS account, -amount_1 AS change,
    from_balance_1 AS balance, currency_1 AS currency, from_previous_1 AS previous
FROM log WHERE from_1 IS NOT NULL
UNION ALL
SELECT sequence, at_ms, 1 AS posting, 2 AS side, to_1 AS account, amount_1 AS change,
    to_balance_1 AS balance, currency_1 AS currency, to_previous_1 AS previous
FROM log WHERE from_1 IS NOT NULL
UNION ALL
SELECT sequence, at_ms, 2 AS posting, 1 AS side, from_2 AS account, -amount_2 AS change,
    from_balance_2 AS balance, currency_2 AS currency, from_previous_2 AS previous
FROM log WHERE from_2 IS NOT NULL
UNION ALL
SELECT sequence, at_ms, 2 AS posting, 2 AS side, to_2 AS account, amount_2 AS change,
    to_balance_2 AS balance, currency_2 AS currency, to_previous_2 AS previous
FROM log WHERE from_2 IS NOT NULL
UNION ALL
SELECT sequence, at_ms, 3 AS posting, 1 AS side, from_3 AS account, -amount_3 AS change,
    from_balance_3 AS balance, currency_3 AS currency, from_previous_3 AS previous
FROM log WHERE from_3 IS NOT NULL
UNION ALL
SELECT sequence, at_ms, 3 AS posting, 2 AS side, to_3 AS account, amount_3 AS change,
    to_balance_3 AS balance, currency_3 AS currency, to_previous_3 AS previous
FROM log WHERE from_3 IS NOT NULL
UNION ALL
SELECT sequence, at_ms, 4 AS posting, 1 AS side, from_4 AS account, -amount_4 AS change,
    from_balance_4 AS balance, currency_4 AS currency, from_previous_4 AS previous
FROM log WHERE from_4 IS NOT NULL
UNION ALL
SELECT sequence, at_ms, 4 AS posting, 2 AS side, to_4 AS account, amount_4 AS change,
    to_balance_4 AS balance, currency_4 AS currency, to_previous_4 AS previous
FROM log WHERE from_4 IS NOT NULL
UNION ALL
SELECT sequence, at_ms, 5 AS posting, 1 AS side, from_5 AS account, -amount_5 AS change,
    from_balance_5 AS balance, currency_5 AS currency, from_previous_5 AS previous
FROM log WHERE from_5 IS NOT NULL
UNION ALL
SELECT sequence, at_ms, 5 AS posting, 2 AS side, to_5 AS account, amount_5 AS change,
    to_balance_5 AS balance, currency_5 AS currency, to_previous_5 AS previous
FROM log WHERE from_5 IS NOT NULL
UNION ALL
SELECT sequence, at_ms, 6 AS posting, 1 AS side, from_6 AS account, -amount_6 AS change,
    from_balance_6 AS balance, currency_6 AS currency, from_previous_6 AS previous
FROM log WHERE from_6 IS NOT NULL
UNION ALL
SELECT sequence, at_ms, 6 AS posting, 2 AS side, to_6 AS account, amount_6 AS change,
    to_balance_6 AS balance, currency_6 AS currency, to_previous_6 AS previous
FROM log WHERE from_6 IS NOT NULL;

CREATE VIEW balances AS
WITH newer AS (
    SELECT account, currency, balance, sequence,
        row_number() OVER (PARTITION BY account ORDER BY sequence DESC, posting DESC, side DESC) AS age
    FROM entries WHERE sequence >= (SELECT replay_from FROM position)
)
SELECT accounts.id AS account, accounts.role, accounts.msisdn, accounts.currency,
    coalesce(newer.balance, accounts.balance) AS balance, coalesce(newer.sequence, accounts.latest) AS latest
FROM accounts LEFT JOIN newer ON newer.account = accounts.id AND newer.age = 1
UNION ALL
SELECT account, CASE WHEN account < 0 THEN -account % 100 END, NULL, currency, balance, sequence FROM newer
WHERE age = 1 AND account NOT IN (SELECT id FROM accounts);

CREATE VIEW trial_balance AS
SELECT currency, CASE WHEN account < 0 THEN -account % 100 END AS role, count(*) AS accounts,
    sum(balance)::bigint AS balance
FROM balances GROUP BY currency, 2;

CREATE VIEW journal AS
SELECT log.sequence,
    to_char(to_timestamp(log.at_ms / 1000.0) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS at,
    requests.name AS request, log.sender, log.staff, refusals.name AS refusal, log.transfer,
    log.from_1, log.to_1, log.amount_1, log.from_2, log.to_2, log.amount_2, log.from_3, log.to_3, log.amount_3,
    log.from_4, log.to_4, log.amount_4, log.from_5, log.to_5, log.amount_5, log.from_6, log.to_6, log.amount_6,
    encode(log.chain, 'hex') AS chain
FROM log LEFT JOIN requests ON requests.number = log.request LEFT JOIN refusals ON refusals.number = log.refusal;

CREATE VIEW transfers_now AS
SELECT made.sequence AS transfer, made.at_ms AS made_at_ms, made.sender AS asked_by, made.amount_1 AS first_posting,
    made.currency_1 AS currency, transfers.payee,
    CASE transfers.state WHEN 1 THEN 'waiting' WHEN 2 THEN 'credited' WHEN 3 THEN 'paid out' WHEN 4 THEN 'deposited'
        WHEN 5 THEN 'returned' ELSE 'as made' END AS state,
    transfers.closed_at_ms, coalesce(transfers.as_of, made.sequence) AS as_of,
    (SELECT max(later.sequence) FROM log AS later
        WHERE later.transfer = made.sequence AND later.refusal IS NULL AND later.sequence > made.sequence
            AND later.sequence > coalesce(transfers.as_of, (SELECT replay_from - 1 FROM position))) AS changed_by
FROM log AS made LEFT JOIN transfers ON transfers.id = made.sequence
WHERE made.transfer = made.sequence;

CREATE VIEW notices_state AS
SELECT messages.sequence, messages.notice, message_states.name AS state, messages.attempts, messages.centre,
    messages.message_id,
    to_char(to_timestamp(messages.at_ms / 1000.0) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS at,
    (codes.notice_id IS NOT NULL)::int AS holds_code
FROM messages LEFT JOIN message_states ON message_states.number = messages.state
LEFT JOIN codes ON codes.notice_id = messages.notice_id;
