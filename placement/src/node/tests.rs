//! The node machine, one case at a time.
