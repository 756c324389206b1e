//! The whole platform in this process, its message centre beside it, people to write to it, and an auditor at the end.
#![allow(dead_code, reason = "each test program uses its own part of the world")]

pub mod audit;
pub mod centre;
pub mod golden;
pub mod load;
pub mod sealer;
pub mod service;
pub mod world;

#[allow(unused_imports)]
pub use centre::{Centre, PATIENCE, Text};
#[allow(unused_imports)]
pub use world::{
    AGENT, AGENT_PHONE, ALICE, BOB, Hands, OTHER_AGENT, OTHER_AGENT_PHONE, PIN, STRANGER, TILL_PHONE, World,
};
