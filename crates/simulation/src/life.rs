//! What people and the office do, and what their phones are told.

use std::time::Duration;

use encryption::secured_packet::{self, COMMAND_HEADER};
use handset::Number;
use handset::centre::Presence;
use handset::phone::CannotRead;
use transaction_processing::ids::Iccid;
use transaction_processing::proposal::{Measure, ProposalState};
use transaction_processing::requests::approve;
use wire::smpp::ShortMessage;

use crate::audit::{Finding, Verdict};
use crate::depot::Depot;
use crate::fault::{Kind, Weather};
use crate::museum::Defect;
use crate::office::{Numbers, Office};
use crate::people::{Person, Role, SHORT_CODE};
use crate::sabotage;
use crate::speech::{Speaking, Speech};
use crate::world::{Event, Part, World};

impl<D: Depot> World<D> {
    /// Somebody does something, and now and then something goes wrong that is nobody's message.
    pub(crate) fn command(&mut self) -> Verdict {
        if !self.stormy {
            return Ok(());
        }
        self.commands += 1;
        let gap = match self.dice.people.below(100) {
            0 => Duration::from_secs(self.dice.people.below(12 * 3600)),
            1..10 => Duration::from_secs(self.dice.people.below(900)),
            10..40 => Duration::from_secs(self.dice.people.below(20)),
            _ => Duration::from_millis(self.dice.people.below(50)),
        };
        self.at(gap, Event::Command);
        match self.dice.people.below(100) {
            0..12 => self.office_acts(),
            _ if self.strikes(Kind::Forged) => {
                let speech = self.speaking().forge();
                self.say(speech)?;
            }
            _ if self.strikes(Kind::Guessed) => {
                for speech in self.speaking().guess_secret() {
                    self.say(speech)?;
                }
            }
            12 => {
                for speech in self.speaking().insist() {
                    self.say(speech)?;
                }
            }
            _ => {
                let speech = self.speaking().speak();
                self.say(speech)?;
            }
        }
        self.mishap()
    }

    fn speaking(&mut self) -> Speaking<'_> {
        let (people, dice) = (&mut self.people, &mut self.dice.people);
        Speaking { people, dice, serial: self.commands }
    }

    /// Writes a message on a phone, and gives it to the centre.
    pub(crate) fn say(&mut self, speech: Speech) -> Verdict {
        let now = self.now();
        let Speech { who, number, words, wish, plain } = speech;
        let place = self.centre_for(&number);
        let person = &mut self.people[who];
        let own = person.digits == number;
        let parts = if plain || !own {
            crate::people::plain_phone(&number).compose_parts(&words, 3)
        } else {
            person.wrote(&words, wish.clone());
            person.phone.compose_parts(&words, 3)
        };
        if self.plan.exhibit == Some(Defect::LogsSecrets)
            && let Some(disk) = self.depot.disk()
        {
            disk.write_down(&words);
        }
        self.codes.said(&words);
        let who_said = &self.people[who].digits;
        self.tell(|| format!("{number}{} > {words}", if *who_said == number { "" } else { " (forged)" }));
        // Longer than messages are, or the card's counter is used up: nothing is sent.
        let Ok(parts) = parts.inspect_err(|why| self.tell(|| format!("{number} cannot send: {why}"))) else {
            return Ok(());
        };
        let sealed = parts.first().is_some_and(|part| part.sealed);
        if let Some((to, minor)) = wish {
            self.money.wished((number.clone(), to, minor), words, sealed, self.rows.time());
        }
        self.sent += 1;
        for part in parts {
            let centre = &mut self.centres[place];
            // A full centre refuses: the person sees it, and nothing was sent.
            let _ = centre.originate(now, &number, SHORT_CODE, part.body, part.data_coding, part.esm_class);
        }
        self.tend_centre(place as u16)
    }

    fn centre_for(&self, number: &str) -> usize {
        let centres = &self.ground.config.message_centre;
        let fits = |prefixes: &Vec<String>| prefixes.iter().any(|prefix| number.starts_with(prefix.as_str()));
        centres.iter().position(|centre| fits(&centre.prefixes)).unwrap_or(0)
    }

    /// A phone gets a message, or a part of one.
    pub(crate) fn phone_gets(&mut self, number: Number, message: &ShortMessage) -> Verdict {
        let now = self.now();
        let Some(who) = self.people.iter().position(|person| person.digits == number.as_str()) else { return Ok(()) };
        let Some(incoming) = self.people[who].phone.receive(now, message) else {
            self.tell(|| format!("{number} < (a part) {:?} {:?}", message.esm_class, &message.body[..6]));
            return Ok(());
        };
        let text = match &incoming.text {
            Ok(text) => text.expose().to_owned(),
            // Overtaken, or for a card that was taken out: the phone says no, but it was said, and care reads it out.
            Err(why @ (CannotRead::Old | CannotRead::NoCard | CannotRead::Packet(_))) => {
                let opened = self.opened(&incoming.wire);
                opened.ok_or_else(|| {
                    Finding(format!("{number} cannot read what came, and no card there ever was could: {why}"))
                })?
            }
            Err(why) => return Err(Finding(format!("{number} cannot read what came: {why}"))),
        };
        let Some((who, text)) = self.meddled(who, text) else { return Ok(()) };
        let number = self.people[who].digits.clone();
        self.tell(|| format!("{number} < {text}"));
        self.coverage.texts += 1;
        self.note((number.as_str(), text.as_str()));
        self.heard(who, &text)
    }

    fn opened(&self, wire: &[u8]) -> Option<String> {
        let packet = wire.strip_prefix(&COMMAND_HEADER)?;
        let open =
            |card: &Iccid| secured_packet::open(&self.keys.downlink_keys(&card.digits().to_string()), packet).ok();
        let opened = self.office.cards().find_map(|card| open(&card))?;
        String::from_utf8(opened.plaintext.to_vec()).ok()
    }

    fn heard(&mut self, who: usize, text: &str) -> Verdict {
        let heard = self.ear.hear(text).ok_or_else(|| Finding(format!("a text that says nothing known: {text}")))?;
        if let Some(refusal) = heard.refusal() {
            self.coverage.refusal(refusal);
        }
        let transfer = heard.reference().map(|reference| {
            let id = self.keys.reference_id(&reference);
            id.ok_or_else(|| Finding(format!("a reference that is none: {text}")))
        });
        let transfer = transfer.transpose()?;
        let digits = self.people[who].digits.clone();
        if heard.name == "balance" {
            self.asked_balance = heard.amount("balance");
        }
        // What is told again is told as it stands now.
        if !heard.again {
            self.money.hear(&digits, &heard, transfer, &self.rows)?;
        }
        self.codes.hear(&heard)?;
        if let Some((agent, secret)) = self.people[who].learn(&heard) {
            let agent = self.people.iter_mut().find(|person| person.role == Role::Agent(agent));
            if let Some(agent) = agent {
                agent.hear_code(secret);
            }
        }
        if heard.name == "refused-not-sealed" || heard.name == "card-bound" {
            self.insert_card(who);
        }
        Ok(())
    }

    /// Puts the card that the books name into a phone, if it is another.
    pub(crate) fn insert_card(&mut self, who: usize) {
        let number = self.people[who].digits.parse().ok().and_then(transaction_processing::Msisdn::new);
        let card = number.and_then(|number| self.rows.books().number(number)).and_then(|number| number.card.clone());
        let held = self.people[who].card;
        match card {
            Some(card) if held != Some(card.iccid) => {
                // Now and then a card is near its end.
                let first = if self.stormy && self.dice.people.below(6) == 0 { 0xff_ffff_fff0 } else { 1 };
                let keys = std::sync::Arc::clone(&self.keys);
                self.people[who].insert_card(&*keys, card.iccid, first.max(card.counter + 1));
            }
            None if held.is_some() => self.people[who].remove_card(),
            _ => {}
        }
    }

    /// The office does something.
    fn office_acts(&mut self) {
        let all: Vec<String> = self.people.iter().map(|person| person.digits.clone()).collect();
        let role = |person: &Person| match person.role {
            Role::Agent(code) => Some(code),
            Role::Customer => None,
        };
        let mut agents: Vec<u32> = self.people.iter().filter_map(role).collect();
        agents.push(999);
        let references = self.people.iter().flat_map(|person| person.mind.sent.iter());
        let transfers: Vec<u64> = references.filter_map(|reference| self.keys.reference_id(reference)).collect();
        let numbers = Numbers { all: &all, agents: &agents, transfers: &transfers };
        let keys = std::sync::Arc::clone(&self.keys);
        let (mut request, measure) = self.office.act(self.rows.books(), &numbers, &*keys, &mut self.dice.people);
        sabotage::office(self.plan.exhibit, &mut request, self.commands);
        let keeps_cases = matches!(&measure, Some(Measure::PayUnclaimed { .. })) && self.plan.restores;
        if let Some(house) = self.house.as_ref().filter(|_| !keeps_cases) {
            house.ask(request, measure, &self.letters);
            self.sent += 1;
        }
        self.decide_on();
    }

    /// The office reads its letters.
    pub(crate) fn read_letters(&mut self) {
        for letter in self.letters.take() {
            self.tell(|| format!("office: {} {:?}", letter.measure.as_ref().map_or("", name), letter.refusal));
            if let Some(refusal) = letter.refusal {
                self.coverage.refusal(refusal);
            }
            self.office.read(&letter);
            if letter.refusal.is_some() {
                continue;
            }
            if let Some(Measure::ForgetCard { msisdn } | Measure::BindCard { msisdn, .. }) = letter.measure {
                let digits = msisdn.digits().to_string();
                if let Some(who) = self.people.iter().position(|person| person.digits == digits) {
                    self.insert_card(who);
                }
            }
        }
    }

    /// The weather changes.
    pub(crate) fn turn_weather(&mut self) {
        if !self.stormy {
            return;
        }
        self.weather = Weather::drawn(&mut self.dice.weather, &self.plan.left_out);
        self.set_centre_faults();
        let lasts = self.dice.weather.between(Duration::from_secs(60), Duration::from_secs(4 * 3600));
        self.at(lasts, Event::Weather);
        if let Some(disk) = self.depot.disk().filter(|_| self.house.is_some()) {
            disk.back_up();
        }
    }

    /// What goes wrong by itself.
    fn mishap(&mut self) -> Verdict {
        let now = self.now();
        if self.strikes(Kind::PhoneOff) {
            let who = self.dice.people.index(self.people.len());
            let off = self.dice.people.between(Duration::from_secs(10), Duration::from_secs(30 * 3600));
            self.set_presence(who, Presence::Off)?;
            self.at(off, Event::PhoneOn(who));
        }
        if self.strikes(Kind::Unbound) {
            let place = self.dice.network.index(self.centres.len());
            self.centres[place].close(now);
            self.tend_centre(place as u16)?;
        }
        if self.strikes(Kind::Unreachable) {
            let place = self.dice.network.index(self.centres.len());
            let gone = self.dice.network.between(Duration::from_secs(5), Duration::from_secs(3600));
            self.unreachable_until[place] = now + gone;
        }
        for (kind, sign) in [(Kind::ClockAhead, 1), (Kind::ClockBack, -1)] {
            if self.strikes(kind) {
                let most = [5, 3_600, 86_400, 9 * 86_400][self.dice.process.index(4)];
                let by = 1 + self.dice.process.below(most * 1000) as i64;
                self.clocks.jump(sign * by);
                self.wake(Part::Dispatch, Duration::from_secs(1));
                self.wake(Part::Timers, Duration::from_secs(1));
            }
        }
        if self.strikes(Kind::Killed) && self.house.is_some() {
            self.die();
        }
        if self.strikes(Kind::Stopped) && !self.stopping {
            self.stop()?;
        }
        if self.plan.restores && self.strikes(Kind::Restored) && self.house.is_some() {
            self.restore()?;
        }
        Ok(())
    }

    pub(crate) fn phone_on(&mut self, who: usize) -> Verdict {
        self.set_presence(who, Presence::On)
    }

    fn set_presence(&mut self, who: usize, presence: Presence) -> Verdict {
        let now = self.now();
        let digits = self.people[who].digits.clone();
        let place = self.centre_for(&digits);
        if let Ok(number) = Number::try_from(digits.as_str()) {
            // There are fewer phones than a centre keeps in mind.
            let _ = self.centres[place].set_presence(now, number, presence);
        }
        self.tend_centre(place as u16)
    }

    /// Care sees to it that everybody has the card that the books name: after a restore, or where the office never heard that
    /// a card was forgotten.
    pub(crate) fn insert_cards(&mut self) {
        (0..self.people.len()).for_each(|who| self.insert_card(who));
    }

    // ---- the beginning --------------------------------------------------------------------------------------------

    /// Staff, money, agents with float, customers with accounts; nothing goes wrong meanwhile.
    ///
    /// # Errors
    /// What an auditor finds, or that it does not come to be.
    pub(crate) fn found(&mut self) -> Verdict {
        self.set_centre_faults();
        self.at(Duration::ZERO, Event::Start);
        self.settle("the platform starts", |world| world.house.is_some())?;
        for (count, name) in ["maker", "checker", "third"].into_iter().enumerate() {
            let request = self.office.first_staff(name);
            self.ask(request, None);
            let enough = (count + 1).min(2);
            self.settle("staff are enrolled", |world| world.rows.books().all_staff().count() == enough)?;
        }
        self.settle("refusals are read", |world| world.house.as_ref().is_some_and(|house| !house.may_decide()))?;
        let deposit = self.office.deposit(5_000_000_000_00);
        self.carry_out(deposit)?;
        for who in 0..self.people.len() {
            if !self.ground.config.messages.plain_accepted || self.dice.people.below(4) == 0 {
                self.open_card(who)?;
            }
        }
        for who in 0..self.people.len() {
            if let Role::Agent(code) = self.people[who].role {
                self.open_agent(who, code)?;
            }
        }
        for who in 0..self.people.len() {
            if self.people[who].role == Role::Customer && self.dice.people.below(4) != 0 {
                self.open_customer(who)?;
            }
        }
        Ok(())
    }

    /// Lets things happen until it is so.
    ///
    /// # Errors
    /// What an auditor finds, or that it is not so after a while.
    pub(crate) fn settle(&mut self, what: &str, is_so: impl Fn(&World<D>) -> bool) -> Verdict {
        let until = self.now() + Duration::from_secs(3600);
        while !is_so(self) {
            if self.now() > until {
                return Err(Finding(format!("did not happen: {what}")));
            }
            self.step()?;
        }
        Ok(())
    }

    fn ask(&mut self, request: transaction_processing::Request, measure: Option<Measure>) {
        if let Some(house) = &self.house {
            house.ask(request, measure, &self.letters);
        }
        self.decide_on();
    }

    /// A measure, proposed by one and approved by another.
    fn carry_out(&mut self, measure: Measure) -> Verdict {
        let staff: Vec<_> = self.rows.books().all_staff().map(|staff| staff.id).collect();
        self.ask(Office::propose(staff[0], measure), None);
        let open = |world: &World<D>| {
            world.rows.books().proposals().find(|proposal| proposal.state == ProposalState::Open).cloned()
        };
        self.settle("it is proposed", |world| open(world).is_some())?;
        let Some(proposal) = open(self) else { return Ok(()) };
        let keys = std::sync::Arc::clone(&self.keys);
        let request = Office::check(staff[1], &proposal, approve::Verdict::Approve, &*keys, &mut self.dice.secrets);
        self.ask(request, Some(proposal.measure.clone()));
        self.settle("it is approved", |world| open(world).is_none())
    }

    fn open_card(&mut self, who: usize) -> Verdict {
        let msisdn = self.people[who].digits.parse().ok().and_then(transaction_processing::Msisdn::new);
        let Some(msisdn) = msisdn else { return Ok(()) };
        let iccid = self.office.new_card();
        self.carry_out(Measure::BindCard { msisdn, iccid })?;
        self.settle("the card is in the phone", |world| world.people[who].card == Some(iccid))
    }

    fn open_agent(&mut self, who: usize, code: u32) -> Verdict {
        let msisdn = self.people[who].digits.parse().ok().and_then(transaction_processing::Msisdn::new);
        let Some(msisdn) = msisdn else { return Ok(()) };
        let keys = std::sync::Arc::clone(&self.keys);
        let name = wakala::uplink::private(&*keys, "name", msisdn, b"agent", self.dice.secrets.generator());
        let code = transaction_processing::ids::AgentCode(code);
        self.carry_out(Measure::EnrolAgent { code, msisdn, name, own_numbers: Vec::new() })?;
        self.settle("the agent has a one-time PIN", |world| world.people[who].mind.one_time.is_some())?;
        let one_time = self.people[who].mind.one_time.clone().unwrap_or_default();
        let new = self.people[who].new_pin(&mut self.dice.people);
        self.write(who, format!("PN*{one_time}*{new}"))?;
        self.settle("the agent has a PIN", |world| world.people[who].mind.one_time.is_none())?;
        let currency = self.ground.config.ledger.currency.currency();
        let float = transaction_processing::Money::new(300_000_000_00, currency);
        if let Some(amount) = float {
            self.carry_out(Measure::SupplyFloat { agent: code, amount })?;
        }
        Ok(())
    }

    fn open_customer(&mut self, who: usize) -> Verdict {
        let words = format!("RG*{}*Customer {}", self.people[who].pins.0, &self.people[who].digits[6..]);
        self.write(who, words)?;
        self.settle("a registration code comes", |world| world.people[who].mind.registration.is_some())?;
        let code = self.people[who].mind.registration.clone().unwrap_or_default();
        self.write(who, format!("RG*{code}"))?;
        self.settle("the account is open", |world| world.people[who].registered)?;
        let agents = |person: &Person| matches!(person.role, Role::Agent(_));
        let Some(agent) = self.people.iter().position(agents) else { return Ok(()) };
        let minor = 450_000_00 + who as i64;
        let (customer, pin) = (self.people[who].digits.clone(), self.people[agent].pins.0.clone());
        let words = format!("CI*{customer}*{}*{pin}", crate::people::amount(minor));
        let number = self.people[agent].digits.clone();
        let heard = self.money.heard;
        self.say(Speech { who: agent, number, words, wish: Some((customer, minor)), plain: false })?;
        self.settle("cash is taken in", |world| world.money.heard >= heard + 2)
    }

    pub(crate) fn write(&mut self, who: usize, words: String) -> Verdict {
        let number = self.people[who].digits.clone();
        self.say(Speech { who, number, words, wish: None, plain: false })
    }
}

/// What a measure is called.
fn name(measure: &Measure) -> &'static str {
    match measure {
        Measure::Issue { .. } => "issue",
        Measure::Redeem { .. } => "redeem",
        Measure::SupplyFloat { .. } => "supply float",
        Measure::WithdrawFloat { .. } => "withdraw float",
        Measure::CollectFees { .. } => "collect fees",
        Measure::PayUnclaimed { .. } => "pay unclaimed",
        Measure::Reverse { .. } => "reverse",
        Measure::EnrolAgent { .. } => "enrol agent",
        Measure::SetTier { .. } => "set tier",
        Measure::UnlockPin { .. } => "unlock PIN",
        Measure::ResetPin { .. } => "reset PIN",
        Measure::Freeze { .. } => "freeze",
        Measure::Unfreeze { .. } => "unfreeze",
        Measure::Close { .. } => "close",
        Measure::ChangeNumber { .. } => "change number",
        Measure::RecycleNumber { .. } => "recycle number",
        Measure::BindCard { .. } => "bind card",
        Measure::ForgetCard { .. } => "forget card",
        Measure::EnrolStaff { .. } => "enrol staff",
        Measure::DismissStaff { .. } => "dismiss staff",
        Measure::ConfirmBank { .. } => "confirm bank",
        Measure::Erase { .. } => "erase",
    }
}
