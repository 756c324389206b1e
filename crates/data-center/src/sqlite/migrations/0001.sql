-- The first schema. docs/schema.md explains every table and view.

CREATE TABLE currencies (
    numeric INTEGER PRIMARY KEY,
    minor_digits INTEGER NOT NULL
) STRICT;

CREATE TABLE requests (number INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;
CREATE TABLE refusals (number INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;
CREATE TABLE message_states (number INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;

CREATE TABLE position (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    next INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    day INTEGER NOT NULL,
    month INTEGER NOT NULL,
    head BLOB NOT NULL,
    replay_from INTEGER NOT NULL,
    replay_at_ms INTEGER NOT NULL,
    replay_day INTEGER NOT NULL,
    replay_month INTEGER NOT NULL,
    settled INTEGER NOT NULL,
    restored INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE log (
    sequence INTEGER PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    day INTEGER NOT NULL,
    month INTEGER NOT NULL,
    request INTEGER NOT NULL,
    sender INTEGER,
    staff INTEGER,
    request_key BLOB,
    refusal INTEGER,
    transfer INTEGER,
    changes BLOB,
    notices BLOB,
    chain BLOB NOT NULL,
    from_1 INTEGER,
    to_1 INTEGER,
    amount_1 INTEGER,
    currency_1 INTEGER,
    from_balance_1 INTEGER,
    to_balance_1 INTEGER,
    from_previous_1 INTEGER,
    to_previous_1 INTEGER,
    from_2 INTEGER,
    to_2 INTEGER,
    amount_2 INTEGER,
    currency_2 INTEGER,
    from_balance_2 INTEGER,
    to_balance_2 INTEGER,
    from_previous_2 INTEGER,
    to_previous_2 INTEGER,
    from_3 INTEGER,
    to_3 INTEGER,
    amount_3 INTEGER,
    currency_3 INTEGER,
    from_balance_3 INTEGER,
    to_balance_3 INTEGER,
    from_previous_3 INTEGER,
    to_previous_3 INTEGER,
    from_4 INTEGER,
    to_4 INTEGER,
    amount_4 INTEGER,
    currency_4 INTEGER,
    from_balance_4 INTEGER,
    to_balance_4 INTEGER,
    from_previous_4 INTEGER,
    to_previous_4 INTEGER,
    from_5 INTEGER,
    to_5 INTEGER,
    amount_5 INTEGER,
    currency_5 INTEGER,
    from_balance_5 INTEGER,
    to_balance_5 INTEGER,
    from_previous_5 INTEGER,
    to_previous_5 INTEGER,
    from_6 INTEGER,
    to_6 INTEGER,
    amount_6 INTEGER,
    currency_6 INTEGER,
    from_balance_6 INTEGER,
    to_balance_6 INTEGER,
    from_previous_6 INTEGER,
    to_previous_6 INTEGER
) STRICT;

CREATE TABLE repeat_keys (
    first INTEGER PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    keys BLOB NOT NULL
) STRICT;

CREATE TABLE codes (
    notice_id INTEGER PRIMARY KEY,
    sealed BLOB NOT NULL,
    sequence INTEGER GENERATED ALWAYS AS (notice_id >> 6) VIRTUAL,
    notice INTEGER GENERATED ALWAYS AS (notice_id & 63) VIRTUAL
) STRICT;

CREATE TABLE private_texts (
    sequence INTEGER NOT NULL,
    position INTEGER NOT NULL,
    msisdn INTEGER,
    transfer INTEGER,
    commitment BLOB NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (sequence, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE messages (
    notice_id INTEGER PRIMARY KEY,
    state INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    centre INTEGER,
    message_id TEXT,
    at_ms INTEGER NOT NULL,
    sequence INTEGER GENERATED ALWAYS AS (notice_id >> 6) VIRTUAL,
    notice INTEGER GENERATED ALWAYS AS (notice_id & 63) VIRTUAL
) STRICT;

CREATE TABLE accounts (
    id INTEGER PRIMARY KEY,
    role INTEGER,
    tier INTEGER,
    agent INTEGER,
    msisdn INTEGER,
    currency INTEGER NOT NULL,
    status INTEGER NOT NULL,
    wrong_pins INTEGER NOT NULL,
    locked_until_ms INTEGER,
    one_time_until_ms INTEGER,
    used_day INTEGER NOT NULL,
    used_in_day INTEGER NOT NULL,
    used_month INTEGER NOT NULL,
    used_in_month INTEGER NOT NULL,
    opened_at_ms INTEGER NOT NULL,
    balance INTEGER NOT NULL,
    latest INTEGER NOT NULL,
    body BLOB NOT NULL,
    as_of INTEGER NOT NULL
) STRICT;

CREATE TABLE numbers (
    msisdn INTEGER PRIMARY KEY,
    language INTEGER,
    iccid TEXT,
    card_counter INTEGER,
    wrong_passwords INTEGER NOT NULL,
    pauses INTEGER NOT NULL,
    paused_until_ms INTEGER,
    last_paid INTEGER,
    body BLOB NOT NULL,
    as_of INTEGER NOT NULL
) STRICT;

CREATE TABLE transfers (
    id INTEGER PRIMARY KEY,
    kind INTEGER NOT NULL,
    made_at_ms INTEGER NOT NULL,
    sender INTEGER NOT NULL,
    sender_number INTEGER,
    payee INTEGER NOT NULL,
    amount INTEGER NOT NULL,
    currency INTEGER NOT NULL,
    tariff INTEGER,
    payer INTEGER NOT NULL,
    fee INTEGER NOT NULL,
    levy INTEGER NOT NULL,
    state INTEGER NOT NULL,
    expires_at_ms INTEGER,
    agent INTEGER,
    closed_at_ms INTEGER,
    cash INTEGER,
    commission INTEGER,
    cause INTEGER,
    body BLOB NOT NULL,
    as_of INTEGER NOT NULL
) STRICT;

CREATE INDEX transfers_waiting ON transfers (id) WHERE state = 1;

CREATE TABLE agents (
    code INTEGER PRIMARY KEY,
    account INTEGER NOT NULL,
    own_numbers TEXT NOT NULL,
    body BLOB NOT NULL,
    as_of INTEGER NOT NULL
) STRICT;

CREATE TABLE dealings (
    agent INTEGER NOT NULL,
    customer INTEGER NOT NULL,
    priced INTEGER NOT NULL,
    day INTEGER NOT NULL,
    sum INTEGER NOT NULL,
    earned INTEGER NOT NULL,
    body BLOB NOT NULL,
    as_of INTEGER NOT NULL,
    PRIMARY KEY (agent, customer, priced)
) STRICT, WITHOUT ROWID;

CREATE TABLE failures (
    scope INTEGER NOT NULL,
    of INTEGER NOT NULL,
    since_ms INTEGER NOT NULL,
    count INTEGER NOT NULL,
    body BLOB NOT NULL,
    as_of INTEGER NOT NULL,
    PRIMARY KEY (scope, of)
) STRICT, WITHOUT ROWID;

CREATE TABLE proposals (
    id INTEGER PRIMARY KEY,
    maker INTEGER NOT NULL,
    made_at_ms INTEGER NOT NULL,
    measure INTEGER NOT NULL,
    state INTEGER NOT NULL,
    checker INTEGER,
    checked_at_ms INTEGER,
    body BLOB NOT NULL,
    as_of INTEGER NOT NULL
) STRICT;

CREATE TABLE staff (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    active INTEGER NOT NULL,
    body BLOB NOT NULL,
    as_of INTEGER NOT NULL
) STRICT;

CREATE TABLE cases (
    id INTEGER PRIMARY KEY,
    opened_at_ms INTEGER NOT NULL,
    transfer INTEGER,
    msisdn INTEGER NOT NULL,
    amount INTEGER NOT NULL,
    currency INTEGER NOT NULL,
    closed_at_ms INTEGER,
    body BLOB NOT NULL,
    as_of INTEGER NOT NULL
) STRICT;

CREATE TABLE tariffs (
    id INTEGER PRIMARY KEY,
    priced INTEGER NOT NULL,
    currency INTEGER NOT NULL,
    effective_from_ms INTEGER NOT NULL,
    payer INTEGER NOT NULL,
    bands TEXT NOT NULL,
    agent_share_per_mille INTEGER NOT NULL,
    levy_per_mille_of_fee INTEGER NOT NULL,
    levy_per_mille_of_amount INTEGER NOT NULL,
    fee_kept_on_return INTEGER NOT NULL,
    body BLOB NOT NULL,
    as_of INTEGER NOT NULL
) STRICT;

CREATE TABLE bank_movements (
    reference TEXT PRIMARY KEY,
    change INTEGER NOT NULL,
    currency INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    body BLOB NOT NULL,
    as_of INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE bank_balances (
    currency INTEGER PRIMARY KEY,
    balance INTEGER NOT NULL,
    stated_at_ms INTEGER NOT NULL,
    statement TEXT NOT NULL,
    entered_at_ms INTEGER NOT NULL,
    body BLOB NOT NULL,
    as_of INTEGER NOT NULL
) STRICT;

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
SELECT currency, CASE WHEN account < 0 THEN -account % 100 END AS role, count(*) AS accounts, sum(balance) AS balance
FROM balances GROUP BY currency, 2;

CREATE VIEW journal AS
SELECT log.sequence, strftime('%Y-%m-%dT%H:%M:%fZ', log.at_ms / 1000.0, 'unixepoch') AS at, requests.name AS request,
    log.sender, log.staff, refusals.name AS refusal, log.transfer,
    log.from_1, log.to_1, log.amount_1, log.from_2, log.to_2, log.amount_2, log.from_3, log.to_3, log.amount_3,
    log.from_4, log.to_4, log.amount_4, log.from_5, log.to_5, log.amount_5, log.from_6, log.to_6, log.amount_6,
    lower(hex(log.chain)) AS chain
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
    messages.message_id, strftime('%Y-%m-%dT%H:%M:%fZ', messages.at_ms / 1000.0, 'unixepoch') AS at,
    codes.notice_id IS NOT NULL AS holds_code
FROM messages LEFT JOIN message_states ON message_states.number = messages.state
LEFT JOIN codes ON codes.notice_id = messages.notice_id;
