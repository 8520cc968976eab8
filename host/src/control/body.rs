//! Requests and answers as bytes: JSON behind its length, and what is uploaded behind that.

use serde::{Deserialize, Serialize};

use super::message::Answer;

/// A request or an answer, and what is uploaded, as one body.
pub(crate) fn encode_body(message: &impl Serialize, piece: &[u8]) -> Result<Vec<u8>, serde_json::Error> {
    // The JSON of very many actors is written once, and not copied.
    let mut body = vec![0; size_of::<u32>()];
    serde_json::to_writer(&mut body, message)?;
    let length = body.len() - size_of::<u32>();
    if let Some(place) = body.first_chunk_mut() {
        *place = u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes();
    }
    body.extend_from_slice(piece);
    Ok(body)
}

/// An answer as a body, made where the runtime isn't kept from other work if it is long.
pub(super) async fn body_of(answer: Answer) -> Vec<u8> {
    match answer {
        Answer::Actors { .. } | Answer::Groups { .. } => {
            let encoding = tokio::task::spawn_blocking(move || encode_answer(&answer));
            // It fails only where the runtime ends, and nobody reads this any more.
            encoding.await.unwrap_or_default()
        }
        answer => encode_answer(&answer),
    }
}

/// An answer as a body.
fn encode_answer(answer: &Answer) -> Vec<u8> {
    let body = encode_body(answer, &[]).or_else(|error| {
        let reason = format!("the answer can't be written: {error}");
        encode_body(&Answer::Failed { reason }, &[])
    });
    // Text alone can always be written.
    body.unwrap_or_default()
}

/// What [`encode_body`] encoded. None if it is something else.
pub(crate) fn decode_body<'b, T: Deserialize<'b>>(body: &'b [u8]) -> Option<(T, &'b [u8])> {
    let (length, rest) = body.split_first_chunk()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let (json, piece) = rest.split_at_checked(length)?;
    Some((serde_json::from_slice(json).ok()?, piece))
}
