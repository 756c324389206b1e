//! The catalogues as Fluent reads them.

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};
use thiserror::Error;
use transaction_processing::number::Language;
use transaction_processing::refusal::Refusal;
use unic_langid::LanguageIdentifier;
use zeroize::Zeroizing;

use super::message::{self, Message};

/// The words of every language.
pub struct Catalogues {
    english: FluentBundle<FluentResource>,
    french: FluentBundle<FluentResource>,
    swahili: FluentBundle<FluentResource>,
    chinese: FluentBundle<FluentResource>,
}

/// A catalogue that the program cannot work with.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum CatalogueError {
    /// It cannot be read, or has a message twice.
    #[error("the catalogue {language} cannot be read: {reason}")]
    Unreadable {
        /// Which.
        language: &'static str,
        /// Why.
        reason: String,
    },
    /// A message is missing.
    #[error("the catalogue {language} lacks the message {id}")]
    Lacking {
        /// Which.
        language: &'static str,
        /// What.
        id: &'static str,
    },
}

/// The source of a catalogue.
pub(super) const fn source(language: Language) -> &'static str {
    match language {
        Language::English => include_str!("../../catalogues/en.ftl"),
        Language::French => include_str!("../../catalogues/fr.ftl"),
        Language::Swahili => include_str!("../../catalogues/sw.ftl"),
        Language::Chinese => include_str!("../../catalogues/zh.ftl"),
    }
}

/// The name of a language (BCP 47).
const fn name(language: Language) -> &'static str {
    match language {
        Language::English => "en",
        Language::French => "fr",
        Language::Swahili => "sw",
        Language::Chinese => "zh-Hans",
    }
}

/// The names of all messages that the program can ask for.
pub(super) fn all_ids() -> impl Iterator<Item = &'static str> {
    let refusals = Refusal::ALL.iter().map(|why| message::of_refusal(*why));
    Message::ALL.iter().map(|message| message.id()).chain(refusals)
}

fn bundle(language: Language) -> Result<FluentBundle<FluentResource>, CatalogueError> {
    let name = name(language);
    let unreadable = |reason| CatalogueError::Unreadable { language: name, reason };
    let identifier: LanguageIdentifier = name.parse().map_err(|error| unreadable(format!("{error:?}")))?;
    let resource = FluentResource::try_new(source(language).to_owned())
        .map_err(|(_, errors)| unreadable(format!("{errors:?}")))?;
    let mut bundle = FluentBundle::new_concurrent(vec![identifier]);
    // The marks around arguments are outside GSM-7 and would make every text UCS-2, 70 characters instead of 160.
    bundle.set_use_isolating(false);
    bundle.add_resource(resource).map_err(|errors| unreadable(format!("{errors:?}")))?;
    let lacking = all_ids().find(|id| bundle.get_message(id).and_then(|message| message.value()).is_none());
    match lacking {
        Some(id) => Err(CatalogueError::Lacking { language: name, id }),
        None => Ok(bundle),
    }
}

impl Catalogues {
    /// The catalogues that are built into the program.
    ///
    /// # Errors
    /// When one cannot be read or lacks a message that the program can ask for.
    pub fn load() -> Result<Catalogues, CatalogueError> {
        Ok(Catalogues {
            english: bundle(Language::English)?,
            french: bundle(Language::French)?,
            swahili: bundle(Language::Swahili)?,
            chinese: bundle(Language::Chinese)?,
        })
    }

    fn of(&self, language: Language) -> &FluentBundle<FluentResource> {
        match language {
            Language::English => &self.english,
            Language::French => &self.french,
            Language::Swahili => &self.swahili,
            Language::Chinese => &self.chinese,
        }
    }

    /// The message of this name, which is one of [`all_ids`]. It is written into room reserved beforehand, so that a code in
    /// it leaves no copy behind when the string is wiped.
    pub(super) fn write(&self, language: Language, id: &str, arguments: &FluentArgs<'_>) -> Zeroizing<String> {
        const ROOM: usize = 2048;
        let mut text = Zeroizing::new(String::with_capacity(ROOM));
        let mut errors = Vec::new();
        let bundle = self.of(language);
        let pattern = bundle.get_message(id).and_then(|message| message.value());
        let pattern = pattern.unwrap_or_else(|| unreachable!("load() found {id} in every catalogue"));
        let written = bundle.write_pattern(&mut *text, pattern, Some(arguments), &mut errors);
        // Every text of every language is rendered in the tests; a gap in a text is no reason to stop telling people.
        debug_assert!(written.is_ok() && errors.is_empty(), "{id}: {errors:?}");
        text
    }
}
