//! Several files that make one configuration.

use std::fs;
use std::path::Path;

use super::*;

/// Writes files into the folder, and reads the first one.
fn parse_files(folder: &Path, files: &[(&str, &str)]) -> Result<NodeConfig, String> {
    for (name, text) in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let (name, text) = files[0];
    let context = ReadContext {
        folder,
        natives: &["counter"],
        entities: &["counter"],
        interfaces: &interfaces::interfaces(),
        included: &[],
        variable: &|_| Err(VarError::NotPresent),
    };
    let config = NodeConfig::parse(&folder.join(name), text, &context, &ConfigOptions::default());
    config.map_err(|error| {
        let real = folder.canonicalize().unwrap();
        let text = error.to_string().replace(&real.display().to_string(), "DIR");
        text.replace(&folder.display().to_string(), "DIR")
    })
}

const NODE: &str = "[node]\nname = \"alpha\"\ncookie_file = \"cookie\"\n";

fn actor(name: &str) -> String {
    format!("[[actors]]\nname = \"{name}\"\nnative = \"counter\"\n")
}

#[test]
fn a_file_wins_over_those_that_it_includes_and_a_later_one_over_an_earlier_one() {
    let folder = folder();
    let first = format!(
        "include = [\"one.toml\", \"two.toml\"]\n{NODE}peers = [\"own:1\"]\n{}",
        actor("last")
    );
    let one = format!(
        "[node]\nname = \"one\"\nhostname = \"one\"\npeers = [\"one:1\"]\n{}",
        actor("first")
    );
    let two = format!(
        "include = [\"deep/three.toml\"]\n[node]\nhostname = \"two\"\n{}",
        actor("third")
    );
    let three = format!("[node]\nhostname = \"three\"\nstock_peers = false\n{}", actor("second"));
    let files = [
        ("node.toml", first.as_str()),
        ("one.toml", &one),
        ("two.toml", &two),
        ("deep/three.toml", &three),
    ];
    let config = parse_files(folder.path(), &files).unwrap();
    assert_eq!(config.node.full_name(), "alpha@two");
    assert_eq!(config.node.peers, ["own:1".parse().unwrap()]);
    assert_eq!(config.node.stock_peers, crate::node::StockPeers::Refused);
    let names: Vec<&str> = config.actors.iter().map(|actor| actor.name.as_str()).collect();
    assert_eq!(names, ["first", "second", "third", "last"]);
    assert_eq!(config.included.len(), 3);
}

#[test]
fn relative_paths_start_at_the_folder_of_the_file_that_has_them() {
    let folder = folder();
    fs::create_dir_all(folder.path().join("secret")).unwrap();
    fs::copy(folder.path().join("cookie"), folder.path().join("secret/own")).unwrap();
    let first = "include = [\"secret/*.toml\"]\n[node]\nname = \"alpha\"\n[modules.a]\npath = \"a.wasm\"\n";
    let files = [
        ("node.toml", first),
        (
            "secret/b.toml",
            "[node]\ncookie_file = \"own\"\n[modules.b]\npath = \"b.wasm\"\n",
        ),
        ("secret/.hidden.toml", "nothing to read"),
    ];
    let config = parse_files(folder.path(), &files).unwrap();
    assert_eq!(
        config.node.cookie_place,
        SecretPlace::File(folder.path().join("secret/own"))
    );
    let paths: Vec<_> = config.modules.iter().map(|module| module.path.clone()).collect();
    assert_eq!(paths, ["a.wasm", "secret/b.wasm"].map(|path| folder.path().join(path)));
}

#[test]
fn a_mistake_is_reported_in_the_file_that_has_it() {
    let folder = folder();
    let first = format!("include = [\"one.toml\"]\n{NODE}");
    let error = |one: &str| parse_files(folder.path(), &[("node.toml", &first), ("one.toml", one)]).unwrap_err();
    let said = error("[node]\nlisen = 1\n");
    assert!(
        said.starts_with("DIR/one.toml:2:1: unknown key `lisen` in [node]"),
        "{said}"
    );
    let said = error("[node]\n\nlisten = \"ö\n");
    assert!(said.starts_with("DIR/one.toml:3:"), "{said}");
    let said = error("include = 5\n");
    assert!(said.starts_with("DIR/one.toml:1:11: `include` is an integer"), "{said}");
    let said = error("include = [\"node.toml\"]\n");
    assert!(
        said.starts_with(
            "DIR/one.toml:1:12: these files include each other: DIR/node.toml -> DIR/one.toml -> DIR/node.toml"
        ),
        "{said}"
    );
    let said = error("include = [\"none.toml\"]\n");
    assert!(said.contains("DIR/none.toml: cannot be read"), "{said}");
    assert!(said.contains("looked for it in DIR, the folder of this file"), "{said}");
    let said = error("include = [\"${X}.toml\"]\n");
    assert!(said.contains("variables are not replaced in `include`"), "{said}");
    let said = error("include = [\"*/a.toml\", \"none/*.toml\"]\n");
    assert!(said.contains("the folder DIR/none can't be read"), "{said}");
    let twice = format!("{}{}", actor("a"), actor("a"));
    let said = error(&twice);
    assert!(
        said.starts_with("DIR/one.toml:5:8: the actor name `a` is taken"),
        "{said}"
    );
}

#[test]
fn files_that_are_included_have_bounds_together() {
    let folder = folder();
    let first = format!("include = [\"many/*.toml\"]\n{NODE}");
    let names: Vec<String> = (0..300).map(|number| format!("many/{number}.toml")).collect();
    let mut files = vec![("node.toml", first.as_str())];
    files.extend(names.iter().map(|name| (name.as_str(), "")));
    let said = parse_files(folder.path(), &files).unwrap_err();
    assert!(said.contains("more than 256 files are included"), "{said}");

    let deep: Vec<(String, String)> = (0..10)
        .map(|number| {
            (
                format!("d{number}.toml"),
                format!("include = [\"d{}.toml\"]\n", number + 1),
            )
        })
        .collect();
    let first = format!("include = [\"d0.toml\"]\n{NODE}");
    let mut files = vec![("node.toml", first.as_str())];
    files.extend(deep.iter().map(|(name, text)| (name.as_str(), text.as_str())));
    let said = parse_files(folder.path(), &files).unwrap_err();
    assert!(said.contains("more than 8 files include each other in a row"), "{said}");

    let large = format!("# {}\n", "x".repeat(3 << 20));
    let first = format!("include = [\"l1.toml\", \"l2.toml\"]\n{NODE}");
    let files = [("node.toml", first.as_str()), ("l1.toml", &large), ("l2.toml", &large)];
    let said = parse_files(folder.path(), &files).unwrap_err();
    assert!(
        said.contains("the files have more than 4194304 bytes together"),
        "{said}"
    );
}
