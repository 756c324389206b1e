//! From the words of the command line to what the server is asked.

use super::arguments::{Agent, By, Customer, Float, Staff, Transfer, Treasury};
use super::exit::Failure;
use super::{as_staff, client, plain, secrets};
use crate::administration::protocol::{Command, Measure, Request};
use crate::config::Config;

/// The first members of staff, before whom there is nobody to approve.
const FIRST: usize = 2;

/// What `treasury` asks. Approval has its own way.
pub fn treasury(typed: Treasury) -> Command {
    let propose = Command::Propose;
    match typed {
        Treasury::Issue { amount, bank_reference } => {
            propose(Measure::Issue { amount: (&amount).into(), bank_reference })
        }
        Treasury::Redeem { amount, bank_reference } => {
            propose(Measure::Redeem { amount: (&amount).into(), bank_reference })
        }
        Treasury::CollectFees { amount } => propose(Measure::CollectFees { amount: (&amount).into() }),
        Treasury::Approve { proposal, .. } => Command::Approve { proposal },
        Treasury::Reject { proposal } => Command::Reject { proposal },
        Treasury::Proposals { proposal: Some(proposal), .. } => Command::Proposal { proposal },
        Treasury::Proposals { proposal: None, all, full_numbers } => Command::Proposals { all, full_numbers },
        Treasury::Balance => Command::TrialBalance,
    }
}

/// What `agent` asks.
pub fn agent(typed: Agent) -> Command {
    match typed {
        Agent::Enrol { code, number, name, own_number } => {
            Command::Propose(Measure::EnrolAgent { code, number, name, own_numbers: own_number })
        }
        Agent::List { full_numbers } => Command::Agents { full_numbers },
        Agent::Show { code } => Command::Agent { code },
        Agent::Float(Float::Supply { code, amount }) => {
            Command::Propose(Measure::SupplyFloat { agent: code, amount: (&amount).into() })
        }
        Agent::Float(Float::Withdraw { code, amount }) => {
            Command::Propose(Measure::WithdrawFloat { agent: code, amount: (&amount).into() })
        }
    }
}

/// What `customer` asks.
pub fn customer(typed: Customer) -> Command {
    let measure = match typed {
        Customer::Show { number } => return Command::Customer { number },
        Customer::Cases { all, full_numbers } => return Command::Cases { all, full_numbers },
        Customer::SetTier { number, tier } => Measure::SetTier { number, tier },
        Customer::UnlockPin { number } => Measure::UnlockPin { number },
        Customer::ResetPin { number } => Measure::ResetPin { number },
        Customer::Freeze { number } => Measure::Freeze { number },
        Customer::Unfreeze { number } => Measure::Unfreeze { number },
        Customer::Close { number } => Measure::Close { number },
        Customer::ChangeNumber { number, to } => Measure::ChangeNumber { number, to },
        Customer::RecycleNumber { number } => Measure::RecycleNumber { number },
        Customer::Erase { number, former_owners } => Measure::Erase { number, former_owners },
        Customer::BindCard { number, iccid } => Measure::BindCard { number, iccid },
        Customer::ForgetCard { number } => Measure::ForgetCard { number },
        Customer::PayUnclaimed { case, number } => Measure::PayUnclaimed { case, number },
    };
    Command::Propose(measure)
}

/// What `transfer` asks.
pub fn transfer(typed: Transfer) -> Command {
    match typed {
        Transfer::Show { reference } => Command::Transfer { reference },
        Transfer::Reverse { reference } => Command::Propose(Measure::Reverse { reference }),
        Transfer::Undelivered { full_numbers } => Command::Undelivered { full_numbers },
    }
}

/// What `staff` asks. The first two are enrolled at once; after them it takes maker and checker.
///
/// # Errors
/// [`Failure`].
pub fn staff(config: &Config, by: &By, typed: Staff) -> Result<serde_json::Value, Failure> {
    match typed {
        Staff::List => plain(config, Command::Staff),
        Staff::Secret { new_secret_file } => {
            let credentials = secrets::credentials(by.staff.as_deref(), by.secret_file.as_deref())?;
            let new_secret = Some(secrets::chosen(&credentials.name, new_secret_file.as_deref())?);
            let request = Request { staff: Some(credentials), new_secret, command: Command::ChangeSecret };
            client::ask(&config.administration.socket, &request)
        }
        Staff::Dismiss { name } => as_staff(config, by, Command::Propose(Measure::DismissStaff { name })),
        Staff::Add { name, new_secret_file } => {
            let held = plain(config, Command::Staff)?;
            let is_first = held["staff"].as_array().is_some_and(|held| held.len() < FIRST);
            let (staff, command) = if is_first {
                (None, Command::EnrolFirstStaff { name: name.clone() })
            } else {
                let credentials = secrets::credentials(by.staff.as_deref(), by.secret_file.as_deref())?;
                (Some(credentials), Command::Propose(Measure::EnrolStaff { name: name.clone() }))
            };
            let new_secret = Some(secrets::chosen(&name, new_secret_file.as_deref())?);
            client::ask(&config.administration.socket, &Request { staff, new_secret, command })
        }
    }
}
