//! `top`: nodes and their actors on a terminal, live.
//!
//! `board` is what is shown and how keys change it, a machine without a terminal or a clock of its own; `view` draws it; `screen` is the
//! terminal; `look` asks the nodes. This file runs them together.

mod board;
mod look;
mod screen;
mod spark;
mod view;

use std::io::{self, IsTerminal as _};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use tokio::sync::mpsc;
use tokio::time::Instant;

use self::board::{Board, Wish};
use self::look::{Looker, News};
use self::screen::{Input, Screen, inputs};
use super::arguments::ControlArguments;
use super::deploy::with_access;
use super::failure::Failure;
use super::nodes;
use super::ps::SortBy;
use super::signals::Signals;
use super::timeout::parse_timeout;
use crate::host::HostBuilder;

pub(super) const EXAMPLES: &str = "\
Examples:
  ractor-host top
  ractor-host top --sort cpu --filter orders --interval 5s
  ractor-host top --node 127.0.0.1:4697 --all-nodes --cookie-file cookie --key-file observe.key

Keys:
  up, down, j, k, page up, page down, home, end: select an actor    enter: show everything of it    esc: back
  s messages, c processor, m memory, w waiting, r restarts, n name, p pid: sort    /: filter    space: pause    q: quit";

#[derive(Debug, Args)]
pub(super) struct TopArguments {
    #[command(flatten)]
    control: ControlArguments,
    /// Sort by this column; numbers are sorted largest first. A key changes it.
    #[arg(long, value_enum, default_value = "messages")]
    sort: SortBy,
    /// Only actors that have this text in their name, in the name of a group or of their module. The key `/` changes it.
    #[arg(long, value_name = "TEXT", default_value = "")]
    filter: String,
    /// Refresh interval: 500ms, 5s.
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = parse_timeout)]
    interval: Duration,
}

/// How it ended.
enum End {
    Quit,
    /// A signal of this number.
    Signal(u8),
}

pub(super) fn top(arguments: &TopArguments, builder: &HostBuilder) -> Result<ExitCode, Failure> {
    if !io::stdout().is_terminal() || !io::stdin().is_terminal() {
        return Err(Failure::usage(
            "`top` needs a terminal; for pipes and programs there are `ractor-host ps --watch` and `--output json`",
        ));
    }
    let end = with_access(&arguments.control, builder, async |access| {
        let nodes: anyhow::Result<Vec<_>> = nodes::connect_each(access, &arguments.control)
            .await
            .into_iter()
            .collect();
        let nodes = nodes?;
        let names = nodes.iter().map(|node| node.name.clone()).collect();
        let mut board = Board::new(names, arguments.sort, arguments.filter.clone());
        let (wish, wishes) = mpsc::channel(8);
        let (tell, mut news) = mpsc::channel(8);
        let looker = Looker::new(nodes, arguments.interval, arguments.control.timeout);
        // The looks go on beside the keys, in the same task: a node that is slow to answer keeps nobody from quitting.
        tokio::select! {
            end = watch(&mut board, &mut news, &wish) => end,
            () = looker.run(wishes, tell) => Ok(End::Quit),
        }
    })?;
    Ok(match end {
        End::Quit => ExitCode::SUCCESS,
        End::Signal(number) => ExitCode::from(128 + number),
    })
}

async fn watch(board: &mut Board, news: &mut mpsc::Receiver<News>, wish: &mpsc::Sender<Wish>) -> anyhow::Result<End> {
    let mut signals = Signals::new()?;
    // From here on, every way out gives the terminal back: the end of this function, an error, and a panic.
    let mut screen = Screen::open()?;
    let mut input = inputs();
    loop {
        screen.draw(|frame| view::draw(frame, board))?;
        tokio::select! {
            Some(news) = news.recv() => board.handle_news(news, Instant::now()),
            given = input.recv() => match given {
                Some(Input::Key(key)) => match board.handle_key(key) {
                    Some(Wish::Quit) => return Ok(End::Quit),
                    // A looker that is behind has another look soon.
                    Some(wanted) => drop(wish.try_send(wanted)),
                    None => {}
                },
                // The next drawing looks how large it is.
                Some(Input::Resized) => {}
                // The terminal is gone.
                None => return Ok(End::Quit),
            },
            number = signals.recv() => return Ok(End::Signal(number)),
        }
    }
}
