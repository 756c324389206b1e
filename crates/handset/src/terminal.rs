//! A phone for the terminal: one line typed is one message sent, one message that comes is one line printed.
//!
//! It is a well-behaved line program: with a terminal it prompts; without, in scripts, it prints only what happens.
//! It ends at the end of its input, after staying as long as it was told to for answers.

use crate::net::{RadioClient, RadioEvent};
use crate::phone::{Incoming, Phone};
use core::time::Duration;
use std::io::{self, BufRead as _, IsTerminal as _, Write};
use tokio::sync::mpsc;
use tokio::time::Instant;
use zeroize::Zeroizing;

/// How a terminal phone behaves.
#[derive(Debug, Clone)]
pub struct TerminalOptions {
    /// To whom everything typed goes.
    pub short_code: String,
    /// Also print the octets as they travel.
    pub show_wire: bool,
    /// The most parts of one message.
    pub parts: u8,
    /// Stay at the end of the input until nothing has come for so long.
    pub linger: Duration,
}

impl Default for TerminalOptions {
    /// To 15050, without octets, in one part; ends with its input.
    fn default() -> Self {
        Self { short_code: "15050".to_owned(), show_wire: false, parts: 1, linger: Duration::ZERO }
    }
}

/// A line that was typed; it may hold a PIN.
pub type Typed = Zeroizing<String>;

/// Runs on standard input and output, with a prompt if both are a terminal.
///
/// # Errors
/// When the centre is lost or the output ends.
pub async fn run(radio: RadioClient, phone: Phone, options: TerminalOptions) -> io::Result<()> {
    let prompt = io::stdin().is_terminal() && io::stdout().is_terminal();
    Terminal { phone, options, prompt, out: io::stdout(), begin: Instant::now() }.run(radio, typed_lines()).await
}

/// Runs without a prompt on other input and output. The input ends when its sender is dropped.
///
/// # Errors
/// When the centre is lost or the output ends.
pub async fn run_on(
    radio: RadioClient,
    phone: Phone,
    options: TerminalOptions,
    typed: mpsc::Receiver<Typed>,
    out: impl Write,
) -> io::Result<()> {
    Terminal { phone, options, prompt: false, out, begin: Instant::now() }.run(radio, typed).await
}

/// Reads standard input on a thread of its own: the program can end while that waits for a line.
fn typed_lines() -> mpsc::Receiver<Typed> {
    let (sender, lines) = mpsc::channel(1);
    std::thread::spawn(move || {
        let mut input = io::stdin().lock();
        loop {
            let mut line = Typed::default();
            match input.read_line(&mut line) {
                Ok(0) | Err(_) => return,
                Ok(_) if sender.blocking_send(line).is_err() => return,
                Ok(_) => {}
            }
        }
    });
    lines
}

struct Terminal<W> {
    phone: Phone,
    options: TerminalOptions,
    prompt: bool,
    out: W,
    begin: Instant,
}

impl<W: Write> Terminal<W> {
    async fn run(mut self, mut radio: RadioClient, mut typed: mpsc::Receiver<Typed>) -> io::Result<()> {
        let number = self.phone.number();
        let kind = if self.phone.seals() { "sealed" } else { "plain" };
        self.say(&format!("phone +{number} ({kind}) writes to {}", self.options.short_code))?;
        loop {
            tokio::select! {
                line = typed.recv() => match line {
                    Some(line) => self.send(&mut radio, line.trim()).await?,
                    None => break,
                },
                event = radio.next() => self.hear(event?)?,
            }
        }
        while let Ok(event) = tokio::time::timeout(self.options.linger, radio.next()).await {
            self.hear(event?)?;
        }
        if self.prompt { writeln!(self.out) } else { Ok(()) }
    }

    async fn send(&mut self, radio: &mut RadioClient, text: &str) -> io::Result<()> {
        if text.is_empty() {
            return self.ask();
        }
        let messages = match self.phone.compose_parts(text, self.options.parts) {
            Ok(messages) => messages,
            Err(why) => return self.say(&format!("not sent: {why}")),
        };
        for message in &messages {
            if self.options.show_wire {
                self.say(&format!("  out {}", crate::hex::encode(&message.body)))?;
            }
            radio.send(&self.options.short_code, message).await?;
        }
        self.ask()
    }

    fn hear(&mut self, event: Option<RadioEvent>) -> io::Result<()> {
        match event {
            None => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the message centre is gone")),
            Some(RadioEvent::Sent) => Ok(()),
            Some(RadioEvent::Refused { why }) => self.say(&format!("not sent: {}", *printable(&why))),
            Some(RadioEvent::Incoming(message)) => match self.phone.receive(self.begin.elapsed(), &message) {
                Some(incoming) => self.show(&incoming),
                None => Ok(()),
            },
        }
    }

    fn show(&mut self, incoming: &Incoming) -> io::Result<()> {
        let time = jiff::Zoned::now().strftime("%H:%M:%S");
        let sealed = if incoming.sealed { " [sealed]" } else { "" };
        let text = match &incoming.text {
            Ok(text) => printable(text.expose()),
            Err(why) => Zeroizing::new(format!("(cannot be read: {why})")),
        };
        let from = printable(&incoming.from);
        self.say(&Zeroizing::new(format!("{time} {}{sealed}: {}", *from, *text)))?;
        if self.options.show_wire {
            self.say(&format!("  in  {}", incoming.wire_hex()))?;
        }
        Ok(())
    }

    /// Prints a line, in the prompt's place if there is one.
    fn say(&mut self, line: &str) -> io::Result<()> {
        if self.prompt {
            write!(self.out, "\r")?;
        }
        writeln!(self.out, "{line}")?;
        self.ask()
    }

    fn ask(&mut self) -> io::Result<()> {
        if self.prompt {
            write!(self.out, "> ")?;
        }
        self.out.flush()
    }
}

/// Without control characters, by which a message could command the terminal.
fn printable(text: &str) -> Zeroizing<String> {
    let mut printable = Zeroizing::new(String::with_capacity(text.len() * 3));
    printable.extend(text.chars().map(|character| match character {
        '\n' | '\r' => ' ',
        character if character.is_control() => char::REPLACEMENT_CHARACTER,
        character => character,
    }));
    printable
}
