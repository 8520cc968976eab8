//! Bringing a host up, step by step.

use std::sync::Arc;

use super::cluster::Cluster;
use super::entities::NodeEntities;
use super::error::HostError;
use super::exported_metrics::ExportedMetrics;
use super::maintenance::Maintenance;
use super::module_files::FilesBeforeLoad;
use super::names;
use super::native::Natives;
use super::node::ListeningNode;
use super::preflight::preflight;
use super::reloader::ReloadListener;
use super::running::{RunningHost, StartedActor, stop_actors};
use super::state_dir::StateDir;
use super::stopping::DRAIN;
use super::tree::ActorTree;
use crate::config::{ActorSection, NodeConfig};
use crate::events::NodeEvent;
use crate::node::add_peer;
use crate::ops::filter;
use crate::supervision::Root;

/// Each step stands where it does because of what the others need of it; what it began is undone in [`undone`] if a later one fails, or
/// by being dropped.
pub(super) async fn start(
    config: NodeConfig,
    natives: Arc<Natives>,
    listener: Option<ReloadListener>,
) -> Result<RunningHost, HostError> {
    // What is logged of the start is what the file says.
    filter::configure(config.log.level.as_deref());
    // The state directory comes first: what was deployed says which code there is to check, and no other node may change that
    // meanwhile. Its lock and its files are closed when it is dropped.
    let state = StateDir::open(&config).await?;
    // Before the modules are read: a file that is saved from here on may be another one than is loaded.
    let before = FilesBeforeLoad::of(&config);
    // Everything that can be wrong with the file is found before anybody can notice that the node is there. Nothing is left of it.
    let modules = preflight(&config, &natives, &state.sources(&config.modules)).await?;
    // The address comes before the actors, so that no actor has begun its work on a node whose port is taken. Peers that connect from
    // here on wait: they would find names and groups that are not complete.
    let node = config.node.listen().await?;
    // Likewise, and early, so that those who probe the node are told that it is starting.
    let admin = match &config.admin {
        Some(section) => match section.listen(config.node.full_name()).await {
            Ok(admin) => Some(admin),
            Err(error) => return Err(undone(error, None, node).await),
        },
        None => None,
    };
    let reserved = Arc::new(names::reserved(&config));
    let tree = ActorTree::new(&config, natives.clone(), &modules, &state, reserved.clone());
    // Entities come before the actors, which may speak to them when they start.
    let entities = match NodeEntities::start(&config, &natives, (&modules, &tree, &state)).await {
        Ok(entities) => entities,
        Err(error) => return Err(undone(error, None, node).await),
    };
    // The actors come before what is done about them, and before anybody can send to them. Those that were started are stopped again
    // by their supervisor if one of them does not start.
    let root = match tree.start(&config).await {
        Ok(root) => root,
        Err(error) => {
            entities.stop(DRAIN).await;
            return Err(undone(error, None, node).await);
        }
    };
    // Checkpoints, watched files and deployments come before the first connection: what an actor answers from then on is kept when a
    // signal comes.
    let maintenance = match Maintenance::start(
        &config,
        state,
        (natives, &modules, entities.clone()),
        (&node, &root, admin.as_ref()),
        (listener, before),
        reserved,
    )
    .await
    {
        Ok(maintenance) => maintenance,
        Err(error) => {
            let error = undone(error, Some(root), node).await;
            entities.stop(DRAIN).await;
            return Err(error);
        }
    };
    // From here on nothing fails.
    node.open();
    if let Some(admin) = &admin {
        admin.open(&maintenance, node.server.clone(), root.readiness_watch().clone());
    }
    let exported_metrics = ExportedMetrics::start(&maintenance);
    // Peers are dialled last, since they are told of the actors as soon as a session is up.
    let dial = config.node.dial();
    for peer in &config.node.peers {
        // A node server that has ended by now is found out by whoever waits for it.
        drop(add_peer(&node.server, dial.peer(peer)));
    }
    let cluster = Cluster::start(&config, node.server.clone(), entities.clustered());
    let name = config.node.full_name();
    let actors = started(&config.actors, &root);
    tracing::info!(node = name, listen = %node.address, actors = actors.len(), "node is up");
    root.events().tell(NodeEvent::NodeUp { actors: actors.len() });
    Ok(RunningHost {
        name,
        node,
        cluster,
        root,
        actors,
        modules,
        maintenance,
        admin,
        _exported_metrics: exported_metrics,
    })
}

/// Takes down what was up when a later step failed, in the reverse order of the steps, and hands on why.
async fn undone(error: HostError, root: Option<Root>, node: ListeningNode) -> HostError {
    if let Some(root) = root {
        stop_actors(root).await;
    }
    node.stop().await;
    error
}

/// The actors that were started, in the order of the file.
fn started(sections: &[ActorSection], root: &Root) -> Vec<StartedActor> {
    let named = |section: &ActorSection| {
        let code = section.code.clone();
        section
            .names()
            .map(move |name| (name, code.clone()))
            .collect::<Vec<_>>()
    };
    let actors = sections.iter().flat_map(named);
    actors
        .filter_map(|(name, code)| {
            let cell = root.find(&name)?;
            Some(StartedActor { name, code, cell })
        })
        .collect()
}
