//! Every form of a request over real SMPP, plain and sealed, answers compared word by word.

mod common;

use common::golden::Transcript;
use common::sealer::{Card, Sealer};
use common::{AGENT, AGENT_PHONE, ALICE, BOB, PIN, STRANGER, TILL_PHONE, Text, World};
use transaction_processing::ids::SystemAccount;

/// How one number writes: by hand, or through its card.
enum Hand {
    Plain,
    Sealed(Card),
}

struct Story {
    world: World,
    transcript: Transcript,
    sealer: Option<Sealer>,
    hands: Vec<(&'static str, Hand)>,
}

impl Story {
    /// Whatever comes next to a number, readable.
    async fn hear(&mut self, to: &'static str) -> String {
        let text: Text = self.world.centre().text_to(to).await;
        let hand = self.hands.iter_mut().find(|(number, _)| *number == to);
        let words = match (hand, &mut self.sealer) {
            (Some((_, Hand::Sealed(card))), Some(sealer)) => {
                assert_eq!(text.words, "", "nothing in plain to a number with a card");
                card.open(sealer, &text.octets)
            }
            _ => text.words.clone(),
        };
        self.transcript.told(to, &words);
        words
    }

    fn say(&mut self, from: &'static str, words: &str) {
        self.transcript.said(from, words);
        let hand = self.hands.iter_mut().find(|(number, _)| *number == from);
        match (hand, &mut self.sealer) {
            (Some((_, Hand::Sealed(card))), Some(sealer)) => {
                let packet = card.seal(sealer, words);
                self.world.say_packet(from, &packet);
            }
            _ => drop(self.world.centre().say(from, words)),
        }
    }

    async fn ask(&mut self, from: &'static str, words: &str) -> String {
        self.say(from, words);
        self.hear(from).await
    }

    fn secret(&mut self, words: &str, mark: &str, name: &str) -> String {
        let (_, rest) = words.split_once(mark).unwrap_or_else(|| panic!("no {mark:?} in {words:?}"));
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        self.transcript.mask(&digits, name);
        digits
    }
}

fn reference(words: &str) -> String {
    let (_, rest) = words.split_once("Ref ").unwrap_or_else(|| panic!("no reference in {words:?}"));
    rest.chars().filter(|character| *character != ' ').take_while(char::is_ascii_digit).collect()
}

/// Every request there is, in the order of a life.
async fn tell(mut story: Story, golden: &str) {
    let s = &mut story;

    s.transcript.head("Questions");
    for question in ["HP", &format!("BL*{PIN}"), &format!("ST*{PIN}"), "LG*FR", "LG*EN"] {
        s.ask(ALICE, question).await;
    }

    s.transcript.head("A transfer to a customer, its receipt, its recall with consent");
    let sent = s.ask(ALICE, &format!("TM*{BOB}*1500*{PIN}")).await;
    s.hear(BOB).await;
    let of = reference(&sent);
    s.ask(ALICE, &format!("CK*{of}")).await;
    s.ask(ALICE, &format!("RC*{of}*{PIN}")).await;
    s.hear(BOB).await;
    s.ask(BOB, &format!("RA*{of}*{PIN}")).await;
    s.hear(ALICE).await;

    s.transcript.head("A transfer to a stranger, a new password, paid out by code");
    let sent = s.ask(ALICE, &format!("tm * 0712000003 * 20000.50 * {PIN}")).await;
    let of = reference(&sent);
    let words = s.hear(STRANGER).await;
    let old = s.secret(&words, "Password ", "PASSWORD 1");
    s.ask(ALICE, &format!("RS*{of}*{PIN}")).await;
    let words = s.hear(STRANGER).await;
    let password = s.secret(&words, "Password ", "PASSWORD 2");
    assert_ne!(old, password);
    let words = s.ask(STRANGER, &format!("QT*{STRANGER}*{password}*{AGENT}")).await;
    let code = s.secret(&words, "code ", "CODE");
    s.ask(AGENT_PHONE, &format!("GM*{STRANGER}*20000.50*{code}*{PIN}")).await;
    s.hear(STRANGER).await;
    s.hear(ALICE).await;
    s.ask(AGENT_PHONE, &format!("GM*{STRANGER}*20000.50*{code}*{PIN}")).await;

    s.transcript.head("Another, paid out by password, with the identity document");
    s.ask(ALICE, &format!("TM*{STRANGER}*250000*{PIN}")).await;
    let words = s.hear(STRANGER).await;
    let password = s.secret(&words, "Password ", "PASSWORD 3");
    s.ask(AGENT_PHONE, &format!("GW*{STRANGER}*250000*{password}*{PIN}*AB 123456")).await;
    s.hear(STRANGER).await;
    s.hear(ALICE).await;

    s.transcript.head("Another, recalled while it waits");
    let sent = s.ask(ALICE, &format!("TM*{STRANGER}*3000*{PIN}")).await;
    let words = s.hear(STRANGER).await;
    s.secret(&words, "Password ", "PASSWORD 4");
    s.ask(ALICE, &format!("RC*{}*{PIN}", reference(&sent))).await;
    s.hear(STRANGER).await;

    s.transcript.head("Another; the payee registers and puts it into the own wallet");
    s.ask(ALICE, &format!("TM*{STRANGER}*4000*{PIN}")).await;
    let words = s.hear(STRANGER).await;
    let password = s.secret(&words, "Password ", "PASSWORD 5");
    let words = s.ask(STRANGER, "RG*7391*Neema").await;
    let code = s.secret(&words, "Code ", "REGISTRATION CODE");
    s.ask(STRANGER, &format!("RG*{code}")).await;
    s.ask(STRANGER, &format!("DP*{password}*7391")).await;
    s.hear(ALICE).await;
    s.ask(STRANGER, "PN*7391*93741").await;

    s.transcript.head("Cash in, cash out");
    s.ask(AGENT_PHONE, &format!("CI*{BOB}*2500*{PIN}")).await;
    s.hear(BOB).await;
    s.ask(BOB, &format!("CO*{AGENT}*1000*{PIN}")).await;
    s.hear(AGENT_PHONE).await;

    s.transcript.head("One that nobody collects: its reminder and its refund");
    s.ask(ALICE, &format!("TM*+255712000004*5000*{PIN}")).await;
    let words = s.hear("+255712000004").await;
    s.secret(&words, "Password ", "PASSWORD 6");
    s.world.pass(6 * 86_400 + 3600).await;
    s.hear("+255712000004").await;
    s.world.pass(86_400).await;
    s.hear("+255712000004").await;
    s.hear(ALICE).await;
    s.ask(ALICE, &format!("ST*{PIN}")).await;

    s.transcript.head("Agents");
    for question in ["HP", &format!("BL*{PIN}"), &format!("ST*{PIN}")] {
        s.ask(AGENT_PHONE, question).await;
    }
    assert_eq!(s.world.system(SystemAccount::TransfersInFlight).await, 0);

    let Story { world, transcript, .. } = story;
    transcript.compare(golden);
    world.end().await;
}

fn with_password_at_agent(config: &mut wakala::config::Config) {
    config.agents.password_at_agent = true;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_request_in_plain() {
    let world = World::with(with_password_at_agent).await;
    let hands = [ALICE, BOB, STRANGER, AGENT_PHONE, TILL_PHONE].map(|number| (number, Hand::Plain)).into();
    tell(Story { world, transcript: Transcript::default(), sealer: None, hands }, "requests-plain.txt").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_request_sealed_by_an_independent_sealer() {
    let world = World::with(with_password_at_agent).await;
    let mut sealer = Sealer::start();
    let mut hands = Vec::new();
    for (index, number) in [ALICE, BOB, AGENT_PHONE].into_iter().enumerate() {
        let mut card = world.card(number, &format!("892550100000000000{index}")).await;
        let text = world.centre().text_to(number).await;
        let words = if text.words.is_empty() { card.open(&mut sealer, &text.octets) } else { text.words };
        assert!(words.contains("Your SIM card is ready"), "{words}");
        hands.push((number, Hand::Sealed(card)));
    }
    hands.push((STRANGER, Hand::Plain));
    tell(Story { world, transcript: Transcript::default(), sealer: Some(sealer), hands }, "requests-sealed.txt").await;
}
