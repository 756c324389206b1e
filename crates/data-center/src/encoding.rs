//! The binary form of changes and notices: written by hand, because the domain's types know nothing of any form.
//!
//! Unsigned figures are LEB128, signed ones zigzag first, lists and texts are preceded by their length, choices by their
//! number. Each blob starts with [`VERSION`]; a number is never used for anything else again. The same value always gives
//! the same octets, because the hash chain covers them.
//!
//! What must be erasable does not enter the octets of the log: of a [`Private`] text only the commitment, of a [`SealedCode`]
//! only that there is one. Both are kept apart. A [request](put_request) on its way to the process that decides has them whole.

mod change;
mod notice;
mod parts;
mod request;
#[cfg(test)]
mod tests;

use transaction_processing::notice::{Notice, SealedCode};
use transaction_processing::number::Private;
use transaction_processing::{Change, Money, Request};

/// The version of the form, the first octet of each blob.
pub const VERSION: u8 = 1;

/// Octets that are no encoding of what was expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("malformed at octet {at}")]
pub struct Malformed {
    /// Where the reading stopped.
    pub at: usize,
}

/// How deep values may stand in boxes; a forged encoding cannot exhaust the stack.
const DEEPEST: u8 = 4;

/// Where encodings are written to.
#[derive(Default)]
pub(crate) struct Output {
    pub(crate) bytes: Vec<u8>,
    /// Whether sealed texts and codes are written too.
    whole: bool,
}

/// Where encodings are read from. `text` finds the sealed text of a commitment; an empty one where it was erased.
pub(crate) struct Input<'a> {
    bytes: &'a [u8],
    at: usize,
    depth: u8,
    whole: bool,
    text: &'a mut dyn FnMut(&[u8; 32]) -> Vec<u8>,
}

/// A value with one binary form.
pub(crate) trait Encoded: Sized {
    fn put(&self, out: &mut Output);
    fn take(input: &mut Input<'_>) -> Result<Self, Malformed>;
}

impl<'a> Input<'a> {
    pub(crate) fn new(bytes: &'a [u8], text: &'a mut dyn FnMut(&[u8; 32]) -> Vec<u8>) -> Input<'a> {
        Input { bytes, at: 0, depth: 0, whole: false, text }
    }

    fn malformed(&self) -> Malformed {
        Malformed { at: self.at }
    }

    fn octet(&mut self) -> Result<u8, Malformed> {
        let octet = self.bytes.get(self.at).copied().ok_or(self.malformed())?;
        self.at += 1;
        Ok(octet)
    }

    fn octets(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let end = self.at.checked_add(length).ok_or(self.malformed())?;
        let octets = self.bytes.get(self.at..end).ok_or(self.malformed())?;
        self.at = end;
        Ok(octets)
    }

    fn version(&mut self) -> Result<(), Malformed> {
        if self.octet()? == VERSION { Ok(()) } else { Err(Malformed { at: 0 }) }
    }

    pub(crate) fn is_at_end(&self) -> bool {
        self.at == self.bytes.len()
    }

    fn sealed(&mut self) -> Result<Vec<u8>, Malformed> {
        let length = usize::try_from(u64::take(self)?).map_err(|_| self.malformed())?;
        self.octets(length).map(<[u8]>::to_vec)
    }

    fn end(&self) -> Result<(), Malformed> {
        if self.is_at_end() { Ok(()) } else { Err(self.malformed()) }
    }
}

impl Output {
    pub(crate) fn unsigned(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
    }

    fn sealed(&mut self, octets: &[u8]) {
        self.unsigned(octets.len() as u64);
        self.bytes.extend_from_slice(octets);
    }
}

/// Writes the changes of a row; nothing at all where there are none.
pub(crate) fn put_changes(changes: &[Change], out: &mut Output) {
    put_list(changes, out);
}

/// Reads what [`put_changes`] wrote.
pub(crate) fn take_changes(bytes: &[u8], text: &mut dyn FnMut(&[u8; 32]) -> Vec<u8>) -> Result<Vec<Change>, Malformed> {
    take_list(&mut Input::new(bytes, text))
}

/// Writes the notices of a row, without their codes; nothing at all where there are none.
pub(crate) fn put_notices(notices: &[Notice], out: &mut Output) {
    put_list(notices, out);
}

/// Reads what [`put_notices`] wrote. A notice that tells a code holds an empty one, to be filled in by whoever may know it.
pub(crate) fn take_notices(bytes: &[u8]) -> Result<Vec<Notice>, Malformed> {
    take_list(&mut Input::new(bytes, &mut |_| Vec::new()))
}

/// One change alone, with the version before it: the body of a checkpoint record.
pub(crate) fn put_record(change: &Change, out: &mut Output) {
    out.bytes.push(VERSION);
    change.put(out);
}

/// Reads what [`put_record`] wrote.
pub(crate) fn take_record(bytes: &[u8], text: &mut dyn FnMut(&[u8; 32]) -> Vec<u8>) -> Result<Change, Malformed> {
    let mut input = Input::new(bytes, text);
    input.version()?;
    let change = Change::take(&mut input)?;
    input.end()?;
    Ok(change)
}

/// A request as one process hands it to another, with its sealed texts and codes. It holds proofs, never a PIN or a code.
pub fn put_request(request: &Request) -> Vec<u8> {
    let mut out = Output { bytes: vec![VERSION], whole: true };
    request.put(&mut out);
    out.bytes
}

/// Reads what [`put_request`] wrote.
///
/// # Errors
/// [`Malformed`].
pub fn take_request(bytes: &[u8]) -> Result<Request, Malformed> {
    let mut nothing = |_: &[u8; 32]| Vec::new();
    let mut input = Input { whole: true, ..Input::new(bytes, &mut nothing) };
    input.version()?;
    let request = Request::take(&mut input)?;
    input.end()?;
    Ok(request)
}

fn put_list<T: Encoded>(values: &[T], out: &mut Output) {
    if values.is_empty() {
        return;
    }
    out.bytes.push(VERSION);
    for value in values {
        value.put(out);
    }
}

fn take_list<T: Encoded>(input: &mut Input<'_>) -> Result<Vec<T>, Malformed> {
    let mut values = Vec::new();
    if input.bytes.is_empty() {
        return Ok(values);
    }
    input.version()?;
    while !input.is_at_end() {
        values.push(T::take(input)?);
    }
    Ok(values)
}

impl Encoded for u64 {
    fn put(&self, out: &mut Output) {
        out.unsigned(*self);
    }

    /// Only the shortest form is read, so that two encodings of one value cannot exist.
    fn take(input: &mut Input<'_>) -> Result<u64, Malformed> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let octet = input.octet()?;
            let bits = u64::from(octet & 0x7f);
            if (shift == 63 && bits > 1) || (shift > 0 && octet == 0) {
                return Err(input.malformed());
            }
            value |= bits << shift;
            if octet < 0x80 {
                return Ok(value);
            }
        }
        Err(input.malformed())
    }
}

impl Encoded for i64 {
    fn put(&self, out: &mut Output) {
        out.unsigned(((self << 1) ^ (self >> 63)).cast_unsigned());
    }

    fn take(input: &mut Input<'_>) -> Result<i64, Malformed> {
        let value = u64::take(input)?;
        Ok((value >> 1).cast_signed() ^ -((value & 1).cast_signed()))
    }
}

macro_rules! smaller {
    ($($small:ty as $large:ty),*) => { $(
        impl Encoded for $small {
            fn put(&self, out: &mut Output) {
                <$large>::from(*self).put(out);
            }

            fn take(input: &mut Input<'_>) -> Result<$small, Malformed> {
                <$small>::try_from(<$large>::take(input)?).map_err(|_| input.malformed())
            }
        }
    )* };
}
smaller!(u8 as u64, u16 as u64, u32 as u64, i32 as i64);

impl Encoded for bool {
    fn put(&self, out: &mut Output) {
        out.bytes.push(u8::from(*self));
    }

    fn take(input: &mut Input<'_>) -> Result<bool, Malformed> {
        match input.octet()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(input.malformed()),
        }
    }
}

impl<const N: usize> Encoded for [u8; N] {
    fn put(&self, out: &mut Output) {
        out.bytes.extend_from_slice(self);
    }

    fn take(input: &mut Input<'_>) -> Result<[u8; N], Malformed> {
        let octets = input.octets(N)?;
        octets.try_into().map_err(|_| input.malformed())
    }
}

impl Encoded for String {
    fn put(&self, out: &mut Output) {
        out.unsigned(self.len() as u64);
        out.bytes.extend_from_slice(self.as_bytes());
    }

    fn take(input: &mut Input<'_>) -> Result<String, Malformed> {
        let length = usize::try_from(u64::take(input)?).map_err(|_| input.malformed())?;
        let octets = input.octets(length)?;
        String::from_utf8(octets.to_vec()).map_err(|_| input.malformed())
    }
}

impl<T: Encoded> Encoded for Option<T> {
    fn put(&self, out: &mut Output) {
        self.is_some().put(out);
        if let Some(value) = self {
            value.put(out);
        }
    }

    fn take(input: &mut Input<'_>) -> Result<Option<T>, Malformed> {
        if bool::take(input)? { T::take(input).map(Some) } else { Ok(None) }
    }
}

impl<T: Encoded> Encoded for Vec<T> {
    fn put(&self, out: &mut Output) {
        out.unsigned(self.len() as u64);
        for value in self {
            value.put(out);
        }
    }

    fn take(input: &mut Input<'_>) -> Result<Vec<T>, Malformed> {
        // Grown as the values come: a forged length cannot ask for memory.
        let length = u64::take(input)?;
        let mut values = Vec::new();
        for _ in 0..length {
            values.push(T::take(input)?);
        }
        Ok(values)
    }
}

impl<T: Encoded> Encoded for Box<T> {
    fn put(&self, out: &mut Output) {
        (**self).put(out);
    }

    fn take(input: &mut Input<'_>) -> Result<Box<T>, Malformed> {
        input.depth += 1;
        if input.depth > DEEPEST {
            return Err(input.malformed());
        }
        let value = T::take(input)?;
        input.depth -= 1;
        Ok(Box::new(value))
    }
}

impl Encoded for Private {
    fn put(&self, out: &mut Output) {
        let Private { commitment, sealed } = self;
        commitment.put(out);
        if out.whole {
            out.sealed(sealed);
        }
    }

    fn take(input: &mut Input<'_>) -> Result<Private, Malformed> {
        let commitment = <[u8; 32]>::take(input)?;
        let sealed = if input.whole { input.sealed()? } else { (input.text)(&commitment) };
        Ok(Private { commitment, sealed })
    }
}

impl Encoded for SealedCode {
    fn put(&self, out: &mut Output) {
        if out.whole {
            out.sealed(&self.0);
        }
    }

    fn take(input: &mut Input<'_>) -> Result<SealedCode, Malformed> {
        Ok(SealedCode(if input.whole { input.sealed()? } else { Vec::new() }))
    }
}

impl Encoded for Money {
    fn put(&self, out: &mut Output) {
        out.unsigned(self.minor().cast_unsigned());
        self.currency().put(out);
    }

    fn take(input: &mut Input<'_>) -> Result<Money, Malformed> {
        let minor = u64::take(input)?.cast_signed();
        let currency = Encoded::take(input)?;
        Money::new(minor, currency).ok_or(input.malformed())
    }
}

/// A structure: its fields in this order. Taking it apart whole makes a forgotten field an error of the compiler.
macro_rules! structure {
    ($type:ty { $($field:ident),* $(,)? }) => {
        impl $crate::encoding::Encoded for $type {
            fn put(&self, out: &mut $crate::encoding::Output) {
                let Self { $($field),* } = self;
                $($crate::encoding::Encoded::put($field, out);)*
            }

            fn take(input: &mut $crate::encoding::Input<'_>) -> Result<Self, $crate::encoding::Malformed> {
                $(let $field = $crate::encoding::Encoded::take(input)?;)*
                Ok(Self { $($field),* })
            }
        }

        #[cfg(test)]
        impl $crate::encoding::tests::Drawn for $type {
            fn drawn(random: &mut $crate::encoding::tests::Random) -> Self {
                Self { $($field: $crate::encoding::tests::Drawn::drawn(random)),* }
            }
        }
    };
}

/// A name: a figure in a wrapper.
macro_rules! name {
    ($($type:ident),* $(,)?) => { $(
        impl $crate::encoding::Encoded for $type {
            fn put(&self, out: &mut $crate::encoding::Output) {
                let $type(figure) = self;
                $crate::encoding::Encoded::put(figure, out);
            }

            fn take(input: &mut $crate::encoding::Input<'_>) -> Result<Self, $crate::encoding::Malformed> {
                $crate::encoding::Encoded::take(input).map($type)
            }
        }

        #[cfg(test)]
        impl $crate::encoding::tests::Drawn for $type {
            fn drawn(random: &mut $crate::encoding::tests::Random) -> Self {
                $type($crate::encoding::tests::Drawn::drawn(random))
            }
        }
    )* };
}

/// A choice: its number, then what the variant holds. Numbers are never used again.
macro_rules! choice {
    ($type:ident { $($number:literal => $variant:ident $({ $($field:ident),* $(,)? })? $(( $inner:ident ))?),* $(,)? }) => {
        impl $crate::encoding::Encoded for $type {
            fn put(&self, out: &mut $crate::encoding::Output) {
                match self { $(
                    $type::$variant $({ $($field),* })? $(( $inner ))? => {
                        out.bytes.push($number);
                        $($($crate::encoding::Encoded::put($field, out);)*)?
                        $($crate::encoding::Encoded::put($inner, out);)?
                    }
                )* }
            }

            fn take(input: &mut $crate::encoding::Input<'_>) -> Result<Self, $crate::encoding::Malformed> {
                match input.octet()? { $(
                    $number => {
                        $($(let $field = $crate::encoding::Encoded::take(input)?;)*)?
                        $(let $inner = $crate::encoding::Encoded::take(input)?;)?
                        Ok($type::$variant $({ $($field),* })? $(( $inner ))?)
                    }
                )*
                    _ => Err(input.malformed()),
                }
            }
        }

        #[cfg(test)]
        impl $crate::encoding::tests::Choice for $type {
            const NUMBERS: &'static [u8] = &[$($number),*];

            fn numbered(number: u8, random: &mut $crate::encoding::tests::Random) -> Self {
                match number { $(
                    $number => {
                        $($(let $field = $crate::encoding::tests::Drawn::drawn(random);)*)?
                        $(let $inner = $crate::encoding::tests::Drawn::drawn(random);)?
                        let _ = &random;
                        $type::$variant $({ $($field),* })? $(( $inner ))?
                    }
                )*
                    _ => unreachable!("only the numbers above"),
                }
            }
        }

        #[cfg(test)]
        impl $crate::encoding::tests::Drawn for $type {
            fn drawn(random: &mut $crate::encoding::tests::Random) -> Self {
                let number = random.one_of(<$type as $crate::encoding::tests::Choice>::NUMBERS);
                $crate::encoding::tests::Choice::numbered(number, random)
            }
        }
    };
}

use {choice, name, structure};
