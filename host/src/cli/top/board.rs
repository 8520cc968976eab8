//! What is shown, and what keys and news change about it: a machine that is given the time.

use std::cmp::Reverse;
use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use tokio::time::Instant;

use super::look::{News, SeenNode};
use crate::cli::ps::{SortBy, has};
use crate::control::{ActorDetail, ActorKind, ActorRow, NodeFigures};

/// The looks whose rates are kept for the small curves.
pub(super) const KEPT: usize = 32;

/// The actors that a page has, for the keys that go by pages.
const PAGE: usize = 20;

/// What the keys ask of somebody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    Quit,
    /// Everything of the actor of this node with this pid, now and with each look.
    Detail(usize, u64),
    NoDetail,
}

/// Which part of it takes the keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Mode {
    Table,
    /// A filter is typed.
    Filter,
    /// One actor is shown in full, from this line on.
    Detail {
        node: usize,
        pid: u64,
        line: u16,
    },
}

/// A node, as it was seen last.
pub(super) struct ShownNode {
    pub(super) name: String,
    pub(super) figures: Option<Box<NodeFigures>>,
    /// The part of a processor that it had lately.
    pub(super) cpu: Option<f64>,
    /// Why the last look brought nothing.
    pub(super) trouble: Option<String>,
    pub(super) actors: Vec<ShownActor>,
    seen_at: Option<Instant>,
}

/// An actor, as it was seen last.
pub(super) struct ShownActor {
    pub(super) row: ActorRow,
    /// Messages in each second at the last looks, the newest last.
    pub(super) rates: VecDeque<f64>,
    /// The part of a processor that it had.
    pub(super) cpu: f64,
}

/// See the module.
pub(super) struct Board {
    pub(super) nodes: Vec<ShownNode>,
    pub(super) sort: SortBy,
    pub(super) filter: String,
    pub(super) is_paused: bool,
    pub(super) mode: Mode,
    /// The actor that is chosen: its node and its pid.
    pub(super) chosen: Option<(usize, u64)>,
    pub(super) detail: Option<Result<Box<ActorDetail>, String>>,
}

impl Board {
    /// Of these nodes, none of which was seen yet.
    pub(super) fn new(names: Vec<String>, sort: SortBy, filter: String) -> Self {
        let nodes = names.into_iter().map(|name| ShownNode {
            name,
            figures: None,
            cpu: None,
            trouble: None,
            actors: Vec::new(),
            seen_at: None,
        });
        Self {
            nodes: nodes.collect(),
            sort,
            filter,
            is_paused: false,
            mode: Mode::Table,
            chosen: None,
            detail: None,
        }
    }

    pub(super) fn handle_news(&mut self, news: News, now: Instant) {
        if self.is_paused {
            return;
        }
        match news {
            News::Nodes(looks) => {
                for (node, look) in self.nodes.iter_mut().zip(looks) {
                    match look {
                        Ok(seen) => node.see(seen, now),
                        Err(trouble) => node.trouble = Some(trouble),
                    }
                }
                let rows = self.rows();
                if !rows
                    .iter()
                    .any(|(node, actor)| self.chosen == Some((*node, actor.row.pid)))
                {
                    self.chosen = rows.first().map(|(node, actor)| (*node, actor.row.pid));
                }
            }
            News::Detail { node, pid, detail } => {
                // One that was asked for before somebody went on to another is late.
                if matches!(&self.mode, Mode::Detail { node: on, pid: of, .. } if (*on, *of) == (node, pid)) {
                    self.detail = Some(detail);
                }
            }
        }
    }

    pub(super) fn handle_key(&mut self, key: KeyEvent) -> Option<Wish> {
        if key.modifiers.contains(KeyModifiers::CONTROL) {
            return matches!(key.code, KeyCode::Char('c' | 'd')).then_some(Wish::Quit);
        }
        match self.mode {
            Mode::Filter => {
                self.type_filter(key.code);
                None
            }
            Mode::Detail { .. } => self.in_detail(key.code),
            Mode::Table => self.in_table(key.code),
        }
    }

    fn type_filter(&mut self, key: KeyCode) {
        match key {
            KeyCode::Enter => self.mode = Mode::Table,
            KeyCode::Esc => {
                self.filter.clear();
                self.mode = Mode::Table;
            }
            KeyCode::Backspace => drop(self.filter.pop()),
            KeyCode::Char(character) => self.filter.push(character),
            _ => {}
        }
        self.choose(0);
    }

    fn in_detail(&mut self, key: KeyCode) -> Option<Wish> {
        let Mode::Detail { line, .. } = &mut self.mode else {
            return None;
        };
        match key {
            KeyCode::Char('q') => return Some(Wish::Quit),
            KeyCode::Esc | KeyCode::Backspace | KeyCode::Enter | KeyCode::Left => {
                self.mode = Mode::Table;
                self.detail = None;
                return Some(Wish::NoDetail);
            }
            KeyCode::Char(' ') => self.is_paused = !self.is_paused,
            KeyCode::Up | KeyCode::Char('k') => *line = line.saturating_sub(1),
            KeyCode::Down | KeyCode::Char('j') => *line = line.saturating_add(1),
            KeyCode::Home => *line = 0,
            _ => {}
        }
        None
    }

    fn in_table(&mut self, key: KeyCode) -> Option<Wish> {
        let page = isize::try_from(PAGE).unwrap_or(isize::MAX);
        match key {
            KeyCode::Char('q') | KeyCode::Esc => return Some(Wish::Quit),
            KeyCode::Char('/') => self.mode = Mode::Filter,
            KeyCode::Char(' ') => self.is_paused = !self.is_paused,
            KeyCode::Char('s') => self.sort = SortBy::Messages,
            KeyCode::Char('c') => self.sort = SortBy::Cpu,
            KeyCode::Char('m') => self.sort = SortBy::Memory,
            KeyCode::Char('w') => self.sort = SortBy::Waiting,
            KeyCode::Char('r') => self.sort = SortBy::Restarts,
            KeyCode::Char('n') => self.sort = SortBy::Name,
            KeyCode::Char('p') => self.sort = SortBy::Pid,
            KeyCode::Up | KeyCode::Char('k') => self.choose(-1),
            KeyCode::Down | KeyCode::Char('j') => self.choose(1),
            KeyCode::PageUp => self.choose(-page),
            KeyCode::PageDown => self.choose(page),
            KeyCode::Home | KeyCode::Char('g') => self.choose(isize::MIN),
            KeyCode::End | KeyCode::Char('G') => self.choose(isize::MAX),
            KeyCode::Enter | KeyCode::Right => {
                let (node, pid) = self.chosen?;
                self.mode = Mode::Detail { node, pid, line: 0 };
                self.detail = None;
                return Some(Wish::Detail(node, pid));
            }
            _ => {}
        }
        None
    }

    /// The actor that is this many rows away is chosen, or the last one before that.
    fn choose(&mut self, by: isize) {
        let rows = self.rows();
        let at = self.place(&rows).unwrap_or(0);
        let last = rows.len().saturating_sub(1);
        let at = at.saturating_add_signed(by).min(last);
        self.chosen = rows.get(at).map(|(node, actor)| (*node, actor.row.pid));
    }

    /// Where the actor that is chosen is among these.
    pub(super) fn place(&self, rows: &[(usize, &ShownActor)]) -> Option<usize> {
        let chosen = self.chosen?;
        rows.iter().position(|(node, actor)| (*node, actor.row.pid) == chosen)
    }

    /// The actors that are shown, in their order, each with the number of its node.
    pub(super) fn rows(&self) -> Vec<(usize, &ShownActor)> {
        let nodes = self.nodes.iter().enumerate();
        let all = nodes.flat_map(|(node, shown)| shown.actors.iter().map(move |actor| (node, actor)));
        let mut rows: Vec<_> = all
            .filter(|(_, actor)| matches!(actor.row.kind, ActorKind::Guest | ActorKind::Native))
            .filter(|(_, actor)| self.filter.is_empty() || has(&actor.row, &self.filter))
            .collect();
        let name = |actor: &ShownActor| (actor.row.name.is_none(), actor.row.name.clone());
        match self.sort {
            SortBy::Pid => rows.sort_by_key(|(node, actor)| (*node, actor.row.pid)),
            SortBy::Name => rows.sort_by_cached_key(|(node, actor)| (name(actor), *node)),
            SortBy::Waiting => rows.sort_by_key(|(_, actor)| Reverse(actor.row.waiting)),
            SortBy::Messages => rows.sort_by(|(_, a), (_, b)| b.rate().total_cmp(&a.rate())),
            SortBy::Cpu => rows.sort_by(|(_, a), (_, b)| b.cpu.total_cmp(&a.cpu)),
            SortBy::Memory => {
                rows.sort_by_key(|(_, actor)| Reverse(actor.row.figures.map(|figures| figures.memory_bytes)));
            }
            SortBy::Restarts => {
                rows.sort_by_key(|(_, actor)| Reverse(actor.row.figures.map(|figures| figures.restarts)));
            }
        }
        rows
    }
}

impl ShownActor {
    /// Messages in each second at the last look.
    pub(super) fn rate(&self) -> f64 {
        self.rates.back().copied().unwrap_or_default()
    }
}

impl ShownNode {
    fn see(&mut self, SeenNode { figures, actors }: SeenNode, now: Instant) {
        let passed = self.seen_at.map(|at| now.saturating_duration_since(at));
        let passed = passed.filter(|passed| !passed.is_zero());
        self.cpu = passed.zip(self.figures.as_ref()).map(|(passed, before)| {
            let busy = figures.process.cpu_us.saturating_sub(before.process.cpu_us);
            each_second(busy, passed) / 1e6
        });
        let mut before: HashMap<u64, ShownActor> = self.actors.drain(..).map(|actor| (actor.row.pid, actor)).collect();
        self.actors = actors
            .into_iter()
            .map(|row| {
                let before = before.remove(&row.pid);
                row_of(row, before, passed)
            })
            .collect();
        self.figures = Some(figures);
        self.trouble = None;
        self.seen_at = Some(now);
    }
}

/// An actor that is seen again, or for the first time: then the node knows what it did lately.
fn row_of(row: ActorRow, before: Option<ShownActor>, passed: Option<Duration>) -> ShownActor {
    let now = row.figures.unwrap_or_default();
    let (rate, cpu) = match (&before, passed) {
        (Some(before), Some(passed)) => {
            let then = before.row.figures.unwrap_or_default();
            let messages = now.messages.saturating_sub(then.messages);
            let busy = now.busy_us.saturating_sub(then.busy_us);
            (each_second(messages, passed), each_second(busy, passed) / 1e6)
        }
        _ => {
            let lately = now.lately.unwrap_or_default();
            (lately.messages_per_second(), lately.busy_share())
        }
    };
    let mut rates = before.map(|before| before.rates).unwrap_or_default();
    if rates.len() >= KEPT {
        rates.pop_front();
    }
    rates.push_back(rate);
    ShownActor { row, rates, cpu }
}

#[expect(clippy::cast_precision_loss, reason = "it is shown with few digits")]
fn each_second(count: u64, passed: Duration) -> f64 {
    count as f64 / passed.as_secs_f64()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::control::{ActorFigures, ActorModule};

    pub(in super::super) fn actor(pid: u64, name: &str, messages: u64) -> ActorRow {
        ActorRow {
            pid,
            name: Some(name.to_owned()),
            kind: ActorKind::Guest,
            module: Some(ActorModule {
                name: "shop".to_owned(),
                digest: "sha256:0123456789abcdef".to_owned(),
            }),
            groups: Vec::new(),
            waiting: Some(usize::try_from(pid).unwrap()),
            supervisor: None,
            figures: Some(ActorFigures {
                messages,
                memory_bytes: 1 << 20,
                ..ActorFigures::default()
            }),
        }
    }

    pub(in super::super) fn look(actors: Vec<ActorRow>, cpu_us: u64) -> News {
        let mut figures = NodeFigures {
            ready: true,
            uptime_ms: 61_000,
            ..NodeFigures::default()
        };
        figures.process.cpu_us = cpu_us;
        figures.process.resident_bytes = 80 << 20;
        figures.guests = actors.len() as u64;
        News::Nodes(vec![Ok(SeenNode {
            figures: Box::new(figures),
            actors,
        })])
    }

    pub(in super::super) fn board() -> Board {
        let mut board = Board::new(vec!["alpha@localhost".to_owned()], SortBy::Messages, String::new());
        let start = Instant::now();
        board.handle_news(
            look(vec![actor(1, "one", 0), actor(2, "two", 0), actor(3, "three", 0)], 0),
            start,
        );
        let later = start + Duration::from_secs(2);
        let actors = vec![actor(1, "one", 10), actor(2, "two", 40), actor(3, "three", 0)];
        board.handle_news(look(actors, 500_000), later);
        board
    }

    fn names(board: &Board) -> Vec<String> {
        board
            .rows()
            .into_iter()
            .filter_map(|(_, actor)| actor.row.name.clone())
            .collect()
    }

    fn press(board: &mut Board, code: KeyCode) -> Option<Wish> {
        board.handle_key(KeyEvent::new(code, KeyModifiers::NONE))
    }

    #[test]
    fn rates_are_those_between_two_looks() {
        let board = board();
        assert_eq!(names(&board), ["two", "one", "three"]);
        let rates: Vec<f64> = board.rows().iter().map(|(_, actor)| actor.rate()).collect();
        assert_eq!(rates, [20.0, 5.0, 0.0]);
        assert_eq!(board.nodes[0].cpu, Some(0.25));
    }

    #[test]
    fn keys_sort_and_filter_and_choose() {
        let mut board = board();
        assert_eq!(press(&mut board, KeyCode::Char('w')), None);
        assert_eq!(names(&board), ["three", "two", "one"]);
        press(&mut board, KeyCode::Char('n'));
        assert_eq!(names(&board), ["one", "three", "two"]);
        press(&mut board, KeyCode::Home);
        press(&mut board, KeyCode::Down);
        assert_eq!(board.chosen, Some((0, 3)));
        press(&mut board, KeyCode::End);
        assert_eq!(board.chosen, Some((0, 2)));
        press(&mut board, KeyCode::PageUp);
        assert_eq!(board.chosen, Some((0, 1)));
        for key in ['/', 't', 'w'] {
            press(&mut board, KeyCode::Char(key));
        }
        assert_eq!(names(&board), ["two"]);
        assert_eq!(board.chosen, Some((0, 2)), "what is chosen can be seen");
        assert_eq!(press(&mut board, KeyCode::Char('q')), None, "a letter of the filter");
        press(&mut board, KeyCode::Esc);
        assert_eq!(names(&board).len(), 3);
        assert_eq!(press(&mut board, KeyCode::Char('q')), Some(Wish::Quit));
        let control = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        assert_eq!(board.handle_key(control), Some(Wish::Quit));
    }

    #[test]
    fn one_actor_is_shown_in_full_and_left_again() {
        let mut board = board();
        assert_eq!(board.chosen, Some((0, 1)), "it stays with the actor that was first");
        assert_eq!(press(&mut board, KeyCode::Enter), Some(Wish::Detail(0, 1)));
        board.handle_news(
            News::Detail {
                node: 0,
                pid: 2,
                detail: Err("late".to_owned()),
            },
            Instant::now(),
        );
        assert!(board.detail.is_none(), "that is another one");
        let gone = News::Detail {
            node: 0,
            pid: 1,
            detail: Err("gone".to_owned()),
        };
        board.handle_news(gone, Instant::now());
        assert!(matches!(&board.detail, Some(Err(reason)) if reason == "gone"));
        assert_eq!(press(&mut board, KeyCode::Esc), Some(Wish::NoDetail));
        assert_eq!(board.mode, Mode::Table);
    }

    #[test]
    fn a_pause_keeps_what_is_shown() {
        let mut board = board();
        press(&mut board, KeyCode::Char(' '));
        board.handle_news(look(Vec::new(), 0), Instant::now());
        assert_eq!(names(&board).len(), 3);
        press(&mut board, KeyCode::Char(' '));
        board.handle_news(News::Nodes(vec![Err("it is gone".to_owned())]), Instant::now());
        assert_eq!(names(&board).len(), 3, "what was seen last stays");
        assert_eq!(board.nodes[0].trouble.as_deref(), Some("it is gone"));
    }
}
