//! One connection, driven by a runtime of its own on the thread that uses it.

use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;

use futures_util::TryStreamExt as _;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::error::Severity;
use tokio_postgres::types::ToSql;
use tokio_postgres::{AsyncMessage, Client, Connection, NoTls, Statement};

use super::settings::Settings;
use crate::reading::Take;
use crate::store::StoreError;

/// What PostgreSQL or the way to it says. Of an error of the server's it tells message and code alone: the rest may quote
/// what was being written.
#[derive(Debug)]
pub struct Problem(tokio_postgres::Error);

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0.as_db_error() {
            Some(error) => write!(f, "{} ({})", error.message(), error.code().code()),
            None => match std::error::Error::source(&self.0) {
                Some(source) => write!(f, "{}: {source}", self.0),
                None => write!(f, "{}", self.0),
            },
        }
    }
}

impl std::error::Error for Problem {}

impl Problem {
    /// The server's code for what it refused, the connection and the session being well; none where it is not known what
    /// the server did with what was sent last.
    fn refusal(&self) -> Option<&str> {
        let error = self.0.as_db_error()?;
        (error.parsed_severity() == Some(Severity::Error)).then(|| error.code().code())
    }
}

impl From<tokio_postgres::Error> for StoreError {
    fn from(error: tokio_postgres::Error) -> StoreError {
        StoreError::Postgres(Problem(error))
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

/// A connection.
pub(super) struct Session {
    /// There until it is dropped.
    runtime: Option<Runtime>,
    client: Client,
    warnings: Warnings,
    statements: HashMap<String, Statement>,
}

/// One statement of those that are sent together.
pub(super) enum Step<'a> {
    /// Without parameters.
    Plain(String),
    /// With them.
    Prepared(Statement, Vec<Box<dyn ToSql + Sync + 'a>>),
}

impl Session {
    pub(super) fn connect(settings: &Settings) -> Result<Session, StoreError> {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| StoreError::Settings(format!("no runtime: {error}")))?;
        let warnings = Warnings::default();
        let client = runtime.block_on(async {
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
        })?;
        Ok(Session { runtime: Some(runtime), client, warnings, statements: HashMap::new() })
    }

    pub(super) fn run<T>(&self, work: impl Future<Output = T>) -> T {
        match &self.runtime {
            Some(runtime) => runtime.block_on(work),
            None => unreachable!("the runtime is there until the session is dropped"),
        }
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// Statements without parameters and without answers.
    pub(super) fn execute(&self, statements: &str) -> Result<(), StoreError> {
        Ok(self.run(self.client.batch_execute(statements))?)
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
            Ok(())
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
            if waiting.iter().all(|(_, said)| said.is_some()) { Poll::Ready(()) } else { Poll::Pending }
        }));
        for (_, said) in waiting {
            said.unwrap_or(Ok(()))?;
        }
        Ok(())
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
