//! What can't be in a language, why, and that it indeed can't.

use crate::kitchen::Kitchen;
use crate::language::Language;

/// Whether a language can do what a case asks.
pub(crate) enum Ability {
    Can,
    Cannot {
        /// As the matrix says it.
        why: &'static str,
        pin: Pin,
    },
}

/// What shows that a language can't.
#[derive(Clone, Copy)]
pub(crate) enum Pin {
    /// Its kitchen has no such message.
    LeftOut(&'static str),
}

impl Pin {
    /// Whether it is as it was when the table was written.
    #[track_caller]
    pub(crate) fn holds(self, kitchen: &Kitchen<'_>) {
        match self {
            Self::LeftOut(message) => kitchen.fails(message, &[], message),
        }
    }
}

const NO_TRAP: &str = "nothing in the language ends the instance";

/// For each language: the cases, what shows it, and why.
fn table(language: Language) -> &'static [(&'static str, Pin, &'static str)] {
    match language {
        Language::Python | Language::TypeScript => &[
            ("trap", Pin::LeftOut("Trap"), NO_TRAP),
            ("trap-call", Pin::LeftOut("TrapCall"), NO_TRAP),
        ],
        Language::Rust | Language::C | Language::Go => &[],
    }
}

/// Whether this language can do what this case asks.
pub(crate) fn ability(language: Language, case: &str) -> Ability {
    let row = table(language).iter().find(|(name, ..)| *name == case);
    row.map_or(Ability::Can, |(_, pin, why)| Ability::Cannot { why, pin: *pin })
}

/// Whether the kitchen of this language has no such message.
pub(crate) fn leaves_out(language: Language, message: &str) -> bool {
    let mut rows = table(language).iter();
    rows.any(|(_, Pin::LeftOut(name), _)| *name == message)
}

/// The cases that this language leaves out.
pub(crate) fn cases(language: Language) -> impl Iterator<Item = &'static str> {
    table(language).iter().map(|(case, ..)| *case)
}
