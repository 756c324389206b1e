//! Every parser of the platform under octets that nobody would send.
//!
//! A [`Target`] takes any octets and panics where something does not hold that must hold of all of them: beside "no panic"
//! that what was read and written again reads the same, that bounds are kept, that no digit gets into a log. `cargo xtask
//! fuzz` searches under the guidance of what each input reaches in the code; the test `corpora` replays what such searches
//! found, without any of that.

mod bank;
mod books;
mod cards;
mod cluster;
mod input;
mod program;
mod proofs;
mod secrets;
mod smpp;
mod sms;

/// One parser, or a few that belong together.
pub struct Target {
    /// What it is called on the command line; its corpus and its dictionary bear this name.
    pub name: &'static str,
    /// Tries one input.
    ///
    /// # Panics
    /// Where something does not hold.
    pub try_out: fn(&[u8]),
    /// The longest input worth trying, in octets.
    pub longest: usize,
}

const fn target(name: &'static str, longest: usize, try_out: fn(&[u8])) -> Target {
    Target { name, try_out, longest }
}

/// All of them.
pub const TARGETS: &[Target] = &[
    target("smpp-pdu", 1024, smpp::pdu),
    target("smpp-stream", 1024, smpp::stream),
    target("smpp-session", 1024, smpp::session),
    target("receipt", 512, smpp::receipt),
    target("alphabets", 512, sms::alphabets),
    target("segments", 1024, sms::segments),
    target("joiner", 1024, sms::joiner),
    target("grammar", 700, sms::grammar),
    target("mask", 1024, sms::mask),
    target("secured-packet", 512, secrets::secured_packet),
    target("key-file", 1024, secrets::key_file),
    target("short-forms", 256, secrets::short_forms),
    target("point-of-sale", 2048, cards::point_of_sale),
    target("institution", 2048, cards::institution),
    target("card-frames", 1024, cards::frames),
    target("card-fields", 512, cards::fields),
    target("key-block", 512, cards::key_block),
    target("pin-block", 64, cards::pin_block),
    target("bank-octets", 1024, bank::octets),
    target("bank-ends", 256, bank::ends),
    target("encoding", 2048, books::encoding),
    target("numbers", 64, program::numbers),
    target("uplink", 512, program::uplink),
    target("administration", 1024, program::administration),
    target("configuration", 2048, program::configuration),
    target("witness", 1024, proofs::witness),
    target("statement", 2048, proofs::statement),
    target("frames", 1024, cluster::frames),
];
