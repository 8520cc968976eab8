//! What can't be a message, or an actor.

use ractor_host_derive::contract;

struct State;

#[contract]
impl State {
    pub fn borrows(&mut self, text: &str) {}
    pub fn open<T>(&self, value: T) {}
    pub fn lost() {}
    #[rpc]
    fn hidden(&self) {}
}

#[contract]
impl Clone for State {
    fn clone(&self) -> Self {
        Self
    }
}

#[contract(reload)]
impl State {}

struct Other;

#[contract]
impl Other {
    pub fn pre_start(one: u64, two: u64) -> Self {
        Self
    }
}

fn main() {}
