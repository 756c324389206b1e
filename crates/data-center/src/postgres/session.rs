//! One connection, driven by a runtime of its own on the thread that uses it.

use std::collections::HashMap;
use std::future::{Future, pending, poll_fn, ready};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::{Duration, Instant};

use futures_util::TryStreamExt as _;
use futures_util::future::{Either, select, select_ok};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::runtime::{Builder, Runtime};
use tokio::task::yield_now;
use tokio_postgres::config::SslMode;
use tokio_postgres::error::Severity;
use tokio_postgres::types::ToSql;
use tokio_postgres::{AsyncMessage, Client, Connection, NoTls, Statement};

use super::fate::Loss;
use super::settings::Settings;
use crate::reading::{Take, signed};
use crate::store::StoreError;

/// What PostgreSQL or the way to it says. Of an error of the server's it tells message and code alone: the rest may quote
/// what was being written.
pub enum Problem {
    /// As the client tells it.
    Told(tokio_postgres::Error),
    /// There is no answer.
    Silence,
    /// There will be none that counts: another server has taken over.
    Succeeded,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let error = match self {
            Problem::Told(error) => error,
            Problem::Silence => return f.write_str("the server does not answer"),
            Problem::Succeeded => return f.write_str("another server has taken over"),
        };
        match (error.as_db_error(), std::error::Error::source(error)) {
            (Some(error), _) => write!(f, "{} ({})", error.message(), error.code().code()),
            (None, Some(source)) => write!(f, "{error}: {source}"),
            (None, None) => write!(f, "{error}"),
        }
    }
}

impl std::fmt::Debug for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

impl std::error::Error for Problem {}

impl Problem {
    /// Whether it may be otherwise soon: nobody listens or can be written, or the server starts or ends (class 57P), or has
    /// too many connections.
    pub(super) fn may_pass(&self) -> bool {
        let Problem::Told(error) = self else { return true };
        error.code().is_none_or(|code| code.code().starts_with("57P") || code.code() == "53300")
    }

    /// The server's code for what it refused, the connection and the session being well; none where it is not known what
    /// the server did with what was sent last.
    fn refusal(&self) -> Option<&str> {
        let Problem::Told(error) = self else { return None };
        let error = error.as_db_error()?;
        (error.parsed_severity() == Some(Severity::Error)).then(|| error.code().code())
    }
}

impl From<tokio_postgres::Error> for StoreError {
    fn from(error: tokio_postgres::Error) -> StoreError {
        StoreError::Postgres(Problem::Told(error))
    }
}

/// The server's code for what it refused, see [`Problem::refusal`].
pub(super) fn refusal(error: &StoreError) -> Option<&str> {
    match error {
        StoreError::Postgres(problem) => problem.refusal(),
        _ => None,
    }
}

/// Whether an error leaves open what the server did.
pub(super) fn is_unknown(error: &StoreError) -> bool {
    matches!(error, StoreError::Postgres(problem) if problem.refusal().is_none())
}

/// How many statements a connection keeps prepared. There is one for each set of tables that a batch touches: a dozen are
/// common, and the server holds some hundred kilobytes for each.
const MOST_STATEMENTS: usize = 64;

/// How many rows of an answer are held back until all of it is there: more than any lookup beside the writer has.
const HELD: usize = 16_384;

type Warnings = Arc<Mutex<Vec<String>>>;

/// A connection.
pub(super) struct Session {
    /// There until it is dropped.
    runtime: Option<Runtime>,
    client: Arc<Client>,
    warnings: Warnings,
    statements: HashMap<String, Statement>,
    /// What ends every waiting for the server, which may never answer.
    loss: Option<Loss>,
    /// The server's.
    timeline: i64,
    /// Until when it waits for an answer; none where that may take its time.
    pub(super) until: Option<Instant>,
}

/// A parameter of a statement that is on its way.
pub(super) type Parameter = Box<dyn ToSql + Sync + Send>;

/// A statement that was sent: what the server says to it.
pub(super) type Sent = Pin<Box<dyn Future<Output = Result<(), StoreError>> + Send>>;

impl Session {
    /// Connects; with `loss`, for as long as the database is this process's.
    pub(super) fn connect(settings: &Settings, loss: Option<Loss>) -> Result<Session, StoreError> {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| StoreError::Settings(format!("no runtime: {error}")))?;
        let warnings = Warnings::default();
        let timeline = loss.as_ref().map_or(0, |loss| loss.borrow().timeline);
        let hosts = settings.hosts.iter().map(|host| Box::pin(reach(host, settings, &warnings)));
        let reached = timeout(settings.patience(), async { Ok::<_, StoreError>(select_ok(hosts).await?.0) });
        let client = Arc::new(runtime.block_on(until(loss.clone(), timeline, reached))?);
        let (runtime, statements) = (Some(runtime), HashMap::new());
        let mut session = Session { runtime, client, warnings, statements, loss, timeline, until: None };
        if session.loss.is_some() {
            session.timeline = session.timeline()?;
            if session.timeline < timeline {
                return Err(StoreError::Postgres(Problem::Succeeded));
            }
        }
        Ok(session)
    }

    pub(super) fn run<T, E: Into<StoreError>>(
        &self,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, StoreError> {
        let Some(runtime) = &self.runtime else { unreachable!("the runtime is there until the session is dropped") };
        let in_time = async {
            match self.until {
                Some(until) => timeout(until.saturating_duration_since(Instant::now()), work).await,
                None => work.await.map_err(Into::into),
            }
        };
        runtime.block_on(until(self.loss.clone(), self.timeline, in_time))
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// Statements without parameters and without answers.
    pub(super) fn execute(&self, statements: &str) -> Result<(), StoreError> {
        self.run(self.client.batch_execute(statements))
    }

    /// A statement, prepared once.
    pub(super) fn statement(&mut self, sql: &str) -> Result<Statement, StoreError> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        if self.statements.len() >= MOST_STATEMENTS {
            self.statements.clear();
        }
        let statement = self.run(self.client.prepare(sql))?;
        self.statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    /// Puts a question and hands over the rows of the answer.
    pub(super) fn each(&mut self, question: &str, parameters: &[i64], take: Take<'_>) -> Result<(), StoreError> {
        let statement = self.statement(question)?;
        self.each_of(&statement, parameters, take)
    }

    /// The one figure that answers a question; zero where nothing does.
    pub(super) fn figure(&mut self, question: &str) -> Result<i64, StoreError> {
        let mut found = 0;
        self.each(question, &[], &mut |row| {
            found = signed(row, 0)?;
            Ok(true)
        })?;
        Ok(found)
    }

    /// Which of the servers that have taken over from one another this is: it rises with each. A standby has none, 0.
    pub(super) fn timeline(&mut self) -> Result<i64, StoreError> {
        self.figure(
            "SELECT CASE WHEN pg_is_in_recovery() THEN 0
                ELSE ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::bigint END",
        )
    }

    /// The same with a statement and any parameters. Of an answer of no more than [`HELD`] rows nothing is handed over before
    /// all of it is there: so the question can be put again where the connection is lost.
    pub(super) fn each_of<P: ToSql + Sync>(
        &self,
        statement: &Statement,
        parameters: &[P],
        take: Take<'_>,
    ) -> Result<(), StoreError> {
        self.run(async {
            let parameters = parameters.iter().map(|parameter| parameter as &(dyn ToSql + Sync));
            let mut rows = pin!(self.client.query_raw(statement, parameters).await?);
            let mut held = Vec::new();
            while held.len() < HELD
                && let Some(row) = rows.try_next().await?
            {
                held.push(row);
            }
            let is_whole = held.len() < HELD;
            for row in held {
                if !take(&row)? {
                    return Ok(());
                }
            }
            while !is_whole && let Some(row) = rows.try_next().await? {
                if !take(&row)? {
                    break;
                }
            }
            Ok::<_, StoreError>(())
        })
    }

    /// Sends a statement and does not await what the server says. Statements reach it in the order in which they are sent.
    pub(super) fn send(&self, statement: Statement, parameters: Vec<Parameter>) -> Result<Sent, StoreError> {
        let client = Arc::clone(&self.client);
        let mut sent: Sent = Box::pin(async move {
            let parameters: Vec<&(dyn ToSql + Sync)> = parameters.iter().map(|one| &**one as _).collect();
            client.execute(&statement, &parameters).await.map(drop).map_err(Into::into)
        });
        // Polled once, it is in the hands of the connection; yielding lets that write.
        let said = self.run(async {
            let said = poll_fn(|context| Poll::Ready(sent.as_mut().poll(context))).await;
            yield_now().await;
            Ok::<_, StoreError>(said)
        })?;
        Ok(match said {
            Poll::Ready(said) => Box::pin(ready(said)),
            Poll::Pending => sent,
        })
    }

    /// Awaits what the server says to a statement that was sent.
    pub(super) fn settle(&self, sent: &mut Sent) -> Result<(), StoreError> {
        self.run(sent.as_mut())
    }

    /// What the server warned of since this was asked last.
    pub(super) fn warnings(&self) -> Vec<String> {
        std::mem::take(&mut *self.warnings.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // A session may end on a thread of another runtime, which must not wait for this one.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Connects to one host.
async fn reach(
    host: &tokio_postgres::Config,
    settings: &Settings,
    warnings: &Warnings,
) -> Result<Client, tokio_postgres::Error> {
    match settings.tls.clone().filter(|_| host.get_ssl_mode() != SslMode::Disable) {
        Some(tls) => {
            let (client, connection) = host.connect(tls).await?;
            tokio::spawn(drive(connection, Arc::clone(warnings)));
            Ok(client)
        }
        None => {
            let (client, connection) = host.connect(NoTls).await?;
            tokio::spawn(drive(connection, Arc::clone(warnings)));
            Ok(client)
        }
    }
}

/// Awaits something as long as the database is this process's, and no other server has taken over.
async fn until<T, E: Into<StoreError>>(
    loss: Option<Loss>,
    timeline: i64,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, StoreError> {
    let ended = async {
        if let Some(mut loss) = loss
            && let Ok(standing) = loss.wait_for(|now| now.lost.is_some() || now.timeline > timeline).await
        {
            return standing.lost.clone();
        }
        pending().await
    };
    match select(pin!(work), pin!(ended)).await {
        Either::Left((done, _)) => done.map_err(Into::into),
        Either::Right((Some(why), _)) => Err(StoreError::LeaseLost(why)),
        Either::Right((None, _)) => Err(StoreError::Postgres(Problem::Succeeded)),
    }
}

/// Awaits the server, but no longer than this.
async fn timeout<T, E: Into<StoreError>>(
    patience: Duration,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, StoreError> {
    match tokio::time::timeout(patience, work).await {
        Ok(done) => done.map_err(Into::into),
        Err(_) => Err(StoreError::Postgres(Problem::Silence)),
    }
}

/// Keeps the connection going and writes down what the server warns of.
async fn drive<S, T>(mut connection: Connection<S, T>, warnings: Warnings)
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    // An error closes the connection; whoever asks something next is told.
    while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
        if let AsyncMessage::Notice(notice) = message
            && notice.parsed_severity() == Some(Severity::Warning)
        {
            warnings.lock().unwrap_or_else(PoisonError::into_inner).push(notice.message().to_owned());
        }
    }
}
