//! What no single key can tell: whether the keys go together.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;

use transaction_processing::tariff::Unsound;

use super::*;

/// The longest path of a local socket, sun_path of unix(7).
const LONGEST_SOCKET_PATH: usize = 107;

/// What is wrong with the files that the configuration names, on this machine.
pub(super) fn files(config: &Config, origin_of: &dyn Fn(&str) -> Origin) -> Vec<Problem> {
    let mut complaints = Complaints { origin_of, found: Vec::new() };
    let database = Some(("ledger.database", &config.ledger.database)).filter(|_| config.postgres.address.is_none());
    for (key, path) in database.into_iter().chain([("administration.socket", &config.administration.socket)]) {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        complaints.unless(folder.is_dir(), key, format!("there is no folder {}", folder.display()));
    }
    if let Some(folder) = &config.witness.directory {
        complaints.unless(folder.is_dir(), "witness.directory", format!("there is no folder {}", folder.display()));
    }
    if let Some(path) = &config.postgres.password_file {
        secret_file("postgres.password_file", path, &mut complaints);
    }
    if let Some(path) = &config.cluster.key_file {
        secret_file("cluster.key_file", path, &mut complaints);
    }
    let of_cluster = [("ca_file", &config.cluster.ca_file), ("certificate_file", &config.cluster.certificate_file)];
    for (name, path) in of_cluster {
        let is_there = path.as_ref().is_none_or(|path| path.is_file());
        complaints.unless(is_there, &format!("cluster.{name}"), "there is no such file");
    }
    let is_there = config.postgres.ca_file.as_ref().is_none_or(|path| path.is_file());
    complaints.unless(is_there, "postgres.ca_file", "there is no such file");
    match &config.keys.token {
        None => {
            secret_file("keys.file", &config.keys.file, &mut complaints);
            secret_file("keys.passphrase_file", &config.keys.passphrase_file, &mut complaints);
        }
        Some(token) => {
            complaints.unless(token.module.is_file(), "keys.token.module", "there is no such file");
            secret_file("keys.token.pin_file", &token.pin_file, &mut complaints);
        }
    }
    for (index, centre) in config.message_centre.iter().enumerate() {
        let at = |name: &str| format!("message_centre.{index}.{name}");
        secret_file(&at("password_file"), &centre.password_file, &mut complaints);
        let Some(tls) = &centre.tls else { continue };
        if let Some(path) = &tls.key_file {
            secret_file(&at("tls.key_file"), path, &mut complaints);
        }
        for (name, path) in [("tls.ca_file", &tls.ca_file), ("tls.certificate_file", &tls.certificate_file)] {
            let is_there = path.as_ref().is_none_or(|path| path.is_file());
            complaints.unless(is_there, &at(name), "there is no such file");
        }
    }
    complaints.found
}

/// A file with a secret is there, can be read by us, and not by everyone.
fn secret_file(key: &str, path: &Path, complaints: &mut Complaints<'_>) {
    match std::fs::File::open(path).and_then(|file| file.metadata()) {
        Ok(file) => {
            complaints.unless(file.is_file(), key, format!("{} is no file", path.display()));
            let for_everyone = file.permissions().mode() & 0o007 != 0;
            complaints.unless(!for_everyone, key, format!("{} must not be open to everyone", path.display()));
        }
        Err(error) => complaints.unless(false, key, format!("{}: {error}", path.display())),
    }
}

/// The complaints, collected with the origin of each key.
struct Complaints<'a> {
    origin_of: &'a dyn Fn(&str) -> Origin,
    found: Vec<Problem>,
}

impl Complaints<'_> {
    fn unless(&mut self, right: bool, key: &str, text: impl Into<String>) {
        if !right {
            self.found.push(Problem { key: key.to_owned(), origin: (self.origin_of)(key), text: text.into() });
        }
    }
}

/// All that is wrong.
pub(super) fn problems(config: &Config, origin_of: &dyn Fn(&str) -> Origin) -> Vec<Problem> {
    let mut complaints = Complaints { origin_of, found: Vec::new() };
    ledger(config, &mut complaints);
    cluster(config, &mut complaints);
    figures(config, &mut complaints);
    limits(config, &mut complaints);
    tariffs(config, &mut complaints);
    doors(config, &mut complaints);
    for (index, centre) in config.message_centre.iter().enumerate() {
        message_centre(centre, &format!("message_centre.{index}"), &mut complaints);
    }
    message_centres(config, &mut complaints);
    complaints.found
}

fn ledger(config: &Config, complaints: &mut Complaints<'_>) {
    let ledger = &config.ledger;
    let codes: BTreeSet<&str> = config.currencies().into_iter().map(CurrencyCode::code).collect();
    let distinct = codes.len() == 1 + ledger.further_currencies.len();
    complaints.unless(distinct, "ledger.further_currencies", "a currency is named twice");
    let country_known = crate::numbering::is_country(&ledger.country);
    complaints.unless(country_known, "ledger.country", "must be a country of ISO 3166-1, two capital letters");
    if let Some(Err(error)) = config.postgres.address.as_deref().map(data_center::postgres::Settings::parse) {
        complaints.unless(false, "postgres.address", error.to_string());
    }
    let is_file = ledger.database.file_name().is_some() && !ledger.database.is_dir();
    complaints.unless(is_file, "ledger.database", "must be the path of a file");
    complaints.unless(are_prefixes(&config.numbers.mobile_prefixes), "numbers.mobile_prefixes", PREFIX_FORM);
    let apart = |one: &Path, other: &Path, key: &str, complaints: &mut Complaints<'_>| {
        complaints.unless(one != other, key, "must be a file of its own");
    };
    apart(&config.keys.file, &ledger.database, "keys.file", complaints);
    apart(&config.keys.passphrase_file, &ledger.database, "keys.passphrase_file", complaints);
    apart(&config.keys.passphrase_file, &config.keys.file, "keys.passphrase_file", complaints);
}

/// The longest lease with which another process takes over within five seconds.
const LONGEST_LEASE: u32 = 4;

fn cluster(config: &Config, complaints: &mut Complaints<'_>) {
    let cluster = &config.cluster;
    let Some(listen) = &cluster.listen else { return };
    complaints.unless(listen.parse::<SocketAddr>().is_ok(), "cluster.listen", "must be \"address:port\"");
    let has_port = |text: &String| text.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    complaints.unless(cluster.advertise.as_ref().is_none_or(has_port), "cluster.advertise", "must be \"host:port\"");
    complaints.unless(
        config.postgres.address.is_some(),
        "cluster.listen",
        "needs postgres.address: a file has one process",
    );
    for (name, file) in [
        ("ca_file", &cluster.ca_file),
        ("certificate_file", &cluster.certificate_file),
        ("key_file", &cluster.key_file),
    ] {
        complaints.unless(file.is_some(), &format!("cluster.{name}"), "must be given where cluster.listen is");
    }
    let is_short = config.postgres.lease_seconds <= LONGEST_LEASE;
    let text = "must be 3 or 4 where cluster.listen is given, so that another process takes over within five seconds";
    complaints.unless(is_short, "postgres.lease_seconds", text);
}

fn figures(config: &Config, complaints: &mut Complaints<'_>) {
    let Config { transfer, pin, codes, spraying, .. } = config;
    let reminded_within = transfer.reminder_before_hours < transfer.withdrawal_period_days * 24;
    complaints.unless(reminded_within, "transfer.reminder_before_hours", "must be shorter than withdrawal_period_days");
    complaints.unless(pin.tries < pin.tries_in_all, "pin.tries", "must be fewer than tries_in_all");
    let pauses_grow = codes.password_first_pause_minutes <= codes.password_later_pause_hours * 60;
    complaints.unless(
        pauses_grow,
        "codes.password_first_pause_minutes",
        "must not be longer than password_later_pause_hours",
    );
    let link_above = spraying.per_agent <= spraying.per_message_centre;
    complaints.unless(link_above, "spraying.per_agent", "must not be more than per_message_centre");
    let all_above = spraying.per_message_centre <= spraying.in_all;
    complaints.unless(all_above, "spraying.per_message_centre", "must not be more than in_all");
    let expressible = config.agents.identity_above.minor(config.ledger.currency.currency()).is_some();
    complaints.unless(expressible, "agents.identity_above", not_expressible(config.ledger.currency));
}

fn not_expressible(currency: CurrencyCode) -> String {
    let digits = currency.currency().minor_digits;
    format!(
        "is no amount of {}: it has {digits} decimals, and the largest amount is 10^15 minor units",
        currency.code()
    )
}

fn limits(config: &Config, complaints: &mut Complaints<'_>) {
    let mut seen = BTreeSet::new();
    for (index, limits) in config.limits.iter().enumerate() {
        let key = format!("limits.{index}");
        let currency = limits.currency.unwrap_or(config.ledger.currency);
        let in_use = config.currencies().contains(&currency);
        complaints.unless(in_use, &key, format!("{} is not among the ledger's currencies", currency.code()));
        let is_new = seen.insert((limits.class, currency.code()));
        let class = limits.class.word();
        complaints.unless(is_new, &key, format!("{class} has limits in {} already", currency.code()));
        let needs_balance = limits.class != Class::NonCustomer;
        complaints.unless(
            !needs_balance || limits.balance.is_some(),
            &key,
            format!("balance must be given for {class}"),
        );
        let Some(minor) = limits.in_minor_units(config.ledger.currency.currency()) else {
            complaints.unless(false, &key, format!("a figure {}", not_expressible(currency)));
            continue;
        };
        let rising = [minor.least, minor.per_transaction, minor.per_day, minor.per_month].is_sorted();
        complaints.unless(rising, &key, "must rise: least, per_transaction, per_day, per_month");
        complaints.unless(minor.least > 0, &key, "least must be more than nothing");
        complaints.unless(!needs_balance || minor.balance > 0, &key, "balance must be more than nothing");
    }
    for currency in config.currencies() {
        for class in Class::ALL.into_iter().filter(|class| !seen.contains(&(*class, currency.code()))) {
            complaints.unless(false, "limits", format!("{} has none in {}", class.word(), currency.code()));
        }
    }
}

fn tariffs(config: &Config, complaints: &mut Complaints<'_>) {
    let mut priced = BTreeSet::new();
    let mut seen = BTreeSet::new();
    for (index, tariff) in config.tariff.iter().enumerate() {
        let key = format!("tariff.{index}");
        let currency = tariff.currency.unwrap_or(config.ledger.currency);
        let in_use = config.currencies().contains(&currency);
        complaints.unless(in_use, &key, format!("{} is not among the ledger's currencies", currency.code()));
        let Some(terms) = tariff.terms(&config.ledger) else {
            complaints.unless(false, &key, format!("a figure {}", not_expressible(currency)));
            continue;
        };
        priced.insert((tariff.request, currency.code()));
        let is_new = seen.insert((tariff.request, currency.code(), terms.effective_from));
        let request = tariff.request.word();
        complaints.unless(is_new, &key, format!("{request} has a tariff from that moment already"));
        if let Some(why) = terms.unsound() {
            complaints.unless(false, &key, unsound(why));
        }
    }
    for currency in config.currencies() {
        for request in Priced::ALL.into_iter().filter(|request| !priced.contains(&(*request, currency.code()))) {
            complaints.unless(false, "tariff", format!("{} has none in {}", request.word(), currency.code()));
        }
    }
}

fn unsound(why: Unsound) -> &'static str {
    match why {
        Unsound::NoBand => "must have a band",
        Unsound::BadBand => "bands must rise in up_to",
        Unsound::MinimumAboveMaximum => "a band's minimum is above its maximum",
        Unsound::FallingFee => "a larger amount costs less than a smaller one",
        Unsound::ShareAboveWhole => "a share is more than 1000 thousandths",
    }
}

fn doors(config: &Config, complaints: &mut Complaints<'_>) {
    let short_code = &config.messages.short_code;
    let dialled = (3..=15).contains(&short_code.len()) && short_code.bytes().all(|octet| octet.is_ascii_digit());
    complaints.unless(dialled, "messages.short_code", "must be 3 to 15 digits");
    let listens = config.administration.listen.parse::<SocketAddr>().is_ok();
    complaints.unless(listens, "administration.listen", "must be an address and a port, 127.0.0.1:9464");
    let fits = config.administration.socket.as_os_str().len() <= LONGEST_SOCKET_PATH;
    complaints.unless(fits, "administration.socket", format!("must be at most {LONGEST_SOCKET_PATH} octets long"));
}

const PREFIX_FORM: &str = "must be 1 to 14 digits in international form, without + and not beginning with 0";

fn are_prefixes(prefixes: &[String]) -> bool {
    let is_prefix = |prefix: &String| {
        let digits = prefix.bytes().all(|octet| octet.is_ascii_digit());
        digits && (1..=14).contains(&prefix.len()) && !prefix.starts_with('0')
    };
    prefixes.iter().all(is_prefix)
}

fn message_centre(centre: &MessageCentre, key: &str, complaints: &mut Complaints<'_>) {
    let at = |name: &str| format!("{key}.{name}");
    let plain_name = |octet: u8| octet.is_ascii_alphanumeric() || octet == b'-' || octet == b'_';
    let named = (1..=32).contains(&centre.name.len()) && centre.name.bytes().all(plain_name);
    complaints.unless(named, &at("name"), "must be 1 to 32 letters, digits, - or _");
    let hosts = (1..=16).contains(&centre.hosts.len()) && centre.hosts.iter().all(|host| is_host(host));
    complaints.unless(hosts, &at("hosts"), "must be 1 to 16 addresses, each \"host:port\"");
    let fits = |text: &str, most: usize| text.len() <= most && text.bytes().all(|octet| octet.is_ascii_graphic());
    let system_id = !centre.system_id.is_empty() && fits(&centre.system_id, 15);
    complaints.unless(system_id, &at("system_id"), "must be 1 to 15 characters of ASCII");
    complaints.unless(fits(&centre.system_type, 12), &at("system_type"), "must be at most 12 characters of ASCII");
    complaints.unless(are_prefixes(&centre.prefixes), &at("prefixes"), PREFIX_FORM);
    if let Some(tls) = &centre.tls {
        let paired = tls.certificate_file.is_some() == tls.key_file.is_some();
        complaints.unless(paired, &at("tls"), "certificate_file and key_file go together");
    }
}

/// A name or an address (IPv6 in brackets), a colon, and a port.
fn is_host(host: &str) -> bool {
    let Some((name, port)) = host.rsplit_once(':') else { return false };
    let is_port = port.parse::<u16>().is_ok_and(|port| port != 0);
    let is_six = name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'))
        .is_some_and(|name| name.parse::<std::net::Ipv6Addr>().is_ok());
    let is_name =
        !name.is_empty() && name.bytes().all(|octet| octet.is_ascii_alphanumeric() || b".-_".contains(&octet));
    is_port && (is_six || is_name)
}

fn message_centres(config: &Config, complaints: &mut Complaints<'_>) {
    let centres = &config.message_centre;
    let names: BTreeSet<&str> = centres.iter().map(|centre| centre.name.as_str()).collect();
    complaints.unless(names.len() == centres.len(), "message_centre", "two have the same name");
    let prefixes: Vec<&String> = centres.iter().flat_map(|centre| &centre.prefixes).collect();
    let distinct: BTreeSet<&String> = prefixes.iter().copied().collect();
    complaints.unless(distinct.len() == prefixes.len(), "message_centre", "a prefix stands twice");
    let receives = centres.iter().any(|centre| centre.bind != BindKind::Transmitter);
    let transmits = centres.iter().any(|centre| centre.bind != BindKind::Receiver);
    let both_ways = centres.is_empty() || (receives && transmits);
    complaints.unless(
        both_ways,
        "message_centre",
        "messages must be able to come in and go out; a direction has no bind",
    );
}
