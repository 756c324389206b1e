//! What the page shows, as HTML.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::demo::cast::{self, CAST, Role, SHORT_CODE, Who};
use crate::demo::log::{Event, Holding, Log, Passed, Proof, Said, Way};
use crate::demo::read::balance;

/// The page as it lies in the program; `{{name}}` is filled in.
const PAGE: &str = include_str!("page.html");
/// PDUs shown when a page is opened.
const WIRE_LINES: usize = 120;

/// What a page shows that is opened now.
#[derive(Default)]
struct Shown {
    phones: Vec<(String, Option<String>)>,
    wire: Vec<String>,
    proof: Option<String>,
    bound: Option<bool>,
    newest: u64,
}

/// The whole page.
pub fn page(log: &Log, accounts: &[Holding], time: &str, nonce: &str) -> String {
    let shown = shown(log);
    let bound = shown.bound.unwrap_or(true);
    fill(PAGE, |name| match name {
        "phones" => (0..CAST.len()).map(|who| phone(who, &shown.phones[who])).collect(),
        "jumps" => (0..CAST.len()).map(jump).collect(),
        "wire" => {
            let skipped = shown.wire.len().saturating_sub(WIRE_LINES);
            shown.wire[skipped..].concat()
        }
        "accounts" => rows(accounts),
        "proof" => shown.proof.clone().unwrap_or_default(),
        "clock" => escape(time),
        "link" => link(bound).to_owned(),
        "bound" => bound.to_string(),
        "short_code" => SHORT_CODE.to_owned(),
        "since" => shown.newest.to_string(),
        "nonce" => nonce.to_owned(),
        "first" => escape(&format!("TM*{}*5000*{}", CAST[cast::NEWCOMER].number, CAST[cast::FIRST].pin)),
        "first_name" => escape(CAST[cast::FIRST].name),
        other => unreachable!("the page asks for {other}"),
    })
}

fn shown(log: &Log) -> Shown {
    let mut shown = Shown { phones: vec![(String::new(), None); CAST.len()], ..Shown::default() };
    for (number, event) in log.kept() {
        shown.newest = number;
        match &*event {
            Event::Said(said) => {
                let (messages, told) = &mut shown.phones[said.who];
                messages.push_str(&bubble(said));
                if let Some(now) = told_balance(said) {
                    *told = Some(now);
                }
            }
            Event::Passed(passed) => shown.wire.push(line(passed)),
            Event::Proof(found) => shown.proof = Some(proof(found)),
            Event::Link(bound) => shown.bound = Some(*bound),
            _ => {}
        }
    }
    shown
}

/// What an open page is told of an event.
pub fn update(event: &Event) -> Option<Value> {
    Some(match event {
        Event::Said(said) => json!({
            "kind": "said", "who": said.who, "html": bubble(said), "text": said.text,
            "received": said.way == Way::ToPhone, "balance": told_balance(said),
        }),
        Event::Passed(passed) => json!({ "kind": "wire", "html": line(passed) }),
        Event::Accounts(holdings) => json!({ "kind": "accounts", "html": rows(holdings) }),
        Event::Clock(time) => json!({ "kind": "clock", "text": time }),
        Event::Link(bound) => json!({ "kind": "link", "bound": bound, "text": link(*bound) }),
        Event::Proof(found) => json!({ "kind": "proof", "html": proof(found), "sound": found.sound }),
        Event::Note(text) => json!({ "kind": "note", "text": text }),
        Event::End => json!({ "kind": "end" }),
        Event::Chapter(_) | Event::Compared(..) => return None,
    })
}

/// A page that was away for too long loads anew.
pub fn reload() -> Value {
    json!({ "kind": "reload" })
}

/// The balance that a phone was told with a message.
fn told_balance(said: &Said) -> Option<String> {
    let told = balance(&said.text).filter(|_| said.way == Way::ToPhone)?;
    Some(if told.starts_with(|one: char| one.is_ascii_digit()) { format!("TZS {told}") } else { told })
}

fn link(bound: bool) -> &'static str {
    if bound { "Link bound" } else { "Link lost, connecting again" }
}

fn phone(who: Who, (messages, told): &(String, Option<String>)) -> String {
    let character = &CAST[who];
    let (class, pin) = match character.role {
        Role::Customer => ("customer", Some(character.pin)),
        Role::SealedCustomer => ("sealed", Some(character.pin)),
        Role::Stranger => ("stranger", None),
        Role::Agent(_) => ("agent", Some(character.pin)),
    };
    let quick: String = cast::quick(who)
        .iter()
        .map(|(label, text)| {
            format!("<button type=\"button\" data-fill=\"{}\">{}</button>", escape(text), escape(label))
        })
        .collect();
    let pin = pin.map_or_else(String::new, |pin| format!(" · PIN {pin}"));
    let (name, number, role) = (escape(character.name), character.number, escape(&character.role_name()));
    let told = told.as_deref().map_or("not told yet".to_owned(), escape);
    format!(
        "<article class=\"phone {class}\" id=\"phone-{who}\" data-who=\"{who}\" data-number=\"{number}\" \
         aria-labelledby=\"name-{who}\">\
         <header><h2 id=\"name-{who}\">{name}</h2><p class=\"number\">{number}</p>\
         <p class=\"role\">{role}{pin}</p>\
         <p class=\"balance\"><span>Last told</span> <output id=\"balance-{who}\">{told}</output></p></header>\
         <div class=\"messages\" role=\"log\" aria-label=\"Messages of {name}\" tabindex=\"0\">\
         <ol id=\"messages-{who}\">{messages}</ol></div>\
         <div class=\"quick\" role=\"group\" aria-label=\"Fill in for {name}\">{quick}</div>\
         <form method=\"post\" action=\"/send\" class=\"write\"><input type=\"hidden\" name=\"who\" value=\"{who}\">\
         <label class=\"unseen\" for=\"text-{who}\">Message from {name} to {SHORT_CODE}</label>\
         <input id=\"text-{who}\" name=\"text\" type=\"text\" maxlength=\"480\" required autocomplete=\"off\" \
         autocapitalize=\"characters\" spellcheck=\"false\" placeholder=\"Message to {SHORT_CODE}\">\
         <button type=\"submit\" aria-label=\"Send from {name}\">Send</button></form></article>"
    )
}

fn jump(who: Who) -> String {
    format!("<a href=\"#phone-{who}\">{}</a>", escape(CAST[who].name))
}

/// One message on a phone.
fn bubble(said: &Said) -> String {
    let (class, whose) = match said.way {
        Way::ToPlatform => ("sent", "Sent"),
        Way::ToPhone => ("got", "Received"),
    };
    let packet = said.sealed.as_deref().map_or_else(String::new, |packet| {
        format!("<details><summary>Sealed on the wire</summary><code>{}</code></details>", escape(packet))
    });
    let (text, at) = (escape(&said.text), escape(&said.at));
    format!("<li class=\"{class}\"><span class=\"unseen\">{whose}: </span><p>{text}</p>{packet}<time>{at}</time></li>")
}

/// One PDU on the wire.
fn line(passed: &Passed) -> String {
    let (class, arrow, whither) = match passed.way {
        Way::ToPlatform => ("up", "→", "to the platform"),
        Way::ToPhone => ("down", "←", "from the platform"),
    };
    let mut html = format!(
        "<li class=\"{class}{}\"><span class=\"way\" aria-hidden=\"true\">{arrow}</span><b>{}</b>\
         <span class=\"unseen\">{whither}</span><i>{}</i>",
        if passed.sealed { " sealed" } else { "" },
        passed.pdu,
        passed.sequence,
    );
    // Writing to a string cannot fail.
    if let Some(status) = passed.status.filter(|status| *status != 0) {
        let _ = write!(html, "<em>status 0x{status:02x}</em>");
    }
    if let Some(number) = &passed.number {
        let _ = write!(html, "<span class=\"who\">{}</span>", escape(number));
    }
    if !passed.content.is_empty() {
        let _ = write!(html, "<code>{}</code>", escape(&passed.content));
    }
    html.push_str("</li>");
    html
}

fn rows(holdings: &[Holding]) -> String {
    let row = |holding: &Holding| {
        let class = if holding.number.is_some() { "person" } else { "own" };
        format!(
            "<tr class=\"{class}\"><th scope=\"row\">{}</th><td>{}</td></tr>",
            escape(&holding.name),
            escape(&holding.balance)
        )
    };
    let sum: i128 = holdings.iter().map(|holding| i128::from(holding.minor)).sum();
    let total = format!(
        "<tr class=\"sum\"><th scope=\"row\">All together</th><td>{}</td></tr>",
        if sum == 0 { "0.00".to_owned() } else { format!("{sum} minor units") }
    );
    holdings.iter().map(row).chain([total]).collect()
}

fn proof(found: &Proof) -> String {
    let verdict = if found.sound { "All is as it must be." } else { "Not sound." };
    let class = if found.sound { "sound" } else { "unsound" };
    let facts: String = found
        .found
        .iter()
        .map(|(name, value)| format!("<div><dt>{}</dt><dd>{}</dd></div>", escape(name), escape(value)))
        .collect();
    format!("<p class=\"verdict {class}\">{verdict}</p><dl>{facts}</dl>")
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// Fills `{{name}}`s in, once each: what is filled in is not looked at again.
fn fill(template: &str, value: impl Fn(&str) -> String) -> String {
    let mut filled = String::with_capacity(template.len() * 2);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((name, after)) = after.split_once("}}") else { break };
        filled.push_str(before);
        filled.push_str(&value(name));
        rest = after;
    }
    filled.push_str(rest);
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_type_is_shown_and_never_run() {
        let log = Log::default();
        let text = "<script>alert('{{nonce}}')</script>".to_owned();
        log.tell(Event::Said(Said { who: 0, way: Way::ToPlatform, text, sealed: None, at: "now".to_owned() }));
        let html = page(&log, &[], "22 Nov 07:04", "0123");
        assert!(html.contains("&lt;script&gt;alert(&#39;{{nonce}}&#39;)&lt;/script&gt;"));
        assert_eq!(html.matches("{{").count(), 1, "everything else is filled in");
    }

    #[test]
    fn the_balance_shown_is_the_one_that_was_told_last() {
        let log = Log::default();
        let said =
            |way, text: &str| Event::Said(Said { who: 1, way, text: text.to_owned(), sealed: None, at: String::new() });
        log.tell(said(Way::ToPhone, "Balance TZS 10.00."));
        log.tell(said(Way::ToPhone, "Ref 1: you received TZS 5.00 from +2557. Fees 0.00. Balance 15.00."));
        log.tell(said(Way::ToPlatform, "Balance 99.00"));
        log.tell(said(Way::ToPhone, "Send HP for help."));
        assert!(page(&log, &[], "", "").contains("<output id=\"balance-1\">TZS 15.00</output>"));
    }
}
