//! The tests of the derive macros are in `tests/`: what they write, beside what those of `ractor_cluster` write.
