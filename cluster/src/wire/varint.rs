//! Protobuf's base-128 integers and the lengths of encoded fields.

/// The most bytes that a varint takes.
pub(super) const MAX_VARINT_BYTES: usize = 10;

/// How many bytes `value` takes as a varint.
pub(super) fn varint_len(value: u64) -> usize {
    // Seven payload bits a byte; zero takes one byte.
    let bits = 64 - (value | 1).leading_zeros() as usize;
    bits.div_ceil(7)
}

/// Puts the bytes of `value`.
pub(super) fn put_varint(mut value: u64, mut put: impl FnMut(u8)) {
    while value >= 0x80 {
        #[expect(clippy::cast_possible_truncation, reason = "the low seven bits are what is meant")]
        put((value as u8) | 0x80);
        value >>= 7;
    }
    #[expect(clippy::cast_possible_truncation, reason = "less than 0x80")]
    put(value as u8);
}

/// Reads a varint at `*at` and moves past it. None if the bytes end early or it is longer than 64 bits.
pub(super) fn take_varint(bytes: &[u8], at: &mut usize) -> Option<u64> {
    let mut value = 0u64;
    for index in 0..MAX_VARINT_BYTES {
        let byte = *bytes.get(*at)?;
        *at += 1;
        // The tenth byte has room for one bit, and the others would be shifted out unnoticed.
        if index == MAX_VARINT_BYTES - 1 && byte > 1 {
            return None;
        }
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{put_varint, take_varint, varint_len};

    #[test]
    fn every_width_survives_the_round_trip_and_is_measured_exactly() {
        for shift in 0..64 {
            for value in [1u64 << shift, (1u64 << shift) - 1, u64::MAX >> shift] {
                let mut bytes = Vec::new();
                put_varint(value, |byte| bytes.push(byte));
                assert_eq!(bytes.len(), varint_len(value), "{value}");
                let mut at = 0;
                assert_eq!(take_varint(&bytes, &mut at), Some(value));
                assert_eq!(at, bytes.len());
            }
        }
    }

    #[test]
    fn what_is_cut_short_or_too_long_is_refused() {
        for bytes in [
            &[][..],
            &[0x80],
            &[0xff; 9],
            &[0xff; 11],
            &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2],
        ] {
            assert_eq!(take_varint(bytes, &mut 0), None, "{bytes:?}");
        }
    }
}
