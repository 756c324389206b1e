//! Counting PDUs in a stream of octets, to drop a link after the n-th.

/// Follows the command_length of each PDU across pieces of any size.
#[derive(Debug, Default)]
pub(super) struct PduCounter {
    /// command_length, as far as it has come.
    length: [u8; 4],
    have: usize,
    /// Octets of the present PDU that are still to come.
    rest: usize,
}

impl PduCounter {
    /// Follows `octets` until `most` PDUs have ended there. How many octets that took (all, when fewer PDUs ended)
    /// and how many PDUs ended.
    pub(super) fn take(&mut self, octets: &[u8], most: u64) -> (usize, u64) {
        let (mut used, mut ended) = (0, 0);
        while used < octets.len() && ended < most {
            if self.rest == 0 {
                self.length[self.have] = octets[used];
                self.have += 1;
                used += 1;
                if self.have < self.length.len() {
                    continue;
                }
                self.have = 0;
                // A length that includes not even itself is the session's to refuse; here it ends at once.
                self.rest = (u32::from_be_bytes(self.length) as usize).saturating_sub(self.length.len());
            } else {
                let step = self.rest.min(octets.len() - used);
                used += step;
                self.rest -= step;
            }
            ended += u64::from(self.rest == 0);
        }
        (used, ended)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pdus_are_counted_in_pieces_of_any_size() {
        let pdu = |length: usize| {
            let mut octets = vec![0xEE; length];
            octets[..4].copy_from_slice(&(length as u32).to_be_bytes());
            octets
        };
        let stream = [pdu(16), pdu(70), pdu(16), pdu(300)].concat();
        for size in [1, 3, 7, 16, 400] {
            let mut counter = PduCounter::default();
            let ended: u64 = stream.chunks(size).map(|piece| counter.take(piece, u64::MAX).1).sum();
            assert_eq!(ended, 4, "in pieces of {size}");
        }
        assert_eq!(PduCounter::default().take(&stream, 0), (0, 0));
        assert_eq!(PduCounter::default().take(&stream, 2), (86, 2));
        assert_eq!(PduCounter::default().take(&stream, 9), (402, 4));
    }
}
