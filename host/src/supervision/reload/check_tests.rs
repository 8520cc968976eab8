//! Changes of every shape against what is decided about them.

use super::check::{ActorFacts, CodeFacts, Refusal, plan};
use crate::guest::{Contract, Message, Mode, NotGranted, Parameter, Start, TypeExpr};

fn code(state_version: u32) -> CodeFacts {
    let message = |name: &str, argument: &str, reply: Option<&str>| Message {
        name: name.to_owned(),
        documentation: String::new(),
        arguments: vec![parameter("n", argument)],
        reply: reply.map(TypeExpr::parse),
    };
    CodeFacts {
        reloadable: true,
        contract: Ok(Contract {
            name: "Counter".to_owned(),
            version: "1.0.0".to_owned(),
            state_version,
            documentation: String::new(),
            start: Start::Argument(parameter("count", "u64")),
            messages: vec![message("Add", "u64", None), message("AddAndGet", "u64", Some("u64"))],
            schemas: Vec::new(),
            schemas_left_out: 0,
        }),
    }
}

fn parameter(name: &str, ty: &str) -> Parameter {
    Parameter {
        name: name.to_owned(),
        ty: TypeExpr::parse(ty),
    }
}

fn with(mut code: CodeFacts, change: impl FnOnce(&mut Contract)) -> CodeFacts {
    change(code.contract.as_mut().unwrap());
    code
}

fn plain(mut code: CodeFacts) -> CodeFacts {
    code.reloadable = false;
    code
}

fn actor(may_restart: bool) -> ActorFacts {
    ActorFacts {
        name: "counter".to_owned(),
        may_restart,
        lacks: None,
    }
}

#[test]
fn the_state_is_handed_over_or_given_up_where_that_is_allowed() {
    let running = |which| {
        Err(Refusal::NotReloadable {
            which,
            actor: "counter".to_owned(),
        })
    };
    let no_restart = || Err(Refusal::NoRestart("counter".to_owned()));
    let (can, cannot) = (code(1), plain(code(1)));
    for (old, new, wanted, may_restart, expected) in [
        (&can, &can, None, false, Ok(Mode::Snapshot)),
        (&can, &can, None, true, Ok(Mode::Snapshot)),
        (&can, &can, Some(Mode::Snapshot), true, Ok(Mode::Snapshot)),
        (&can, &can, Some(Mode::Restart), true, Ok(Mode::Restart)),
        (&can, &can, Some(Mode::Restart), false, no_restart()),
        (&cannot, &can, None, true, Ok(Mode::Restart)),
        (&cannot, &can, None, false, running("the running")),
        (&can, &cannot, None, false, running("the new")),
        (&cannot, &can, Some(Mode::Snapshot), true, running("the running")),
        (&can, &cannot, Some(Mode::Snapshot), true, running("the new")),
        (&cannot, &cannot, Some(Mode::Restart), true, Ok(Mode::Restart)),
    ] {
        let decided = plan(old, new, &[actor(may_restart)], wanted, false);
        let decided = decided
            .map(|plan| plan.modes[0])
            .map_err(|mut refusals| refusals.remove(0));
        assert_eq!(decided, expected, "{wanted:?} {may_restart}");
    }
}

#[test]
fn an_actor_that_is_not_granted_what_new_code_imports_keeps_all_as_they_are() {
    let lacks = NotGranted {
        import: "acme:db/store@0.1.0".to_owned(),
        add: "a section [actors.interfaces.db], which grants it".to_owned(),
    };
    let lacking = ActorFacts {
        lacks: Some(lacks.clone()),
        ..actor(true)
    };
    for force in [false, true] {
        let refused = plan(
            &code(1),
            &code(1),
            &[actor(true), lacking.clone(), lacking.clone()],
            None,
            force,
        );
        let expected = Refusal::NotGranted {
            actor: "counter".to_owned(),
            lacks: lacks.clone(),
        };
        assert_eq!(refused, Err(vec![expected]), "{force}");
    }
}

#[test]
fn one_actor_that_may_not_be_restarted_keeps_all_as_they_are() {
    let refused = plan(
        &plain(code(1)),
        &code(1),
        &[actor(true), actor(false), actor(false)],
        None,
        true,
    );
    assert_eq!(refused.unwrap_err().len(), 1, "one reason of a kind");
}

#[test]
fn what_does_not_fit_is_refused_unless_it_is_forced() {
    let renamed = with(code(1), |code| code.name = "Clock".to_owned());
    let other_arguments = with(code(1), |code| code.start = Start::Argument(parameter("", "string")));
    let cases = [
        (
            renamed,
            Mode::Snapshot,
            Refusal::OtherActor {
                old: "Counter".to_owned(),
                new: "Clock".to_owned(),
            },
        ),
        (code(0), Mode::Snapshot, Refusal::OlderState { old: 1, new: 0 }),
        (
            other_arguments,
            Mode::Restart,
            Refusal::OtherArguments {
                old: "u64".to_owned(),
                new: "string".to_owned(),
            },
        ),
    ];
    for (new, mode, refusal) in cases {
        assert_eq!(
            plan(&code(1), &new, &[actor(true)], Some(mode), false),
            Err(vec![refusal])
        );
        assert!(plan(&code(1), &new, &[actor(true)], Some(mode), true).is_ok());
    }
}

#[test]
fn what_does_not_matter_for_the_way_is_not_refused() {
    let other_arguments = with(code(2), |code| code.start = Start::Argument(parameter("", "string")));
    assert!(plan(&code(1), &other_arguments, &[actor(false)], None, false).is_ok());
    assert!(plan(&code(1), &code(0), &[actor(true)], Some(Mode::Restart), false).is_ok());
}

#[test]
fn code_that_does_not_describe_itself_is_refused_even_by_force() {
    let mute = CodeFacts {
        reloadable: true,
        contract: Err("it trapped".to_owned()),
    };
    let refused = plan(&code(1), &mute, &[], None, true).unwrap_err();
    assert_eq!(
        refused[0].to_string(),
        "the new code does not describe itself: it trapped"
    );
}

#[test]
fn another_name_of_an_argument_changes_nothing() {
    let renamed = with(code(1), |code| {
        code.messages[0].arguments[0].name = "number".to_owned();
        code.messages[0].documentation = "Adds.".to_owned();
        code.start = Start::Argument(parameter("", "u64"));
    });
    let plan = plan(&code(1), &renamed, &[actor(true)], Some(Mode::Restart), false).unwrap();
    assert_eq!(plan.changes, Vec::<String>::new());
}

#[test]
fn the_changes_are_named() {
    let new = with(code(2), |code| {
        code.version = "2.0.0".to_owned();
        code.messages.remove(0);
        code.messages[0].reply = Some(TypeExpr::parse("u128"));
        code.messages.push(Message {
            name: "Reset".to_owned(),
            documentation: "Begins anew.".to_owned(),
            arguments: Vec::new(),
            reply: None,
        });
    });
    let changes = plan(&code(1), &new, &[], None, false).unwrap().changes;
    assert_eq!(
        changes,
        [
            "version `1.0.0` → `2.0.0`",
            "version of the state `1` → `2`",
            "message `Add` is gone: those that are sent or wait are dropped",
            "message `AddAndGet(n: u64) -> u64` → `AddAndGet(n: u64) -> u128`: those of the old form are dropped",
            "message `Reset()` is new",
        ]
    );
}
