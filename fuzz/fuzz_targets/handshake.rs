//! A stranger who says whatever it likes.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ractor_host::fuzzing::handshake(data));
