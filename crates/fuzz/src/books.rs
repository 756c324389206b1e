//! What the data centre keeps: changes, notices, records of the checkpoint, and requests on their way to it.

use data_center::encoding::{
    Output, put_changes, put_notices, put_record, put_request, take_changes, take_notices, take_record, take_request,
};

/// A value has one form: octets that are read are written the same.
pub(crate) fn encoding(octets: &[u8]) {
    let mut none = |_: &[u8; 32]| Vec::new();
    if let Ok(changes) = take_changes(octets, &mut none)
        && !changes.is_empty()
    {
        same(octets, |out| put_changes(&changes, out));
    }
    if let Ok(notices) = take_notices(octets)
        && !notices.is_empty()
    {
        same(octets, |out| put_notices(&notices, out));
    }
    if let Ok(record) = take_record(octets, &mut none) {
        same(octets, |out| put_record(&record, out));
    }
    if let Ok(request) = take_request(octets) {
        assert!(put_request(&request) == octets, "a second form of a request");
    }
}

fn same(octets: &[u8], put: impl FnOnce(&mut Output)) {
    let mut out = Output::default();
    put(&mut out);
    assert!(out.bytes == octets, "a second form of a value");
}
