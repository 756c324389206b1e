//! What a message centre keeps to, and the faults it can be told to have.

use crate::number::Number;
use core::time::Duration;
use wire::Secret;
use wire::smpp::{LinkConfig, MessageIdForm, Text};

/// What a message centre keeps to.
#[derive(Clone)]
pub struct Settings {
    /// The centre's own name.
    pub system_id: Text<15>,
    /// Who may bind.
    pub accounts: Vec<Account>,
    /// Of every link. `window` bounds the deliver_sm in flight on it; its `queue` is not used, as what waits stays in
    /// the centre's store; its id forms are not used, see [`Settings::id_form`].
    pub link: LinkConfig,
    /// Links at once. At the bound [`MessageCentre::connect`](super::MessageCentre::connect) refuses.
    pub links: usize,
    /// Messages and receipts stored for services. At the bound phones' messages are refused and receipts are lost
    /// (and counted).
    pub stored: usize,
    /// Messages for phones: those that wait for a phone, and those that the owner has not taken yet. At the bound
    /// submit_sm is answered ESME_RMSGQFUL.
    pub held: usize,
    /// Phones whose [`Presence`] was set. At the bound `set_presence` refuses.
    pub phones: usize,
    /// The presence of every phone for which none was set.
    pub presence: Presence,
    /// How long after no answer, or a passing refusal, a message is delivered again. After the loss of a link it is
    /// delivered as soon as there is another.
    pub retry_after: Duration,
    /// How long phones' messages and receipts are stored for a service that does not take them.
    pub keep_for: Duration,
    /// The validity of submitted messages that give none.
    pub validity: Duration,
    /// How message ids are written in submit_sm_resp.
    pub id_form: MessageIdForm,
    /// The receipts.
    pub receipts: ReceiptSettings,
    /// The beginning of the centre's time in seconds since 1970-01-01 UTC, for dates in receipts and absolute
    /// validity periods.
    pub origin: i64,
}

impl Default for Settings {
    /// Nobody may bind; phones are on; a retry after 5 s; three days in the store, two for phones.
    fn default() -> Self {
        Self {
            system_id: Text::try_from("centre").unwrap_or_default(),
            accounts: Vec::new(),
            link: LinkConfig::default(),
            links: 64,
            stored: 100_000,
            held: 100_000,
            phones: 1_000_000,
            presence: Presence::On,
            retry_after: Duration::from_secs(5),
            keep_for: Duration::from_secs(72 * 3600),
            validity: Duration::from_secs(48 * 3600),
            id_form: MessageIdForm::Decimal,
            receipts: ReceiptSettings::default(),
            origin: 0,
        }
    }
}

/// A service that may bind.
#[derive(Clone)]
pub struct Account {
    /// The name it binds by.
    pub system_id: Text<15>,
    /// Its password.
    pub password: Secret,
    /// The short codes whose messages it gets; with none it gets those of all codes that no other account names.
    pub short_codes: Vec<Number>,
}

/// Whether a phone can be reached.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Presence {
    /// It takes messages at once.
    #[default]
    On,
    /// Its messages wait until it is on or they expire.
    Off,
    /// Its messages end as UNDELIV.
    Unreachable,
}

/// How delivery receipts look and when they come.
#[derive(Debug, Clone)]
pub struct ReceiptSettings {
    /// Where they say what they say.
    pub form: ReceiptForm,
    /// How they write message ids; some centres write them differently in submit_sm_resp.
    pub id_form: MessageIdForm,
    /// Also say ENROUTE when a phone is off. (An intermediate notification is sent whenever it is asked for.)
    pub enroute: bool,
    /// The first receipt goes out before the submit_sm_resp of its message, if there is a link for it.
    pub before_response: bool,
    /// How late they are.
    pub late: Duration,
    /// The probability that one comes twice.
    pub twice: f64,
    /// The probability that one is held back for a random time up to [`Faults::delay_up_to`] and so overtaken.
    pub disorder: f64,
}

impl Default for ReceiptSettings {
    /// TLVs and text, decimal, at once, in order, once, with ENROUTE.
    fn default() -> Self {
        Self {
            form: ReceiptForm::TlvsAndText,
            id_form: MessageIdForm::Decimal,
            enroute: true,
            before_response: false,
            late: Duration::ZERO,
            twice: 0.0,
            disorder: 0.0,
        }
    }
}

/// Where receipts say what they say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReceiptForm {
    /// In receipted_message_id and message_state.
    Tlvs,
    /// In the text of appendix B.
    Text,
    /// In both.
    TlvsAndText,
}

/// What goes wrong, each with a probability from 0 (never) to 1 (always).
#[derive(Debug, Clone, PartialEq)]
pub struct Faults {
    /// On the way from phones to services.
    pub to_service: Disturbance,
    /// On the way from services to phones. There is no order to keep there: delay and reorder are the same.
    pub to_phone: Disturbance,
    /// submit_sm is answered ESME_RTHROTTLED (58).
    pub throttle: f64,
    /// submit_sm is answered ESME_RMSGQFUL (14).
    pub queue_full: f64,
    /// A submitted message ends as UNDELIV.
    pub undeliverable: f64,
    /// The longest time for which a disturbed message is held.
    pub delay_up_to: Duration,
    /// When a lost submit_sm_resp is sent after all; longer than services wait. (It must be sent some time: the link
    /// counts the messages that are not answered.)
    pub lost_answer_after: Duration,
    /// A link drops after so many PDUs in both directions since it connected, or since this was set. Happens once,
    /// on the first link that comes so far; then it is `None` again.
    pub drop_link_after: Option<u64>,
}

impl Default for Faults {
    /// Nothing goes wrong.
    fn default() -> Self {
        Self {
            to_service: Disturbance::default(),
            to_phone: Disturbance::default(),
            throttle: 0.0,
            queue_full: 0.0,
            undeliverable: 0.0,
            delay_up_to: Duration::from_millis(500),
            lost_answer_after: Duration::from_secs(60),
            drop_link_after: None,
        }
    }
}

/// What goes wrong on the way in one direction, each with a probability from 0 (never) to 1 (always).
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Disturbance {
    /// A message that arrived arrives again, up to [`Faults::delay_up_to`] later.
    pub duplicate: f64,
    /// A message loses its place in its sender's order and is held up to [`Faults::delay_up_to`]: later ones overtake.
    pub reorder: f64,
    /// A message, and all that its sender writes after it, is held up to [`Faults::delay_up_to`].
    pub delay: f64,
    /// The answer is lost. To services: the deliver_sm_resp, so the message comes again after
    /// [`Settings::retry_after`]. To phones: the submit_sm_resp, so the service does not know.
    pub lose_answer: f64,
}
