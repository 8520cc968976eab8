//! The orders of the demo: which they are, and what has to become of them.

/// The orders of the marketplace, altogether.
pub(super) const ALL: usize = 5_000;
/// Those that come before the rule is edited.
pub(super) const BEFORE: usize = 2_000;
/// From here on, orders come after the new rule is in force.
pub(super) const AFTER: usize = 4_000;

/// What an amount is counted in.
const EUR_IN_CENTS: u64 = 100;

/// What kind of order it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nothing is special about it.
    Ordinary,
    /// By a customer abroad who orders again and again, each time for 900 EUR.
    Big,
    /// A gift card: what the new rule is about.
    GiftCard,
}

/// The kind of the order with this number.
pub(super) fn kind(number: usize) -> Kind {
    match number {
        number if number % 100 == 7 => Kind::GiftCard,
        number if number % 50 == 1 => Kind::Big,
        _ => Kind::Ordinary,
    }
}

/// What an order costs.
pub(super) fn cents(number: usize) -> u64 {
    match kind(number) {
        Kind::Ordinary => 20 * EUR_IN_CENTS,
        Kind::Big => 900 * EUR_IN_CENTS,
        Kind::GiftCard => 50 * EUR_IN_CENTS,
    }
}

/// The order as the marketplace writes it.
pub(super) fn line(number: usize) -> String {
    let cents = cents(number);
    match kind(number) {
        Kind::Ordinary => format!("o-{number};c-{};DE;radio;1;{cents}", number % 400),
        Kind::Big => format!("o-{number};c-big;US;radio;1;{cents}"),
        Kind::GiftCard => format!("o-{number};g-{number};DE;gift-card;1;{cents}"),
    }
}

/// The orders of a kind with these numbers.
pub(super) fn of_kind(kinds: Kind, numbers: std::ops::Range<usize>) -> usize {
    numbers.filter(|number| kind(*number) == kinds).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_gift_cards_before_and_after_the_edit() {
        assert_eq!(of_kind(Kind::GiftCard, 0..BEFORE), 20);
        assert_eq!(of_kind(Kind::GiftCard, AFTER..ALL), 10);
        assert_eq!(of_kind(Kind::Big, 0..ALL), 100);
        assert_eq!(line(7), "o-7;g-7;DE;gift-card;1;5000");
    }
}
