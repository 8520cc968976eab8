//! The spans that are open, for the fields that they give to the events in them. There is one thread, and it is here.

use std::cell::RefCell;
use std::collections::HashMap;

use tracing::span::Id;

/// A field's name and its value as text.
pub(crate) type Field = (String, String);

thread_local! {
    static SPANS: RefCell<Spans> = RefCell::default();
}

/// Does something with the spans of this guest.
pub(crate) fn with<T>(action: impl FnOnce(&mut Spans) -> T) -> T {
    SPANS.with_borrow_mut(action)
}

/// The spans that something still refers to, and those among them that are entered.
#[derive(Debug, Default)]
pub(crate) struct Spans {
    last: u64,
    open: HashMap<u64, Span>,
    /// Innermost last.
    entered: Vec<u64>,
}

#[derive(Debug)]
struct Span {
    parent: Option<u64>,
    fields: Vec<Field>,
    references: usize,
}

impl Spans {
    /// The span around something new: the one that it names; otherwise, unless it wants none, the innermost.
    pub(crate) fn parent(&self, named: Option<&Id>, contextual: bool) -> Option<u64> {
        match named {
            Some(id) => Some(id.into_u64()),
            None if contextual => self.entered.last().copied(),
            None => None,
        }
    }

    /// Opens a span.
    pub(crate) fn open(&mut self, parent: Option<u64>, fields: Vec<Field>) -> Id {
        self.last += 1;
        // The fields of a span are wanted as long as one within it is open, even if the actor has dropped the outer one.
        if let Some(parent) = parent.and_then(|parent| self.open.get_mut(&parent)) {
            parent.references += 1;
        }
        let span = Span {
            parent,
            fields,
            references: 1,
        };
        self.open.insert(self.last, span);
        Id::from_u64(self.last)
    }

    /// Adds fields to a span, or gives those that it has another value.
    pub(crate) fn record(&mut self, id: &Id, fields: Vec<Field>) {
        if let Some(span) = self.open.get_mut(&id.into_u64()) {
            span.fields
                .retain(|(name, _)| fields.iter().all(|(new, _)| new != name));
            span.fields.extend(fields);
        }
    }

    pub(crate) fn enter(&mut self, id: &Id) {
        self.entered.push(id.into_u64());
    }

    pub(crate) fn exit(&mut self, id: &Id) {
        // Mostly the last one; but guards may be dropped in any order.
        if let Some(place) = self.entered.iter().rposition(|entered| *entered == id.into_u64()) {
            self.entered.remove(place);
        }
    }

    pub(crate) fn retain(&mut self, id: &Id) {
        if let Some(span) = self.open.get_mut(&id.into_u64()) {
            span.references += 1;
        }
    }

    /// True if that was the last reference. A span keeps the one that it is in.
    pub(crate) fn release(&mut self, id: &Id) -> bool {
        let mut next = Some(id.into_u64());
        let mut closed = false;
        while let Some(id) = next {
            let Some(span) = self.open.get_mut(&id) else { break };
            span.references -= 1;
            if span.references > 0 {
                break;
            }
            closed = true;
            next = span.parent;
            self.open.remove(&id);
        }
        closed
    }

    /// Adds the fields of a span and of those that it is in. Of several fields with one name the innermost counts.
    pub(crate) fn add_fields(&self, innermost: Option<u64>, fields: &mut Vec<Field>) {
        let mut next = innermost;
        while let Some(span) = next.and_then(|id| self.open.get(&id)) {
            for field in &span.fields {
                if fields.iter().all(|(name, _)| *name != field.0) {
                    fields.push(field.clone());
                }
            }
            next = span.parent;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(pairs: &[(&str, &str)]) -> Vec<Field> {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    fn seen(spans: &Spans, innermost: Option<u64>, own: &[(&str, &str)]) -> Vec<Field> {
        let mut fields = fields(own);
        spans.add_fields(innermost, &mut fields);
        fields
    }

    #[test]
    fn an_event_has_the_fields_of_its_spans_and_the_innermost_of_one_name() {
        let mut spans = Spans::default();
        let outer = spans.open(None, fields(&[("order", "7"), ("who", "outer")]));
        spans.enter(&outer);
        let inner = spans.open(spans.parent(None, true), fields(&[("who", "inner")]));
        spans.enter(&inner);
        let around = spans.parent(None, true);
        assert_eq!(
            seen(&spans, around, &[("n", "1")]),
            fields(&[("n", "1"), ("who", "inner"), ("order", "7")])
        );
        assert_eq!(
            seen(&spans, around, &[("who", "me")]),
            fields(&[("who", "me"), ("order", "7")])
        );

        spans.record(&inner, fields(&[("who", "late")]));
        assert_eq!(seen(&spans, around, &[]), fields(&[("who", "late"), ("order", "7")]));
        assert_eq!(
            seen(&spans, spans.parent(Some(&outer), false), &[]),
            fields(&[("order", "7"), ("who", "outer")])
        );
        assert_eq!(seen(&spans, spans.parent(None, false), &[]), []);

        spans.exit(&inner);
        spans.exit(&outer);
        assert_eq!(spans.parent(None, true), None);
    }

    #[test]
    fn a_span_is_forgotten_with_its_last_reference_and_keeps_the_one_that_it_is_in() {
        let mut spans = Spans::default();
        let outer = spans.open(None, Vec::new());
        let inner = spans.open(Some(outer.into_u64()), Vec::new());
        spans.retain(&inner);
        assert!(!spans.release(&outer));
        assert!(!spans.release(&inner));
        assert_eq!(spans.open.len(), 2);
        assert!(spans.release(&inner));
        assert_eq!(spans.open.len(), 0);
        assert!(!spans.release(&inner));
    }
}
