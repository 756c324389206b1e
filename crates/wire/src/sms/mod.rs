//! What stands in a short message.
