//! Which message each text is, and which values it shows.

use transaction_processing::money::{Currency, Money};
use transaction_processing::notice::{Role, StatementLine, Text};
use transaction_processing::refusal::Refusal;
use transaction_processing::request::Kind;
use zeroize::Zeroizing;

use super::message::{self, Message as M};
use super::render::{Line, Speaker, parts};
use super::style;

/// No text takes more short messages than this. A statement says as many of its lines as fit, all five up to some ten million
/// units each; what else is long at absurd amounts leaves its last hint away.
const MOST_PARTS: u8 = 2;

impl Speaker<'_> {
    /// The words of a text: one arm for each, a table rather than a function.
    pub(super) fn text(&self, text: &Text, code: Option<&str>) -> Zeroizing<String> {
        let line = match text {
            Text::Sent { transfer, amount, charges, payee, balance } => {
                let line = self.say(M::Sent).reference(*transfer).money("amount", *amount);
                line.bare("charges", *charges).number("payee", *payee).bare("balance", *balance)
            }
            Text::Received { transfer, amount, charges, sender, balance } => {
                let line = self.say(M::Received).reference(*transfer).money("amount", *amount);
                line.bare("charges", *charges).number("sender", *sender).bare("balance", *balance)
            }
            Text::SentByPassword { transfer, amount, charges, payee, balance, expires_at } => {
                let line = self.say(M::SentByPassword).reference(*transfer).money("amount", *amount);
                line.bare("charges", *charges)
                    .number("payee", *payee)
                    .bare("balance", *balance)
                    .time("expires", *expires_at)
            }
            Text::WithdrawalPassword { transfer, amount, sender, expires_at } => {
                let line = self.telling(M::WithdrawalPassword, code).reference(*transfer);
                line.money("amount", *amount).number("sender", *sender).time("expires", *expires_at)
            }
            Text::VerificationCode { transfer, amount, cash, agent, minutes } => {
                let line = self.telling(M::VerificationCode, code).reference(*transfer);
                line.money("amount", *amount).money("cash", *cash).agent(*agent).minutes(*minutes)
            }
            // The amount itself is not said: the agent must not hand over anything but the cash.
            Text::PaidOutByYou { transfer, amount: _, cash, payee, commission, balance } => {
                let line = self.say(M::PaidOutByYou).reference(*transfer).money("cash", *cash);
                line.number("payee", *payee).bare("commission", *commission).bare("balance", *balance)
            }
            Text::AlreadyPaidByYou { transfer, cash, payee, at } => {
                let line = self.say(M::AlreadyPaidByYou).reference(*transfer);
                line.money("cash", *cash).number("payee", *payee).time("at", *at)
            }
            Text::PaidOutToYou { transfer, amount, cash, agent } => {
                let line = self.say(M::PaidOutToYou).reference(*transfer);
                line.money("amount", *amount).money("cash", *cash).agent(*agent)
            }
            Text::Collected { transfer, amount, payee } => {
                self.say(M::Collected).reference(*transfer).money("amount", *amount).number("payee", *payee)
            }
            Text::Deposited { transfer, amount, charges, balance } => {
                let line = self.say(M::Deposited).reference(*transfer).money("amount", *amount);
                line.bare("charges", *charges).bare("balance", *balance)
            }
            Text::Resent { transfer, amount, payee } => {
                self.say(M::Resent).reference(*transfer).money("amount", *amount).number("payee", *payee)
            }
            Text::Recalled { transfer, returned, payee, balance } => {
                let line = self.say(M::Recalled).reference(*transfer).money("returned", *returned);
                line.number("payee", *payee).bare("balance", *balance)
            }
            Text::RecalledFromYou { transfer, amount, sender } => {
                self.say(M::RecalledFromYou).reference(*transfer).money("amount", *amount).number("sender", *sender)
            }
            Text::RecallAsked { transfer, amount, sender } => {
                self.say(M::RecallAsked).reference(*transfer).money("amount", *amount).number("sender", *sender)
            }
            Text::RecallAskedForYou { transfer, amount, payee } => {
                self.say(M::RecallAskedForYou).reference(*transfer).money("amount", *amount).number("payee", *payee)
            }
            Text::GivenBack { transfer, amount, sender, balance } => {
                let line = self.say(M::GivenBack).reference(*transfer).money("amount", *amount);
                line.number("sender", *sender).bare("balance", *balance)
            }
            Text::GotBack { transfer, returned, payee, balance } => {
                let line = self.say(M::GotBack).reference(*transfer).money("returned", *returned);
                line.number("payee", *payee).bare("balance", *balance)
            }
            Text::Refunded { transfer, returned, payee, balance } => {
                let line = self.say(M::Refunded).reference(*transfer).money("returned", *returned);
                line.number("payee", *payee).bare("balance", *balance)
            }
            Text::Lapsed { transfer, amount, sender } => {
                self.say(M::Lapsed).reference(*transfer).money("amount", *amount).number("sender", *sender)
            }
            Text::Reminder { transfer, amount, sender, expires_at } => {
                let line = self.say(M::Reminder).reference(*transfer).money("amount", *amount);
                line.number("sender", *sender).time("expires", *expires_at)
            }
            Text::RegistrationCode { minutes, contested } => {
                let message = if *contested { M::RegistrationCodeContested } else { M::RegistrationCode };
                self.telling(message, code).minutes(*minutes)
            }
            Text::Registered => self.say(M::Registered),
            Text::CashTakenIn { transfer, amount, customer, commission, balance } => {
                let line = self.say(M::CashTakenIn).reference(*transfer).money("amount", *amount);
                line.number("customer", *customer).bare("commission", *commission).bare("balance", *balance)
            }
            Text::CashPutIn { transfer, amount, charges, agent, balance } => {
                let line = self.say(M::CashPutIn).reference(*transfer).money("amount", *amount);
                line.bare("charges", *charges).agent(*agent).bare("balance", *balance)
            }
            // As for the agent: what counts is the cash.
            Text::CashTakenOut { transfer, amount: _, cash, charges, agent, balance } => {
                let line = self.say(M::CashTakenOut).reference(*transfer).money("cash", *cash);
                line.bare("charges", *charges).agent(*agent).bare("balance", *balance)
            }
            Text::CashToHandOver { transfer, cash, customer, commission, balance } => {
                let line = self.say(M::CashToHandOver).reference(*transfer).money("cash", *cash);
                line.number("customer", *customer).bare("commission", *commission).bare("balance", *balance)
            }
            Text::Balance { balance } => self.say(M::Balance).money("balance", *balance),
            Text::Statement { currency_of, lines } => return self.statement(currency_of.currency(), lines),
            Text::PinChanged => self.say(M::PinChanged).care(),
            Text::LanguageSet => self.say(M::LanguageSet),
            Text::ReceiptGenuine { transfer, kind, amount, at, payee, standing } => {
                let line = self.say(M::ReceiptGenuine).reference(*transfer).money("amount", *amount).time("at", *at);
                let line = line.with("what", self.word(M::of_movement(*kind))).number("payee", *payee);
                line.with("standing", self.word(M::of_standing(*standing)))
            }
            Text::Help { role } => match role {
                Role::Stranger => self.say(M::HelpStranger),
                Role::Customer => self.say(M::HelpCustomer),
                Role::Agent => self.say(M::HelpAgent),
            },
            Text::FloatSupplied { transfer, amount, balance } => {
                self.say(M::FloatSupplied).reference(*transfer).money("amount", *amount).bare("balance", *balance)
            }
            Text::FloatWithdrawn { transfer, amount, balance } => {
                self.say(M::FloatWithdrawn).reference(*transfer).money("amount", *amount).bare("balance", *balance)
            }
            Text::AgentEnrolled { agent } => self.say(M::AgentEnrolled).agent(*agent),
            Text::OneTimePin { minutes } => self.telling(M::OneTimePin, code).minutes(*minutes),
            Text::PinUnlocked => self.say(M::PinUnlocked).care(),
            Text::Frozen => self.say(M::Frozen).care(),
            Text::Unfrozen => self.say(M::Unfrozen),
            Text::Closed => self.say(M::Closed).care(),
            Text::NumberChanged => self.say(M::NumberChanged).care(),
            Text::NumberLeft => self.say(M::NumberLeft).care(),
            Text::TierSet { tier } => self.say(M::TierSet).with("tier", self.word(M::of_tier(*tier))),
            Text::CardBound => self.say(M::CardBound),
            Text::UnclaimedPaid { amount, balance } => {
                self.say(M::UnclaimedPaid).money("amount", *amount).bare("balance", *balance)
            }
            Text::Refused { why, asked } => self.refused(*why, *asked),
            Text::Repeated { answer, asked } => return self.repeated(answer, *asked),
        };
        line.finish()
    }

    /// A message that tells a code; without the code, the one that says where it was told.
    fn telling<'a>(&'a self, message: M, code: Option<&'a str>) -> Line<'a> {
        match code {
            Some(code) => self.say(message).with("code", code),
            None => self.say(M::CodeToldBefore),
        }
    }

    fn refused(&self, why: Refusal, asked: Kind) -> Line<'_> {
        let reason = self.say_by_name(message::of_refusal(why)).care().finish();
        self.say(M::Refused).with("asked", self.word(M::of_request(asked))).with("why", reason.to_string())
    }

    fn repeated(&self, answer: &Text, asked: Kind) -> Zeroizing<String> {
        let may_be_meant = can_be_meant_twice(answer, asked);
        let answer = self.text(answer, None);
        if may_be_meant {
            let text = self.say(M::RepeatedOnPurpose).with("answer", answer.as_str()).finish();
            if parts(&text) <= MOST_PARTS {
                return text;
            }
        }
        self.say(M::Repeated).with("answer", answer.as_str()).finish()
    }

    fn statement(&self, currency: Currency, lines: &[StatementLine]) -> Zeroizing<String> {
        let Some(newest) = lines.first() else {
            return self.say(M::StatementEmpty).money("balance", Money::zero(currency)).finish();
        };
        let balance = Money::new(newest.balance, currency).unwrap_or(Money::zero(currency));
        let mut text = self.say(M::Statement).money("balance", balance).finish();
        for line in lines {
            let mut longer = text.clone();
            longer.push('\n');
            longer.push_str(&self.statement_line(line, currency));
            if parts(&longer) > MOST_PARTS {
                break;
            }
            text = longer;
        }
        text
    }

    fn statement_line(&self, line: &StatementLine, currency: Currency) -> Zeroizing<String> {
        let at = self.style.moment(line.at);
        let change = style::change(line.change, currency, self.language);
        let said = self.say(M::StatementLine).with("day", format!("{:02}", at.day));
        let said = said.with("month", format!("{:02}", at.month)).with("change", change);
        said.with("what", self.word(M::of_request(line.kind))).finish()
    }
}

/// Whether somebody may want the same once more: then the answer to a repeat says how.
fn can_be_meant_twice(answer: &Text, asked: Kind) -> bool {
    if matches!(answer, Text::Refused { .. }) {
        return false;
    }
    match asked {
        Kind::Transfer | Kind::Query | Kind::Resend | Kind::CashIn | Kind::CashOut => true,
        // Each of these happens once, and a question is answered anew whenever it is asked.
        Kind::Claim | Kind::Recall | Kind::Agree | Kind::Register | Kind::Confirm | Kind::ChangePin => false,
        Kind::Balance | Kind::Statement | Kind::Language | Kind::Check | Kind::Help => false,
        // Nobody writes these by hand.
        Kind::Expire | Kind::Remind | Kind::Propose | Kind::Approve => false,
        Kind::EnrolFirstStaff | Kind::ChangeStaffSecret | Kind::AdoptTariff | Kind::OpenEpoch => false,
    }
}
