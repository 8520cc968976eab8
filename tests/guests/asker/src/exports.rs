//! What the host calls.

use std::cell::RefCell;

use crate::bindings::exported::{actor, batch, reload, replies};
use crate::bindings::imported::messaging;
use crate::bindings::imported::types::SupervisionEvent;
use crate::executor::{self, Outcome};
use crate::script::{self, LOG, log};

pub(crate) struct Asker;

thread_local! {
    /// Calls that are never answered.
    static PUT_OFF: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

impl actor::Guest for Asker {
    fn describe() -> actor::Descriptor {
        actor::Descriptor {
            name: "Asker".to_owned(),
            version: "1".to_owned(),
            state_version: 1,
            arguments: None,
            messages: Vec::new(),
        }
    }

    fn pre_start(args: Vec<u8>) -> Result<(), String> {
        begin(&String::from_utf8_lossy(&args), None);
        Ok(())
    }

    fn post_start() -> Result<(), String> {
        executor::run()
    }

    fn handle_cast(variant: String, args: Vec<u8>) -> Result<(), String> {
        cast(&variant, &args);
        executor::run()
    }

    fn handle_call(variant: String, args: Vec<u8>, reply_to: u64) -> Result<Option<Vec<u8>>, String> {
        let reply = match variant.as_str() {
            "do" => {
                begin(&String::from_utf8_lossy(&args), Some(reply_to));
                None
            }
            "echo" => Some(args),
            "log" => Some(LOG.with_borrow(|log| log.join(",")).into_bytes()),
            "put-off" => {
                PUT_OFF.with_borrow_mut(|calls| calls.push(reply_to));
                None
            }
            "count" => Some(PUT_OFF.with_borrow(Vec::len).to_string().into_bytes()),
            "answer" => {
                let calls = PUT_OFF.take();
                calls.iter().for_each(|call| _ = messaging::reply(*call, &args));
                Some(Vec::new())
            }
            "fail" => {
                messaging::fail_call(reply_to, &String::from_utf8_lossy(&args));
                None
            }
            "trap" => std::process::abort(),
            _ => {
                messaging::drop_call(reply_to);
                None
            }
        };
        executor::run()?;
        Ok(reply)
    }

    fn handle_supervisor_evt(event: SupervisionEvent) -> Result<(), String> {
        executor::event_came(match event {
            SupervisionEvent::ActorStarted(_) => "started".to_owned(),
            SupervisionEvent::ActorTerminated(_) => "terminated".to_owned(),
            SupervisionEvent::ActorFailed(_) => "failed".to_owned(),
            SupervisionEvent::GroupChanged(_) => "group-changed".to_owned(),
        });
        executor::run()
    }

    fn post_stop() -> Result<(), String> {
        Ok(())
    }
}

impl replies::Guest for Asker {
    fn handle_reply(token: u64, outcome: Outcome) -> Result<(), String> {
        executor::reply_came(token, outcome);
        executor::run()
    }

    fn handle_wake(timer: u64) -> Result<(), String> {
        executor::wake_came(timer);
        executor::run()
    }
}

impl batch::Guest for Asker {
    fn handle_casts(bytes: Vec<u8>, casts: Vec<batch::CastSizes>) -> Result<(), String> {
        let mut rest = &*bytes;
        for (at, sizes) in casts.iter().enumerate() {
            if at > 0 && !messaging::next_cast() {
                return Ok(());
            }
            let (variant, behind) = rest.split_at(sizes.variant as usize);
            let (args, behind) = behind.split_at(sizes.args as usize);
            rest = behind;
            cast(&String::from_utf8_lossy(variant), args);
            executor::run()?;
        }
        Ok(())
    }
}

impl reload::Guest for Asker {
    fn snapshot() -> Result<Vec<u8>, String> {
        Ok(LOG.with_borrow(|log| log.join(",")).into_bytes())
    }

    fn restore(state: Vec<u8>, _: u32) -> Result<(), String> {
        log(String::from_utf8_lossy(&state).into_owned());
        Ok(())
    }

    fn post_reload() -> Result<(), String> {
        Ok(())
    }
}

fn cast(variant: &str, args: &[u8]) {
    let args = String::from_utf8_lossy(args);
    match variant {
        "do" => begin(&args, None),
        "note" => log(args),
        _ => {}
    }
}

fn begin(script: &str, reply_to: Option<u64>) {
    if !script.is_empty() {
        executor::begin(script::mailbox(script), script::run(script.to_owned(), reply_to));
    }
}
