//! What the compiler says about an enum that is no message, pinned in `ui/*.stderr`. After a change to a message, run
//! with `TRYBUILD=overwrite` and read the difference.

#[test]
fn mistakes_are_explained_where_they_are() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
