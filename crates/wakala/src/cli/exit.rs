//! How a command ends, for scripts. The codes are those of sysexits.h where it has one.

use std::fmt;

use encryption::TokenError;

use crate::administration::protocol::{Fault, FaultCode};
use crate::config::ConfigError;
use crate::keyring;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// Refused or failed, or something was found by a check.
    Refused = 1,
    /// The command line, or what was typed, is not understood.
    Usage = 2,
    /// The server is not reachable.
    Unreachable = 69,
    /// Try again later.
    TryLater = 75,
    /// The configuration or a file that it names is wrong.
    Configuration = 78,
}

/// What stands below `wakala --help`.
pub const EXPLAINED: &str = "\
Exit codes:
  0   done
  1   refused or failed, or a check found something
  2   the command line, or something typed, is not understood
  69  the server is not reachable
  75  try again later: paused, busy, ending or nobody decides
  78  the configuration, or a file that it names, is wrong";

/// Why a command was not done: a sentence that says what to do, and how the process ends.
#[derive(Debug)]
pub struct Failure {
    /// How the process ends.
    pub exit: Exit,
    /// What is told.
    pub message: String,
    /// What the server said, for machines.
    pub fault: Option<Fault>,
}

impl Failure {
    /// A failure that ends so.
    pub fn new(exit: Exit, message: impl Into<String>) -> Failure {
        Failure { exit, message: message.into(), fault: None }
    }

    /// The same as one JSON object.
    pub fn json(&self) -> serde_json::Value {
        match &self.fault {
            Some(fault) => serde_json::json!({ "error": fault, "exit": self.exit as u8 }),
            None => serde_json::json!({ "error": { "message": self.message }, "exit": self.exit as u8 }),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Failure {
        let exit = match fault.code {
            FaultCode::BadRequest => Exit::Usage,
            FaultCode::NotProven | FaultCode::Refused | FaultCode::NotFound | FaultCode::Failed => Exit::Refused,
            FaultCode::Paused | FaultCode::Busy | FaultCode::Stopping | FaultCode::NobodyDecides => Exit::TryLater,
        };
        Failure { exit, message: fault.message.clone(), fault: Some(fault) }
    }
}

impl From<&keyring::Failure> for Exit {
    fn from(failure: &keyring::Failure) -> Exit {
        match failure {
            keyring::Failure::Versions(_) | keyring::Failure::Token { error: TokenError::KeysThere(_), .. } => {
                Exit::Refused
            }
            failure if failure.may_pass() => Exit::TryLater,
            keyring::Failure::File { .. } | keyring::Failure::Token { .. } => Exit::Configuration,
        }
    }
}

impl From<keyring::Failure> for Failure {
    fn from(failure: keyring::Failure) -> Failure {
        Failure::new(Exit::from(&failure), failure.to_string())
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Failure {
        Failure::new(Exit::Configuration, error.to_string())
    }
}
