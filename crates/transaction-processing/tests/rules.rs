//! Each rule that keeps money safe, by its name.

mod common;
use common::*;

#[test]
fn world_stands() {
    let world = World::new();
    assert_eq!(world.balance(SENDER), PURSE);
    world.audit();
}
