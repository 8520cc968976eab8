//! What the control actor is asked and answers.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ractor_host::fuzzing::requests(data));
