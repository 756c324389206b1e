//! Logs: one event a line on standard error, JSON for machines, text for people.

use std::io::{self, IsTerminal as _};

use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing::subscriber::SetGlobalDefaultError;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{Layer, Registry, reload};

use crate::config::{Log, LogFormat, LogLevel};

/// Changes the level of the running logs.
#[derive(Clone)]
pub struct LevelSwitch(Box<reload::Handle<LevelFilter, Registry>>);

impl LevelSwitch {
    /// From now on events of at least this level are logged.
    pub fn set(&self, level: LogLevel) {
        // It fails only once the logs are gone, and then nobody would read them.
        let _ = self.0.reload(LevelFilter::from(level));
    }
}

impl From<LogLevel> for LevelFilter {
    fn from(level: LogLevel) -> LevelFilter {
        match level {
            LogLevel::Error => LevelFilter::ERROR,
            LogLevel::Warn => LevelFilter::WARN,
            LogLevel::Info => LevelFilter::INFO,
            LogLevel::Debug => LevelFilter::DEBUG,
            LogLevel::Trace => LevelFilter::TRACE,
        }
    }
}

/// Begins to log on standard error. Colours are left out where `NO_COLOR` is set (no-color.org). Lines are written by whoever
/// logs them, one after the other: a reader of standard error that stops reading stops the platform, so that nothing is lost.
///
/// # Errors
/// When the process logs already.
pub fn start(log: &Log) -> Result<LevelSwitch, SetGlobalDefaultError> {
    let is_terminal = io::stderr().is_terminal();
    let as_json = match log.format {
        LogFormat::Json => true,
        LogFormat::Text => false,
        LogFormat::Auto => !is_terminal,
    };
    let coloured = is_terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let (subscriber, switch) = subscriber(as_json, coloured, log.level, io::stderr);
    tracing::subscriber::set_global_default(subscriber)?;
    Ok(switch)
}

fn subscriber<W>(
    as_json: bool,
    coloured: bool,
    level: LogLevel,
    writer: W,
) -> (impl Subscriber + Send + Sync, LevelSwitch)
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let (filter, handle) = reload::Layer::new(LevelFilter::from(level));
    let subscriber = tracing_subscriber::registry().with(filter).with(lines(as_json, coloured, writer));
    (subscriber, LevelSwitch(Box::new(handle)))
}

fn lines<S, W>(as_json: bool, coloured: bool, writer: W) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'s> LookupSpan<'s>,
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let layer = tracing_subscriber::fmt::layer().with_writer(writer).with_ansi(coloured);
    if as_json { layer.json().flatten_event(true).boxed() } else { layer.boxed() }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use transaction_processing::Msisdn;

    use super::super::Shortened;
    use super::*;

    /// What was written.
    #[derive(Clone, Default)]
    struct Paper(Arc<Mutex<Vec<u8>>>);

    impl Paper {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    impl io::Write for Paper {
        fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(octets);
            Ok(octets.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn number() -> Msisdn {
        Msisdn::new(255_712_345_678).unwrap()
    }

    #[test]
    fn a_machine_reads_one_object_a_line_with_shortened_numbers() {
        let paper = Paper::default();
        let writer = paper.clone();
        let (subscriber, _) = subscriber(true, false, LogLevel::Info, move || writer.clone());
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!(from = %Shortened(number()), refusal = "NotRegistered", "refused");
            tracing::warn!(payee = ?number(), "line\nbreak");
            tracing::debug!("unseen");
        });
        let text = paper.text();
        let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 2, "{text}");
        assert_eq!(
            (&lines[0]["message"], &lines[0]["from"], &lines[0]["level"]),
            (&"refused".into(), &"255…678".into(), &"INFO".into())
        );
        assert!(lines[0]["timestamp"].as_str().unwrap().ends_with('Z'));
        assert!(!text.contains("712345"), "{text}");
    }

    #[test]
    fn the_level_can_be_changed_while_it_runs() {
        let paper = Paper::default();
        let writer = paper.clone();
        let (subscriber, switch) = subscriber(false, false, LogLevel::Warn, move || writer.clone());
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!("first");
            switch.set(LogLevel::Debug);
            tracing::debug!("second");
            switch.set(LogLevel::Error);
            tracing::warn!("third");
        });
        let text = paper.text();
        assert!(text.contains("second") && !text.contains("first") && !text.contains("third"), "{text}");
        assert!(!text.contains('\u{1b}'), "no colours off a terminal");
    }
}
