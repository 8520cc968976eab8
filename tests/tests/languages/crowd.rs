//! Many instances of one language.

use ractor_host_tests::host::HostNode;

use crate::here;
use crate::kitchen::{call, cast};
use crate::language::Language;
use crate::restaurant::{actor, module};
use crate::wire::{args, number};

/// The number of actors on a node.
const INSTANCES: u64 = 200;

#[test]
fn two_hundred_instances_of_each_language_count_apart() {
    for language in Language::ALL {
        let Some(component) = language.kitchen() else { continue };
        let names = || (0..INSTANCES).map(|number| format!("kitchen-{number}"));
        let actors: String = names().map(|name| actor(&name, "kitchen", "", "")).collect();
        let name = format!("crowd-{}", language.short());
        let node = HostNode::start(&name, &(module("kitchen", &component) + &actors));
        here::RUNTIME.block_on(here::connect(node.address()));
        for (number, name) in names().enumerate() {
            cast(&format!("{name}@{}", node.name()), "Add", args![number as u64]);
        }
        for (added, name) in names().enumerate() {
            let count = call(&format!("{name}@{}", node.name()), "Get", args![]);
            assert_eq!(
                count.map(|count| number(&count)),
                Ok(added as u64),
                "{language:?}: {name}"
            );
        }
    }
}
