//! What holds after every test: money is conserved, the ledger proves itself, no request had two effects, and every notice of
//! every row was told to its number.

use std::collections::HashMap;

use data_center::{History, Location, MessageState, NoticeId, Part, Untold, Value};
use transaction_processing::ids::{Sequence, SystemAccount};

use super::world::{TZS, World};

/// In what states messages may be left at the end, beside delivered.
#[derive(Clone, Copy, Default)]
pub struct Tolerance {
    /// Sent, because the centre gives no receipts.
    pub sent: bool,
    /// Given up, because the test sees to it.
    pub given_up: bool,
    /// The platform knows the ids of messages in decimal.
    pub decimal_ids: bool,
}

/// Waits until every notice has found its end.
pub async fn settle(world: &World) {
    World::until("every notice is told", async || {
        for centre in &world.centres {
            centre.settle().await;
        }
        // What links reported goes through the writer, behind which this question stands.
        world.read(|_| ()).await;
        untold(&world.location(), world.tolerates.sent) == 0
    })
    .await;
}

/// How many notices of a database nobody has been told yet; those whose receipt is awaited are told where `sent` counts.
pub fn untold(database: &Location, sent: bool) -> usize {
    aside(|| look_for_untold(database, sent))
}

/// Work that waits for a server, on a thread without a runtime.
fn aside<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| scope.spawn(work).join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
}

fn look_for_untold(database: &Location, sent: bool) -> usize {
    let mut history = database.history().expect("the database opens");
    let (mut after, mut open) = (Sequence(0), 0);
    loop {
        let (untold, up_to) = history.untold(after, 10_000).expect("the log is read");
        let waits = |untold: &&Untold| {
            let state = untold.message.as_ref().map(|message| message.state);
            !(sent && state == Some(MessageState::Sent))
        };
        open += untold.iter().filter(waits).count();
        if untold.is_empty() && up_to == after {
            return open;
        }
        after = up_to;
    }
}

/// Money is conserved: all balances sum to zero, and everybody's together to what was issued. Gives what was issued.
pub async fn conserved(world: &World) -> i64 {
    let (sum, issued) = world
        .read(|books| {
            let sum: i128 = books.accounts().map(|account| i128::from(account.balance())).sum();
            (sum, books.system(SystemAccount::Trust, TZS).map_or(0, |trust| -trust.balance()))
        })
        .await;
    assert_eq!(sum, 0, "all balances sum to zero");
    issued
}

/// Looks at the database of a platform that has stopped.
pub fn audit(world: &World, issued: i64) {
    audit_at(world, &world.location(), issued);
}

/// The same of a database that the world's configuration does not name.
pub fn audit_at(world: &World, database: &Location, issued: i64) {
    let report = aside(|| database.verify(&mut |_, _| {})).expect("the ledger is read");
    assert!(report.is_sound(), "{:#?}", report.findings);
    assert_eq!(report.sums, [(TZS.numeric, 0, i128::from(issued))]);
    one_effect_a_request(database);
    aside(|| every_notice_told(world, database));
}

/// No message had an effect twice.
pub fn one_effect_a_request(database: &Location) {
    let twice = "SELECT min(sequence) FROM log WHERE request_key IS NOT NULL AND refusal IS NULL
                 GROUP BY request_key HAVING count(*) > 1";
    let twice = rows(database, twice);
    assert!(twice.is_empty(), "rows of one message: {}", twice.len());
}

/// The rows that a question answers with.
pub fn rows(database: &Location, statement: &str) -> Vec<Vec<Value>> {
    let mut found = Vec::new();
    let mut each = |part: Part<'_>| {
        if let Part::Row(row) = part {
            found.push(row);
        }
        true
    };
    aside(|| database.query(statement, &mut each)).expect("a question");
    found
}

/// The figure of a column.
pub fn figure(value: &Value) -> i64 {
    match value {
        Value::Integer(figure) => *figure,
        _ => panic!("no figure"),
    }
}

/// Every notice of every row has a message in a final state whose parts the centre has taken for the right number.
fn every_notice_told(world: &World, database: &Location) {
    let mut messages = HashMap::new();
    for row in rows(database, "SELECT notice_id, state, message_id FROM messages") {
        let state = MessageState::numbered(figure(&row[1]) as u8).expect("a state");
        let ids = if let Value::Text(ids) = &row[2] { ids.clone() } else { String::new() };
        messages.insert(figure(&row[0]), (state, ids));
    }
    let taken: HashMap<String, String> = world
        .centres
        .iter()
        .flat_map(|centre| {
            centre.reports().iter().filter_map(|report| report.get("submit")).cloned().collect::<Vec<_>>()
        })
        .map(|submit| {
            (submit["id"].as_str().expect("an id").to_owned(), submit["to"].as_str().expect("a number").to_owned())
        })
        .collect();
    let mut history = database.history().expect("the database opens");
    for row in rows(database, "SELECT sequence FROM log ORDER BY sequence") {
        let sequence = Sequence(figure(&row[0]).unsigned_abs());
        let row = history.row(sequence).expect("the log is read").expect("the row is there");
        for (index, notice) in row.notices.iter().enumerate() {
            let id = NoticeId { sequence, notice: index as u8 };
            let found = messages.get(&id.packed());
            let (state, ids) = found.unwrap_or_else(|| panic!("nobody was told notice {index} of row {}", sequence.0));
            let tolerated = match state {
                MessageState::Delivered => true,
                MessageState::Sent => world.tolerates.sent,
                _ => world.tolerates.given_up,
            };
            assert!(tolerated, "notice {index} of row {} stands {}", sequence.0, state.name());
            if state.is_final() && *state != MessageState::Delivered {
                continue;
            }
            assert!(!ids.is_empty(), "notice {index} of row {} has no name at the centre", sequence.0);
            for id in ids.split(' ') {
                let to = notice.to.digits().to_string();
                let id = if world.tolerates.decimal_ids { in_hexadecimal(id) } else { id.to_owned() };
                assert_eq!(taken.get(&id), Some(&to), "part {id} of notice {index} of row {}", sequence.0);
            }
        }
    }
}

fn in_hexadecimal(id: &str) -> String {
    format!("{:x}", id.parse::<u64>().expect("an id in decimal"))
}
