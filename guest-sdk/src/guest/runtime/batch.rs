//! Several casts in one call of the host.

use super::{Component, Exported};
use crate::guest::bindings::exports::ractor::actor::actor::Guest as OneByOne;
use crate::guest::bindings::exports::ractor::actor::batch::{CastSizes, Guest};
use crate::guest::bindings::ractor::actor::messaging;
use crate::guest::{BytesConvertable, DescribeMessage};

impl<A> Guest for Component<A>
where
    A: Exported + Default,
    A::Arguments: BytesConvertable,
    A::Msg: DescribeMessage,
{
    fn handle_casts(bytes: Vec<u8>, casts: Vec<CastSizes>) -> Result<(), String> {
        for (at, (variant, args)) in split(&bytes, &casts).enumerate() {
            // What is left comes again.
            if at > 0 && !messaging::next_cast() {
                break;
            }
            let variant = std::str::from_utf8(variant).map_err(|error| error.to_string())?;
            <Self as OneByOne>::handle_cast(variant.to_owned(), args.to_vec())?;
        }
        Ok(())
    }
}

/// Variant and arguments of each cast.
fn split<'a>(mut bytes: &'a [u8], casts: &'a [CastSizes]) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
    casts.iter().map_while(move |sizes| {
        let (variant, rest) = bytes.split_at_checked(sizes.variant as usize)?;
        let (args, rest) = rest.split_at_checked(sizes.args as usize)?;
        bytes = rest;
        Some((variant, args))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_split_as_its_sizes_say() {
        let sizes = [(3, 2), (0, 0), (1, 0), (1, 9)].map(|(variant, args)| CastSizes { variant, args });
        let casts: Vec<_> = split(b"Add12Xmore", &sizes).collect();
        assert_eq!(
            casts,
            [(&b"Add"[..], &b"12"[..]), (b"", b""), (b"X", b"")],
            "the last one is cut off"
        );
    }
}
