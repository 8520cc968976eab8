//! Bytes of a connection, in whatever pieces they arrive.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ractor_host::fuzzing::frame(data));
