//! How PostgreSQL is asked what it holds.

use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, Type};

use super::fate::Loss;
use super::rows::Rows;
use super::session::{Session, is_unknown};
use super::settings::Settings;
use super::{detach, months};
use crate::reading::{Columns, Currencies, Reading, Take, values};
use crate::records::{LOG, Table, Value};
use crate::seal::Seal;
use crate::store::StoreError;

/// How long to wait before the server is tried again.
pub(super) const PAUSE: Duration = Duration::from_millis(200);

/// A connection that is asked. It is made again where it was lost, for as long as a lease lasts.
pub struct PostgresHistory {
    settings: Arc<Settings>,
    session: Session,
    loss: Option<Loss>,
    currencies: Currencies,
    /// A month that was taken out of the log, where it is the one that is read.
    month: Option<i32>,
    log: String,
    /// Whether all that is read is of one moment; another connection would see another one.
    is_one_moment: bool,
}

impl PostgresHistory {
    /// Opens one that only reads.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn open(settings: &Settings) -> Result<PostgresHistory, StoreError> {
        PostgresHistory::open_while(settings, None)
    }

    /// The same for as long as the database is this process's.
    pub(super) fn open_while(settings: &Settings, loss: Option<Loss>) -> Result<PostgresHistory, StoreError> {
        let session = connect(settings, loss.clone())?;
        let mut currencies = Currencies::default();
        let settings = Arc::new(settings.clone());
        let none = Currencies::default();
        let log = LOG.name.to_owned();
        let mut reader =
            PostgresHistory { settings, session, loss, currencies: none, month: None, log, is_one_moment: false };
        reader.each(Currencies::QUESTION, &[], &mut |row| currencies.add(row))?;
        reader.currencies = currencies;
        Ok(reader)
    }

    /// From now on everything is read as it stands at the first question.
    pub(super) fn at_one_moment(mut self) -> Result<PostgresHistory, StoreError> {
        self.session.execute("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")?;
        self.is_one_moment = true;
        Ok(self)
    }

    /// From now on a month that was taken out is the log.
    pub(super) fn of_month(self, month: i32) -> PostgresHistory {
        PostgresHistory { month: Some(month), log: months::table(month), ..self }
    }

    pub(super) fn session(&mut self) -> &mut Session {
        &mut self.session
    }

    /// Does something that may be done twice, again where the connection was lost.
    fn again<T>(&mut self, mut ask: impl FnMut(&mut Session) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let until = Instant::now() + self.settings.lease;
        loop {
            match ask(&mut self.session) {
                Err(error) if is_unknown(&error) && !self.is_one_moment && Instant::now() < until => {
                    sleep(PAUSE);
                    // Where this fails too, the next question fails at once and comes here again.
                    if let Ok(session) = connect(&self.settings, self.loss.clone()) {
                        self.session = session;
                    }
                }
                answered => return answered,
            }
        }
    }
}

fn connect(settings: &Settings, loss: Option<Loss>) -> Result<Session, StoreError> {
    let session = Session::connect(settings, loss)?;
    session.execute("SET default_transaction_read_only = on; SET statement_timeout = 0; SET jit = off")?;
    Ok(session)
}

impl Reading for PostgresHistory {
    const WAITING_TRANSFERS: &'static str = "";
    const BY_OCTETS: &'static str = "COLLATE \"C\"";

    fn currencies(&self) -> &Currencies {
        &self.currencies
    }

    fn log(&self) -> &str {
        &self.log
    }

    fn seal(&mut self) -> Result<Option<Seal>, StoreError> {
        let before = self.month.map_or(i64::MAX, i64::from);
        detach::seal_before(self, before)
    }

    fn each(&mut self, question: &str, parameters: &[i64], take: Take<'_>) -> Result<(), StoreError> {
        let mut begun = false;
        let mut failed = None;
        self.again(|session| {
            let answered = session.each(question, parameters, &mut |row| {
                begun = true;
                take(row)
            });
            match answered {
                // What was handed over, of a longer answer, cannot be taken back.
                Err(error) if begun => {
                    failed = Some(error);
                    Ok(())
                }
                other => other,
            }
        })?;
        failed.map_or(Ok(()), Err)
    }

    fn records_in(
        &mut self,
        name: &str,
        table: &Table,
        keys: &[Vec<Value>],
    ) -> Result<Vec<Option<Vec<Value>>>, StoreError> {
        let count = table.columns.len();
        let columns: Vec<String> = table.columns.iter().map(|column| format!("held.{column}")).collect();
        let key = table.columns.get(..table.key).unwrap_or_default().join(", ");
        let question = format!(
            "SELECT {} FROM unnest($1::{name}[]) WITH ORDINALITY AS wanted LEFT JOIN {name} AS held USING ({key})
            ORDER BY wanted.ordinality",
            columns.join(", ")
        );
        self.again(|session| {
            let statement = session.statement(&question)?;
            let mut found = Vec::with_capacity(keys.len());
            session.each_of(&statement, &[Rows(keys)], &mut |row| {
                let record = values(row, 0, count)?;
                found.push((record.first() != Some(&Value::Null)).then_some(record));
                Ok(true)
            })?;
            Ok(found)
        })
    }
}

impl Columns for Row {
    fn value(&self, index: usize) -> Result<Value, StoreError> {
        Ok(self.try_get::<_, Option<Any>>(index)?.map_or(Value::Null, |any| any.0))
    }

    fn integer(&self, index: usize) -> Result<Option<i64>, StoreError> {
        Ok(self.try_get(index)?)
    }

    fn octets(&self, index: usize) -> Result<Option<&[u8]>, StoreError> {
        Ok(self.try_get(index)?)
    }

    fn text(&self, index: usize) -> Result<Option<&str>, StoreError> {
        Ok(self.try_get(index)?)
    }
}

/// A value of any type that a question may have for an answer.
struct Any(Value);

impl<'a> FromSql<'a> for Any {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Any, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Any(match *ty {
            Type::INT8 => Value::Integer(i64::from_sql(ty, raw)?),
            Type::INT4 => Value::Integer(i32::from_sql(ty, raw)?.into()),
            Type::INT2 => Value::Integer(i16::from_sql(ty, raw)?.into()),
            Type::OID => Value::Integer(u32::from_sql(ty, raw)?.into()),
            Type::BOOL => Value::Integer(bool::from_sql(ty, raw)?.into()),
            Type::FLOAT8 => Value::Real(f64::from_sql(ty, raw)?),
            Type::FLOAT4 => Value::Real(f32::from_sql(ty, raw)?.into()),
            Type::NUMERIC => numeric(raw).ok_or("a number that is none")?,
            Type::BYTEA => Value::Octets(raw.to_vec()),
            Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::JSON | Type::UNKNOWN => {
                Value::Text(String::from_utf8(raw.to_vec())?)
            }
            _ => return Err(format!("cast it to text: {ty}").into()),
        }))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// A NUMERIC as numeric_send writes it: digits to the base 10,000, the weight of the first, the sign, and decimals. A whole
/// one that fits is a figure, any other a text.
fn numeric(raw: &[u8]) -> Option<Value> {
    let mut shorts = raw.chunks_exact(2).map(|pair| i16::from_be_bytes([pair[0], pair[1]]));
    let (count, weight, sign, decimals) = (shorts.next()?, shorts.next()?, shorts.next()?, shorts.next()?);
    let digits: Vec<i16> = shorts.take(usize::try_from(count).ok()?).collect();
    let digit = |power: i16| {
        let index = usize::try_from(i32::from(weight) - i32::from(power)).ok();
        index.and_then(|index| digits.get(index)).copied().unwrap_or(0)
    };
    let mut text = match sign {
        0 => String::new(),
        0x4000 => "-".to_owned(),
        _ => return Some(Value::Text("NaN".into())),
    };
    text += &digit(weight.max(0)).to_string();
    (0..weight.max(0)).rev().for_each(|power| text += &format!("{:04}", digit(power)));
    if decimals > 0 {
        let behind: String = (1..=decimals.div_euclid(4) + 1).map(|place| format!("{:04}", digit(-place))).collect();
        text = format!("{text}.{}", behind.get(..usize::try_from(decimals).ok()?)?);
    }
    Some(text.parse().map_or(Value::Text(text), Value::Integer))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_any_size_are_read() {
        let raw = |shorts: &[i16]| shorts.iter().flat_map(|short| short.to_be_bytes()).collect::<Vec<u8>>();
        let read = |shorts: &[i16]| numeric(&raw(shorts)).expect("a number");
        assert_eq!(read(&[0, 0, 0, 0]), Value::Integer(0));
        assert_eq!(read(&[2, 1, 0, 0, 12, 345]), Value::Integer(120_345));
        assert_eq!(read(&[1, 1, 0x4000, 0, 7]), Value::Integer(-70_000));
        assert_eq!(read(&[2, 0, 0, 2, 3, 500]), Value::Text("3.05".into()));
        assert_eq!(read(&[1, -1, 0, 4, 1]), Value::Text("0.0001".into()));
        assert_eq!(read(&[1, 5, 0, 0, 1]), Value::Text("100000000000000000000".into()));
    }
}
