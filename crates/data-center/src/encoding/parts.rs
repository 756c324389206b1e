//! The forms of what changes and notices are made of.

use transaction_processing::account::{PinState, Proof, Status, Tier, Usage};
use transaction_processing::ids::{
    AccountId, AgentCode, CaseId, Iccid, ProposalId, Sequence, StaffId, SystemAccount, TariffId, TransferId,
};
use transaction_processing::number::Language;
use transaction_processing::request::{Kind, Link};
use transaction_processing::tariff::Payer;
use transaction_processing::time::{Day, Month, Time};
use transaction_processing::{Currency, Msisdn, Refusal};

use super::{Encoded, Input, Malformed, Output, choice, name, structure};

name!(AccountId, AgentCode, CaseId, Day, Link, Month, ProposalId, Sequence, StaffId, TariffId, Time, TransferId);

structure!(Proof { version, tag });
structure!(PinState { proof, wrong, locked_until, one_time_until });
structure!(Usage { day, month, day_minor, month_minor });

choice!(Tier { 1 => Entry, 2 => Standard, 3 => Full });
choice!(Status { 1 => Active, 2 => Frozen, 3 => Closed });
choice!(Language { 1 => English, 2 => French, 3 => Swahili, 4 => Chinese });
choice!(Payer { 1 => Sender, 2 => Payee, 3 => Operator });
choice!(SystemAccount {
    1 => Trust,
    2 => TransfersInFlight,
    3 => Fees,
    4 => Levies,
    5 => Remainders,
    6 => UnclaimedMoney,
    7 => OperatorFunds,
});

impl Encoded for Msisdn {
    fn put(&self, out: &mut Output) {
        out.unsigned(self.digits());
    }

    fn take(input: &mut Input<'_>) -> Result<Msisdn, Malformed> {
        let digits = u64::take(input)?;
        Msisdn::new(digits).ok_or(input.malformed())
    }
}

impl Encoded for Iccid {
    fn put(&self, out: &mut Output) {
        self.digits().to_be_bytes().put(out);
    }

    fn take(input: &mut Input<'_>) -> Result<Iccid, Malformed> {
        let digits = u128::from_be_bytes(Encoded::take(input)?);
        Iccid::new(digits).ok_or(input.malformed())
    }
}

/// Three bits hold the decimal digits, so that the usual currency takes two octets.
impl Encoded for Currency {
    fn put(&self, out: &mut Output) {
        out.unsigned(u64::from(self.numeric) << 3 | u64::from(self.minor_digits & 7));
    }

    fn take(input: &mut Input<'_>) -> Result<Currency, Malformed> {
        let packed = u64::take(input)?;
        let numeric = u16::try_from(packed >> 3).map_err(|_| input.malformed())?;
        Ok(Currency { numeric, minor_digits: (packed & 7) as u8 })
    }
}

impl Encoded for Kind {
    fn put(&self, out: &mut Output) {
        out.bytes.push(*self as u8);
    }

    fn take(input: &mut Input<'_>) -> Result<Kind, Malformed> {
        Kind::numbered(input.octet()?).ok_or(input.malformed())
    }
}

impl Encoded for Refusal {
    fn put(&self, out: &mut Output) {
        out.bytes.push(*self as u8);
    }

    fn take(input: &mut Input<'_>) -> Result<Refusal, Malformed> {
        Refusal::numbered(input.octet()?).ok_or(input.malformed())
    }
}
