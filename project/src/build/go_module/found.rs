//! What is looked for in a module.

use anyhow::{Result, bail};
use wasmparser::{ExternalKind, Parser, Payload, TypeRef};

/// Go's linker writes this section into every module.
pub(super) const MARK: &str = "go:buildid";
/// The first bytes of what is reserved for the adapter, as guest-sdk/go/internal/abi has them.
pub(super) const RESERVED: &[u8] = b"ractor: memory of the adapter \xa5\x5a";
/// The number of all its bytes.
pub(super) const RESERVED_BYTES: i32 = 3 << 16;
/// The export by which the node asks for memory.
pub(super) const REALLOC: &str = "cabi_realloc";
/// What Go's runtime imports is in there.
pub(super) const WASI: &str = "wasi_snapshot_preview1";

/// What is looked for in a module.
#[derive(Default)]
pub(super) struct Found {
    pub(super) is_go: bool,
    pub(super) types: u32,
    pub(super) functions: u32,
    pub(super) globals: u32,
    pub(super) clock: Option<u32>,
    pub(super) poll: Option<u32>,
    pub(super) realloc: Option<u32>,
    pub(super) reserved: Option<i32>,
}

impl Found {
    pub(super) fn of(module: &[u8]) -> Result<Self> {
        let mut this = Self::default();
        for payload in Parser::new(0).parse_all(module) {
            match payload? {
                Payload::CustomSection(section) => this.is_go |= section.name() == MARK,
                Payload::TypeSection(section) => {
                    this.types = section.into_iter_err_on_gc_types().count().try_into()?;
                }
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        let import = import?;
                        match import.ty {
                            TypeRef::Func(_) => {
                                match (import.module, import.name) {
                                    (WASI, "clock_time_get") => this.clock = Some(this.functions),
                                    (WASI, "poll_oneoff") => this.poll = Some(this.functions),
                                    _ => {}
                                }
                                this.functions += 1;
                            }
                            TypeRef::Global(_) => this.globals += 1,
                            _ => {}
                        }
                    }
                }
                Payload::FunctionSection(section) => this.functions += section.count(),
                Payload::GlobalSection(section) => this.globals += section.count(),
                Payload::ExportSection(section) => {
                    for export in section {
                        let export = export?;
                        if export.name == REALLOC && export.kind == ExternalKind::Func {
                            this.realloc = Some(export.index);
                        }
                    }
                }
                Payload::DataSection(section) => {
                    for data in section {
                        this.look_in(data?)?;
                    }
                }
                _ => {}
            }
        }
        Ok(this)
    }

    fn look_in(&mut self, data: wasmparser::Data<'_>) -> Result<()> {
        let wasmparser::DataKind::Active { offset_expr, .. } = data.kind else {
            return Ok(());
        };
        let mut expression = offset_expr.get_operators_reader();
        let wasmparser::Operator::I32Const { value } = expression.read()? else {
            return Ok(());
        };
        if let Some(at) = data.data.windows(RESERVED.len()).position(|bytes| bytes == RESERVED) {
            if self.reserved.is_some() {
                bail!("the memory for the adapter is there twice");
            }
            self.reserved = Some(value + i32::try_from(at)?);
        }
        Ok(())
    }
}
