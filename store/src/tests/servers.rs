//! What is said of servers and tables that won't do.

use super::harness::{Database, store};
use crate::StoreError;

#[tokio::test]
async fn the_first_start_makes_the_tables_and_the_next_finds_them() {
    let Some(database) = Database::empty().await else {
        return;
    };
    let error = database.store.hash().await.unwrap_err();
    assert!(matches!(error, StoreError::NotSetUp), "{error}");
    let prepared = database.store.prepare().await.unwrap();
    assert_eq!((prepared.before, prepared.now), (0, crate::schema::VERSION));
    let again = database.store.prepare().await.unwrap();
    assert_eq!(again.before, again.now);
    // Both find the same secret, and nothing of the pause after the first failure is left.
    let hash = format!("{:?}", database.store.hash().await.unwrap());
    assert_eq!(hash, format!("{:?}", store(&database.url).hash().await.unwrap()));
}
