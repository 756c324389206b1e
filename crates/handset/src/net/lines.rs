//! Lines of bounded length. They may hold PINs, so what was read is wiped.

use std::io;
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _};
use zeroize::Zeroizing;

/// The longest line, in octets, its end not counted: a body of 1024 octets in hexadecimal and its fields.
pub(super) const LINE_MAX: usize = 4096;

/// Reads line by line.
pub(super) struct Lines<R> {
    reader: R,
    /// The beginning of a line, shorter than [`LINE_MAX`].
    partial: Zeroizing<Vec<u8>>,
}

impl<R: AsyncBufRead + Unpin> Lines<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { reader, partial: Zeroizing::default() }
    }

    /// The next line without its end; `None` at the end, where half a line is dropped. May be cancelled without loss.
    pub(super) async fn next(&mut self) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
        loop {
            let octets = self.reader.fill_buf().await?;
            if octets.is_empty() {
                return Ok(None);
            }
            let end = octets.iter().position(|&octet| octet == b'\n');
            let piece = &octets[..end.unwrap_or(octets.len())];
            if self.partial.len() + piece.len() > LINE_MAX {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "the line is too long"));
            }
            // Reserved at once: a growing vector would leave copies behind.
            let room = LINE_MAX - self.partial.len();
            self.partial.reserve_exact(room);
            self.partial.extend_from_slice(piece);
            let used = piece.len() + usize::from(end.is_some());
            self.reader.consume(used);
            if end.is_some() {
                return Ok(Some(std::mem::take(&mut self.partial)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn lines_of_bounded_length() {
        let long = "x".repeat(LINE_MAX);
        let text = format!("a\n\n{long}\r\nhalf");
        let mut lines = Lines::new(text.replace('\r', "").leak().as_bytes());
        for expected in ["a", "", &long] {
            assert_eq!(lines.next().await.unwrap().unwrap()[..], *expected.as_bytes());
        }
        assert!(lines.next().await.unwrap().is_none());
        let mut lines = Lines::new(format!("{long}x\n").leak().as_bytes());
        assert_eq!(lines.next().await.unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
