//! The forms of requests, as one process hands them to another.

use transaction_processing::account::{Proof, Proofs};
use transaction_processing::money::TypedAmount;
use transaction_processing::request::{
    Action, DrawnCode, DrawnCodes, NewPin, Origin, Payee, Request, RequestKey, Seal,
};
use transaction_processing::requests::approve::{OneTimePin, Verdict};
use transaction_processing::requests::claim::{Claimant, Told};
use transaction_processing::requests::{
    agree, approve, balance, cash_in, cash_out, check, claim, confirm, epoch, help, language, pin, propose, query,
    recall, register, resend, staff, staff_secret, statement, tariff, transfer,
};

use super::{Encoded, Input, Malformed, Output, choice, name, structure};

name!(RequestKey);

structure!(Request { key, origin, action });
structure!(TypedAmount { digits, scale });
structure!(NewPin { proofs, weak });
structure!(DrawnCode { proof, sealed });
structure!(DrawnCodes { to, codes });
structure!(OneTimePin { to, proof, sealed });

choice!(Seal { 1 => Plain, 2 => Sealed { counter, check } });
choice!(Origin { 1 => Handset { from, seal, link }, 2 => Staff(staff), 3 => Platform });
choice!(Payee { 1 => Mobile(msisdn), 2 => NotMobile });
choice!(Verdict { 1 => Approve, 2 => Reject });
choice!(Told { 1 => Code(proofs), 2 => Password(proofs) });
choice!(Claimant { 1 => Agent { payee, amount, told, document }, 2 => Payee { password } });
choice!(Action {
    1 => Transfer(fields),
    2 => Query(fields),
    3 => Claim(fields),
    4 => Resend(fields),
    5 => Recall(fields),
    6 => Agree(fields),
    7 => Register(fields),
    8 => Confirm(fields),
    9 => CashIn(fields),
    10 => CashOut(fields),
    11 => Balance(fields),
    12 => Statement(fields),
    13 => ChangePin(fields),
    14 => Language(fields),
    15 => Check(fields),
    16 => Help(fields),
    17 => Expire(transfer),
    18 => Remind(transfer),
    19 => Propose(fields),
    20 => Approve(fields),
    21 => EnrolFirstStaff(fields),
    22 => AdoptTariff(fields),
    23 => OpenEpoch(fields),
    24 => ChangeStaffSecret(fields),
});

structure!(transfer::Fields { payee, amount, pin, passwords });
structure!(query::Fields { payee, password, agent, codes });
structure!(claim::Fields { pin, claimant });
structure!(resend::Fields { transfer, pin, passwords });
structure!(recall::Fields { transfer, pin });
structure!(agree::Fields { transfer, pin });
structure!(register::Fields { pin, name, codes });
structure!(confirm::Fields { code, pin });
structure!(cash_in::Fields { customer, amount, pin });
structure!(cash_out::Fields { agent, amount, pin });
structure!(balance::Fields { pin });
structure!(statement::Fields { pin });
structure!(pin::Fields { old, new });
structure!(language::Fields { language });
structure!(check::Fields { transfer, too_often });
structure!(propose::Fields { measure });
structure!(approve::Fields { proposal, verdict, one_time_pin, moved_name });
structure!(staff::Fields { name, verifier });
structure!(staff_secret::Fields { verifier });
structure!(tariff::Fields { terms });
structure!(epoch::Fields { jump });

impl Encoded for Proofs {
    fn put(&self, out: &mut Output) {
        out.unsigned(self.all().len() as u64);
        self.all().iter().for_each(|proof| proof.put(out));
    }

    fn take(input: &mut Input<'_>) -> Result<Proofs, Malformed> {
        let proofs = Vec::<Proof>::take(input)?;
        Proofs::new(proofs).ok_or(input.malformed())
    }
}

/// Nothing is asked beside the question.
impl Encoded for help::Fields {
    fn put(&self, _: &mut Output) {}

    fn take(_: &mut Input<'_>) -> Result<help::Fields, Malformed> {
        Ok(help::Fields)
    }
}
