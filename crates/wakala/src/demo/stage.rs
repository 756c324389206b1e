//! The phones, and what happens on them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use handset::phone::{Card, MemoryCounters, Outgoing, Phone};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;
use wire::smpp::ShortMessage;

use super::Failure;
use super::accounts;
use super::cast::{CAST, ICCID, SHORT_CODE, Who};
use super::house::House;
use super::log::{Event, Holding, Log, Proof, Said, Way};
use super::tap::hex;
use crate::administration::protocol::Command;
use crate::timers;

/// Messages on their way to the phones; beyond them the message centre counts what nobody heard.
const ON_THE_WAY: usize = 4_096;
/// Messages that a phone holds for whoever waits for one; at the bound the oldest is dropped.
const UNHEARD: usize = 64;
/// A message that has not come by then does not come.
const PATIENCE: Duration = Duration::from_secs(30);

/// The phones around a house.
pub struct Stage {
    /// The house.
    pub house: House,
    /// What happens.
    pub log: Arc<Log>,
    phones: Arc<Phones>,
    hearing: JoinHandle<()>,
    /// The accounts as they were told last.
    told: Arc<Mutex<Vec<Holding>>>,
    last: Mutex<Option<(Who, Vec<Outgoing>)>>,
}

struct Phones {
    all: Vec<Mutex<Handset>>,
    heard: Notify,
    began: Instant,
}

struct Handset {
    phone: Phone,
    unheard: VecDeque<String>,
}

impl Phones {
    fn with<R>(&self, who: Who, deed: impl FnOnce(&mut Handset) -> R) -> R {
        deed(&mut self.all[who].lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Stage {
    /// Sets the phones up around a house. All are on, none has a card.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn set(house: House, log: Arc<Log>) -> Result<Stage, Failure> {
        let incoming = house.centre.subscribe_all(ON_THE_WAY).await?;
        let handset = |who: Who| -> Result<Mutex<Handset>, Failure> {
            let phone = Phone::new(number(who)?, None);
            Ok(Mutex::new(Handset { phone, unheard: VecDeque::new() }))
        };
        let all = (0..CAST.len()).map(handset).collect::<Result<_, _>>()?;
        let phones = Arc::new(Phones { all, heard: Notify::new(), began: Instant::now() });
        let clock = house.clock.clone();
        let zone = house.platform.services.config.ledger.zone.clone();
        let time = move || written_time(&clock, &zone);
        let hearing = tokio::spawn(hear_all(incoming, Arc::clone(&phones), Arc::clone(&log), time));
        Ok(Stage { house, log, phones, hearing, told: Arc::default(), last: Mutex::default() })
    }

    /// Puts the card that was personalised for it into a phone.
    pub fn insert_card(&self, who: Who) {
        let keys = self.house.keys.personalise_card(ICCID);
        let card = Card::new(&keys, Box::new(MemoryCounters::default()));
        self.phones.with(who, |handset| {
            handset.phone = Phone::new(handset.phone.number(), Some(card));
        });
    }

    /// Somebody types a message and sends it.
    ///
    /// # Errors
    /// [`Failure::Sending`] where the phone or the message centre does not take it.
    pub async fn send(&self, who: Who, text: &str) -> Result<(), Failure> {
        let composed = self.phones.with(who, |handset| handset.phone.compose_parts(text, 3));
        let parts = composed.map_err(|error| Failure::Sending(error.to_string()))?;
        let sealed = parts.iter().any(|part| part.sealed).then(|| parts.iter().map(|part| hex(&part.body)).collect());
        let said = Said { who, way: Way::ToPlatform, text: text.to_owned(), sealed, at: self.time() };
        self.log.tell(Event::Said(said));
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some((who, parts.clone()));
        self.originate(who, parts).await
    }

    /// Somebody else writes a plain message in the name of a phone: what a forger can do who has no card.
    ///
    /// # Errors
    /// [`Failure::Sending`].
    pub async fn forge(&self, who: Who, text: &str) -> Result<(), Failure> {
        let composed = Phone::new(number(who)?, None).compose_parts(text, 3);
        let parts = composed.map_err(|error| Failure::Sending(error.to_string()))?;
        self.log.tell(Event::Note(format!("Somebody else writes in plain in the name of {}:", CAST[who].name)));
        let said = Said { who, way: Way::ToPlatform, text: text.to_owned(), sealed: None, at: self.time() };
        self.log.tell(Event::Said(said));
        self.originate(who, parts).await
    }

    /// The message centre delivers the last message once more, octet for octet, as centres do that lost an answer. Whose it
    /// was; none where there was none.
    ///
    /// # Errors
    /// [`Failure::Sending`].
    pub async fn deliver_again(&self) -> Result<Option<Who>, Failure> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some((who, parts)) = last else { return Ok(None) };
        self.log.tell(Event::Note(format!("The message centre delivers {}'s message once more.", CAST[who].name)));
        self.originate(who, parts).await?;
        Ok(Some(who))
    }

    async fn originate(&self, who: Who, parts: Vec<Outgoing>) -> Result<(), Failure> {
        for part in parts {
            let taken = self.house.centre.originate(number(who)?, SHORT_CODE, part).await?;
            taken.map_err(|error| Failure::Sending(error.to_string()))?;
        }
        Ok(())
    }

    /// Waits for a message on a phone that contains all these words, and takes it. Others stay.
    ///
    /// # Errors
    /// [`Failure::NotHeard`] with what came instead.
    pub async fn hear(&self, who: Who, words: &[&str]) -> Result<String, Failure> {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let heard = self.phones.heard.notified();
            tokio::pin!(heard);
            heard.as_mut().enable();
            let found = self.phones.with(who, |handset| {
                let place = handset.unheard.iter().position(|text| words.iter().all(|word| text.contains(word)))?;
                handset.unheard.remove(place)
            });
            if let Some(text) = found {
                return Ok(text);
            }
            if tokio::time::timeout_at(deadline, heard).await.is_err() {
                let instead = self.phones.with(who, |handset| handset.unheard.iter().cloned().collect());
                return Err(Failure::NotHeard { who: CAST[who].name, words: words.join(" … "), instead });
            }
        }
    }

    /// Waits until the message centre has the platform's acknowledgement of every message: an answer may be on the phone
    /// before that.
    ///
    /// # Errors
    /// [`Failure::NotAcknowledged`] where it does not come.
    pub async fn settle(&self) -> Result<(), Failure> {
        let acknowledged = async {
            loop {
                let counters = self.house.centre.counters().await?;
                if counters.delivered == counters.originated {
                    return Ok(());
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, acknowledged).await.map_err(|_| Failure::NotAcknowledged)?
    }

    /// What came to phones and was not waited for; it is forgotten then.
    pub fn unheard(&self) -> Vec<(Who, String)> {
        let of = |who: Who| {
            let texts: Vec<String> = self.phones.with(who, |handset| handset.unheard.drain(..).collect());
            texts.into_iter().map(move |text| (who, text))
        };
        (0..CAST.len()).flat_map(of).collect()
    }

    /// The ledger's time in words.
    pub fn time(&self) -> String {
        written_time(&self.house.clock, &self.house.platform.services.config.ledger.zone)
    }

    /// Moves the ledger's clock on and does what is due by then: how much was.
    ///
    /// # Errors
    /// [`Failure::Stopped`].
    pub async fn move_clock(&self, days: u32) -> Result<usize, Failure> {
        self.house.clock.advance(Duration::from_secs(u64::from(days) * 86_400));
        self.log.tell(Event::Clock(self.time()));
        timers::look(&self.house.platform.services.shared).await.ok_or(Failure::Stopped)
    }

    /// The accounts as they are now.
    ///
    /// # Errors
    /// [`Failure::Stopped`].
    pub async fn accounts(&self) -> Result<Vec<Holding>, Failure> {
        let services = &self.house.platform.services;
        let (writer, currency) = (services.writer.clone(), services.config.ledger.currency.currency());
        let read = move || writer.read(move |books| accounts::holdings(books, currency));
        tokio::task::spawn_blocking(read).await.map_err(|_| Failure::Stopped)?.map_err(|_| Failure::Stopped)
    }

    /// Tells the accounts, if they are not as they were told last.
    ///
    /// # Errors
    /// [`Failure::Stopped`].
    pub async fn tell_accounts(&self) -> Result<(), Failure> {
        let now = self.accounts().await?;
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if *told != now {
            told.clone_from(&now);
            self.log.tell(Event::Accounts(now));
        }
        Ok(())
    }

    /// Has the ledger verified from its rows alone, and tells what it says.
    ///
    /// # Errors
    /// [`Failure`] where that cannot be done.
    pub async fn prove(&self) -> Result<Proof, Failure> {
        let report = self.house.command(None, Command::Verify).await?;
        let balance = self.house.command(None, Command::TrialBalance).await?;
        let proof = super::proof::of(&report, &balance);
        self.log.tell(Event::Proof(proof.clone()));
        Ok(proof)
    }

    /// Ends everything in order.
    ///
    /// # Errors
    /// [`Failure`] where the writer had failed.
    pub async fn clear(self) -> Result<(), Failure> {
        let closed = self.house.close().await;
        self.hearing.abort();
        closed
    }
}

fn number(who: Who) -> Result<handset::Number, Failure> {
    let number = CAST[who].international();
    handset::Number::try_from(number.as_str()).map_err(|error| Failure::Centre(error.to_string()))
}

fn written_time(clock: &crate::clock::LedgerClock, zone: &crate::config::Zone) -> String {
    let timestamp = jiff::Timestamp::from_millisecond(clock.moment().time.0).unwrap_or(jiff::Timestamp::MAX);
    timestamp.to_zoned(zone.time_zone().clone()).strftime("%-d %b %H:%M").to_string()
}

/// Takes what comes to the phones until the message centre has stopped.
async fn hear_all(
    mut incoming: mpsc::Receiver<(handset::Number, ShortMessage)>,
    phones: Arc<Phones>,
    log: Arc<Log>,
    time: impl Fn() -> String,
) {
    while let Some((number, message)) = incoming.recv().await {
        let digits = number.to_string();
        let Some(who) = CAST.iter().position(|character| character.digits() == digits) else { continue };
        let now = phones.began.elapsed();
        let Some(incoming) = phones.with(who, |handset| handset.phone.receive(now, &message)) else { continue };
        let text = match &incoming.text {
            Ok(text) => text.expose().to_owned(),
            Err(why) => format!("({why})"),
        };
        let sealed = incoming.sealed.then(|| incoming.wire_hex());
        log.tell(Event::Said(Said { who, way: Way::ToPhone, text: text.clone(), sealed, at: time() }));
        phones.with(who, |handset| {
            if handset.unheard.len() == UNHEARD {
                handset.unheard.pop_front();
            }
            handset.unheard.push_back(text);
        });
        phones.heard.notify_waiters();
    }
}
