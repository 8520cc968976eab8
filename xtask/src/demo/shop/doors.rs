//! Calls by the admin HTTP of a node.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use serde_json::{Value, json};
use ureq::Agent;

/// The time that a node gives a call.
const CALL_TIME: Duration = Duration::from_secs(50);
/// The longest wait for an answer of a node.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where a node takes calls.
#[derive(Clone)]
pub(super) struct Door {
    name: &'static str,
    admin: String,
    token: String,
}

impl Door {
    pub(super) fn new(name: &'static str, admin: &str, token: &str) -> Self {
        Self {
            name,
            admin: admin.to_owned(),
            token: token.to_owned(),
        }
    }

    /// The node.
    pub(super) fn name(&self) -> &'static str {
        self.name
    }
}

/// The nodes that customers may go to at the moment.
pub(super) struct Doors(Mutex<Vec<Door>>);

impl Doors {
    pub(super) fn new(doors: Vec<Door>) -> Self {
        Self(Mutex::new(doors))
    }

    /// From now on these.
    pub(super) fn set(&self, doors: Vec<Door>) {
        *self.all() = doors;
    }

    /// One of them, another one for the next number.
    pub(super) fn pick(&self, number: usize) -> Result<Door> {
        let doors = self.all();
        let door = number.checked_rem(doors.len()).and_then(|at| doors.get(at));
        door.cloned().context("no node is open")
    }

    fn all(&self) -> MutexGuard<'_, Vec<Door>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call of an entity.
pub(super) struct Call {
    /// `TYPE/KEY`.
    entity: String,
    message: &'static str,
    arguments: Vec<Value>,
    /// The types of the arguments and of the reply, where the entity doesn't say them: native ones don't.
    types: Option<(&'static [&'static str], &'static str)>,
    /// With it, the call counts once, however often it is made.
    idempotency_key: Option<String>,
}

impl Call {
    /// A call that changes nothing, and needs no key.
    pub(super) fn new(entity: impl Into<String>, message: &'static str) -> Self {
        Self {
            entity: entity.into(),
            message,
            arguments: Vec::new(),
            types: None,
            idempotency_key: None,
        }
    }

    pub(super) fn with(mut self, arguments: impl IntoIterator<Item = Value>) -> Self {
        self.arguments.extend(arguments);
        self
    }

    pub(super) fn typed(mut self, arguments: &'static [&'static str], reply: &'static str) -> Self {
        self.types = Some((arguments, reply));
        self
    }

    pub(super) fn once(mut self, idempotency_key: impl Into<String>) -> Self {
        self.idempotency_key = Some(idempotency_key.into());
        self
    }

    fn body(&self) -> Value {
        let timeout_ms = u64::try_from(CALL_TIME.as_millis()).unwrap_or(u64::MAX);
        let target = format!("entity:{}", self.entity);
        let mut body = json!({
            "target": target, "message": self.message, "arguments": self.arguments, "timeout_ms": timeout_ms,
        });
        if let (Some((arguments, reply)), Some(fields)) = (self.types, body.as_object_mut()) {
            fields.insert("argument_types".to_owned(), json!(arguments));
            fields.insert("reply_type".to_owned(), json!(reply));
        }
        body
    }
}

/// As one would type it: `cart/ada Add tea 2`.
impl fmt::Display for Call {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.entity, self.message)?;
        self.arguments
            .iter()
            .try_for_each(|argument| write!(out, " {}", spoken(argument)))
    }
}

/// A value without the quotes of JSON.
pub(super) fn spoken(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Somebody who calls, over connections of their own.
pub(super) struct Caller(Agent);

impl Caller {
    pub(super) fn new() -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE))
            .build();
        Self(config.into())
    }

    /// Makes a call. Gives the reply.
    ///
    /// # Errors
    /// There is none. The error is what the node said about that, or why it said nothing.
    pub(super) fn call(&self, door: &Door, call: &Call) -> Result<Value> {
        let request = self
            .0
            .post(format!("{}/v1/call", door.admin))
            .header("authorization", format!("Bearer {}", door.token))
            .header("content-type", "application/json");
        let request = match &call.idempotency_key {
            Some(key) => request.header("idempotency-key", key),
            None => request,
        };
        let mut answer = request.send(call.body().to_string())?;
        let text = answer.body_mut().read_to_string()?;
        let said: Value = serde_json::from_str(&text).with_context(|| format!("no JSON: {text}"))?;
        match said.get("reply") {
            Some(reply) if answer.status() == 200 => Ok(reply.clone()),
            _ => Err(anyhow!("{}", said.get("detail").map_or(text, spoken))),
        }
    }

    /// The number of entities of a type that are active at a node.
    pub(super) fn active(&self, door: &Door, entity_type: &str) -> Result<u64> {
        let request = self.0.get(format!("{}/v1/entities", door.admin));
        let request = request.header("authorization", format!("Bearer {}", door.token));
        let text = request.call()?.body_mut().read_to_string()?;
        let said: Value = serde_json::from_str(&text).with_context(|| format!("no JSON: {text}"))?;
        let types = said.get("types").and_then(Value::as_array);
        let found = types.and_then(|types| types.iter().find(|one| one.get("type") == Some(&json!(entity_type))));
        let active = found.and_then(|one| one.get("active")).and_then(Value::as_u64);
        active.with_context(|| format!("{} doesn't know the type {entity_type}: {text}", door.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_said_as_it_is_typed_and_sent_as_json() {
        let call = Call::new("cart/ada", "Add").with([json!("tea"), json!(2)]);
        assert_eq!(call.to_string(), "cart/ada Add tea 2");
        let body =
            json!({"target": "entity:cart/ada", "message": "Add", "arguments": ["tea", 2], "timeout_ms": 50_000});
        assert_eq!(call.body(), body);
        let native = Call::new("stock/tea", "Level").typed(&[], "str");
        assert_eq!(native.body().get("reply_type"), Some(&json!("str")));
    }

    #[test]
    fn customers_go_to_one_node_after_the_other_of_those_that_are_open() -> Result<()> {
        let door = |name| Door::new(name, "http://127.0.0.1:1", "");
        let doors = Doors::new(vec![door("alpha"), door("beta")]);
        let names = [0, 1, 2].map(|number| doors.pick(number).map_or("none", |door| door.name()));
        assert_eq!(names, ["alpha", "beta", "alpha"]);
        doors.set(vec![door("beta")]);
        assert_eq!(doors.pick(0)?.name(), "beta");
        doors.set(Vec::new());
        assert!(doors.pick(0).is_err());
        Ok(())
    }
}
