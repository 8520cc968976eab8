//! Groups, names, children, monitors, and callbacks that fail.

use ractor_host_tests::wait;

use crate::kitchen::Kitchen;
use crate::wire::{Value, args};

/// Starts a child of the kitchen with this program, and gives its name.
fn spawn(kitchen: &Kitchen<'_>, program: &str) -> (String, String) {
    let name = format!("child-of-{}", kitchen.name);
    let came = kitchen.text("Spawn", &args!["kitchen", &name, program]);
    (name, came)
}

pub(super) fn start_fails(kitchen: &Kitchen<'_>) {
    let (_, came) = spawn(kitchen, "fail:no flour");
    assert!(came.starts_with("error:failed:") && came.contains("no flour"), "{came}");
    let (_, came) = spawn(kitchen, "panic");
    assert!(came.starts_with("error:failed:"), "{came}");
    assert_eq!(kitchen.number("Children", &[]), 0);
}

pub(super) fn post_start_fails(kitchen: &Kitchen<'_>) {
    let (name, came) = spawn(kitchen, "fail-post");
    if came == "ok" {
        kitchen.hears(&format!("failed:{name}:"));
    } else {
        assert!(came.starts_with("error:failed:"), "{came}");
    }
    kitchen.becomes("Children", &0_u32.bytes());
}

pub(super) fn stop_fails(kitchen: &Kitchen<'_>) {
    let (name, came) = spawn(kitchen, "fail-stop");
    assert_eq!(came, "ok");
    assert_eq!(kitchen.ask("StopChild", &args![&name]), [1]);
    kitchen.hears(&format!("failed:{name}:"));
    kitchen.becomes("Children", &0_u32.bytes());
}

pub(super) fn event_fails(kitchen: &Kitchen<'_>) {
    kitchen.cast("Add", &args![5_u64]);
    let mortal = format!("{}-mortal-1", kitchen.name);
    kitchen.cast("MonitorActor", &args![&mortal]);
    kitchen.becomes("Get", &5_u64.bytes());
    kitchen.other(&mortal).cast("StopSelf", &args!["enough"]);
    // It failed and was started again.
    kitchen.becomes("Get", &0_u64.bytes());
}

pub(super) fn groups(kitchen: &Kitchen<'_>) {
    let group = format!("group-of-{}", kitchen.full_name());
    let members = |expected: u64| {
        let what = format!("{expected} members of {group}");
        let look = || kitchen.number("Members", &args![&group]);
        wait::until(&what, look, |seen| *seen == expected);
    };
    members(0);
    kitchen.cast("Join", &args![&group]);
    members(1);
    kitchen.other("rust").cast("Join", &args![&group]);
    members(2);
    kitchen.cast("Leave", &args![&group]);
    members(1);
}

pub(super) fn watched_group(kitchen: &Kitchen<'_>) {
    let group = format!("group-of-{}", kitchen.full_name());
    kitchen.cast("MonitorGroup", &args![&group]);
    kitchen.ask("Nothing", &[]);
    let rust = kitchen.other("rust");
    rust.cast("Join", &args![&group]);
    kitchen.hears(&format!("group:{group}:joined:1"));
    rust.cast("Leave", &args![&group]);
    kitchen.hears(&format!("group:{group}:left:1"));
}

pub(super) fn names(kitchen: &Kitchen<'_>) {
    for (name, there) in [
        (kitchen.name.clone(), true),
        (kitchen.full_name(), true),
        ("rust".to_owned(), true),
        (kitchen.restaurant.at_away("rust"), true),
        (kitchen.restaurant.at_away("nobody"), false),
        ("nobody".to_owned(), false),
        (String::new(), false),
    ] {
        assert_eq!(kitchen.ask("WhereIs", &args![&name]), there.bytes(), "{name}");
    }
}

pub(super) fn addresses(kitchen: &Kitchen<'_>) {
    let address = kitchen.ask("Address", &args![&kitchen.name]);
    assert!(!address.is_empty());
    assert_eq!(kitchen.ask("CastAddress", &args![&*address, 3_u64]), [1]);
    kitchen.becomes("Get", &3_u64.bytes());
    // It means the same on another node.
    let rust = kitchen.restaurant.at_away("rust");
    let sent = crate::kitchen::call(&rust, "CastAddress", args![&*address, 4_u64]);
    assert_eq!(sent, Ok(vec![1]));
    kitchen.becomes("Get", &7_u64.bytes());
    assert_eq!(kitchen.ask("CastAddress", &args![&b"no address"[..], 3_u64]), [0]);
    // An error or no bytes, as is usual in the language.
    let nobody = kitchen.call("Address", &args!["nobody"]);
    assert!(nobody.as_ref().map_or(true, Vec::is_empty), "{nobody:?}");
}

pub(super) fn children(kitchen: &Kitchen<'_>) {
    for verb in ["StopChild", "KillChild"] {
        let (name, came) = spawn(kitchen, "a note");
        assert_eq!(came, "ok", "{verb}");
        kitchen.hears(&format!("started:{name}"));
        assert_eq!(kitchen.number("Children", &[]), 1);
        // By the name that it was given.
        assert_eq!(kitchen.text("CallOther", &args![&name, "get", 20_000_u64]), "ok:0");
        assert_eq!(kitchen.ask(verb, &args!["nobody"]), [0]);
        assert_eq!(kitchen.ask(verb, &args![&name]), [1]);
        kitchen.becomes("Children", &0_u32.bytes());
        kitchen.hears(&format!("terminated:{name}:"));
    }
}

pub(super) fn refused_children(kitchen: &Kitchen<'_>) {
    let (name, came) = spawn(kitchen, "");
    assert_eq!(came, "ok");
    for (module, expected) in [
        ("kitchen", "error:name-taken"),
        ("nowhere", "error:denied"),
        ("rust", "error:denied"),
    ] {
        let came = kitchen.text("Spawn", &args![module, &name, ""]);
        assert!(came.starts_with(expected), "{module}: {came}");
    }
    assert_eq!(kitchen.number("Children", &[]), 1);
}

pub(super) fn monitors(kitchen: &Kitchen<'_>) {
    let mortals = [1, 2].map(|number| format!("{}-mortal-{number}", kitchen.name));
    for mortal in &mortals {
        kitchen.cast("MonitorActor", &args![mortal]);
    }
    kitchen.cast("Forget", &args![&mortals[0]]);
    kitchen.ask("Nothing", &[]);
    for mortal in &mortals {
        kitchen.other(mortal).cast("StopSelf", &args!["enough"]);
    }
    let heard = kitchen.hears(&format!("terminated:{}:enough", mortals[1]));
    assert!(!heard.contains(&mortals[0]), "{heard}");
}

pub(super) fn stops(kitchen: &Kitchen<'_>) {
    let witness = kitchen.other(&format!("{}-mortal-1", kitchen.name));
    witness.cast("MonitorActor", &args![&kitchen.name]);
    witness.ask("Nothing", &[]);
    kitchen.cast("StopSelf", &args!["closed"]);
    witness.hears(&format!("terminated:{}:closed", kitchen.name));
}
