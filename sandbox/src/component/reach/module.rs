//! A core module, as far as it tells what its functions can call.

use std::collections::HashMap;

use wasmparser::{
    ConstExpr, Element, ElementItems, ElementKind, ExternalKind, FuncType, FunctionBody, Import, KnownCustom, Name,
    NameSectionReader, Operator, Payload, TableInit, TableSectionReader, TypeRef, ValType,
};

use super::NotFollowed;

/// The type of a function, by its number: the same for all modules of a file.
pub(super) type Signature = u32;

/// The types of functions, numbered.
#[derive(Default)]
pub(super) struct Signatures(HashMap<FuncType, Signature>);

impl Signatures {
    fn number(&mut self, ty: FuncType) -> Signature {
        let next = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        *self.0.entry(ty).or_insert(next)
    }
}

/// What a module imports that matters here.
#[derive(Debug, Clone, Copy)]
pub(super) struct Imported<'a> {
    pub(super) module: &'a str,
    pub(super) name: &'a str,
}

/// Functions that are put into a table, or may be.
#[derive(Clone)]
pub(super) struct Segment {
    /// The table. None: the program chooses, if it does at all.
    pub(super) table: Option<u32>,
    /// The place of the first one, if it is known.
    pub(super) offset: Option<u32>,
    /// By number. None of a place that is left empty.
    pub(super) functions: Vec<Option<u32>>,
}

/// A module.
#[derive(Default)]
pub(super) struct Module<'a> {
    types: Vec<Signature>,
    /// By number, the imported ones first.
    pub(super) functions: Vec<Signature>,
    pub(super) imported_functions: Vec<Imported<'a>>,
    pub(super) imported_tables: Vec<Imported<'a>>,
    /// Its own ones, behind those that it imports.
    pub(super) tables: u32,
    bodies: Vec<FunctionBody<'a>>,
    exports: HashMap<&'a str, (ExternalKind, u32)>,
    pub(super) segments: Vec<Segment>,
    pub(super) start: Option<u32>,
    names: Option<NameSectionReader<'a>>,
    /// True if some place of a table, or a variable, begins with a function that another variable has.
    pub(super) hands_on: bool,
}

impl<'a> Module<'a> {
    /// Takes one section. `room` is what is left of what all modules may put into tables.
    pub(super) fn payload(
        &mut self,
        payload: Payload<'a>,
        signatures: &mut Signatures,
        room: &mut usize,
    ) -> Result<(), NotFollowed> {
        match payload {
            Payload::TypeSection(section) => {
                for ty in section.into_iter_err_on_gc_types() {
                    self.types.push(signatures.number(ty?));
                }
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    self.import(import?);
                }
            }
            Payload::FunctionSection(section) => {
                for ty in section {
                    self.functions.push(self.signature(ty?));
                }
            }
            Payload::TableSection(section) => self.own_tables(section, room)?,
            Payload::GlobalSection(section) => {
                for global in section {
                    let global = global?;
                    if matches!(global.ty.content_type, ValType::Ref(_)) {
                        let function = self.function_of(&global.init_expr);
                        self.segment(None, None, vec![function], room)?;
                    }
                }
            }
            Payload::ExportSection(section) => {
                for export in section {
                    let export = export?;
                    self.exports.insert(export.name, (export.kind, export.index));
                }
            }
            Payload::StartSection { func, .. } => self.start = Some(func),
            Payload::ElementSection(section) => {
                for element in section {
                    self.element(element?, room)?;
                }
            }
            Payload::CodeSectionEntry(body) => self.bodies.push(body),
            Payload::CustomSection(section) => {
                if let KnownCustom::Name(names) = section.as_known() {
                    self.names = Some(names);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn import(&mut self, import: Import<'a>) {
        let imported = Imported {
            module: import.module,
            name: import.name,
        };
        match import.ty {
            TypeRef::Func(ty) | TypeRef::FuncExact(ty) => {
                self.functions.push(self.signature(ty));
                self.imported_functions.push(imported);
            }
            TypeRef::Table(_) => self.imported_tables.push(imported),
            _ => {}
        }
    }

    fn own_tables(&mut self, section: TableSectionReader<'a>, room: &mut usize) -> Result<(), NotFollowed> {
        for table in section {
            if let TableInit::Expr(first) = table?.init {
                let number = u32::try_from(self.imported_tables.len()).unwrap_or(u32::MAX);
                let functions = vec![self.function_of(&first)];
                self.segment(Some(number.saturating_add(self.tables)), None, functions, room)?;
            }
            self.tables += 1;
        }
        Ok(())
    }

    fn element(&mut self, element: Element<'a>, room: &mut usize) -> Result<(), NotFollowed> {
        let functions = match element.items {
            ElementItems::Functions(functions) => {
                let functions = functions.into_iter().map(|function| function.map(Some));
                functions.collect::<Result<_, _>>()?
            }
            ElementItems::Expressions(_, expressions) => {
                let mut functions = Vec::new();
                for expression in expressions {
                    functions.push(self.function_of(&expression?));
                }
                functions
            }
        };
        let (table, offset) = match &element.kind {
            ElementKind::Active {
                table_index,
                offset_expr,
            } => (Some(table_index.unwrap_or_default()), constant(offset_expr)),
            ElementKind::Passive | ElementKind::Declared => (None, None),
        };
        self.segment(table, offset, functions, room)
    }

    fn segment(
        &mut self,
        table: Option<u32>,
        offset: Option<u32>,
        functions: Vec<Option<u32>>,
        room: &mut usize,
    ) -> Result<(), NotFollowed> {
        *room = room.checked_sub(functions.len()).ok_or(NotFollowed::TooMuch)?;
        self.segments.push(Segment {
            table,
            offset,
            functions,
        });
        Ok(())
    }

    /// The function that an expression gives, if it says which.
    fn function_of(&mut self, expression: &ConstExpr<'_>) -> Option<u32> {
        match expression.get_operators_reader().read() {
            Ok(Operator::RefFunc { function_index }) => Some(function_index),
            Ok(Operator::RefNull { .. }) => None,
            _ => {
                self.hands_on = true;
                None
            }
        }
    }

    /// The type of this number in the module.
    pub(super) fn signature(&self, ty: u32) -> Signature {
        self.types.get(ty as usize).copied().unwrap_or(Signature::MAX)
    }

    /// The code of a function, if it is the module's own.
    pub(super) fn body(&self, function: u32) -> Option<&FunctionBody<'a>> {
        let own = (function as usize).checked_sub(self.imported_functions.len())?;
        self.bodies.get(own)
    }

    pub(super) fn exported_function(&self, name: &str) -> Option<u32> {
        match self.exports.get(name)? {
            (ExternalKind::Func | ExternalKind::FuncExact, function) => Some(*function),
            _ => None,
        }
    }

    pub(super) fn exported_table(&self, name: &str) -> Option<u32> {
        match self.exports.get(name)? {
            (ExternalKind::Table, table) => Some(*table),
            _ => None,
        }
    }

    /// True of one that tells modules where they are in memory, if a module whose name begins like this is among them. That is how
    /// libraries are linked into a component.
    pub(super) fn exports_of_library(&self, name: &str) -> bool {
        self.exports
            .keys()
            .any(|export| export.starts_with(name) && export.ends_with(":memory_base"))
    }

    /// The names of functions, as far as the file has them: those for people, and those under which they are exported.
    pub(super) fn names(&self) -> HashMap<u32, &'a str> {
        let mut exports: Vec<_> = self.exports.iter().collect();
        // The first by name of several, because a map has no order.
        exports.sort_unstable_by(|one, other| other.0.cmp(one.0));
        let mut names = HashMap::new();
        for (name, (kind, function)) in exports {
            if matches!(kind, ExternalKind::Func | ExternalKind::FuncExact) {
                names.insert(*function, *name);
            }
        }
        for section in self.names.clone().into_iter().flatten().map_while(Result::ok) {
            if let Name::Function(functions) = section {
                let functions = functions.into_iter().map_while(Result::ok);
                names.extend(functions.map(|naming| (naming.index, naming.name)));
            }
        }
        names
    }
}

/// The number that an expression gives, if it is one.
fn constant(expression: &ConstExpr<'_>) -> Option<u32> {
    match expression.get_operators_reader().read() {
        Ok(Operator::I32Const { value }) => Some(value.cast_unsigned()),
        _ => None,
    }
}
