//! Against a real PostgreSQL, which the tests start themselves.

/// Where the words are, for what is compiled elsewhere as well.
use ractor_host_entities as entities;
use ractor_host_placement as placement;

#[path = "../../placement/src/tests/conformance/mod.rs"]
mod conformance;

#[path = "../../entities/src/tests/scenarios/mod.rs"]
mod scenarios;

mod clocks;
mod encrypted;
mod failures;
mod harness;
mod meaning;
mod membership;
mod migration;
mod servers;
mod states;
mod tables;
