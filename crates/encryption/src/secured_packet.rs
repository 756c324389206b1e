//! Secured packets on SMS: ETSI TS 102 225 (packet), 3GPP TS 31.115 (mapping to SMS), AES-CBC and AES-CMAC only.
//!
//! ```text
//! command   02 70 00 | CPL 2 | CHL 1 | SPI 2 | KIc 1 | KID 1 | TAR 3 | CNTR 5 | PCNTR 1 | CC n | data | padding
//! response  02 71 00 | RPL 2 | RHL 1 | TAR 3 | CNTR 5 | PCNTR 1 | STS 1 | CC n | data | padding
//! ```
//! From CNTR on everything is ciphered. A packet here starts at CPL (RPL): the user data header before it is
//! [`COMMAND_HEADER`] ([`RESPONSE_HEADER`]).
//!
//! The key set decides, the header only repeats: algorithm, checksum length, SPI and TAR are properties of the [`KeySet`]
//! and a header that differs is refused before any key is used. The counter is only returned here. Whether it rises is
//! judged where it is stored, in the decision.

use crate::{AesKey, mac::Cmac};
use subtle::ConstantTimeEq;
use thiserror::Error;
use zeroize::Zeroizing;

/// User data header before a command packet (3GPP TS 31.115 §4.2).
pub const COMMAND_HEADER: [u8; 3] = [0x02, 0x70, 0x00];
/// User data header before a response packet.
pub const RESPONSE_HEADER: [u8; 3] = [0x02, 0x71, 0x00];
/// A packet may span this many short messages, never more.
pub const MAX_PARTS: usize = 3;
/// Octets of packet (from CPL on) that 1, 2 and 3 short messages of 140 octets hold beside their user data headers.
pub const PACKET_ROOM: [usize; MAX_PARTS] = [137, 132 + 134, 132 + 134 + 134];

/// CC required, ciphered, counter accepted only if higher: the first SPI octet of the profile.
const PROFILE_SPI1: u8 = 0x16;
/// SPI1 bits for "CC" and "ciphered", with which alone this module works.
const CHECKED_AND_CIPHERED: u8 = 0b110;
/// SPI2 bits that ask for a response with CC, ciphered.
const RESPONSE_CHECKED_AND_CIPHERED: u8 = 0b1_1000;
const BLOCK: usize = 16;
/// CPL to TAR.
const COMMAND_CLEAR: usize = 10;
/// RPL to TAR.
const RESPONSE_CLEAR: usize = 6;
/// CNTR and PCNTR.
const COUNTERS: usize = 6;

/// Does this 8-bit body start with the header of a command packet? To be asked of every 8-bit body, whatever its
/// `esm_class` says: messages made by a SIM may lack the header indicator (GSM 03.48 §6.1).
pub fn is_command(body: &[u8]) -> bool {
    body.starts_with(&COMMAND_HEADER)
}

/// Does this 8-bit body start with the header of a response packet?
pub fn is_response(body: &[u8]) -> bool {
    body.starts_with(&RESPONSE_HEADER)
}

/// The 40-bit counter of a packet, CNTR.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Counter(u64);

impl Counter {
    /// Once this value is stored the counter is blocked for good (status 04); nothing is sealed under it.
    pub const BLOCKED: Self = Self((1 << 40) - 1);

    /// `None` above 40 bits.
    pub const fn new(value: u64) -> Option<Self> {
        if value <= Self::BLOCKED.0 { Some(Self(value)) } else { None }
    }

    /// The value, below 2^40.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The next counter that may be sealed with; `None` when the counter is used up.
    pub fn next(self) -> Option<Self> {
        Self::new(self.0 + 1).filter(|next| *next < Self::BLOCKED)
    }

    fn octets(self) -> [u8; 5] {
        let [_, _, _, octets @ ..] = self.0.to_be_bytes();
        octets
    }

    fn from_octets([a, b, c, d, e]: [u8; 5]) -> Self {
        Self(u64::from_be_bytes([0, 0, 0, a, b, c, d, e]))
    }
}

/// How many octets of the CMAC are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckLength {
    /// 8 octets: the profile.
    Eight,
    /// 4 octets: for interoperability tests only.
    Four,
}

impl CheckLength {
    const fn octets(self) -> usize {
        match self {
            Self::Eight => 8,
            Self::Four => 4,
        }
    }
}

/// Octets of plaintext that fit a command packet in `parts` short messages (1 to [`MAX_PARTS`]; more count as that many).
pub const fn capacity(check_length: CheckLength, parts: usize) -> usize {
    let room = match parts {
        0 => return 0,
        1..=MAX_PARTS => PACKET_ROOM[parts - 1],
        _ => PACKET_ROOM[MAX_PARTS - 1],
    };
    (room - COMMAND_CLEAR) / BLOCK * BLOCK - COUNTERS - check_length.octets()
}

/// Keys and policy of one card in one direction. Secret: cannot be printed, its keys cannot be read.
#[derive(Clone)]
pub struct KeySet {
    number: u8,
    cipher_key: AesKey,
    check_key: AesKey,
    tar: [u8; 3],
    spi: [u8; 2],
    check_length: CheckLength,
}

impl KeySet {
    /// A key set of the Wakala profile: AES-CBC, AES-CMAC of 8 octets, counter only if higher (SPI1 16).
    /// `spi2` says which response a command asks for: 00 none, 39 a ciphered one with CC by SMS-SUBMIT.
    /// `None` unless `number` is 1 to 15.
    pub fn profile(number: u8, cipher_key: AesKey, check_key: AesKey, tar: [u8; 3], spi2: u8) -> Option<Self> {
        Self::codec(number, cipher_key, check_key, tar, [PROFILE_SPI1, spi2], CheckLength::Eight)
    }

    /// A key set outside the profile (other counter rule, short checksum), to speak with other implementations in
    /// tests; never for money. `None` unless `number` is 1 to 15 and SPI1 asks for CC and cipher.
    pub fn codec(
        number: u8,
        cipher_key: AesKey,
        check_key: AesKey,
        tar: [u8; 3],
        spi: [u8; 2],
        check_length: CheckLength,
    ) -> Option<Self> {
        let sound = (1..=15).contains(&number) && spi[0] & 0b111 == CHECKED_AND_CIPHERED;
        sound.then_some(Self { number, cipher_key, check_key, tar, spi, check_length })
    }

    /// KIc and KID: key set number, algorithm AES.
    fn key_identifier(&self) -> u8 {
        self.number << 4 | 0x02
    }

    fn responds_securely(&self) -> bool {
        self.spi[1] & 0b1_1100 == RESPONSE_CHECKED_AND_CIPHERED
    }
}

/// Why nothing was sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SealError {
    /// More plaintext than three short messages hold.
    #[error("too long for {MAX_PARTS} short messages")]
    TooLong,
    /// [`Counter::BLOCKED`] seals nothing.
    #[error("the counter is used up")]
    CounterBlocked,
    /// The key set asks for no ciphered response with a checksum, and no other kind is made.
    #[error("the key set asks for no secured response")]
    NoResponse,
}

/// Why a packet was refused. To be counted per card and per source; nothing under the key set is ever sent back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
pub enum PacketRefusal {
    /// Lengths do not fit the packet; it was not understood far enough to have a status.
    #[error("not a well-formed packet")]
    Malformed,
    /// Algorithm, key set number, checksum length or SPI is not the key set's.
    #[error("insufficient security level")]
    Policy,
    /// TAR is not the key set's.
    #[error("unknown toolkit application reference")]
    UnknownApplication,
    /// The ciphered part is no whole number of blocks.
    #[error("ciphering error")]
    Ciphering,
    /// The checksum does not fit: wrong key or changed octets.
    #[error("checksum failed")]
    Check,
    /// Authentic, but PCNTR counts more padding than there can be.
    #[error("impossible padding")]
    Padding,
}

impl PacketRefusal {
    /// The status octet of TS 102 225 §5.2 to record; `None` when the packet was not understood.
    pub fn internal_status(self) -> Option<u8> {
        match self {
            Self::Malformed => None,
            Self::Check => Some(0x01),
            Self::Ciphering => Some(0x05),
            Self::Padding => Some(0x06),
            Self::UnknownApplication => Some(0x09),
            Self::Policy => Some(0x0a),
        }
    }
}

/// An authentic command packet.
pub struct Opened {
    /// To be judged against the stored one.
    pub counter: Counter,
    /// The checksum, zero-filled to 8 octets; with card and counter it identifies the packet.
    pub check: [u8; 8],
    /// The secured data without padding.
    pub plaintext: Zeroizing<Vec<u8>>,
}

/// An authentic response packet.
pub struct OpenedResponse {
    /// The counter of the command that is answered.
    pub counter: Counter,
    /// Response status code, STS; 00 is success.
    pub status: u8,
    /// The secured data without padding.
    pub plaintext: Zeroizing<Vec<u8>>,
}

/// Seals a command packet, from CPL on. Never use a counter twice under one key set.
pub fn seal(keys: &KeySet, counter: Counter, plaintext: &[u8]) -> Result<Vec<u8>, SealError> {
    let identifier = keys.key_identifier();
    let header_length = 13 + keys.check_length.octets() as u8;
    let [t0, t1, t2] = keys.tar;
    let clear = [header_length, keys.spi[0], keys.spi[1], identifier, identifier, t0, t1, t2];
    seal_behind(keys, &[], &clear, counter, &[], plaintext)
}

/// Opens a command packet, from CPL on. Order: bounds, header against key set, decipher, checksum, padding.
pub fn open(keys: &KeySet, packet: &[u8]) -> Result<Opened, PacketRefusal> {
    let &[cpl0, cpl1, chl, spi1, spi2, kic, kid, t0, t1, t2, ref ciphered @ ..] = packet else {
        return Err(PacketRefusal::Malformed);
    };
    let chl = usize::from(chl);
    // CHL counts from SPI to the end of CC: 13 octets and CC, of which 7 stand before the ciphered part.
    if !fits(packet, [cpl0, cpl1]) || chl < 13 || chl - 7 > ciphered.len() {
        return Err(PacketRefusal::Malformed);
    }
    let identifier = keys.key_identifier();
    if (spi1, kic, kid) != (keys.spi[0], identifier, identifier) || chl - 13 != keys.check_length.octets() {
        return Err(PacketRefusal::Policy);
    }
    if [t0, t1, t2] != keys.tar {
        return Err(PacketRefusal::UnknownApplication);
    }
    let inside = open_behind(keys, &[], packet, COMMAND_CLEAR, 0)?;
    // SPI2 says nothing about how this packet is protected, so it is judged once it is known to be the card's own word.
    if spi2 != keys.spi[1] {
        return Err(PacketRefusal::Policy);
    }
    Ok(Opened { counter: inside.counter, check: inside.check, plaintext: inside.plaintext })
}

/// Seals a response packet, from RPL on, to the command that had `counter`.
pub fn seal_response(keys: &KeySet, counter: Counter, status: u8, plaintext: &[u8]) -> Result<Vec<u8>, SealError> {
    if !keys.responds_securely() {
        return Err(SealError::NoResponse);
    }
    let [t0, t1, t2] = keys.tar;
    let clear = [10 + keys.check_length.octets() as u8, t0, t1, t2];
    seal_behind(keys, &RESPONSE_HEADER, &clear, counter, &[status], plaintext)
}

/// Opens a response packet, from RPL on.
pub fn open_response(keys: &KeySet, packet: &[u8]) -> Result<OpenedResponse, PacketRefusal> {
    let &[rpl0, rpl1, rhl, t0, t1, t2, ref ciphered @ ..] = packet else {
        return Err(PacketRefusal::Malformed);
    };
    let rhl = usize::from(rhl);
    // RHL counts from TAR to the end of CC: 10 octets and CC, of which 3 stand before the ciphered part.
    if !fits(packet, [rpl0, rpl1]) || rhl < 10 || rhl - 3 > ciphered.len() {
        return Err(PacketRefusal::Malformed);
    }
    if !keys.responds_securely() || rhl - 10 != keys.check_length.octets() {
        return Err(PacketRefusal::Policy);
    }
    if [t0, t1, t2] != keys.tar {
        return Err(PacketRefusal::UnknownApplication);
    }
    let inside = open_behind(keys, &RESPONSE_HEADER, packet, RESPONSE_CLEAR, 1)?;
    Ok(OpenedResponse { counter: inside.counter, status: inside.status, plaintext: inside.plaintext })
}

/// The length field counts all that follows it, and no packet is longer than three short messages.
fn fits(packet: &[u8], length: [u8; 2]) -> bool {
    usize::from(u16::from_be_bytes(length)) + 2 == packet.len() && packet.len() <= PACKET_ROOM[MAX_PARTS - 1]
}

/// Length, clear header, then counter, padding count, status if any, checksum, data and zeros: checked first, then ciphered.
/// `covered` is what the checksum covers beside the packet itself.
fn seal_behind(
    keys: &KeySet,
    covered: &[u8],
    clear: &[u8],
    counter: Counter,
    status: &[u8],
    plaintext: &[u8],
) -> Result<Vec<u8>, SealError> {
    if counter == Counter::BLOCKED {
        return Err(SealError::CounterBlocked);
    }
    let check = keys.check_length.octets();
    let filled = COUNTERS + status.len() + check + plaintext.len();
    let ciphered = filled.next_multiple_of(BLOCK);
    let total = 2 + clear.len() + ciphered;
    if total > PACKET_ROOM[MAX_PARTS - 1] {
        return Err(SealError::TooLong);
    }
    // Reserved at once: a growing vector would leave copies of the plaintext behind.
    let mut packet = Vec::with_capacity(total);
    packet.extend_from_slice(&((total - 2) as u16).to_be_bytes());
    packet.extend_from_slice(clear);
    let start = packet.len();
    packet.extend_from_slice(&counter.octets());
    packet.push((ciphered - filled) as u8);
    packet.extend_from_slice(status);
    let check_at = packet.len();
    packet.resize(check_at + check, 0);
    packet.extend_from_slice(plaintext);
    packet.resize(total, 0);
    let tag = keys.check_key.cmac(&[covered, &packet[..check_at], &packet[check_at + check..]]);
    packet[check_at..check_at + check].copy_from_slice(&tag[..check]);
    keys.cipher_key.cbc_encrypt(&mut packet[start..]);
    Ok(packet)
}

struct Inside {
    counter: Counter,
    status: u8,
    check: [u8; 8],
    plaintext: Zeroizing<Vec<u8>>,
}

/// The inverse of [`seal_behind`] for a packet whose lengths were checked: `clear` octets, then the ciphered part with
/// `status_octets` (0 or 1) of status.
fn open_behind(
    keys: &KeySet,
    covered: &[u8],
    packet: &[u8],
    clear: usize,
    status_octets: usize,
) -> Result<Inside, PacketRefusal> {
    let (header, ciphered) = packet.split_at(clear);
    if !ciphered.len().is_multiple_of(BLOCK) {
        return Err(PacketRefusal::Ciphering);
    }
    let mut octets = Zeroizing::new(ciphered.to_vec());
    keys.cipher_key.cbc_decrypt(&mut octets);
    let check_at = COUNTERS + status_octets;
    let data_at = check_at + keys.check_length.octets();
    let tag = keys.check_key.cmac(&[covered, header, &octets[..check_at], &octets[data_at..]]);
    if !bool::from(octets[check_at..data_at].ct_eq(&tag[..data_at - check_at])) {
        return Err(PacketRefusal::Check);
    }
    let &[c0, c1, c2, c3, c4, padding, after, ..] = octets.as_slice() else {
        return Err(PacketRefusal::Malformed);
    };
    let padding = usize::from(padding);
    if padding >= BLOCK || data_at + padding > octets.len() {
        return Err(PacketRefusal::Padding);
    }
    let mut check = [0; 8];
    check[..data_at - check_at].copy_from_slice(&octets[check_at..data_at]);
    let end = octets.len() - padding;
    octets.truncate(end);
    octets.drain(..data_at);
    Ok(Inside {
        counter: Counter::from_octets([c0, c1, c2, c3, c4]),
        status: if status_octets == 1 { after } else { 0 },
        check,
        plaintext: octets,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key_set(spi2: u8) -> KeySet {
        let key = |octet| AesKey::new(&[octet; 32]).unwrap();
        KeySet::profile(1, key(1), key(2), *b"WKA", spi2).unwrap()
    }

    /// A packet with a right checksum over whatever `change` made of it before it was ciphered.
    fn forged_with_the_keys(keys: &KeySet, change: impl Fn(&mut [u8])) -> Vec<u8> {
        let mut packet = seal(keys, Counter(1), b"BL*2718").unwrap();
        keys.cipher_key.cbc_decrypt(&mut packet[COMMAND_CLEAR..]);
        change(&mut packet);
        let (check_at, data_at) = (COMMAND_CLEAR + COUNTERS, COMMAND_CLEAR + COUNTERS + 8);
        let tag = keys.check_key.cmac(&[&packet[..check_at], &packet[data_at..]]);
        packet[check_at..data_at].copy_from_slice(&tag[..8]);
        keys.cipher_key.cbc_encrypt(&mut packet[COMMAND_CLEAR..]);
        packet
    }

    #[test]
    fn an_authentic_packet_is_still_held_to_the_rules() {
        let keys = key_set(0x00);
        let opened =
            |change: &dyn Fn(&mut [u8])| open(&keys, &forged_with_the_keys(&keys, change)).map(|it| it.plaintext);
        // 7 octets of data and 11 of padding. A count below a block is the sender's own word, even if it could be smaller.
        assert_eq!(opened(&|_| ()).map(|plaintext| plaintext.len()), Ok(7));
        assert_eq!(opened(&|packet| packet[15] = 15).map(|plaintext| plaintext.len()), Ok(3));
        for count in [16, 18, 19, 255] {
            assert_eq!(opened(&|packet| packet[15] = count).err(), Some(PacketRefusal::Padding));
        }
        let short = forged_with_the_keys(&keys, |_| ());
        assert_eq!(open(&key_set(0x39), &short).err(), Some(PacketRefusal::Policy), "another SPI2 than the key set's");
    }

    #[test]
    fn padding_never_reaches_into_the_checksum() {
        let keys = key_set(0x00);
        let mut packet = seal(&keys, Counter(1), b"").unwrap();
        keys.cipher_key.cbc_decrypt(&mut packet[COMMAND_CLEAR..]);
        packet[15] = 3; // Of the 2 octets behind the checksum.
        let tag = keys.check_key.cmac(&[&packet[..16], &packet[24..]]);
        packet[16..24].copy_from_slice(&tag[..8]);
        keys.cipher_key.cbc_encrypt(&mut packet[COMMAND_CLEAR..]);
        assert_eq!(open(&keys, &packet).err(), Some(PacketRefusal::Padding));
    }
}
