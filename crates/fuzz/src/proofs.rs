//! What others check with the public key alone: the lines of a witness, statements of the trust account.

use std::sync::LazyLock;

use encryption::{FileKeys, Keys, VerifyingKey};
use rand::{SeedableRng, rngs::StdRng};
use transaction_processing::time::Time;
use wakala::proof::head::{Head, Log, SignedHead, Testimony};
use wakala::proof::statement::{PURPOSE, Statement};

use crate::input::{Input, text};

static KEYS: LazyLock<(FileKeys, Vec<VerifyingKey>)> = LazyLock::new(|| {
    let keys = FileKeys::create(&mut StdRng::seed_from_u64(7));
    let public = keys.verifying_keys().into_iter().map(|(_, key)| key).collect();
    (keys, public)
});

/// A witness's file of signed heads, one octet of it changed, and anything behind them: what is believed was signed, all that is
/// signed and not changed is believed, and of each that is believed the log has what it says, or it is found fault with.
pub(crate) fn witness(octets: &[u8]) {
    let (keys, public) = &*KEYS;
    let mut input = Input(octets);
    let (count, at, flip) = (input.octet() % 5, usize::from(input.octet()) << 2, input.octet());
    let (sealed, last, epoch) = (input.octet() % 4, input.octet() % 8, input.octet() % 8);
    let log = Log { sealed: sealed.into(), last: last.into(), epochs: vec![epoch.into()] };
    let heads: Vec<SignedHead> = (0..count)
        .map(|_| {
            let (row, link, at) = (input.octet() % 8, input.octet() % 2, input.octet());
            Head::sign(keys, (row.into(), [link; 32]), Time(i64::from(at)))
        })
        .collect();
    let mut file: Vec<u8> = heads.iter().flat_map(|head| format!("{head}\n").into_bytes()).collect();
    let (signed, place) = (file.len(), at % file.len().max(1));
    if let Some(octet) = file.get_mut(place) {
        *octet ^= flip;
    }
    file.extend_from_slice(input.0);
    let file = text(&file);
    for line in file.lines() {
        if let Ok(head) = line.parse::<SignedHead>() {
            assert_eq!(head.to_string(), line);
        }
    }
    let mut testimony = Testimony::default();
    testimony.take("heads", &file, public);
    let believed = &testimony.heads;
    assert!(believed.iter().all(|head| heads.iter().any(|signed| signed.head == *head)), "never signed");
    let harmed = usize::from(flip != 0 && signed != 0);
    assert!(believed.len() + 2 * harmed >= heads.len(), "not believed");
    let (known, found) = (believed.len() as u64, testimony.findings.len());
    let compared = testimony.compare(&log, &|row| (row > log.sealed && row <= log.last).then_some([0; 32]));
    assert_eq!(compared.same + compared.taken_out + (testimony.findings.len() - found) as u64, known);
}

/// A statement that nobody signed is none. Of one that was signed, whoever wrote it, what is read is what is written and adds
/// up, or it is said why not.
pub(crate) fn statement(octets: &[u8]) {
    let (keys, public) = &*KEYS;
    let stated = text(octets);
    assert!(Statement::check(&stated, public).is_err(), "nobody signed this");
    let signature = keys.sign(PURPOSE, stated.as_bytes());
    if let Ok(statement) = Statement::check(&format!("{stated}signature: {signature}\n"), public) {
        assert_eq!(statement.to_string(), stated);
        for side in &statement.sides {
            assert_eq!(side.money, side.held.iter().map(|(_, sum)| sum).sum());
        }
    }
}
