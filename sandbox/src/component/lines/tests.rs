//! Lines of what compilers write, and of what they would never write.

use gimli::write::{
    Address, AttributeValue, DwarfUnit, EndianVec, LineProgram, LineString, Range, RangeList, Sections,
};
use gimli::{Encoding, Format, LineEncoding, LittleEndian};

use super::*;

/// What compilers say of code that is in lines 7 and 8 of a file: 8 from the eighth byte on.
fn sections(deep: usize) -> Vec<(&'static str, Vec<u8>)> {
    sections_with(deep, |_| ())
}

/// The same, after a change.
fn sections_with(deep: usize, change: impl FnOnce(&mut DwarfUnit)) -> Vec<(&'static str, Vec<u8>)> {
    let encoding = Encoding {
        format: Format::Dwarf32,
        version: 4,
        address_size: 4,
    };
    let text = |text: &str| LineString::String(text.into());
    let mut dwarf = DwarfUnit::new(encoding);
    let folder = text("/build/shop");
    let mut program = LineProgram::new(
        encoding,
        LineEncoding::default(),
        folder,
        None,
        text("src/shop.c"),
        None,
    );
    let directory = program.default_directory();
    let file = program.add_file(text("src/shop.c"), directory, None);
    program.begin_sequence(Some(Address::Constant(0)));
    for (offset, line) in [(0, 7), (8, 8)] {
        let row = program.row();
        (row.file, row.line, row.address_offset) = (file, line, offset);
        program.generate_row();
    }
    program.end_sequence(100);
    dwarf.unit.line_program = program;
    let root = dwarf.unit.root();
    let unit = dwarf.unit.get_mut(root);
    unit.set(gimli::DW_AT_comp_dir, AttributeValue::String(b"/build/shop".to_vec()));
    unit.set(gimli::DW_AT_name, AttributeValue::String(b"src/shop.c".to_vec()));
    unit.set(gimli::DW_AT_low_pc, AttributeValue::Address(Address::Constant(0)));
    unit.set(gimli::DW_AT_high_pc, AttributeValue::Udata(100));
    let mut around = dwarf.unit.add(root, gimli::DW_TAG_subprogram);
    let function = dwarf.unit.get_mut(around);
    function.set(gimli::DW_AT_name, AttributeValue::String(b"sell".to_vec()));
    function.set(gimli::DW_AT_low_pc, AttributeValue::Address(Address::Constant(0)));
    function.set(gimli::DW_AT_high_pc, AttributeValue::Udata(100));
    for _ in 0..deep {
        around = dwarf.unit.add(around, gimli::DW_TAG_inlined_subroutine);
        let inlined = dwarf.unit.get_mut(around);
        inlined.set(gimli::DW_AT_low_pc, AttributeValue::Address(Address::Constant(0)));
        inlined.set(gimli::DW_AT_high_pc, AttributeValue::Udata(100));
    }
    change(&mut dwarf);
    let mut written = Sections::new(EndianVec::new(LittleEndian));
    dwarf.write(&mut written).unwrap();
    let mut sections = Vec::new();
    let each = written.for_each(|id, data| {
        sections.push((id.name(), data.slice().to_vec()));
        Ok::<_, gimli::write::Error>(())
    });
    each.unwrap();
    sections
}

/// A component whose second module has a function, with these sections.
fn component(sections: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let custom: String = sections
        .iter()
        .map(|(name, data)| {
            let bytes: String = data.iter().map(|byte| format!("\\{byte:02x}")).collect();
            format!("(@custom \"{name}\" \"{bytes}\")")
        })
        .collect();
    let text = format!(
        "(component (core module (func)) (core module (import \"\" \"f\" (func)) (func nop nop nop nop nop nop nop nop unreachable) {custom}))"
    );
    wat::parse_str(text).unwrap()
}

/// The place of this byte of the function.
fn place(bytes: &[u8], at: usize) -> Place {
    let code = Parser::new(0).parse_all(bytes).filter_map(|payload| match payload {
        Ok(Payload::CodeSectionEntry(body)) => Some(body.range()),
        _ => None,
    });
    Place {
        function: 1,
        offset: code.last().unwrap().start + at,
    }
}

fn line(function: Option<&str>, at: &str) -> Line {
    Line {
        function: function.map(str::to_owned),
        at: at.to_owned(),
    }
}

#[test]
fn a_place_is_a_line_of_the_source() {
    let bytes = component(&sections(0));
    let places = [place(&bytes, 1), place(&bytes, 8)];
    let expected = ["src/shop.c:7", "src/shop.c:8"].map(|at| Some(vec![line(Some("sell"), at)]));
    assert_eq!(lines(&bytes, &places), expected);
    let elsewhere = Place {
        function: 0,
        ..place(&bytes, 1)
    };
    assert_eq!(lines(&bytes, &[elsewhere]), [None]);
}

#[test]
fn functions_that_are_absurdly_deep_within_each_other_are_not_followed() {
    let bytes = component(&sections(1000));
    assert_eq!(
        lines(&bytes, &[place(&bytes, 1)]),
        [Some(vec![line(None, "src/shop.c:7")])]
    );
}

#[test]
fn what_makes_no_sense_is_left_out() {
    let whole = sections(1);
    for (number, (_, data)) in whole.iter().enumerate() {
        for length in 0..data.len() {
            let mut cut = whole.clone();
            cut[number].1.truncate(length);
            let bytes = component(&cut);
            // Whatever comes of it, it ends.
            drop(lines(&bytes, &[place(&bytes, 1)]));
        }
    }
    assert_eq!(lines(&component(&[]), &[place(&component(&[]), 1)]), [None]);
}

/// The lines at the first byte of the code, and whether the look went on to the end.
fn look(sections: &[(&'static str, Vec<u8>)]) -> (Option<Vec<Line>>, bool) {
    let sections = sections.iter().map(|(name, data)| (*name, data.as_slice())).collect();
    let mut budget = Budget::new(4 << 20);
    let mut lines = vec![None];
    in_units(&mut Debug::new(&sections, &mut budget).unwrap(), &[(0, 1)], &mut lines);
    (lines.remove(0), budget.spend(1).is_some())
}

#[test]
fn a_huge_folder_of_many_files_is_not_written_out_for_each() {
    for (length, expected) in [(8, Some(vec![line(Some("sell"), "src/shop.c:7")])), (1 << 20, None)] {
        let sections = sections_with(0, |dwarf| {
            let root = dwarf.unit.root();
            let folder = AttributeValue::String(vec![b'a'; length]);
            dwarf.unit.get_mut(root).set(gimli::DW_AT_comp_dir, folder);
            let program = &mut dwarf.unit.line_program;
            let directory = program.default_directory();
            for number in 0..10_000 {
                let name = LineString::String(format!("{number}.c").into());
                program.add_file(name, directory, None);
            }
        });
        assert_eq!(look(&sections), (expected, true));
    }
}

/// These sections, after thousands of units with a huge table: all of them with one, or each with another than the one before.
fn after_many_units(mut sections: Vec<(&'static str, Vec<u8>)>, tables: usize) -> Vec<(&'static str, Vec<u8>)> {
    let abbreviations = sections.iter_mut().find(|(name, _)| *name == ".debug_abbrev").unwrap();
    let begin = abbreviations.1.len();
    // A number, in three bytes.
    let code = |number: u32| [number & 0x7f | 0x80, number >> 7 & 0x7f | 0x80, number >> 14].map(|byte| byte as u8);
    for number in 1..=20_000 {
        // An entry of this number is a unit without anything in it.
        abbreviations.1.extend(code(number));
        abbreviations.1.extend([0x11, 0, 0, 0]);
    }
    abbreviations.1.push(0);
    let mut units = Vec::new();
    for number in 0..5000 {
        // The tables are one, from its first, second, … entry on.
        let table = u32::try_from(begin + 7 * (number % tables)).unwrap();
        units.extend(10_u32.to_le_bytes());
        units.extend(4_u16.to_le_bytes());
        units.extend(table.to_le_bytes());
        // The size of an address, and the only entry.
        units.push(4);
        units.extend(code(20_000));
    }
    let info = sections.iter_mut().find(|(name, _)| *name == ".debug_info").unwrap();
    info.1.splice(0..0, units);
    sections
}

#[test]
fn a_huge_table_that_thousands_of_units_share_is_read_once() {
    let expected = Some(vec![line(Some("sell"), "src/shop.c:7")]);
    assert_eq!(look(&after_many_units(sections(0), 1)), (expected, true));
}

#[test]
fn thousands_of_units_with_a_huge_table_each_are_given_up() {
    assert_eq!(look(&after_many_units(sections(0), 2)), (None, false));
}

#[test]
fn a_long_list_of_ranges_that_thousands_of_functions_share_costs_their_names_alone() {
    let sections = sections_with(0, |dwarf| {
        let range = |number: u64| Range::StartEnd {
            begin: Address::Constant(0x1000 + 2 * number),
            end: Address::Constant(0x1001 + 2 * number),
        };
        let ranges = RangeList((0..100_000).map(range).collect());
        let ranges = dwarf.unit.ranges.add(ranges);
        let root = dwarf.unit.root();
        let sell = *dwarf.unit.get(root).children().next().unwrap();
        let elsewhere = AttributeValue::Address(Address::Constant(0x1000));
        dwarf.unit.get_mut(sell).set(gimli::DW_AT_low_pc, elsewhere);
        for _ in 0..10_000 {
            let function = dwarf.unit.add(root, gimli::DW_TAG_subprogram);
            let ranges = AttributeValue::RangeListRef(ranges);
            dwarf.unit.get_mut(function).set(gimli::DW_AT_ranges, ranges);
        }
    });
    assert_eq!(look(&sections), (Some(vec![line(None, "src/shop.c:7")]), true));
}

#[test]
fn a_path_is_shown_as_it_helps() {
    let cases = [
        ("/build/shop/src/lib.rs", Some("/build/shop"), "src/lib.rs"),
        ("/build/other/lib.rs", Some("/build/shop"), "/build/other/lib.rs"),
        (
            "/rustc/0123abcd/library/core/src/option.rs",
            None,
            "library/core/src/option.rs",
        ),
    ];
    for (path, folder, expected) in cases {
        assert_eq!(shortened(path, folder), expected);
    }
    assert_eq!(shortened(&format!("/{}/a.c", "ö".repeat(100)), None).len(), PATH);
}
