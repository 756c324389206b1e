//! What people write: mostly what they mean to, sometimes what they should not.

use crate::dice::Dice;
use crate::people::{Person, Role, amount};

/// A message that somebody writes.
pub struct Speech {
    /// Who, by their place.
    pub who: usize,
    /// Under whose number; another's where it is forged.
    pub number: String,
    /// The words.
    pub words: String,
    /// Whom money is to reach, and how much, where the words say so.
    pub wish: Option<(String, i64)>,
    /// Whether it is written without the card that is in the phone.
    pub plain: bool,
}

/// One guess after the other, each with other digits.
type Guesses = Box<dyn Fn(&mut Speaking<'_>) -> Speech>;

/// What moves people to write.
pub struct Speaking<'a> {
    /// Everybody.
    pub people: &'a mut [Person],
    /// The draws.
    pub dice: &'a mut Dice,
    /// How many messages were written: makes amounts that no other has.
    pub serial: u64,
}

/// Magnitudes of amounts, minor units, and how often each is meant.
const MAGNITUDES: [(i64, u32); 8] = [
    (100_00, 6),
    (700_00, 6),
    (4_000_00, 6),
    (60_000_00, 4),
    (190_000_00, 4),
    (400_000_00, 2),
    (550_000_00, 1),
    (900_000_00, 1),
];

/// Amounts that are none, or too small or large for anything.
const ODD_AMOUNTS: [&str; 6] = ["0", "1.234", "50", "99999999", "5000001", "0.00"];

/// Messages that are no requests.
const NONSENSE: [&str; 8] = ["hello", "TM", "TM*0712000002*5", "QT**", "BL*12", "GM*1*2*3*4*5*6*7", "RG*x", "**"];

impl Speaking<'_> {
    /// The next message of somebody.
    pub fn speak(&mut self) -> Speech {
        let who = self.dice.index(self.people.len());
        let urgent = self.urgent(who).filter(|_| self.dice.below(4) != 0);
        let (words, wish) = match urgent {
            Some(urgent) => urgent,
            None if self.dice.below(40) == 0 => self.again(who),
            None => match self.people[who].role {
                Role::Agent(_) => self.agent(who),
                Role::Customer => self.customer(who),
            },
        };
        let plain = self.dice.below(60) == 0;
        Speech { who, number: self.people[who].digits.clone(), words, wish, plain }
    }

    /// Somebody writes under another's number, to get at their money.
    pub fn forge(&mut self) -> Speech {
        let (who, victim) = (self.dice.index(self.people.len()), self.dice.index(self.people.len()));
        let (number, thief) = (self.people[victim].digits.clone(), self.people[who].digits.clone());
        let pin = self.guess(victim, 6);
        let (typed, minor) = self.amount();
        let words = match self.dice.below(5) {
            0 => format!("PN*{pin}*{}", self.digits(6)),
            1 => format!("RG*{}*Somebody else", self.digits(6)),
            2 => format!("RG*{}", self.digits(6)),
            3 => format!("QT*{number}*{}*{}", self.digits(8), self.agent_code()),
            _ => format!("TM*{thief}*{typed}*{pin}"),
        };
        // A thief who guesses wrong may move nothing.
        let knows = pin == self.people[victim].pins.0;
        let wish = (words.starts_with("TM") && knows).then_some((thief, minor));
        Speech { who: victim, number, words, wish, plain: true }
    }

    /// Somebody guesses one secret, again and again: their own phone's PIN, a password, an agent a payee's code, a thief the code
    /// of a registration.
    pub fn guess_secret(&mut self) -> Vec<Speech> {
        let (who, times) = (self.dice.index(self.people.len()), 1 + self.dice.below(6));
        let guesses = match self.people[who].role {
            Role::Agent(_) => self.guess_claim(who),
            Role::Customer => self.guess_own(who),
        };
        (0..times).map(|_| guesses(self)).collect()
    }

    /// An agent tries to be paid for what a payee has not agreed to, mostly for what is bound to the agent already.
    fn guess_claim(&mut self, who: usize) -> Guesses {
        let payee = self.dice.index(self.people.len());
        let bound = self.people[who].mind.codes.front().cloned().filter(|_| self.dice.coin());
        let known = bound.or_else(|| self.people[payee].mind.passwords.back().cloned());
        let (payee, minor) = known.map_or((self.people[payee].digits.clone(), 100_00), |one| (one.payee, one.amount));
        let (way, length) = if self.dice.coin() { ("GM", 6) } else { ("GW", 8) };
        let pin = self.people[who].pins.0.clone();
        Box::new(move |speaking| {
            let words = format!("{way}*{payee}*{}*{}*{pin}", amount(minor), speaking.digits(length));
            speaking.says(who, words)
        })
    }

    fn guess_own(&mut self, who: usize) -> Guesses {
        let (number, pin) = (self.people[who].digits.clone(), self.people[who].pins.0.clone());
        let (agent, other) = (self.agent_code(), self.somebody());
        match self.dice.below(5) {
            0 => Box::new(move |speaking| {
                let words = format!("BL*{}", speaking.digits(6));
                speaking.says(who, words)
            }),
            1 => Box::new(move |speaking| {
                let words = format!("QT*{number}*{}*{agent}", speaking.digits(8));
                speaking.says(who, words)
            }),
            2 => Box::new(move |speaking| {
                let words = format!("DP*{}*{pin}", speaking.digits(8));
                speaking.says(who, words)
            }),
            3 => Box::new(move |speaking| {
                let words = format!("QT*{other}*{}*{agent}", speaking.digits(8));
                speaking.says(who, words)
            }),
            _ => {
                let begun = |person: &Person| person.mind.registration.is_some();
                let victim = self.people.iter().position(begun).unwrap_or(who);
                Box::new(move |speaking| {
                    let words = format!("RG*{}", speaking.digits(6));
                    Speech { plain: true, ..speaking.says(victim, words) }
                })
            }
        }
    }

    /// Somebody does not let it be: asks for one new password after the other, or about every receipt there is.
    pub fn insist(&mut self) -> Vec<Speech> {
        let who = self.dice.index(self.people.len());
        let times = 2 + self.dice.index(5);
        let of_waiting = |person: &Person| person.mind.waiting.back().cloned();
        let senders: Vec<_> =
            self.people.iter().enumerate().filter_map(|(who, one)| Some((who, of_waiting(one)?))).collect();
        match self.dice.pick(&senders).cloned().filter(|_| self.dice.coin()) {
            Some((who, reference)) => {
                let words = format!("RS*{reference}*{}", self.people[who].pins.0);
                // Marked as meant again each time.
                let again = (2..=times).map(|mark| format!("{words}*{mark}"));
                let all: Vec<String> = std::iter::once(words.clone()).chain(again).collect();
                all.into_iter().map(|words| self.says(who, words)).collect()
            }
            None => {
                let of_all = self.people.iter().flat_map(|person| person.mind.sent.iter().cloned());
                let of_all: Vec<String> = of_all.collect();
                let some = (0..times * 2).filter_map(|_| self.dice.pick(&of_all).cloned());
                let some: Vec<String> = some.collect();
                some.into_iter().map(|reference| self.says(who, format!("CK*{reference}"))).collect()
            }
        }
    }

    /// Somebody writes on their own phone, and no money is to move.
    fn says(&self, who: usize, words: String) -> Speech {
        Speech { who, number: self.people[who].digits.clone(), words, wish: None, plain: false }
    }

    /// What somebody does at once when they can: completes a registration, changes a one-time PIN, collects money.
    fn urgent(&mut self, who: usize) -> Option<(String, Option<(String, i64)>)> {
        let person = &mut self.people[who];
        if let Some(code) = person.mind.registration.clone() {
            if self.dice.below(8) == 0 {
                // They begin again, with another PIN.
                let new = person.new_pin(self.dice);
                return Some((format!("RG*{new}*Customer {}", &person.digits[6..]), None));
            }
            // Whoever is told that it is contested proves the PIN too, mostly; some do anyway, and mistype it.
            let with_pin = self.dice.below(6) < if person.mind.contested { 4 } else { 1 };
            let words = if with_pin { format!("RG*{code}*{}", self.guess(who, 4)) } else { format!("RG*{code}") };
            return Some((words, None));
        }
        if let Some(one_time) = person.mind.one_time.clone() {
            if self.dice.below(8) == 0 {
                return Some((format!("BL*{one_time}"), None));
            }
            let new = person.new_pin(self.dice);
            return Some((format!("PN*{one_time}*{new}"), None));
        }
        if !person.registered && person.role == Role::Customer && person.mind.passwords.is_empty() {
            let words = format!("RG*{}*Customer {}", person.pins.0, &person.digits[6..]);
            return (self.dice.below(3) == 0).then_some((words, None));
        }
        let secret = match person.role {
            Role::Agent(_) => person.mind.codes.pop_front()?,
            Role::Customer => person.mind.passwords.front()?.clone(),
        };
        let pin = person.pins.0.clone();
        let words = match person.role {
            Role::Agent(_) => self.pay_out(&secret, &pin),
            Role::Customer if person.registered && self.dice.coin() => format!("DP*{}*{pin}", secret.digits),
            Role::Customer => format!("QT*{}*{}*{}", secret.payee, secret.digits, self.agent_code()),
        };
        Some((words, None))
    }

    fn pay_out(&mut self, secret: &crate::people::Secret, pin: &str) -> String {
        let way = if secret.digits.len() == 8 { "GW" } else { "GM" };
        let identity = if self.dice.below(3) == 0 { "" } else { "*ID 19820104" };
        let minor = if self.dice.below(12) == 0 { secret.amount + 100 } else { secret.amount };
        format!("{way}*{}*{}*{}*{pin}{identity}", secret.payee, amount(minor), secret.digits)
    }

    fn again(&mut self, who: usize) -> (String, Option<(String, i64)>) {
        let written: Vec<_> = self.people[who].mind.written.iter().cloned().collect();
        match self.dice.pick(&written).cloned() {
            Some((words, wish)) if self.dice.below(4) == 0 => (format!("{words}*2"), wish),
            Some(written) => written,
            None => ("HP".to_owned(), None),
        }
    }

    fn customer(&mut self, who: usize) -> (String, Option<(String, i64)>) {
        let pin = self.guess(who, 25);
        let words = match self.dice.weighted(&[40, 8, 4, 3, 2, 3, 6, 6, 4, 4, 3, 2, 2, 2]) {
            0 => return self.transfer(who, &pin),
            1 => format!("BL*{pin}"),
            2 => format!("ST*{pin}"),
            3 => "HP".to_owned(),
            4 => format!("LG*{}", ["EN", "FR", "SW", "ZH"][self.dice.index(4)]),
            5 => format!("CK*{}", self.reference(who)),
            6 => format!("CO*{}*{}*{pin}", self.agent_code(), self.amount().0),
            7 => format!("RC*{}*{pin}", self.reference(who)),
            8 => format!("RS*{}*{pin}", self.reference(who)),
            9 => {
                let asked = self.people[who].mind.asked_back.back().cloned();
                format!("RA*{}*{pin}", asked.unwrap_or_else(|| self.reference(who)))
            }
            10 => self.change_pin(who),
            11 => format!("RG*{pin}*Customer again"),
            12 => {
                // It is done where they are an agent and were not told so yet.
                let (other, (typed, minor)) = (self.somebody(), self.amount());
                let knows = pin == self.people[who].pins.0;
                return (format!("CI*{other}*{typed}*{pin}"), knows.then_some((other, minor)));
            }
            _ => NONSENSE[self.dice.index(NONSENSE.len())].to_owned(),
        };
        (words, None)
    }

    fn transfer(&mut self, who: usize, pin: &str) -> (String, Option<(String, i64)>) {
        let payee = match self.dice.below(40) {
            0 => "0222115544".to_owned(),
            1 => "+447700900123".to_owned(),
            _ => self.somebody(),
        };
        let typed_payee = if self.dice.coin() { payee.replacen("255", "0", 1) } else { format!("+{payee}") };
        let typed_payee = typed_payee.replace("++", "+");
        if self.dice.below(40) == 0 {
            let odd = ODD_AMOUNTS[self.dice.index(ODD_AMOUNTS.len())];
            return (format!("TM*{typed_payee}*{odd}*{pin}"), None);
        }
        let (typed, minor) = self.amount();
        let knows = pin == self.people[who].pins.0;
        (format!("TM*{typed_payee}*{typed}*{pin}"), knows.then_some((payee, minor)))
    }

    fn agent(&mut self, who: usize) -> (String, Option<(String, i64)>) {
        let pin = self.guess(who, 30);
        let words = match self.dice.weighted(&[40, 5, 3, 3, 3, 4, 3, 2, 2]) {
            0 => {
                let (customer, (typed, minor)) = (self.somebody(), self.amount());
                let knows = pin == self.people[who].pins.0;
                return (format!("CI*{customer}*{typed}*{pin}"), knows.then_some((customer, minor)));
            }
            1 => format!("BL*{pin}"),
            2 => format!("ST*{pin}"),
            3 => self.change_pin(who),
            4 => format!("RC*{}*{pin}", self.reference(who)),
            5 => {
                // A payee says the password itself.
                let told = self.people.iter().filter_map(|person| person.mind.passwords.back().cloned());
                let told: Vec<_> = told.collect();
                match self.dice.pick(&told).cloned() {
                    Some(secret) => self.pay_out(&secret, &pin),
                    None => "HP".to_owned(),
                }
            }
            6 => return self.transfer(who, &pin),
            7 => format!("CO*{}*{}*{pin}", self.agent_code(), self.amount().0),
            _ => format!("CK*{}", self.reference(who)),
        };
        (words, None)
    }

    fn change_pin(&mut self, who: usize) -> String {
        let old = self.guess(who, 20);
        let new = match self.dice.below(6) {
            0 => "1234".to_owned(),
            1 => self.people[who].pins.0.clone(),
            _ => self.people[who].new_pin(self.dice),
        };
        format!("PN*{old}*{new}")
    }

    /// The PIN, or once in so many times a wrong one.
    fn guess(&mut self, who: usize, once_in: u64) -> String {
        if self.dice.below(once_in) == 0 { self.digits(6) } else { self.people[who].pins.0.clone() }
    }

    fn digits(&mut self, count: u32) -> String {
        format!("{:0width$}", self.dice.below(10_u64.pow(count)), width = count as usize)
    }

    fn somebody(&mut self) -> String {
        self.people[self.dice.index(self.people.len())].digits.clone()
    }

    fn agent_code(&mut self) -> String {
        if self.dice.below(25) == 0 {
            return "999".to_owned();
        }
        let code = |person: &Person| match person.role {
            Role::Agent(code) => Some(code),
            Role::Customer => None,
        };
        let codes: Vec<u32> = self.people.iter().filter_map(code).collect();
        self.dice.pick(&codes).map_or_else(|| "1".to_owned(), u32::to_string)
    }

    /// A reference that somebody knows, or none that ever was.
    fn reference(&mut self, who: usize) -> String {
        let known: Vec<String> = self.people[who].mind.sent.iter().cloned().collect();
        if self.dice.below(12) == 0 {
            return self.digits(12);
        }
        let other = self.dice.index(self.people.len());
        let of_other = self.people[other].mind.sent.back().cloned().filter(|_| self.dice.below(6) == 0);
        of_other.or_else(|| self.dice.pick(&known).cloned()).unwrap_or_else(|| self.digits(12))
    }

    /// An amount that no other message has.
    fn amount(&mut self) -> (String, i64) {
        let weights = MAGNITUDES.map(|(_, weight)| weight);
        let minor = MAGNITUDES[self.dice.weighted(&weights)].0 + (self.serial % 9_000) as i64;
        (amount(minor), minor)
    }
}
