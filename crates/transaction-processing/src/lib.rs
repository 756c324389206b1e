//! The rules of the ledger.
#![no_std]
extern crate alloc;
