//! The terminal: taken and given back, and what is typed.

use std::io;
use std::time::Duration;

use ratatui::crossterm::event::{self, Event, KeyEvent, KeyEventKind};
use ratatui::{DefaultTerminal, Frame};
use tokio::sync::mpsc;

/// The interval between two checks whether anybody still wants to know what is typed.
const LOOK: Duration = Duration::from_millis(200);

/// The terminal in our hands. It is as it was before once this is dropped, and before the words of a panic are written.
pub(super) struct Screen(DefaultTerminal);

impl Screen {
    /// Takes the terminal.
    ///
    /// # Errors
    /// It is none.
    pub(super) fn open() -> io::Result<Self> {
        // With a hook that gives it back before a panic is told.
        match ratatui::try_init() {
            Ok(terminal) => Ok(Self(terminal)),
            Err(error) => {
                // It may have been taken by half.
                drop(ratatui::try_restore());
                Err(error)
            }
        }
    }

    pub(super) fn draw(&mut self, draw: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        self.0.draw(draw).map(drop)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // If it is gone, there is nothing to give back.
        drop(self.0.show_cursor());
        drop(ratatui::try_restore());
    }
}

/// What comes from the terminal.
pub(super) enum Input {
    Key(KeyEvent),
    Resized,
}

/// What is typed from now on. It ends with the terminal.
pub(super) fn inputs() -> mpsc::Receiver<Input> {
    let (tell, told) = mpsc::channel(32);
    // A thread of its own, because reading a terminal blocks. It ends soon after nobody listens any more.
    std::thread::spawn(move || {
        while !tell.is_closed() {
            let input = match event::poll(LOOK) {
                Ok(true) => match event::read() {
                    Ok(Event::Key(key)) if key.kind != KeyEventKind::Release => Input::Key(key),
                    Ok(Event::Resize(..)) => Input::Resized,
                    Ok(_) => continue,
                    Err(_) => return,
                },
                Ok(false) => continue,
                Err(_) => return,
            };
            if tell.blocking_send(input).is_err() {
                return;
            }
        }
    });
    told
}
