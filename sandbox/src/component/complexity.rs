//! How hard a component would be to compile. Looked at before the compiler sees it, which takes what time and memory it takes
//! and can't be interrupted.
//!
//! Time and memory mostly grow with the size of a file, which has a limit. Two things grow faster. What every function and
//! module costs beside its code: a few bytes of a file can be a whole function. And what a function's values cost where its
//! branches meet: in the worst case every branch hands over every value, so a few hundred kilobytes can ask for gigabytes.
//!
//! A loop hands values over once for each loop that it is in, so it counts as many branches: 500 values in 500 loops, one
//! in the other and in 12 kB, took a debug build over 40 seconds.

use wasmparser::{FunctionBody, Operator, Parser, Payload, TypeSectionReader};

/// How hard a component may be to compile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Complexity {
    /// Functions, all modules of the component together.
    pub functions: usize,
    /// Modules and components within the component.
    pub modules: usize,
    /// Of one function: values (parameters and locals) times branches.
    pub function: u64,
}

impl Default for Complexity {
    /// More than ten times what the guests of this checkout need. Their functions, modules, and largest function:
    ///
    /// | guest | functions | modules | values × branches |
    /// |---|---|---|---|
    /// | C | 65 | 5 | 731 = 17 × 43 |
    /// | Rust (`counter`) | 560 | 6 | 15 250 = 50 × 305 |
    /// | JavaScript (1.6 MB) | 1 647 | 14 | 213 294 = 57 × 3 742 |
    /// | Python (18 MB) | 13 434 | 18 | 309 662 = 19 × 16 298 |
    fn default() -> Self {
        Self {
            functions: 250_000,
            modules: 1000,
            function: 5_000_000,
        }
    }
}

/// A component is harder to compile than it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TooComplex {
    /// See [`Complexity::functions`].
    #[error("it has more than {0} functions")]
    Functions(usize),
    /// See [`Complexity::modules`].
    #[error("it consists of more than {0} modules and components")]
    Modules(usize),
    /// Its components instantiate each other, and hand things on, in more steps than this.
    #[error("it is put together in more than {0} steps")]
    Steps(usize),
    /// Its components instantiate each other deeper than this.
    #[error("its components instantiate each other more than {0} deep")]
    Depth(usize),
    /// See [`Complexity::function`].
    #[error("function {index} has {values} values and {branches} branches; their product may be {limit} at most")]
    Function {
        /// Which function, counted among those of its module that have code.
        index: usize,
        /// Its parameters and locals.
        values: u64,
        /// Its branches; a loop counts as many as there are loops around it, and one.
        branches: u64,
        /// The limit.
        limit: u64,
    },
}

/// Looks at a component. What isn't even well-formed is left to the compiler, which refuses it before it compiles anything.
pub(crate) fn check(bytes: &[u8], limits: &Complexity) -> Result<(), TooComplex> {
    let (mut modules, mut functions) = (0, 0);
    // Of the module that is being read. Only one is at a time: modules have no modules.
    let (mut most_values, mut index) = (0, 0);
    for payload in Parser::new(0).parse_all(bytes) {
        let Ok(payload) = payload else { return Ok(()) };
        match payload {
            Payload::Version { .. } => {
                modules += 1;
                (most_values, index) = (0, 0);
                if modules > limits.modules {
                    return Err(TooComplex::Modules(limits.modules));
                }
            }
            Payload::TypeSection(types) => most_values = most_parameters(types),
            Payload::CodeSectionEntry(body) => {
                functions += 1;
                if functions > limits.functions {
                    return Err(TooComplex::Functions(limits.functions));
                }
                check_function(&body, index, most_values, limits.function)?;
                index += 1;
            }
            _ => {}
        }
    }
    Ok(())
}

/// The most parameters, or results, of a function or a block of the module: which of them has which type is not looked at.
fn most_parameters(types: TypeSectionReader<'_>) -> u64 {
    let types = types.into_iter_err_on_gc_types().map_while(Result::ok);
    let counts = types.map(|ty| ty.params().len().max(ty.results().len()));
    counts.max().unwrap_or_default() as u64
}

fn check_function(body: &FunctionBody<'_>, index: usize, parameters: u64, limit: u64) -> Result<(), TooComplex> {
    let locals = body.get_locals_reader().into_iter().flatten().map_while(Result::ok);
    let values = locals.fold(parameters, |sum, (count, _)| sum.saturating_add(count.into()));
    let mut branches = 0_u64;
    let mut loops = Loops::default();
    let operators = body.get_operators_reader().into_iter().flatten().map_while(Result::ok);
    for operator in operators {
        // Before the operator is counted, so that a loop is within itself.
        loops.pass(&operator);
        branches += match operator {
            Operator::Loop { .. } => loops.depth,
            _ => branches_of(&operator),
        };
    }
    if values.saturating_mul(branches) > limit {
        return Err(TooComplex::Function {
            index,
            values,
            branches,
            limit,
        });
    }
    Ok(())
}

/// In how many loops an operator is.
#[derive(Default)]
struct Loops {
    depth: u64,
    /// The blocks around it, innermost last: whether each is a loop.
    blocks: Vec<bool>,
}

impl Loops {
    fn pass(&mut self, operator: &Operator<'_>) {
        match operator {
            Operator::Loop { .. } => {
                self.blocks.push(true);
                self.depth += 1;
            }
            Operator::Block { .. } | Operator::If { .. } | Operator::TryTable { .. } => self.blocks.push(false),
            // The last one is the function's own.
            Operator::End => self.depth -= u64::from(self.blocks.pop().unwrap_or_default()),
            _ => {}
        }
    }
}

fn branches_of(operator: &Operator<'_>) -> u64 {
    match operator {
        Operator::Block { .. }
        | Operator::Br { .. }
        | Operator::BrIf { .. }
        | Operator::BrOnNull { .. }
        | Operator::BrOnNonNull { .. }
        | Operator::Return => 1,
        Operator::If { .. } => 2,
        Operator::BrTable { targets } => u64::from(targets.len()) + 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn branches(body: &str) -> Result<(), TooComplex> {
        let module = wat::parse_str(format!("(module (func (local i32 i32) {body}))")).unwrap_or_default();
        let limits = Complexity {
            function: 0,
            ..Complexity::default()
        };
        check(&module, &limits)
    }

    #[test]
    fn a_loop_counts_with_the_loops_around_it() {
        let cases = [
            ("", None),
            ("(loop)", Some(1)),
            ("(loop) (loop)", Some(2)),
            ("(loop (loop))", Some(3)),
            ("(loop (loop (loop)))", Some(6)),
            ("(loop (block (loop)) (block))", Some(5)),
            ("(loop (if (i32.const 1) (then (loop)))) (loop)", Some(6)),
        ];
        for (body, expected) in cases {
            let found = match branches(body) {
                Err(TooComplex::Function { branches, .. }) => Some(branches),
                _ => None,
            };
            assert_eq!(found, expected, "{body}");
        }
    }
}
