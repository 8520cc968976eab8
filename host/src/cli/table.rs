//! Tables for people: as wide as the terminal, and of any width where nobody looks.

use std::borrow::Cow;
use std::io::{self, Write};

use comfy_table::presets::NOTHING;
use comfy_table::{Cell, CellAlignment, ContentArrangement, Table};

use super::output::printable;

/// A column: its title, and on which side its values stand.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    title: &'static str,
    alignment: CellAlignment,
}

/// A column of text.
pub(super) const fn text(title: &'static str) -> Column {
    Column {
        title,
        alignment: CellAlignment::Left,
    }
}

/// A column of numbers.
pub(super) const fn number(title: &'static str) -> Column {
    Column {
        title,
        alignment: CellAlignment::Right,
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
    if let Some(width) = terminal_width() {
        table.set_width(width);
    }
    for row in rows {
        let mut aligned = columns.iter().map(|column| column.alignment);
        table.add_row(row.map(|value| {
            let value = if value.is_empty() {
                Cow::Borrowed("-")
            } else {
                printable(&value)
            };
            Cell::new(value).set_alignment(aligned.next().unwrap_or(CellAlignment::Left))
        }));
    }
    for line in table.lines() {
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
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
