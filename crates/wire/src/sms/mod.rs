//! What stands in a short message.
//!
//! ```
//! use wire::sms::{self, Command, DefaultAlphabet, Keyword, Reference, Why};
//! use wire::smpp::ShortMessage;
//!
//! // In: octets to text to request.
//! let message = ShortMessage { body: b"tm*0712000002*500.50*1234".as_slice().into(), ..Default::default() };
//! let text = sms::read(&message, DefaultAlphabet::Gsm7Unpacked).unwrap();
//! let Ok(parsed) = sms::parse(text.expose()) else { panic!() };
//! let Command::Transfer { payee, amount, pin } = parsed.command else { panic!() };
//! assert_eq!((payee.as_str(), amount.digits(), amount.scale()), ("0712000002", 50050, 2));
//! assert_eq!(pin.expose(), "1234");
//!
//! let Err(malformed) = sms::parse("TM*0712000002*500") else { panic!() };
//! assert_eq!(malformed.keyword.map(Keyword::form), Some("TM*payee*amount*PIN"));
//! assert!(matches!(malformed.why, Why::FieldCount { found: 2 }));
//!
//! // Out: text to parts.
//! let template = ShortMessage::default();
//! let parts = sms::segment_text("You got 500.00 €", DefaultAlphabet::Gsm7Unpacked, Reference::Narrow(1), 3).unwrap();
//! let messages: Vec<ShortMessage> = parts.into_iter().map(|part| part.into_message(&template)).collect();
//! assert_eq!(messages.len(), 1);
//! ```

mod coding;
pub mod grammar;
pub mod gsm7;
mod joiner;
mod mask;
mod segment;
mod udh;

pub use coding::{Coding, DefaultAlphabet, Unreadable, decode, read};
pub use grammar::{Command, Field, Keyword, Language, Malformed, Parsed, TypedAmount, Why, parse};
pub use joiner::{Join, Joiner, JoinerConfig, Whole};
pub use mask::mask;
pub use segment::{Reference, Segment, TooLong, part_count, segment_binary, segment_text};
