//! Administration: what staff and operators ask of the running server over its local socket.
//!
//! Commands that change the books become requests like any other: a maker's proposal, a checker's word. Both prove themselves
//! with their own secret, for every command anew ([`gate`]); both are in the log of the books and in the server's. Whoever may
//! open the socket can ask, but nobody alone can create or move money, and nobody sees a PIN or a code here.
//!
//! [`protocol`] is what is said on the [`socket`]; [`crate::cli`] is who says it.

pub(crate) mod database;
pub mod gate;
mod lookups;
mod measures;
mod proofs;
pub mod protocol;
mod refusals;
pub(crate) mod shapes;
pub mod socket;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

use data_center::{Answer, Location, Stopped, Writer};
use encryption::{CryptoRng, Keys};
use serde_json::Value;
use transaction_processing::ids::StaffId;
use transaction_processing::{Books, Request as Asked};

use crate::cluster::Cluster;
use crate::communication_gateway::Shared;
use crate::config::Config;
use crate::numbering::Numbering;
use gate::Gate;
use protocol::{Command, Fault, FaultCode, Progress, Request};
use shapes::Numbers;

/// The operating system's generator. Where it fails the process stops: no code may be drawn without it.
pub(crate) fn system_rng() -> impl CryptoRng {
    rand::rand_core::UnwrapErr(rand::rngs::SysRng)
}

/// What is done with an answer on the committing thread, before it reaches the one who asked: its notices go to the downlink.
/// Must not block.
pub type Told = Arc<dyn Fn(&mut Answer) + Send + Sync>;

/// The room in which commands are carried out.
pub struct Administration {
    config: Arc<Config>,
    location: Location,
    keys: Arc<dyn Keys>,
    writer: Writer,
    numbering: Numbering,
    told: Told,
    gate: Gate,
    cluster: Option<(Arc<Shared>, Arc<Cluster>)>,
}

/// How long staff wait for another process to take over, before they are told that nobody decides: it takes five seconds.
const TAKE_OVER: Duration = Duration::from_secs(6);

/// A member of staff who has proven themselves.
struct Identity {
    id: StaffId,
    name: String,
}

/// Takes how far a command is.
pub type Listener<'a> = &'a mut dyn FnMut(Progress);

impl Administration {
    /// The room, from what the platform shares.
    pub fn new(
        config: Arc<Config>,
        location: Location,
        keys: Arc<dyn Keys>,
        writer: Writer,
        numbering: Numbering,
        told: Told,
    ) -> Administration {
        Administration {
            config,
            location,
            keys,
            writer,
            numbering,
            told,
            gate: Gate::new(&mut system_rng()),
            cluster: None,
        }
    }

    /// The same in one of several processes.
    #[must_use]
    pub fn of_cluster(self, shared: Arc<Shared>, cluster: Option<Arc<Cluster>>) -> Administration {
        Administration { cluster: cluster.map(|cluster| (shared, cluster)), ..self }
    }

    /// Carries out one command and waits for it: not for the threads of a runtime.
    ///
    /// # Errors
    /// [`Fault`].
    pub fn carry_out(&self, request: &Request, listener: Listener<'_>) -> Result<Value, Fault> {
        let command = request.command.name();
        let about = request.command.about();
        let staff = self.prove(request)?;
        let name = staff.as_ref().map_or("-", |staff| staff.name.as_str());
        let result = self.dispatch(request, staff.as_ref(), listener);
        match &result {
            Ok(_) => tracing::info!(staff = name, command, about, "administration: done"),
            Err(Fault { code, refusal, .. }) => {
                let refusal = refusal.as_deref();
                tracing::warn!(staff = name, command, about, ?code, refusal, "administration: not done");
            }
        }
        result
    }

    /// Who asks, where the command needs somebody.
    fn prove(&self, request: &Request) -> Result<Option<Identity>, Fault> {
        if !request.command.needs_staff() {
            return Ok(None);
        }
        let Some(credentials) = &request.staff else {
            return Err(Fault::new(FaultCode::NotProven, "this command needs a member of staff: name and secret"));
        };
        let name = credentials.name.clone();
        let found = self.ask(move |books| books.staff_named(&name).filter(|staff| staff.active).cloned())?;
        self.gate.judge(found.as_ref(), &credentials.secret, Instant::now()).inspect_err(|fault| {
            // A name that nobody bears is not logged: it may be a secret, typed in the wrong place.
            let name = found.as_ref().map_or("unknown", |staff| staff.name.as_str());
            let code = fault.code;
            tracing::warn!(staff = name, command = request.command.name(), ?code, "administration: not proven");
        })?;
        Ok(found.map(|staff| Identity { id: staff.id, name: staff.name }))
    }

    fn dispatch(&self, request: &Request, staff: Option<&Identity>, listener: Listener<'_>) -> Result<Value, Fault> {
        let staff = || staff.ok_or_else(|| Fault::new(FaultCode::NotProven, "this command needs a member of staff"));
        let new_secret = request.new_secret.as_ref();
        let database = &self.location;
        match &request.command {
            Command::Cluster => Ok(match &self.cluster {
                Some((shared, cluster)) => cluster.status(shared.edges()),
                None => serde_json::json!({ "role": "alone" }),
            }),
            Command::Version => Ok(crate::cli::version::json()),
            Command::EnrolFirstStaff { name } => self.enrol_first_staff(name, new_secret),
            Command::Staff => self.staff(),
            Command::ChangeSecret => self.change_secret(staff()?, request),
            Command::Propose(measure) => self.propose(staff()?, measure, new_secret),
            Command::Approve { proposal } => self.approve(staff()?, *proposal),
            Command::Reject { proposal } => self.reject(staff()?, *proposal),
            Command::Proposals { all, full_numbers } => self.proposals(*all, Numbers::from(*full_numbers)),
            Command::Proposal { proposal } => self.shown_proposal(*proposal),
            Command::Agents { full_numbers } => self.agents(Numbers::from(*full_numbers)),
            Command::Agent { code } => self.agent(*code),
            Command::Customer { number } => self.customer(number),
            Command::Cases { all, full_numbers } => self.cases(*all, Numbers::from(*full_numbers)),
            Command::Transfer { reference } => self.transfer(reference),
            Command::Undelivered { full_numbers } => self.undelivered(Numbers::from(*full_numbers)),
            Command::TrialBalance => self.trial_balance(),
            Command::TrustAccount => self.trust_account(),
            Command::TrustStatement => self.trust_statement(),
            Command::Head => self.head(),
            Command::KeyUse => self.key_use(),
            Command::Verify => {
                self.add_up()?;
                database::verify(database, listener)
            }
            Command::VerifyMonth { month } => database::verify_month(database, month, listener),
            Command::Detach { month } => {
                let window = self.config.policy().repeat_window_seconds;
                database::detach(database, month, window, listener)
            }
            Command::Check => database::check(database),
            Command::Sql { query } => database::sql(database, query),
            Command::Backup { file } => database::backup(database, file, listener),
        }
    }

    /// Asks the books.
    fn ask<R: Send + 'static>(&self, question: impl FnOnce(&Books) -> R + Send + 'static) -> Result<R, Fault> {
        self.writer.read(question).map_err(stopped)
    }

    /// Has a request decided and waits until the answer is durable and its notices are on their way.
    fn submit(&self, request: Asked) -> Result<Answer, Fault> {
        if self.cluster.as_ref().is_some_and(|(_, cluster)| !cluster.finds_decider(TAKE_OVER)) {
            let advice = "no process decides now that is reached from here: nothing was done. `wakala cluster status` says \
                          more; try again";
            return Err(Fault::new(FaultCode::NobodyDecides, advice));
        }
        let (tell, answered) = sync_channel(1);
        let told = Arc::clone(&self.told);
        let reply = move |mut answer: Answer| {
            told(&mut answer);
            // Whoever asked may have gone; the answer is in the log all the same.
            let _ = tell.try_send(answer);
        };
        self.writer.submit(request, reply).map_err(stopped)?;
        answered.recv().map_err(|_| {
            let advice = "no answer came, and whether it was done is not known: look before you ask again";
            Fault::new(FaultCode::Stopping, advice)
        })
    }
}

fn stopped(_: Stopped) -> Fault {
    Fault::new(FaultCode::Stopping, "the server is ending: try again when it runs")
}
