//! What a person would read off a message: references, codes, balances.

use super::Failure;

/// The digits that stand right behind some words.
///
/// # Errors
/// [`Failure::Unreadable`] where there are none.
pub fn digits_after(text: &str, words: &str) -> Result<String, Failure> {
    let found = text.split_once(words).map(|(_, rest)| leading(rest, |character| character.is_ascii_digit()));
    found.filter(|digits| !digits.is_empty()).ok_or_else(|| Failure::Unreadable(words.to_owned(), text.to_owned()))
}

/// The twelve digits of the reference, as they are typed.
///
/// # Errors
/// [`Failure::Unreadable`].
pub fn reference(text: &str) -> Result<String, Failure> {
    let grouped = text.split_once("Ref ").map(|(_, rest)| leading(rest, |one| one.is_ascii_digit() || one == ' '));
    let digits = grouped.map(|grouped| grouped.replace(' ', "")).filter(|digits| digits.len() == 12);
    digits.ok_or_else(|| Failure::Unreadable("Ref".to_owned(), text.to_owned()))
}

/// The balance that a message tells, as it tells it.
pub fn balance(text: &str) -> Option<String> {
    let (_, rest) = text.rsplit_once("Balance ")?;
    let told = leading(rest, |one| one.is_ascii_alphanumeric() || matches!(one, ' ' | ',' | '.' | '-'));
    // The full stop that ends the sentence is not the amount's.
    let end = told.find(". ").unwrap_or(told.len());
    let told = told[..end].trim_end_matches(['.', ' ']);
    (told.chars().any(|one| one.is_ascii_digit())).then(|| told.to_owned())
}

fn leading(text: &str, belongs: impl Fn(char) -> bool) -> String {
    text.chars().take_while(|character| belongs(*character)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_codes_and_balances_are_read_as_people_read_them() {
        let text = "Ref 4829 1337 5520: TZS 5,000.00 for +255784000004, to collect by 29 Nov 07:04. Fees 66.00. \
                    Balance 144,934.00.";
        assert_eq!(reference(text).unwrap(), "482913375520");
        assert_eq!(balance(text).as_deref(), Some("144,934.00"));
        assert_eq!(balance("Balance TZS 1,000.00. Newest first:\n22/11 -5").as_deref(), Some("TZS 1,000.00"));
        assert_eq!(balance("Welcome."), None);
        assert_eq!(digits_after("Code 123456. To open", "Code ").unwrap(), "123456");
        assert!(digits_after("Code. To open", "Code ").is_err());
        assert!(reference("Ref 4829").is_err());
    }
}
