//! The forms of changes.

use transaction_processing::account::{Account, Agent, Holder};
use transaction_processing::bank::{BankBalance, BankMovement};
use transaction_processing::decision::{Change, Dealings, Failures, Scope};
use transaction_processing::number::{Card, Claims, Number, Registration};
use transaction_processing::proposal::{Case, Matter, Measure, Proposal, ProposalState, Staff};
use transaction_processing::tariff::{Band, Priced, Tariff, Terms};
use transaction_processing::transfer::{
    Charge, Commission, Kind as TransferKind, PaidOut, Query, ReturnCause, State, Transfer, Waiting,
};

use super::{Encoded, Input, Malformed, Output, choice, structure};

choice!(Change {
    1 => Opened(account),
    2 => Pin { account, pin },
    3 => Used { account, usage },
    4 => Status { account, status },
    5 => Tier { account, tier },
    6 => Moved { account, msisdn },
    7 => Agent(agent),
    8 => Number(number),
    9 => CardUsed { msisdn, counter, check },
    10 => Transfer(transfer),
    11 => Named { msisdn, name },
    12 => Identified { transfer, document },
    13 => Dealings(dealings),
    14 => Failures(failures),
    15 => Proposal(proposal),
    16 => Staff(staff),
    17 => Case(case),
    18 => Tariff(tariff),
    19 => BankMovement(movement),
    20 => Epoch { next },
    21 => BankBalance(said),
    22 => Erased { msisdn, up_to },
});

choice!(Holder { 1 => System(role), 2 => Customer(tier), 3 => Agent(code) });
choice!(Scope { 1 => All, 2 => Link(link), 3 => Agent(agent) });
choice!(ProposalState { 1 => Open, 2 => Approved { checker, at }, 3 => Rejected { checker, at } });
choice!(Matter { 1 => Unclaimed { transfer, msisdn, amount } });
choice!(Priced { 1 => Transfer, 2 => Withdrawal, 3 => CashIn, 4 => CashOut });
choice!(TransferKind { 1 => ToWallet, 2 => ByPassword, 3 => CashIn, 4 => CashOut, 5 => Float });
choice!(ReturnCause { 1 => Recall, 2 => Expiry, 3 => Consent, 4 => Care });
choice!(State {
    1 => Waiting(waiting),
    2 => Credited { account, recall_asked_at, commission },
    3 => PaidOut(paid),
    4 => Deposited { at },
    5 => Returned { cause, at },
});
choice!(Measure {
    1 => Issue { amount, bank_reference },
    2 => Redeem { amount, bank_reference },
    3 => SupplyFloat { agent, amount },
    4 => WithdrawFloat { agent, amount },
    5 => CollectFees { amount },
    6 => EnrolAgent { code, msisdn, name, own_numbers },
    7 => SetTier { msisdn, tier },
    8 => UnlockPin { msisdn },
    9 => ResetPin { msisdn },
    10 => Freeze { msisdn },
    11 => Unfreeze { msisdn },
    12 => Close { msisdn },
    13 => ChangeNumber { msisdn, to },
    14 => RecycleNumber { msisdn },
    15 => BindCard { msisdn, iccid },
    16 => ForgetCard { msisdn },
    17 => Reverse { transfer },
    18 => PayUnclaimed { case, msisdn },
    19 => EnrolStaff { name, verifier },
    20 => DismissStaff { staff },
    21 => ConfirmBank { balance, as_of, statement, includes },
    22 => Erase { msisdn, up_to },
});

structure!(BankMovement { reference, change, currency, at });
structure!(BankBalance { balance, as_of, statement, includes, entered_at });
structure!(Agent { code, account, own_numbers });
structure!(Dealings { agent, customer, priced, day, sum, earned });
structure!(Failures { scope, since, count });
structure!(Card { iccid, counter, check });
structure!(Claims { wrong, pauses, paused_until });
structure!(Registration { pin, code, wrong, expires_at, contested });
structure!(Number {
    msisdn,
    language,
    card,
    claims,
    registration,
    registrations_on,
    registrations,
    received,
    last_paid,
});
structure!(Proposal { id, maker, made_at, measure, state });
structure!(Staff { id, name, verifier, active });
structure!(Case { id, opened_at, matter, closed_at });
structure!(Tariff { id, terms });
structure!(Terms {
    priced,
    currency,
    effective_from,
    payer,
    bands,
    agent_share_per_mille,
    levy_per_mille_of_fee,
    levy_per_mille_of_amount,
    fee_kept_on_return,
});
structure!(Band { up_to, fixed, per_mille, minimum, maximum });
structure!(Transfer { id, kind, made_at, sender, sender_number, payee, amount, charge, withdrawal, state });
structure!(Charge { tariff, payer, fee, levy, kept_on_return });
structure!(Waiting { password, expires_at, reminded, resent, query, wrong_codes, password_at_agent_closed });
structure!(Query { agent, code, expires_at });
structure!(Commission { amount, day });
structure!(PaidOut { agent, at, cash, commission, proved_by });

/// Without its money: that is a matter of journals, and an account is opened empty.
impl Encoded for Account {
    fn put(&self, out: &mut Output) {
        self.id.put(out);
        self.holder.put(out);
        self.msisdn.put(out);
        self.currency.put(out);
        self.status.put(out);
        self.pin.put(out);
        self.usage.put(out);
        self.opened_at.put(out);
    }

    fn take(input: &mut Input<'_>) -> Result<Account, Malformed> {
        let id = Encoded::take(input)?;
        let holder = Encoded::take(input)?;
        let msisdn = Encoded::take(input)?;
        let currency = Encoded::take(input)?;
        let status = Encoded::take(input)?;
        let pin = Encoded::take(input)?;
        let usage = Encoded::take(input)?;
        let opened_at = Encoded::take(input)?;
        let mut account = Account::open(id, holder, msisdn, currency, pin, opened_at);
        account.status = status;
        account.usage = usage;
        Ok(account)
    }
}
