//! The setting of a run, drawn from its seed: configuration, message centres, people.

use std::sync::Arc;
use std::time::Duration;

use data_center::Bounds;
use encryption::{FileKeys, Keys};
use handset::Number;
use handset::centre::{Account, MessageCentre, ReceiptForm, ReceiptSettings, Settings};
use transaction_processing::Currency;
use wakala::config::{
    Amount, Config, CurrencyCode, Language, MessageCentre as Reached, MessageIdForm, Payer, RegisteredPayee,
};
use wakala::rooms;
use wire::smpp::{LinkConfig, MessageIdForm as Form, Text};

use crate::clock::BEGINNING_MS;
use crate::dice::Dice;
use crate::house::Ground;
use crate::people::{Person, Role, SHORT_CODE};

/// Customers, with and without an account.
const CUSTOMERS: u64 = 14;
/// Agents.
const AGENTS: [u32; 3] = [1001, 1002, 1003];

/// All currencies of a configuration.
pub fn currencies(config: &Config) -> Vec<Currency> {
    config.currencies().into_iter().map(CurrencyCode::currency).collect()
}

/// What every process starts from, and the centres that it finds.
pub fn ground(dice: &mut Dice, secrets: &mut Dice) -> (Ground, Vec<MessageCentre>) {
    let config = config(dice);
    let keys: Arc<dyn Keys> = Arc::new(FileKeys::create(secrets.generator()));
    let reached = config.message_centre.iter().enumerate();
    let binds = reached.flat_map(|(number, centre)| std::iter::repeat_n(number as u16, usize::from(centre.binds)));
    let binds: Vec<u16> = binds.collect();
    let centres = config.message_centre.iter().map(|_| centre(&config, dice)).collect();
    let ground = Ground {
        keys,
        catalogues: Arc::new(fit(rooms::catalogues())),
        numbering: fit(rooms::numbering(&config)),
        binds,
        bounds: Bounds { batch: 1 + dice.index(64), queue: 8 + dice.index(200) },
        span: 20 + dice.below(400),
        policy: config.policy(),
        config,
    };
    (ground, centres)
}

fn fit<T>(built: Result<T, rooms::Unfit>) -> T {
    built.unwrap_or_else(|error| unreachable!("the configuration of the simulation is fit: {error}"))
}

fn config(dice: &mut Dice) -> Config {
    let mut config = Config::default();
    config.ledger.language = Language::English;
    config.ledger.queue_requests = 64;
    config.messages.short_code = SHORT_CODE.to_owned();
    config.messages.plain_accepted = dice.below(40) != 0;
    config.messages.queue_messages = 8 + dice.below(100) as u32;
    config.messages.validity_hours = 2 + dice.below(47) as u32;
    config.messages.resends = 1 + dice.below(4) as u8;
    config.messages.resend_after_seconds = 5 + dice.below(60) as u32;
    config.messages.malformed_answers_per_hour = 1 + dice.below(6) as u32;
    config.messages.receipts_per_hour = 1 + dice.below(10) as u32;
    config.agents.password_at_agent = dice.coin();
    config.transfer.withdrawal_period_days = 1 + dice.below(7) as u32;
    config.transfer.resends = dice.below(4) as u8;
    config.transfer.registered_payee =
        if dice.below(4) == 0 { RegisteredPayee::Password } else { RegisteredPayee::Credit };
    config.spraying.per_agent = 4 + dice.below(20) as u32;
    config.spraying.per_message_centre = 10 + dice.below(60) as u32;
    config.spraying.in_all = 20 + dice.below(80) as u32;
    for limits in &mut config.limits {
        if dice.below(3) == 0 {
            limits.per_month = limits.per_day;
        }
    }
    for tariff in &mut config.tariff {
        let payers = [Payer::Sender, Payer::Payee, Payer::Operator];
        if dice.below(3) == 0 {
            tariff.payer = payers[dice.index(3)];
        }
        if dice.below(3) == 0 {
            tariff.agent_share_per_mille = dice.below(1001) as u32;
            tariff.levy_per_mille_of_amount = dice.below(6) as u32;
        }
        tariff.fee_kept_on_return = dice.below(4) == 0;
        if dice.below(6) == 0 {
            for band in &mut tariff.bands {
                band.per_mille = 3;
                band.minimum = Amount::parse("33.33").unwrap_or(band.minimum);
            }
        }
    }
    let forms = dice.below(3);
    let names = if dice.coin() { vec!["one"] } else { vec!["one", "two"] };
    config.message_centre = names.into_iter().map(|name| reached(name, forms, dice)).collect();
    config
}

fn reached(name: &str, forms: u64, dice: &mut Dice) -> Reached {
    let (response_id_form, receipt_id_form) = match forms {
        0 => (MessageIdForm::Verbatim, MessageIdForm::Verbatim),
        1 => (MessageIdForm::Hexadecimal, MessageIdForm::Decimal),
        _ => (MessageIdForm::Decimal, MessageIdForm::Hexadecimal),
    };
    Reached {
        name: name.to_owned(),
        hosts: vec![format!("{name}:2775")],
        binds: 1 + dice.below(3) as u8,
        window: 1 + dice.below(30) as u32,
        rate_per_second: if dice.below(4) == 0 { 20 } else { 0 },
        enquire_link_seconds: 600,
        response_timeout_seconds: 5 + dice.below(20) as u32,
        throttled_pause_seconds: 1 + dice.below(10) as u32,
        // With references of eight bits phones join parts of two messages every now and then, and read nonsense.
        wide_references: true,
        response_id_form,
        receipt_id_form,
        prefixes: if name == "two" { vec!["25576".to_owned()] } else { Vec::new() },
        ..Reached::default()
    }
}

/// The forms of ids that go with a configuration.
fn id_forms(config: &Config) -> (Form, Form) {
    match config.message_centre.first().map(|centre| centre.response_id_form) {
        Some(MessageIdForm::Hexadecimal) => (Form::Hexadecimal, Form::Decimal),
        Some(MessageIdForm::Decimal) => (Form::Decimal, Form::Hexadecimal),
        _ => (Form::Decimal, Form::Decimal),
    }
}

/// How receipts look.
pub fn receipts(config: &Config) -> ReceiptSettings {
    let id_form = id_forms(config).1;
    let form = if config.messages.resends.is_multiple_of(2) { ReceiptForm::Tlvs } else { ReceiptForm::TlvsAndText };
    ReceiptSettings { form, id_form, ..ReceiptSettings::default() }
}

fn centre(config: &Config, dice: &mut Dice) -> MessageCentre {
    let account = Account {
        system_id: Text::try_from("wakala").unwrap_or_default(),
        password: "secret".into(),
        short_codes: Number::try_from(SHORT_CODE).into_iter().collect(),
    };
    let settings = Settings {
        accounts: vec![account],
        link: LinkConfig {
            window: 1 + dice.index(40),
            enquire_link_interval: Duration::from_secs(900),
            response_timeout: Duration::from_secs(10 + dice.below(30)),
            ..LinkConfig::default()
        },
        retry_after: Duration::from_secs(1 + dice.below(60)),
        id_form: id_forms(config).0,
        receipts: receipts(config),
        origin: BEGINNING_MS / 1000,
        ..Settings::default()
    };
    MessageCentre::new(settings, dice.number())
}

/// Everybody: customers on both networks, and agents.
pub fn people(dice: &mut Dice) -> Vec<Person> {
    let customer = |index: u64| {
        let network = if index % 3 == 2 { "25576" } else { "25571" };
        (format!("{network}{:07}", 2_000_000 + index), Role::Customer)
    };
    let agent = |(index, code): (usize, &u32)| (format!("25571{:07}", 2_100_000 + index), Role::Agent(*code));
    // Somebody to whom numbers of others move.
    let other = ("255712999999".to_owned(), Role::Customer);
    let all = AGENTS.iter().enumerate().map(agent).chain((0..CUSTOMERS).map(customer)).chain([other]);
    let all: Vec<(String, Role)> = all.collect();
    all.into_iter().map(|(digits, role)| Person::new(&digits, role, dice)).collect()
}
