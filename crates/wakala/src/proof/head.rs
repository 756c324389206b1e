//! Signed heads of the chain, one a line, and what a file of them proves.
//!
//! ```text
//! wakala head 1 row 1234 link 8f1e…(64 digits) at 2026-11-24T10:51:25.123Z key 1 signed 0123456789abcdef:…(128 digits)
//! ```
//!
//! Signed, for the purpose [`PURPOSE`], is what stands before ` signed `. The link of a row commits to every row before it, so
//! that a log which has this link at this row is the log that was signed, whoever could write to the database since.

use std::fmt;
use std::str::FromStr;

use encryption::{Keys, Signature, VerifyingKey};
use transaction_processing::time::Time;

use super::{hex, read_link, read_moment, sign, verifies, written};

/// In whose name heads are signed.
pub const PURPOSE: &str = "chain head";

/// What was the last row of the log at a moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Head {
    /// The row.
    pub row: u64,
    /// Its link of the chain.
    pub link: [u8; 32],
    /// When it was signed.
    pub at: Time,
    /// The version of the key that signed.
    pub key: u32,
}

/// A head with its signature: a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SignedHead {
    /// What is signed.
    pub head: Head,
    /// By whom.
    pub signature: Signature,
}

impl Head {
    /// Signs that this is the last row now.
    pub fn sign(keys: &dyn Keys, (row, link): (u64, [u8; 32]), at: Time) -> SignedHead {
        let head = |key| Head { row, link, at, key };
        let mut version = 0;
        let (_, signature) = sign(keys, PURPOSE, |key| {
            version = key;
            head(key).to_string()
        });
        SignedHead { head: head(version), signature }
    }
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Head { row, link, at, key } = self;
        write!(f, "wakala head 1 row {row} link {} at {} key {key}", hex(link), written(*at))
    }
}

impl fmt::Display for SignedHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} signed {}", self.head, self.signature)
    }
}

/// A line is no signed head, or is written in another way than this program writes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("no signed head")]
pub struct NoHead;

impl FromStr for SignedHead {
    type Err = NoHead;

    fn from_str(line: &str) -> Result<SignedHead, NoHead> {
        let words: Vec<&str> = line.split(' ').collect();
        let ["wakala", "head", "1", "row", row, "link", link, "at", at, "key", key, "signed", signature] = words[..]
        else {
            return Err(NoHead);
        };
        let head = Head {
            row: row.parse().map_err(|_| NoHead)?,
            link: read_link(link).ok_or(NoHead)?,
            at: read_moment(at).ok_or(NoHead)?,
            key: key.parse().map_err(|_| NoHead)?,
        };
        let signed = SignedHead { head, signature: signature.parse().map_err(|_| NoHead)? };
        // One form only: what was signed is what is written.
        if signed.to_string() == line { Ok(signed) } else { Err(NoHead) }
    }
}

/// Something that is not as it must be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// About which row of the log, where it is about one.
    pub row: Option<u64>,
    /// What.
    pub what: String,
}

/// Statements of a witness, judged by themselves.
#[derive(Default, Debug)]
pub struct Testimony {
    /// Those that one of the keys signed, in the order in which they were written.
    pub heads: Vec<Head>,
    /// What is wrong with them.
    pub findings: Vec<Finding>,
}

impl Testimony {
    /// Takes a file in, after those before it.
    pub fn take(&mut self, name: &str, text: &str, keys: &[VerifyingKey]) {
        for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.is_empty()) {
            let at = format!("{name}, line {}", index + 1);
            let Ok(signed) = line.parse::<SignedHead>() else {
                self.find(None, format!("{at}: no signed head, or not as it was written"));
                continue;
            };
            let head = signed.head;
            if !verifies(keys, PURPOSE, &head.to_string(), &signed.signature) {
                self.find(Some(head.row), format!("{at}: none of the public keys signed this"));
                continue;
            }
            if let Some(before) = self.heads.last().copied() {
                self.judge_order(&at, &before, &head);
            }
            self.heads.push(head);
        }
    }

    fn judge_order(&mut self, at: &str, before: &Head, head: &Head) {
        let (was, is) = (before.row, head.row);
        if head.at < before.at {
            self.find(Some(is), format!("{at}: signed earlier than what stands before it"));
        }
        if is < was {
            let since = written(before.at);
            let what = format!("{at}: the log went back from row {was}, which was signed at {since}, to row {is}");
            self.find(Some(is), what);
        }
        if is == was && head.link != before.link {
            self.find(Some(is), format!("{at}: two logs were signed: row {is} had another link before"));
        }
    }

    /// Compares what was signed with a log that verifies by itself. `link_of` tells the link of a row, where it is there.
    pub fn compare(&mut self, log: &Log, link_of: &dyn Fn(u64) -> Option<[u8; 32]>) -> Compared {
        let mut compared = Compared::default();
        for Head { row, link, at, .. } in self.heads.clone() {
            let (when, advice) = (written(at), log.advice(row));
            let what = match link_of(row) {
                Some(found) if found == link => {
                    compared.same += 1;
                    continue;
                }
                None if row <= log.sealed => {
                    compared.taken_out += 1;
                    continue;
                }
                Some(_) => format!("row {row}, or one before it, is not what it was when it was signed at {when}"),
                None if row > log.last => {
                    format!("rows are gone: the log ends at row {}, and at {when} it ended at row {row}", log.last)
                }
                None => format!("row {row} is gone, with which the log ended at {when}"),
            };
            self.find(Some(row), format!("{what}{advice}"));
        }
        compared
    }

    fn find(&mut self, row: Option<u64>, what: String) {
        self.findings.push(Finding { row, what });
    }
}

/// What is known of a log that statements are compared with.
#[derive(Clone, Default, Debug)]
pub struct Log {
    /// Rows up to this one were sealed and taken out; zero for none.
    pub sealed: u64,
    /// The last row.
    pub last: u64,
    /// The rows that opened an epoch: there a backup was put in the place of the log.
    pub epochs: Vec<u64>,
}

impl Log {
    /// What an honest cause of a difference would be. It is for people to judge: whoever hides rows may restore a backup, too.
    fn advice(&self, row: u64) -> String {
        match self.epochs.iter().find(|epoch| **epoch <= row) {
            Some(epoch) => format!(
                "; a backup was put in the place of that log and goes on from row {epoch}: what had come after it is lost"
            ),
            None => String::new(),
        }
    }
}

/// How many statements were compared with the log.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Compared {
    /// The log has what they say.
    pub same: u64,
    /// They are about rows that were sealed and taken out.
    pub taken_out: u64,
}
