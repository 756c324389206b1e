//! A message centre and services that speak real SMPP to it, on one clock that only the test moves.
#![allow(dead_code, reason = "each test uses its part")]

use core::time::Duration;
use handset::centre::{Account, CentreEvent, LinkId, MessageCentre, Settings};
use wire::smpp::{Address, BindKind, ClientConfig, Event, LinkConfig, MessageIdForm, Session, ShortMessage, Status};

pub const SHORT_CODE: &str = "15050";
pub const ALICE: &str = "+255712000001";
pub const BOB: &str = "+255712000002";

pub fn settings() -> Settings {
    let account = Account {
        system_id: "wakala".try_into().unwrap(),
        password: "secret".into(),
        short_codes: vec![SHORT_CODE.try_into().unwrap()],
    };
    Settings { accounts: vec![account], ..Settings::default() }
}

pub fn submission(to: &str, text: &str) -> ShortMessage {
    ShortMessage {
        source: Address::short_code(SHORT_CODE).unwrap(),
        destination: Address::international(to).unwrap(),
        registered_delivery: 1,
        body: text.as_bytes().into(),
        ..Default::default()
    }
}

/// One service's link.
pub struct Esme {
    pub link: LinkId,
    pub session: Session,
    /// Whether deliver_sm are answered, and how.
    pub answer: Option<Status>,
    /// Texts in the order they came.
    pub texts: Vec<String>,
    /// Everything else that happened, in order.
    pub events: Vec<Event>,
}

impl Esme {
    pub fn kinds(&self) -> Vec<&'static str> {
        self.events
            .iter()
            .map(|event| match event {
                Event::Bound { .. } => "bound",
                Event::BindRefused(_) => "refused",
                Event::Receipt { .. } => "receipt",
                Event::Submitted { result: Ok(_), .. } => "ok",
                Event::Submitted { result: Err(_), .. } => "error",
                Event::Throttled { .. } => "throttled",
                Event::Unknown { .. } => "unknown",
                Event::Unsent { .. } => "unsent",
                Event::Closed(_) => "closed",
                _ => "other",
            })
            .collect()
    }
}

pub struct Line {
    pub centre: MessageCentre,
    pub now: Duration,
    pub esmes: Vec<Esme>,
    /// Number and text of what phones got.
    pub phones: Vec<(String, String)>,
    pub closed: Vec<LinkId>,
    /// How the services read ids.
    pub id_forms: (MessageIdForm, MessageIdForm),
}

impl Line {
    pub fn new(settings: Settings) -> Self {
        Self::seeded(settings, 1)
    }

    pub fn seeded(settings: Settings, seed: u64) -> Self {
        let id_forms = (settings.id_form, settings.receipts.id_form);
        let centre = MessageCentre::new(settings, seed);
        Self { centre, now: Duration::ZERO, esmes: Vec::new(), phones: Vec::new(), closed: Vec::new(), id_forms }
    }

    /// With one bound service.
    pub fn bound(settings: Settings) -> Self {
        let mut line = Self::new(settings);
        line.bind("wakala", "secret", BindKind::Transceiver);
        line
    }

    /// Connects a service; its place in `esmes`.
    pub fn bind(&mut self, name: &str, password: &str, kind: BindKind) -> usize {
        let config = ClientConfig {
            system_id: name.try_into().unwrap(),
            password: password.into(),
            system_type: Default::default(),
            kind,
            link: LinkConfig {
                window: 100,
                response_id_form: self.id_forms.0,
                receipt_id_form: self.id_forms.1,
                ..LinkConfig::default()
            },
        };
        let session = Session::client(config, self.now);
        let link = self.centre.connect(self.now).unwrap();
        self.esmes.push(Esme { link, session, answer: Some(Status::OK), texts: Vec::new(), events: Vec::new() });
        self.settle();
        self.esmes.len() - 1
    }

    pub fn send(&mut self, from: &str, text: &str) {
        self.centre.originate(self.now, from, SHORT_CODE, text.as_bytes(), 0, 0).unwrap();
        self.settle();
    }

    pub fn submit(&mut self, esme: usize, message: ShortMessage, token: u64) {
        self.esmes[esme].session.submit(self.now, message, token).ok().unwrap();
        self.settle();
    }

    /// Carries octets and takes events until nothing moves at this moment.
    pub fn settle(&mut self) {
        loop {
            let mut moved = self.take_centre_events();
            for place in 0..self.esmes.len() {
                moved |= self.carry(place) | self.take_esme_events(place);
            }
            if !moved {
                return;
            }
        }
    }

    fn carry(&mut self, place: usize) -> bool {
        let esme = &mut self.esmes[place];
        let (mut up, mut down) = (Vec::new(), Vec::new());
        let moved = esme.session.poll_transmit(&mut up) | self.centre.poll_transmit(esme.link, &mut down);
        esme.session.handle_bytes(self.now, &down);
        if !self.closed.contains(&esme.link) {
            self.centre.handle_bytes(self.now, esme.link, &up);
        } else if !esme.session.is_closed() {
            esme.session.connection_lost();
        }
        if esme.session.is_closed() {
            self.centre.disconnect(self.now, esme.link);
        }
        moved
    }

    fn take_centre_events(&mut self) -> bool {
        let mut any = false;
        while let Some(event) = self.centre.poll_event() {
            any = true;
            match event {
                CentreEvent::ToPhone { number, message } => {
                    self.phones.push((number.to_string(), String::from_utf8_lossy(&message.body).into_owned()));
                }
                CentreEvent::Closed { link, .. } => self.closed.push(link),
                CentreEvent::Bound { .. } => {}
            }
        }
        any
    }

    fn take_esme_events(&mut self, place: usize) -> bool {
        let esme = &mut self.esmes[place];
        let mut any = false;
        while let Some(event) = esme.session.poll_event() {
            any = true;
            let sequence = match &event {
                Event::Delivered { sequence, message } => {
                    esme.texts.push(String::from_utf8_lossy(&message.body).into_owned());
                    Some(*sequence)
                }
                Event::Receipt { sequence, .. } => Some(*sequence),
                _ => None,
            };
            if let (Some(sequence), Some(status)) = (sequence, esme.answer) {
                esme.session.respond(sequence, status);
            }
            if !matches!(event, Event::Delivered { .. }) {
                esme.events.push(event);
            }
        }
        any
    }

    /// Moves the clock step by step, from one deadline to the next.
    pub fn advance(&mut self, by: Duration) {
        let end = self.now + by;
        loop {
            let sessions = self.esmes.iter().filter_map(|esme| esme.session.poll_timeout());
            let next = sessions.chain(self.centre.poll_timeout()).min();
            let Some(next) = next.filter(|next| *next <= end) else { break };
            self.now = self.now.max(next);
            self.centre.handle_timeout(self.now);
            for esme in &mut self.esmes {
                esme.session.handle_timeout(self.now);
            }
            self.settle();
        }
        self.now = end;
    }
}
