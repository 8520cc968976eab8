"""How suspicious is an order? The data team owns this file, and edits it while orders come in."""

from ractor import Actor, call, export, u32, u64

RISKY_ITEMS = {
    "gift-card": 20,
    "phone": 10,
}
HOME = {"AT", "CH", "DE"}
ABROAD = 25
BIG_SPENDER_CENTS = 5_000_00
BIG_SPENDER = 30


@export
class Scorer(Actor):
    """Scores orders, and remembers what each customer has spent."""

    scored: u64 = 0
    spent: dict[str, u64] = {}

    @call
    def score(self, customer: str, country: str, item: str, cents: u64) -> u32:
        """Gives the points of an order: the more, the more suspicious."""
        self.scored += 1
        self.spent[customer] = self.spent.get(customer, 0) + cents

        points = RISKY_ITEMS.get(item, 0)
        if country not in HOME:
            points += ABROAD
        if self.spent[customer] > BIG_SPENDER_CENTS:
            points += BIG_SPENDER
        return points

    @call
    def count(self) -> u64:
        """Gives the number of orders that were scored."""
        return self.scored

    @call
    def total(self) -> u64:
        """Gives what all customers have spent, in cents."""
        return sum(self.spent.values())
