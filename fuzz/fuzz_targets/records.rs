//! Checkpoints and the record of what is deployed, as they are on the disk.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ractor_host::fuzzing::records(data));
