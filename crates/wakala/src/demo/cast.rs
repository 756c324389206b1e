//! Who is in the demonstration: numbers, roles and PINs that everyone may know.

/// What somebody is to the platform when the page opens.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// A customer who writes in plain.
    Customer,
    /// A customer whose card seals.
    SealedCustomer,
    /// Nobody to the platform: a phone, nothing else.
    Stranger,
    /// An agent of this code.
    Agent(u32),
}

/// One phone and its owner.
#[derive(Clone, Copy, Debug)]
pub struct Character {
    /// What they are called.
    pub name: &'static str,
    /// The number as at home.
    pub number: &'static str,
    /// What they are.
    pub role: Role,
    /// The PIN; a stranger's is for when they register.
    pub pin: &'static str,
}

impl Character {
    /// The number as the network carries it: no plus, no nought.
    pub fn digits(&self) -> String {
        format!("{CALLING_CODE}{}", self.number.trim_start_matches('0'))
    }

    /// The number in international form.
    pub fn international(&self) -> String {
        format!("+{}", self.digits())
    }

    /// What they are, in words.
    pub fn role_name(&self) -> String {
        match self.role {
            Role::Customer => "customer".to_owned(),
            Role::SealedCustomer => "customer, sealed by card".to_owned(),
            Role::Stranger => "no account at first".to_owned(),
            Role::Agent(code) => format!("agent {code}"),
        }
    }
}

const CALLING_CODE: &str = "255";

/// The number that all of them write to.
pub const SHORT_CODE: &str = "15050";

/// Index of a phone in [`CAST`].
pub type Who = usize;

/// A customer.
pub const FIRST: Who = 0;
/// Another customer.
pub const SECOND: Who = 1;
/// A customer whose card seals every message.
pub const SEALED: Who = 2;
/// Somebody without an account.
pub const NEWCOMER: Who = 3;
/// The first agent.
pub const AGENT: Who = 4;
/// The second agent.
pub const OTHER_AGENT: Who = 5;

/// All of them, in the order of the page.
pub const CAST: [Character; 6] = [
    Character { name: "Customer A", number: "0712000001", role: Role::Customer, pin: "2718" },
    Character { name: "Customer B", number: "0713000002", role: Role::Customer, pin: "3141" },
    Character { name: "Customer C", number: "0754000003", role: Role::SealedCustomer, pin: "1618" },
    Character { name: "Newcomer", number: "0784000004", role: Role::Stranger, pin: "5772" },
    Character { name: "Agent 1042", number: "0765000005", role: Role::Agent(1042), pin: "6931" },
    Character { name: "Agent 2071", number: "0686000006", role: Role::Agent(2071), pin: "4669" },
];

/// The serial of the card in [`SEALED`]'s phone (ITU-T E.118: 89, country, issuer, number, check digit).
pub const ICCID: &str = "8925505410000000037";

/// Staff and their secrets: one makes, the other checks.
pub const MAKER: (&str, &str) = ("maker", "demo secret of the maker");
/// See [`MAKER`].
pub const CHECKER: (&str, &str) = ("checker", "demo secret of the checker");

/// What a person might type first on a phone: a label and the text. Fields in braces are filled in on the page from what the
/// phones were told.
pub fn quick(who: Who) -> Vec<(&'static str, String)> {
    let character = &CAST[who];
    let pin = character.pin;
    match character.role {
        Role::Customer | Role::SealedCustomer => {
            let other = if who == FIRST { SECOND } else { FIRST };
            vec![
                ("Send money", format!("TM*{}*5000*{pin}", CAST[NEWCOMER].number)),
                ("To wallet", format!("TM*{}*2500*{pin}", CAST[other].number)),
                ("Cash out", format!("CO*1042*3000*{pin}")),
                ("Balance", format!("BL*{pin}")),
                ("Statement", format!("ST*{pin}")),
                ("Take back", format!("RC*{{reference}}*{pin}")),
                ("New password", format!("RS*{{reference}}*{pin}")),
                ("Agree", format!("RA*{{asked}}*{pin}")),
                ("Receipt", "CK*{reference}".to_owned()),
                ("Help", "HP".to_owned()),
            ]
        }
        Role::Stranger => vec![
            ("Query", format!("QT*{}*{{password}}*1042", character.number)),
            ("Register", format!("RG*{pin}*{}", character.name)),
            ("Confirm", "RG*{code}".to_owned()),
            ("To wallet", format!("DP*{{password}}*{pin}")),
            ("Balance", format!("BL*{pin}")),
            ("Help", "HP".to_owned()),
        ],
        Role::Agent(_) => vec![
            ("Pay out", format!("GM*{{payee}}*{{amount}}*{{told}}*{pin}")),
            ("Cash in", format!("CI*{}*10000*{pin}", CAST[FIRST].number)),
            ("Balance", format!("BL*{pin}")),
            ("Statement", format!("ST*{pin}")),
            ("Receipt", "CK*{reference}".to_owned()),
            ("Help", "HP".to_owned()),
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use encryption::Pin;

    #[test]
    fn demonstration_pins_are_such_as_the_platform_takes() {
        for character in CAST {
            let pin = Pin::parse(character.pin).expect("a PIN");
            assert!(!pin.is_weak(&character.digits()), "{}", character.name);
        }
    }

    #[test]
    fn what_is_offered_first_is_well_formed() {
        for who in 0..CAST.len() {
            for (label, text) in quick(who) {
                let filled = text
                    .replace("{reference}", "482913375520")
                    .replace("{asked}", "482913375520")
                    .replace("{password}", "48291337")
                    .replace("{code}", "482913")
                    .replace("{told}", "482913")
                    .replace("{payee}", "0784000004")
                    .replace("{amount}", "5000");
                assert!(wire::sms::parse(&filled).is_ok(), "{label}: {text}");
            }
        }
    }
}
