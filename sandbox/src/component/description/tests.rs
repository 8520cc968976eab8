//! Descriptions of both versions, as they should be and as a hostile peer would have them.

use super::*;

fn parameter(name: &str, ty: &str) -> Parameter {
    Parameter {
        name: name.to_owned(),
        ty: TypeExpr::parse(ty),
    }
}

fn message(name: &str, arguments: &[(&str, &str)], reply: Option<&str>) -> Message {
    Message {
        name: name.to_owned(),
        documentation: format!("What {name} does.\nIn two lines."),
        arguments: arguments.iter().map(|(name, ty)| parameter(name, ty)).collect(),
        reply: reply.map(TypeExpr::parse),
    }
}

fn counter() -> Contract {
    Contract {
        name: "Counter".to_owned(),
        version: "1.2.0".to_owned(),
        state_version: 7,
        documentation: "Counts.".to_owned(),
        start: Start::Argument(parameter("count", "u64")),
        messages: vec![
            message("Add", &[("n", "u64")], None),
            message("Get", &[], Some("u64")),
            message(
                "SumOf",
                &[("", "string"), ("order", "protobuf<shop.Order>")],
                Some("odd type"),
            ),
        ],
        schemas: vec![Schema {
            name: "shop.Order".to_owned(),
            format: "protobuf".to_owned(),
            bytes: vec![0, 1, 0xff],
        }],
        schemas_left_out: 0,
    }
}

#[test]
fn reads_what_it_wrote() {
    let mut contract = counter();
    for start in [Start::Unknown, Start::Nothing, contract.start.clone()] {
        contract.start = start;
        let bytes = contract.to_bytes().unwrap();
        assert_eq!(Contract::from_bytes(&bytes).unwrap(), contract);
    }
}

#[test]
fn who_asks_in_the_way_of_old_gets_an_answer_of_old() {
    let answers = Answers::of(&counter()).unwrap();
    let old = answers.to(&[]).unwrap();
    // The bytes that the first version of this program wrote for such an actor.
    let texts = |words: &[&str]| -> Vec<u8> {
        let text = |word: &&str| [&[0, u8::try_from(word.len()).unwrap()], word.as_bytes()].concat();
        words.iter().flat_map(text).collect()
    };
    let expected = [
        vec![1],
        texts(&["Counter", "1.2.0"]),
        vec![0, 0, 0, 7, 1],
        texts(&["u64"]),
        vec![0, 3],
        texts(&["Add"]),
        vec![0, 1],
        texts(&["u64"]),
        vec![0],
        texts(&["Get"]),
        vec![0, 0, 1],
        texts(&["u64", "SumOf"]),
        vec![0, 2],
        texts(&["string", "protobuf<shop.Order>"]),
        vec![1],
        texts(&["odd type"]),
    ];
    assert_eq!(old, expected.concat());
    let read = Contract::from_bytes(old).unwrap();
    assert_eq!(read.messages[0].to_string(), "Add(u64)");
    for newer in [2, 3, 255] {
        assert_eq!(Contract::from_bytes(answers.to(&[newer]).unwrap()).unwrap(), counter());
    }
    assert_eq!(answers.to(&[1]), Some(old));
    assert_eq!(answers.to(&[0, 2]), Some(old));
}

#[test]
fn a_description_that_was_tampered_with_is_refused() {
    for bytes in [counter().to_bytes().unwrap(), counter().to_version_1().unwrap()] {
        for length in 0..bytes.len() {
            assert!(Contract::from_bytes(&bytes[..length]).is_err(), "{length} bytes");
        }
        // Whatever one byte becomes, it is read or refused.
        for at in 0..bytes.len() {
            for value in [0, 1, 0x1b, 0x7f, 0xff] {
                let mut changed = bytes.clone();
                changed[at] = value;
                if let Ok(contract) = Contract::from_bytes(&changed)
                    && changed[0] == NEWEST
                {
                    assert_eq!(contract.to_bytes().unwrap(), changed, "one way to write it");
                }
            }
        }
        let check = |bytes: &[u8], expected| {
            assert_eq!(Contract::from_bytes(bytes).unwrap_err(), expected);
        };
        check(&[bytes.as_slice(), &[0]].concat(), DescriptionError::TooLong(1));
        check(&[&[3], &bytes[1..]].concat(), DescriptionError::Version(3));
    }
    let check = |bytes: &[u8], expected| {
        assert_eq!(Contract::from_bytes(bytes).unwrap_err(), expected);
    };
    check(&[], DescriptionError::CutOff);
    check(
        &vec![1; MAX_DESCRIPTOR_BYTES + 1],
        DescriptionError::TooLarge(MAX_DESCRIPTOR_BYTES),
    );
    check(
        &vec![2; MAX_DESCRIPTION_BYTES + 1],
        DescriptionError::TooLarge(MAX_DESCRIPTION_BYTES),
    );
    // A name and a version of no bytes, a state version, and an option that is none.
    check(&[1, 0, 0, 0, 0, 0, 0, 0, 0, 9], DescriptionError::NoChoice(9));
    // The same, a documentation of no bytes, and a start that is none.
    check(&[2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9], DescriptionError::NoChoice(9));
    check(&[1, 0, 1, 0xff], DescriptionError::BadText);
    check(b"\x01\x00\x01\x1b", DescriptionError::BadText);
    check(b"\x02\x00\x01\n", DescriptionError::BadText);
    // Much is announced, and none is there: messages of either version, and the bytes of a schema.
    check(&[1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff], DescriptionError::CutOff);
    let nothing = [2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    check(&[&nothing[..], &[0xff, 0xff]].concat(), DescriptionError::CutOff);
    let schema = [0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff];
    check(&[&nothing[..], &schema].concat(), DescriptionError::CutOff);
}

#[test]
fn what_would_not_be_read_is_not_written() {
    let mut large = counter();
    large.messages = vec![large.messages[2].clone(); 5000];
    assert_eq!(
        large.to_bytes().unwrap_err(),
        DescriptionError::TooLarge(MAX_CONTRACT_BYTES)
    );
    let mut tricky = counter();
    tricky.messages[0].documentation = "\x1b[31mAdds".to_owned();
    assert_eq!(tricky.to_bytes().unwrap_err(), DescriptionError::BadText);
    tricky = counter();
    tricky.name = "Coun\nter".to_owned();
    assert_eq!(tricky.to_bytes().unwrap_err(), DescriptionError::BadText);
    // Between the bound on a contract and that on its schemas it can't hide either.
    let messages = vec![0; 2 + 30_000 * 7];
    let mut bytes = [&[2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0][..], &messages].concat();
    bytes[12..14].copy_from_slice(&30_000_u16.to_be_bytes());
    let end = [0; 4 + 2];
    assert!(Contract::from_bytes(&[&bytes[..], &end].concat()).is_ok());
    let messages = vec![0; 2 + 60_000 * 7];
    let mut bytes = [&[2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0][..], &messages].concat();
    bytes[12..14].copy_from_slice(&60_000_u16.to_be_bytes());
    assert_eq!(
        Contract::from_bytes(&[&bytes[..], &end].concat()).unwrap_err(),
        DescriptionError::TooLarge(MAX_CONTRACT_BYTES)
    );
}

#[test]
fn schemas_that_have_no_room_are_left_out_and_that_is_said() {
    let mut large = counter();
    let schema = |name: &str, size: usize| Schema {
        name: name.to_owned(),
        format: "protobuf".to_owned(),
        bytes: vec![7; size],
    };
    large.schemas = vec![
        schema("small", 10),
        schema("too.large", MAX_DESCRIPTION_BYTES),
        schema("large", MAX_DESCRIPTION_BYTES / 2),
        schema("large.too", MAX_DESCRIPTION_BYTES / 2),
        schema("last", 10),
    ];
    let bytes = large.to_bytes().unwrap();
    assert!(bytes.len() <= MAX_DESCRIPTION_BYTES);
    let read = Contract::from_bytes(&bytes).unwrap();
    let kept: Vec<_> = read.schemas.iter().map(|schema| schema.name.as_str()).collect();
    assert_eq!(
        (kept.as_slice(), read.schemas_left_out),
        (["small", "large", "last"].as_slice(), 2)
    );
    assert_eq!(read.messages, large.messages, "the rest is there");
    assert_eq!(read.to_bytes().unwrap(), bytes, "and passed on as it is");
}

#[test]
fn a_contract_that_version_1_has_no_room_for_is_there_for_those_who_read_version_2() {
    let mut large = counter();
    large.messages = (0..1500)
        .map(|number| {
            message(
                &format!("Message{number}"),
                &[("argument", "protobuf<shop.v1.Order>")],
                Some("json<Answer>"),
            )
        })
        .collect();
    let answers = Answers::of(&large).unwrap();
    assert!(answers.newest().len() > MAX_DESCRIPTOR_BYTES);
    assert!(answers.to(&[]).is_none());
    assert!(answers.to(&[2]).is_some());
}
