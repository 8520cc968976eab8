//! What commands share that look at nodes: all are asked at the same time, and those that don't answer hide none of the others.

use std::io;
use std::process::ExitCode;

use futures_util::future::join_all;
use serde::Serialize;

use super::arguments::{ControlArguments, OutputFormat};
use super::deploy::with_access;
use super::failure::Failure;
use super::nodes::{self, ControlledNode};
use super::output;
use crate::host::HostBuilder;

/// What nodes have answered.
pub(super) struct Survey<T> {
    pub(super) answers: Vec<T>,
    /// Why the others have not.
    missing: Vec<anyhow::Error>,
}

/// Asks every node that the arguments name.
pub(super) fn survey<T>(
    arguments: &ControlArguments,
    builder: &HostBuilder,
    ask: impl AsyncFn(&mut ControlledNode) -> anyhow::Result<T>,
) -> Result<Survey<T>, Failure> {
    let outcomes = with_access(arguments, builder, async |access| {
        let nodes = nodes::connect_each(access, arguments).await;
        let asked = nodes.into_iter().map(async |node: anyhow::Result<ControlledNode>| {
            let mut node = node?;
            ask(&mut node).await
        });
        anyhow::Ok(join_all(asked).await)
    })?;
    Ok(Survey::of(outcomes))
}

impl<T> Survey<T> {
    /// What nodes answered that were asked already.
    pub(super) fn of(outcomes: Vec<anyhow::Result<T>>) -> Self {
        let mut survey = Self {
            answers: Vec::new(),
            missing: Vec::new(),
        };
        for outcome in outcomes {
            match outcome {
                Ok(answer) => survey.answers.push(answer),
                Err(error) => survey.missing.push(error),
            }
        }
        survey
    }
}

impl<T: Serialize> Survey<T> {
    /// Writes the answers to stdout, and to stderr why there are no more. The exit code says whether all are there.
    pub(super) fn report(
        self,
        format: OutputFormat,
        text: impl FnOnce(&mut output::Stdout, &[T]) -> io::Result<()>,
    ) -> Result<ExitCode, Failure> {
        if !self.answers.is_empty() {
            output::write(|out| match format {
                OutputFormat::Text => text(out, &self.answers),
                OutputFormat::Json => output::write_json(out, &self.answers),
            })?;
        }
        for error in &self.missing {
            output::say("error", &format!("{error:#}"));
        }
        Ok(if self.missing.is_empty() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}
