//! Staff at any process of a cluster.

use std::process::Output;

use serde_json::{Value, json};

use crate::common::World;
use crate::common::service::customer;
use crate::common::world::{STAFF_SECRET, secret_file};
use crate::town::{DECIDES, Town};

/// What somebody on the staff asks of one of the processes.
fn asked_by(town: &Town, index: usize, who: &str, arguments: &[&str]) -> Output {
    let secret = secret_file(&town.world.directory, "secret", STAFF_SECRET).display().to_string();
    town.run(index, &[arguments, &["--staff", who, "--secret-file", &secret]].concat())
}

/// What is answered where it is done.
fn done(output: Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("an answer in JSON")
}

/// What is said where it is not, and the exit code.
fn not_done(output: Output) -> (Option<i32>, String) {
    (output.status.code(), String::from_utf8(output.stderr).expect("UTF-8"))
}

/// The maker proposes at one process, the checker approves at another; what the measure says of it.
async fn carried_out(town: &Town, (maker_at, checker_at): (usize, usize), measure: &[&str]) {
    let proposed = done(asked_by(town, maker_at, "maker", measure));
    let number = proposed["proposal"].as_u64().expect("a number").to_string();
    let show = ["treasury", "proposals", &number];
    // The books of an edge may be a moment behind.
    World::until("the checker sees it", async || asked_by(town, checker_at, "checker", &show).status.success()).await;
    let approve = ["treasury", "approve", &number];
    let (_, refused) = not_done(asked_by(town, maker_at, "maker", &approve));
    assert!(refused.contains("another member of staff must"), "{refused}");
    assert_eq!(done(asked_by(town, checker_at, "checker", &approve))["state"], "approved");
    // Whoever asked sees at once what they did.
    assert_eq!(done(asked_by(town, checker_at, "checker", &show))["state"], "approved");
    let (_, refused) = not_done(asked_by(town, checker_at, "checker", &approve));
    assert!(refused.contains("approved or rejected already"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_measure_of_two_people_is_carried_out_whichever_process_each_of_them_asks() {
    let mut town = Town::with(2).await;
    town.start_all().await;
    let (decider, edge) = (town.decider(), 1 - town.decider());
    let number = customer(3);
    let status = |index| done(asked_by(&town, index, "maker", &["customer", "show", &number]))["status"].clone();
    carried_out(&town, (edge, edge), &["customer", "freeze", &number]).await;
    assert_eq!((status(edge), status(decider)), (json!("frozen"), json!("frozen")));
    carried_out(&town, (edge, decider), &["customer", "unfreeze", &number]).await;
    assert_eq!(status(decider), "active");
    // What is drawn at an edge, and sealed there, is told by the one that decides.
    town.world.centre().skip_read();
    carried_out(&town, (decider, edge), &["customer", "reset-pin", &number]).await;
    let told = town.world.centre().text_to(&number).await;
    assert!(told.words.contains("One-time PIN"), "{}", told.words);
    carried_out(&town, (edge, edge), &["treasury", "issue", "500", "--bank-reference", "deposit-at-an-edge"]).await;
    town.issued += 50_000;

    let chosen = secret_file(&town.world.directory, "chosen", "another secret that is long enough");
    let chosen = chosen.display().to_string();
    carried_out(&town, (edge, edge), &["staff", "add", "third", "--new-secret-file", &chosen]).await;
    let by_third = |index| {
        let ask = ["customer", "show", &number, "--staff", "third", "--secret-file", &chosen];
        town.run(index, &ask)
    };
    assert!(by_third(edge).status.success() && by_third(decider).status.success());
    let (_, refused) =
        not_done(town.run(edge, &["customer", "show", &number, "--staff", "maker", "--secret-file", &chosen]));
    assert!(refused.contains("not_proven"), "{refused}");
    town.accounted_for().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn staff_are_told_that_nobody_decides_and_nothing_of_it_is_done_later() {
    let town = Town::with(1).await;
    // Somebody has the lease who is not reached.
    town.server.sql(&format!(
        "UPDATE lease SET term = term + 1, holder = 'a test', address = '127.0.0.1:{}', expires_at = now() + interval '1 hour'",
        crate::town::free_port()
    ));
    let mut town = town;
    let service = crate::common::service::Service::start(&town.configurations[0]);
    service.wait_for(|_, said| said.contains("no link to the one that decides")).await;
    town.services[0] = Some(service);
    let freeze = ["customer", "freeze", &customer(3)];
    let (exit, refused) = not_done(asked_by(&town, 0, "maker", &freeze));
    assert!(refused.contains("nothing was done"), "{refused}");
    assert_eq!(exit, Some(75));
    // What is read is answered all the same.
    let balance = town.asked(0, &["treasury", "balance"]);
    assert_eq!(balance["balanced"], true);
    town.server.sql("UPDATE lease SET expires_at = now()");
    town.service(0).wait_for(|_, said| said.contains(DECIDES)).await;
    carried_out(&town, (0, 0), &freeze).await;
    let proposals = done(asked_by(&town, 0, "maker", &["treasury", "proposals", "--all"]));
    let of_it = |proposal: &&Value| proposal["measure"]["do"] == "freeze";
    let count = proposals["proposals"].as_array().expect("a list").iter().filter(of_it).count();
    assert_eq!(count, 1, "what was refused was not done later");
    town.accounted_for().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_process_says_what_it_is_and_has_the_same_books() {
    let mut town = Town::with(2).await;
    town.start_all().await;
    let (decider, edge) = (town.decider(), 1 - town.decider());
    let at_the_edge = town.asked(edge, &["cluster", "status"]);
    assert_eq!((&at_the_edge["role"], &at_the_edge["linked"]), (&json!("edge"), &json!(true)));
    let at_the_decider = town.asked(decider, &["cluster", "status"]);
    let (program, version) = (&at_the_edge["program"], &at_the_edge["link_version"]);
    let edges = json!([{ "name": at_the_edge["name"], "program": program, "link_version": version }]);
    assert_eq!(at_the_decider["edges"], edges);
    assert_eq!(program, &at_the_decider["program"]);
    assert_eq!(at_the_edge["decides"], at_the_decider["name"]);
    let balanced = |index| town.asked(index, &["treasury", "balance"]);
    assert_eq!(balanced(edge), balanced(decider), "both have the same books");
    assert_eq!(town.asked(edge, &["ledger", "verify"])["sound"], true);
    town.accounted_for().await;
}
