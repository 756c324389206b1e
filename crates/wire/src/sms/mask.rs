//! Copies of messages for people and logs.

/// The longest copy, in characters.
const LONGEST: usize = 160;

/// Digits of Chinese writing, which Unicode counts as letters.
const CHINESE_DIGITS: &str = "〇零一二三四五六七八九十百千两幺壹贰叁肆伍陆柒捌玖拾貳參陸";

/// A copy that is safe for logs: every run of digits, in any script and of any length, becomes one `•`, so that
/// neither a PIN nor its length is seen, however the message is garbled; control and invisible characters become
/// `·`; and it ends after 160 characters. Keywords hold no digit and stay.
///
/// Not even the last digits of numbers stay: a PIN that is glued to a number would show there.
///
/// ```
/// assert_eq!(wire::sms::mask("TM*0712000002*500*1234"), "TM*•*•*•");
/// assert_eq!(wire::sms::mask("tm 0712 000 002 ١٢٣٤"), "tm • • • •");
/// ```
#[must_use]
pub fn mask(text: &str) -> String {
    let mut masked = String::with_capacity(text.len().min(LONGEST * 4));
    let mut in_digits = false;
    for character in text.chars().take(LONGEST) {
        let digit = is_digit(character);
        match character {
            _ if digit && in_digits => {}
            _ if digit => masked.push('•'),
            _ if is_unseen(character) => masked.push('·'),
            _ => masked.push(character),
        }
        in_digits = digit;
    }
    masked
}

fn is_digit(character: char) -> bool {
    // is_numeric covers the digits of all scripts, and circled, raised and Roman ones.
    character.is_numeric() || CHINESE_DIGITS.contains(character)
}

/// Control characters and those that change how others are shown (categories Cc and Cf, line and paragraph
/// separators, tags, variation selectors), private use, and what Unicode calls no character.
pub(super) fn is_unseen(character: char) -> bool {
    character.is_control()
        || matches!(u32::from(character),
            0xAD | 0x34F | 0x600..=0x605 | 0x61C | 0x6DD | 0x70F | 0x890..=0x891 | 0x8E2 | 0x115F..=0x1160
            | 0x17B4..=0x17B5 | 0x180B..=0x180F | 0x200B..=0x200F | 0x2028..=0x202E | 0x2060..=0x206F | 0x3164
            | 0xE000..=0xF8FF | 0xFDD0..=0xFDEF | 0xFE00..=0xFE0F | 0xFEFF | 0xFFA0 | 0xFFF0..=0xFFFB
            | 0x110BD | 0x110CD | 0x13430..=0x1345F | 0x1BCA0..=0x1BCA3 | 0x1D173..=0x1D17A
            | 0xE0000..=0xE0FFF | 0xF0000..=0x10FFFF)
        || u32::from(character) & 0xFFFE == 0xFFFE
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn bounded_and_without_line_breaks() {
        assert_eq!(mask(&"a".repeat(5000)).len(), 160);
        assert_eq!(mask("HP\nlevel=INFO \u{202e}x\u{e0031}"), "HP·level=INFO ·x·");
    }

    proptest! {
        /// A canary of 4 to 6 digits anywhere in anything leaves no digit behind.
        #[test]
        fn no_canary_survives(
            before in ".{0,60}",
            canary in "[0-9]{4,6}",
            after in ".{0,60}",
            separator in "[ *.,#/\\-\u{200b}\u{fe0f}x]{0,2}",
            script in prop::sample::select(&['0', '٠', '۰', '०', '০', '０', '𝟎', '၀']),
        ) {
            let digits: Vec<String> = canary.chars().filter_map(|digit| {
                char::from_u32(u32::from(script) + digit.to_digit(10)?).map(String::from)
            }).collect();
            let masked = mask(&format!("{before}{}{after}", digits.join(&separator)));
            prop_assert!(!masked.chars().any(char::is_numeric), "{masked}");
        }

        #[test]
        fn commands_keep_their_shape(keyword in "[A-Za-z]{2}", fields in prop::collection::vec("[0-9]{1,12}", 0..5)) {
            let masked = mask(&format!("{keyword}*{}", fields.join("*")));
            prop_assert_eq!(masked, format!("{keyword}*{}", vec!["•"; fields.len()].join("*")));
        }
    }
}
