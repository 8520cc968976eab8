//! An actor that counts.

use ractor::reload::{PortableState, Reload};

#[derive(Default, PortableState)]
pub struct {{Type}} { count: u64 }

#[ractor::contract]
impl {{Type}} {
    pub fn pre_start(count: u64) -> Self { Self { count } }
    pub fn add(&mut self, number: u64) { self.count += number }
    pub fn get(&self) -> u64 { self.count }
}

impl Reload for {{Type}} {}
ractor::export!({{Type}}, reload, start = count);
