//! The journal: it owns the file of all decisions. It is native because a file has one owner, and a guest would need a grant for it.

use std::fs::File;
use std::io::Write as _;

use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use ractor_cluster::RactorClusterMessage;
use ractor_host::FailCall as _;

/// Writes decisions to a file. Its start argument is the path of the file, which it makes.
#[derive(Debug)]
pub(crate) struct Journal;

/// What a [`Journal`] understands.
#[derive(Debug, RactorClusterMessage)]
pub(crate) enum JournalMsg {
    /// Writes a decision down: the order, the verdict and the points. Replies with the number of its line.
    #[rpc]
    Record(String, String, u32, RpcReplyPort<u64>),
    /// Replies with the number of lines.
    #[rpc]
    Lines(RpcReplyPort<u64>),
}

/// An open journal.
#[derive(Debug)]
pub(crate) struct Book {
    file: File,
    lines: u64,
}

impl Actor for Journal {
    type Msg = JournalMsg;
    type State = Book;
    type Arguments = String;

    async fn pre_start(&self, _: ActorRef<JournalMsg>, path: String) -> Result<Book, ActorProcessingErr> {
        let file = File::create(&path).map_err(|error| format!("cannot write {path}: {error}"))?;
        Ok(Book { file, lines: 0 })
    }

    async fn handle(
        &self,
        _: ActorRef<JournalMsg>,
        message: JournalMsg,
        book: &mut Book,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            JournalMsg::Record(order, verdict, points, reply) => {
                match writeln!(book.file, "{order}\t{verdict}\t{points}") {
                    Ok(()) => {
                        book.lines += 1;
                        reply.send(book.lines)?;
                    }
                    Err(error) => reply.fail(format_args!("the journal can't be written: {error}")),
                }
            }
            JournalMsg::Lines(reply) => reply.send(book.lines)?,
        }
        Ok(())
    }
}
