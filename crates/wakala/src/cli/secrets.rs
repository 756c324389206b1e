//! Secrets of staff: from a file or typed without echo, never on the command line, where every process could read them.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::path::Path;

use wire::Secret;

use super::exit::{Exit, Failure};
use crate::administration::protocol::Credentials;
use crate::config::read_secret;

/// Who asks, with their secret.
///
/// # Errors
/// [`Failure`] where neither options nor a terminal tell.
pub fn credentials(name: Option<&str>, file: Option<&Path>) -> Result<Credentials, Failure> {
    let name = match name {
        Some(name) => name.to_owned(),
        None if io::stdin().is_terminal() => typed("Your name as staff: ")?,
        None => return Err(Failure::new(Exit::Usage, "say who you are: --staff NAME, and --secret-file FILE")),
    };
    let secret = match file {
        Some(file) => from_file(file)?,
        None => prompted(&format!("Secret of {name}: "))?,
    };
    Ok(Credentials { name, secret })
}

/// The secret that a member of staff chooses; typed twice.
///
/// # Errors
/// [`Failure`].
pub fn chosen(name: &str, file: Option<&Path>) -> Result<Secret, Failure> {
    let Some(file) = file else {
        let secret = prompted(&format!("{name} chooses a secret of at least 12 characters: "))?;
        let again = prompted("The same again: ")?;
        let differ = || Failure::new(Exit::Usage, "the two are not the same: nothing was done");
        return if secret.same(&again) { Ok(secret) } else { Err(differ()) };
    };
    from_file(file)
}

/// Asks yes or no; no where nobody can be asked.
pub fn confirmed(question: &str) -> bool {
    typed(&format!("{question} [y/N] ")).is_ok_and(|answer| matches!(answer.as_str(), "y" | "Y" | "yes"))
}

fn from_file(file: &Path) -> Result<Secret, Failure> {
    read_secret(file).map_err(|error| Failure::new(Exit::Configuration, error.to_string()))
}

fn typed(prompt: &str) -> Result<String, Failure> {
    let unheard = |error: io::Error| Failure::new(Exit::Usage, error.to_string());
    let mut told = io::stderr();
    told.write_all(prompt.as_bytes()).and_then(|()| told.flush()).map_err(unheard)?;
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).map_err(unheard)?;
    Ok(line.trim().to_owned())
}

fn prompted(prompt: &str) -> Result<Secret, Failure> {
    let untold = |_| Failure::new(Exit::Usage, "no terminal to type a secret at: name a file with --secret-file");
    rpassword::prompt_password(prompt).map(Secret::new).map_err(untold)
}
