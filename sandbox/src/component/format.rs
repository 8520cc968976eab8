//! What the bytes of a file tell before they are parsed: whether it is a component, and whether its end is there.

use super::error::LoadFault;
use super::foreign::CoreWasi;

/// The first eight bytes of every WebAssembly file: `\0asm`, a version, and what kind of file it is.
const CORE_MODULE: &[u8] = b"\0asm\x01\0\0\0";
const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

/// Tells components from everything else by the first bytes.
pub(crate) fn check_format(bytes: &[u8]) -> Result<(), LoadFault> {
    if bytes.starts_with(COMPONENT) {
        return Ok(());
    }
    if bytes.starts_with(CORE_MODULE) {
        return Err(LoadFault::CoreModule(CoreWasi::of(bytes)));
    }
    Err(LoadFault::NotWasm(if bytes.is_empty() {
        "the file is empty"
    } else if bytes.starts_with(b"\0asm") {
        "it has a version of the binary format that this host does not know"
    } else if bytes.starts_with(b"\x7fELF") {
        "it looks like native or compiled code, which is never loaded from outside"
    } else {
        "it does not begin like one"
    }))
}

/// The length of what every WebAssembly file begins with.
const PREAMBLE: usize = 8;

/// False if the end of the file is missing: it is made of sections, each of which says how long it is.
pub fn is_whole(bytes: &[u8]) -> bool {
    let Some(mut rest) = bytes.get(PREAMBLE..) else {
        return false;
    };
    if rest.is_empty() {
        // Nothing but a preamble is a component that does nothing, or the beginning of one that is still being written.
        return false;
    }
    while let Some((_, section)) = rest.split_first() {
        let Some((length, content)) = leb128(section) else {
            return false;
        };
        let next = usize::try_from(length).ok().and_then(|length| content.get(length..));
        let Some(next) = next else {
            return false;
        };
        rest = next;
    }
    true
}

/// An unsigned number of at most 32 bits, and what follows it.
fn leb128(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let mut number = 0u64;
    for (index, byte) in bytes.iter().take(5).enumerate() {
        number |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((u32::try_from(number).ok()?, bytes.get(index + 1..)?));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_beginning_of_a_file_passes_for_the_whole() {
        // Two sections: one of 3 bytes, one of 200.
        let mut bytes = b"\0asm\x0d\0\x01\0\x00\x03abc\x01\xc8\x01".to_vec();
        bytes.extend([7; 200]);
        assert!(is_whole(&bytes));
        let boundary = 8 + 5;
        for end in (0..bytes.len()).filter(|end| *end != boundary) {
            assert!(!is_whole(&bytes[..end]), "cut at {end}");
        }
        assert!(
            is_whole(&bytes[..boundary]),
            "between two sections there is nothing to tell it by"
        );
        assert!(!is_whole(b"\0asm\x0d\0\x01\0\x00\xff\xff\xff\xff\xff\x01"), "no length");
    }

    #[test]
    fn tells_file_formats_apart() {
        let cases: [(&[u8], &str); 5] = [
            (b"", "the file is empty"),
            (b"hello", "does not begin like one"),
            (b"\x7fELF\x02\x01", "never loaded from outside"),
            (b"\0asm\x02\0\0\0", "does not know"),
            (b"\0asm\x01\0\0\0", "this is a core module; make a component"),
        ];
        for (bytes, expected) in cases {
            let message = check_format(bytes).map_err(|fault| fault.to_string());
            assert!(
                message.as_ref().is_err_and(|message| message.contains(expected)),
                "{message:?}"
            );
        }
    }
}
