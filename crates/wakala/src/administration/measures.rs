//! What makers propose and checkers approve: from words as typed to the core's measures, and back for those who must judge
//! them.

use data_center::Answer;
use encryption::{Code, Keys, Purpose, password};
use serde_json::{Map, Value, json};
use transaction_processing::account::{Proof, Tier};
use transaction_processing::ids::{AgentCode, CaseId, Iccid, ProposalId, StaffId, TransferId};
use transaction_processing::notice::SealedCode;
use transaction_processing::number::Private;
use transaction_processing::proposal::{self, Proposal, ProposalState, Staff};
use transaction_processing::request::{Action, Origin, Payee};
use transaction_processing::requests::approve::{self, OneTimePin, Verdict};
use transaction_processing::requests::{propose, staff, staff_secret};
use transaction_processing::{Money, Msisdn, Request};
use wire::Secret;

use super::protocol::{self, Fault, FaultCode, Measure, Sum};
use super::shapes::{self, Numbers};
use super::{Administration, Identity, database, refusals, system_rng};
use crate::config::{Amount, CurrencyCode};
use crate::uplink::{international, private};

/// The purpose under which names are sealed, as the uplink does it.
const NAME: &str = "name";
/// Octets of salt before a sealed private text.
const SALT: usize = 16;
/// The most characters of a name, of staff or of an agent.
const LONGEST_NAME: usize = 64;
/// The most characters of a bank's reference.
const LONGEST_BANK_REFERENCE: usize = 64;
/// The most numbers of one agent beside the agent's own.
const MOST_OWN_NUMBERS: usize = 16;
/// The most proposals in one list.
const MOST_LISTED: usize = 1000;

pub(super) fn bad(message: impl Into<String>) -> Fault {
    Fault::new(FaultCode::BadRequest, message)
}

impl Administration {
    /// A maker's proposal. Answers with its number and what it says.
    pub(super) fn propose(
        &self,
        maker: &Identity,
        measure: &Measure,
        new_secret: Option<&Secret>,
    ) -> Result<Value, Fault> {
        let measure = self.measure(measure, new_secret)?;
        let described = describe(self, &measure, Numbers::Full)?;
        let action = Action::Propose(propose::Fields { measure });
        let answer = self.decided(Request { key: None, origin: Origin::Staff(maker.id), action })?;
        let number = answer.row.map_or(0, |row| row.0);
        tracing::info!(staff = %maker.name, proposal = number, "proposed");
        let next = format!("another member of staff types: wakala treasury approve {number}");
        Ok(json!({ "proposal": number, "maker": maker.name, "measure": described, "next": next }))
    }

    /// A checker's yes. Where the measure sends a one-time PIN it is drawn here, and nobody sees it.
    pub(super) fn approve(&self, checker: &Identity, number: u64) -> Result<Value, Fault> {
        let proposal = self.proposal(number)?;
        let one_time_pin = pin_receiver(&proposal.measure).map(|to| draw_pin(&*self.keys, to)).transpose()?;
        let described = describe(self, &proposal.measure, Numbers::Full)?;
        let moved_name = self.moved_name(&proposal.measure)?;
        let (proposal, verdict) = (ProposalId(number), Verdict::Approve);
        let fields = approve::Fields { proposal, verdict, one_time_pin, moved_name };
        let answer =
            self.decided(Request { key: None, origin: Origin::Staff(checker.id), action: Action::Approve(fields) })?;
        tracing::info!(staff = %checker.name, proposal = number, "approved");
        let mut told =
            json!({ "proposal": number, "checker": checker.name, "measure": described, "state": "approved" });
        if let (Some(transfer), Some(told)) = (answer.transfer, told.as_object_mut()) {
            told.insert("reference".to_owned(), self.reference(transfer));
        }
        Ok(told)
    }

    /// A checker's no, or the maker's own.
    pub(super) fn reject(&self, checker: &Identity, number: u64) -> Result<Value, Fault> {
        let (proposal, verdict) = (ProposalId(number), Verdict::Reject);
        let fields = approve::Fields { proposal, verdict, one_time_pin: None, moved_name: None };
        self.decided(Request { key: None, origin: Origin::Staff(checker.id), action: Action::Approve(fields) })?;
        tracing::info!(staff = %checker.name, proposal = number, "rejected");
        Ok(json!({ "proposal": number, "checker": checker.name, "state": "rejected" }))
    }

    /// One of the first two members of staff.
    pub(super) fn enrol_first_staff(&self, name: &str, new_secret: Option<&Secret>) -> Result<Value, Fault> {
        let name = sound_name(name)?;
        let verifier = verifier(new_secret)?;
        let action = Action::EnrolFirstStaff(staff::Fields { name: name.clone(), verifier });
        let answer = self.decided(Request { key: None, origin: Origin::Platform, action })?;
        tracing::info!(staff = %name, "enrolled as one of the first two");
        Ok(json!({ "staff": answer.row.map_or(0, |row| row.0), "name": name }))
    }

    /// Another secret for the one who asks, who has proven the one before.
    pub(super) fn change_secret(&self, by: &Identity, asked: &protocol::Request) -> Result<Value, Fault> {
        if let (Some(old), Some(new)) = (&asked.staff, &asked.new_secret)
            && old.secret.same(new)
        {
            return Err(bad("the new secret is the same as the old one: choose another"));
        }
        let verifier = verifier(asked.new_secret.as_ref())?;
        let action = Action::ChangeStaffSecret(staff_secret::Fields { verifier });
        self.decided(Request { key: None, origin: Origin::Staff(by.id), action })?;
        tracing::info!(staff = %by.name, "took another secret");
        Ok(json!({ "staff": by.id.0, "name": by.name, "secret": "changed" }))
    }

    /// The proposals, newest first.
    pub(super) fn proposals(&self, all: bool, numbers: Numbers) -> Result<Value, Fault> {
        let newest = move |books: &transaction_processing::Books| {
            let mut found: Vec<Proposal> =
                books.proposals().filter(|proposal| all || proposal.state == ProposalState::Open).cloned().collect();
            found.reverse();
            let left_off = found.len().saturating_sub(MOST_LISTED);
            found.truncate(MOST_LISTED);
            (found, left_off)
        };
        let (found, left_off) = self.ask(newest)?;
        let names = self.names()?;
        let rows: Vec<Value> = found
            .iter()
            .map(|proposal| shown(self, proposal, &names, numbers).map(Value::Object))
            .collect::<Result<_, _>>()?;
        let mut told = shapes::object([("proposals", rows.into())]);
        if left_off > 0 {
            told.insert("left_off".to_owned(), left_off.into());
        }
        Ok(Value::Object(told))
    }

    /// One proposal in full.
    pub(super) fn shown_proposal(&self, number: u64) -> Result<Value, Fault> {
        let proposal = self.proposal(number)?;
        shown(self, &proposal, &self.names()?, Numbers::Full).map(Value::Object)
    }

    /// All members of staff.
    pub(super) fn staff(&self) -> Result<Value, Fault> {
        let row = |staff: &Staff| json!({ "staff": staff.id.0, "name": staff.name, "active": staff.active });
        let rows = self.ask(move |books| books.all_staff().map(row).collect::<Vec<Value>>())?;
        Ok(json!({ "staff": rows }))
    }

    fn proposal(&self, number: u64) -> Result<Proposal, Fault> {
        let found = self.ask(move |books| books.proposal(ProposalId(number)).cloned())?;
        found.ok_or_else(|| refusals::fault(transaction_processing::Refusal::UnknownProposal))
    }

    fn names(&self) -> Result<Vec<(StaffId, String)>, Fault> {
        self.ask(|books| books.all_staff().map(|staff| (staff.id, staff.name.clone())).collect())
    }

    /// What the books decided, or their refusal.
    fn decided(&self, request: Request) -> Result<Answer, Fault> {
        let answer = self.submit(request)?;
        match answer.refusal {
            None => Ok(answer),
            Some(refusal) => Err(refusals::fault(refusal)),
        }
    }

    fn measure(&self, typed: &Measure, new_secret: Option<&Secret>) -> Result<proposal::Measure, Fault> {
        use proposal::Measure as Core;
        Ok(match typed {
            Measure::Issue { amount, bank_reference } => {
                Core::Issue { amount: self.amount(amount)?, bank_reference: sound_bank_reference(bank_reference)? }
            }
            Measure::Redeem { amount, bank_reference } => {
                Core::Redeem { amount: self.amount(amount)?, bank_reference: sound_bank_reference(bank_reference)? }
            }
            Measure::SupplyFloat { agent, amount } => {
                Core::SupplyFloat { agent: agent_code(*agent)?, amount: self.amount(amount)? }
            }
            Measure::WithdrawFloat { agent, amount } => {
                Core::WithdrawFloat { agent: agent_code(*agent)?, amount: self.amount(amount)? }
            }
            Measure::CollectFees { amount } => Core::CollectFees { amount: self.amount(amount)? },
            Measure::EnrolAgent { code, number, name, own_numbers } => {
                let msisdn = self.number(number)?;
                let name = sound_name(name)?;
                if own_numbers.len() > MOST_OWN_NUMBERS {
                    return Err(bad(format!("an agent has at most {MOST_OWN_NUMBERS} further numbers")));
                }
                let own_numbers = own_numbers.iter().map(|own| self.number(own)).collect::<Result<_, _>>()?;
                let name = private(&*self.keys, NAME, msisdn, name.as_bytes(), &mut system_rng());
                Core::EnrolAgent { code: agent_code(*code)?, msisdn, name, own_numbers }
            }
            Measure::SetTier { number, tier } => Core::SetTier { msisdn: self.number(number)?, tier: core_tier(*tier) },
            Measure::UnlockPin { number } => Core::UnlockPin { msisdn: self.number(number)? },
            Measure::ResetPin { number } => Core::ResetPin { msisdn: self.number(number)? },
            Measure::Freeze { number } => Core::Freeze { msisdn: self.number(number)? },
            Measure::Unfreeze { number } => Core::Unfreeze { msisdn: self.number(number)? },
            Measure::Close { number } => Core::Close { msisdn: self.number(number)? },
            Measure::ChangeNumber { number, to } => {
                Core::ChangeNumber { msisdn: self.number(number)?, to: self.number(to)? }
            }
            Measure::RecycleNumber { number } => Core::RecycleNumber { msisdn: self.number(number)? },
            Measure::BindCard { number, iccid: serial } => {
                Core::BindCard { msisdn: self.number(number)?, iccid: iccid(serial)? }
            }
            Measure::ForgetCard { number } => Core::ForgetCard { msisdn: self.number(number)? },
            Measure::Reverse { reference } => Core::Reverse { transfer: self.transfer_id(reference)? },
            Measure::PayUnclaimed { case, number } => {
                Core::PayUnclaimed { case: CaseId(*case), msisdn: self.number(number)? }
            }
            Measure::ConfirmBank { balance, as_of, statement, includes } => {
                self.bank_balance(balance, as_of, statement, includes)?
            }
            Measure::Erase { number, former_owners } => {
                let msisdn = self.number(number)?;
                Core::Erase { msisdn, up_to: self.erasable(msisdn, *former_owners)? }
            }
            Measure::EnrolStaff { name } => {
                Core::EnrolStaff { name: sound_name(name)?, verifier: verifier(new_secret)? }
            }
            Measure::DismissStaff { name } => {
                let name = name.clone();
                let found = self.ask(move |books| books.staff_named(&name).map(|staff| staff.id))?;
                let unknown = || refusals::fault(transaction_processing::Refusal::UnknownStaff);
                Core::DismissStaff { staff: found.ok_or_else(unknown)? }
            }
        })
    }

    fn amount(&self, typed: &Sum) -> Result<Money, Fault> {
        self.at_least(1, typed)
    }

    /// An amount as typed of so many minor units at least.
    pub(super) fn at_least(&self, least: i64, typed: &Sum) -> Result<Money, Fault> {
        let currency = match &typed.currency {
            None => self.config.ledger.currency,
            Some(code) => CurrencyCode::parse(code)
                .filter(|currency| self.config.currencies().contains(currency))
                .ok_or_else(|| bad(format!("{code:?} is not one of the ledger's currencies")))?,
        };
        let minor = Amount::parse(&typed.amount).and_then(|amount| amount.minor(currency.currency()));
        let amount = minor.filter(|minor| *minor >= least).and_then(|minor| Money::new(minor, currency.currency()));
        amount.ok_or_else(|| {
            let (typed, code) = (&typed.amount, currency.code());
            bad(format!("{typed:?} is no amount of {code}: write whole currency with its decimals, 500 or 500.50"))
        })
    }

    /// A number as typed, national or international.
    pub(super) fn number(&self, typed: &str) -> Result<Msisdn, Fault> {
        match self.numbering.typed(typed) {
            Ok(Payee::Mobile(msisdn)) => Ok(msisdn),
            Ok(Payee::NotMobile) => Err(bad("the number cannot be a mobile one, or is not served here")),
            Err(_) => Err(bad("this is no number: write it as at home or with + and the country's code")),
        }
    }

    /// The transfer of a reference as typed.
    pub(super) fn transfer_id(&self, reference: &str) -> Result<TransferId, Fault> {
        let digits: String = reference.chars().filter(|character| !character.is_whitespace()).collect();
        let id = self.keys.reference_id(&digits).map(TransferId);
        id.ok_or_else(|| bad("this is no reference: it has twelve digits, and its check digit must fit"))
    }

    /// The name of an account's owner, sealed anew for the number that a measure moves the account to: a sealed text is bound
    /// to its number.
    fn moved_name(&self, measure: &proposal::Measure) -> Result<Option<Private>, Fault> {
        let proposal::Measure::ChangeNumber { msisdn, to } = measure else { return Ok(None) };
        let sealed = database::latest_name(&self.location, *msisdn)?;
        let owner = international(*msisdn);
        let salted = sealed.and_then(|sealed| self.keys.open_at_rest(NAME, owner.as_bytes(), &sealed).ok());
        let name = salted.as_ref().and_then(|salted| salted.get(SALT..));
        Ok(name.map(|name| private(&*self.keys, NAME, *to, name, &mut system_rng())))
    }

    /// The name in a private text that was sealed for a number.
    pub(super) fn opened_name(&self, owner: Msisdn, sealed: &[u8]) -> Value {
        match self.keys.open_at_rest(NAME, international(owner).as_bytes(), sealed) {
            Ok(salted) => String::from_utf8_lossy(salted.get(SALT..).unwrap_or_default()).into_owned().into(),
            Err(_) if sealed.is_empty() => "(erased)".into(),
            Err(_) => "(cannot be opened)".into(),
        }
    }

    /// The reference that people see of a transfer.
    pub(super) fn reference(&self, id: TransferId) -> Value {
        self.keys.reference(id.0).map_or(Value::Null, |reference| reference.as_str().into())
    }
}

fn shown(
    administration: &Administration,
    proposal: &Proposal,
    names: &[(StaffId, String)],
    numbers: Numbers,
) -> Result<Map<String, Value>, Fault> {
    let zone = &administration.config.ledger.zone;
    let name = |id: StaffId| -> Value {
        names.iter().find(|(of, _)| *of == id).map_or(id.0.into(), |(_, name)| name.as_str().into())
    };
    let (state, checker, at) = match proposal.state {
        ProposalState::Open => ("open", None, None),
        ProposalState::Approved { checker, at } => ("approved", Some(checker), Some(at)),
        ProposalState::Rejected { checker, at } => ("rejected", Some(checker), Some(at)),
    };
    Ok(shapes::object([
        ("proposal", proposal.id.0.into()),
        ("state", state.into()),
        ("measure", describe(administration, &proposal.measure, numbers)?),
        ("maker", name(proposal.maker)),
        ("made_at", shapes::moment(proposal.made_at, zone)),
        ("checker", checker.map_or(Value::Null, name)),
        ("checked_at", shapes::moment_if(at, zone)),
    ]))
}

/// What a measure does: everything that a checker must judge.
fn describe(administration: &Administration, measure: &proposal::Measure, numbers: Numbers) -> Result<Value, Fault> {
    use proposal::Measure as Core;
    let number = |msisdn: &Msisdn| shapes::number(*msisdn, numbers);
    let of_number = |what: &str, msisdn: &Msisdn| json!({ "do": what, "number": number(msisdn) });
    Ok(match measure {
        Core::Issue { amount, bank_reference } => {
            json!({ "do": "issue", "amount": shapes::money(*amount), "bank_reference": bank_reference })
        }
        Core::Redeem { amount, bank_reference } => {
            json!({ "do": "redeem", "amount": shapes::money(*amount), "bank_reference": bank_reference })
        }
        Core::SupplyFloat { agent, amount } => {
            json!({ "do": "supply float", "agent": agent.0, "amount": shapes::money(*amount) })
        }
        Core::WithdrawFloat { agent, amount } => {
            json!({ "do": "withdraw float", "agent": agent.0, "amount": shapes::money(*amount) })
        }
        Core::CollectFees { amount } => json!({ "do": "collect fees", "amount": shapes::money(*amount) }),
        Core::EnrolAgent { code, msisdn, name, own_numbers } => json!({
            "do": "enrol agent", "agent": code.0, "number": number(msisdn),
            "name": administration.opened_name(*msisdn, &name.sealed),
            "own_numbers": own_numbers.iter().map(number).collect::<Vec<_>>(),
        }),
        Core::SetTier { msisdn, tier } => {
            json!({ "do": "set tier", "number": number(msisdn), "tier": shapes::tier(*tier) })
        }
        Core::UnlockPin { msisdn } => of_number("unlock PIN", msisdn),
        Core::ResetPin { msisdn } => of_number("reset PIN", msisdn),
        Core::Freeze { msisdn } => of_number("freeze", msisdn),
        Core::Unfreeze { msisdn } => of_number("unfreeze", msisdn),
        Core::Close { msisdn } => of_number("close", msisdn),
        Core::ChangeNumber { msisdn, to } => {
            json!({ "do": "change number", "number": number(msisdn), "to": number(to) })
        }
        Core::RecycleNumber { msisdn } => of_number("recycle number", msisdn),
        Core::BindCard { msisdn, iccid } => {
            json!({ "do": "bind card", "number": number(msisdn), "iccid": iccid.digits().to_string() })
        }
        Core::ForgetCard { msisdn } => of_number("forget card", msisdn),
        Core::Reverse { transfer } => json!({ "do": "reverse", "reference": administration.reference(*transfer) }),
        Core::PayUnclaimed { case, msisdn } => {
            json!({ "do": "pay unclaimed", "case": case.0, "number": number(msisdn) })
        }
        Core::ConfirmBank { balance, as_of, statement, includes } => json!({
            "do": "confirm bank balance", "balance": shapes::money(*balance),
            "as_of": shapes::moment(*as_of, &administration.config.ledger.zone), "statement": statement,
            "includes": includes,
        }),
        Core::Erase { msisdn, up_to } => json!({ "do": "erase", "number": number(msisdn), "up_to_row": up_to.0 }),
        Core::EnrolStaff { name, .. } => json!({ "do": "enrol staff", "name": name }),
        Core::DismissStaff { staff } => {
            let id = *staff;
            let name = administration.ask(move |books| books.staff(id).map(|staff| staff.name.clone()))?;
            json!({ "do": "dismiss staff", "name": name })
        }
    })
}

/// The number to which a measure sends a one-time PIN.
fn pin_receiver(measure: &proposal::Measure) -> Option<Msisdn> {
    match measure {
        proposal::Measure::EnrolAgent { msisdn, .. } | proposal::Measure::ResetPin { msisdn } => Some(*msisdn),
        proposal::Measure::ChangeNumber { to, .. } => Some(*to),
        _ => None,
    }
}

/// Draws a one-time PIN: its proof, and itself sealed for the one text that tells it.
fn draw_pin(keys: &dyn Keys, to: Msisdn) -> Result<OneTimePin, Fault> {
    let mut rng = system_rng();
    let number = international(to);
    let code = Code::draw(Purpose::OneTimePin, &mut rng);
    let pin = code.as_pin().ok_or_else(|| Fault::new(FaultCode::Failed, "no one-time PIN could be drawn"))?;
    let (version, proof) = keys.pin_proofs(&number, &pin).newest();
    let sealed = keys.seal_at_rest(&mut rng, "code", number.as_bytes(), code.expose().as_bytes());
    Ok(OneTimePin { to, proof: Proof { version: version.0, tag: proof.0 }, sealed: SealedCode(sealed) })
}

fn verifier(new_secret: Option<&Secret>) -> Result<String, Fault> {
    let secret = new_secret.ok_or_else(|| bad("the new secret is missing"))?;
    password::hash(secret.expose(), &mut system_rng()).map_err(|rule| bad(rule.to_string()))
}

fn sound_name(name: &str) -> Result<String, Fault> {
    let name = name.trim();
    let sound = !name.is_empty() && name.chars().count() <= LONGEST_NAME && !name.chars().any(char::is_control);
    if sound { Ok(name.to_owned()) } else { Err(bad(format!("a name has 1 to {LONGEST_NAME} characters"))) }
}

pub(super) fn sound_bank_reference(reference: &str) -> Result<String, Fault> {
    let reference = reference.trim();
    let sound =
        (1..=LONGEST_BANK_REFERENCE).contains(&reference.chars().count()) && !reference.chars().any(char::is_control);
    let wrong = || bad(format!("a bank reference has 1 to {LONGEST_BANK_REFERENCE} characters"));
    if sound { Ok(reference.to_owned()) } else { Err(wrong()) }
}

fn agent_code(code: u32) -> Result<AgentCode, Fault> {
    if (1..=999_999).contains(&code) {
        Ok(AgentCode(code))
    } else {
        Err(bad("an agent code is a number from 1 to 999999"))
    }
}

fn iccid(typed: &str) -> Result<Iccid, Fault> {
    let digits = typed.bytes().all(|octet| octet.is_ascii_digit()).then(|| typed.parse().ok()).flatten();
    digits.and_then(Iccid::new).ok_or_else(|| bad("a card's serial has 18 to 20 digits"))
}

fn core_tier(tier: protocol::Tier) -> Tier {
    match tier {
        protocol::Tier::Entry => Tier::Entry,
        protocol::Tier::Standard => Tier::Standard,
        protocol::Tier::Full => Tier::Full,
    }
}
