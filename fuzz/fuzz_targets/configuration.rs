//! A node.toml, with variables and values of the command line.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ractor_host::fuzzing::configuration(data));
