//! Messages of a derived enum, and replies to its calls.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ractor_host::fuzzing::derive(data));
