//! The program's own doors: numbers, the uplink, the administration socket, the configuration.

use std::cell::RefCell;
use std::collections::HashSet;
use std::io::Write as _;
use std::sync::{Arc, LazyLock};

use encryption::{FileKeys, Keys};
use rand::{SeedableRng, rngs::StdRng};
use tempfile::NamedTempFile;
use transaction_processing::Msisdn;
use transaction_processing::ids::{Iccid, TransferId};
use transaction_processing::number::Language;
use transaction_processing::request::{Link, Payee};
use transaction_processing::time::Time;
use wakala::administration::protocol::{Reply, Request};
use wakala::config::{Config, Numbers, Sources};
use wakala::numbering::Numbering;
use wakala::uplink::{Arrival, Arrived, Directory, Rations, Read, Uplink};
use wire::smpp::{Address, ShortMessage};
use wire::sms::DefaultAlphabet;

use crate::input::{Input, text};

static PLANS: LazyLock<Vec<Numbering>> = LazyLock::new(|| {
    let served = Numbers { foreign: true, mobile_prefixes: Vec::new() };
    ["TZ", "UG", "CI", "US", "IT"].map(|country| Numbering::new(country, &served).expect("a country")).into()
});

/// A number that was understood is understood the same in international form, however it was typed.
pub(crate) fn numbers(octets: &[u8]) {
    let mut input = Input(octets);
    let (plan, type_of_number) = (usize::from(input.octet()) % PLANS.len(), input.octet() % 8);
    let typed = text(input.0);
    let numbering = &PLANS[plan];
    if let Ok(Payee::Mobile(msisdn)) = numbering.typed(&typed) {
        same(numbering, msisdn);
    }
    if let Some(msisdn) = numbering.source(type_of_number, &typed) {
        same(numbering, msisdn);
        assert_eq!(numbering.source(1, &msisdn.digits().to_string()), Some(msisdn));
    }
}

fn same(numbering: &Numbering, msisdn: Msisdn) {
    let again = numbering.typed(&format!("+{}", msisdn.digits()));
    assert!(matches!(again, Ok(Payee::Mobile(same)) if same == msisdn), "+{} is another number", msisdn.digits());
}

/// One number has a card; the rest have none.
struct OneCard(Msisdn, Iccid);

impl Directory for OneCard {
    fn card(&self, msisdn: Msisdn) -> Option<Iccid> {
        (msisdn == self.0).then_some(self.1)
    }

    fn language(&self, _: Msisdn) -> Language {
        Language::English
    }

    fn payee(&self, _: TransferId) -> Option<Msisdn> {
        Some(self.0)
    }
}

static UPLINK: LazyLock<(Uplink, Arc<dyn Keys>, Iccid)> = LazyLock::new(|| {
    let keys: Arc<dyn Keys> = Arc::new(FileKeys::create(&mut StdRng::seed_from_u64(7)));
    let card = Iccid::new(8_925_500_000_000_000_007).expect("a serial");
    let owner = Msisdn::new(255_712_000_002).expect("a number");
    let rations = Rations { answers: u32::MAX, receipts: u32::MAX, senders: usize::MAX };
    let directory = Arc::new(OneCard(owner, card));
    let uplink = Uplink::new(keys.clone(), directory, PLANS[0].clone(), "15050".to_owned(), rations);
    (uplink, keys, card)
});

/// A message from anybody, as the gateway hands it over: the same one is the same request.
pub(crate) fn uplink(octets: &[u8]) {
    let (uplink, keys, card) = &*UPLINK;
    let mut input = Input(octets);
    let alphabet = input.one_of(&[DefaultAlphabet::Gsm7Unpacked, DefaultAlphabet::Gsm7Packed, DefaultAlphabet::Latin1]);
    let from = input.one_of(&["255712000001", "255712000002", "0712000003", "VODACOM", "", "15050"]);
    let (ton, esm_class, data_coding) = (input.octet() % 8, input.octet(), input.octet());
    let seals = input.octet() == 1;
    let body = if seals {
        let counter = encryption::Counter::new(u64::from(input.octet()) + 1).expect("40 bits");
        let packet = encryption::secured_packet::seal(&keys.uplink_keys(&card.digits().to_string()), counter, input.0);
        [&encryption::secured_packet::COMMAND_HEADER[..], &packet.unwrap_or_default()].concat()
    } else {
        input.0.to_vec()
    };
    let source = Address { ton, npi: 1, digits: from.try_into().expect("short") };
    let message = ShortMessage { source, esm_class, data_coding, body: body.into(), ..Default::default() };
    let read = || {
        let arrival = Arrival { link: Link(1), alphabet, message: Arrived::Single(message.clone()) };
        match uplink.read(arrival, || Time(0), &mut StdRng::seed_from_u64(1)) {
            Read::Request(request) => format!("request {:?} {:?}", request.key.map(|key| key.0), request.origin),
            Read::Answer(advice) => format!("advice {:?} {:?}", advice.to, advice.malformed),
            Read::Ignored(why) => format!("ignored {why:?}"),
        }
    };
    assert_eq!(read(), read());
}

/// A line is read as it is written again, and a complaint repeats nothing of it.
pub(crate) fn administration(octets: &[u8]) {
    match Request::parse(octets) {
        Ok(request) => {
            let line = request.to_line().expect("no command holds what JSON cannot");
            let again = Request::parse(line.trim_end().as_bytes()).expect("our own line");
            assert!(again.command == request.command, "another command");
            assert_eq!(again.to_line().expect("a line"), line);
            let _ = (request.command.about(), request.command.name(), request.command.needs_staff());
        }
        Err(complaint) => assert!(complaint.len() < 80, "{complaint}"),
    }
    if let Ok(reply) = serde_json::from_slice::<Reply>(octets) {
        let line = serde_json::to_vec(&reply).expect("a line");
        assert!(serde_json::from_slice::<Reply>(&line).expect("our own reply") == reply, "another reply");
    }
}

/// The configuration from a file, from the environment, and from the command line: it is read or everything that is wrong is
/// said, and what was read is not complained of afterwards.
pub(crate) fn configuration(octets: &[u8]) {
    thread_local!(static FILE: RefCell<NamedTempFile> = RefCell::new(NamedTempFile::new().expect("a file")));
    let mut input = Input(octets);
    let as_file = input.octet() % 2 == 0;
    let text = text(input.0);
    let mut sources = Sources { file: None, environment: Vec::new(), flags: Vec::new() };
    FILE.with_borrow_mut(|place| {
        place.as_file_mut().set_len(0).expect("emptied");
        std::io::Seek::rewind(place.as_file_mut()).expect("rewound");
        if as_file {
            place.write_all(text.as_bytes()).expect("written");
        } else {
            sources.flags = text.lines().map(str::to_owned).collect();
        }
        sources.file = Some(place.path().to_owned());
        match Config::load(&sources) {
            Ok(config) => assert!(config.problems().is_empty(), "wrong after all"),
            Err(error) => {
                let said: HashSet<String> = error.problems.iter().map(ToString::to_string).collect();
                assert!(!said.is_empty() && said.iter().all(|problem| !problem.is_empty()));
            }
        }
    });
}
