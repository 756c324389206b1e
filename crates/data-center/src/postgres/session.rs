//! One connection, driven by a runtime of its own on the thread that uses it.

use std::collections::HashMap;
use std::future::{Future, pending, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use futures_util::future::{Either, select};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;
use tokio_postgres::error::Severity;
use tokio_postgres::types::ToSql;
use tokio_postgres::{AsyncMessage, Client, Connection, NoTls, Statement};

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
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Problem::Told(error) = self else { return f.write_str("the server does not answer") };
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

type Warnings = Arc<Mutex<Vec<String>>>;

/// Says why the database is this process's no more, once it is so.
pub(super) type Loss = watch::Receiver<Option<String>>;

/// A connection.
pub(super) struct Session {
    /// There until it is dropped.
    runtime: Option<Runtime>,
    client: Client,
    warnings: Warnings,
    statements: HashMap<String, Statement>,
    /// What ends every waiting for the server, which may never answer.
    loss: Option<Loss>,
}

/// One statement of those that are sent together.
pub(super) enum Step<'a> {
    /// Without parameters.
    Plain(String),
    /// With them.
    Prepared(Statement, Vec<Box<dyn ToSql + Sync + 'a>>),
}

impl Session {
    /// Connects; with `loss`, for as long as the database is this process's.
    pub(super) fn connect(settings: &Settings, loss: Option<Loss>) -> Result<Session, StoreError> {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| StoreError::Settings(format!("no runtime: {error}")))?;
        let warnings = Warnings::default();
        let client = runtime.block_on(until(
            loss.clone(),
            timeout(settings.patience(), async {
                match settings.tls.clone().filter(|_| settings.needs_tls()) {
                    Some(tls) => {
                        let (client, connection) = settings.config.connect(tls).await?;
                        tokio::spawn(drive(connection, Arc::clone(&warnings)));
                        Ok::<_, StoreError>(client)
                    }
                    None => {
                        let (client, connection) = settings.config.connect(NoTls).await?;
                        tokio::spawn(drive(connection, Arc::clone(&warnings)));
                        Ok(client)
                    }
                }
            }),
        ))?;
        Ok(Session { runtime: Some(runtime), client, warnings, statements: HashMap::new(), loss })
    }

    pub(super) fn run<T, E: Into<StoreError>>(
        &self,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, StoreError> {
        match &self.runtime {
            Some(runtime) => runtime.block_on(until(self.loss.clone(), work)),
            None => unreachable!("the runtime is there until the session is dropped"),
        }
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

    /// The same with a statement and any parameters.
    pub(super) fn each_of<P: ToSql + Sync>(
        &self,
        statement: &Statement,
        parameters: &[P],
        take: Take<'_>,
    ) -> Result<(), StoreError> {
        self.run(async {
            let parameters = parameters.iter().map(|parameter| parameter as &(dyn ToSql + Sync));
            let mut rows = pin!(self.client.query_raw(statement, parameters).await?);
            while let Some(row) = rows.try_next().await? {
                if !take(&row)? {
                    break;
                }
            }
            Ok::<_, StoreError>(())
        })
    }

    /// Sends all these statements at once and awaits what the server says to each. The error is that of the first which was
    /// not done.
    pub(super) fn send_together(&self, steps: &[Step<'_>]) -> Result<(), StoreError> {
        let mut waiting: Vec<_> = steps.iter().map(|step| (Box::pin(self.send(step)), None)).collect();
        // Each is polled in its turn: a statement is on its way once it was polled, so they go out in order.
        self.run(poll_fn(|context| {
            for (sent, said) in &mut waiting {
                if said.is_none()
                    && let Poll::Ready(ready) = sent.as_mut().poll(context)
                {
                    *said = Some(ready);
                }
            }
            if waiting.iter().any(|(_, said)| said.is_none()) {
                return Poll::Pending;
            }
            Poll::Ready(waiting.iter_mut().find_map(|(_, said)| said.take()?.err()).map_or(Ok(()), Err))
        }))
    }

    async fn send(&self, step: &Step<'_>) -> Result<(), tokio_postgres::Error> {
        match step {
            Step::Plain(sql) => self.client.batch_execute(sql).await,
            Step::Prepared(statement, parameters) => {
                let parameters: Vec<&(dyn ToSql + Sync)> = parameters.iter().map(|one| &**one as _).collect();
                self.client.execute(statement, &parameters).await.map(drop)
            }
        }
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

/// Awaits something as long as the database is this process's.
async fn until<T, E: Into<StoreError>>(
    loss: Option<Loss>,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, StoreError> {
    let lost = async {
        if let Some(mut loss) = loss
            && let Ok(why) = loss.wait_for(Option::is_some).await
            && let Some(why) = why.clone()
        {
            return why;
        }
        pending().await
    };
    match select(pin!(work), pin!(lost)).await {
        Either::Left((done, _)) => done.map_err(Into::into),
        Either::Right((why, _)) => Err(StoreError::LeaseLost(why)),
    }
}

/// Awaits the server, but no longer than this.
pub(super) async fn timeout<T, E: Into<StoreError>>(
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
