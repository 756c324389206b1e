//! What edges and the one that decides say to each other.

use wakala::cluster::frames::{
    Ask, Frames, Greeting, Hello, LONGEST, Unreadable, put_advice_frame, put_receipt_frame, put_request_frame, put_say,
    take_ask, take_say,
};

use crate::input::Input;

/// A stream is the same frames in whichever pieces it comes; each is read as it is written again.
pub(crate) fn frames(octets: &[u8]) {
    let mut input = Input(octets);
    let piece = usize::from(input.octet()) + 1;
    let whole = all(&[input.0]);
    let pieces: Vec<&[u8]> = input.0.chunks(piece).collect();
    assert!(all(&pieces) == whole, "other frames");
    for frame in whole.iter().flatten() {
        judge(frame);
    }
    // A frame by itself, whatever the length before it would be.
    judge(input.0);
}

fn all(pieces: &[&[u8]]) -> Vec<Result<Vec<u8>, Unreadable>> {
    let (mut frames, mut found) = (Frames::default(), Vec::new());
    for piece in pieces {
        frames.push(piece);
        loop {
            match frames.take_whole() {
                Ok(Some(frame)) => found.push(Ok(frame.to_vec())),
                Ok(None) => break,
                Err(error) => {
                    found.push(Err(error));
                    return found;
                }
            }
        }
    }
    found
}

fn judge(frame: &[u8]) {
    if frame.len() > LONGEST {
        return;
    }
    if let Ok((number, ask)) = take_ask(frame) {
        same(frame, |out| match &ask {
            Ask::Request(request) => put_request_frame(out, number, request),
            Ask::Advice(advice) => put_advice_frame(out, number, advice),
            Ask::Receipt { centre, receipt } => put_receipt_frame(out, number, *centre, receipt),
        });
    }
    if let Ok((number, say)) = take_say(frame) {
        same(frame, |out| put_say(out, number, &say));
    }
    // What a later version adds behind these is passed over.
    if let Ok(hello) = Hello::take(frame) {
        begins(frame, |out| hello.put(out));
    }
    if let Ok(greeting) = Greeting::take(frame) {
        begins(frame, |out| greeting.put(out));
    }
}

fn written(put: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::new();
    put(&mut out);
    out.split_off(size_of::<u32>())
}

fn same(frame: &[u8], put: impl FnOnce(&mut Vec<u8>)) {
    assert!(written(put) == frame, "a second form of a frame");
}

fn begins(frame: &[u8], put: impl FnOnce(&mut Vec<u8>)) {
    assert!(frame.starts_with(&written(put)), "a second form of a handshake");
}
