//! TDES, for the standards of point of sale and purse that know nothing else. NIST SP 800-131A disallows it for
//! encryption after 2023: new links use AES DUKPT, format 4 and AES-CMAC.

pub mod pin_verification;
pub mod tdes_dukpt;
pub mod working_keys;
