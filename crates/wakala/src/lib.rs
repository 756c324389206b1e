//! Wakala: a mobile-money platform. A person with nothing but a phone sends money to any phone number, and an agent pays it
//! out.

pub mod administration;
pub mod books;
pub mod cli;
pub mod clock;
pub mod cluster;
pub mod communication_gateway;
pub mod config;
pub mod demo;
pub mod downlink;
pub mod keyring;
pub mod numbering;
pub mod observe;
pub mod platform;
pub mod process;
pub mod proof;
pub mod rooms;
pub mod serve;
pub mod timers;
pub mod tls;
pub mod uplink;
