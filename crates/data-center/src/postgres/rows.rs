//! Many rows as one parameter, `$1::table[]`: a batch costs one statement for each table that it touches, however large it is.
//! The rows are written in PostgreSQL's binary form of an array of composites (array_send, record_send).

use std::error::Error;
use std::sync::Arc;

use bytes::{BufMut as _, BytesMut};
use tokio_postgres::types::{Field, IsNull, Kind, ToSql, Type, to_sql_checked};
use transaction_processing::journal::Entered;

use crate::batch::{Batch, LogRow};
use crate::records::Value;

/// The first index of an array.
const FIRST: i32 = 1;

/// Says that a value is not there instead of giving its length.
const ABSENT: i32 = -1;

/// Rows of any table, each with its columns in order; those that are left out are empty.
pub(super) struct Rows<R>(pub(super) R);

/// The rows of a batch, for the log.
pub(super) struct LogRows(pub(super) Arc<Batch>);

impl<R> std::fmt::Debug for Rows<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("rows")
    }
}

impl std::fmt::Debug for LogRows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("rows")
    }
}

impl<R: AsRef<[Vec<Value>]>> ToSql for Rows<R> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        put_array(ty, self.0.as_ref(), out, |row, record| {
            for value in row {
                match value {
                    Value::Null => record.absent(),
                    Value::Integer(figure) => record.integer(*figure),
                    Value::Text(text) => record.octets(text.as_bytes()),
                    Value::Octets(octets) => record.octets(octets),
                    Value::Real(figure) => record.octets(&figure.to_be_bytes()),
                }
            }
        })
    }

    fn accepts(ty: &Type) -> bool {
        matches!(ty.kind(), Kind::Array(_))
    }

    to_sql_checked!();
}

impl ToSql for LogRows {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        put_array(ty, self.0.rows(), out, |row, record| put_row(&self.0, row, record))
    }

    fn accepts(ty: &Type) -> bool {
        matches!(ty.kind(), Kind::Array(_))
    }

    to_sql_checked!();
}

/// A row of the log, its columns in the order of [`crate::records::LOG`].
fn put_row(batch: &Batch, row: &LogRow, record: &mut Record<'_>) {
    let number = |value: u64| value.cast_signed();
    record.integer(number(row.sequence.0));
    record.integer(row.moment.time.0);
    record.integer(row.moment.day.0.into());
    record.integer(row.moment.month.0.into());
    record.integer(row.kind as i64);
    record.optional(row.sender.map(|sender| number(sender.digits())));
    record.optional(row.staff.map(|staff| number(staff.0)));
    match &row.key {
        Some(key) => record.octets(&key.0),
        None => record.absent(),
    }
    record.optional(row.refusal.map(|refusal| refusal as i64));
    record.optional(row.transfer.map(|transfer| number(transfer.0)));
    for range in [&row.changes, &row.notices] {
        match batch.octets(range) {
            [] => record.absent(),
            octets => record.octets(octets),
        }
    }
    record.octets(&row.chain);
    for Entered { posting, from_balance, to_balance, from_previous, to_previous } in &row.entered {
        record.integer(posting.from.0);
        record.integer(posting.to.0);
        record.integer(posting.amount.minor());
        record.integer(posting.amount.currency().numeric.into());
        record.integer(*from_balance);
        record.integer(*to_balance);
        record.integer(number(from_previous.0));
        record.integer(number(to_previous.0));
    }
}

/// A composite value being written: one column after the other.
struct Record<'a> {
    columns: std::slice::Iter<'a, Field>,
    out: &'a mut BytesMut,
}

impl Record<'_> {
    fn absent(&mut self) {
        self.column(ABSENT);
    }

    fn integer(&mut self, figure: i64) {
        self.column(8);
        self.out.put_i64(figure);
    }

    fn optional(&mut self, figure: Option<i64>) {
        match figure {
            Some(figure) => self.integer(figure),
            None => self.absent(),
        }
    }

    fn octets(&mut self, octets: &[u8]) {
        self.column(octets.len() as i32);
        self.out.put_slice(octets);
    }

    /// The type of the next column and the length of what follows.
    fn column(&mut self, length: i32) {
        // A row with more values than columns would be refused by the server, which counts them.
        let oid = self.columns.next().map_or(0, |field| field.type_().oid());
        self.out.put_u32(oid);
        self.out.put_i32(length);
    }
}

fn put_array<T>(
    ty: &Type,
    rows: &[T],
    out: &mut BytesMut,
    put: impl Fn(&T, &mut Record<'_>),
) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
    let Kind::Array(of) = ty.kind() else { return Err("no array".into()) };
    let Kind::Composite(columns) = of.kind() else { return Err("no array of rows".into()) };
    out.put_i32(if rows.is_empty() { 0 } else { 1 });
    out.put_i32(0);
    out.put_u32(of.oid());
    if rows.is_empty() {
        return Ok(IsNull::No);
    }
    out.put_i32(rows.len().try_into()?);
    out.put_i32(FIRST);
    for row in rows {
        let start = out.len();
        out.put_i32(0);
        out.put_i32(columns.len().try_into()?);
        let mut record = Record { columns: columns.iter(), out };
        put(row, &mut record);
        while record.columns.len() > 0 {
            record.absent();
        }
        let length = i32::try_from(out.len() - start - 4)?;
        if let Some(place) = out.get_mut(start..start + 4) {
            place.copy_from_slice(&length.to_be_bytes());
        }
    }
    Ok(IsNull::No)
}
