//! Each rule that keeps money safe, by its name.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test that cannot go on has failed"
)]
#![allow(clippy::inconsistent_digit_grouping, reason = "minor units stand apart: 500_00 is five hundred")]

#[path = "../common/mod.rs"]
mod common;

mod bank;
mod borders;
mod claims;
mod loading;
mod money;
mod repeats;
mod secrets;
