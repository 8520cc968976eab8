//! A store that interleaves as PostgreSQL does at READ COMMITTED.
//!
//! A statement takes its snapshot when it begins, finds the rows that it is about in that snapshot, and locks them one after the other, each when
//! whoever has it has committed. If a row has changed since the snapshot, its condition is looked at again, with the row as it is
//! now and everything else as it was in the snapshot (EvalPlanQual). Between these steps any time may pass.

mod locks;
mod rows;
mod statements;
mod transaction;

pub(super) use rows::{Key, Value};
pub(super) use transaction::{Committed, Origin, Store, StoreEvent, StoreReply, Temper};
