//! `LG*language`: in which language a number is written to.

use super::{Draft, Scene, Stop};
use crate::decision::Change;
use crate::notice::Text;
use crate::number::Language;

/// What `LG` says.
pub struct Fields {
    /// The language.
    pub language: Language,
}

pub(super) fn decide(scene: &Scene<'_>, fields: &Fields, draft: &mut Draft) -> Result<(), Stop> {
    let from = scene.asker()?;
    let mut number = scene.number_or_new(from);
    number.language = Some(fields.language);
    draft.change(Change::Number(*number));
    scene.tell(draft, from, Text::LanguageSet);
    // The answer already speaks it.
    if let Some(notice) = draft.notices.last_mut() {
        notice.language = fields.language;
    }
    Ok(())
}
