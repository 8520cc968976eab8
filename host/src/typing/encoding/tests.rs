//! JSON in and out, by definitions that may be anything.

use prost_reflect::prost_types::field_descriptor_proto::{Label, Type as FieldType};
use prost_reflect::prost_types::{DescriptorProto, FieldDescriptorProto, FileDescriptorProto, FileDescriptorSet};

use super::*;
use crate::guest::{Schema, Start};

/// A `FileDescriptorSet` with `kitchen.Order`: an id, a quantity, items and a blob.
pub(crate) fn orders() -> Vec<u8> {
    let field = |name: &str, number, ty: FieldType, label: Label| FieldDescriptorProto {
        name: Some(name.to_owned()),
        number: Some(number),
        label: Some(label.into()),
        r#type: Some(ty.into()),
        ..FieldDescriptorProto::default()
    };
    let order = DescriptorProto {
        name: Some("Order".to_owned()),
        field: vec![
            field("id", 1, FieldType::String, Label::Optional),
            field("quantity", 2, FieldType::Uint64, Label::Optional),
            field("items", 3, FieldType::String, Label::Repeated),
            field("blob", 4, FieldType::Bytes, Label::Optional),
        ],
        ..DescriptorProto::default()
    };
    let file = FileDescriptorProto {
        name: Some("kitchen.proto".to_owned()),
        package: Some("kitchen".to_owned()),
        message_type: vec![order],
        syntax: Some("proto3".to_owned()),
        ..FileDescriptorProto::default()
    };
    FileDescriptorSet { file: vec![file] }.encode_to_vec()
}

/// A contract with these definitions, and nothing else.
fn contract(schemas: &[(&str, Vec<u8>)]) -> Contract {
    let schema = |(format, bytes): &(&str, Vec<u8>)| Schema {
        name: "kitchen.proto".to_owned(),
        format: (*format).to_owned(),
        bytes: bytes.clone(),
    };
    Contract {
        name: "Kitchen".to_owned(),
        version: "1.0.0".to_owned(),
        state_version: 1,
        documentation: String::new(),
        start: Start::Unknown,
        messages: Vec::new(),
        schemas: schemas.iter().map(schema).collect(),
        schemas_left_out: 0,
    }
}

fn encoding(ty: &str, schemas: &[(&str, Vec<u8>)]) -> Result<Encoding, String> {
    Encoding::of(&TypeExpr::parse(ty), &contract(schemas)).map_err(|error| error.to_string())
}

#[test]
fn a_message_of_protobuf_is_written_and_shown_as_json() {
    let schemas = [("json-schema", b"{}".to_vec()), ("protobuf", orders())];
    let order = encoding("protobuf<kitchen.Order>", &schemas).unwrap();
    let literal = order.encode(r#"{"id": "a", "quantity": "18446744073709551615", "items": ["b"]}"#);
    let bytes = literal.unwrap().into_bytes();
    assert_eq!(hex::encode(&bytes), "110a016110ffffffffffffffffff011a0162");
    assert_eq!(
        order.decode(&bytes).unwrap(),
        r#"{"id":"a","quantity":"18446744073709551615","items":["b"],"blob":""}"#
    );
    assert_eq!(
        order.decode(&[0]).unwrap(),
        r#"{"id":"","quantity":"0","items":[],"blob":""}"#
    );
}

#[test]
fn what_does_not_fit_a_definition_says_why() {
    let order = encoding("protobuf<kitchen.Order>", &[("protobuf", orders())]).unwrap();
    for (text, expected) in [
        ("5", "it takes a kitchen.Order as JSON: "),
        (r#"{"nothing": 1}"#, "nothing"),
        (r#"{"quantity": -1}"#, "kitchen.Order as JSON"),
        ("{} {}", "trailing characters"),
        ("", "EOF"),
    ] {
        let error = order.encode(text).unwrap_err().to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
    for bytes in [
        &b""[..],
        b"\x05",
        b"\x02\x0a\x05",
        b"\x01\x0a\x01",
        b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
    ] {
        let error = order.decode(bytes).unwrap_err().to_string();
        assert!(error.contains("is not a kitchen.Order behind its length"), "{error}");
    }
}

#[test]
fn a_definition_that_is_not_there_or_is_none_is_said() {
    let protobuf = |schemas: &[_]| encoding("protobuf<kitchen.Order>", schemas).unwrap_err();
    assert!(protobuf(&[]).contains("doesn't define"));
    assert!(protobuf(&[("json-schema", orders())]).contains("doesn't define"));
    assert!(protobuf(&[("protobuf", b"\xff\xff".to_vec())]).contains("no descriptor of protobuf"));
    let mut left_out = contract(&[]);
    left_out.schemas_left_out = 1;
    let order = TypeExpr::parse("protobuf<kitchen.Order>");
    assert_eq!(Encoding::of(&order, &left_out), Err(UnknownEncoding::LeftOut));
    // A second definition that is sound counts.
    assert!(
        encoding(
            "protobuf<kitchen.Order>",
            &[("protobuf", vec![0xff]), ("protobuf", orders())]
        )
        .is_ok()
    );
    for ty in ["opaque<Order>", "Order", "avro<Order>"] {
        assert_eq!(
            encoding(ty, &[]),
            Err("whose encoding is not known here".to_owned()),
            "{ty}"
        );
    }
    assert!(encoding("pot<Order>", &[]).unwrap_err().contains("format pot"));
}

fn file(name: &str, imports: &[String], public: &[i32]) -> FileDescriptorProto {
    FileDescriptorProto {
        name: Some(name.to_owned()),
        dependency: imports.to_vec(),
        public_dependency: public.to_vec(),
        syntax: Some("proto3".to_owned()),
        ..FileDescriptorProto::default()
    }
}

fn message(name: &str, fields: Vec<FieldDescriptorProto>) -> DescriptorProto {
    DescriptorProto {
        name: Some(name.to_owned()),
        field: fields,
        ..DescriptorProto::default()
    }
}

fn of_files(ty: &str, file: Vec<FileDescriptorProto>) -> Result<Encoding, String> {
    encoding(ty, &[("protobuf", FileDescriptorSet { file }.encode_to_vec())])
}

#[test]
fn a_type_that_comes_by_public_imports_of_others_is_found() {
    let field = FieldDescriptorProto {
        name: Some("item".to_owned()),
        number: Some(1),
        label: Some(Label::Optional.into()),
        r#type: Some(FieldType::Message.into()),
        type_name: Some(".Item".to_owned()),
        ..FieldDescriptorProto::default()
    };
    let mut item = file("item", &[], &[]);
    item.message_type = vec![message("Item", Vec::new())];
    let inner = file("inner", &["item".to_owned()], &[0]);
    let outer = file("outer", &["inner".to_owned()], &[0]);
    let mut order = file("order", &["outer".to_owned()], &[]);
    order.message_type = vec![message("Order", vec![field])];
    let order = of_files("protobuf<Order>", vec![item, inner, outer, order]).unwrap();
    assert_eq!(order.decode(&[2, 0x0a, 0]).unwrap(), r#"{"item":{}}"#);
}

/// A command that asks a hostile peer has to end with an answer, and not of its stack or of its memory.
#[test]
fn definitions_that_grow_without_end_are_none_or_are_read() {
    // A file that imports itself, and two that import each other.
    drop(of_files("protobuf<A>", vec![file("a", &["a".to_owned()], &[0])]));
    let circle = [("a", "b"), ("b", "a")].map(|(name, other)| file(name, &[other.to_owned()], &[0]));
    drop(of_files("protobuf<A>", circle.to_vec()));
    // As many ways through the imports as Fibonacci has rabbits.
    let names: Vec<String> = (0..90).map(|number| number.to_string()).collect();
    let mut ways: Vec<_> = (0..90)
        .map(|at| file(&names[at], &names[at.saturating_sub(2)..at], &[0, 1][..at.min(2)]))
        .collect();
    ways.push(file("last", &names, &[]));
    drop(of_files("protobuf<A>", ways));
    // Imports of imports that are many files times many files.
    let names: Vec<String> = (0..2_000).map(|number| number.to_string()).collect();
    let chain = (0..2_000).map(|at: usize| file(&names[at], &names[at.saturating_sub(1)..at], &[0][..at.min(1)]));
    assert!(
        of_files("protobuf<A>", chain.collect())
            .unwrap_err()
            .contains("imports")
    );
    // Names that each have all the names around them.
    let many = |package: String| {
        let mut file = file("a", &[], &[]);
        file.package = Some(package);
        file.message_type = (0..20_000)
            .map(|number| message(&format!("M{number}"), Vec::new()))
            .collect();
        of_files("protobuf<A>", vec![file]).unwrap_err()
    };
    assert!(many("a".repeat(500_000)).contains("a name has more than"));
    assert!(many("a.".repeat(1_000) + "a").contains("a name has more than"));
    assert!(many("a".repeat(1_000)).contains("full names"));
}

/// The peer that describes itself may be hostile: each definition is read, or is none.
#[test]
fn a_definition_that_was_tampered_with_does_no_harm() {
    let bytes = orders();
    for at in 0..bytes.len() {
        for value in [0, 1, 0x7f, 0x80, 0xff, bytes[at].wrapping_add(1)] {
            let mut changed = bytes.clone();
            changed[at] = value;
            if let Ok(order) = encoding("protobuf<kitchen.Order>", &[("protobuf", changed)]) {
                // Of the values here, too, nothing is certain.
                drop(order.encode(r#"{"id": "a", "quantity": "3", "items": ["b"], "blob": "AA=="}"#));
                drop(order.decode(&hex::decode("080a0161100312000a").unwrap()));
            }
        }
    }
}

#[test]
fn json_is_checked_and_passed_on_as_it_is() {
    let json = encoding("json<Order>", &[]).unwrap();
    let text = r#" {"b": 123456789012345678901234567890, "a": [1.0]} "#;
    let bytes = json.encode(text).unwrap().into_bytes();
    assert_eq!(bytes, text.trim().as_bytes());
    assert_eq!(json.decode(&bytes).unwrap(), text.trim());
    assert!(
        json.encode("{a: 1}")
            .unwrap_err()
            .to_string()
            .starts_with("it takes JSON")
    );
    assert!(json.decode(b"{").unwrap_err().to_string().contains("not JSON"));
    assert!(json.decode(b"\xff").unwrap_err().to_string().contains("not JSON"));
}
