//! The store of a cluster.

use std::time::Duration;

use super::Life;
use super::finding::Finding;
use crate::cli::store::safety;
use crate::config::{ClusterSection, EntitySection, NodeConfig};
use crate::host::cluster_store;
use crate::postgres::Health;

/// What `doctor` calls these findings.
const STORE: &str = "store";

pub(super) async fn examine(config: &NodeConfig, life: Life) -> Vec<Finding> {
    let Some(section) = &config.cluster else {
        return Vec::new();
    };
    match cluster_store(section).health().await {
        Ok(health) => {
            let mut findings = findings(section, &health, life);
            if health.tables.is_some() {
                findings.extend(types(config, section).await);
            }
            findings
        }
        // The error says what to do.
        Err(error) => {
            vec![Finding::fail(STORE, &section.address, error).because(
                "this node would find no others until the store can be used, and what runs goes on without it",
            )]
        }
    }
}

/// Types of the file that the store has with another number of shards: the node would wait for ever.
async fn types(config: &NodeConfig, section: &ClusterSection) -> Vec<Finding> {
    let stored = match cluster_store(section).types().await {
        Ok(stored) => stored,
        Err(error) => return vec![Finding::fail(STORE, &section.address, error)],
    };
    let other = |entity: &EntitySection| {
        let (_, spec) = stored.iter().find(|(of, _)| *of == entity.entity_type)?;
        let (name, found, wanted) = (entity.entity_type.name(), spec.shards, entity.shards.get());
        (found != wanted).then(|| {
            let message = format!("the type {name} has {found} shards in the store, and {wanted} in node.toml");
            Finding::fail(STORE, &section.address, message)
                .because("the store fixes the number at the type's first start, and this node joins no cluster with another one")
                .mend(format!("write `shards = {found}` into [entities.{name}]"))
        })
    };
    config.entities.iter().filter_map(other).collect()
}

fn findings(section: &ClusterSection, health: &Health, life: Life) -> Vec<Finding> {
    let place = &section.address;
    let mut findings = Vec::new();
    let good = format!("PostgreSQL {}; commits {}", health.server, safety(health));
    findings.push(Finding::ok(STORE, place, good));
    match (health.tables, life) {
        (Some(_), _) => {}
        (None, Life::Down) => findings.push(Finding::ok(
            STORE,
            place,
            "the tables aren't there yet: the first node makes them",
        )),
        (None, Life::Running) => findings.push(
            Finding::fail(
                STORE,
                place,
                "the tables aren't there, and the node runs: it is in no cluster",
            )
            .because("a node makes them when it starts, and somebody has removed them since")
            .mend("run `ractor-host store init` with this node.toml; the node joins again by itself"),
        ),
    }
    if !health.missing_rights.is_empty() {
        let missing = format!("this user may not {}", health.missing_rights.join(", "));
        let remedy = "grant it: GRANT … ON ALL TABLES IN SCHEMA ractor_host TO the user of the URL";
        findings.push(Finding::fail(STORE, place, missing).mend(remedy));
    }
    if health.isolation != "read committed" {
        let isolation = format!("transactions have the isolation {} by default", health.isolation);
        findings.push(
            Finding::warn(STORE, place, isolation)
                .because("statements that meet fail and are repeated, where one would have waited for the other")
                .mend("ALTER ROLE … SET default_transaction_isolation = 'read committed'"),
        );
    }
    // A renewal has a sixth of a lease, and needs one way there and back.
    if health.latency.longest * 4 > section.lease / 6 {
        let slow = format!("an answer takes up to {} ms", health.latency.longest.as_millis());
        findings.push(
            Finding::warn(STORE, place, slow)
                .because("a renewal that takes a sixth of a lease counts as missed")
                .mend("put the store nearer, or write a longer `lease` at all nodes"),
        );
    }
    let margin = (section.lease / 5).max(Duration::from_secs(1));
    if Duration::from_millis(health.clock_ahead_ms.unsigned_abs()) > margin {
        let clock = format!("its clock is {} ms ahead of this machine's", health.clock_ahead_ms);
        findings.push(
            Finding::warn(STORE, place, clock)
                .because("leases depend on the store's clock alone, but one that is set while nodes run ends leases too early or too late")
                .mend("let both follow NTP"),
        );
    }
    findings
}
