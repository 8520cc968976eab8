//! What guests pass to WASI, to HTTP and to the log, and grants.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ractor_host::fuzzing::imports(data));
