//! Tables for people: as wide as the terminal, and of any width where nobody looks.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::io::{self, Write};

use comfy_table::presets::NOTHING;
use comfy_table::{Cell, CellAlignment, ColumnConstraint, ContentArrangement, Table};

use super::output::in_line;

/// A column: its title, and on which side its values stand.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    title: &'static str,
    alignment: CellAlignment,
    /// Columns with a rank are left out where there is no room for all, the highest first.
    rank: u8,
}

impl Column {
    /// The same as one that can be done without.
    pub(super) const fn spare(self, rank: u8) -> Self {
        Self { rank, ..self }
    }
}

/// A column of text.
pub(super) const fn text(title: &'static str) -> Column {
    Column {
        title,
        alignment: CellAlignment::Left,
        rank: 0,
    }
}

/// A column of numbers.
pub(super) const fn number(title: &'static str) -> Column {
    Column {
        title,
        alignment: CellAlignment::Right,
        rank: 0,
    }
}

/// Writes the rows below the titles of their columns.
pub(super) fn write_table<const N: usize>(
    out: &mut impl Write,
    columns: [Column; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> io::Result<()> {
    let mut table = Table::new();
    table
        .load_style(NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(columns.map(|column| Cell::new(column.title).set_alignment(column.alignment)));
    for row in rows {
        let mut aligned = columns.iter().map(|column| column.alignment);
        table.add_row(row.map(|value| {
            let value = if value.is_empty() {
                Cow::Borrowed("-")
            } else {
                in_line(&value)
            };
            Cell::new(value).set_alignment(aligned.next().unwrap_or(CellAlignment::Left))
        }));
    }
    if let Some(width) = terminal_width() {
        table.set_width(width);
        let widths = table.column_max_content_widths();
        for index in left_out(&columns.map(|column| column.rank), &widths, width) {
            if let Some(column) = table.column_mut(index) {
                column.set_constraint(ColumnConstraint::Hidden);
            }
        }
    }
    for line in table.lines() {
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

/// The columns that have to be left out, by their ranks and the widths of what is in them, so that the others fit.
fn left_out(ranks: &[u8], widths: &[u16], room: u16) -> Vec<usize> {
    // A column has a space on either side.
    let needs = |index: usize| u32::from(widths.get(index).copied().unwrap_or_default()) + 2;
    let mut all: u32 = (0..ranks.len()).map(needs).sum();
    let mut spare: Vec<(u8, usize)> = ranks.iter().copied().zip(0..).filter(|(rank, _)| *rank > 0).collect();
    spare.sort_by_key(|(rank, index)| (Reverse(*rank), *index));
    let gone = spare.into_iter().map(|(_, index)| index).take_while(|index| {
        let is_too_wide = all > u32::from(room);
        all -= needs(*index);
        is_too_wide
    });
    gone.collect()
}

/// The width of the terminal that stdout leads to, in columns. None if it leads elsewhere.
pub(super) fn terminal_width() -> Option<u16> {
    #[cfg(unix)]
    {
        let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
        Some(size.ws_col).filter(|columns| *columns > 0)
    }
    #[cfg(not(unix))]
    None
}

#[cfg(test)]
mod tests {
    use super::left_out;

    #[test]
    fn what_can_be_done_without_goes_first_and_no_more_than_has_to() {
        let (ranks, widths) = ([0, 2, 0, 3, 1], [8, 8, 8, 8, 8]);
        assert_eq!(left_out(&ranks, &widths, 50), [0_usize; 0]);
        assert_eq!(left_out(&ranks, &widths, 49), [3]);
        assert_eq!(left_out(&ranks, &widths, 40), [3]);
        assert_eq!(left_out(&ranks, &widths, 39), [3, 1]);
        assert_eq!(left_out(&ranks, &widths, 5), [3, 1, 4], "the others wrap");
    }
}
