//! From the words of a message to the domain's types. A PIN becomes proofs; a code that the request may need is drawn.

use encryption::{Code, CodeProof, CryptoRng, Pin, PinProof, ProofSet, Purpose};
use transaction_processing::Msisdn;
use transaction_processing::account::{Proof, Proofs};
use transaction_processing::ids::{AgentCode, TransferId};
use transaction_processing::money::TypedAmount;
use transaction_processing::notice::SealedCode;
use transaction_processing::number::{Language, Private};
use transaction_processing::request::{Action, DrawnCode, DrawnCodes, NewPin, Payee};
use transaction_processing::requests;
use wire::Secret;
use wire::sms::{self, Command, Field, Malformed, Why};

use super::{Uplink, international, keyword_of};

/// Codes drawn for one request: one, and a spare should it be in use.
const DRAWN: usize = 2;

/// Octets of randomness that are erased with a private text, so that its commitment cannot be tried out afterwards.
const SALT: usize = 16;

impl Uplink {
    pub(super) fn action(&self, from: Msisdn, command: Command, rng: &mut dyn CryptoRng) -> Result<Action, Malformed> {
        let keyword = keyword_of(&command);
        let wrong = |field| Malformed { keyword: Some(keyword), why: Why::Field(field) };
        let pin = |secret: &Secret| self.pin(from, secret).ok_or(wrong(Field::Pin));
        Ok(match command {
            Command::Transfer { payee, amount, pin: secret } => {
                let payee = self.payee(&payee);
                let to = match payee {
                    Payee::Mobile(msisdn) => msisdn,
                    Payee::NotMobile => from,
                };
                let passwords = self.draw(Purpose::WithdrawalPassword, to, rng);
                Action::Transfer(requests::transfer::Fields {
                    payee,
                    amount: typed(amount),
                    pin: pin(&secret)?,
                    passwords,
                })
            }
            Command::Query { payee, password, agent_code } => Action::Query(requests::query::Fields {
                payee: self.payee(&payee),
                password: self.code(Purpose::WithdrawalPassword, from, &password).ok_or(wrong(Field::Password))?,
                agent: agent(&agent_code),
                codes: self.draw(Purpose::VerificationCode, from, rng),
            }),
            Command::Withdrawal { payee, amount, code, pin: secret, id_number } => {
                let payee = self.payee(&payee);
                let code = self.told(payee, Purpose::VerificationCode, &code).ok_or(wrong(Field::Code))?;
                let told = requests::claim::Told::Code(code);
                self.claim(payee, amount, told, id_number, pin(&secret)?, rng)
            }
            Command::PasswordWithdrawal { payee, amount, password, pin: secret, id_number } => {
                let payee = self.payee(&payee);
                let code = self.told(payee, Purpose::WithdrawalPassword, &password).ok_or(wrong(Field::Password))?;
                let told = requests::claim::Told::Password(code);
                self.claim(payee, amount, told, id_number, pin(&secret)?, rng)
            }
            Command::Deposit { password, pin: secret } => {
                let password = self.code(Purpose::WithdrawalPassword, from, &password).ok_or(wrong(Field::Password))?;
                let claimant = requests::claim::Claimant::Payee { password };
                Action::Claim(requests::claim::Fields { pin: pin(&secret)?, claimant })
            }
            Command::Resend { reference, pin: secret } => {
                let transfer = self.transfer(&reference);
                let payee = self.directory.payee(transfer);
                let passwords = payee.map(|payee| self.draw(Purpose::WithdrawalPassword, payee, rng));
                Action::Resend(requests::resend::Fields { transfer, pin: pin(&secret)?, passwords })
            }
            Command::Recall { reference, pin: secret } => {
                Action::Recall(requests::recall::Fields { transfer: self.transfer(&reference), pin: pin(&secret)? })
            }
            Command::AgreeToRecall { reference, pin: secret } => {
                Action::Agree(requests::agree::Fields { transfer: self.transfer(&reference), pin: pin(&secret)? })
            }
            Command::Register { pin: secret, name } => Action::Register(requests::register::Fields {
                pin: self.new_pin(from, &secret).ok_or(wrong(Field::Pin))?,
                name: self.private("name", from, name.as_bytes(), rng),
                codes: self.draw(Purpose::RegistrationCode, from, rng),
            }),
            Command::ConfirmRegistration { code, pin: secret } => {
                let code = self.code(Purpose::RegistrationCode, from, &code).ok_or(wrong(Field::Code))?;
                Action::Confirm(requests::confirm::Fields { code, pin: secret.as_ref().map(pin).transpose()? })
            }
            Command::CashIn { customer, amount, pin: secret } => Action::CashIn(requests::cash_in::Fields {
                customer: self.payee(&customer),
                amount: typed(amount),
                pin: pin(&secret)?,
            }),
            Command::CashOut { agent_code, amount, pin: secret } => Action::CashOut(requests::cash_out::Fields {
                agent: agent(&agent_code),
                amount: typed(amount),
                pin: pin(&secret)?,
            }),
            Command::Balance { pin: secret } => Action::Balance(requests::balance::Fields { pin: pin(&secret)? }),
            Command::Statement { pin: secret } => Action::Statement(requests::statement::Fields { pin: pin(&secret)? }),
            Command::ChangePin { old, new } => Action::ChangePin(requests::pin::Fields {
                old: self.pin(from, &old).ok_or(wrong(Field::OldPin))?,
                new: self.new_pin(from, &new).ok_or(wrong(Field::NewPin))?,
            }),
            Command::SetLanguage { language } => {
                Action::Language(requests::language::Fields { language: spoken(language) })
            }
            Command::CheckReceipt { receipt_code } => {
                let transfer = self.keys.reference_id(&receipt_code).map(TransferId);
                Action::Check(requests::check::Fields { transfer, too_often: false })
            }
            Command::Help => Action::Help(requests::help::Fields),
        })
    }

    fn claim(
        &self,
        payee: Payee,
        amount: sms::TypedAmount,
        told: requests::claim::Told,
        id_number: Option<String>,
        pin: Proofs,
        rng: &mut dyn CryptoRng,
    ) -> Action {
        let document = match payee {
            Payee::Mobile(owner) => {
                id_number.map(|number| self.private("identity document", owner, number.as_bytes(), rng))
            }
            Payee::NotMobile => None,
        };
        let claimant = requests::claim::Claimant::Agent { payee, amount: typed(amount), told, document };
        Action::Claim(requests::claim::Fields { pin, claimant })
    }

    fn payee(&self, typed: &str) -> Payee {
        self.numbering.payee(typed)
    }

    /// The transfer of a reference; one that never is, where the reference is none: said only after the PIN was right.
    fn transfer(&self, reference: &str) -> TransferId {
        TransferId(self.keys.reference_id(reference).unwrap_or(u64::MAX))
    }

    fn pin(&self, owner: Msisdn, secret: &Secret) -> Option<Proofs> {
        let pin = Pin::parse(secret.expose())?;
        pin_proofs(&self.keys.pin_proofs(&international(owner), &pin))
    }

    fn new_pin(&self, owner: Msisdn, secret: &Secret) -> Option<NewPin> {
        let pin = Pin::parse(secret.expose())?;
        let proofs = pin_proofs(&self.keys.pin_proofs(&international(owner), &pin))?;
        Some(NewPin { proofs, weak: pin.is_weak(&owner.digits().to_string()) })
    }

    /// The proofs of a code that an agent was told, bound to the payee's number; of nobody's where that is no number.
    fn told(&self, payee: Payee, purpose: Purpose, secret: &Secret) -> Option<Proofs> {
        match payee {
            Payee::Mobile(msisdn) => self.code(purpose, msisdn, secret),
            Payee::NotMobile => {
                let code = Code::parse(purpose, secret.expose())?;
                code_proofs(&self.keys.code_proofs("+", &code))
            }
        }
    }

    fn code(&self, purpose: Purpose, payee: Msisdn, secret: &Secret) -> Option<Proofs> {
        let code = Code::parse(purpose, secret.expose())?;
        code_proofs(&self.keys.code_proofs(&international(payee), &code))
    }

    fn draw(&self, purpose: Purpose, to: Msisdn, rng: &mut dyn CryptoRng) -> DrawnCodes {
        let codes = (0..DRAWN).map(|_| draw(&*self.keys, purpose, to, rng)).collect();
        DrawnCodes { to, codes }
    }

    fn private(&self, purpose: &str, owner: Msisdn, text: &[u8], rng: &mut dyn CryptoRng) -> Private {
        private(&*self.keys, purpose, owner, text, rng)
    }
}

/// A private text, sealed, and the commitment that the log keeps of it.
pub fn private(
    keys: &dyn encryption::Keys,
    purpose: &str,
    owner: Msisdn,
    text: &[u8],
    rng: &mut dyn CryptoRng,
) -> Private {
    let mut salted = encryption::Zeroizing::new(vec![0; SALT]);
    rng.fill_bytes(&mut salted);
    salted.extend_from_slice(text);
    Private {
        commitment: keys.commitment(purpose, &salted),
        sealed: keys.seal_at_rest(rng, purpose, international(owner).as_bytes(), &salted),
    }
}

/// Draws one code for a number: its proof under the newest key, and itself sealed for the notice.
pub fn draw(keys: &dyn encryption::Keys, purpose: Purpose, to: Msisdn, rng: &mut dyn CryptoRng) -> DrawnCode {
    let code = Code::draw(purpose, rng);
    let number = international(to);
    let (version, proof) = keys.code_proofs(&number, &code).newest();
    let sealed = keys.seal_at_rest(rng, "code", number.as_bytes(), code.expose().as_bytes());
    DrawnCode { proof: Proof { version: version.0, tag: proof.0 }, sealed: SealedCode(sealed) }
}

fn pin_proofs(set: &ProofSet<PinProof>) -> Option<Proofs> {
    Proofs::new(set.iter().map(|(version, proof)| Proof { version: version.0, tag: proof.0 }).collect())
}

fn code_proofs(set: &ProofSet<CodeProof>) -> Option<Proofs> {
    Proofs::new(set.iter().map(|(version, proof)| Proof { version: version.0, tag: proof.0 }).collect())
}

fn typed(amount: sms::TypedAmount) -> TypedAmount {
    TypedAmount { digits: amount.digits(), scale: amount.scale() }
}

/// The agent of a code; one that never is, where the code is no number.
fn agent(code: &str) -> AgentCode {
    AgentCode(code.parse().unwrap_or(0))
}

fn spoken(language: sms::Language) -> Language {
    match language {
        sms::Language::English => Language::English,
        sms::Language::French => Language::French,
        sms::Language::Swahili => Language::Swahili,
        sms::Language::Chinese => Language::Chinese,
    }
}
