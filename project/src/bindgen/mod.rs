//! Typed clients of an actor, from what it says of itself.
//!
//! An actor may run on another node and say what it likes, so nothing of it gets into a source unseen: names are made identifiers, or
//! refused, and texts become comments and literals that they can't break out of.

mod c;
mod go;
mod interface;
mod names;
mod python;
mod rust;
mod schema;
mod typescript;

use crate::error::ProjectError;
use crate::language::Language;

pub use self::interface::Interface;

/// Who uses a client in Rust.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Guests, with the SDK.
    Guests,
    /// Native actors, on this project's node or on the published `ractor_cluster`.
    Natives,
}

/// The source of a client of the actor that this is the interface of. `audience` matters in Rust alone.
///
/// # Errors
/// The actor has a message that can't be declared in the language, or there is no SDK for it.
pub fn bindgen(interface: &Interface, language: Language, audience: Audience) -> Result<String, ProjectError> {
    match language {
        Language::Rust => rust::client(interface, audience),
        Language::Python => Ok(python::client(interface)),
        Language::JavaScript | Language::TypeScript => Ok(typescript::client(interface, language)),
        Language::C => c::client(interface),
        Language::Go => go::client(interface),
    }
}

/// Where a client came from, for the comment at its beginning.
fn origin(interface: &Interface) -> String {
    let (name, version) = (names::one_line(&interface.name), names::one_line(&interface.version));
    format!("A client of {name} {version}, made by `ractor-host bindgen`.")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHOP: &str = include_str!("shop.json");

    fn client(language: Language) -> String {
        let interface: Interface = serde_json::from_str(SHOP).unwrap();
        bindgen(&interface, language, Audience::Guests).unwrap()
    }

    #[test]
    fn a_client_declares_each_message_once_with_its_types() {
        let python = client(Language::Python);
        for part in [
            "class Shop(Actor):",
            "    @cast\n    def add_all(self, numbers: list[u64], why: str) -> None:\n        \"\"\"Adds them all.\"\"\"",
            "    @call(\"get\")\n    def get(self) -> u64:\n        raise NotImplementedError",
            "ShopOrder = bytes",
            "def place(self, argument_1: ShopOrder) -> None:",
            "def find(self, class_: str) -> Order:",
            "from typing import Annotated, NotRequired, TypedDict\n",
            "Order = TypedDict(\n    \"Order\",\n    {\n        \"before\": NotRequired[\"Order | None\"],\n        \"id\": \"int\",",
            "        \"line-items\": \"list[OrderItem]\",",
            "class OrderItem(TypedDict):\n    more: NotRequired[\"dict[str, bool]\"]\n    name: \"str\"\n",
            "ShopTags = Annotated[list[str], JsonText(\"shop.Tags\")]",
            "def tag(self, tags: ShopTags) -> None:",
        ] {
            assert!(python.contains(part), "{python}\nshould have: {part}");
        }
        let javascript = client(Language::JavaScript);
        assert!(javascript.contains("const Order = json(\"Order\");"), "{javascript}");
        let typescript = client(Language::TypeScript);
        for part in [
            "import { bytes, call, cast, contract, json, list, opaque, string, u64, unit } from \"ractor-guest\";",
            "AddAll: cast({ numbers: list(u64), why: string }).doc(\"Adds them all.\"),",
            "get: call().returns(u64).tag(\"get\"),",
            "Place: call(ShopOrder).returns(unit),",
            "start: bytes,",
            "/** What is ordered. */\nexport interface Order {\n  before?: Order | null;\n  /** Counts up. */\n  id: number;\n  \"line-items\": OrderItem[];",
            "const Order = json<Order>(\"Order\");",
            "const ShopTags = json<string[]>(\"shop.Tags\");",
        ] {
            assert!(typescript.contains(part), "{typescript}\nshould have: {part}");
        }
        let rust = client(Language::Rust);
        for part in [
            "pub enum ShopMsg {",
            "    /// Adds them all.\n    /// Arguments: numbers, why.\n    AddAll(Vec<u64>, String),",
            "    #[rpc]\n    get(RpcReplyPort<u64>),",
            "    #[rpc]\n    Place(ShopOrder, RpcReplyPort<()>),",
            "    Find(String, RpcReplyPort<OrderJson>),",
            "pub type OrderJson = ractor::Json<Order>;",
            "    #[serde(default, skip_serializing_if = \"Option::is_none\")]\n    pub before: Option<Box<Order>>,\n    /// Counts up.\n    pub id: u64,\n",
            "    #[serde(rename = \"line-items\")]\n    pub line_items: Vec<OrderItem>,",
            "    #[serde(rename = \"type\")]\n    pub type_: String,",
            "pub type ShopTagsJson = ractor::Json<Vec<String>>;",
        ] {
            assert!(rust.contains(part), "{rust}\nshould have: {part}");
        }
        let c = client(Language::C);
        for part in [
            "CAST(add_all, \"Adds them all.\", (list_u64, numbers), (string, why))",
            "CALL((get, \"get\"), u64)",
            "RACTOR_PROTOBUF(Shop_ShopOrder, \"shop.Order\")",
            "#define RACTOR_PREFIX shop_",
        ] {
            assert!(c.contains(part), "{c}\nshould have: {part}");
        }
        let go = client(Language::Go);
        for part in [
            "// Sells things.\ntype ShopClient struct{ Pid ractor.Pid }",
            "// Adds them all.\nfunc (client ShopClient) AddAll(numbers []uint64, why string) error {",
            "return ractor.Call[uint64](client.Pid, timeout, \"get\")",
            "func (client ShopClient) AskFind(timeout time.Duration, class string) *ractor.Future[ShopClientOrder] {",
            "func (ShopClientShopOrder) RactorType() string { return \"protobuf<shop.Order>\" }",
            "Place(timeout time.Duration, argument1 ShopClientShopOrder) (ractor.Unit, error) {",
            "// What is ordered.\ntype ShopClientOrder struct {\n\tBefore *ShopClientOrder `json:\"before,omitempty\"`\n\t// Counts up.\n\tId uint64 `json:\"id\"`\n",
            "type ShopClientShopTags []string",
            "func (value *ShopClientOrder) UnmarshalBinary(data []byte) error { return json.Unmarshal(data, value) }",
        ] {
            assert!(go.contains(part), "{go}\nshould have: {part}");
        }
    }

    /// By one rule: `_` behind it, and the tag stays.
    #[test]
    fn what_a_language_reserves_or_something_has_already_is_called_otherwise() {
        let message = |name: &str| serde_json::json!({ "name": name, "arguments": [], "reply": "protobuf<a.String>" });
        let interface = serde_json::json!({
            "name": "Actor", "version": "1.0.0", "start": null,
            "messages": [message("Self"), message("type"), message("Type"), message("Snapshot"), {
                "name": "Pid", "arguments": [{ "name": "class", "type": "json<a.String>" }], "reply": null,
            }],
        });
        let interface: Interface = serde_json::from_value(interface).unwrap();
        for (language, parts) in [
            (
                Language::Rust,
                &[
                    "    #[wire(name = \"Self\")]\n    #[rpc]\n    Self_(RpcReplyPort<AString_>)",
                    "    #[wire(name = \"type\")]\n    #[rpc]\n    type_(",
                    "    #[rpc]\n    Type(",
                    "pub type AString = Vec<u8>;",
                    "pub type AString_ = Vec<u8>;",
                    "    Pid(AString),",
                ][..],
            ),
            (
                Language::Python,
                &[
                    "class Actor_(Actor):",
                    "    @call\n    def self_(self)",
                    "    @call(\"type\")\n    def type(self)",
                    "    @call\n    def type_(self)",
                    "    @call\n    def snapshot_(self)",
                    "def pid(self, class_: Json[Any])",
                ],
            ),
            (Language::C, &["CALL((type, \"type\"), ", "CALL(type_, "]),
            (
                Language::Go,
                &["func (client ActorClient) Pid_(class ", ") Type_(", ", \"Type\")"],
            ),
        ] {
            let client = bindgen(&interface, language, Audience::Guests).unwrap();
            for part in parts {
                assert!(client.contains(part), "{client}\nshould have: {part}");
            }
        }
    }

    #[test]
    fn what_an_actor_says_of_itself_never_becomes_code() {
        let evil = "x\"\"\"\nimport os\n*/ #error \\\n\u{2028}os.abort() // \u{202e}";
        let interface = serde_json::json!({
            "name": evil, "version": evil, "documentation": evil,
            "start": { "name": evil, "type": "u64" },
            "messages": [{
                "name": "Add", "documentation": evil, "reply": null,
                "arguments": [{ "name": evil, "type": evil }, { "name": "def", "type": "list<u8)>" }],
            }],
        });
        let interface: Interface = serde_json::from_value(interface).unwrap();
        for language in [
            Language::Rust,
            Language::Python,
            Language::TypeScript,
            Language::C,
            Language::Go,
        ] {
            let client = bindgen(&interface, language, Audience::Guests).unwrap();
            // Python's documentation goes over several lines, and ends where it should: see below.
            for line in client.lines().filter(|_| language != Language::Python) {
                let begins = ["import os", "#error", "os.abort", "*/"];
                assert!(
                    !begins.iter().any(|text| line.trim_start().starts_with(text)),
                    "{client}"
                );
            }
            let is_visible = |character: char| "\n\t".contains(character) || (' '..='~').contains(&character);
            assert!(
                client.chars().all(is_visible) && !client.contains("x\"\"\""),
                "{client}"
            );
        }
        let mut evil_tag = interface.clone();
        evil_tag.messages[0].name = "Add(), Os".to_owned();
        let error = bindgen(&evil_tag, Language::Rust, Audience::Guests).unwrap_err();
        assert!(error.to_string().contains("can't be declared in Rust"), "{error}");
        let quoted = bindgen(&evil_tag, Language::Python, Audience::Guests).unwrap();
        assert!(quoted.contains("@cast(\"Add(), Os\")"), "{quoted}");
    }
}
