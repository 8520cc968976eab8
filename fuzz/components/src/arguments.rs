//! Random values on the stack: such as the host can read, by their WIT types, and any at all.

use rand::RngExt as _;
use rand::rngs::SmallRng;
use wasm_encoder::reencode::{Reencode as _, RoundtripReencoder};
use wasm_encoder::{InstructionSink, MemArg};
use wasmparser::ValType;
use wit_parser::{Type, TypeDefKind};

use crate::Result;
use crate::callback::{OWN_PID, WORD_BYTES, WORD_LIST, WORDS};
use crate::world::{Flat, World};

/// One value in this many is any number, where only some mean anything.
const WILD: u32 = 48;

/// Draws the arguments of calls within one callback.
pub struct Arguments<'a> {
    pub world: &'a World,
    /// The callback. Its own parameters are handed on.
    pub export: &'a Flat,
    pub memory: u32,
    pub random: &'a mut SmallRng,
}

impl Arguments<'_> {
    /// One of these.
    pub fn one<'t, T>(&mut self, these: &'t [T]) -> Option<&'t T> {
        let any = self.random.random_range(0..these.len().max(1));
        these.get(any)
    }

    /// A value of this WIT type, flat.
    pub fn value(&mut self, code: &mut InstructionSink<'_>, ty: &Type) -> Result<()> {
        match ty {
            Type::Bool => self.one_of(code, 2),
            Type::U64 => self.number(code),
            Type::String => self.text(code, false),
            Type::Id(id) => self.defined(code, *id)?,
            other => return Err(format!("no import takes a {other:?}").into()),
        }
        Ok(())
    }

    fn defined(&mut self, code: &mut InstructionSink<'_>, id: wit_parser::TypeId) -> Result<()> {
        let ty = &self.world.resolve.types[id];
        match &ty.kind {
            TypeDefKind::Type(ty) => self.value(code, ty),
            TypeDefKind::Record(_) if ty.name.as_deref() == Some("pid") => {
                self.pid(code);
                Ok(())
            }
            TypeDefKind::Record(record) => record.fields.iter().try_for_each(|field| self.value(code, &field.ty)),
            TypeDefKind::Enum(cases) => {
                self.one_of(code, i32::try_from(cases.cases.len())?);
                Ok(())
            }
            TypeDefKind::Option(ty) => {
                self.one_of(code, 2);
                self.value(code, ty)
            }
            TypeDefKind::List(Type::U8) => {
                self.text(code, true);
                Ok(())
            }
            TypeDefKind::List(_) => {
                // Of texts, which begin where the words begin: hardly any is within the memory.
                let length = i32::from(self.random.random_ratio(1, 16));
                code.i32_const(WORDS).i32_const(length);
                Ok(())
            }
            other => Err(format!("no import takes a {}", other.as_str()).into()),
        }
    }

    /// The number of one of this many cases.
    fn one_of(&mut self, code: &mut InstructionSink<'_>, cases: i32) {
        let case = if self.random.random_ratio(1, WILD) {
            self.random.random()
        } else {
            self.random.random_range(0..cases)
        };
        code.i32_const(case);
    }

    /// This actor's pid more often than not.
    fn pid(&mut self, code: &mut InstructionSink<'_>) {
        if self.random.random_ratio(1, 3) {
            self.number(code);
            return self.number(code);
        }
        for place in [OWN_PID, OWN_PID + 8] {
            let memory = MemArg {
                offset: 0,
                align: 0,
                memory_index: self.memory,
            };
            code.i32_const(place).i64_load(memory);
        }
    }

    /// A number of 64 bits: the callback's own if it has one, a small one, or any.
    fn number(&mut self, code: &mut InstructionSink<'_>) {
        let own = self
            .export
            .parameters
            .iter()
            .rposition(|ty| *ty == wasm_encoder::ValType::I64);
        match (self.random.random_range(0..8), own) {
            (0..4, Some(own)) => code.local_get(own as u32),
            (7, _) => code.i64_const(self.random.random()),
            _ => code.i64_const(self.random.random_range(0..200)),
        };
    }

    /// An address and a length: a word, what the callback got, what lies anywhere, or what is nowhere. Of what the callback
    /// got, the first is text; all of it may be `bytes`.
    pub fn text(&mut self, code: &mut InstructionSink<'_>, bytes: bool) {
        let got = self.export.function.params.iter().map(|parameter| &parameter.ty);
        let texts = got.clone().take_while(|ty| **ty == Type::String).count();
        // Behind the texts there is one list of bytes at most.
        let got = texts + usize::from(bytes && self.export.function.name.starts_with("handle-c"));
        match self.random.random_range(0..WILD) {
            0 => code.i32_const(self.random.random()).i32_const(self.random.random()),
            1 => {
                let (place, length) = (self.random.random_range(0..8192), self.random.random_range(0..32));
                code.i32_const(place).i32_const(length)
            }
            2..24 if got > 0 => {
                let text = 2 * self.random.random_range(0..got as u32);
                code.local_get(text).local_get(text + 1)
            }
            _ => {
                let word = self.random.random_range(0..WORD_LIST.len());
                let place = WORDS + WORD_BYTES * word as i32;
                code.i32_const(place).i32_const(WORD_LIST[word].len() as i32)
            }
        };
    }

    /// A value of this core type, whatever it may mean.
    pub fn any(&mut self, code: &mut InstructionSink<'_>, ty: ValType) {
        match ty {
            ValType::I32 if self.random.random() => code.i32_const(self.random.random_range(0..8192)),
            ValType::I32 => code.i32_const(self.random.random()),
            ValType::I64 => {
                self.number(code);
                code
            }
            ValType::F32 => code.f32_const(f32::from_bits(self.random.random()).into()),
            ValType::F64 => code.f64_const(f64::from_bits(self.random.random()).into()),
            ValType::V128 => code.v128_const(self.random.random()),
            ValType::Ref(reference) => {
                // Without the proposal for typed references every one may be null.
                let heap = RoundtripReencoder
                    .heap_type(reference.heap_type())
                    .expect("a type of its own");
                code.ref_null(heap)
            }
        };
    }
}
