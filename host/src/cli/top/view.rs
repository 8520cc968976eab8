//! Draws the board. Without colours: what is marked is bold or reversed, so that it can be told apart on any terminal.

use ratatui::Frame;
use ratatui::layout::{Alignment, Constraint, Layout, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span, Text};
use ratatui::widgets::{Cell, Paragraph, Row, Table};

use super::board::{Board, Mode, ShownActor, ShownNode};
use super::spark::sparkline;
use crate::cli::output::printable;
use crate::cli::ps::{SortBy, kind, module, resident};
use crate::cli::show::write_detail;
use crate::cli::units::{bytes, duration, percent, rate};

/// The most nodes whose figures are shown.
const MOST_NODES: usize = 6;

/// The width of a small curve.
const CURVE: u16 = 12;

/// A column: what is above it, its width, and the width of the terminal from which it is shown.
struct Column {
    title: &'static str,
    width: u16,
    from: u16,
    is_number: bool,
    sort: Option<SortBy>,
    cell: fn(&ShownNode, &ShownActor) -> String,
}

const COLUMNS: [Column; 10] = [
    Column {
        title: "MSG/S",
        width: 8,
        from: 30,
        is_number: true,
        sort: Some(SortBy::Messages),
        cell: |_, actor| guest(actor, || rate(actor.rate())),
    },
    Column {
        title: "",
        width: CURVE,
        from: 60,
        is_number: false,
        sort: None,
        cell: |_, actor| guest(actor, || sparkline(actor.rates.iter().copied(), CURVE.into())),
    },
    Column {
        title: "CPU",
        width: 6,
        from: 40,
        is_number: true,
        sort: Some(SortBy::Cpu),
        cell: |_, actor| guest(actor, || percent(actor.cpu)),
    },
    Column {
        title: "MEMORY",
        width: 10,
        from: 50,
        is_number: true,
        sort: Some(SortBy::Memory),
        cell: |_, actor| {
            actor
                .row
                .figures
                .map(|figures| bytes(figures.memory_bytes))
                .unwrap_or_default()
        },
    },
    Column {
        title: "RESIDENT",
        width: 10,
        from: 120,
        is_number: true,
        sort: None,
        cell: |_, actor| resident(actor.row.figures).unwrap_or_default(),
    },
    Column {
        title: "WAITING",
        width: 8,
        from: 70,
        is_number: true,
        sort: Some(SortBy::Waiting),
        cell: |_, actor| actor.row.waiting.map(|waiting| waiting.to_string()).unwrap_or_default(),
    },
    Column {
        title: "RESTARTS",
        width: 8,
        from: 85,
        is_number: true,
        sort: Some(SortBy::Restarts),
        cell: |_, actor| {
            actor
                .row
                .figures
                .map(|figures| figures.restarts.to_string())
                .unwrap_or_default()
        },
    },
    Column {
        title: "KIND",
        width: 6,
        from: 100,
        is_number: false,
        sort: None,
        cell: |_, actor| kind(actor.row.kind).to_owned(),
    },
    Column {
        title: "NODE",
        width: 18,
        from: 110,
        is_number: false,
        sort: None,
        cell: |node, _| printable(&node.name).into_owned(),
    },
    Column {
        title: "MODULE",
        width: 24,
        from: 130,
        is_number: false,
        sort: None,
        cell: |_, actor| printable(&module(&actor.row)).into_owned(),
    },
];

/// Of native actors nothing of the kind is known.
fn guest(actor: &ShownActor, cell: impl FnOnce() -> String) -> String {
    if actor.row.figures.is_some() {
        cell()
    } else {
        String::new()
    }
}

pub(super) fn draw(frame: &mut Frame<'_>, board: &Board) {
    let nodes = u16::try_from(board.nodes.len().min(MOST_NODES)).unwrap_or(u16::MAX);
    let [title, header, body, keys] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(nodes),
        Constraint::Min(0),
        Constraint::Length(1),
    ])
    .areas(frame.area());
    frame.render_widget(Line::from(headline(board)).style(bold()), title);
    let lines: Vec<Line<'_>> = board.nodes.iter().take(MOST_NODES).map(of_node).collect();
    frame.render_widget(Paragraph::new(lines), header);
    match board.mode {
        Mode::Detail { line, .. } => draw_detail(frame, board, line, body),
        Mode::Table | Mode::Filter => draw_table(frame, board, body),
    }
    let words = match board.mode {
        Mode::Filter => format!("filter: {}▏  enter: keep it  esc: none", board.filter),
        Mode::Detail { .. } => "esc back  up down scroll  space pause  q quit".to_owned(),
        Mode::Table => "q quit  enter show  / filter  space pause  sort: s c m w r n p".to_owned(),
    };
    frame.render_widget(Line::from(words).style(reversed()), keys);
}

fn headline(board: &Board) -> String {
    let rows = board.rows();
    let mut words = format!(
        "ractor-host top  {} actors by {}",
        rows.len(),
        sort_in_words(board.sort)
    );
    if !board.filter.is_empty() {
        words.push_str(&format!("  with {:?}", board.filter));
    }
    if board.is_paused {
        words.push_str("  PAUSED");
    }
    let more = board.nodes.len().saturating_sub(MOST_NODES);
    if more > 0 {
        words.push_str(&format!("  and {more} more nodes"));
    }
    words
}

fn sort_in_words(sort: SortBy) -> &'static str {
    match sort {
        SortBy::Pid => "pid",
        SortBy::Name => "name",
        SortBy::Waiting => "waiting",
        SortBy::Messages => "messages",
        SortBy::Cpu => "cpu",
        SortBy::Memory => "memory",
        SortBy::Restarts => "restarts",
    }
}

/// What matters most comes first, because a narrow terminal shows no more.
fn of_node(node: &ShownNode) -> Line<'static> {
    let name = printable(&node.name).into_owned();
    if let Some(trouble) = &node.trouble {
        return Line::from(vec![
            Span::styled(name, bold()),
            Span::raw(format!("  {}", printable(trouble).replace('\n', " "))),
        ]);
    }
    let Some(figures) = &node.figures else {
        return Line::from(format!("{name}  …"));
    };
    let state = if figures.ready { "" } else { "  NOT READY" };
    let cpu = node.cpu.map_or_else(|| "…".to_owned(), percent);
    let memory = bytes(figures.process.resident_bytes);
    let rest = format!(
        "  cpu {cpu}  mem {memory}  waiting {} ({})  links {}  guests {}  up {}",
        figures.waiting,
        bytes(figures.waiting_bytes),
        figures.sessions,
        figures.guests,
        duration(figures.uptime_ms)
    );
    Line::from(vec![Span::raw(name), Span::styled(state, bold()), Span::raw(rest)])
}

fn draw_table(frame: &mut Frame<'_>, board: &Board, area: Rect) {
    let columns: Vec<&Column> = COLUMNS
        .iter()
        .filter(|column| area.width >= column.from)
        .filter(|column| column.title != "NODE" || board.nodes.len() > 1)
        .collect();
    let rows = board.rows();
    let chosen = board.place(&rows);
    let height = usize::from(area.height.saturating_sub(1));
    // The chosen one stays in the middle where that is possible, and only what can be seen is made.
    let first = chosen
        .unwrap_or(0)
        .saturating_sub(height / 2)
        .min(rows.len().saturating_sub(height));
    let shown = rows.iter().enumerate().skip(first).take(height);
    let lines = shown.filter_map(|(at, (node, actor))| {
        let node = board.nodes.get(*node)?;
        let name = actor
            .row
            .name
            .clone()
            .unwrap_or_else(|| format!("pid:{}", actor.row.pid));
        let cells = columns
            .iter()
            .map(|column| aligned((column.cell)(node, actor), column.is_number));
        let cells = std::iter::once(Cell::from(printable(&name).into_owned())).chain(cells);
        let style = if chosen == Some(at) { reversed() } else { Style::new() };
        Some(Row::new(cells).style(style))
    });
    let titles = columns.iter().map(|column| {
        let mark = if column.sort == Some(board.sort) { "▼" } else { "" };
        aligned(format!("{}{mark}", column.title), column.is_number)
    });
    let titles = std::iter::once(Cell::from("NAME")).chain(titles);
    let widths = columns.iter().map(|column| Constraint::Length(column.width.max(9)));
    let widths = std::iter::once(Constraint::Fill(1)).chain(widths);
    let table = Table::new(lines, widths)
        .header(Row::new(titles).style(bold()))
        .column_spacing(1);
    frame.render_widget(table, area);
}

fn aligned(text: String, is_number: bool) -> Cell<'static> {
    let alignment = if is_number { Alignment::Right } else { Alignment::Left };
    Cell::from(Text::from(text).alignment(alignment))
}

fn draw_detail(frame: &mut Frame<'_>, board: &Board, line: u16, area: Rect) {
    let text = match &board.detail {
        None => "…".to_owned(),
        Some(Err(reason)) => printable(reason).into_owned(),
        Some(Ok(detail)) => {
            let mut text = Vec::new();
            let node = match board.mode {
                Mode::Detail { node, .. } => board.nodes.get(node).map(|node| node.name.as_str()),
                _ => None,
            };
            // A vector takes whatever is written.
            drop(write_detail(&mut text, node.unwrap_or_default(), detail));
            String::from_utf8_lossy(&text).into_owned()
        }
    };
    let last = u16::try_from(text.lines().count().saturating_sub(1)).unwrap_or(u16::MAX);
    frame.render_widget(Paragraph::new(text).scroll((line.min(last), 0)), area);
}

fn bold() -> Style {
    Style::new().add_modifier(Modifier::BOLD)
}

fn reversed() -> Style {
    Style::new().add_modifier(Modifier::REVERSED)
}

#[cfg(test)]
mod tests {
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    use super::super::board::tests::board;
    use super::*;

    fn lines(board: &Board, width: u16, height: u16) -> Vec<String> {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| draw(frame, board)).unwrap();
        let buffer = terminal.backend().buffer();
        let rows = buffer.content().chunks(width.into());
        rows.map(|cells| {
            let line: String = cells.iter().map(ratatui::buffer::Cell::symbol).collect();
            line.trim_end().to_owned()
        })
        .collect()
    }

    #[test]
    fn a_board_is_drawn() {
        assert_eq!(
            lines(&board(), 90, 7),
            [
                "ractor-host top  3 actors by messages",
                "alpha@localhost  cpu 25.0%  mem 80.0 MiB  waiting 0 (0 B)  links 0  guests 3  up 1m 1s",
                "NAME                          MSG/S▼                    CPU     MEMORY   WAITING  RESTARTS",
                "two                               20           ▁█      0.0%    1.0 MiB         2         0",
                "one                              5.0           ▁█      0.0%    1.0 MiB         1         0",
                "three                              0           ▁▁      0.0%    1.0 MiB         3         0",
                "q quit  enter show  / filter  space pause  sort: s c m w r n p",
            ]
        );
    }

    #[test]
    fn a_narrow_terminal_has_what_matters_most() {
        let narrow = lines(&board(), 40, 6);
        assert_eq!(narrow[1], "alpha@localhost  cpu 25.0%  mem 80.0 MiB");
        assert!(narrow[2].starts_with("NAME") && narrow[2].contains("MSG/S") && narrow[2].contains("CPU"));
        assert!(narrow[3].starts_with("two"), "{narrow:?}");
        // However small it is, nothing breaks.
        for (width, height) in [(1, 1), (3, 2), (20, 3), (500, 1)] {
            lines(&board(), width, height);
        }
    }

    #[test]
    fn trouble_with_a_node_is_shown_in_its_place() {
        let mut board = board();
        board.nodes[0].trouble = Some("the connection\nwas closed\u{1b}[2J".to_owned());
        assert_eq!(
            lines(&board, 60, 6)[1],
            "alpha@localhost  the connection was closed\\u{1b}[2J"
        );
    }
}
